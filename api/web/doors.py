"""The pages at the door: sign-in, invitation, the first coming; forms that need no scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from msgspec import structs
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from api.auth import services_of
from api.bodies import Faults
from api.inviting import INVITATION, hold_email
from api.people import NAME_MAX_CHARS, plain_email, plain_name
from api.problems import headers_of
from api.reads import written
from api.signing_in import (
    FIRST_NAME,
    PASSWORD_MAX_CHARS,
    PRIVATE,
    enter,
    read_form,
    refuse_weak,
    where_from,
)
from api.web.addresses import Pages
from api.web.forms import (
    FORM_COOKIE,
    Held,
    Sheet,
    back,
    form_page,
    held_of,
    refused,
    require_our_form,
    stranger_page,
)
from domain.commands import By
from domain.errors import (
    HiloError,
    NotFound,
    NotSignedIn,
    TooMany,
    WrongState,
)
from domain.events import Actor
from domain.user import User, UserChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.auth import Caller, Doorkeeper
    from api.gate import Gate
    from api.services import Services

router = Pages()

_SECONDS_A_MINUTE: Final = 60
_UNAUTHORISED: Final = 401


def door(request: Request) -> Response:
    """The sign-in form, in place of a page that strangers may not see; it leads back there."""
    path, query = request.url.path, request.url.query
    here = f"{path}?{query}" if query else path
    values: dict[str, Any] = {"email": "", "next": back(here), "wait_min": 0}
    return stranger_page(request, Sheet("door.html", values, Held(status=_UNAUTHORISED)))


# ------------------------------------------------------------------------------ sign-in


@router.get("/sign-in")
async def sign_in_page(request: Request) -> Response:
    """The sign-in form; who is signed in goes on."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    onwards = back(request.query_params.get("next", "/"))
    if await keeper.optional(request) is not None:
        return RedirectResponse(onwards, 303, headers=PRIVATE)
    values = {"email": "", "next": onwards, "wait_min": 0}
    return stranger_page(request, Sheet("door.html", values))


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Sign somebody in by e-mail and password; every mistake has one answer."""
    gate: Gate = request.app.state.gate
    form: dict[str, str] = {}
    try:
        form = await read_form(request)
        require_our_form(request, form)
        password = form.get("password", "")[:PASSWORD_MAX_CHARS]
        user = await gate.check(form.get("email", ""), password, where_from(request))
        known = services_of(request).ledger.people.user(user) if user else None
        if user is None or known is None or not known.may_enter:
            raise NotSignedIn("No user has this e-mail address and password.")
    except HiloError as error:
        return _again(request, form, error)
    answer = RedirectResponse(back(form.get("next", "/")), 303, headers=PRIVATE)
    await enter(request, user, answer)
    answer.delete_cookie(FORM_COOKIE, path="/")
    return answer


def _again(request: Request, form: Mapping[str, str], error: HiloError) -> Response:
    """The form once more, with what is to be said."""
    wait_min = 0
    if isinstance(error, TooMany):
        wait_min = -(-error.retry_after_s // _SECONDS_A_MINUTE)
    values = {"email": "", "next": back(form.get("next", "/")), "wait_min": wait_min}
    sheet = Sheet("door.html", values, held_of(error, "", {"email": form.get("email", "")}))
    return stranger_page(request, sheet, headers_of(error))


# --------------------------------------------------------------------------- invitation


@router.get("/invitation/{secret}")
async def invitation_page(request: Request, secret: str) -> Response:
    """Name and password of somebody who was invited, or who needs a new password."""
    services = services_of(request)
    try:
        user = await _invited(services, secret)
    except NotFound as error:
        return refused(request, error)
    values = {"name": user.name or "", "email": user.email or ""}
    return stranger_page(request, Sheet("invitation.html", values))


@router.post("/invitation/{secret}")
async def accept(request: Request, secret: str) -> Response:
    """Set name and password, and sign in; the link is used up by what goes well."""
    services = services_of(request)
    form: dict[str, str] = {}
    user: User | None = None
    try:
        form = await read_form(request)
        user = await _invited(services, secret)
        require_our_form(request, form)
        faults = Faults()
        name = plain_name(form.get("name", "")[:NAME_MAX_CHARS], "name", faults)
        _look_at_password(form, user.email, faults)
        faults.finish()
        await _use_up(services, secret)
        return await _settle_in(request, user, name, form["password"])
    except NotFound as error:
        return refused(request, error)
    except HiloError as error:
        values = {"name": "", "email": (user and user.email) or ""}
        held = held_of(error, "", {"name": form.get("name", "")})
        sheet = Sheet("invitation.html", values, held)
        return stranger_page(request, sheet, headers_of(error))


async def _use_up(services: Services, secret: str) -> None:
    """Use an invitation up. Raises NotFound: somebody did meanwhile, or it is too old now."""
    links, now = services.credentials.links, services.clock()
    if await run_in_threadpool(links.use, secret, INVITATION, now) is None:
        raise NotFound("This link was used before, or it is too old. Ask for a new one.")


async def _settle_in(request: Request, user: User, name: str, password: str) -> Response:
    """Keep what somebody chose, sign them out elsewhere and in here."""
    services = services_of(request)
    gate: Gate = request.app.state.gate
    await run_in_threadpool(hold_email, services, user.user, user.email or "")
    await gate.keep(user.user, password)
    by = By(Actor("user", str(user.user)))
    wanted = UserChange(fields=frozenset({"name"}), name=name)
    await services.ledger.people.change(user.user, wanted, by)
    receipt = await services.ledger.people.password_set(user.user, by)
    await written(services, receipt.last)
    answer = RedirectResponse("/", 303, headers=PRIVATE)
    await enter(request, user.user, answer, everywhere_else=True)
    answer.delete_cookie(FORM_COOKIE, path="/")
    return answer


async def _invited(services: Services, secret: str) -> User:
    """Whom an invitation is for. Raises NotFound: used, too old, or they may not enter."""
    links, now = services.credentials.links, services.clock()
    link = await run_in_threadpool(links.find, secret, INVITATION, now)
    user = services.ledger.people.user(link.user) if link and link.user else None
    if user is None or not user.may_enter:
        raise NotFound("This link was used before, or it is too old. Ask for a new one.")
    return user


# ------------------------------------------------------------------------- first coming


@router.get("/account")
async def account_page(request: Request) -> Response:
    """Where the first administrator's link leads: name, e-mail and password to come back with."""
    try:
        caller, user = await _self(request)
    except NotSignedIn:
        return door(request)
    except HiloError as error:
        return refused(request, error)
    if await _has_password(request, user):
        return RedirectResponse("/settings/me", 303, headers=PRIVATE)
    known = "" if user.name == FIRST_NAME else user.name or ""
    values = {"name": known, "email": user.email or "", "csrf": caller.csrf}
    return form_page(request, Sheet("account.html", values))


