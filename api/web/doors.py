"""The pages at the door: sign-in, invitation, and one's own account; forms without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from api.auth import services_of
from api.bodies import Faults
from api.inviting import INVITATION, hold_email
from api.people import plain_email, plain_name
from api.problems import headers_of, problem_of
from api.reads import written
from api.signing_in import (
    PASSWORD_MAX_CHARS,
    PRIVATE,
    enter,
    read_form,
    refuse_weak,
    where_from,
)
from api.web.forms import (
    FORM_COOKIE,
    Sheet,
    back,
    form_page,
    refused,
    require_our_form,
    stranger_page,
    word,
)
from domain.commands import By
from domain.errors import (
    HiloError,
    InvalidInput,
    NotFound,
    NotSignedIn,
    TooMany,
    WrongState,
)
from domain.events import Actor
from domain.user import User, UserChange

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from api.auth import Caller, Doorkeeper
    from api.gate import Gate
    from api.services import Services

router = APIRouter(include_in_schema=False)

_SECONDS_A_MINUTE: Final = 60
_UNAUTHORISED: Final = 401


def door(request: Request) -> Response:
    """The sign-in form, in place of a page that strangers may not see; it leads back there."""
    path, query = request.url.path, request.url.query
    here = f"{path}?{query}" if query else path
    values: dict[str, Any] = {"email": "", "next": back(here), "wait_min": 0}
    return stranger_page(request, Sheet("door.html", values, status=_UNAUTHORISED))


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
    values = {
        "email": form.get("email", ""),
        "next": back(form.get("next", "/")),
        "wait_min": wait_min,
    }
    sheet = Sheet("door.html", values, word(error), problem_of(error).status)
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
        name = _name(form)
        _require_strong(form, user.email)
        await _use_up(services, secret)
        return await _settle_in(request, user, name, form["password"])
    except NotFound as error:
        return refused(request, error)
    except HiloError as error:
        values = {"name": form.get("name", ""), "email": (user and user.email) or ""}
        sheet = Sheet("invitation.html", values, word(error), problem_of(error).status)
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


# ------------------------------------------------------------------------------ account


@router.get("/account")
async def account_page(request: Request) -> Response:
    """One's own name, e-mail and password; where the first administrator's link leads."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    try:
        caller = await keeper.caller(request)
        user = _self(services_of(request), caller)
    except NotSignedIn:
        return door(request)
    except HiloError as error:
        return refused(request, error)
    return await _account(request, caller, user, Sheet("account.html", _fields_of(user)))


@router.post("/account")
async def account(request: Request) -> Response:
    """Keep name, e-mail and password; a password that is changed asks for the one before."""
    services = services_of(request)
    keeper: Doorkeeper = request.app.state.doorkeeper
    form = await read_form(request)
    try:
        caller = await keeper.caller(request, form.get("csrf") or "none")
        user = _self(services, caller)
    except NotSignedIn:
        return door(request)
    except HiloError as error:
        return refused(request, error)
    try:
        answer = RedirectResponse("/", 303, headers=PRIVATE)
        if await _keep_account(request, user, form):
            await enter(request, user.user, answer, everywhere_else=True)
    except HiloError as error:
        values = {"name": form.get("name", ""), "email": form.get("email") or user.email or ""}
        sheet = Sheet("account.html", values, word(error), problem_of(error).status)
        return await _account(request, caller, user, sheet)
    keeper.forget()
    return answer


async def _keep_account(request: Request, user: User, form: Mapping[str, str]) -> bool:
    """Keep what a person wrote of themself; whether their password is another one now."""
    services, gate = services_of(request), request.app.state.gate
    passwords = services.credentials.passwords
    had_one = bool(await run_in_threadpool(passwords.with_password, [user.user]))
    fields, name = {"name"}, _name(form)
    email = user.email
    if not had_one:  # from then on the address is how they sign in, and administrators change it
        fields, email = {"name", "email"}, _email(form)
    changes_password = not had_one or bool(form.get("password"))
    if changes_password:
        _require_strong(form, email)
        if had_one and not await gate.check_own(
            user.user, form.get("current", ""), where_from(request)
        ):
            raise NotSignedIn("This is not your password.")
    if email is not None:
        _refuse_taken(services, user.user, email)
        await run_in_threadpool(hold_email, services, user.user, email)
    if changes_password:
        await gate.keep(user.user, form["password"])
    by = By(Actor("user", str(user.user)))
    wanted = UserChange(fields=frozenset(fields), name=name, email=email)
    receipt = await services.ledger.people.change(user.user, wanted, by)
    if changes_password:
        receipt = await services.ledger.people.password_set(user.user, by)
    if receipt is not None:
        await written(services, receipt.last)
    return changes_password


async def _account(request: Request, caller: Caller, user: User, sheet: Sheet) -> Response:
    passwords = services_of(request).credentials.passwords
    has_password = bool(await run_in_threadpool(passwords.with_password, [user.user]))
    values = {**sheet.values, "has_password": has_password, "csrf": caller.csrf}
    return form_page(request, Sheet(sheet.template, values, sheet.problem, sheet.status))


def _fields_of(user: User) -> dict[str, Any]:
    return {"name": user.name or "", "email": user.email or ""}


def _self(services: Services, caller: Caller) -> User:
    """The person whose browser it is. Raises NotSignedIn for programs, NotFound."""
    if caller.csrf is None or caller.user is None or caller.plain.on_behalf_of is not None:
        raise NotSignedIn("This page is for a person who is signed in.")
    user = services.ledger.people.user(caller.user)
    if user is None or not user.may_enter:
        raise NotFound("There is no such user.")
    return user


def _refuse_taken(services: Services, user: UUID, email: str) -> None:
    other = services.ledger.people.user_with(email)
    if other is not None and other.user != user:
        raise WrongState("There is a user with this e-mail address already.")


# -------------------------------------------------------------------------------- forms


def _name(form: Mapping[str, str]) -> str:
    faults = Faults()
    name = plain_name(form.get("name", "")[:200], "name", faults)
    faults.finish()
    return name


def _email(form: Mapping[str, str]) -> str:
    faults = Faults()
    email = plain_email(form.get("email", ""), "email", faults)
    faults.finish()
    return email


def _require_strong(form: Mapping[str, str], email: str | None) -> None:
    password = form.get("password", "")
    weak = refuse_weak(password, email)
    if weak is not None:
        raise InvalidInput.one("password", *weak)
    if form.get("again", password) != password:
        raise InvalidInput.one("again", "differs", "type the same password twice")
