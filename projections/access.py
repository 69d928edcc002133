"""Who may see which contact: one predicate, in one place, on every surface.

Every contact is open until somebody restricts it to users and teams. A decision stands on the
contact that it was taken on; a contact that was merged of several is as closed as all its parts
together, until somebody decides about the whole. So each contact has walls, one a part, and a
reader sees it who gets past every one: as a user who is named there, or as a member of a team.
Administrators see everything: somebody must be able to open what nobody else sees.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, Final, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from domain.events import AccessOpened, AccessRestricted
from domain.ports import Entry
from projections import directory
from projections.base import EPOCH, Key, Rows, RowTable
from projections.directory_rows import SUBJECTS
from projections.grouping import GROUPED
from projections.teams import teams_of
from projections.timeline import APPEARANCES
from projections.views import Reading

ACCESS_EPOCH: Final = "access"
"""Begins when somebody may see another set of contacts than before."""

READERS_KEPT: Final = 1_024
"""Readers whose walls are remembered: more than a company has people."""

WALL: Final = b""
"""In place of a grantee: the wall itself."""

_DECIDED: Final = "access"

# ------------------------------------------------------------------------ rows


class DecisionRow(Struct, gc=False):
    """The last decision that was taken on a contact; ids of 16 bytes each, joined."""

    contact: bytes
    position: int
    restricted: int
    users: bytes
    teams: bytes
    replaces: bytes


class WallRow(Struct, gc=False):
    """A wall around a contact, and who gets past it: one row for the wall, one for each."""

    contact: bytes
    part: bytes
    grantee: bytes
    team: int


_ID: Final = sa.LargeBinary(16)

DECISIONS: Final = RowTable(
    "access_decisions",
    DecisionRow,
    key=("contact",),
    columns={
        "contact": _ID,
        "position": sa.BigInteger(),
        "restricted": sa.SmallInteger(),
        "users": sa.LargeBinary(),
        "teams": sa.LargeBinary(),
        "replaces": sa.LargeBinary(),
    },
)

WALLS: Final = RowTable(
    "walls",
    WallRow,
    key=("contact", "part", "grantee"),
    columns={"contact": _ID, "part": _ID, "grantee": _ID, "team": sa.SmallInteger()},
)

# -------------------------------------------------------------------- handlers


class Access:
    """The projection, and the predicate over its rows."""

    name: ClassVar[str] = "access"
    version: ClassVar[int] = 2
    tables: ClassVar[tuple[RowTable[Any], ...]] = (DECISIONS, WALLS)
    topics: ClassVar[frozenset[str]] = frozenset(
        {"access.restricted", "access.opened", "team.joined", "team.left"}
    )

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, Reader], frozenset[bytes]] = {}
        self._lock = threading.Lock()

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The decision on the contact that the event names."""
        event = entry.event
        if isinstance(event, AccessRestricted | AccessOpened):
            return ((DECISIONS, (event.contact.bytes,)),)
        return ()

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Keep the last decision; who is in which team moves what a reader sees."""
        rows.touch(EPOCH, (ACCESS_EPOCH,))
        event = entry.event
        if isinstance(event, AccessRestricted | AccessOpened):
            rows.put(DECISIONS, _decision(entry, event))
            rows.touch(_DECIDED, (event.contact.bytes,))

    def settle(self, rows: Rows) -> None:
        """Build the walls again around each contact that was decided about, or regrouped."""
        decided = {directory.contact_of(rows, _id(key)) for key in rows.touched(_DECIDED)}
        for contact in sorted(decided | {_id(key) for key in rows.touched(GROUPED)}):
            _build(rows, contact)

    def visible(self, reader: Reader, reading: Reading) -> Visible:
        """What a reader may see, at the position of the reading."""
        epoch = reading.epoch(ACCESS_EPOCH)
        if reader.everything or not epoch:
            return Visible(frozenset(), reader, reading, ())
        grantees = tuple(_names_of(reading, person) for person in reader.persons)
        key = (reading.generation, epoch, reader)
        hidden = self._known.get(key)
        if hidden is None:
            condition, params = _hidden(reading, grantees)
            hidden = frozenset(row[0] for row in reading.fetch(condition, params))
            with self._lock:
                if len(self._known) >= READERS_KEPT:
                    self._known.clear()
                self._known[key] = hidden
        return Visible(hidden, reader, reading, grantees)


def _names_of(reading: Reading, person: bytes | None) -> tuple[bytes, ...]:
    """The ids under which a person may be named at a wall: their own, and their teams'."""
    return (person, *teams_of(reading, person)) if person else ()


