"""Who may see a contact: said by people, and told for any day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from api.answers import Json
from api.auth import admit, services_of
from api.bodies import Faults, Shape
from api.chronicle import author as author_of
from api.idempotency import author
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    Freshness,
    Query,
    if_match,
    read_body,
    read_headers,
    require_type,
    uuid_in_path,
    uuid_of,
)
from api.read_contacts import contact_answer
from api.reads import Look, Task, answer, look, settled, written
from domain.access import OPEN, Access
from domain.contact import contact_stream
from domain.errors import ChangedMeanwhile, NotFound
from domain.events import AccessOpened, AccessRestricted, ContactsMerged, Event, MergeUndone
from domain.times import format_utc
from domain.values import echo
from projections import teams
from projections.access import Granted
from projections.dictionary import TEAM, USER, Person, TeamName
from projections.rendering import encode
from projections.shapes import By

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Found
    from domain import commands
    from domain.commands import FactReceipt
    from domain.ports import Entry

router = APIRouter()

NAMED_MAX: Final = 200
"""Users and teams that one decision may name; whoever has more makes a team."""

Names = Annotated[tuple[Annotated[str, Meta(max_length=320)], ...], Meta(max_length=NAMED_MAX)]


POSITION_DIGITS: Final = 18
"""Digits of a position that are read: more than any log has."""


class AccessRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Who may see a contact. `users` are ids, e-mail addresses or names, `teams` ids or names."""

    mode: Literal["open", "restricted"]
    users: Names = ()
    teams: Names = ()
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class TeamThen(Struct):
    """A team, and who was in it."""

    id: str
    name: str
    members: list[Person]


class Decided(Struct):
    """One decision about who may see a contact; `contact` is the one that it was taken on."""

    position: int
    at: str
    by: By
    contact: str
    mode: str
    users: list[Person]
    teams: list[TeamName]
    reason: str | None


class AccessThen(Struct):
    """Who could see a contact at a position, and by which decisions.

    `walls` are the decisions in force: one must be named in each, as a user or by a team.
    """

    mode: str
    position: int
    walls: list[Decided]
    teams: list[TeamThen]
    history: list[Decided]


_ACCESS: Final = Shape(AccessRequest)


@router.post(
    "/v1/contacts/{id}/access",
    status_code=200,
    summary="Say who may see a contact",
    openapi_extra=body_of(AccessRequest),
    responses=answers("ContactView", 200),
)
async def give_access(request: Request, id: str) -> Response:
    """Restrict a contact to users and teams, or open it to all; with `If-Match`, carefully.

    Of a contact that was merged of several it is decided for all of it.
    """
    services = services_of(request)
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _ACCESS.read(raw)
    by = author(request, caller, raw, services.ledger.derive)
    wanted = uuid_in_path(id)
    found, receipt = await decide(request, caller, (wanted, asked), (by, if_match(request)))
    done = receipt is not None and not receipt.duplicate

    def work(look: Look) -> Json:
        try:
            return contact_answer(look, wanted, duplicate=receipt is not None and not done)
        except NotFound:
            if not done:
                raise
            return _last_sight(look, found)

    return await look(request, caller, Freshness(), work)


async def decide(
    request: Request,
    caller: Caller,
    what: tuple[UUID, AccessRequest],
    how: tuple[commands.By, int | None],
) -> tuple[Found, FactReceipt | None]:
    """Decide who may see a contact: it, and the receipt, None where nothing changed.

    Raises NotFound, InvalidInput, ChangedMeanwhile, KeyReused; the views are waited for.
    """
    services = services_of(request)
    (wanted, asked), (by, expected) = what, how

    def prepare(look: Look) -> tuple[Found, Access]:
        found = look.contact(wanted)
        return found, _access(look, asked, found)

    found, access = await settled(request, caller, prepare)
    try:
        receipt = await services.ledger.contacts.give_access(
            found.id, access, asked.reason, by, expected=expected
        )
    except ChangedMeanwhile:
        now = await look(request, caller, Freshness(), lambda look: contact_answer(look, wanted))
        raise ChangedMeanwhile(msgspec.Raw(now.body)) from None
    if receipt is not None:
        await written(services, receipt.last)
    return found, receipt


def _last_sight(look: Look, found: Found) -> Json:
    """The contact as somebody leaves it who closed it to themselves: it is done, no failure."""
    shown = look.renderer.contact(look.reading, found.id.bytes)
    headers = read_headers(look.position, shown.version if shown else None)
    return Json(encode(shown), 200, headers)


def closed_as(by_now: Granted) -> Access:
    """Who may see what leaves a contact: nobody more than before."""
    if not by_now.parts:
        return OPEN
    users, teams = ([UUID(bytes=id) for id in ids] for ids in (by_now.users, by_now.teams))
    return Access(restricted=True, users=tuple(users), teams=tuple(teams))


