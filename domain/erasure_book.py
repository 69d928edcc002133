"""Legal holds and erasures, as people decide them.

A hold stands on the contact that it was placed on; a contact that was merged of several is held
while any of its parts is. An erasure raises the fence with its event, so that no process goes on
with a key that is to be destroyed (design 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from domain import contact
from domain.contact import Contact, Doomed
from domain.deciding import BUSY, Decision, signed
from domain.errors import Busy, Held, NotFound
from domain.events import ContactErased
from domain.ports import Pending, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.commands import By, FactReceipt
    from domain.deciding import Decider, Known
    from domain.events import Event

NO_HOLD = "There is no such hold."


class ErasureBook:
    """What may not be erased, and what was."""

    def __init__(self, decider: Decider, known: Known) -> None:
        self._decider = decider
        self._known = known
        self._derive = known.around.derive

    async def place(self, owner: UUID, reason: str, by: By) -> FactReceipt:
        """Place a legal hold on a contact. Raises WrongState for one that was erased, KeyReused."""
        hold = self._known.around.new_id()
        stream = contact.contact_stream(self._derive, owner)

        def decide(now: Contact | None, _: Sequence[UUID]) -> Sequence[Event]:
            known = now or Contact(stream)
            return signed([contact.place_hold(known, owner, hold, reason, by)], by)

        receipt = await self._decider.decide(Decision(stream, contact.project, decide), by)
        if receipt is None:
            raise NotFound(NO_HOLD)
        return receipt

    async def lift(self, parts: Sequence[UUID], hold: UUID, reason: str, by: By) -> FactReceipt:
        """End a hold that stands on one of a contact's parts. Raises NotFound, KeyReused."""
        for part in parts:
            stream = contact.contact_stream(self._derive, part)

            def decide(
                now: Contact | None, _: Sequence[UUID], of: tuple[UUID, UUID] = (part, stream)
            ) -> Sequence[Event]:
                known = now or Contact(of[1])
                lifted = contact.lift_hold(known, of[0], hold, reason, by)
                return signed([lifted] if lifted else [], by)

            receipt = await self._decider.decide(Decision(stream, contact.project, decide), by)
            if receipt is not None:
                return receipt
        raise NotFound(NO_HOLD)

    def refuse_held(self, subjects: Sequence[UUID]) -> None:
        """Raise Held where a legal hold stands on any part of a contact."""
        if any(part.kept_by for part in self._parts(subjects)):
            raise Held(contact.HELD)

    def erased_at(self, owner: UUID) -> int | None:
        """The position at which a contact, by the id of its stream, was erased."""
        entries = self._decider.log.stream(contact.contact_stream(self._derive, owner))
        found = (entry.position for entry in entries if isinstance(entry.event, ContactErased))
        return next(found, None)

    async def erase(self, doomed: Doomed, by: By) -> int:
        """Say that a contact is erased, and raise the fence; the event's position.

        Erased before, it is that position. Raises Held, Busy, StoreUnavailable.
        """

        def take() -> Unit | None:
            parts = self._parts((doomed.contact, *doomed.subjects))
            if parts[0].erased:
                return None
            event = contact.erase(parts[0], parts[1:], doomed, by)
            return Unit(key=event.originator_id, build=lambda _: (Pending(event),))

        receipt = await self._decider.attempt(take, by, fence=True)
        at = receipt.position if receipt else self.erased_at(doomed.contact)
        if at is None:
            raise Busy(BUSY)
        return at

    def _parts(self, subjects: Sequence[UUID]) -> list[Contact]:
        """What people decided about each of these."""
        streams = [contact.contact_stream(self._derive, one) for one in subjects]
        found = ((one, self._decider.log.load(one, contact.project)) for one in streams)
        return [known or Contact(stream) for stream, known in found]
