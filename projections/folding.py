"""What is known of one interaction beyond its first record, folded without regard to order.

Statuses, edits, reactions and corrections arrive late, twice over and before their message.
So what is known is a `State`, one event gives a small State, and `join` puts two together: it
is commutative and associative, and any order of arrival gives the same bytes. Ties of time go
by the stream's id, never by position, which tells only the order of arrival.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from domain import events
from domain.ports import Entry
from domain.values import DeliveryState
from projections.content import Attached, attached

CALL_SECONDS: Final = "call.seconds"
"""The one corrected field whose attribute has another name."""


class Delivery(Struct, frozen=True, array_like=True, gc=False):
    """How far a message came: the greatest rank, since when, by which word of the provider."""

    state: str
    at: int
    by: bytes
    word: str


class Failure(Struct, frozen=True, array_like=True, gc=False):
    """The first failure that was reported; it stays beside a later `delivered`.

    `subject` is whose key its message lies under; None for the company's.
    """

    at: int
    by: bytes
    code: str | None
    message: str | None
    subject: bytes | None = None


class Value(Struct, frozen=True, array_like=True, gc=False):
    """A value of a call that became known, and by which fact."""

    at: int
    by: bytes
    value: int | str


class Edit(Struct, frozen=True, array_like=True):
    """The content as its sender, that subject, left it last."""

    at: int
    by: bytes
    text: str | None
    attachments: tuple[Attached, ...]
    subject: bytes | None = None


class Reaction(Struct, frozen=True, array_like=True, gc=False):
    """The last reaction of one side of one subject; without emoji it was taken away."""

    side: str
    subject: bytes
    at: int
    by: bytes
    emoji: str | None


class File(Struct, frozen=True, array_like=True, gc=False):
    """What became of a file that was to be fetched: kept as `blob` (hex), or failed by `code`.

    What it is called is None where the record has said so, and where it was erased.
    """

    id: bytes
    at: int
    by: bytes
    blob: str | None = None
    code: str | None = None
    part: str | None = None
    name: str | None = None
    media_type: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None


class Correction(Struct, frozen=True, array_like=True):
    """What a person wrote instead: the version of its decision stream, and the value.

    The value is a number, text, 16 bytes of a UUID, or None: as its column has it.
    """

    version: int
    value: Any


class Retraction(Struct, frozen=True, array_like=True, gc=False):
    """Who declared the record void, when the ledger learned of it, and why."""

    version: int
    at: int
    actor: tuple[str, str]
    on_behalf_of: bytes | None
    reason: str | None


class State(Struct, omit_defaults=True):
    """All that became known of an interaction after, or before, its own record."""

    delivery: Delivery | None = None
    failure: Failure | None = None
    seconds: Value | None = None
    ring_seconds: Value | None = None
    outcome: Value | None = None
    edit: Edit | None = None
    edits: int = 0
    revoked_at: int | None = None
    reactions: tuple[Reaction, ...] = ()
    corrections: dict[str, Correction] = {}
    retraction: Retraction | None = None
    files: tuple[File, ...] = ()


_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")
_STATES: Final = msgspec.msgpack.Decoder(State)
_RANKS: Final = {state.value: state.rank for state in DeliveryState}
_UNRANKED: Final = 0


def pack(value: State) -> bytes:
    """The bytes that a row keeps; equal values give equal bytes."""
    return _ENCODER.encode(value)


def read_state(packed: bytes | None) -> State:
    """The state that a row keeps; an empty one for None."""
    return _STATES.decode(packed) if packed else State()


def stamp(state: bytes | None, *, erased: bool) -> int:
    """A number that changes whenever a row would be shown otherwise; 0 for a fresh record."""
    if not state:
        return -1 if erased else 0
    number = int.from_bytes(hashlib.blake2b(state, digest_size=8).digest(), "big") >> 1
    return -1 - number if erased else number


# ------------------------------------------------------------- one event → one state


def state_of(entry: Entry) -> State:
    """What one fact says about its interaction. Raises TypeError for any other event."""
    match entry.event:
        case events.DeliveryReported() as event:
            return _delivered(event)
        case events.InteractionEdited() as event:
            by = event.originator_id.bytes
            files = attached(event.attachments)
            edit = Edit(event.at, by, event.text, files, event.subject.bytes)
            return State(edit=edit, edits=1)
        case events.InteractionRevoked() as event:
            return State(revoked_at=event.at)
        case events.ReactionSet() as event:
            by = event.originator_id.bytes
            side = Reaction(event.by, event.subject.bytes, event.at, by, event.emoji)
            return State(reactions=(side,))
        case events.AttachmentStored() | events.AttachmentFailed() as event:
            return State(files=(_file(event),))
        case events.InteractionCorrected() as event:
            return State(corrections=_corrections(event))
        case events.InteractionRetracted() as event:
            return State(retraction=_retraction(entry, event))
        case _:
            raise TypeError(entry.topic)


def _delivered(event: events.DeliveryReported) -> State:
    by = event.originator_id.bytes
    known = event.state if event.state in _RANKS else DeliveryState.UNKNOWN.value
    state = State(delivery=Delivery(known, event.at, by, event.word))
    if known == DeliveryState.FAILED:
        subject = event.subject.bytes if event.subject else None
        state.failure = Failure(event.at, by, event.code, event.message, subject)
    call = event.call
    if call is not None:
        state.seconds = _value(event.at, by, call.seconds)
        state.ring_seconds = _value(event.at, by, call.ring_seconds)
        state.outcome = _value(event.at, by, str(call.outcome) if call.outcome else None)
    return state


def _file(event: events.AttachmentStored | events.AttachmentFailed) -> File:
    kept = event if isinstance(event, events.AttachmentStored) else None
    return File(
        event.attachment.bytes,
        event.at,
        event.originator_id.bytes,
        kept.blob if kept else None,
        None if isinstance(event, events.AttachmentStored) else event.code,
        str(event.part) if event.part else None,
        event.name,
        event.media_type,
        kept.size_bytes if kept else None,
        kept.sha256 if kept else None,
    )


def _value(at: int, by: bytes, value: int | str | None) -> Value | None:
    return None if value is None else Value(at, by, value)


def _corrections(event: events.InteractionCorrected) -> dict[str, Correction]:
    found: dict[str, Correction] = {}
    for field in event.fields:
        attribute = field.replace(".", "_")
        name = CALL_SECONDS if attribute == "call_seconds" else attribute
        found[name] = Correction(event.originator_version, stored(getattr(event, attribute)))
        if name == "occurred_at" and event.offset_min is not None:  # else the offset stays
            found["offset_min"] = Correction(event.originator_version, event.offset_min)
    return found


def stored(value: object) -> Any:  # noqa: ANN401 - as in Correction
    """A field of an event as its column has it: bytes for a UUID, text for one of some words."""
    found = getattr(value, "bytes", value)
    return str(found) if isinstance(found, str) else found


def _retraction(entry: Entry, event: events.InteractionRetracted) -> Retraction:
    return Retraction(
        event.originator_version,
        entry.recorded_at,
        (event.actor.kind, event.actor.id),
        event.on_behalf_of.bytes if event.on_behalf_of else None,
        event.reason,
    )


# ----------------------------------------------------------------------- erasure


def forgotten(state: State, subjects: AbstractSet[bytes], *, whole: bool) -> State:
    """The state without what lies sealed under these subjects' keys; with `whole`, under any."""

    def gone(subject: bytes | None) -> bool:
        return whole or subject in subjects

    if state.failure is not None and gone(state.failure.subject):
        state.failure = structs.replace(state.failure, message=None)
    if state.edit is not None and gone(state.edit.subject):
        state.edit = structs.replace(state.edit, text=None, attachments=())
    state.reactions = tuple(
        structs.replace(one, emoji=None) if gone(one.subject) else one for one in state.reactions
    )
    if whole and "text" in state.corrections:
        text = structs.replace(state.corrections["text"], value=None)
        state.corrections = state.corrections | {"text": text}
    if whole and state.retraction is not None:
        state.retraction = structs.replace(state.retraction, reason=None)
    return state


