"""The decisions that people take about one interaction: corrections and retraction.

Invariants: a stream holds decisions about one interaction only. What a person typed may be
corrected whole; of an automatic record only what was added to it (time, department, campaign,
who attended), never its content. A retraction is final. What changes nothing leaves no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct, field, structs

from domain.errors import WrongState
from domain.events import InteractionCorrected, InteractionRetracted
from domain.values import Origin, dictionary_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.commands import By, Correction
    from domain.events import InteractionRecorded
    from domain.ports import EventLike
    from domain.values import Deriver

CONTENT_FIELDS: Final = frozenset({"text", "direction", "channel", "call_seconds"})
"""What only a manual record may have corrected: the content of an automatic one is evidence."""


class Annotation(Struct, frozen=True):
    """What people have decided about an interaction; `values` are the fields in force."""

    id: UUID
    version: int = 0
    values: dict[str, object] = field(default_factory=dict)
    retracted: bool = False


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

    Raises WrongState for a retracted record, and for the content of an automatic one.
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
            case _:
                pass
        annotation = structs.replace(now, version=event.originator_version)
    return annotation


def _recorded_value(recorded: InteractionRecorded, name: str) -> object:
    if name == "call_seconds":
        return recorded.call.seconds if recorded.call else None
    value: object = getattr(recorded, name)
    return value
