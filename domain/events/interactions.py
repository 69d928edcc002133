"""What happens to interactions: they are recorded, and further facts about them follow.

Most come from providers, each a stream of its own; corrections, retractions and twins are
people's decisions about a record.
"""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from domain.events.base import Event
from domain.values import (
    Auto,
    CallOutcome,
    Channel,
    Direction,
    FilePart,
    Origin,
    Role,
    TimeSource,
)


class Call(Struct, frozen=True, omit_defaults=True, gc=False):
    """How a call went; durations in seconds, None where nobody said."""

    seconds: int | None = None
    ring_seconds: int | None = None
    outcome: CallOutcome | None = None


class Party(Struct, frozen=True, omit_defaults=True, gc=False):
    """A further outside participant, in clear: a pseudonym, never an address.

    `asserted`: an authenticated provider says that it is the same person as the counterpart.
    `place` counts the participants from 0, as they were named; an address that is only a
    further one of the counterpart's has none.
    """

    subject: UUID
    scheme: str
    role: Role
    scope: str | None = None
    asserted: bool = False
    place: int | None = None


class Seat(Struct, frozen=True, omit_defaults=True, gc=False):
    """What the counterpart was among the participants, where they were named: role and place."""

    role: Role
    place: int


class Identity(Struct, frozen=True, omit_defaults=True, gc=False):
    """The sealed half of a party."""

    address: str
    name: str | None = None


class OwnParticipant(Struct, frozen=True, omit_defaults=True, gc=False):
    """A participant of our own side."""

    address: str
    role: Role
    name: str | None = None
    place: int = 0


class Attachment(Struct, frozen=True, omit_defaults=True, gc=False):
    """A file that came with an interaction; never its bytes. `size_bytes` as the sender said.

    `blob` is the SHA-256 (hex) of its sealed bytes in the blob store, where they were there
    before the event. `content_id` is what an HTML body calls an image by. `part` is None for a
    file that a sender attached; see FilePart.
    """

    id: UUID
    name: str
    media_type: str
    size_bytes: int | None = None
    sha256: str | None = None
    url: str | None = None
    provider_id: str | None = None
    blob: str | None = None
    content_id: str | None = None
    part: FilePart | None = None


class InteractionRecorded(Event, frozen=True, kw_only=True, gc=False):
    """The company and a contact communicated.

    `subject` is the address at the other end; `scheme` and `scope` are that address's.
    `about_message` is derive('message-id', …) of an e-mail; `in_reply_to` the stream (for an
    e-mail the message-id) of what it answers. `seat` is the counterpart's among the
    participants; `contact_name` is then also their name there. `rule` is the number of the
    linking rule under which asserted parties are one person.
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
    seat: Seat | None = None
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


class AttachmentStored(Event, frozen=True, kw_only=True, gc=False):
    """A file that a provider had only pointed to was fetched, and its sealed bytes are kept.

    `attachment` is the id that its record gave it, or of a call's recording a new one. `blob`
    is the SHA-256 (hex) of the sealed bytes, `sha256` that of the file.
    """

    about: UUID
    source: str
    subject: UUID
    attachment: UUID
    at: int
    blob: str
    size_bytes: int
    part: FilePart | None = None
    name: str | None = None
    media_type: str | None = None
    sha256: str | None = None


class AttachmentFailed(Event, frozen=True, kw_only=True, gc=False):
    """A file that a provider had only pointed to cannot be had; `code` says why.

    One that is stored after all, later, counts as stored.
    """

    about: UUID
    source: str
    subject: UUID
    attachment: UUID
    at: int
    code: str
    part: FilePart | None = None
    name: str | None = None
    media_type: str | None = None


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


class TwinLinked(Event, frozen=True, kw_only=True, gc=False):
    """A person said that two records are of one event; `shown` is whether this one is seen.

    Two events make a link, one in each record's decision stream: `about` is the record of this
    stream, `other` that of the other one.
    """

    about: UUID
    subject: UUID
    other: UUID
    shown: bool


class TwinUnlinked(Event, frozen=True, kw_only=True, gc=False):
    """A person took a link back; an event in each record's decision stream, as for the link."""

    about: UUID
    subject: UUID
    other: UUID
