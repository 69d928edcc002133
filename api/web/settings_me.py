"""Settings, Me: how Hilo speaks to somebody, their password, and where they are signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import Request, Response
from msgspec import Struct

from api.auth import services_of
from api.bodies import Shape
from api.people_me import MePatch, PasswordRequest, change_password, choices_of
from api.signing_in import PASSWORD_MIN_CHARS, enter
from api.web.addresses import Pages
from api.web.ground import redirect
from api.web.settings import ME, Room, body, departments, keep, settle, show
from domain.errors import FieldError, InvalidInput
from domain.times import format_utc
from projections.dictionary import USER

if TYPE_CHECKING:
    from api.auth import Caller, Doorkeeper
    from api.parameters import Query
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.settings import Fill

router = Pages()

_PATCH: Final = Shape(MePatch)
_PASSWORD: Final = Shape(PasswordRequest)


class BrowserView(Struct, frozen=True):
    """A browser in which somebody is signed in; `here`: the one that asks."""

    since: str
    used: str
    here: bool


def _ready(_: Query) -> Fill:
    return _values


def _values(look: Look) -> dict[str, Any]:
    """What the section shows of the reader."""
    caller, services = look.caller, look.services
    user = caller.user or UUID(int=0)
    known = look.names.one(USER, str(user))
    extra = known.extra if known else None
    credentials = services.credentials
    return {
        "person": known,
        "own": extra,
        "default_zone": services.locale.zone,
        "departments": departments(look, extra.department if extra else None),
        "has_password": bool(credentials.passwords.with_password([user])),
        "min_chars": PASSWORD_MIN_CHARS,
        "browsers": [
            BrowserView(
                format_utc(one.created_at), format_utc(one.seen_at), one.csrf == caller.csrf
            )
            for one in credentials.sessions.of(user, services.clock())
        ],
    }


ROOM: Final = Room(ME, "settings_me.html", _ready)


@router.get("/settings")
async def settings(request: Request) -> Response:
    """The list of sections, and the first of them."""
    return await show(request, ROOM, index=True)


@router.get("/settings/me")
async def me(request: Request) -> Response:
    """What somebody chooses for themself."""
    return await show(request, ROOM)


@router.post("/settings/me")
async def choose(request: Request) -> Response:
    """Name, language, time zone, shortcuts, one's own department."""

    async def carry(caller: Caller, sent: Sent) -> None:
        services = services_of(request)
        fields = {name: sent.one(name) for name in ("name", "zone", "department")}
        asked = _PATCH.read(
            body(
                **fields,
                language=sent.one("language") or None,
                shortcuts=None if sent.one("shortcuts") == "on" else False,
            )
        )
        wanted = choices_of(services, asked)
        await settle(
            services, await services.ledger.people.change(_self(caller), wanted, caller.by())
        )
        _forget(request)

    return await keep(request, ROOM, carry)


@router.post("/settings/me/password")
async def password(request: Request) -> Response:
    """Another password; whoever is signed in elsewhere is signed out there."""

    async def carry(caller: Caller, sent: Sent) -> Response:
        asked = _PASSWORD.read(body(current=sent.one("current"), new=sent.one("password")))
        if sent.one("again") != asked.new:
            raise InvalidInput.one("again", "differs", "type the same password twice")
        try:
            await change_password(request, _self(caller), asked, caller.by())
        except InvalidInput as error:
            raise InvalidInput([_renamed(one) for one in error.errors]) from None
        answer = redirect(f"{ME.path}?done=password")
        await enter(request, _self(caller), answer, everywhere_else=True)
        return answer

    return await keep(request, ROOM, carry)


@router.post("/settings/me/sessions")
async def sessions(request: Request) -> Response:
    """Sign out every browser but this one."""

    async def carry(caller: Caller, _: Sent) -> Response:
        answer = redirect(f"{ME.path}?done=signed-out")
        await enter(request, _self(caller), answer, everywhere_else=True)
        return answer

    return await keep(request, ROOM, carry)


def _renamed(error: FieldError) -> FieldError:
    """What the API calls `new`, the form calls `password`."""
    field = "password" if error.field == "new" else error.field
    return FieldError(field, error.code, error.message)


def _self(caller: Caller) -> UUID:
    return caller.user or UUID(int=0)


def _forget(request: Request) -> None:
    """The next page speaks as was just chosen."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    keeper.forget()
