"""What is everybody's own: who I am, how Hilo speaks to me, my password, my browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool

from api.answers import nothing
from api.auth import services_of
from api.bodies import Faults, Shape
from api.openapi import answers, body_of
from api.parameters import Query, if_match
from api.people import (
    Shown,
    Text,
    Thing,
    answered,
    body_of_command,
    by_whom,
    plain_name,
    shown_json,
    teams_by_user,
    with_current,
)
from api.people_users import own_department
from api.reads import Look, Task, answer
from api.signing_in import PASSWORD_MAX_CHARS, enter, refuse_weak, where_from
from domain.errors import InvalidInput, NotAllowed, WrongState
from domain.times import TimeError, zone_of
from domain.user import UserChange, UserSettings
from projections.dictionary import USER, TeamName, Word
from projections.painting import by
from projections.shapes import By

if TYPE_CHECKING:
    from api.answers import Json
    from api.auth import Caller, Doorkeeper
    from api.gate import Gate
    from api.services import Services
    from domain.commands import By as Author

router = APIRouter()


class UserView(Struct, frozen=True):
    """The person behind the caller; `department` is their own one."""

    id: str
    name: str
    email: str | None
    role: str | None
    department: Word | None
    teams: list[TeamName]


class Myself(Struct, frozen=True):
    """The caller: a person or none, what they may do, and how they are addressed.

    `language` is null where the person follows their browser; `leads`: they may change teams,
    departments and campaigns.
    """

    actor: By
    user: UserView | None
    scopes: list[str]
    leads: bool
    source: str | None
    language: str | None
    zone: str
    shortcuts: bool
    csrf: str | None


class MePatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a person chooses for themself; what is not named stays, null gives the default back."""

    name: Text | UnsetType = UNSET
    language: Literal["es", "en"] | UnsetType | None = UNSET
    zone: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET
    shortcuts: bool | UnsetType | None = UNSET
    department: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET


class PasswordRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """A new password, and the one until now."""

    current: Annotated[str, Meta(max_length=PASSWORD_MAX_CHARS)]
    new: Annotated[str, Meta(max_length=PASSWORD_MAX_CHARS)]


_PATCH: Final = Shape(MePatch)
_PASSWORD: Final = Shape(PasswordRequest)

STRUCTS: Final = (Myself, MePatch, PasswordRequest)


@router.get("/v1/me", summary="Who I am", responses=answers("Myself", 200))
async def me(request: Request) -> Response:
    """The caller, as Hilo sees them."""

    def prepare(caller: Caller) -> Task:
        def work(look: Look) -> Json:
            return shown_json(look, _myself(look, caller))

        return Task(work, quick=True)

    return await answer(request, Query(request), prepare, scope=None)


@router.patch(
    "/v1/me",
    summary="How Hilo speaks to me",
    openapi_extra=body_of(MePatch),
    responses=answers("Myself", 200),
)
async def patch(request: Request) -> Response:
    """Choose language, zone, shortcuts, one's own department, one's name."""
    services = services_of(request)
    keeper: Doorkeeper = request.app.state.doorkeeper
    caller = await keeper.caller(request)
    raw = await body_of_command(request)
    if caller.user is None:
        raise WrongState("There is no person behind this token.")
    wanted = choices_of(services, _PATCH.read(raw))
    if wanted.name is not None:
        _require_self(caller)
    thing = Thing(lambda look: _myself(look, caller), {"id": str(caller.user)})
    work = services.ledger.people.change(
        caller.user, wanted, by_whom(request, caller, raw), expected=if_match(request)
    )
    receipt = await with_current(request, caller, thing.show, work)
    keeper.forget()
    return await answered(request, caller, receipt, thing)