def _decision(entry: Entry, event: AccessRestricted | AccessOpened) -> DecisionRow:
    restricted = isinstance(event, AccessRestricted)
    return DecisionRow(
        contact=event.contact.bytes,
        position=entry.position,
        restricted=int(restricted),
        users=_joined(event.users) if isinstance(event, AccessRestricted) else b"",
        teams=_joined(event.teams) if isinstance(event, AccessRestricted) else b"",
        replaces=_joined(event.replaces),
    )


def _build(rows: Rows, contact: bytes) -> None:
    """The walls of one contact, from the decisions on its parts."""
    members = directory.subjects_of(rows, contact)
    found = (rows.get(DECISIONS, (member,)) for member in members)
    wanted: dict[Key, WallRow] = {}
    for decision in standing([row for row in found if row is not None]):
        for grantee, team in _past(decision):
            wall = WallRow(contact, decision.contact, grantee, team)
            wanted[WALLS.key_of(wall)] = wall
    bound = rows.bound(WALLS)
    kept = sa.select(bound.c.part, bound.c.grantee).where(bound.c.contact == contact)
    there: set[Key] = set()
    for row in rows.select(kept):
        part, grantee = cast("tuple[bytes, bytes]", tuple(row))
        there.add((contact, part, grantee))
    if there == wanted.keys() and not wanted:
        return
    for key in there - wanted.keys():
        rows.delete(WALLS, key)
    for wall in wanted.values():
        rows.put(WALLS, wall)
    rows.touch(EPOCH, (ACCESS_EPOCH,))


def standing(decisions: Collection[DecisionRow]) -> list[DecisionRow]:
    """The restrictions in force among the decisions on a contact's parts.

    One that a later decision on another part took the place of says nothing while they are
    together.
    """
    return [
        one
        for one in decisions
        if one.restricted
        and not any(
            other.position > one.position and one.contact in directory.split_ids(other.replaces)
            for other in decisions
        )
    ]


def _past(decision: DecisionRow) -> Iterable[tuple[bytes, int]]:
    yield WALL, 0
    for user in directory.split_ids(decision.users):
        yield user, 0
    for team in directory.split_ids(decision.teams):
        yield team, 1


def _joined(ids: Iterable[UUID]) -> bytes:
    return b"".join(one.bytes for one in ids)


def _id(key: Key) -> bytes:
    found = key[0]
    if not isinstance(found, bytes):
        raise TypeError(key)
    return found


# ------------------------------------------------------------------- the predicate


class Reader(Struct, frozen=True):
    """Who looks: the user behind a session or token, None for a token of nobody's.

    `everything`: an administrator, whom no wall keeps out. `behind`: the person who acts for
    that user; what either of them may not see is seen by neither.
    """

    user: UUID | None = None
    everything: bool = False
    behind: UUID | None = None

    @property
    def persons(self) -> tuple[bytes | None, ...]:
        """Who must get past each wall; None is a program, which is named at none."""
        user = self.user.bytes if self.user else None
        return (user, self.behind.bytes) if self.behind else (user,)


