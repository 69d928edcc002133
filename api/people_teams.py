"""Teams: who works together, now and on any day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, Struct, UnsetType

from api.answers import Json, nothing
from api.auth import SYSTEM, admit_leader, services_of
from api.bodies import Faults, Shape
from api.openapi import answers, body_of
from api.parameters import POSITION_MAX, Query, if_match, read_headers, uuid_in_path
from api.people import (
    Ref,
    Shown,
    Text,
    Thing,
    answered,
    body_of_command,
    by_whom,
    entry_of,
    listed,
    page_json,
    page_of,
    person_of,
    plain_name,
    shown_json,
    user_named,
    with_current,
)
from api.reads import Task, answer, written
from domain import team as teams_of_log
from domain.errors import NotFound
from domain.events import TeamAdded, TeamJoined, TeamLeft, TeamNamed
from domain.team import team_stream
from domain.times import format_utc
from projections.dictionary import TEAM, Named, Person
from projections.painting import by
from projections.shapes import By as ByView
from projections.teams import stays

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.auth import Caller
    from api.reads import Look
    from domain.ports import Entry

router = APIRouter()


class TeamRow(Struct, frozen=True):
    """A team. One that is not `active` is not offered in forms any more."""

    id: str
    name: str
    active: bool
    members: list[Person]
    version: int


class TeamPage(Struct):
    """Teams, the first come first, and the cursors of the pages beside them."""

    items: list[TeamRow]
    next: str | None
    prev: str | None


class TeamThen(Struct, frozen=True):
    """A team as it was at a moment; names of people are those of now."""

    id: str
    name: str
    active: bool
    members: list[Person]
    version: int
    as_of: str
    position: int


class TeamHappening(Struct, frozen=True):
    """What happened to a team; `user` is who joined or left."""

    position: int
    event: str
    at: str
    by: ByView
    user: Person | None
    name: str | None
    active: bool | None


class TeamHistory(Struct):
    """All that happened to a team, in order; one page."""

    items: list[TeamHappening]
    next: None = None
    prev: None = None


class TeamRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """A team to make."""

    name: Text


class TeamPatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is changed of a team; what is not named stays."""

    name: Text | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class MemberRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """A user (id or e-mail address) who joins."""

    user: Ref


_TEAM: Final = Shape(TeamRequest)
_PATCH: Final = Shape(TeamPatch)
_MEMBER: Final = Shape(MemberRequest)

STRUCTS: Final = (
    TeamRow,
    TeamPage,
    TeamThen,
    TeamHistory,
    TeamRequest,
    TeamPatch,
    MemberRequest,
)

# ------------------------------------------------------------------------------ reading


@router.get("/v1/teams", summary="Teams", responses=answers("TeamPage", 200))
async def teams(request: Request) -> Response:
    """Teams with their members; `active=true` those that forms offer."""
    query = Query(request)

    def prepare(_: Caller) -> Task:
        active = query.flag("active")
        asked = listed(query, "teams", active)

        def work(look: Look) -> Json:
            found = [one for one in look.names.all(TEAM) if active in {None, one.active}]
            page = page_of(asked, found)
            return page_json(rows_of(look, page.rows), page, look)

        return Task(work)

    return await answer(request, query, prepare)


@router.get("/v1/teams/{id}", summary="One team", responses=answers("TeamRow", 200))
async def team(request: Request, id: str) -> Response:
    """One team; with `as_of` (a time or a position) who was in it then, by the log."""
    wanted = uuid_in_path(id)
    query = Query(request)
    zone = services_of(request).locale.zone

    def prepare(caller: Caller) -> Task:
        text = query.text("as_of")
        position, at = _moment(query, text, caller.zone or zone)

        def work(look: Look) -> Json:
            if text is None:
                return shown_json(look, shown(look, wanted))
            then = _then(look, wanted, position, at)
            return Json(msgspec.json.encode(then), 200, read_headers(look.position))

        return Task(work)

    return await answer(request, query, prepare)


@router.get(
    "/v1/teams/{id}/history", summary="A team's history", responses=answers("TeamHistory", 200)
)
async def history(request: Request, id: str) -> Response:
    """Who joined and left, when, and by whose hand; all of it, in order."""
    wanted = uuid_in_path(id)

    def prepare(_: Caller) -> Task:
        def work(look: Look) -> Json:
            found = [_happening(look, entry) for entry in _entries(look, wanted)]
            body = msgspec.json.encode(TeamHistory(found))
            return Json(body, 200, read_headers(look.position))

        return Task(work)

    return await answer(request, Query(request), prepare)


def shown(look: Look, id: UUID) -> Shown:
    """A team as an answer shows it. Raises NotFound."""
    found = entry_of(look, TEAM, str(id))
    return Shown(rows_of(look, [found])[0], found.extra.version)


def rows_of(look: Look, entries: list[Named]) -> list[TeamRow]:
    """Teams as answers show them, with their members."""
    members: dict[UUID, list[UUID]] = {}
    for person, team in stays(look.reading):
        members.setdefault(UUID(bytes=bytes(team)), []).append(UUID(bytes=bytes(person)))
    return [
        TeamRow(
            id=one.key,
            name=one.name,
            active=one.active,
            members=_people(look, members.get(UUID(one.key), ())),
            version=one.extra.version,
        )
        for one in entries
    ]


