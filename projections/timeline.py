"""The timeline: one row an interaction, keyed by its stream and cut by subject and time.

A row has columns for whatever lists are filtered and ordered by, `content` (what was recorded)
and `state` (what became known since; projections/folding.py). A fact that comes before its
message makes the row without position: nobody sees it. Facts about an e-mail may name its
message-id instead of its stream; their state stays in a row of its own and is joined at read.

Rows belong to subjects, not to contacts, so that linking two addresses moves none of them.
A further outside participant who is not the counterpart has an `appearances` row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final, cast

import sqlalchemy as sa
from msgspec import Struct

from domain import events
from domain.ports import Entry
from domain.values import Direction, Origin
from projections import folding, notes
from projections.base import Key, Rows, RowTable
from projections.content import content_of, pack, read_content

KIND_INTERACTION: Final = 0
KIND_NOTE: Final = 1

NOTE_STRUCK: Final = 1
"""The `stamp` of a note that was declared void; that is all that can become of one."""

UUID16: Final = sa.LargeBinary(16)

FILTERED: Final = (
    "channel",
    "direction",
    "origin",
    "source",
    "attended_by",
    "department",
    "campaign",
)
"""What lists are filtered by; it stands at the end of their indexes."""

LISTED: Final = f"hidden = 0 AND kind = {KIND_INTERACTION}"
"""What the list of all interactions shows; its indexes hold these rows and no others."""


class InteractionRow(Struct, gc=False):
    """An interaction, or what is known before it is recorded (then `position` is None).

    `stirs`: inbound content that asks for attention. `answers`: outbound content. `hidden`: it
    left lists and counts. `stamp` changes whenever the row would be shown otherwise.
    """

    originator: bytes
    position: int | None = None
    subject: bytes | None = None
    occurred_at: int | None = None
    recorded_at: int | None = None
    kind: int = KIND_INTERACTION
    channel: str | None = None
    direction: str | None = None
    origin: str | None = None
    source: str | None = None
    attended_by: bytes | None = None
    department: str | None = None
    campaign: str | None = None
    stirs: int = 0
    answers: int = 0
    hidden: int = 0
    stamp: int = 0
    content: bytes | None = None
    state: bytes | None = None


class AppearanceRow(Struct, gc=False):
    """A further outside participant of an interaction whose counterpart is somebody else."""

    originator: bytes
    subject: bytes
    occurred_at: int
    position: int


class MessageRow(Struct, gc=False):
    """An e-mail by the derived id of its Message-ID; different mails may carry the same one."""

    message_id: bytes
    originator: bytes


class WatermarkRow(Struct, gc=False):
    """Everything that went from a source to a subject up to `through` came this far."""

    subject: bytes
    source: str
    state: str
    through: int
    at: int


INTERACTIONS: Final = (
    RowTable(
        "interactions",
        InteractionRow,
        key=("originator",),
        columns={
            "originator": UUID16,
            "position": sa.BigInteger(),
            "subject": UUID16,
            "occurred_at": sa.BigInteger(),
            "recorded_at": sa.BigInteger(),
            "kind": sa.SmallInteger(),
            "channel": sa.Text(),
            "direction": sa.Text(),
            "origin": sa.Text(),
            "source": sa.Text(),
            "attended_by": UUID16,
            "department": sa.Text(),
            "campaign": sa.Text(),
            "stirs": sa.SmallInteger(),
            "answers": sa.SmallInteger(),
            "hidden": sa.SmallInteger(),
            "stamp": sa.BigInteger(),
            "content": sa.LargeBinary(),
            "state": sa.LargeBinary(),
        },
        indexes=(
            ("position", ("position",), None, True),
            # A page reads one range of it; the tail lets a filter pass over rows without a visit.
            (
                "page",
                (
                    "subject",
                    "occurred_at",
                    "position",
                    *FILTERED,
                    "kind",
                    "stirs",
                    "answers",
                ),
                "hidden = 0",
                False,
            ),
            ("stirs", ("subject", "position"), "stirs = 1", False),
            # The list of all, and its rare values: else a filter would walk the whole history.
            ("occurred", ("occurred_at", "position", *FILTERED), LISTED, False),
            ("source", ("source", "occurred_at", "position"), LISTED, False),
            (
                "attended",
                ("attended_by", "occurred_at", "position"),
                f"attended_by IS NOT NULL AND {LISTED}",
                False,
            ),
            (
                "campaign",
                ("campaign", "occurred_at", "position"),
                f"campaign IS NOT NULL AND {LISTED}",
                False,
            ),
        ),
    )
    .with_long_rows()
    .asked_in_settle("page", "stirs")
)

APPEARANCES: Final = RowTable(
    "appearances",
    AppearanceRow,
    key=("originator", "subject"),
    columns={
        "originator": UUID16,
        "subject": UUID16,
        "occurred_at": sa.BigInteger(),
        "position": sa.BigInteger(),
    },
    indexes=(("page", ("subject", "occurred_at", "position", "originator"), None, False),),
)

MESSAGES: Final = RowTable(
    "messages",
    MessageRow,
    key=("message_id", "originator"),
    columns={"message_id": UUID16, "originator": UUID16},
)

WATERMARKS: Final = RowTable(
    "watermarks",
    WatermarkRow,
    key=("subject", "source", "state"),
    columns={
        "subject": UUID16,
        "source": sa.Text(),
        "state": sa.Text(),
        "through": sa.BigInteger(),
        "at": sa.BigInteger(),
    },
)

_FACTS: Final = frozenset(
    {
        "delivery.reported",
        "interaction.edited",
        "interaction.revoked",
        "reaction.set",
        "interaction.corrected",
        "interaction.retracted",
    }
)

_NOTES: Final = frozenset({"note.added", "note.retracted"})


class Timeline:
    """Handlers of the timeline; its pages are in projections/timeline_pages.py."""

    name: ClassVar[str] = "timeline"
    version: ClassVar[int] = 3
    tables: ClassVar[tuple[RowTable[Any], ...]] = (
        INTERACTIONS,
        APPEARANCES,
        MESSAGES,
        WATERMARKS,
    )
    topics: ClassVar[frozenset[str]] = (
        _FACTS | _NOTES | {"interaction.recorded", "watermark.advanced"}
    )

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The row of the interaction that the event records or is about."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            if event.message_id is None and not event.parties:
                return ((INTERACTIONS, (event.originator_id.bytes,)),)
            return _record_keys(event)
        if isinstance(event, events.WatermarkAdvanced):
            return ((WATERMARKS, _watermark_key(event)),)
        if entry.topic in _NOTES:
            return ((INTERACTIONS, (event.originator_id.bytes,)),)
        return ((INTERACTIONS, (about(event).bytes,)),)

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Fold one event into its row."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            _record(entry, event, rows)
        elif isinstance(event, events.WatermarkAdvanced):
            _advance(event, rows)
        elif isinstance(event, events.NoteAdded):
            _note(entry, event, rows)
        elif isinstance(event, events.NoteRetracted):
            _strike(entry, event, rows)
        else:
            _fold(entry, about(event).bytes, rows)

    def settle(self, rows: Rows) -> None:
        """Nothing of the timeline needs a look at many rows."""


def about(event: object) -> Any:  # noqa: ANN401 - UUID, on each event of the six topics
    """The interaction that a fact or decision is about, as its event names it."""
    return cast("events.DeliveryReported", event).about


def _record_keys(event: events.InteractionRecorded) -> list[tuple[RowTable[Any], Key]]:
    originator = event.originator_id.bytes
    keys: list[tuple[RowTable[Any], Key]] = [(INTERACTIONS, (originator,))]
    if event.message_id is not None:
        keys.append((MESSAGES, (event.message_id.bytes, originator)))
    for party in event.parties:
        if not party.asserted:
            keys.append((APPEARANCES, (originator, party.subject.bytes)))  # noqa: PERF401 - rare
    return keys


def _record(entry: Entry, event: events.InteractionRecorded, rows: Rows) -> None:
    key = event.originator_id.bytes
    before = rows.get(INTERACTIONS, (key,))
    content = content_of(entry, event)
    row = InteractionRow(
        key,
        entry.position,
        event.subject.bytes,
        event.occurred_at,
        entry.recorded_at,
        KIND_INTERACTION,
        str(event.channel),
        str(event.direction),
        str(event.origin),
        event.source,
        event.attended_by.bytes if event.attended_by else None,
        event.department,
        event.campaign,
        content=pack(content),
    )
    state = None
    if before is not None and before.state is not None:
        row.state = before.state
        state = folding.read_state(before.state)
    _settle_columns(row, state, auto=content.auto is not None)
    if row.state is not None or content.erased:
        row.stamp = folding.stamp(row.state, erased=content.erased)
    rows.put(INTERACTIONS, row)
    if content.message_id is not None:
        rows.put(MESSAGES, MessageRow(content.message_id, key))
    for party in content.outside:
        if not party.asserted and party.subject != row.subject:
            _appear(row, party.subject, rows)


def _appear(row: InteractionRow, subject: bytes, rows: Rows) -> None:
    """Place the row in the timeline of a further participant, where it stands by time."""
    occurred_at, position = cast("int", row.occurred_at), cast("int", row.position)
    rows.put(APPEARANCES, AppearanceRow(row.originator, subject, occurred_at, position))


def _fold(entry: Entry, key: bytes, rows: Rows) -> None:
    row = rows.get(INTERACTIONS, (key,)) or InteractionRow(key)
    state = folding.join(folding.read_state(row.state), folding.state_of(entry))
    row.state = folding.pack(state)
    erased = False
    if row.content is not None:
        erased = row.stamp < 0
        if entry.topic in {"interaction.corrected", "interaction.retracted"}:
            _recut(row, state, rows)
    row.stamp = folding.stamp(row.state, erased=erased)
    rows.put(INTERACTIONS, row)


def _recut(row: InteractionRow, state: folding.State, rows: Rows) -> None:
    """Columns after a person's correction or retraction; appearances move along."""
    content = read_content(cast("bytes", row.content))
    _settle_columns(row, state, auto=content.auto is not None)
    for party in content.outside:
        if not party.asserted and party.subject != row.subject:
            _appear(row, party.subject, rows)


