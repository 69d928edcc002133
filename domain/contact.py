"""A contact as people have written it down: its name, its company, its addresses by hand.

Invariants: one stream a contact, derive('contact', id). The contact itself exists as soon as
its subject does, with no event at all; this aggregate holds only what people decided. What
changes nothing leaves no trace. A contact belongs to at most one other by a merge; a merge and
its undoing stand in the streams of both, so of two people who merge at once one is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct, field, structs

from domain import access
from domain.access import OPEN, Access
from domain.addresses import scheme_of, scope_of
from domain.deciding import digest_of
from domain.errors import Held, WrongState
from domain.events import (
    AccessOpened,
    AccessRestricted,
    AddressLinked,
    AddressReassigned,
    AddressUnlinked,
    ContactErased,
    ContactNamed,
    ContactsMerged,
    HoldLifted,
    HoldPlaced,
    MergeUndone,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.commands import By, ContactFields
    from domain.ports import EventLike
    from domain.values import Deriver

NAMED_FIELDS = ("name", "company", "owner", "language")
"""What `ContactNamed` can set."""

MERGED_MEANWHILE = "Somebody merged one of these contacts; look at them again."
ERASED = "One of the contacts was erased."
HELD = "A legal hold forbids that anything of this contact is erased."


class Contact(Struct, frozen=True):
    """What people decided about a contact.

    `id` is its stream. `linked` are subjects that people added, `given` those whose address
    people gave to somebody else. `merged` is the merge by which it belongs to another one,
    `holds` are those by which others belong to it. `kept_by` are the legal holds that forbid
    its erasure.
    """

    id: UUID
    version: int = 0
    values: dict[str, object] = field(default_factory=dict)
    linked: frozenset[UUID] = frozenset()
    given: frozenset[UUID] = frozenset()
    merged: UUID | None = None
    holds: frozenset[UUID] = frozenset()
    access: Access = OPEN
    kept_by: frozenset[UUID] = frozenset()
    erased: bool = False


class Tie(Struct, frozen=True):
    """A merge: which one, and the two contacts by their ids."""

    merge: UUID
    survivor: UUID
    absorbed: UUID
    reason: str | None = None


class Doomed(Struct, frozen=True):
    """What an erasure takes: a contact with all its subjects, and the ids of their keys."""

    contact: UUID
    erasure: UUID
    subjects: tuple[UUID, ...]
    keys: tuple[UUID, ...]
    reason: str


class Handover(Struct, frozen=True):
    """From a time on (µs), an address is another subject's."""

    subject: UUID
    successor: UUID
    from_at: int
    address: str


def contact_stream(derive: Deriver, contact: UUID) -> UUID:
    """The stream of the decisions about a contact."""
    return derive.id("contact", contact)


# ------------------------------------------------------------------- decisions


def create(
    contact: Contact, subject: UUID, address: str, fields: ContactFields, by: By
) -> ContactNamed:
    """Make a contact by hand; written even where nothing is named.

    `address` is the first one, in the log only here, since no interaction has brought it yet.
    """
    return ContactNamed(
        originator_id=contact.id,
        originator_version=contact.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        digest=digest_of(by),
        subject=subject,
        address=address,
        created="import" if by.actor.kind == "import" else "user",
        fields=tuple(sorted(key for key in fields.fields if key in NAMED_FIELDS)),
        **{key: getattr(fields, key) for key in NAMED_FIELDS},
    )


def name(contact: Contact, subject: UUID, fields: ContactFields, by: By) -> ContactNamed | None:
    """Write down who it is; None where nothing would change."""
    wanted = {key: getattr(fields, key) for key in fields.fields if key in NAMED_FIELDS}
    changed = {key: value for key, value in wanted.items() if value != contact.values.get(key)}
    if not changed:
        return None
    return ContactNamed(
        originator_id=contact.id,
        originator_version=contact.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        digest=digest_of(by),
        subject=subject,
        fields=tuple(sorted(changed)),
        **changed,
    )


def link(
    contact: Contact, owner: UUID, addresses: Sequence[str], subjects: Sequence[UUID], by: By
) -> list[AddressLinked]:
    """Add addresses to a contact by hand; one that it has already is left out."""
    new = [
        (address, subject)
        for address, subject in zip(addresses, subjects, strict=True)
        if subject not in contact.linked and subject != owner
    ]
    return [
        AddressLinked(
            originator_id=contact.id,
            originator_version=contact.version + number,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            contact=owner,
            subject=subject,
            scheme=scheme_of(address),
            scope=scope_of(address),
            linked_by="import" if by.actor.kind == "import" else "user",
            address=address,
        )
        for number, (address, subject) in enumerate(new, start=1)
    ]


def unlink(contact: Contact, owner: UUID, subject: UUID, by: By) -> AddressUnlinked:
    """Take an address off a contact. Raises WrongState where a merge hangs on that address."""
    _refuse_erased(contact)
    if subject == owner and (contact.merged or contact.holds):
        raise WrongState(MERGED_MEANWHILE)
    return AddressUnlinked(
        originator_id=contact.id,
        originator_version=contact.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        contact=owner,
        subject=subject,
    )


