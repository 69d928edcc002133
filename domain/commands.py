"""What is asked of the ledger: frozen, validated at the edge, addresses canonical.

Times are microseconds since the epoch. Lengths, enums and address grammar were checked by
whoever made the command; the ledger checks only what needs its own state.
"""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from domain.events import Actor, Attachment, Call
from domain.ports import Counted
from domain.values import Auto, Channel, DeliveryState, Direction, Origin, Role, TimeSource


class Repeatable(Struct, frozen=True):
    """An Idempotency-Key: the command's id (scoped to its actor) and the digest of its body."""

    command_id: UUID
    digest: bytes


class By(Struct, frozen=True):
    """Who gives the command, for whom, and whether it may be repeated by a key."""

    actor: Actor
    on_behalf_of: UUID | None = None
    repeatable: Repeatable | None = None

    @property
    def user(self) -> UUID | None:
        """The person behind it, where there is one."""
        if self.on_behalf_of is not None:
            return self.on_behalf_of
        return UUID(self.actor.id) if self.actor.kind == "user" else None


class Alias(Struct, frozen=True):
    """A further address of the counterpart; `asserted` by an authenticated provider, or typed."""

    address: str
    asserted: bool = False


class Participant(Struct, frozen=True):
    """Somebody who took part, of either side."""

    address: str
    role: Role
    name: str | None = None


class RecordInteraction(Struct, frozen=True, kw_only=True):
    """Append one interaction (contract 2.2).

    `key` makes it unique within `namespace` (the source, but `email` for e-mail);
    `external_id` is what the provider calls it, None where the key is only ours. One of
    `resource` and `destination` may be None where `contact` is given. `details` and `original`
    are JSON bytes; the `original` of a mail is the mail. `message_id` and `in_reply_to` are
    external ids, still in their own words.
    `succession`: the asserted aliases came after the counterpart's address, in their order (a
    number was changed), rather than beside it. `twin_of` is the id of the record of the
    same event that is shown for both. `uploads` are the attachments that were uploaded before
    and are to become this interaction's.
    """

    channel: Channel
    direction: Direction
    origin: Origin
    source: str
    namespace: str
    key: str
    external_id: str | None = None
    resource: str | None = None
    destination: str | None = None
    contact: UUID | None = None
    occurred_at: int
    offset_min: int = 0
    time_source: TimeSource
    subject_line: str | None = None
    text: str | None = None
    contact_name: str | None = None
    attended_by: str | None = None
    department: str | None = None
    campaign: str | None = None
    aliases: tuple[Alias, ...] = ()
    participants: tuple[Participant, ...] = ()
    participant_count: int = 0
    attachments: tuple[Attachment, ...] = ()
    thread: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    call: Call | None = None
    auto: Auto | None = None
    details: bytes | None = None
    original: bytes | None = None
    succession: bool = False
    counted: Counted | None = None
    twin_of: int | None = None
    uploads: frozenset[UUID] = frozenset()


class ReportDelivery(Struct, frozen=True, kw_only=True):
    """Report how far an interaction came, by its stream, known or not yet known.

    `recipient` is the outside address it went to, under whose key the report is sealed.
    `key` is the provider's own key of the report; else word, time and participant are it.
    `state` is what the provider's word means, where the word is none of ours.
    """

    about: UUID
    source: str
    word: str
    at: int
    state: DeliveryState | None = None
    key: str | None = None
    recipient: str | None = None
    participant: str | None = None
    code: str | None = None
    message: str | None = None
    call: Call | None = None
    original: bytes | None = None
    counted: Counted | None = None


class ReportWatermark(Struct, frozen=True, kw_only=True):
    """Report that all that went to an address up to a time was delivered or read."""

    source: str
    address: str
    state: str
    through: int
    at: int
    key: str
    counted: Counted | None = None


class ReportChange(Struct, frozen=True, kw_only=True):
    """Report that the sender edited or revoked a message, or that somebody reacted to it.

    `kind` is `edit`, `revoke` or `reaction`; `key` the provider's own key of the change;
    `address` the outside address at the other end; `by` `contact` or `staff`.
    """

    kind: str
    about: UUID
    source: str
    key: str
    address: str
    at: int
    by: str = "contact"
    text: str | None = None
    emoji: str | None = None
    attachments: tuple[Attachment, ...] = ()
    original: bytes | None = None
    counted: Counted | None = None


Fact = RecordInteraction | ReportDelivery | ReportWatermark | ReportChange
"""What a channel reports: external facts, each its own stream at version 1."""


class Correction(Struct, frozen=True, kw_only=True):
    """What a person corrects; `fields` names what is set, a named None clears."""

    fields: tuple[str, ...]
    reason: str
    occurred_at: int | None = None
    offset_min: int | None = None
    department: str | None = None
    campaign: str | None = None
    attended_by: str | None = None
    direction: Direction | None = None
    channel: Channel | None = None
    call_seconds: int | None = None
    text: str | None = None


class ContactFields(Struct, frozen=True, kw_only=True):
    """What a person writes down of a contact; `fields` names what is set, a named None clears."""

    fields: tuple[str, ...]
    name: str | None = None
    company: str | None = None
    owner: UUID | None = None
    language: str | None = None
    addresses: tuple[str, ...] = ()


class Receipt(Struct, frozen=True):
    """What became of an append; `id` is the position of its InteractionRecorded."""

    id: int
    interaction: UUID
    contact: UUID
    duplicate: bool = False
    erased: bool = False


class FactReceipt(Struct, frozen=True):
    """What became of a command: where its first and its last event stand, and if it came again.

    Of one that came before only the first position is known.
    """

    position: int
    last: int
    duplicate: bool = False
