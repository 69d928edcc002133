"""The door for people: what signs somebody in becomes a session, and a session ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from api.auth import SESSION_COOKIE, SYSTEM, services_of
from api.parameters import read_body
from domain.commands import By
from domain.errors import Malformed, NotFound
from domain.events import UserAdded
from domain.staff import user_stream

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Doorkeeper
    from api.services import Services

router = APIRouter()

SIGN_IN: Final = "sign-in"
"""The purpose of a link that signs somebody in."""

SESSION_LASTS_S: Final = 30 * 24 * 3_600
"""How long a browser stays signed in, however busy: a month; unused ones end sooner
(storage/credentials.py)."""

PASSWORD_MIN_CHARS: Final = 10
"""Length of a password at least: with ten tries in 15 minutes nobody guesses it, and argon2
makes a stolen hash of it dear."""

PASSWORD_MAX_CHARS: Final = 256
"""And at most: whole sentences fit, and nobody has us hash a book."""

FORM_MAX_BYTES: Final = 16 * 1024
"""The body of a form: a few fields, their letters percent-encoded."""

FORM_FIELDS_MAX: Final = 20
"""Fields of a form; ours have six."""

_US_PER_S: Final = 1_000_000

FIRST_NAME: Final = "Administrator"
"""What the first administrator is called until they say who they are."""

PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get("/welcome/{secret}", include_in_schema=False)
async def welcome(request: Request, secret: str) -> Response:
    """Exchange a one-time link for a session cookie, and go to the first page.

    A link without a user is the first administrator's, who becomes known by using it, and who
    is led to choose a password until they have one: a link that is lost does not matter then.
    """
    services = services_of(request)
    links, now = services.credentials.links, services.clock()
    link = await run_in_threadpool(links.use, secret, SIGN_IN, now)
    if link is None:
        raise NotFound("This link was used before, or it is too old. Ask for a new one.")
    user = link.user or await first_administrator(services)
    known = services.ledger.people.user(user)
    if known is not None and known.suspended:
        raise NotFound("This link was used before, or it is too old. Ask for a new one.")
    passwords = services.credentials.passwords
    has_password = await run_in_threadpool(passwords.with_password, [user])
    set_up = link.user is None and not has_password
    answer = RedirectResponse("/account" if set_up else "/", status_code=303, headers=PRIVATE)
    await enter(request, user, answer)
    return answer


@router.post("/sign-out", include_in_schema=False)
async def sign_out(request: Request) -> Response:
    """End the session of this browser; with the field `everywhere`, of all of the person's."""
    services = services_of(request)
    keeper: Doorkeeper = request.app.state.doorkeeper
    form = await read_form(request)
    caller = await keeper.caller(request, form.get("csrf"))
    sessions, now = services.credentials.sessions, services.clock()
    cookie = request.cookies.get(SESSION_COOKIE)
    if form.get("everywhere") and caller.csrf is not None and caller.user is not None:
        await run_in_threadpool(sessions.close_all_of, caller.user, now)
    if cookie is not None:
        await run_in_threadpool(sessions.close, cookie, now)
        keeper.forget()
    answer = RedirectResponse("/", status_code=303, headers=PRIVATE)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    return answer


async def enter(
    request: Request, user: UUID, answer: Response, *, everywhere_else: bool = False
) -> None:
    """Sign a browser in: the answer gets a new session's cookie, and an old one's session ends.

    So a secret that somebody slipped in before never becomes a signed-in one. With
    `everywhere_else` all other browsers of the person are signed out.
    """
    services = services_of(request)
    keeper: Doorkeeper = request.app.state.doorkeeper
    sessions, now = services.credentials.sessions, services.clock()
    old = request.cookies.get(SESSION_COOKIE)

    def rotate() -> str:
        if old is not None:
            sessions.close(old, now)
        if everywhere_else:
            sessions.close_all_of(user, now)
        return sessions.open(user, now, now + SESSION_LASTS_S * _US_PER_S).secret

    secret = await run_in_threadpool(rotate)
    keeper.forget()
    answer.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=SESSION_LASTS_S,
        secure=is_secure(services),
        httponly=True,
        samesite="lax",
    )


def is_secure(services: Services) -> bool:
    """Whether people reach Hilo over TLS: then cookies go over nothing else."""
    return services.locale.public_url.startswith("https:")


def where_from(request: Request) -> str:
    """The network address that a request came from."""
    return request.client.host if request.client else ""


def refuse_weak(password: str, email: str | None) -> tuple[str, str] | None:
    """Code and message of what is wrong with a new password; None where nothing is."""
    if len(password) < PASSWORD_MIN_CHARS:
        return "too_short", f"at least {PASSWORD_MIN_CHARS} characters"
    if len(password) > PASSWORD_MAX_CHARS:
        return "too_long", f"at most {PASSWORD_MAX_CHARS} characters"
    plain = password.casefold()
    if len(set(plain)) <= 2 or (email is not None and plain == email.casefold()):  # noqa: PLR2004 - "aaaaaaaaaa", "ababababab"
        return "too_weak", "not your e-mail address, nor a letter or two again and again"
    return None


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, each once; nothing where the body is no form. Raises Malformed."""
    raw = await read_body(request, FORM_MAX_BYTES)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError:
        raise Malformed("The form cannot be read.") from None
    return {name: value.replace("\x00", "") for name, value in pairs}


async def first_administrator(services: Services) -> UUID:
    """The administrator whom nobody invited; written down at the first time."""
    derive = services.ledger.derive
    user = derive.id("administrator")
    event = UserAdded(
        originator_id=user_stream(derive, user),
        originator_version=1,
        actor=SYSTEM,
        user=user,
        sign_in=True,
        role="admin",
        name=FIRST_NAME,
    )
    await services.ledger.state(event, By(SYSTEM))
    return user
