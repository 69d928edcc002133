"""The decisions that people take about one interaction: corrections, retraction, its twin.

Invariants: a stream holds decisions about one interaction only. What a person typed may be
corrected whole; of an automatic record only what was added to it (time, department, campaign,
who attended), never its content. A retraction is final. Two records of one event are twins: both
streams say so, in one unit; a record has one twin at most, and a void record hides none. What
changes nothing leaves no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct, field, structs

from domain.errors import WrongState
from domain.events import (
    InteractionCorrected,
    InteractionRetracted,
    TwinLinked,
    TwinUnlinked,
)
from domain.values import Channel, Origin, dictionary_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.commands import By, Correction
    from domain.events import InteractionRecorded
    from domain.ports import EventLike
    from domain.values import Deriver

CONTENT_FIELDS: Final = frozenset({"text", "direction", "channel", "call_seconds"})
"""What only a manual record may have corrected: the content of an automatic one is evidence."""

CALLS: Final = frozenset({Channel.CALL, Channel.WHATSAPP})
"""Channels over which people speak, and whose interactions may have a length."""


class Twin(Struct, frozen=True):
    """The other record of the same event, and whether this one is the one that is shown."""

    other: UUID
    shown: bool


class Annotation(Struct, frozen=True):
    """What people have decided about an interaction; `values` are the fields in force."""

    id: UUID
    version: int = 0
    values: dict[str, object] = field(default_factory=dict)
    retracted: bool = False
    twin: Twin | None = None


class Side(Struct, frozen=True):
    """One of two records: what people decided about it, its stream, and its subject."""

    annotation: Annotation
    interaction: UUID
    subject: UUID


def annotation_stream(derive: Deriver, interaction: UUID) -> UUID:
    """The stream of the decisions about an interaction."""
    return derive.id("annotation", interaction)


# ------------------------------------------------------------------- decisions


def correct(
    annotation: Annotation,
    recorded: InteractionRecorded,
    correction: Correction,
    attended_by: UUID | None,
    by: By,
) -> InteractionCorrected | None:
    """Correct fields; None where nothing would change.

    Raises WrongState for a retracted record, for the content of an automatic one, and for the
    length of what is no call.
    """
    if annotation.retracted:
        message = "The interaction was retracted; a correction would say nothing."
        raise WrongState(message)
    if recorded.origin is not Origin.MANUAL and CONTENT_FIELDS & set(correction.fields):
        message = "The content of an automatic record cannot be corrected, only annotated."
        raise WrongState(message)
    wanted = {name: getattr(correction, name) for name in correction.fields}
    if "attended_by" in wanted:
        wanted["attended_by"] = attended_by
    for name in {"department", "campaign"} & wanted.keys():
        wanted[name] = dictionary_key(wanted[name]) if wanted[name] else None
    if "occurred_at" in wanted:
        wanted["offset_min"] = correction.offset_min
    changed = {
        name: value
        for name, value in wanted.items()
        if value != annotation.values.get(name, _recorded_value(recorded, name))
    }
    if not changed:
        return None
    channel = wanted.get("channel", annotation.values.get("channel", recorded.channel))
    if changed.get("call_seconds") is not None and channel not in CALLS:
        message = f"An interaction over {channel} is no call."
        raise WrongState(message)
    return InteractionCorrected(
        originator_id=annotation.id,
        originator_version=annotation.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        digest=by.repeatable.digest if by.repeatable else None,
        about=recorded.originator_id,
        subject=recorded.subject,
        reason=correction.reason,
        fields=tuple(sorted(changed)),
        **changed,
    )


def retract(
    annotation: Annotation, recorded: InteractionRecorded, reason: str, by: By
) -> InteractionRetracted | None:
    """Declare the record void; None where it is void already."""
    if annotation.retracted:
        return None
    return InteractionRetracted(
        originator_id=annotation.id,
        originator_version=annotation.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        digest=by.repeatable.digest if by.repeatable else None,
        about=recorded.originator_id,
        subject=recorded.subject,
        reason=reason,
    )


def link(shown: Side, hidden: Side, by: By) -> list[TwinLinked]:
    """Two records are of one event: an event for each stream; none where it is so already.

    Raises WrongState where one of them has another twin, or the one to be shown is void.
    """
    for one, other in ((shown, hidden), (hidden, shown)):
        twin = one.annotation.twin
        if twin is not None and twin.other != other.interaction:
            message = "One of them has another twin already; take that link back first."
            raise WrongState(message)
    if shown.annotation.retracted:
        message = "The one to be shown was retracted: it would hide the other."
        raise WrongState(message)
    if shown.annotation.twin == Twin(hidden.interaction, shown=True):
        return []
    return [
        TwinLinked(
            originator_id=one.annotation.id,
            originator_version=one.annotation.version + 1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=by.repeatable.digest if by.repeatable and one is shown else None,
            about=one.interaction,
            subject=one.subject,
            other=other.interaction,
            shown=one is shown,
        )
        for one, other in ((shown, hidden), (hidden, shown))
    ]


def unlink(one: Side, other: Side, by: By) -> list[TwinUnlinked]:
    """Take the link between two records back: an event for each stream; none without a link."""
    if one.annotation.twin is None or one.annotation.twin.other != other.interaction:
        return []
    return [
        TwinUnlinked(
            originator_id=side.annotation.id,
            originator_version=side.annotation.version + 1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=by.repeatable.digest if by.repeatable and side is one else None,
            about=side.interaction,
            subject=side.subject,
            other=twin.interaction,
        )
        for side, twin in ((one, other), (other, one))
    ]


# ----------------------------------------------------------------------- apply


def project(annotation: Annotation | None, events: Iterable[EventLike]) -> Annotation | None:
    """The decisions in force after the events of the stream."""
    for event in events:
        now = annotation or Annotation(event.originator_id)
        match event:
            case InteractionCorrected():
                values = {name: getattr(event, name) for name in event.fields}
                now = structs.replace(now, values={**now.values, **values})
            case InteractionRetracted():
                now = structs.replace(now, retracted=True)
            case TwinLinked():
                now = structs.replace(now, twin=Twin(event.other, event.shown))
            case TwinUnlinked():
                now = structs.replace(now, twin=None)
            case _:
                pass
        annotation = structs.replace(now, version=event.originator_version)
    return annotation


def _recorded_value(recorded: InteractionRecorded, name: str) -> object:
    if name == "call_seconds":
        return recorded.call.seconds if recorded.call else None
    value: object = getattr(recorded, name)
    return value
