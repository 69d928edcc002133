"""A contact as people have written it down: its name, its company, its addresses by hand.

Invariants: one stream a contact, derive('contact', id). The contact itself exists as soon as
its subject does, with no event at all; this aggregate holds only what people decided. What
changes nothing leaves no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct, field, structs

from domain.addresses import scheme_of, scope_of
from domain.events import AddressLinked, ContactNamed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.commands import By, ContactFields
    from domain.ports import EventLike
    from domain.values import Deriver

NAMED_FIELDS = ("name", "company", "owner", "language")
"""What `ContactNamed` can set."""


class Contact(Struct, frozen=True):
    """What people decided about a contact; `linked` are subjects that people added."""

    id: UUID
    version: int = 0
    values: dict[str, object] = field(default_factory=dict)
    linked: frozenset[UUID] = frozenset()


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
        digest=by.repeatable.digest if by.repeatable else None,
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
        digest=by.repeatable.digest if by.repeatable else None,
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
            case _:
                pass
        contact = structs.replace(now, version=event.originator_version)
    return contact