def hand_over(contact: Contact, owner: UUID, given: Handover, by: By) -> AddressReassigned:
    """Give a contact's address to somebody else from a time on; what was said stays with it."""
    return AddressReassigned(
        originator_id=contact.id,
        originator_version=contact.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        contact=owner,
        subject=given.subject,
        successor=given.successor,
        from_at=given.from_at,
        scheme=scheme_of(given.address),
        scope=scope_of(given.address),
        address=given.address,
    )


def merge(survivor: Contact, absorbed: Contact, tie: Tie, by: By) -> list[ContactsMerged]:
    """Put one contact under another. Raises WrongState where either belongs to a third already."""
    _refuse_erased(survivor, absorbed)
    if survivor.merged is not None or absorbed.merged is not None:
        raise WrongState(MERGED_MEANWHILE)
    return [
        ContactsMerged(
            originator_id=one.id,
            originator_version=one.version + 1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            contact=contact,
            merge=tie.merge,
            survivor=tie.survivor,
            absorbed=tie.absorbed,
            reason=tie.reason,
        )
        for one, contact in ((survivor, tie.survivor), (absorbed, tie.absorbed))
    ]


def undo(survivor: Contact, absorbed: Contact, tie: Tie, by: By) -> list[MergeUndone]:
    """Take a merge back; none where that was done before. Raises WrongState for an erased one."""
    _refuse_erased(survivor, absorbed)
    if absorbed.merged != tie.merge:
        return []
    return [
        MergeUndone(
            originator_id=one.id,
            originator_version=one.version + 1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            contact=contact,
            merge=tie.merge,
            survivor=tie.survivor,
            absorbed=tie.absorbed,
            reason=tie.reason,
        )
        for one, contact in ((survivor, tie.survivor), (absorbed, tie.absorbed))
    ]


def place_hold(contact: Contact, owner: UUID, hold: UUID, reason: str, by: By) -> HoldPlaced:
    """Forbid that a contact is erased. Raises WrongState where that was done already."""
    _refuse_erased(contact)
    return HoldPlaced(
        originator_id=contact.id,
        originator_version=contact.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        contact=owner,
        hold=hold,
        reason=reason,
    )


def lift_hold(contact: Contact, owner: UUID, hold: UUID, reason: str, by: By) -> HoldLifted | None:
    """End a legal hold; None where there is no such hold (any more)."""
    if hold not in contact.kept_by:
        return None
    return HoldLifted(
        originator_id=contact.id,
        originator_version=contact.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        contact=owner,
        hold=hold,
        reason=reason,
    )


def erase(contact: Contact, parts: Sequence[Contact], doomed: Doomed, by: By) -> ContactErased:
    """Erase a contact with all its parts. Raises Held while a legal hold stands on any of them."""
    if any(part.kept_by for part in (contact, *parts)):
        raise Held(HELD)
    return ContactErased(
        originator_id=contact.id,
        originator_version=contact.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        contact=doomed.contact,
        erasure=doomed.erasure,
        subjects=doomed.subjects,
        keys=doomed.keys,
        reason=doomed.reason,
    )


def _refuse_erased(*contacts: Contact) -> None:
    if any(contact.erased for contact in contacts):
        raise WrongState(ERASED)


# ----------------------------------------------------------------------- apply


def project(contact: Contact | None, events: Iterable[EventLike]) -> Contact | None:
    """What people had decided after the events of the stream."""
    for event in events:
        now = contact or Contact(event.originator_id)
        match event:
            case ContactNamed():
                values = {key: getattr(event, key) for key in event.fields}
                now = structs.replace(now, values={**now.values, **values})
            case AddressLinked():
                now = structs.replace(now, linked=now.linked | {event.subject})
            case AddressUnlinked():
                now = structs.replace(now, linked=now.linked - {event.subject})
            case AddressReassigned():
                now = structs.replace(now, given=now.given | {event.subject})
            case ContactsMerged():
                now = _tied(now, event)
            case MergeUndone():
                now = _untied(now, event)
            case AccessRestricted() | AccessOpened():
                now = structs.replace(now, access=access.after(event))
            case _:
                now = _ended(now, event)
        contact = structs.replace(now, version=event.originator_version)
    return contact


def _ended(now: Contact, event: EventLike) -> Contact:
    """After what forbids an erasure, ends that, or is one; else as it was."""
    match event:
        case HoldPlaced():
            return structs.replace(now, kept_by=now.kept_by | {event.hold})
        case HoldLifted():
            return structs.replace(now, kept_by=now.kept_by - {event.hold})
        case ContactErased():
            return structs.replace(now, erased=True)
        case _:
            return now


def _tied(now: Contact, event: ContactsMerged) -> Contact:
    if event.contact == event.absorbed:
        return structs.replace(now, merged=event.merge)
    return structs.replace(now, holds=now.holds | {event.merge})


def _untied(now: Contact, event: MergeUndone) -> Contact:
    if event.contact == event.absorbed and now.merged == event.merge:
        return structs.replace(now, merged=None)
    return structs.replace(now, holds=now.holds - {event.merge})