def _access(look: Look, asked: AccessRequest, found: Found) -> Access:
    """The decision of a request. Raises InvalidInput."""
    faults = Faults()
    users = [_user(look, text, f"users[{n}]", faults) for n, text in enumerate(asked.users)]
    named = [_team(look, text, f"teams[{n}]", faults) for n, text in enumerate(asked.teams)]
    if asked.mode == "restricted" and not asked.users and not asked.teams:
        faults.add("users", "missing", "name at least one user or team who keeps seeing it")
    if asked.mode == "open" and (asked.users or asked.teams):
        faults.add("mode", "contradiction", "an open contact is seen by all: name nobody")
    if not asked.reason.strip():
        faults.add("reason", "too_short", "say why in a few words")
    faults.finish()
    return Access(
        restricted=asked.mode == "restricted",
        users=tuple(sorted({user for user in users if user})),
        teams=tuple(sorted({team for team in named if team})),
        replaces=tuple(sorted(UUID(bytes=one) for one in found.members if one != found.id.bytes)),
    )


def _user(look: Look, text: str, field: str, faults: Faults) -> UUID | None:
    user = look.services.people.staff_id(text)
    person = look.names.one(USER, str(user)) if user else None
    if person is None or not person.extra.sign_in or not person.active:
        faults.add(field, "unknown", f"{echo(text)} is no user who may sign in")
        return None
    return user


def _team(look: Look, text: str, field: str, faults: Faults) -> UUID | None:
    given = uuid_of(text)
    known = look.names.all(TEAM)
    found = [team for team in known if team.key == str(given) or team.name == text.strip()]
    if not found:
        faults.add(field, "unknown", f"{echo(text)} is no team; write its id or name")
        return None
    return UUID(found[0].key)


# ------------------------------------------------------------------------ on a day


@router.get(
    "/v1/contacts/{id}/access",
    summary="Who may or could see a contact",
    responses=answers("AccessThen", 200),
)
async def access(request: Request, id: str) -> Response:
    """Who could see a contact `as_of` a time or a position, from the log; else who can now."""
    wanted = uuid_in_path(id)
    query = Query(request)
    zone = services_of(request).locale.zone

    def prepare(_: Caller) -> Task:
        as_of = query.text("as_of")
        time = None
        if as_of is not None and not (as_of.isascii() and as_of.isdigit()):
            time = query.as_time("as_of", as_of, zone)

        def work(look: Look) -> Json:
            at = look.position
            if time is not None:
                at = min(at, look.services.log.position_at(time))
            elif as_of is not None:
                at = min(at, int(as_of[:POSITION_DIGITS]))
            then = access_then(look, look.contact(wanted), at)
            return Json(msgspec.json.encode(then), 200, read_headers(look.position))

        return Task(work)

    return await answer(request, query, prepare)


def access_then(look: Look, found: Found, at: int) -> AccessThen:
    """Who could see a contact at a position: from the streams of all its parts then."""
    entries: dict[UUID, list[Entry]] = {}
    parts = _parts(look, found.id, at, entries)
    decisions = [
        (entry, entry.event)
        for part in parts
        for entry in entries[part]
        if entry.position <= at and isinstance(entry.event, AccessRestricted | AccessOpened)
    ]
    decisions.sort(key=lambda one: one[0].position)
    last = {event.contact: (entry, event) for entry, event in decisions}
    walls = [
        (entry, event)
        for entry, event in last.values()
        if isinstance(event, AccessRestricted)
        and not any(
            other.position > entry.position and event.contact in replacing.replaces
            for other, replacing in last.values()
        )
    ]
    named = sorted({team for _, event in walls for team in event.teams})
    return AccessThen(
        mode="restricted" if walls else "open",
        position=at,
        walls=[_decided(look, entry, event) for entry, event in walls],
        teams=[_team_then(look, team, at) for team in named],
        history=[_decided(look, entry, event) for entry, event in decisions],
    )


def _parts(look: Look, contact: UUID, at: int, entries: dict[UUID, list[Entry]]) -> list[UUID]:
    """The contact and all that was merged into it, then; `entries` gets their streams."""
    todo, parts = [contact], []
    while todo:
        part = todo.pop()
        if part in entries:
            continue
        parts.append(part)
        stream = contact_stream(look.services.ledger.derive, part)
        entries[part] = look.services.log.stream(stream)
        merged: dict[UUID, UUID] = {}
        for entry in entries[part]:
            event = entry.event
            if entry.position > at:
                break
            if isinstance(event, ContactsMerged) and event.survivor == part:
                merged[event.merge] = event.absorbed
            elif isinstance(event, MergeUndone):
                merged.pop(event.merge, None)
        todo += merged.values()
    return parts


def _team_then(look: Look, team: UUID, at: int) -> TeamThen:
    known = look.names.team(team)
    members = teams.members_of(look.reading, team.bytes, at)
    return TeamThen(known.id, known.name, [look.names.user(member) for member in members])


def _decided(look: Look, entry: Entry, event: Event) -> Decided:
    if not isinstance(event, AccessRestricted | AccessOpened):
        raise TypeError(entry.topic)
    users, named = (event.users, event.teams) if isinstance(event, AccessRestricted) else ((), ())
    return Decided(
        position=entry.position,
        at=format_utc(entry.recorded_at),
        by=author_of(event, look.names),
        contact=str(event.contact),
        mode="restricted" if isinstance(event, AccessRestricted) else "open",
        users=[look.names.user(one) for one in users],
        teams=[look.names.team(one) for one in named],
        reason=event.reason,
    )