# ---------------------------------------------------------------- two states → one


def join(one: State, other: State) -> State:
    """What both states together say; the order of the two makes no difference."""
    return State(
        _delivery(one.delivery, other.delivery),
        _first(one.failure, other.failure),
        _last(one.seconds, other.seconds),
        _last(one.ring_seconds, other.ring_seconds),
        _last(one.outcome, other.outcome),
        _last(one.edit, other.edit),
        one.edits + other.edits,
        min((at for at in (one.revoked_at, other.revoked_at) if at is not None), default=None),
        _reactions(one.reactions, other.reactions),
        _corrected(one.corrections, other.corrections),
        _retracted(one.retraction, other.retraction),
        _filed(one.files, other.files),
    )


def rank_of(state: str) -> int:
    """The place of a delivery state among the others; 0 for a word that nobody knows."""
    return _RANKS.get(state, _UNRANKED)


def _delivery(one: Delivery | None, other: Delivery | None) -> Delivery | None:
    """The greater rank, and for one rank whoever said it first.

    Words that nobody knows have no rank among each other: of those, the last one counts.
    """
    if one is None or other is None:
        return one or other
    rank, rank_other = rank_of(one.state), rank_of(other.state)
    if rank != rank_other:
        return one if rank > rank_other else other
    if rank == _UNRANKED:
        return max(one, other, key=_moment)
    return min(one, other, key=_moment)


def _moment(fact: Any) -> tuple[int, bytes]:  # noqa: ANN401 - any of the structs with both
    return (fact.at, fact.by)


def _first(one: Failure | None, other: Failure | None) -> Failure | None:
    if one is None or other is None:
        return one or other
    return min(one, other, key=_moment)


def _last(one: Any, other: Any) -> Any:  # noqa: ANN401 - one type in, the same out
    if one is None or other is None:
        return one or other
    return max(one, other, key=_moment)


def _reactions(one: tuple[Reaction, ...], other: tuple[Reaction, ...]) -> tuple[Reaction, ...]:
    """The last of each side of each subject, in a fixed order."""
    if not one or not other:
        return one or other
    found: dict[tuple[str, bytes], Reaction] = {}
    for reaction in (*one, *other):
        key = (reaction.side, reaction.subject)
        found[key] = _last(found.get(key), reaction)
    return tuple(found[key] for key in sorted(found))


def _filed(one: tuple[File, ...], other: tuple[File, ...]) -> tuple[File, ...]:
    """What became of each file, by its id: one that is kept did not fail, whenever that was."""
    if not one or not other:
        return one or other
    found: dict[bytes, File] = {}
    for file in (*one, *other):
        held = found.get(file.id)
        found[file.id] = file if held is None else min(held, file, key=_worth)
    return tuple(found[key] for key in sorted(found))


def _worth(file: File) -> tuple[bool, int, bytes]:
    return (file.blob is None, file.at, file.by)


def _corrected(one: dict[str, Correction], other: dict[str, Correction]) -> dict[str, Correction]:
    if not one or not other:
        return one or other
    found = dict(one)
    for field, correction in other.items():
        held = found.get(field)
        if held is None or held.version < correction.version:
            found[field] = correction
    return found


def _retracted(one: Retraction | None, other: Retraction | None) -> Retraction | None:
    """The first decision: what is void does not become void again."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda retraction: retraction.version)
