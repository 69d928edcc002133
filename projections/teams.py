"""Who is in which team, since when and until when: positions of the log.

A row a stay: whoever leaves and comes back has two. So "who was in it on that day" is a
question to the rows as well as to the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from msgspec import Struct

from domain.events import TeamJoined, TeamLeft
from domain.ports import Entry
from projections.base import Key, Rows, RowTable
from projections.views import Reading

# ------------------------------------------------------------------------ rows


class StayRow(Struct, gc=False):
    """A user's (`person`) stay in a team, from position `since` on; `until` None while it lasts."""

    person: bytes
    team: bytes
    since: int
    until: int | None


STAYS: Final = RowTable(
    "stays",
    StayRow,
    key=("person", "team", "since"),
    columns={
        "person": sa.LargeBinary(16),
        "team": sa.LargeBinary(16),
        "since": sa.BigInteger(),
        "until": sa.BigInteger(),
    },
    indexes=(("team", ("team", "person", "since"), None, False),),
)

# -------------------------------------------------------------------- handlers


class Teams:
    """The projection."""

    name: ClassVar[str] = "teams"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[RowTable[Any], ...]] = (STAYS,)
    topics: ClassVar[frozenset[str]] = frozenset({"team.joined", "team.left"})

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """A stay that begins; which one ends, the event alone does not tell."""
        event = entry.event
        if isinstance(event, TeamJoined):
            return ((STAYS, (event.user.bytes, event.team.bytes, entry.position)),)
        return ()

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Begin a stay, or end the one that lasts."""
        event = entry.event
        if isinstance(event, TeamJoined):
            rows.put(STAYS, StayRow(event.user.bytes, event.team.bytes, entry.position, None))
        elif isinstance(event, TeamLeft):
            table = rows.bound(STAYS)
            lasting = sa.select(table.c.since).where(
                table.c.person == event.user.bytes,
                table.c.team == event.team.bytes,
                table.c.until.is_(None),
            )
            for found in rows.select(lasting):
                key = (event.user.bytes, event.team.bytes, found[0])
                stay = rows.get(STAYS, key)
                if stay is not None:
                    stay.until = entry.position
                    rows.put(STAYS, stay)

    def settle(self, rows: Rows) -> None:
        """Nothing is left for the end of a page."""


# --------------------------------------------------------------------- queries


def teams_of(reading: Reading, user: bytes, at: int | None = None) -> list[bytes]:
    """The teams that a user is in, or was in at a position; ids of 16 bytes, in their order."""
    return _stays(reading, ("team", "person"), user, at)


def members_of(reading: Reading, team: bytes, at: int | None = None) -> list[bytes]:
    """The users who are in a team, or were at a position; ids of 16 bytes, in their order."""
    return _stays(reading, ("person", "team"), team, at)


def stays(reading: Reading) -> list[tuple[bytes, bytes]]:
    """Every stay that lasts, as (user, team); a company has few."""
    name = reading.name(STAYS)
    return reading.fetch(f"SELECT person, team FROM {name} WHERE until IS NULL ORDER BY 1, 2")


def _stays(reading: Reading, columns: tuple[str, str], id: bytes, at: int | None) -> list[bytes]:
    wanted, given = columns
    table = reading.table(STAYS)
    query = sa.select(table.c[wanted]).where(table.c[given] == id)
    if at is None:
        query = query.where(table.c.until.is_(None))
    else:
        lasts = table.c.until.is_(None) | (table.c.until > at)
        query = query.where(table.c.since <= at, lasts)
    return [bytes(row[0]) for row in reading.select(query.order_by(table.c[wanted]))]