@router.post(
    "/v1/me/password",
    status_code=204,
    summary="Another password",
    openapi_extra=body_of(PasswordRequest),
)
async def password(request: Request) -> Response:
    """Change one's password; every browser is signed out, and this one in again."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    caller = await keeper.caller(request)
    asked = _PASSWORD.read(await body_of_command(request))
    user = _require_self(caller)
    await change_password(request, user, asked, caller.by())
    answer_ = nothing()
    await enter(request, user, answer_, everywhere_else=True)
    return answer_


async def change_password(request: Request, user: UUID, asked: PasswordRequest, by: Author) -> None:
    """Give a person who knows their password another one. Raises InvalidInput, TooMany, Busy."""
    services = services_of(request)
    gate: Gate = request.app.state.gate
    if not await gate.check_own(user, asked.current, where_from(request)):
        raise InvalidInput.one("current", "wrong", "this is not your password")
    known = services.ledger.people.user(user)
    weak = refuse_weak(asked.new, known.email if known else None)
    if weak is not None:
        raise InvalidInput.one("new", *weak)
    await gate.keep(user, asked.new)
    await services.ledger.people.password_set(user, by)


@router.delete("/v1/me/sessions", status_code=204, summary="Sign out everywhere")
async def sign_out_everywhere(request: Request) -> Response:
    """End every session of the caller, this one too; their tokens stay."""
    services = services_of(request)
    keeper: Doorkeeper = request.app.state.doorkeeper
    caller = await keeper.caller(request)
    Query(request).close()
    user = _require_self(caller)
    sessions = services.credentials.sessions
    await run_in_threadpool(sessions.close_all_of, user, services.clock())
    keeper.forget()
    return nothing()


def _require_self(caller: Caller) -> UUID:
    """The person who is signed in. Raises NotAllowed for programs, and who acts for another."""
    if caller.csrf is None or caller.user is None or caller.plain.on_behalf_of is not None:
        raise NotAllowed("Only the person themself may do this, signed in with a browser.")
    return caller.user


def _myself(look: Look, caller: Caller) -> Shown:
    entry = look.names.one(USER, str(caller.user)) if caller.user else None
    extra = entry.extra if entry else None
    body = Myself(
        actor=by(look.names, caller.actor.kind, caller.actor.id),
        user=_user(look, caller.user) if caller.user else None,
        scopes=sorted(caller.scopes),
        leads=caller.leads,
        source=caller.source,
        language=extra.language if extra else None,
        zone=(extra.zone if extra else None) or look.services.locale.zone,
        shortcuts=extra is None or extra.shortcuts is not False,
        csrf=caller.csrf,
    )
    return Shown(body, extra.version if extra else 0)


def _user(look: Look, user: UUID) -> UserView:
    known = look.names.one(USER, str(user))
    extra = known.extra if known else None
    own = extra.department if extra else None
    return UserView(
        id=str(user),
        name=look.names.user(user).name,
        email=extra.email if extra else None,
        role=extra.role if extra else None,
        department=look.names.department(own) if own else None,
        teams=[look.names.team(team) for team in teams_by_user(look).get(user, ())],
    )


def choices_of(services: Services, asked: MePatch) -> UserChange:
    """The change that a request asks for. Raises InvalidInput."""
    faults = Faults()
    given = {name for name in asked.__struct_fields__ if getattr(asked, name) is not UNSET}
    zone = asked.zone if isinstance(asked.zone, str) and asked.zone else None
    if zone is not None:
        try:
            zone_of(zone)
        except TimeError as error:
            faults.add("zone", error.code, error.message)
    name = plain_name(asked.name, "name", faults) if isinstance(asked.name, str) else None
    department = own_department(services, asked.department, faults)
    if not given:
        faults.add("body", "missing", "name at least one field to change")
    faults.finish()
    settings = UserSettings(
        language=asked.language if isinstance(asked.language, str) else None,
        zone=zone,
        shortcuts=asked.shortcuts if isinstance(asked.shortcuts, bool) else None,
        department=department,
    )
    return UserChange(fields=frozenset(given), name=name, settings=settings)
