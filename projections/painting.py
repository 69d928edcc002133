"""How one interaction is shown: from its row and what is folded in it to the contract's fields.

Pure: everything that other rows tell comes in as a `Setting`. What the folded state says wins
over the record: a correction over an edit over the text as it was sent; what was revoked or
erased is not shown at all.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.addresses import address_label
from domain.times import format_utc
from domain.values import Direction, Origin
from projections import files, folding
from projections.cards import Card
from projections.content import Content, read_content
from projections.dictionary import Names
from projections.folding import State
from projections.notes import read_note
from projections.shapes import (
    Author,
    By,
    CallView,
    CardView,
    End,
    Failure,
    NoteView,
    Participant,
    ReactionView,
    Reply,
    Retracted,
    RowView,
    Status,
    TwinRef,
    uuid_text,
)
from projections.timeline import InteractionRow

TEXT_MAX_CHARS: Final = 2_000
"""A row shows so much of a text (contract 2.3); the card shows all of it."""

EXCERPT_MAX_CHARS: Final = 80
"""What a reply shows of the message that it answers: one line."""

LATE_US: Final = 15 * 60 * 1_000_000
"""Recorded so much later than it happened, an interaction counts as logged late."""


class Mark(Struct, frozen=True, gc=False):
    """A watermark that reaches an interaction: the state, and when it was reported."""

    state: str
    at: int


class Setting(NamedTuple):
    """An interaction's opened content, and what other rows say about it.

    `others` are the contacts of its further participants by subject, `side` what became known
    under its message-id, `twin` the id of the other record of the same event.
    """

    content: Content
    url: str
    names: Names
    contact: Card
    others: dict[bytes, Card]
    mark: Mark | None = None
    reply: Reply | None = None
    side: State | None = None
    twin: int | None = None


def row_view(row: InteractionRow, setting: Setting) -> RowView:
    """The interaction row, its text cut. The row must have a position."""
    fields = _fields(row, _state(row, setting), setting)
    text = fields["text"]
    if text is not None and len(text) > TEXT_MAX_CHARS:
        fields["text"], fields["text_truncated"] = text[:TEXT_MAX_CHARS], True
    return RowView(**fields)


def card_view(row: InteractionRow, setting: Setting) -> CardView:
    """The card, its text whole."""
    content = setting.content
    behalf = content.on_behalf_of
    return CardView(
        **_fields(row, _state(row, setting), setting),
        external_id=content.external_id,
        details=msgspec.Raw(content.details or b"{}"),
        actor=by(setting.names, *content.actor),
        on_behalf_of=setting.names.user(behalf) if behalf else None,
        position=cast("int", row.position),
        html=None if content.erased else files.html_of(content),
    )


def note_view(row: InteractionRow, contact: Card, names: Names) -> NoteView:
    """A note's row, its text whole."""
    note = read_note(cast("bytes", row.content))
    author, struck = by(names, *note.by), note.struck
    retracted = None
    if struck is not None:
        retracted = Retracted(format_utc(struck.at), by(names, *struck.by), struck.reason)
    return NoteView(
        id=cast("int", row.position),
        contact=contact.ref(),
        text=note.text,
        by=Author(author.id, author.name),
        occurred_at=format_utc(cast("int", row.occurred_at)),
        recorded_at=format_utc(cast("int", row.recorded_at)),
        retracted=retracted,
    )


def excerpt(row: InteractionRow) -> str | None:
    """The beginning of an interaction's text, as a reply to it shows it."""
    content, state = read_content(cast("bytes", row.content)), folding.read_state(row.state)
    text = _text(content, state)
    return None if text is None else text[:EXCERPT_MAX_CHARS]


def by(names: Names, kind: str, key: str) -> By:
    """An actor with a name; the key itself where nobody named it."""
    if kind == "user":
        try:
            return By(kind, key, names.user(UUID(key)).name)
        except ValueError:
            return By(kind, key, key)
    if kind == "token":
        return By(kind, key, names.token(key).name)
    if kind == "channel":
        return By(kind, key, names.channel(key).name)
    return By(kind, key, key)


def _state(row: InteractionRow, setting: Setting) -> State:
    state = folding.read_state(row.state)
    return state if setting.side is None else folding.join(state, setting.side)


