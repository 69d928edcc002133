"""`verify` finds the first bad position, whatever was done to the stored log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest

from app.compose import Composition
from audit.verify import Bad, Reading, Verified, verify
from storage.leaf import entry_bytes
from tests.app.ledgers import TurnedClock, opened, run
from tests.backends import Backend
from tests.domain.commands import BY_TOKEN, NOON, said

EVENTS = 6


def fill(composition: Composition, clock: TurnedClock) -> None:
    """Six messages, a minute apart."""
    for number in range(1, EVENTS + 1):
        clock.now = NOON + number * 60_000_000
        run(composition.ledger.record(said(f"Mensaje {number}", key=f"k{number}"), BY_TOKEN))


def looked_at(composition: Composition) -> Verified | Bad:
    """What `verify` says of a ledger."""
    origin = composition.keys.identity.origin
    reading = Reading(
        composition.log.page,
        composition.log.open_page,
        lambda stored: entry_bytes(stored, origin),
    )
    return verify(reading, lambda _: None)


@dataclass(frozen=True)
class Tampering:
    """Somebody with the database in hand; what they do is SQL on the table of events."""

    backend: Backend

    def __call__(self, sql: str) -> None:
        """Run SQL as whoever owns the database can: past the triggers."""
        if self.backend.kind == "sqlite":
            connection = sqlite3.connect(self.backend.folder / "ledger.db")
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(sql)
            connection.commit()
            connection.close()
        else:
            with psycopg.connect(self.backend.log_url) as server:
                server.execute("SET search_path = hilo_log")
                server.execute("ALTER TABLE events DISABLE TRIGGER USER")
                server.execute(sql.encode())


def test_a_whole_log_is_ok_and_has_one_root(backend: Backend) -> None:
    """A log as it was written verifies; its root does not depend on when one looks."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        empty = looked_at(composition)
        fill(composition, clock)
        whole = looked_at(composition)
        assert isinstance(empty, Verified)
        assert isinstance(whole, Verified)
        assert (empty.events, whole.events) == (0, EVENTS)
        assert whole == looked_at(composition)
        assert whole.root != empty.root


BYTE_EDIT = {
    "sqlite": "UPDATE events SET state = "
    "CAST(substr(state, 1, length(state) - 1) || x'00' AS BLOB) WHERE position = 3",
    "postgresql": "UPDATE events SET state = "
    "set_byte(state, length(state) - 1, (get_byte(state, length(state) - 1) + 1) % 256) "
    "WHERE position = 3",
}


@pytest.mark.parametrize(
    ("what", "position"),
    [
        ("DELETE FROM events WHERE position = 3", 3),
        ("UPDATE events SET recorded_at = 5 WHERE position = 4", 4),
        ("UPDATE events SET topic = 'contact.named' WHERE position = 2", 2),
        ("UPDATE events SET topic = 'no.such' WHERE position = 5", 5),
        ("UPDATE events SET version = 2 WHERE position = 6", 6),
        ("one byte", 3),
    ],
)
def test_the_first_bad_position_is_named(backend: Backend, what: str, position: int) -> None:
    """A deleted row, another time, topic or version, and one flipped byte are found."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        fill(composition, clock)
        Tampering(backend)(BYTE_EDIT[backend.kind] if what == "one byte" else what)
        result = looked_at(composition)
        assert isinstance(result, Bad)
        assert result.position == position, result


def test_progress_is_told(backend: Backend) -> None:
    """Whoever waits hears how many events were good so far."""
    clock = TurnedClock()
    told: list[int] = []
    with opened(backend, clock) as composition:
        fill(composition, clock)
        origin = composition.keys.identity.origin
        entry: Callable[..., bytes] = lambda stored: entry_bytes(stored, origin)  # noqa: E731 - as a parameter would be
        verify(Reading(composition.log.page, composition.log.open_page, entry), told.append)
    assert told[-1] == EVENTS
