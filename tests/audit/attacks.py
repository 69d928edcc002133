"""A ledger with proofs, and somebody with its database in hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

import psycopg

from app.compose import Composition
from app.verifying import Wish, of_database
from audit.verify import Bad, Material, Verified, verify
from storage.leaf import Row
from storage.scanning import scanned
from tests.app.ledgers import TurnedClock, run
from tests.backends import Backend
from tests.domain.commands import BY_TOKEN, NOON, said

MINUTE_US = 60_000_000


def fill(composition: Composition, clock: TurnedClock, count: int, start: int = 1) -> None:
    """Messages, a minute apart."""

    async def all_of_them() -> None:
        for number in range(start, start + count):
            clock.now = NOON + number * MINUTE_US
            await composition.ledger.record(said(f"Mensaje {number}", key=f"k{number}"), BY_TOKEN)

    run(all_of_them())


def signed(composition: Composition) -> int:
    """Bring the tree to the log's end and sign it; over how many events."""
    kept = composition.proving.now()
    assert kept is not None
    return kept.size


def material(composition: Composition, *against: str) -> Material:
    """What `hilo verify` looks at, in this process."""
    return of_database(composition, Wish(against=against))


def looked_at(composition: Composition, *against: str) -> Verified | Bad:
    """What `hilo verify` says of a ledger."""
    return verify(material(composition, *against), lambda *_: None)


@dataclass(frozen=True)
class Tampering:
    """Somebody with the database in hand; what they do is SQL, past the triggers."""

    backend: Backend

    def __call__(self, *sql: str) -> None:
        """Run SQL as whoever owns the database can."""
        if self.backend.kind == "sqlite":
            self._bare()
            with closing(sqlite3.connect(self.backend.folder / "ledger.db")) as connection:
                for one in sql:
                    connection.execute(one)
                connection.commit()
            return
        with psycopg.connect(self.backend.log_url) as server:
            server.execute("SET search_path = hilo_log")
            server.execute("ALTER TABLE events DISABLE TRIGGER USER")
            for one in sql:
                server.execute(one.encode())

    def rows(self) -> list[Row]:
        """All rows of the log."""
        return list(scanned(self.backend.log_url, 0, 1 << 62))

    def replace(self, rows: Sequence[Row]) -> None:
        """Have the log hold these rows instead of its own, and its head say so."""
        changes = ["DELETE FROM events", "UPDATE head SET position = ?"]
        insert = (
            "INSERT INTO events (position, originator, version, topic, recorded_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?)"
        )
        if self.backend.kind == "sqlite":
            self._bare()
            with closing(sqlite3.connect(self.backend.folder / "ledger.db")) as connection:
                connection.execute(changes[0])
                connection.executemany(insert, rows)
                connection.execute(changes[1], (len(rows),))
                connection.commit()
            return
        with psycopg.connect(self.backend.log_url) as server:
            server.execute("SET search_path = hilo_log")
            server.execute("ALTER TABLE events DISABLE TRIGGER USER")
            server.execute(changes[0].encode())
            ready = [(row[0], UUID(bytes=row[1]), *row[2:]) for row in rows]
            server.cursor().executemany(insert.replace("?", "%s").encode(), ready)
            server.execute(changes[1].replace("?", "%s").encode(), (len(rows),))

    def _bare(self) -> None:
        """Drop SQLite's triggers, once."""
        with closing(sqlite3.connect(self.backend.folder / "ledger.db")) as connection:
            named = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for (name,) in connection.execute(named).fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.commit()
