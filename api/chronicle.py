"""The history of one interaction: each event about it, who brought it, and what it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from domain import events
from domain.times import format_utc
from projections.painting import by
from projections.shapes import By

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.ports import Entry
    from projections.dictionary import Names

Value = str | int | None

_TIMES: Final = frozenset({"occurred_at"})
_SPELLED: Final = {"call_seconds": "call.seconds"}
"""Fields that requests and rows spell otherwise than events."""

_UNTOLD: Final = frozenset({"offset_min"})
"""What goes with another field and is no change of its own."""


class Change(Struct, frozen=True):
    """A field that an event gave another value; ids and keys as text, times as everywhere."""

    field: str
    before: Value = msgspec.field(name="from")
    after: Value = msgspec.field(name="to")


class Happening(Struct, frozen=True):
    """One event of the history (contract 2.4); `at` is when it happened, as its sender says."""

    position: int
    event: str
    at: str
    recorded_at: str
    by: By
    changes: list[Change] | None
    reason: str | None


def chronicle(entries: Sequence[Entry], names: Names, twins: Mapping[UUID, int]) -> list[Happening]:
    """The history that these events of one interaction make, in their order.

    `twins` are the ids of the records that it was linked with, by stream.
    """
    known: dict[str, Value] = {}
    return [_happening(entry, names, known, twins) for entry in entries]


def author(event: events.Event, names: Names) -> By:
    """Who wrote an event down: the person behind it, where there is one."""
    if event.on_behalf_of is not None:
        return by(names, "user", str(event.on_behalf_of))
    return by(names, event.actor.kind, event.actor.id)


def _happening(
    entry: Entry, names: Names, known: dict[str, Value], twins: Mapping[UUID, int]
) -> Happening:
    event = entry.event
    if not isinstance(event, events.Event):
        raise TypeError(entry.topic)
    at = getattr(event, "at", None) or entry.recorded_at
    changes: list[Change] | None = None
    reason: str | None = None
    match event:
        case events.InteractionRecorded():
            at = event.occurred_at
            known.update(_recorded(event))
        case events.InteractionCorrected():
            changes = [
                _change(known, _SPELLED.get(name, name), _plain(name, getattr(event, name)))
                for name in event.fields
                if name not in _UNTOLD
            ]
            reason = event.reason
        case events.InteractionRetracted():
            reason = event.reason
        case events.DeliveryReported():
            changes, reason = [_change(known, "status", event.state)], event.message
        case events.InteractionEdited():
            changes = [_change(known, "text", event.text)]
        case events.AttachmentStored() | events.AttachmentFailed():
            reason = getattr(event, "code", None)
            word = "failed" if reason else "stored"
            changes = [_change(known, f"attachment.{event.attachment}", word)]
        case events.ReactionSet():
            changes = [_change(known, f"reaction.{event.by}", event.emoji)]
        case events.TwinLinked() | events.TwinUnlinked():
            shown = getattr(event, "shown", None)
            role = None if shown is None else "shown" if shown else "hidden"
            twin = None if shown is None else twins.get(event.other)
            changes = [_change(known, "twin", twin), _change(known, "twin.role", role)]
        case _:
            pass
    return Happening(
        position=entry.position,
        event=entry.topic,
        at=format_utc(at),
        recorded_at=format_utc(entry.recorded_at),
        by=author(event, names),
        changes=changes,
        reason=reason,
    )


def _recorded(event: events.InteractionRecorded) -> dict[str, Value]:
    found: dict[str, Value] = {
        name: _plain(name, getattr(event, name))
        for name in (
            "occurred_at",
            "department",
            "campaign",
            "attended_by",
            "direction",
            "channel",
            "text",
        )
    }
    found["call.seconds"] = event.call.seconds if event.call else None
    return found


def _change(known: dict[str, Value], name: str, value: Value) -> Change:
    """The step from what was known to a value, which is known from now on."""
    shown = name.removesuffix(".contact").removesuffix(".staff")
    change = Change(shown, known.get(name), value)
    known[name] = value
    return change


def _plain(name: str, value: object) -> Value:
    if isinstance(value, int):
        return format_utc(value) if name in _TIMES else value
    if value is None or isinstance(value, UUID):
        return None if value is None else str(value)
    return str(value)
