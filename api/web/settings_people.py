"""Settings, People: who may enter, and as what; invited, changed, kept out, let in again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from api.auth import services_of
from api.bodies import Faults, Shape
from api.inviting import invitation, invite, shut_out
from api.parameters import uuid_in_path
from api.people import known_user, plain_email, plain_name
from api.people_users import UserPatch, UserRequest, change_of, move_email, rows_of
from api.web.addresses import Pages
from api.web.ground import redirect
from api.web.settings import (
    PEOPLE,
    Made,
    Room,
    body,
    departments,
    keep,
    require_administrator,
    settle,
    show,
    users,
)
from domain.errors import InvalidInput
from domain.user import ROLES, NewUser
from projections.dictionary import USER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.auth import Caller
    from api.inviting import InvitationAnswer
    from api.parameters import Query
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.settings import Fill
    from domain.commands import FactReceipt

router = Pages()

ROWS: Final = 100
"""People of a page: most companies have fewer users; imports bring hundreds of names."""

PAGES_MAX: Final = 1_000
"""Pages that an address may name."""

_NEW: Final = Shape(UserRequest)
_PATCH: Final = Shape(UserPatch)

_CHOICES: Final = {"roles": ROLES}


def _ready(query: Query) -> Fill:
    """The users, or the people whom old records name."""
    staff = query.choice("who", ("", "staff"), "") == "staff"
    page = query.number("page", 1, 1, PAGES_MAX)

    def values(look: Look) -> dict[str, Any]:
        everybody = look.names.all(USER)
        found = [one for one in everybody if one.extra.sign_in is not staff]
        rows = rows_of(look, found[(page - 1) * ROWS : page * ROWS])
        return {
            **_CHOICES,
            "people": rows,
            "staff": staff,
            "others": len(everybody) - len(found),
            "page_number": page,
            "more": len(found) > page * ROWS,
        }

    return values


ROOM: Final = Room(PEOPLE, "settings_people.html", _ready, {"invite": ("email", "taken")})


def _person_room(id: UUID) -> Room:
    """The page of one person."""

    def ready(_: Query) -> Fill:
        return partial(_person, id=id)

    states = {"person": ("email", "taken"), "link": ("", "no-link")}
    return Room(PEOPLE, "settings_person.html", ready, states, f"{PEOPLE.path}/{id}")


def _person(look: Look, *, id: UUID) -> dict[str, Any]:
    entry = known_user(look, id)
    row = rows_of(look, [entry])[0]
    return {
        **_CHOICES,
        "person": row,
        "departments": departments(look, row.department.key if row.department else None),
        "users": users(look, row.same_as.id if row.same_as else None),
    }


@router.get("/settings/people")
async def people(request: Request) -> Response:
    """Everybody who may enter, and the form that invites somebody."""
    return await show(request, ROOM)


@router.get("/settings/people/{id}")
async def person(request: Request, id: str) -> Response:
    """One person."""
    return await show(request, _person_room(uuid_in_path(id)))


@router.post("/settings/people")
async def invite_somebody(request: Request) -> Response:
    """Make somebody a user; the page holds a link for them, which is shown this once."""

    async def carry(caller: Caller, sent: Sent) -> Made:
        require_administrator(caller)
        services = services_of(request)
        asked = _NEW.read(
            body(email=sent.one("email"), name=sent.one("name"), role=sent.one("role"))
        )
        faults = Faults()
        email = plain_email(asked.email, "email", faults)
        new = NewUser(email, plain_name(asked.name, "name", faults), asked.role)
        faults.finish()
        id, receipt = await invite(services, new, caller.by())
        link = await invitation(services, id, caller.by())
        await settle(services, receipt)
        return _made(link, new.name)

    return await keep(request, ROOM, carry)


@router.post("/settings/people/{id}")
async def change(request: Request, id: str) -> Response:
    """Do something with one person; the form says what."""
    wanted = uuid_in_path(id)
    doing = {
        "person": _change,
        "link": _renew,
        "suspend": _suspend,
        "restore": _restore,
        "sessions": _sign_out,
        "same": _same,
    }

    async def carry(caller: Caller, sent: Sent) -> Made | Response | None:
        require_administrator(caller)
        do = doing.get(sent.one("form"))
        if do is None:
            raise InvalidInput.one("form", "bad_enum", "nothing of that name can be done")
        return await do(request, caller, wanted, sent)

    return await keep(request, _person_room(wanted), carry)


def _made(link: InvitationAnswer, name: str) -> Made:
    return Made({"made": {"secret": link.invitation, "name": name, "until": link.expires_at}})


async def _change(request: Request, caller: Caller, id: UUID, sent: Sent) -> None:
    """Name, e-mail, role and department of a user; of anybody else the name."""
    named: dict[str, object] = {
        name: sent.one(name) for name in ("name", "email", "department") if name in sent.fields
    }
    role = {"role": sent.one("role") or None} if "role" in sent.fields else {}
    await _keep(request, caller, id, {**named, **role})


async def _same(request: Request, caller: Caller, id: UUID, sent: Sent) -> None:
    """Which user a person of old records is."""
    await _keep(request, caller, id, {"same_as": sent.one("same_as") or None})


async def _keep(request: Request, caller: Caller, id: UUID, fields: Mapping[str, object]) -> None:
    services = services_of(request)
    wanted = change_of(services, _PATCH.read(body(**fields)))
    if wanted.email is not None:
        await move_email(services, id, wanted.email)
    await settle(services, await services.ledger.people.change(id, wanted, caller.by()))
    request.app.state.doorkeeper.forget()


async def _renew(request: Request, caller: Caller, id: UUID, _: Sent) -> Made:
    """A new link, for the first password or another one; earlier links end."""
    services = services_of(request)
    link = await invitation(services, id, caller.by())
    known = services.ledger.people.user(id)
    return _made(link, (known and known.name) or "")


async def _suspend(request: Request, caller: Caller, id: UUID, _: Sent) -> Response:
    services = services_of(request)
    receipt: FactReceipt | None = await shut_out(services, id, caller.by())
    await settle(services, receipt)
    request.app.state.doorkeeper.forget()
    return redirect(f"{PEOPLE.path}/{id}?done=suspended")


async def _restore(request: Request, caller: Caller, id: UUID, _: Sent) -> Response:
    services = services_of(request)
    await settle(services, await services.ledger.people.restore(id, caller.by()))
    return redirect(f"{PEOPLE.path}/{id}?done=restored")


async def _sign_out(request: Request, _: Caller, id: UUID, __: Sent) -> Response:
    """End every session of a user; their tokens stay."""
    services = services_of(request)
    sessions = services.credentials.sessions
    await run_in_threadpool(sessions.close_all_of, id, services.clock())
    request.app.state.doorkeeper.forget()
    return redirect(f"{PEOPLE.path}/{id}?done=signed-out")
