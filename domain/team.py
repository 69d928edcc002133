"""A team: some users who do one work together.

Invariants: one stream a team, derive('team', id), which says who was in it on any day. What
changes nothing leaves no trace. A team is never deleted: one that is not active is no longer
offered, and what it was given stays its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct, structs

from domain.events import Event, TeamAdded, TeamJoined, TeamLeft, TeamNamed
from domain.series import UNNUMBERED, series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.commands import By
    from domain.ports import EventLike
    from domain.values import Deriver


class Team(Struct, frozen=True):
    """A team as the log has it; `id` is the stream."""

    id: UUID
    team: UUID
    version: int = 0
    name: str | None = None
    active: bool = True
    members: frozenset[UUID] = frozenset()


def team_stream(derive: Deriver, team: UUID) -> UUID:
    """The stream of a team."""
    return derive.id("team", team)


# ------------------------------------------------------------------- decisions


def add(stream: UUID, team: UUID, name: str, by: By) -> list[TeamAdded]:
    """Make a team."""
    event = TeamAdded(
        originator_id=stream,
        originator_version=UNNUMBERED,
        actor=by.actor,
        team=team,
        name=name,
    )
    return series([event], 0, by)


def name(team: Team, wanted: str | None, active: bool | None, by: By) -> list[Event]:  # noqa: FBT001 - a field, not a switch
    """Give a team another name, or take it out of forms; None leaves either as it is."""
    named = wanted if wanted is not None else team.name
    offered = active if active is not None else team.active
    if (named, offered) == (team.name, team.active):
        return []
    event = TeamNamed(
        originator_id=team.id,
        originator_version=UNNUMBERED,
        actor=by.actor,
        team=team.team,
        name=named,
        active=offered,
    )
    return series([event], team.version, by)


def join(team: Team, user: UUID, by: By) -> list[Event]:
    """Put a user into a team."""
    if user in team.members:
        return []
    event = TeamJoined(
        originator_id=team.id,
        originator_version=UNNUMBERED,
        actor=by.actor,
        team=team.team,
        user=user,
    )
    return series([event], team.version, by)


def leave(team: Team, user: UUID, by: By) -> list[Event]:
    """Take a user out of a team."""
    if user not in team.members:
        return []
    event = TeamLeft(
        originator_id=team.id,
        originator_version=UNNUMBERED,
        actor=by.actor,
        team=team.team,
        user=user,
    )
    return series([event], team.version, by)


# ----------------------------------------------------------------------- apply


def project(team: Team | None, events: Iterable[EventLike]) -> Team | None:
    """A team after the events of its stream."""
    for event in events:
        if isinstance(event, TeamAdded):
            team = Team(event.originator_id, event.team, name=event.name)
        if team is not None:
            team = structs.replace(_changed(team, event), version=event.originator_version)
    return team


def _changed(team: Team, event: EventLike) -> Team:
    match event:
        case TeamNamed():
            return structs.replace(team, name=event.name, active=event.active)
        case TeamJoined():
            return structs.replace(team, members=team.members | {event.user})
        case TeamLeft():
            return structs.replace(team, members=team.members - {event.user})
        case _:
            return team
