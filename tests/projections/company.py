"""What a story tells of the company's own people: users who change, teams whom they join."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.events import Event
from domain.ports import Entry
from tests.projections.story import Story, by_user, derived, user_of


def team_of(name: str) -> UUID:
    """The id of a team of that name."""
    return derived("team", name)


def user_event(story: Story, kind: type[Event], who: str, **more: object) -> Entry:
    """A user was changed by an event of this kind."""
    return _by_rosa(story, kind, derived("user", user_of(who)), {"user": user_of(who), **more})


def team_event(story: Story, kind: type[Event], team: str, **more: object) -> Entry:
    """A team was made or changed by an event of this kind."""
    return _by_rosa(story, kind, derived("team-stream", team), {"team": team_of(team), **more})


def _by_rosa(story: Story, kind: type[Event], stream: UUID, fields: dict[str, Any]) -> Entry:
    version = story._next(stream)
    event = kind(originator_id=stream, originator_version=version, actor=by_user("Rosa"), **fields)
    return story.add(event)
