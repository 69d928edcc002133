"""Who is one person, as people decide it: links and merges, and what takes them back.

Each decision loads the streams of all contacts that it changes and writes into each of them, so
that of two people who decide at once about one contact the second decides on what the first did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from domain import access, contact
from domain.access import OPEN, Access, Place
from domain.addresses import scheme_of
from domain.contact import Contact, Handover, Tie
from domain.deciding import Decision, command_id_of, signed
from domain.errors import AddressTaken, ChangedMeanwhile, Erased, WrongState
from domain.events import ContactsMerged
from domain.ports import Pending, Seeker, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from domain.commands import By, FactReceipt
    from domain.deciding import Decider, Known
    from domain.events import Event
    from domain.ports import Standing

ADDRESSES_MAX: Final = 64
"""Addresses of one contact: its page is a merge over them, and no person has more."""

BUCKET: Final = "anonymous"
"""The scheme of withheld numbers: one contact a source, which stands for nobody."""

FULL: Final = f"A contact has at most {ADDRESSES_MAX} addresses."
NAMED_AFTER: Final = (
    "The contact is named after this address: take its others off, or say from when on it is"
    " somebody else's."
)
HANGS: Final = (
    "Others hang on this address: undo the merges that it came with, and take off what was linked"
    " to it."
)
NOBODY: Final = "Withheld numbers are nobody in particular; they are linked to nobody."
ONE_ALREADY: Final = "They are one contact already."
STAYS_CLOSED: Final = "It was part of a restricted contact."
"""Why what leaves a restricted contact is restricted itself, where nobody said why."""


class Wanted(Struct, frozen=True):
    """An address that a contact shall have; `move` takes it from another one.

    `since` (µs): the other one keeps what was said before, for the number was given anew.
    `keeps` is who may see the address alone, where it is taken from a restricted contact.
    """

    address: str
    move: bool = False
    since: int | None = None
    keeps: Access = OPEN


class IdentityBook:
    """Which addresses are a contact's, and which contacts are one."""

    def __init__(self, decider: Decider, known: Known) -> None:
        self._decider = decider
        self._known = known
        self._derive = known.around.derive

    def repeat_of(self, by: By) -> FactReceipt | None:
        """The first outcome of a command whose key was used; None for a new one. KeyReused."""
        return self._decider.repeat_of(by)

    def look_again(self) -> None:
        """Have the next who appends see what was decided, now that the views do."""
        self._known.owners.look_again()

    def merge_at(self, position: int) -> UUID | None:
        """The merge that the event at a position is about; None where it is none."""
        event = self._decider.entry(position).event
        return event.merge if isinstance(event, ContactsMerged) else None

    # ------------------------------------------------------------------ addresses

    async def link(
        self, owner: UUID, wanted: Wanted, by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """Have a contact have an address; None where it has it already.

        Raises AddressTaken, WrongState, ChangedMeanwhile, KeyReused.
        """
        address = wanted.address
        if scheme_of(address) == BUCKET:
            raise WrongState(NOBODY)
        at = self._known.around.clock()
        subject = self._known.subjects.find(address, at)
        there = self._known.owners.standing(subject) if subject else None
        if there is not None and there.contact == owner:
            return None
        mine = self._known.owners.standing(owner)
        if mine is not None and mine.addresses >= ADDRESSES_MAX:
            raise WrongState(FULL)
        taking = _Taking(owner, wanted, expected, Seeker(address, at))
        if subject is None or there is None:
            return await self._take(taking, by)
        if not wanted.move:
            raise AddressTaken(str(there.contact))
        if wanted.since is not None:
            return await self._take_over(taking, subject, there, by)
        return await self._move(taking, subject, there, by)

    async def unlink(
        self,
        owner: UUID,
        subject: UUID,
        by: By,
        *,
        expected: int | None = None,
        keeps: Access = OPEN,
    ) -> FactReceipt | None:
        """Take an address off a contact; it is a contact of its own again, seen by `keeps`.

        Raises WrongState for the one that the contact is named after, or that came with a merge.
        """
        if subject == owner:
            raise WrongState(NAMED_AFTER)
        there = self._known.owners.standing(subject)
        if there is None or there.contact != owner:
            return None
        if there.holds:
            raise WrongState(HANGS)

        def take() -> Unit:
            now = self._load(owner, expected)
            closed = self._closed(subject, keeps, None, by)
            return self._unit([contact.unlink(now, owner, subject, by), *closed], by)

        return await self._decider.attempt(take, by)

    async def give_away(
        self, owner: UUID, given: tuple[UUID, str, int], by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """From a time on, an address (subject, text, µs) of a contact is somebody else's.

        None where it has been given away already. Raises WrongState, ChangedMeanwhile, KeyReused.
        """
        subject, address, from_at = given
        successor = self._known.subjects.hand_over(address, subject, from_at)
        handover = Handover(subject, successor, from_at, address)

        def take() -> Unit | None:
            now = self._load(owner, expected)
            if subject in now.given:
                return None
            event = contact.hand_over(now, owner, handover, by)
            return self._unit([event], by)

        return await self._decider.attempt(take, by, fence=True)

    # --------------------------------------------------------------------- merges

    async def merge(
        self, survivor: UUID, absorbed: UUID, reason: str | None, by: By, expected: int | None
    ) -> tuple[UUID, FactReceipt]:
        """Put a contact under another one; the merge's id.

        Raises WrongState (one already, too many addresses, erased), ChangedMeanwhile, KeyReused.
        """
        over, under = self._known.owners.standing(survivor), self._known.owners.standing(absorbed)
        if over is not None and under is not None:
            if over.contact == under.contact:
                raise WrongState(ONE_ALREADY)
            if over.addresses + under.addresses > ADDRESSES_MAX:
                raise WrongState(FULL)
            if over.bucket or under.bucket:
                raise WrongState(NOBODY)
        tie = Tie(self._known.around.new_id(), survivor, absorbed, reason)

        def take() -> Unit:
            both = self._load(survivor, expected), self._load(absorbed, None)
            return self._unit(contact.merge(*both, tie, by), by)

        receipt = await self._attempt(take, by)
        if receipt is None:
            raise WrongState(ONE_ALREADY)
        if receipt.duplicate:
            return self.merge_at(receipt.position) or tie.merge, receipt
        return tie.merge, receipt

    async def undo(
        self, tie: Tie, by: By, *, expected: int | None = None, keeps: Access = OPEN
    ) -> FactReceipt | None:
        """Take exactly this merge back; None where that was done before.

        `keeps`: what was decided about both for the time after, on the one that goes.
        """

        def take() -> Unit | None:
            survivor, absorbed = self._load(tie.survivor, None), self._load(tie.absorbed, None)
            if expected not in {None, survivor.version}:
                raise ChangedMeanwhile(None)
            decided = contact.undo(survivor, absorbed, tie, by)
            if not decided:
                return None
            return self._unit([*decided, *self._closed(tie.absorbed, keeps, tie, by)], by)

        return await self._attempt(take, by)

    # --------------------------------------------------------------------- inside

    async def _attempt(self, take: Callable[[], Unit | None], by: By) -> FactReceipt | None:
        try:
            return await self._decider.attempt(take, by)
        except Erased:  # its key is gone, so nothing can be sealed for it
            raise WrongState(contact.ERASED) from None

    def _load(self, owner: UUID, expected: int | None) -> Contact:
        """What people decided about a contact until now. Raises ChangedMeanwhile."""
        stream = contact.contact_stream(self._derive, owner)
        now = self._decider.log.load(stream, contact.project) or Contact(stream)
        if expected not in {None, now.version}:
            raise ChangedMeanwhile(None)
        return now

    def _closed(self, part: UUID, keeps: Access, tie: Tie | None, by: By) -> list[Event]:
        """The decision that what leaves a restricted contact stays as closed as it was.

        In the same unit: nobody sees it in between. With `tie`, behind the merge's own undoing.
        """
        if not keeps.restricted:
            return []
        now = self._load(part, None)
        place = Place(part, now.id, now.version + (2 if tie else 1))
        reason = (tie.reason if tie else None) or STAYS_CLOSED
        event = access.give(now.access, keeps, reason, place, by)
        return [event] if event else []

    def _unit(self, decided: Sequence[Event], by: By, seekers: tuple[Seeker, ...] = ()) -> Unit:
        events = signed(decided, by)
        return Unit(
            key=events[0].originator_id,
            build=lambda _: [Pending(event) for event in events],
            seekers=seekers,
            command_id=command_id_of(by),
        )

    async def _take(self, taking: _Taking, by: By) -> FactReceipt | None:
        """An address that nobody has."""
        owner, address = taking.owner, taking.wanted.address
        stream = contact.contact_stream(self._derive, owner)

        def decide(now: Contact | None, subjects: Sequence[UUID]) -> Sequence[Event]:
            known = now or Contact(stream)
            linked = contact.link(known, owner, (address,)[: len(subjects)], subjects, by)
            return signed(linked, by)

        decision = Decision(
            stream,
            contact.project,
            decide,
            seekers=(taking.seeker,),
            expected=taking.expected,
        )
        return await self._decider.decide(decision, by)

    async def _move(
        self, taking: _Taking, subject: UUID, there: Standing, by: By
    ) -> FactReceipt | None:
        """An address that another contact has: off the one, to the other, in one unit."""
        giver, owner = there.contact, taking.owner
        if there.bucket:
            raise WrongState(NOBODY)
        if there.holds:
            raise WrongState(HANGS)

        def take() -> Unit:
            before, now = self._load(giver, None), self._load(owner, taking.expected)
            now = structs.replace(now, linked=now.linked - {subject})
            taken = contact.unlink(before, giver, subject, by)
            linked = contact.link(now, owner, (taking.wanted.address,), (subject,), by)
            closed = self._closed(subject, taking.wanted.keeps, None, by)
            return self._unit([taken, *linked, *closed], by)

        return await self._decider.attempt(take, by)

    async def _take_over(
        self, taking: _Taking, subject: UUID, there: Standing, by: By
    ) -> FactReceipt | None:
        """A number that was given anew: from a time on it is this contact's."""
        giver, owner, address = there.contact, taking.owner, taking.wanted.address
        from_at = taking.wanted.since or taking.seeker.at
        successor = self._known.subjects.hand_over(address, subject, from_at)
        handover = Handover(subject, successor, from_at, address)

        def take() -> Unit:
            before, now = self._load(giver, None), self._load(owner, taking.expected)
            given = contact.hand_over(before, giver, handover, by)
            linked = contact.link(now, owner, (address,), (successor,), by)
            return self._unit([given, *linked], by)

        return await self._decider.attempt(take, by, fence=True)


class _Taking(Struct, frozen=True):
    """A contact that shall have an address, and what was asked along with it."""

    owner: UUID
    wanted: Wanted
    expected: int | None
    seeker: Seeker