def _people(look: Look, users: Iterable[UUID]) -> list[Person]:
    found = [person_of(look, one) for one in users]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def _moment(query: Query, text: str | None, zone: str) -> tuple[int | None, int | None]:
    """The position or the time (µs) that `as_of` names."""
    if text is None:
        return None, None
    if text.isascii() and text.isdigit() and len(text) <= len(str(POSITION_MAX)):
        return min(int(text), POSITION_MAX), None
    return None, query.as_time("as_of", text, zone)


def _entries(look: Look, id: UUID) -> list[Entry]:
    """What the log says of a team. Raises NotFound."""
    log, derive = look.services.log, look.services.ledger.derive
    entries = log.stream(team_stream(derive, id))
    if not entries:
        raise NotFound("There is no such team.")
    return entries


def _then(look: Look, id: UUID, position: int | None, at: int | None) -> TeamThen:
    """A team as the log had it at a position or time. Raises NotFound: there was none yet."""
    known = [
        entry
        for entry in _entries(look, id)
        if (position is None or entry.position <= position)
        and (at is None or entry.recorded_at <= at)
    ]
    found = teams_of_log.project(None, [entry.event for entry in known])
    if found is None:
        raise NotFound("There was no such team yet, then.")
    last = known[-1]
    return TeamThen(
        id=str(found.team),
        name=found.name or str(found.team),
        active=found.active,
        members=_people(look, found.members),
        version=found.version,
        as_of=format_utc(last.recorded_at if at is None else at),
        position=last.position,
    )


def _happening(look: Look, entry: Entry) -> TeamHappening:
    event = entry.event
    actor = getattr(event, "actor", SYSTEM)
    return TeamHappening(
        position=entry.position,
        event=entry.topic,
        at=format_utc(entry.recorded_at),
        by=by(look.names, actor.kind, actor.id),
        user=person_of(look, event.user) if isinstance(event, TeamJoined | TeamLeft) else None,
        name=event.name if isinstance(event, TeamAdded | TeamNamed) else None,
        active=event.active if isinstance(event, TeamNamed) else None,
    )


# ----------------------------------------------------------------------------- commands


@router.post(
    "/v1/teams",
    status_code=201,
    summary="Make a team",
    openapi_extra=body_of(TeamRequest),
    responses=answers("TeamRow", 200, 201),
)
async def create(request: Request) -> Response:
    """Make a team, which nobody is in yet."""
    services = services_of(request)
    caller = await admit_leader(request)
    raw = await body_of_command(request)
    asked, faults = _TEAM.read(raw), Faults()
    name = plain_name(asked.name, "name", faults)
    faults.finish()
    id, receipt = await services.ledger.teams.add(name, by_whom(request, caller, raw))
    thing = Thing(lambda look: shown(look, id), {"id": str(id)}, f"/v1/teams/{id}")
    return await answered(request, caller, receipt, thing)


@router.patch(
    "/v1/teams/{id}",
    summary="Rename a team, or take it out of forms",
    openapi_extra=body_of(TeamPatch),
    responses=answers("TeamRow", 200),
)
async def patch(request: Request, id: str) -> Response:
    """Give a team another name, or say whether forms offer it."""
    services = services_of(request)
    caller = await admit_leader(request)
    raw = await body_of_command(request)
    asked, faults = _PATCH.read(raw), Faults()
    name = plain_name(asked.name, "name", faults) if isinstance(asked.name, str) else None
    active = asked.active if isinstance(asked.active, bool) else None
    if name is None and active is None:
        faults.add("body", "missing", "name at least one field to change")
    faults.finish()
    wanted, by_them = uuid_in_path(id), by_whom(request, caller, raw)
    work = services.ledger.teams.name(wanted, (name, active), by_them, expected=if_match(request))
    thing = Thing(lambda look: shown(look, wanted), {"id": str(wanted)})
    receipt = await with_current(request, caller, thing.show, work)
    return await answered(request, caller, receipt, thing)


@router.post(
    "/v1/teams/{id}/members",
    summary="Put a user into a team",
    openapi_extra=body_of(MemberRequest),
    responses=answers("TeamRow", 200),
)
async def join(request: Request, id: str) -> Response:
    """A user joins; who is in it already stays."""
    services = services_of(request)
    caller = await admit_leader(request)
    raw = await body_of_command(request)
    asked, faults = _MEMBER.read(raw), Faults()
    user = user_named(services, asked.user, "user", faults)
    faults.finish()
    wanted, by_them = uuid_in_path(id), by_whom(request, caller, raw)
    work = services.ledger.teams.join(wanted, user or wanted, by_them, expected=if_match(request))
    thing = Thing(lambda look: shown(look, wanted), {"id": str(wanted)})
    receipt = await with_current(request, caller, thing.show, work)
    return await answered(request, caller, receipt, thing)


@router.delete(
    "/v1/teams/{id}/members/{user}", status_code=204, summary="Take a user out of a team"
)
async def leave(request: Request, id: str, user: str) -> Response:
    """A user leaves; who is not in it stays out, without a trace."""
    services = services_of(request)
    caller = await admit_leader(request)
    Query(request).close()
    wanted, by_them = uuid_in_path(id), by_whom(request, caller, b"")
    work = services.ledger.teams.leave(
        wanted, uuid_in_path(user), by_them, expected=if_match(request)
    )
    receipt = await with_current(request, caller, lambda look: shown(look, wanted), work)
    if receipt is not None:
        await written(services, receipt.last)
    return nothing()
