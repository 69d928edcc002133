"""The one append algorithm, as far as it needs no database: what is asked, and the verdicts.

A recorder (storage/sqlite.py, storage/postgres.py) locks the head, compares the fence, reads
which places and command ids of the batch are taken, lets `Bench` judge unit by unit, inserts
the rows that it gives, moves the head and commits. So positions are contiguous, commit order is
position order, and an idempotent repeat is found before anything is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct

from domain.errors import HiloError
from domain.ports import Appended, Clash, Clock, Repeated, StoredEntry, Unit, Verdict
from storage import leaf
from storage.wakeup import Wakeup

Place = tuple[bytes, int]
"""Where an event stands: its stream's 16 bytes and its version there."""

Row = tuple[int, bytes, int, str, int, bytes | None, bytes]
"""position, originator, version, topic, recorded_at, command_id, state: the columns in order."""

LOCK_WAIT_S: Final = 5.0
"""How long a writer waits for the others; a transaction takes milliseconds, so it is broken."""

RECORDED: Final = "recorded"
DUPLICATE: Final = "duplicate"


class SealedEvent(Struct, frozen=True, gc=False, array_like=True):
    """An event as it will be stored."""

    topic: str
    originator: bytes
    version: int
    state: bytes
    if_absent: bool = False


class SealedUnit(Struct, frozen=True):
    """A unit whose events were built and sealed under the fence of its batch.

    `answer`: it is known already what the log will say, and only the commit is waited for.
    """

    unit: Unit
    events: tuple[SealedEvent, ...]
    subjects: tuple[UUID, ...] = ()
    answer: Clash | Repeated | None = None

    @property
    def size_bytes(self) -> int:
        """What its events take in the log, their states only."""
        if len(self.events) == 1:
            return len(self.events[0].state)
        return sum([len(event.state) for event in self.events])


class ReadyUnit(Unit, frozen=True, kw_only=True):
    """A unit that another process sealed already, under a fence: the events and their subjects.

    It is a whole unit all the same: under any other fence it is built and sealed again.
    """

    events: tuple[SealedEvent, ...]
    subjects: tuple[UUID, ...]
    fence: int
    answer: Clash | Repeated | None = None


class Batch(Struct, frozen=True):
    """Units for one transaction, in order.

    `fence` is the one under which they were sealed, None for who sealed nothing.
    `raises_fence`: what is written erases somebody, so no process may go on with cached keys.
    """

    units: Sequence[SealedUnit]
    fence: int | None
    raises_fence: bool = False


class Head(Struct, frozen=True):
    """The state of the log: last position, last time (µs), fence."""

    position: int
    recorded_at: int
    fence: int


class Taken(Struct):
    """Which places and command ids are in the log already, and at which positions."""

    places: dict[Place, int]
    commands: dict[bytes, int]


class FenceMoved(HiloError):
    """An erasure came between: subjects and keys must be resolved anew. Nothing was written."""

    def __init__(self, fence: int) -> None:
        super().__init__("An erasure came between; the batch must be sealed again.")
        self.fence = fence


class BrokenLog(RuntimeError):
    """The stored log contradicts itself: somebody changed it, and nothing may build on it."""


class Ledger(Struct, frozen=True):
    """Who this log is: a random id, its origin `hilo/<id>`, when it was made (µs)."""

    id: UUID
    origin: str
    created_at: int


class LogStore(Protocol):
    """A log's store, on either database; all methods may be called from any thread.

    Raises StoreUnavailable where the database does not answer.
    """

    clock: Clock
    wakeup: Wakeup

    def append(self, batch: Batch) -> list[Verdict]:
        """One transaction, a verdict for each unit; durable when it returns.

        Raises FenceMoved (nothing written) and OutcomeUnknown (commit's answer was lost).
        """

    def taken(self, places: Sequence[Place], commands: Sequence[bytes]) -> Taken:
        """What stands in the log of these, read without the lock: only a yes is final."""

    def head(self) -> Head:
        """The state of the log now."""

    def page(self, after: int, limit: int, max_bytes: int) -> list[StoredEntry]:
        """Entries after a position, at most `limit`, states at most `max_bytes` but one entry."""

    def rows(self, after: int, limit: int, max_bytes: int) -> list[leaf.Row]:
        """As `page`, but bare rows: for whoever needs only their leaves."""

    def stream(self, originator_id: UUID) -> list[StoredEntry]:
        """All entries of one stream, by version."""

    def ledger_row(self) -> Ledger | None:
        """Who this log is; None for one that was just made."""

    def create_ledger(self, ledger: Ledger) -> Ledger:
        """Say who this log is, once; returns what stands, which another process may have said."""

    def close(self) -> None:
        """Close every connection; to do so twice is harmless."""


