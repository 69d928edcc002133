"""What has happened: every event, frozen, fields only.

Which fields lie in clear and which are sealed stands in `topics.golden`; a field that is not
listed there in clear is sealed. A sealed field has a default, for that is all that is left of
it once its key is destroyed. Times are microseconds since the epoch, UTC.

An event that has been written is never edited: a new shape is a new name or an upcaster.
"""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from domain.values import Auto, CallOutcome, Channel, Direction, Origin, Role, TimeSource


class Actor(Struct, frozen=True, array_like=True):
    """Who wrote it down: user, token, channel, import or system, and which one."""

    kind: str
    id: str


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """What all events have: a stream, a version in it, and who wrote it down.

    `digest` is the SHA-256 of the body of the command, on the first event of a command that
    came with an Idempotency-Key.
    """

    originator_id: UUID
    originator_version: int
    actor: Actor
    on_behalf_of: UUID | None = None
    digest: bytes | None = None


# ---------------------------------------------------------------- interactions


class Call(Struct, frozen=True, omit_defaults=True, gc=False):
    """How a call went; durations in seconds, None where nobody said."""

    seconds: int | None = None
    ring_seconds: int | None = None
    outcome: CallOutcome | None = None


class Party(Struct, frozen=True, omit_defaults=True, gc=False):
    """A further outside participant, in clear: a pseudonym, never an address.

    `asserted`: an authenticated provider says that it is the same person as the counterpart.
    """

    subject: UUID
    scheme: str
    role: Role
    scope: str | None = None
    asserted: bool = False


class Identity(Struct, frozen=True, omit_defaults=True, gc=False):
    """The sealed half of a party."""

    address: str
    name: str | None = None


class OwnParticipant(Struct, frozen=True, omit_defaults=True, gc=False):
    """A participant of our own side."""

    address: str
    role: Role
    name: str | None = None


class Attachment(Struct, frozen=True, omit_defaults=True, gc=False):
    """A file that came with an interaction; never its bytes. `size_bytes` as the sender said."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int | None = None
    sha256: str | None = None
    url: str | None = None
    provider_id: str | None = None


class InteractionRecorded(Event, frozen=True, kw_only=True, gc=False):
    """The company and a contact communicated.

    `subject` is the address at the other end; `scheme` and `scope` are that address's.
    `about_message` is derive('message-id', …) of an e-mail; `in_reply_to` the stream (for an
    e-mail the message-id) of what it answers. `rule` is the number of the linking rule under
    which asserted parties are one person.
    """

    channel: Channel
    direction: Direction
    origin: Origin
    source: str
    subject: UUID
    scheme: str
    scope: str | None = None
    occurred_at: int
    offset_min: int = 0
    time_source: TimeSource
    attended_by: UUID | None = None
    department: str | None = None
    campaign: str | None = None
    auto: Auto | None = None
    call: Call | None = None
    attachment_count: int = 0
    participant_count: int = 0
    parties: tuple[Party, ...] = ()
    rule: int = 1
    message_id: UUID | None = None
    in_reply_to: UUID | None = None
    resource: str | None = None
    destination: str | None = None
    contact_name: str | None = None
    external_id: str | None = None
    text: str | None = None
    subject_line: str | None = None
    thread: str | None = None
    reply_to_external: str | None = None
    attachments: tuple[Attachment, ...] = ()
    own_participants: tuple[OwnParticipant, ...] = ()
    details: bytes | None = None
    original: bytes | None = None
    identities: tuple[Identity, ...] = ()


class DeliveryReported(Event, frozen=True, kw_only=True, gc=False):
    """The state of an interaction's delivery, or of a call, became known.

    `about` is the stream of the interaction, which may not have arrived yet. `state` is a
    DeliveryState; `word` is the provider's own. `participant` is the group member it is about.
    """

    about: UUID
    source: str
    at: int
    state: str
    word: str
    code: str | None = None
    call: Call | None = None
    subject: UUID | None = None
    message: str | None = None
    participant: str | None = None
    original: bytes | None = None


class WatermarkAdvanced(Event, frozen=True, kw_only=True, gc=False):
    """Everything that went to a subject up to a time was delivered or read."""

    source: str
    subject: UUID
    state: str
    through: int
    at: int


class InteractionEdited(Event, frozen=True, kw_only=True, gc=False):
    """Its sender changed it, on the channel."""

    about: UUID
    source: str
    subject: UUID
    at: int
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    original: bytes | None = None


class InteractionRevoked(Event, frozen=True, kw_only=True, gc=False):
    """Its sender took it back, on the channel."""

    about: UUID
    source: str
    subject: UUID
    at: int
    original: bytes | None = None


class ReactionSet(Event, frozen=True, kw_only=True, gc=False):
    """Somebody reacted; no emoji means that the reaction was taken away."""

    about: UUID
    source: str
    subject: UUID
    at: int
    by: str
    emoji: str | None = None
    original: bytes | None = None


class InteractionCorrected(Event, frozen=True, kw_only=True, gc=False):
    """A person corrected what was written down; `fields` names what this event changes.

    The stream is derive('annotation', interaction). A field that is named and None is cleared.
    """

    about: UUID
    subject: UUID
    fields: tuple[str, ...]
    occurred_at: int | None = None
    offset_min: int | None = None
    department: str | None = None
    campaign: str | None = None
    attended_by: UUID | None = None
    direction: Direction | None = None
    channel: Channel | None = None
    call_seconds: int | None = None
    text: str | None = None
    reason: str | None = None


class InteractionRetracted(Event, frozen=True, kw_only=True, gc=False):
    """A person declared the record void; it stays, marked."""

    about: UUID
    subject: UUID
    reason: str | None = None


# -------------------------------------------------------------------- contacts


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


# --------------------------------------------------------------- conversations


class ConversationSeen(Event, frozen=True, kw_only=True, gc=False):
    """A user has seen a conversation through a position."""

    contact: UUID
    user: UUID
    through: int


# --------------------------------------------------------- people and settings


class UserAdded(Event, frozen=True, kw_only=True, gc=False):
    """A person of the company became known; one with `sign_in` may enter."""

    user: UUID
    sign_in: bool = False
    role: str | None = None
    name: str | None = None
    email: str | None = None


class DepartmentSet(Event, frozen=True, kw_only=True, gc=False):
    """A department has this name, and is offered in forms or not."""

    key: str
    active: bool = True
    name: str | None = None


class CampaignSet(Event, frozen=True, kw_only=True, gc=False):
    """A campaign has this name, and is offered in forms or not."""

    key: str
    active: bool = True
    name: str | None = None


class SourceSet(Event, frozen=True, kw_only=True, gc=False):
    """A source (the account behind a channel) has this name."""

    key: str
    department: str | None = None
    name: str | None = None
    address: str | None = None


class TokenIssued(Event, frozen=True, kw_only=True, gc=False):
    """A token was made; its secret is nowhere but with its holder."""

    token: UUID
    name: str
    scopes: tuple[str, ...]
    source: str | None = None
    user: UUID | None = None
    expires_at: int | None = None


class TokenRevoked(Event, frozen=True, kw_only=True, gc=False):
    """A token opens nothing any more."""

    token: UUID
