"""What people decide about contacts, as it gets into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from domain import access, contact
from domain.access import Place
from domain.commands import FactReceipt
from domain.contact import Contact
from domain.deciding import Decision, command_id_of, signed
from domain.errors import AddressTaken
from domain.ports import Appended, Clash, Pending, Repeated, Seeker, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from domain.access import Access
    from domain.commands import By, ContactFields
    from domain.deciding import Decider, Known
    from domain.events import Event


class ContactBook:
    """Who contacts are, and which addresses are theirs."""

    def __init__(self, decider: Decider, known: Known) -> None:
        self._decider = decider
        self._known = known
        self._derive = known.around.derive

    async def create(self, fields: ContactFields, by: By) -> tuple[UUID, FactReceipt]:
        """Make a contact with its addresses, or without; gives its id.

        Raises AddressTaken where an address belongs to somebody, KeyReused.
        """
        repeat = self._decider.repeat_of(by)
        if repeat:
            return self._named_contact(repeat.position), repeat
        around = self._known.around
        at = around.clock()
        self._refuse_taken(fields.addresses, at, but=None)
        addresses = fields.addresses or (f"contact:{around.new_id()}",)

        def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
            made = Contact(contact.contact_stream(self._derive, subjects[0]))
            named = contact.create(made, subjects[0], addresses[0], fields, by)
            more = structs.replace(made, version=1)
            linked = contact.link(more, subjects[0], addresses[1:], subjects[1:], by)
            return [Pending(event) for event in (named, *linked)]

        unit = Unit(
            key=around.new_id(),
            build=build,
            seekers=tuple(Seeker(text, at) for text in addresses),
            command_id=command_id_of(by),
        )
        verdict = await self._decider.log.append(unit)
        match verdict:
            case Appended(positions, _, subjects):
                return subjects[0], FactReceipt(positions[0], max(positions))
            case Repeated(position):
                return self._named_contact(position), self._decider.repeated(position, by)
            case Clash(position=position):
                raise AddressTaken(str(self._named_contact(position)))

    async def describe(
        self, owner: UUID, fields: ContactFields, by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """Write down who a contact is, and add addresses; None where nothing changes.

        Raises AddressTaken, ChangedMeanwhile, KeyReused.
        """
        stream = contact.contact_stream(self._derive, owner)
        at = self._known.around.clock()
        self._refuse_taken(fields.addresses, at, but=owner)
        new = tuple(text for text in fields.addresses if self._owner(text, at) != owner)

        def decide(now: Contact | None, subjects: Sequence[UUID]) -> Sequence[Event]:
            known = now or Contact(stream)
            named = contact.name(known, owner, fields, by)
            later = structs.replace(known, version=known.version + (1 if named else 0))
            linked = contact.link(later, owner, new[: len(subjects)], subjects, by)
            return signed([*([named] if named else []), *linked], by)

        seekers = tuple(Seeker(text, at) for text in new)
        return await self._decider.decide(
            Decision(stream, contact.project, decide, seekers=seekers, expected=expected), by
        )

    async def give_access(
        self, owner: UUID, wanted: Access, reason: str, by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """Say who may see a contact; None where nothing changes.

        Raises ChangedMeanwhile, KeyReused.
        """
        stream = contact.contact_stream(self._derive, owner)

        def decide(now: Contact | None, _: Sequence[UUID]) -> Sequence[Event]:
            known = now or Contact(stream)
            place = Place(owner, stream, known.version + 1)
            event = access.give(known.access, wanted, reason, place, by)
            return [event] if event else []

        return await self._decider.decide(
            Decision(stream, contact.project, decide, expected=expected), by
        )

    def _named_contact(self, position: int) -> UUID:
        event = self._decider.entry(position).event
        subject: UUID = getattr(event, "subject", event.originator_id)
        return self._known.owners.contact_of(subject)

    def _owner(self, address: str, at: int) -> UUID | None:
        """The contact that an address belongs to; None for one that nobody has used."""
        subject = self._known.subjects.find(address, at)
        if subject is None or not self._known.owners.knows(subject):
            return None
        return self._known.owners.contact_of(subject)

    def _refuse_taken(self, addresses: Sequence[str], at: int, *, but: UUID | None) -> None:
        for address in addresses:
            owner = self._owner(address, at)
            if owner not in {None, but}:
                raise AddressTaken(str(owner))