def _fields(row: InteractionRow, state: State, setting: Setting) -> dict[str, Any]:
    """All fields of the row, the text whole."""
    content, names, position = setting.content, setting.names, cast("int", row.position)
    occurred_at, recorded_at = cast("int", row.occurred_at), cast("int", row.recorded_at)
    late = recorded_at - occurred_at > LATE_US and row.origin != Origin.IMPORTED
    offset = state.corrections.get("offset_min")
    edit = state.edit
    return {
        "id": position,
        "interaction": uuid_text(row.originator),
        "url": f"{setting.url}{position}",
        "contact": setting.contact.ref(),
        "contacts": _contacts(content, setting),
        "channel": row.channel,
        "direction": row.direction,
        "origin": row.origin,
        "source": names.source(cast("str", row.source)),
        **_ends(row, content, setting.contact),
        "occurred_at": format_utc(occurred_at),
        "occurred_offset_min": offset.value if offset else content.offset_min,
        "occurred_at_source": content.time_source,
        "recorded_at": format_utc(recorded_at),
        "logged_late": late,
        "subject": content.subject_line,
        "text": _text(content, state),
        "text_truncated": False,
        "attended_by": names.user(row.attended_by) if row.attended_by else None,
        "department": names.department(row.department) if row.department else None,
        "campaign": names.campaign(row.campaign) if row.campaign else None,
        "status": _status(state, setting.mark),
        "call": call_view(content, state),
        "attachments": None if content.erased else files.views(content, state),
        "participants": _participants(content, setting),
        "thread": content.thread,
        "in_reply_to": setting.reply,
        "reactions": _reactions(state),
        "auto": content.auto,
        "edited_at": format_utc(edit.at) if edit else None,
        "revoked_at": None if state.revoked_at is None else format_utc(state.revoked_at),
        "corrected": sorted(set(state.corrections) - {"offset_min"}),
        "retracted": _retracted(state, names),
        "twin": _twin(row, setting),
        "erased": content.erased,
    }


def _twin(row: InteractionRow, setting: Setting) -> TwinRef | None:
    """What the row is to the other record of the same event, where there is one."""
    if setting.twin is None:
        return None
    return TwinRef(setting.twin, "hidden" if row.hidden else "shown")


def _text(content: Content, state: State) -> str | None:
    if content.erased or state.revoked_at is not None:
        return None
    corrected = state.corrections.get("text")
    if corrected is not None:
        return cast("str | None", corrected.value)
    return state.edit.text if state.edit is not None else content.text


def _contacts(content: Content, setting: Setting) -> list[str]:
    """The main contact first, then those of further participants, each once."""
    found = {setting.contact.id: None}
    for party in content.outside:
        card = setting.others.get(party.subject)
        if card is not None:
            found[card.id] = None
    return list(found)


def _ends(row: InteractionRow, content: Content, contact: Card) -> dict[str, End]:
    """From and to. Where the direction was corrected, the two change places."""
    first, second = content.resource, content.destination
    inbound = row.direction == Direction.INBOUND
    if inbound != content.inbound:
        first, second = second, first
    return {
        "resource": _end(first, contact.id if inbound else None),
        "destination": _end(second, None if inbound else contact.id),
    }


def _end(address: str | None, contact: str | None) -> End:
    return End(address, address_label(address) if address else None, contact)


def _status(state: State, mark: Mark | None) -> Status | None:
    """The row's own state, unless a watermark reaches further; any failure stays beside it."""
    own, failed = state.delivery, state.failure
    failure = Failure(failed.code, failed.message) if failed else None
    if mark and (own is None or folding.rank_of(mark.state) > folding.rank_of(own.state)):
        return Status(mark.state, format_utc(mark.at), mark.state, failure)
    return Status(own.state, format_utc(own.at), own.word, failure) if own else None


def call_view(content: Content, state: State) -> CallView | None:
    """What was reported later wins over the record, and a correction over both."""
    corrected = state.corrections.get(folding.CALL_SECONDS)
    later = (state.seconds, state.ring_seconds, state.outcome)
    if not content.is_call and corrected is None and later == (None, None, None):
        return None
    seconds: Any = corrected.value if corrected else _later(state.seconds, content.seconds)
    ringing: Any = _later(state.ring_seconds, content.ring_seconds)
    outcome: Any = _later(state.outcome, content.outcome)
    recorded = None if content.erased else files.recording(state)
    return CallView(seconds, ringing, outcome, recorded)


def _later(value: folding.Value | None, recorded: int | str | None) -> int | str | None:
    return recorded if value is None else value.value


def _participants(content: Content, setting: Setting) -> list[Participant]:
    """Everybody who was named as taking part, of either side, in the order of the record."""
    found: list[tuple[int, Participant]] = []
    if content.seat is not None:
        role, place = content.seat
        end = _end(content.resource if content.inbound else content.destination, setting.contact.id)
        name = content.contact_name
        found.append((place, Participant(end.address, end.label, role, name, end.contact)))
    for party in content.outside:
        if party.place is not None:
            card = setting.others.get(party.subject)
            end = _end(party.address or None, card.id if card else None)
            guest = Participant(end.address, end.label, party.role, party.name, end.contact)
            found.append((party.place, guest))
    for own in content.ours:
        label = address_label(own.address)
        found.append((own.place, Participant(own.address, label, own.role, own.name, None)))
    found.sort(key=lambda placed: placed[0])
    return [one for _, one in found]


def _reactions(state: State) -> list[ReactionView]:
    standing = [reaction for reaction in state.reactions if reaction.emoji]
    standing.sort(key=lambda reaction: (reaction.at, reaction.by))
    return [
        ReactionView(cast("str", reaction.emoji), reaction.side, format_utc(reaction.at))
        for reaction in standing
    ]


def _retracted(state: State, names: Names) -> Retracted | None:
    """The person behind it, also where a token wrote it down for them."""
    retraction = state.retraction
    if retraction is None:
        return None
    behalf = retraction.on_behalf_of
    who = ("user", uuid_text(behalf)) if behalf else retraction.actor
    return Retracted(format_utc(retraction.at), by(names, *who), retraction.reason)