@router.post("/account")
async def account(request: Request) -> Response:
    """Keep name, e-mail and password of somebody who has no password yet."""
    form = await read_form(request)
    try:
        caller, user = await _self(request, form.get("csrf") or "none")
    except NotSignedIn:
        return door(request)
    except HiloError as error:
        return refused(request, error)
    if await _has_password(request, user):
        return RedirectResponse("/settings/me", 303, headers=PRIVATE)
    try:
        answer = RedirectResponse("/", 303, headers=PRIVATE)
        await _keep_account(request, user, form)
        await enter(request, user.user, answer, everywhere_else=True)
    except HiloError as error:
        held = held_of(error, "", {"name": form.get("name", ""), "email": form.get("email", "")})
        if isinstance(error, WrongState):
            held = structs.replace(held, errors={"email": "taken"}, problem="fields")
        values = {"name": "", "email": "", "csrf": caller.csrf}
        return form_page(request, Sheet("account.html", values, held))
    return answer


async def _keep_account(request: Request, user: User, form: Mapping[str, str]) -> None:
    """Keep what somebody wrote of themself. Raises InvalidInput, WrongState: taken."""
    services, gate = services_of(request), request.app.state.gate
    faults = Faults()
    name = plain_name(form.get("name", "")[:NAME_MAX_CHARS], "name", faults)
    email = plain_email(form.get("email", ""), "email", faults)
    _look_at_password(form, email, faults)
    faults.finish()
    other = services.ledger.people.user_with(email)
    if other is not None and other.user != user.user:
        raise WrongState("There is a user with this e-mail address already.")
    await run_in_threadpool(hold_email, services, user.user, email)
    await gate.keep(user.user, form["password"])
    by = By(Actor("user", str(user.user)))
    wanted = UserChange(fields=frozenset({"name", "email"}), name=name, email=email)
    await services.ledger.people.change(user.user, wanted, by)
    receipt = await services.ledger.people.password_set(user.user, by)
    await written(services, receipt.last)


async def _has_password(request: Request, user: User) -> bool:
    passwords = services_of(request).credentials.passwords
    return bool(await run_in_threadpool(passwords.with_password, [user.user]))


async def _self(request: Request, csrf: str | None = None) -> tuple[Caller, User]:
    """The person whose browser it is. Raises NotSignedIn for programs, CsrfFailed, NotFound."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    caller = await keeper.caller(request, csrf)
    if caller.csrf is None or caller.user is None or caller.plain.on_behalf_of is not None:
        raise NotSignedIn("This page is for a person who is signed in.")
    user = services_of(request).ledger.people.user(caller.user)
    if user is None or not user.may_enter:
        raise NotFound("There is no such user.")
    return caller, user


# -------------------------------------------------------------------------------- forms


def _look_at_password(form: Mapping[str, str], email: str | None, faults: Faults) -> None:
    """Add what is wrong with a new password, or with its repetition."""
    password = form.get("password", "")
    weak = refuse_weak(password, email)
    if weak is not None:
        faults.add("password", *weak)
    elif form.get("again", password) != password:
        faults.add("again", "differs", "type the same password twice")
