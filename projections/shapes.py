"""The answers' shapes, field by field as in the contract: one interaction row for every surface.

Times are UTC text, ids of contacts and files UUID text; `id` is a number. What nobody knows is
None and still there.
"""

from __future__ import annotations

from msgspec import Raw, Struct

from projections.dictionary import Person, TeamName, Word


def uuid_text(raw: bytes) -> str:
    """A UUID's 16 bytes as text; several times as quick as by way of a UUID."""
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class ContactRef(Struct, frozen=True):
    """A contact as other objects show it; `label` can always be displayed.

    Without an id it is one whom the reader may not see.
    """

    id: str | None
    name: str | None
    label: str


class End(Struct, frozen=True):
    """One end of an interaction; `contact` is None on our own side."""

    address: str | None
    label: str | None
    contact: str | None


class Failure(Struct, frozen=True):
    """Why a delivery failed, in the provider's words."""

    code: str | None
    message: str | None


class Status(Struct, frozen=True):
    """How far a message came; `raw` is the provider's word."""

    state: str
    at: str
    raw: str
    failure: Failure | None


class CallView(Struct, frozen=True):
    """How a call went; seconds."""

    seconds: int | None
    ring_seconds: int | None
    outcome: str | None
    recording: AttachmentView | None


class AttachmentView(Struct, frozen=True):
    """A file; `url` once its bytes are stored. `content_id`: an HTML body shows it by that."""

    id: str
    name: str
    media_type: str
    bytes: int | None
    sha256: str | None
    state: str
    error: str | None
    url: str | None
    content_id: str | None = None


class Participant(Struct, frozen=True):
    """Somebody besides the two ends; `contact` is None on our own side."""

    address: str | None
    label: str | None
    role: str
    name: str | None
    contact: str | None


class Reply(Struct, frozen=True):
    """What an interaction answers; `id` is None where that was never recorded."""

    id: int | None
    external_id: str | None
    excerpt: str | None


class ReactionView(Struct, frozen=True):
    """A reaction; `by` is `contact` or `staff`."""

    emoji: str
    by: str
    at: str


class By(Struct, frozen=True):
    """Who wrote something down; `kind` user, token, channel, import or system."""

    kind: str
    id: str
    name: str


class Author(Struct, frozen=True):
    """Who wrote a note."""

    id: str
    name: str


class Retracted(Struct, frozen=True):
    """Who declared a record void, when, and why."""

    at: str
    by: By
    reason: str | None


class TwinRef(Struct, frozen=True):
    """The other record of the same event, and what this one is: `shown` or `hidden`."""

    id: int
    role: str


class TwinView(Struct, frozen=True):
    """A record that may be of the same event: how likely (0 to 1), and what speaks for it."""

    id: int
    score: float
    why: tuple[str, ...]


class RowView(Struct, kw_only=True):
    """The interaction row (contract 2.3)."""

    kind: str = "interaction"
    id: int
    interaction: str
    url: str
    contact: ContactRef
    contacts: list[str]
    channel: str
    direction: str
    origin: str
    source: Word
    resource: End
    destination: End
    occurred_at: str
    occurred_offset_min: int
    occurred_at_source: str
    recorded_at: str
    logged_late: bool
    subject: str | None
    text: str | None
    text_truncated: bool
    attended_by: Person | None
    department: Word | None
    campaign: Word | None
    status: Status | None
    call: CallView | None
    attachments: list[AttachmentView] | None
    participants: list[Participant]
    thread: str | None
    in_reply_to: Reply | None
    reactions: list[ReactionView]
    auto: str | None
    edited_at: str | None
    revoked_at: str | None
    corrected: list[str]
    retracted: Retracted | None
    twin: TwinRef | None
    erased: bool


class NoteView(Struct, kw_only=True):
    """A note's row in a timeline (contract 2.3); `id` is its position."""

    kind: str = "note"
    id: int
    contact: ContactRef
    text: str | None
    by: Author
    occurred_at: str
    recorded_at: str
    retracted: Retracted | None


class CardView(RowView, kw_only=True):
    """The card (contract 2.4), without `history` and `proof`, which the log tells."""

    external_id: str | None
    details: Raw
    actor: By
    on_behalf_of: Person | None
    position: int
    html: str | None = None
    twins: list[TwinView] = []


class ConversationView(Struct, kw_only=True):
    """The conversation row (contract 2.5)."""

    id: str
    contact: ContactRef
    status: str
    snoozed_until: str | None
    assignee: Person | None
    team: TeamName | None
    department: Word | None
    unread: int
    seen_through: int | None
    waiting_since: str | None
    last_at: str
    last: Raw
    channels: list[str]
    interactions: int
    first_at: str
    muted: bool
    restricted: bool = False
    version: int


class AddressView(Struct, kw_only=True):
    """One address of a contact; `linked_by` first, observed, user or import."""

    subject: str
    address: str | None
    label: str | None
    channels: list[str]
    since: str
    linked_by: str
    current: bool = True


class MergedView(Struct, frozen=True):
    """A contact that was merged into another one; `undone` where that was taken back."""

    id: str
    merge: str
    at: str
    by: By
    undone: bool


class Undoing(Struct, frozen=True):
    """When a merge was taken back, by whom, and why."""

    at: str
    by: By
    reason: str | None


class MergeView(Struct, kw_only=True):
    """A merge: `id` was merged into `into`; `undoing` says how it was taken back."""

    id: str
    merge: str
    into: str
    at: str
    by: By
    reason: str | None
    undone: bool
    undoing: Undoing | None


class Likeness(Struct, frozen=True):
    """An address that makes two contacts alike."""

    subject: str
    address: str | None
    label: str | None


class SuggestionView(Struct, kw_only=True):
    """Two contacts that may be one; `why` conflict, alias or name; an address of each.

    `since` is the earliest time at which anybody said so, None for what is only similar.
    """

    contacts: list[ContactRef]
    why: str
    addresses: list[Likeness]
    since: str | None


class AccessView(Struct, frozen=True):
    """Who may see a contact: `open` to all, or `restricted` to users and teams.

    `undecided`: it was merged of several restricted ones, and one must get past each; listed
    are those who are named at every one.
    """

    mode: str = "open"
    users: list[Person] = []
    teams: list[TeamName] = []
    undecided: bool = False


class HoldView(Struct, frozen=True):
    """A legal hold: while it stands, nothing of the contact is erased."""

    id: str
    at: str
    by: By
    reason: str | None


class ContactView(Struct, kw_only=True):
    """The contact (contract 2.6)."""

    id: str
    name: str | None
    label: str
    company: str | None
    owner: Person | None
    language: str | None
    addresses: list[AddressView]
    merged: list[MergedView] = []
    first_at: str | None
    last_at: str | None
    interactions: int
    by_channel: dict[str, int]
    first_source: Word | None
    access: AccessView = AccessView()
    muted: bool = False
    holds: list[HoldView] = []
    erased_at: str | None = None
    created: str
    version: int
