"""What people decide about two records of one event, told into a story."""

from __future__ import annotations

from uuid import UUID

from domain import events
from domain.ports import Entry
from tests.projections.story import Story, by_user, derived


def linked(story: Story, shown: Entry, hidden: Entry, by: str = "Rosa") -> None:
    """Two records are of one event, and the first of them is shown."""
    for one, other in ((shown, hidden), (hidden, shown)):
        stream, subject = _annotated(one)
        story.add(
            events.TwinLinked(
                originator_id=stream,
                originator_version=_next(story, stream),
                actor=by_user(by),
                about=one.event.originator_id,
                subject=subject,
                other=other.event.originator_id,
                shown=one is shown,
            )
        )


def parted(story: Story, one: Entry, other: Entry, by: str = "Rosa") -> None:
    """Such a link is taken back."""
    for mine, theirs in ((one, other), (other, one)):
        stream, subject = _annotated(mine)
        story.add(
            events.TwinUnlinked(
                originator_id=stream,
                originator_version=_next(story, stream),
                actor=by_user(by),
                about=mine.event.originator_id,
                subject=subject,
                other=theirs.event.originator_id,
            )
        )


def _annotated(one: Entry) -> tuple[UUID, UUID]:
    """The stream of the decisions about a record, and its subject."""
    assert isinstance(one.event, events.InteractionRecorded)
    return derived("annotation", one.event.originator_id), one.event.subject


def _next(story: Story, stream: UUID) -> int:
    found = (e.event.originator_version for e in story.entries if e.event.originator_id == stream)
    return max(found, default=0) + 1