_CORRECTABLE: Final = (
    "occurred_at",
    "channel",
    "direction",
    "attended_by",
    "department",
    "campaign",
)


def _settle_columns(row: InteractionRow, state: folding.State | None, *, auto: bool) -> None:
    """Put corrected values into the columns, and say whether the row asks for attention."""
    retracted = False
    if state is not None:
        for field in _CORRECTABLE if state.corrections else ():
            correction = state.corrections.get(field)
            if correction is not None:
                setattr(row, field, correction.value)
        retracted = state.retraction is not None
    counts = not (auto or retracted or row.hidden)
    inbound = row.direction == Direction.INBOUND
    row.stirs = int(counts and inbound and row.origin != Origin.IMPORTED)
    row.answers = int(counts and not inbound)


def _watermark_key(event: events.WatermarkAdvanced) -> Key:
    return (event.subject.bytes, event.source, event.state)


def _advance(event: events.WatermarkAdvanced, rows: Rows) -> None:
    """Keep the greatest time; of two reports of one time, the earlier."""
    row = rows.get(WATERMARKS, _watermark_key(event))
    if row is not None and (row.through, -row.at) >= (event.through, -event.at):
        return
    subject = event.subject.bytes
    rows.put(WATERMARKS, WatermarkRow(subject, event.source, event.state, event.through, event.at))


def _note(entry: Entry, event: events.NoteAdded, rows: Rows) -> None:
    """A note stands where it was written: its time is that of the log."""
    row = InteractionRow(
        event.originator_id.bytes,
        entry.position,
        event.contact.bytes,
        entry.recorded_at,
        entry.recorded_at,
        KIND_NOTE,
        content=notes.written(event),
    )
    rows.put(INTERACTIONS, row)


def _strike(entry: Entry, event: events.NoteRetracted, rows: Rows) -> None:
    row = rows.get(INTERACTIONS, (event.originator_id.bytes,))
    if row is not None and row.content is not None:
        row.content = notes.struck(row.content, entry, event)
        row.stamp = NOTE_STRUCK
        rows.put(INTERACTIONS, row)
