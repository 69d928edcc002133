"""How a decision gets into the log: load its streams, decide, queue with the versions expected.

A rival who was faster takes the version; then the streams are loaded anew and the decision is
taken again on what they say now, at most five times. A command that comes again under its
Idempotency-Key finds its first outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, Generic
from uuid import UUID

from msgspec import Struct, structs

from domain.commands import FactReceipt
from domain.errors import Busy, ChangedMeanwhile, KeyReused, NotFound
from domain.events import Event
from domain.ports import AggregateT, Appended, Clash, EventLike, Pending, Repeated, Seeker, Unit

if TYPE_CHECKING:
    from domain.commands import By
    from domain.ports import Clock, Contacts, Entry, Log, Subjects
    from domain.values import Deriver

MAX_TRIES: Final = 5
"""How often a decision is taken anew when a rival was faster, before the caller hears `busy`."""

BUSY: Final = "Others kept changing the same thing; try again."


class Surroundings(Struct, frozen=True):
    """What the ledger has from its composition: derivation, time, new ids, our own domains."""

    derive: Deriver
    clock: Clock
    new_id: Callable[[], UUID]
    own_domains: frozenset[str] = frozenset()


class Known(Struct, frozen=True):
    """What those who decide look things up in: addresses, contacts, and their surroundings."""

    subjects: Subjects
    owners: Contacts
    around: Surroundings


class Decision(Struct, Generic[AggregateT], frozen=True):
    """What a person decides about one stream.

    `decide` gets the aggregate as it is (None before its first event) and the subjects of
    `seekers`, and gives the events at the versions that follow; none where nothing changes.
    `then` are first mentions that go into the same unit.
    """

    stream: UUID
    project: Callable[[AggregateT | None, Iterable[EventLike]], AggregateT | None]
    decide: Callable[[AggregateT | None, Sequence[UUID]], Sequence[Event]]
    seekers: tuple[Seeker, ...] = ()
    then: tuple[Pending, ...] = ()
    expected: int | None = None

    def unit(self, now: AggregateT | None, by: By) -> Unit:
        """The unit that appends the decision as it is taken on this state."""

        def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
            decided = [Pending(event) for event in self.decide(now, subjects)]
            return [*decided, *self.then]

        return Unit(
            key=self.stream, build=build, seekers=self.seekers, command_id=command_id_of(by)
        )


class Decider:
    """Takes decisions, and states facts of our own."""

    def __init__(self, log: Log) -> None:
        self.log = log

    async def decide(self, decision: Decision[AggregateT], by: By) -> FactReceipt | None:
        """Take a decision about one stream; None where nothing changes.

        Raises ChangedMeanwhile, Busy, KeyReused, and what the decision raises.
        """

        def take() -> Unit | None:
            now = self.log.load(decision.stream, decision.project)
            if decision.expected not in {None, getattr(now, "version", 0)}:
                raise ChangedMeanwhile(None)
            if not decision.seekers and not decision.decide(now, ()):
                return None
            return decision.unit(now, by)

        return await self.attempt(take, by)

    async def attempt(
        self, take: Callable[[], Unit | None], by: By, *, fence: bool = False
    ) -> FactReceipt | None:
        """Append what `take` decides, on the streams as it finds them; again after a rival.

        `take` loads whatever streams it needs; None from it means that nothing changes. With
        `fence`, no process goes on with subjects of before.
        """
        append = self.log.raise_fence if fence else self.log.append
        repeat = self.repeat_of(by)
        if repeat:
            return repeat
        for _ in range(MAX_TRIES):
            unit = take()
            if unit is None:
                return None
            verdict = await append(unit)
            match verdict:
                case Appended(positions):
                    return FactReceipt(positions[0], max(positions))
                case Repeated(position):
                    return self.repeated(position, by)
                case Clash():
                    continue
        raise Busy(BUSY)

    async def state(self, event: Event, by: By) -> FactReceipt:
        """Append one fact of our own, a stream at version 1; standing already, a duplicate."""
        unit = Unit(
            key=event.originator_id,
            build=lambda _: (Pending(event),),
            command_id=command_id_of(by),
        )
        verdict = await self.log.append(unit)
        match verdict:
            case Appended(positions):
                return FactReceipt(positions[0], positions[0])
            case Clash(position=position):
                return FactReceipt(position, position, duplicate=True)
            case Repeated(position):
                return self.repeated(position, by)

    def repeat_of(self, by: By) -> FactReceipt | None:
        """The first outcome of a command whose key has been used; None where it is new."""
        if by.repeatable is None:
            return None
        position = self.log.command(by.repeatable.command_id)
        return None if position is None else self.repeated(position, by)

    def repeated(self, position: int, by: By) -> FactReceipt:
        """The first outcome of a command, which stands at that position. Raises KeyReused."""
        event = self.entry(position).event
        first = getattr(event, "digest", None)
        if by.repeatable is None or first != by.repeatable.digest:
            message = "This Idempotency-Key came before with another body; take a new one."
            raise KeyReused(message)
        return FactReceipt(position, position, duplicate=True)

    def entry(self, position: int) -> Entry:
        """The event at a position. Raises NotFound."""
        entry = self.log.entry(position)
        if entry is None:
            message = f"There is nothing at position {position}."
            raise NotFound(message)
        return entry


def command_id_of(by: By) -> UUID | None:
    """The identity of a command that came with an Idempotency-Key."""
    return by.repeatable.command_id if by.repeatable else None


def digest_of(by: By) -> bytes | None:
    """The digest of its body, for the first event of such a command."""
    return by.repeatable.digest if by.repeatable else None


def signed(decided: Sequence[Event], by: By) -> list[Event]:
    """The events of one command; the first of them carries the digest of its body."""
    first = [structs.replace(event, digest=digest_of(by)) for event in decided[:1]]
    return [*first, *decided[1:]]
