"""Settings, Tokens: what programs come in with; made, shown once, revoked."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response

from api.auth import SCOPES, services_of
from api.bodies import Shape
from api.parameters import uuid_of
from api.tokens import TokenRequest, issue, page_of, revoke, token_of
from api.web.addresses import Pages
from api.web.ground import redirect
from api.web.settings import TOKENS, Made, Room, body, keep, show, users
from domain.errors import InvalidInput, NotFound
from domain.times import zone_of
from projections.dictionary import SOURCE
from projections.paging import Ask, binding, read_cursor

if TYPE_CHECKING:
    from api.auth import Caller
    from api.parameters import Query
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.settings import Fill

router = Pages()

ROWS: Final = 50
"""Tokens of a page."""

_NEW: Final = Shape(TokenRequest)


def _ready(query: Query) -> Fill:
    cursor = query.text("cursor")
    bound = binding("pages:tokens")
    ask = Ask(binding=bound, limit=ROWS, mark=read_cursor(bound, cursor))

    def values(look: Look) -> dict[str, Any]:
        page, rows = page_of(look.services, look.names, ask)
        return {
            "tokens": rows,
            "next": page.next,
            "scopes": SCOPES,
            "names": look.names,
            "sources": [(one.key, one.name) for one in look.names.all(SOURCE)],
            "users": users(look),
        }

    return values


ROOM: Final = Room(TOKENS, "settings_tokens.html", _ready, {"issue": ("name", "name-taken")})


@router.get("/settings/tokens")
async def tokens(request: Request) -> Response:
    """The tokens, the newest first; never their secrets."""
    return await show(request, ROOM)


@router.post("/settings/tokens")
async def change(request: Request) -> Response:
    """Make a token, whose secret this page shows once, or revoke one."""

    async def carry(caller: Caller, sent: Sent) -> Made | Response:
        services = services_of(request)
        if sent.one("do") == "revoke":
            id = uuid_of(sent.one("token"))
            if id is None:
                raise NotFound("There is no such token.")
            await revoke(services, id, caller.by())
            request.app.state.doorkeeper.forget()
            return redirect(f"{TOKENS.path}?done=revoked")
        asked = _NEW.read(
            body(
                name=sent.one("name").strip(),
                scopes=sent.many("scopes"),
                source=sent.one("source").strip() or None,
                user=sent.one("user") or None,
                expires_at=_end_of(sent.one("expires_at"), caller.zone or services.locale.zone),
            )
        )
        wanted = token_of(services, asked)
        secret, _ = await issue(services, wanted, caller.by())
        return Made({"made": {"secret": secret, "name": wanted.name, "scopes": wanted.scopes}})

    return await keep(request, ROOM, carry)


def _end_of(text: str, zone: str) -> str | None:
    """When the last day ends on which a token works, in the zone of whoever makes it."""
    if not text:
        return None
    try:
        after = date.fromisoformat(text) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidInput.one("expires_at", "bad_time", "write a day: 2026-11-22") from None
    return datetime.combine(after, time(), zone_of(zone)).isoformat()