class Bench:
    """Judges the units of one batch in order; each sees what the earlier ones will write."""

    def __init__(self, head: Head, taken: Taken, now: int) -> None:
        self.recorded_at = max(now, head.recorded_at)
        self.position = head.position
        self.rows: list[Row] = []
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self._places = taken.places
        self._commands = taken.commands

    def verdict(self, sealed: SealedUnit) -> Verdict:
        """The unit's verdict; its rows and its counter are added where it is appended."""
        if sealed.answer is not None:
            return sealed.answer
        unit = sealed.unit
        command = unit.command_id.bytes if unit.command_id is not None else None
        if command is not None and (first := self._commands.get(command)) is not None:
            return Repeated(first)
        for event in sealed.events:
            at = self._places.get((event.originator, event.version))
            if at is not None and not event.if_absent:
                return Clash(UUID(bytes=event.originator), event.version, at)
        written = len(self.rows)
        positions = tuple([self._write(event) for event in sealed.events])
        if command is not None and len(self.rows) > written:
            self._give_command(command, written, sealed.events)
        if unit.counted is not None:
            kind = RECORDED if len(self.rows) > written else DUPLICATE
            self.counts[(unit.counted.connection, unit.counted.source, kind)] += 1
        return Appended(positions, self.recorded_at, sealed.subjects)

    def _write(self, event: SealedEvent) -> int:
        place = (event.originator, event.version)
        at = self._places.get(place)
        if at is not None:
            return at
        self.position = at = self.position + 1
        self._places[place] = at
        self.rows.append(
            (at, event.originator, event.version, event.topic, self.recorded_at, None, event.state)
        )
        return at

    def _give_command(self, command: bytes, start: int, events: Sequence[SealedEvent]) -> None:
        """The command id stands with the first event that can never have been left out."""
        sure = {(event.originator, event.version) for event in events if not event.if_absent}
        index = next((i for i in range(start, len(self.rows)) if self.rows[i][1:3] in sure), start)
        row = self.rows[index]
        self.rows[index] = (*row[:5], command, row[6])
        self._commands[command] = row[0]


def places_of(units: Sequence[SealedUnit]) -> list[Place]:
    """Every place that a batch asks for."""
    return [(event.originator, event.version) for sealed in units for event in sealed.events]


def commands_of(units: Sequence[SealedUnit]) -> list[bytes]:
    """Every command id of a batch."""
    ids = (sealed.unit.command_id for sealed in units)
    return [command.bytes for command in ids if command is not None]


def check_fence(batch: Batch, head: Head) -> None:
    """Raises FenceMoved where the batch was sealed under another fence than the log's."""
    if batch.fence is not None and batch.fence != head.fence:
        raise FenceMoved(head.fence)


def contiguous(after: int, entries: list[StoredEntry]) -> list[StoredEntry]:
    """The entries, if they follow `after` without a gap; anything else is a broken log."""
    if entries:
        require_contiguous(after, entries[0].position, entries[-1].position, len(entries))
    return entries


def require_contiguous(after: int, first: int, last: int, count: int) -> None:
    """Raise BrokenLog where so many entries do not follow `after` without a gap."""
    if first != after + 1 or last != after + count:
        found = f"{first} to {last} in {count} entries"
        raise BrokenLog(f"After position {after} the log has {found}: positions are missing.")


def fence_after(batch: Batch, head: Head, bench: Bench) -> int:
    """The fence to write: raised by a batch that erases, unless it wrote nothing."""
    return head.fence + 1 if batch.raises_fence and bench.rows else head.fence
