"""The door for people: a one-time link becomes a session, and a session ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from api.auth import SESSION_COOKIE, SYSTEM, services_of
from domain.commands import By
from domain.errors import NotFound
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
"""How long a browser stays signed in: a month, as people who share no desk expect."""

_US_PER_S: Final = 1_000_000

_PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get("/welcome/{secret}", include_in_schema=False)
async def welcome(request: Request, secret: str) -> Response:
    """Exchange a one-time link for a session cookie, and go to the first page.

    A link without a user is the first administrator's, who becomes known by using it.
    """
    services = services_of(request)
    links, now = services.credentials.links, services.clock()
    link = await run_in_threadpool(links.use, secret, SIGN_IN, now)
    if link is None:
        raise NotFound("This link was used before, or it is too old. Ask for a new one.")
    user = link.user or await first_administrator(services)
    until = now + SESSION_LASTS_S * _US_PER_S
    opened = await run_in_threadpool(services.credentials.sessions.open, user, now, until)
    answer = RedirectResponse("/", status_code=303, headers=_PRIVATE)
    answer.set_cookie(
        SESSION_COOKIE,
        opened.secret,
        max_age=SESSION_LASTS_S,
        secure=services.locale.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/sign-out", include_in_schema=False)
async def sign_out(request: Request) -> Response:
    """End the session of this browser."""
    services = services_of(request)
    keeper: Doorkeeper = request.app.state.doorkeeper
    await keeper.caller(request)
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie is not None:
        sessions = services.credentials.sessions
        await run_in_threadpool(sessions.close, cookie, services.clock())
        keeper.forget()
    answer = RedirectResponse("/", status_code=303, headers=_PRIVATE)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    return answer


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
        name="Administrator",
    )
    await services.ledger.state(event, By(SYSTEM))
    return user