class Visible:
    """What one reader may see, at the position of one reading."""

    def __init__(
        self,
        hidden: frozenset[bytes],
        reader: Reader,
        reading: Reading | None,
        grantees: tuple[tuple[bytes, ...], ...],
    ) -> None:
        self.hidden = hidden
        self.reader = reader
        self._reading = reading
        self._grantees = grantees

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden from the reader: then a query needs no condition."""
        return not self.hidden

    def may_see(self, contacts: Iterable[bytes]) -> frozenset[bytes]:
        """Those of the contacts that the reader may see."""
        return frozenset(contacts) - self.hidden

    def may_see_one(self, contacts: Collection[bytes]) -> bool:
        """Whether the reader may see at least one of the contacts: an interaction with several."""
        return not contacts or not self.hidden or bool(self.may_see(contacts))

    def contacts(self, column: str) -> tuple[str, tuple[object, ...]]:
        """A condition for a query, and its parameters: the contact in that column may be seen."""
        if self.everything or self._reading is None:
            return "1 = 1", ()
        query, params = _hidden(self._reading, self._grantees)
        return f"{column} NOT IN ({query})", params

    def interactions(self, alias: str) -> tuple[str, tuple[object, ...]]:
        """The same for interactions under that alias: one of its contacts may be seen."""
        if self.everything or self._reading is None:
            return "1 = 1", ()
        query, params = _hidden(self._reading, self._grantees)
        subjects = self._reading.name(SUBJECTS)
        behind = f"SELECT s.subject FROM {subjects} s WHERE s.contact IN ({query})"
        appears = (
            f"SELECT 1 FROM {self._reading.name(APPEARANCES)} p"
            f" JOIN {subjects} q ON q.subject = p.subject"
            f" WHERE p.originator = {alias}.originator AND q.contact NOT IN ({query})"
        )
        return f"({alias}.subject NOT IN ({behind}) OR EXISTS ({appears}))", (*params, *params)


EVERYTHING: Final = Visible(frozenset(), Reader(everything=True), None, ())
"""For what is made for everybody, and masked for each reader afterwards."""


def _hidden(
    reading: Reading, grantees: tuple[tuple[bytes, ...], ...]
) -> tuple[str, tuple[object, ...]]:
    """The contacts that a reader may not see, as a query: a wall that they do not get past.

    `grantees`: for each person who must get past, the ids under which they may be named.
    """
    walls = reading.name(WALLS)
    if not grantees or not all(grantees):
        return f"SELECT w.contact FROM {walls} w WHERE w.grantee = ?", (WALL,)
    named = " AND ".join(
        f"EXISTS (SELECT 1 FROM {walls} g WHERE g.contact = w.contact AND g.part = w.part"
        f" AND g.grantee IN ({', '.join('?' * len(ids))}))"
        for ids in grantees
    )
    params = (WALL, *(one for ids in grantees for one in ids))
    return f"SELECT w.contact FROM {walls} w WHERE w.grantee = ? AND NOT ({named})", params


# --------------------------------------------------------------------- queries


class Granted(Struct, frozen=True):
    """Who gets past the walls of a contact; `parts` is how many walls there are."""

    parts: int
    users: tuple[bytes, ...]
    teams: tuple[bytes, ...]


NOBODY_NEEDED: Final = Granted(0, (), ())


def restricted(reading: Reading, contacts: Collection[bytes]) -> frozenset[bytes]:
    """Those of the contacts that are not open to all."""
    if not contacts or not reading.epoch(ACCESS_EPOCH):
        return frozenset()
    marks = ", ".join("?" * len(contacts))
    rows = reading.fetch(
        f"SELECT contact FROM {reading.name(WALLS)} WHERE grantee = ? AND contact IN ({marks})",
        (WALL, *contacts),
    )
    return frozenset(row[0] for row in rows)


def granted(reading: Reading, contacts: Collection[bytes]) -> Mapping[bytes, Granted]:
    """For contacts that have walls: the users and teams that are named at every one of them."""
    if not contacts or not reading.epoch(ACCESS_EPOCH):
        return {}
    marks = ", ".join("?" * len(contacts))
    rows = reading.fetch(
        f"SELECT contact, part, grantee, team FROM {reading.name(WALLS)}"
        f" WHERE contact IN ({marks}) ORDER BY contact, part, grantee",
        tuple(contacts),
    )
    by_wall: dict[bytes, dict[bytes, set[tuple[bytes, int]]]] = {}
    for contact, part, grantee, team in rows:
        past = by_wall.setdefault(contact, {}).setdefault(part, set())
        if grantee != WALL:
            past.add((grantee, team))
    found: dict[bytes, Granted] = {}
    for contact, walls in by_wall.items():
        everywhere = sorted(set.intersection(*walls.values()))
        found[contact] = Granted(
            parts=len(walls),
            users=tuple(one for one, team in everywhere if not team),
            teams=tuple(one for one, team in everywhere if team),
        )
    return found


def granted_one(reading: Reading, contact: bytes) -> Granted:
    """As `granted`, of one contact; `parts` is 0 where it is open."""
    return granted(reading, (contact,)).get(contact, NOBODY_NEEDED)


def decided_for(reading: Reading, members: Collection[bytes], part: bytes) -> Granted:
    """Who gets past the decisions on a contact that were taken for this part of it as well.

    What holds for the part until somebody decides otherwise, once it is a contact of its own.
    """
    marks = ", ".join("?" * len(members))
    columns = ", ".join(DECISIONS.columns)
    sql = f"SELECT {columns} FROM {reading.name(DECISIONS)} WHERE contact IN ({marks})"
    rows = standing([DecisionRow(*row) for row in reading.fetch(sql, tuple(members))])
    meant = [row for row in rows if part in directory.split_ids(row.replaces)]
    if not meant:
        return NOBODY_NEEDED
    users = set.intersection(*(set(directory.split_ids(row.users)) for row in meant))
    teams = set.intersection(*(set(directory.split_ids(row.teams)) for row in meant))
    return Granted(len(meant), tuple(sorted(users)), tuple(sorted(teams)))
