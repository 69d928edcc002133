"""Users: who may enter, and as what; invited, changed, suspended, restored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool

from api.answers import Json, json_answer, nothing
from api.auth import admit, services_of
from api.bodies import Faults, Shape
from api.inviting import InvitationAnswer, hold_email, invitation, invite, shut_out
from api.openapi import answers, body_of
from api.parameters import Query, if_match, uuid_in_path
from api.people import (
    Email,
    Ref,
    Shown,
    Text,
    Thing,
    answered,
    body_of_command,
    by_whom,
    known_user,
    listed,
    page_json,
    page_of,
    person_of,
    plain_email,
    plain_name,
    shown_json,
    teams_by_user,
    user_named,
    with_current,
)
from api.reads import Task, answer, settled
from domain.errors import WrongState
from domain.user import ROLES, NewUser, UserChange, UserSettings
from domain.values import dictionary_key
from domain.word import DEPARTMENT
from projections.dictionary import USER, Named, Person, TeamName, Word

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from api.auth import Caller
    from api.reads import Look
    from api.services import Services
    from domain.commands import FactReceipt

router = APIRouter()

RoleName = Literal["admin", "manager", "agent", "auditor"]


class UserRow(Struct, frozen=True):
    """A person of the company. `state`: invited, active, suspended, or person (no sign-in).

    `same_as` is the user whom a person without sign-in was declared to be. `department`,
    `language` and `zone` are what they chose, null where they did not.
    """

    id: str
    name: str
    email: str | None
    sign_in: bool
    role: str | None
    state: str
    department: Word | None
    language: str | None
    zone: str | None
    shortcuts: bool
    teams: list[TeamName]
    same_as: Person | None
    version: int


class InvitedUser(UserRow, frozen=True, kw_only=True):
    """A user who was just invited, with the one-time link that is shown this once."""

    invitation: str
    expires_at: str


class UserPage(Struct):
    """People, the first come first, and the cursors of the pages beside them."""

    items: list[UserRow]
    next: str | None
    prev: str | None


class UserRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Somebody to invite."""

    email: Email
    name: Text
    role: RoleName


class UserPatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is changed of a user; what is not named stays.

    `role` null takes the role away. `department` is the user's own, by key or name. `same_as`
    says which user (id or e-mail) a person without sign-in is; null takes that back.
    """

    name: Text | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    role: RoleName | UnsetType | None = UNSET
    department: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    same_as: Ref | UnsetType | None = UNSET


_USER: Final = Shape(UserRequest)
_PATCH: Final = Shape(UserPatch)

STRUCTS: Final = (UserRow, InvitedUser, UserPage, UserRequest, UserPatch, InvitationAnswer)

# ------------------------------------------------------------------------------ reading


@router.get("/v1/users", summary="People of the company", responses=answers("UserPage", 200))
async def users(request: Request) -> Response:
    """Users, and with `sign_in=false` the people without sign-in; the first come first."""
    query = Query(request)

    def prepare(_: Caller) -> Task:
        sign_in, active = query.flag("sign_in"), query.flag("active")
        role = query.choice("role", ("", *ROLES), "")
        asked = listed(query, "users", sign_in, active, role)

        def work(look: Look) -> Json:
            found = [
                one
                for one in look.names.all(USER)
                if sign_in in {None, one.extra.sign_in}
                and active in {None, one.active}
                and role in {"", one.extra.role}
            ]
            page = page_of(asked, found)
            return page_json(rows_of(look, page.rows), page, look)

        return Task(work)

    return await answer(request, query, prepare)


@router.get("/v1/users/{id}", summary="One person", responses=answers("UserRow", 200))
async def user(request: Request, id: str) -> Response:
    """One person of the company."""
    wanted = uuid_in_path(id)

    def prepare(_: Caller) -> Task:
        return Task(lambda look: shown_json(look, shown(look, wanted)))

    return await answer(request, Query(request), prepare)


def shown(look: Look, id: UUID) -> Shown:
    """A person as an answer shows them. Raises NotFound."""
    found = known_user(look, id)
    return Shown(rows_of(look, [found])[0], found.extra.version)


def rows_of(look: Look, entries: list[Named]) -> list[UserRow]:
    """People as answers show them."""
    teams = teams_by_user(look)
    ids = [UUID(one.key) for one in entries]
    with_password = look.services.credentials.passwords.with_password(ids)
    return [
        UserRow(
            id=one.key,
            name=one.name,
            email=one.extra.email,
            sign_in=one.extra.sign_in,
            role=one.extra.role,
            state=_state(one, has_password=id in with_password),
            department=look.names.department(one.extra.department)
            if one.extra.department
            else None,
            language=one.extra.language,
            zone=one.extra.zone,
            shortcuts=one.extra.shortcuts is not False,
            teams=[look.names.team(team) for team in teams.get(id, ())],
            same_as=person_of(look, one.extra.into) if one.extra.into else None,
            version=one.extra.version,
        )
        for id, one in zip(ids, entries, strict=True)
    ]


def _state(entry: Named, *, has_password: bool) -> str:
    if not entry.extra.sign_in:
        return "person"
    if not entry.active:
        return "suspended"
    return "active" if has_password else "invited"


# ----------------------------------------------------------------------------- inviting


@router.post(
    "/v1/users",
    status_code=201,
    summary="Invite a user",
    openapi_extra=body_of(UserRequest),
    responses=answers("InvitedUser", 200, 201),
)
async def create(request: Request) -> Response:
    """Make somebody a user; the answer holds a link for them, which is shown this once."""
    services = services_of(request)
    caller = await admit(request, "admin")
    raw = await body_of_command(request)
    asked = _USER.read(raw)
    faults = Faults()
    new = NewUser(
        plain_email(asked.email, "email", faults),
        plain_name(asked.name, "name", faults),
        asked.role,
    )
    faults.finish()
    id, receipt = await invite(services, new, by_whom(request, caller, raw))
    link = None if receipt.duplicate else await invitation(services, id, caller.by())

    def show(look: Look) -> Shown:
        row = shown(look, id)
        if link is None or not isinstance(row.body, UserRow):
            return row
        fields = {name: getattr(row.body, name) for name in UserRow.__struct_fields__}
        more = InvitedUser(**fields, invitation=link.invitation, expires_at=link.expires_at)
        return Shown(more, row.version)

    key = {"id": str(id), **({"invitation": link.invitation} if link else {})}
    return await answered(request, caller, receipt, Thing(show, key, f"/v1/users/{id}"))


@router.post(
    "/v1/users/{id}/invitation",
    status_code=201,
    summary="A new link for a user",
    responses=answers("InvitationAnswer", 201),
)
async def renew(request: Request, id: str) -> Response:
    """A one-time link to set a password, the first or a new one; earlier links end."""
    services = services_of(request)
    caller = await admit(request, "admin")
    raw = await body_of_command(request)
    wanted = uuid_in_path(id)
    await settled(request, caller, lambda look: known_user(look, wanted))
    made = await invitation(services, wanted, by_whom(request, caller, raw))
    return json_answer(made, 201)


# ----------------------------------------------------------------------------- changing


@router.patch(
    "/v1/users/{id}",
    summary="Change a user",
    openapi_extra=body_of(UserPatch),
    responses=answers("UserRow", 200),
)
async def patch(request: Request, id: str) -> Response:
    """Change name, e-mail or role, or say who a person without sign-in is."""
    services = services_of(request)
    caller = await admit(request, "admin")
    raw = await body_of_command(request)
    wanted = change_of(services, _PATCH.read(raw))
    person = uuid_in_path(id)
    if wanted.email is not None:
        await move_email(services, person, wanted.email)
    by = by_whom(request, caller, raw)
    people, expected = services.ledger.people, if_match(request)
    return await _change(
        request, caller, person, lambda: people.change(person, wanted, by, expected=expected)
    )


@router.post("/v1/users/{id}/suspend", summary="Keep a user out", responses=answers("UserRow", 200))
async def suspend(request: Request, id: str) -> Response:
    """Suspend a user: within a second no session or token of theirs opens anything."""
    services = services_of(request)
    caller = await admit(request, "admin")
    raw = await body_of_command(request)
    person, by, expected = uuid_in_path(id), by_whom(request, caller, raw), if_match(request)

    async def work() -> FactReceipt | None:
        return await shut_out(services, person, by, expected=expected)

    done = await _change(request, caller, person, work)
    request.app.state.doorkeeper.forget()
    return done


@router.post(
    "/v1/users/{id}/restore", summary="Let a user in again", responses=answers("UserRow", 200)
)
async def restore(request: Request, id: str) -> Response:
    """Restore a suspended user, with the role that they had; they sign in anew."""
    services = services_of(request)
    caller = await admit(request, "admin")
    raw = await body_of_command(request)
    person, by, expected = uuid_in_path(id), by_whom(request, caller, raw), if_match(request)
    people = services.ledger.people
    return await _change(
        request, caller, person, lambda: people.restore(person, by, expected=expected)
    )


@router.delete("/v1/users/{id}/sessions", status_code=204, summary="Sign a user out everywhere")
async def sign_out(request: Request, id: str) -> Response:
    """End every session of a user; their tokens stay."""
    services = services_of(request)
    caller = await admit(request, "admin")
    Query(request).close()
    person = uuid_in_path(id)
    await settled(request, caller, lambda look: known_user(look, person))
    sessions = services.credentials.sessions
    await run_in_threadpool(sessions.close_all_of, person, services.clock())
    request.app.state.doorkeeper.forget()
    return nothing()


async def _change(
    request: Request,
    caller: Caller,
    person: UUID,
    work: Callable[[], Awaitable[FactReceipt | None]],
) -> Json:
    """Do what a command asks of a person; the person as they are then."""

    def show(look: Look) -> Shown:
        return shown(look, person)

    receipt = await with_current(request, caller, show, work())
    return await answered(request, caller, receipt, Thing(show, {"id": str(person)}))


async def move_email(services: Services, person: UUID, email: str) -> None:
    """Have the key store know a user by another e-mail address. Raises WrongState."""
    found = services.ledger.people.user(person)
    if found is None or not found.sign_in or found.email == email:
        return
    other = services.ledger.people.user_with(email)
    if other is not None and other.user != person:
        raise WrongState("There is a user with this e-mail address already.")
    await run_in_threadpool(hold_email, services, person, email)


def change_of(services: Services, asked: UserPatch) -> UserChange:
    """The change that a request asks for. Raises InvalidInput."""
    faults = Faults()
    given = {name for name in asked.__struct_fields__ if getattr(asked, name) is not UNSET}
    name = plain_name(asked.name, "name", faults) if isinstance(asked.name, str) else None
    email = plain_email(asked.email, "email", faults) if isinstance(asked.email, str) else None
    same_as = asked.same_as
    into = user_named(services, same_as, "same_as", faults) if isinstance(same_as, str) else None
    department = own_department(services, asked.department, faults)
    if not given:
        faults.add("body", "missing", "name at least one field to change")
    faults.finish()
    return UserChange(
        fields=frozenset({"into" if field == "same_as" else field for field in given}),
        name=name,
        email=email,
        role=asked.role if isinstance(asked.role, str) else None,
        into=into,
        settings=UserSettings(department=department),
    )


def own_department(services: Services, text: str | UnsetType | None, faults: Faults) -> str | None:
    """The key of a department that there is; None where none is named."""
    if not isinstance(text, str) or not text.strip():
        return None
    key = dictionary_key(text)
    if services.ledger.words.word(DEPARTMENT, key) is None:
        faults.add("department", "unknown", "there is no such department")
    return key
