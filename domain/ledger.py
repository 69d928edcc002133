"""The ledger: the only way in. Commands come, units of events go to the log, receipts come back.

Facts are streams of their own at version 1: the log's unique index is their idempotency, and a
clash is opened and compared. Decisions load their stream, decide, and queue with the version
they expect; a rival who was faster makes them decide again, at most five times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Generic
from uuid import UUID

from msgspec import Struct, structs

from domain import annotation, contact
from domain.annotation import Annotation
from domain.commands import FactReceipt, Receipt, RecordInteraction
from domain.contact import Contact
from domain.errors import (
    AddressTaken,
    Busy,
    ChangedMeanwhile,
    Conflict,
    KeyReused,
    NotFound,
)
from domain.events import ConversationSeen, Event, InteractionRecorded
from domain.facts import report_unit
from domain.ports import AggregateT, Appended, Clash, EventLike, Pending, Repeated, Seeker, Unit
from domain.recording import Resolved, recording_unit, same_content
from domain.staff import Mentions

if TYPE_CHECKING:
    from domain.commands import By, ContactFields, Correction, Fact
    from domain.facts import Report
    from domain.ports import Clock, Contacts, Entry, Log, People, Subjects, Verdict
    from domain.values import Deriver

MAX_TRIES = 5
"""How often a decision is taken anew when a rival was faster, before the caller hears `busy`."""


class Surroundings(Struct, frozen=True):
    """What the ledger has from its composition: derivation, time, new ids, our own domains."""

    derive: Deriver
    clock: Clock
    new_id: Callable[[], UUID]
    own_domains: frozenset[str] = frozenset()


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
            key=self.stream,
            build=build,
            seekers=self.seekers,
            command_id=by.repeatable.command_id if by.repeatable else None,
        )


class Ledger:
    """The one object through which everything is appended."""

    def __init__(
        self,
        log: Log,
        subjects: Subjects,
        people: People,
        contacts: Contacts,
        surroundings: Surroundings,
    ) -> None:
        self.log = log
        self.subjects = subjects
        self.contacts = contacts
        self.derive = surroundings.derive
        self.clock = surroundings.clock
        self._new_id = surroundings.new_id
        self._own_domains = surroundings.own_domains
        self._mentions = Mentions(people, surroundings.derive)

    # ------------------------------------------------------------------- facts

    async def record(self, command: RecordInteraction, by: By) -> Receipt:
        """Append one interaction; durable when this returns.

        Raises Conflict where its key stands with other content, Busy, OutcomeUnknown.
        """
        unit = self.unit(command, by)
        return self.receipt(command, unit, await self.log.append(unit))

    async def report(self, report: Report, by: By) -> FactReceipt:
        """Append a further fact about an interaction; told again, it is a duplicate."""
        verdict = await self.log.append(report_unit(report, by, self.derive))
        match verdict:
            case Appended(positions):
                return FactReceipt(positions[0])
            case Clash() | Repeated():
                return FactReceipt(verdict.position, duplicate=True)

    def unit(self, command: Fact, by: By) -> Unit:
        """The unit that a fact will append; nothing is written yet. For batches."""
        if not isinstance(command, RecordInteraction):
            return report_unit(command, by, self.derive)
        attended_by, first_mentions = self._mentions.of(
            command.attended_by, command.department, command.campaign, by
        )
        resolved = Resolved(by, attended_by, first_mentions, self._own_domains)
        return recording_unit(command, resolved, self.derive)

    def receipt(self, command: RecordInteraction, unit: Unit, verdict: Verdict) -> Receipt:
        """What the verdict on a command's unit means to whoever sent it; raises Conflict."""
        if isinstance(verdict, Appended):
            owner = self.contacts.contact_of(verdict.subjects[0])
            return Receipt(verdict.positions[0], unit.key, owner)
        return self.duplicate(command, verdict.position)

    def duplicate(self, command: RecordInteraction, position: int) -> Receipt:
        """What stands at a position instead of a command; raises Conflict where it differs."""
        entry = self._entry(position)
        event = entry.event
        if not isinstance(event, InteractionRecorded):
            raise Conflict(position)
        if not entry.erased and not same_content(event, command):
            raise Conflict(position)
        owner = self.contacts.contact_of(event.subject)
        return Receipt(position, event.originator_id, owner, duplicate=True, erased=entry.erased)

    # --------------------------------------------------------------- decisions

    async def correct(
        self, recorded: InteractionRecorded, correction: Correction, by: By
    ) -> FactReceipt | None:
        """Correct what was written down; None where nothing changes. Raises WrongState."""
        attended_by, first_mentions = self._mentions.of(
            correction.attended_by, correction.department, correction.campaign, by
        )
        stream = annotation.annotation_stream(self.derive, recorded.originator_id)

        def decide(now: Annotation | None, _: Sequence[UUID]) -> Sequence[Event]:
            known = now or Annotation(stream)
            event = annotation.correct(known, recorded, correction, attended_by, by)
            return [event] if event else []

        decision = Decision(stream, annotation.project, decide, then=first_mentions)
        return await self._decide(decision, by)

    async def retract(
        self, recorded: InteractionRecorded, reason: str, by: By
    ) -> FactReceipt | None:
        """Declare a record void; None where it is void already."""
        stream = annotation.annotation_stream(self.derive, recorded.originator_id)

        def decide(now: Annotation | None, _: Sequence[UUID]) -> Sequence[Event]:
            event = annotation.retract(now or Annotation(stream), recorded, reason, by)
            return [event] if event else []

        return await self._decide(Decision(stream, annotation.project, decide), by)

    async def create_contact(self, fields: ContactFields, by: By) -> tuple[UUID, FactReceipt]:
        """Make a contact with its addresses, or without; gives its id.

        Raises AddressTaken where an address belongs to somebody, KeyReused.
        """
        repeat = self._repeat_of(by)
        if repeat:
            return self._named_contact(repeat.position), repeat
        at = self.clock()
        self._refuse_taken(fields.addresses, at, but=None)
        addresses = fields.addresses or (f"contact:{self._new_id()}",)

        def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
            made = Contact(contact.contact_stream(self.derive, subjects[0]))
            named = contact.create(made, subjects[0], addresses[0], fields, by)
            more = structs.replace(made, version=1)
            linked = contact.link(more, subjects[0], addresses[1:], subjects[1:], by)
            return [Pending(event) for event in (named, *linked)]

        unit = Unit(
            key=self._new_id(),
            build=build,
            seekers=tuple(Seeker(text, at) for text in addresses),
            command_id=by.repeatable.command_id if by.repeatable else None,
        )
        verdict = await self.log.append(unit)
        match verdict:
            case Appended(positions, _, subjects):
                return subjects[0], FactReceipt(positions[0])
            case Repeated(position):
                return self._named_contact(position), self._repeated(position, by)
            case Clash(position=position):
                raise AddressTaken(str(self._named_contact(position)))

    async def describe_contact(
        self, owner: UUID, fields: ContactFields, by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """Write down who a contact is, and add addresses; None where nothing changes.

        Raises AddressTaken, ChangedMeanwhile, KeyReused.
        """
        stream = contact.contact_stream(self.derive, owner)
        at = self.clock()
        self._refuse_taken(fields.addresses, at, but=owner)
        new = tuple(text for text in fields.addresses if self._owner(text, at) != owner)

        def decide(now: Contact | None, subjects: Sequence[UUID]) -> Sequence[Event]:
            known = now or Contact(stream)
            named = contact.name(known, owner, fields, by)
            later = structs.replace(known, version=known.version + (1 if named else 0))
            linked = contact.link(later, owner, new[: len(subjects)], subjects, by)
            return [*([named] if named else []), *linked]

        seekers = tuple(Seeker(text, at) for text in new)
        return await self._decide(
            Decision(stream, contact.project, decide, seekers=seekers, expected=expected), by
        )

    async def see(self, owner: UUID, user: UUID, through: int, by: By) -> FactReceipt:
        """A user has seen a conversation through a position."""
        event = ConversationSeen(
            originator_id=self.derive.id("seen", owner, user, str(through)),
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=by.repeatable.digest if by.repeatable else None,
            contact=owner,
            user=user,
            through=through,
        )
        return await self.state(event, by)

    async def state(self, event: Event, by: By) -> FactReceipt:
        """Append one fact of our own, a stream at version 1; standing already, a duplicate."""
        unit = Unit(
            key=event.originator_id,
            build=lambda _: (Pending(event),),
            command_id=by.repeatable.command_id if by.repeatable else None,
        )
        verdict = await self.log.append(unit)
        match verdict:
            case Appended(positions):
                return FactReceipt(positions[0])
            case Clash(position=position):
                return FactReceipt(position, duplicate=True)
            case Repeated(position):
                return self._repeated(position, by)

    # ---------------------------------------------------------------- plumbing

    async def _decide(self, decision: Decision[AggregateT], by: By) -> FactReceipt | None:
        """Load, decide, append; again when a rival was faster. None where nothing changes."""
        repeat = self._repeat_of(by)
        if repeat:
            return repeat
        for _ in range(MAX_TRIES):
            now = self.log.load(decision.stream, decision.project)
            if decision.expected not in {None, getattr(now, "version", 0)}:
                raise ChangedMeanwhile(None)
            if not decision.seekers and not decision.decide(now, ()):
                return None
            verdict = await self.log.append(decision.unit(now, by))
            match verdict:
                case Appended(positions):
                    return FactReceipt(positions[0])
                case Repeated(position):
                    return self._repeated(position, by)
                case Clash():
                    continue
        message = "Others kept changing the same thing; try again."
        raise Busy(message)

    def _repeat_of(self, by: By) -> FactReceipt | None:
        """The first outcome of a command whose key has been used; None where it is new."""
        if by.repeatable is None:
            return None
        position = self.log.command(by.repeatable.command_id)
        return None if position is None else self._repeated(position, by)

    def _repeated(self, position: int, by: By) -> FactReceipt:
        event = self._entry(position).event
        first = getattr(event, "digest", None)
        if by.repeatable is None or first != by.repeatable.digest:
            message = "This Idempotency-Key came before with another body; take a new one."
            raise KeyReused(message)
        return FactReceipt(position, duplicate=True)

    def _entry(self, position: int) -> Entry:
        entry = self.log.entry(position)
        if entry is None:
            message = f"There is nothing at position {position}."
            raise NotFound(message)
        return entry

    def _named_contact(self, position: int) -> UUID:
        event = self._entry(position).event
        return self.contacts.contact_of(getattr(event, "subject", event.originator_id))

    def _owner(self, address: str, at: int) -> UUID | None:
        """The contact that an address belongs to; None for one that nobody has used."""
        subject = self.subjects.find(address, at)
        if subject is None or not self.contacts.knows(subject):
            return None
        return self.contacts.contact_of(subject)

    def _refuse_taken(self, addresses: Sequence[str], at: int, *, but: UUID | None) -> None:
        for address in addresses:
            owner = self._owner(address, at)
            if owner not in {None, but}:
                raise AddressTaken(str(owner))
