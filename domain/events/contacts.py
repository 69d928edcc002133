"""What people decide about contacts: who they are, and which addresses are theirs."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

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


class AddressUnlinked(Event, frozen=True, kw_only=True, gc=False):
    """A person said that an address does not belong to the contact of this stream (any more)."""

    contact: UUID
    subject: UUID


class AddressReassigned(Event, frozen=True, kw_only=True, gc=False):
    """A number was given to somebody else: from a time on it is `successor`, no longer `subject`.

    The stream is that of the contact that had it.
    """

    contact: UUID
    subject: UUID
    successor: UUID
    from_at: int
    scheme: str
    scope: str | None = None
    address: str | None = None


class ContactsMerged(Event, frozen=True, kw_only=True, gc=False):
    """A person said that two contacts are one; it stands in the streams of both.

    `contact` is the one of this stream, `survivor` or `absorbed`; `merge` names the merge.
    """

    contact: UUID
    merge: UUID
    survivor: UUID
    absorbed: UUID
    reason: str | None = None


class MergeUndone(Event, frozen=True, kw_only=True, gc=False):
    """A person took a merge back; it stands in the streams of both contacts."""

    contact: UUID
    merge: UUID
    survivor: UUID
    absorbed: UUID
    reason: str | None = None


class Reason(Struct, frozen=True, array_like=True, gc=False):
    """What speaks for two subjects being one person: `conflict`, `alias` or `name`."""

    one: UUID
    other: UUID
    why: str


class SuggestionDismissed(Event, frozen=True, kw_only=True, gc=False):
    """A person said that what speaks for two contacts being one does not.

    `reasons` are all that spoke for it then; what is said later is suggested. It decides nothing
    about who is one person.
    """

    contact: UUID
    other: UUID
    reasons: tuple[Reason, ...]
    reason: str | None = None


class SuggestionRestored(Event, frozen=True, kw_only=True, gc=False):
    """A person wants reasons that were dismissed to be suggested again."""

    contact: UUID
    other: UUID
    reasons: tuple[Reason, ...]
    reason: str | None = None


class AccessRestricted(Event, frozen=True, kw_only=True, gc=False):
    """From now on only these users, and the members of these teams, see the contact.

    `replaces` are the contacts merged into it whose own restrictions this takes the place of,
    for as long as they belong together.
    """

    contact: UUID
    users: tuple[UUID, ...] = ()
    teams: tuple[UUID, ...] = ()
    replaces: tuple[UUID, ...] = ()
    reason: str | None = None


class AccessOpened(Event, frozen=True, kw_only=True, gc=False):
    """Everybody sees the contact again; `replaces` as in AccessRestricted."""

    contact: UUID
    replaces: tuple[UUID, ...] = ()
    reason: str | None = None


class HoldPlaced(Event, frozen=True, kw_only=True, gc=False):
    """A legal hold: until it is lifted, nothing of the contact may be erased."""

    contact: UUID
    hold: UUID
    reason: str | None = None


class HoldLifted(Event, frozen=True, kw_only=True, gc=False):
    """A legal hold ended."""

    contact: UUID
    hold: UUID
    reason: str | None = None


class ContactErased(Event, frozen=True, kw_only=True, gc=False):
    """The keys of a contact's subjects are to be destroyed, and what was made with them.

    `subjects` are all that it was, `keys` the ids of their keys: what a restored backup of the
    key store must destroy again.
    """

    contact: UUID
    erasure: UUID
    subjects: tuple[UUID, ...]
    keys: tuple[UUID, ...]
    reason: str | None = None


class ErasureCompleted(Event, frozen=True, kw_only=True, gc=False):
    """The keys are destroyed and the views purged; `outstanding` says what is still to come.

    `position` is that of the ContactErased; `keys_until` (µs) is when the last backup of the
    key store that has the keys expires, None where there is none.
    """

    contact: UUID
    erasure: UUID
    position: int
    outstanding: tuple[str, ...] = ()
    keys_until: int | None = None
