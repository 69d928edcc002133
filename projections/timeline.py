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

from domain import events
from domain.ports import Entry
from domain.values import DeliveryState, Direction, Origin
from projections import folding, notes, timeline_forgetting
from projections.base import Key, Rows, RowTable
from projections.content import content_of, pack, read_content
from projections.timeline_rows import (
    APPEARANCES,
    BY_HAND,
    FILTERED,
    INTERACTIONS,
    KIND_INTERACTION,
    KIND_NOTE,
    LISTED,
    MESSAGES,
    NOTE_STRUCK,
    UUID16,
    VOICES,
    WATERMARKS,
    AppearanceRow,
    InteractionRow,
    MessageRow,
    VoiceRow,
    WatermarkRow,
    shown_of,
)

__all__ = [
    "APPEARANCES",
    "BY_HAND",
    "FILTERED",
    "INTERACTIONS",
    "KIND_INTERACTION",
    "KIND_NOTE",
    "LISTED",
    "MESSAGES",
    "UUID16",
    "WATERMARKS",
    "AppearanceRow",
    "InteractionRow",
    "MessageRow",
    "Timeline",
    "WatermarkRow",
    "about",
]

_FACTS: Final = frozenset(
    {
        "delivery.reported",
        "interaction.edited",
        "interaction.revoked",
        "reaction.set",
        "attachment.stored",
        "attachment.failed",
        "interaction.corrected",
        "interaction.retracted",
    }
)
_TWINS: Final = frozenset({"twin.linked", "twin.unlinked"})

_NOTES: Final = frozenset({"note.added", "note.retracted"})


class Timeline:
    """Handlers of the timeline; its pages are in projections/timeline_pages.py."""

    name: ClassVar[str] = "timeline"
    version: ClassVar[int] = 4
    tables: ClassVar[tuple[RowTable[Any], ...]] = (
        INTERACTIONS,
        APPEARANCES,
        MESSAGES,
        VOICES,
        WATERMARKS,
    )
    topics: ClassVar[frozenset[str]] = (
        _FACTS | _TWINS | _NOTES | {"interaction.recorded", "watermark.advanced", "contact.erased"}
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
        if isinstance(event, events.ContactErased):
            return ()
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
        elif isinstance(event, (events.TwinLinked, events.TwinUnlinked)):
            _twin(event, rows)
        elif isinstance(event, events.ContactErased):
            timeline_forgetting.erased(rows, event)
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
    _hear(entry, key, rows)
    state = folding.join(folding.read_state(row.state), folding.state_of(entry))
    row.state = folding.pack(state)
    erased = False
    if row.content is not None:
        erased = row.stamp < 0
        if entry.topic in {"interaction.corrected", "interaction.retracted"}:
            _recut(row, state, rows)
    row.stamp = folding.stamp(shown_of(row), erased=erased)
    rows.put(INTERACTIONS, row)


def _hear(entry: Entry, about: bytes, rows: Rows) -> None:
    """Note whose words a state will hold, where these may not be the counterpart's."""
    event = entry.event
    failed = isinstance(event, events.DeliveryReported) and event.state == DeliveryState.FAILED
    if failed or isinstance(event, events.InteractionEdited | events.ReactionSet):
        subject = cast("events.DeliveryReported", event).subject
        if subject is not None:
            rows.put(VOICES, VoiceRow(subject.bytes, about))


def _twin(event: events.TwinLinked | events.TwinUnlinked, rows: Rows) -> None:
    """Note whose twin the row is, or that it is nobody's any more: then it is as it was before."""
    row = rows.get(INTERACTIONS, (event.about.bytes,))
    if row is None or row.content is None:
        return
    linked = event if isinstance(event, events.TwinLinked) else None
    row.twin = linked.other.bytes if linked else None
    row.hidden = int(linked is not None and not linked.shown)
    _recut(row, folding.read_state(row.state), rows)
    row.stamp = folding.stamp(shown_of(row), erased=row.stamp < 0)
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
