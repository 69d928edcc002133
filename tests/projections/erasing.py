"""Erasures in stories, and the story as it reads when the keys are gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from msgspec import structs

from domain import events
from domain.ports import Entry
from domain.topics import layouts
from tests.projections.story import Story, by_user, contact_stream, derived

LAYOUTS = layouts()


def erased(story: Story, contact: UUID, subjects: Iterable[UUID]) -> Entry:
    """A contact was erased with all these subjects."""
    stream = contact_stream(contact)
    listed = tuple(sorted(subjects))
    event = events.ContactErased(
        originator_id=stream,
        originator_version=story._next(stream),
        actor=by_user("Rosa"),
        contact=contact,
        erasure=derived("erasure", contact),
        subjects=listed,
        keys=tuple(derived("key", one) for one in listed),
        reason="lo pidió",
    )
    return story.add(event)


def held(story: Story, contact: UUID, hold: UUID, reason: str = "juicio") -> Entry:
    """A legal hold was placed on a contact."""
    return _hold(story, events.HoldPlaced, contact, hold, reason)


def lifted(story: Story, contact: UUID, hold: UUID, reason: str = "terminó") -> Entry:
    """A legal hold on a contact was lifted."""
    return _hold(story, events.HoldLifted, contact, hold, reason)


def without_keys(entries: Iterable[Entry], gone: Iterable[UUID]) -> list[Entry]:
    """The entries as the codec opens them once the keys of these subjects are destroyed."""
    subjects = frozenset(gone)
    return [_opened(entry, subjects) for entry in entries]


def _opened(entry: Entry, gone: frozenset[UUID]) -> Entry:
    layout = LAYOUTS[entry.topic]
    event: Any = entry.event
    changes: dict[str, object] = {}
    owner = getattr(event, layout.under, None)
    erased = bool(layout.sealed) and owner in gone
    if erased:
        defaults = {field.name: field.default for field in msgspec.structs.fields(type(event))}
        changes = {name: defaults[name] for name in layout.sealed}
    if layout.each is not None:
        items, owners = layout.each
        changes[items] = tuple(
            events.Identity(address="") if clear.subject in gone else item
            for item, clear in zip(getattr(event, items), getattr(event, owners), strict=True)
        )
    return structs.replace(entry, event=structs.replace(event, **changes), erased=erased)


def _hold(
    story: Story,
    kind: type[events.HoldPlaced | events.HoldLifted],
    contact: UUID,
    hold: UUID,
    reason: str,
) -> Entry:
    stream = contact_stream(contact)
    event = kind(
        originator_id=stream,
        originator_version=story._next(stream),
        actor=by_user("Rosa"),
        contact=contact,
        hold=hold,
        reason=reason,
    )
    return story.add(event)
