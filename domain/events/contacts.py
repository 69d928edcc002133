"""What people decide about contacts: who they are, and which addresses are theirs."""

from __future__ import annotations

from uuid import UUID

from domain.events.base import Event


class ContactNamed(Event, frozen=True, kw_only=True, gc=False):
    """A person wrote down who the contact is; `fields` names what this event sets.

    `created` is `user` or `import` on the first event of a contact that was made by hand.
    """

    subject: UUID
    fields: tuple[str, ...]
    created: str | None = None
    owner: UUID | None = None
    language: str | None = None
    name: str | None = None
    company: str | None = None
    address: str | None = None


class AddressLinked(Event, frozen=True, kw_only=True, gc=False):
    """A person or an import said that an address belongs to the contact of this stream."""

    contact: UUID
    subject: UUID
    scheme: str
    scope: str | None = None
    linked_by: str = "user"
    address: str | None = None
