"""What people send by forms: read, checked, carried out; then the next page, or a piece of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from fastapi import Request, Response
from msgspec import Struct

from api.auth import services_of
from api.parameters import read_body
from api.reads import written
from api.web.addresses import Pages
from api.web.forms import back
from api.web.ground import closed, redirect
from api.web.making import THEME_COOKIE, THEMES, is_script, maker_of
from domain.errors import CsrfFailed, HiloError, Malformed, NotAllowed, NotSignedIn
from domain.user import UserChange, UserSettings

if TYPE_CHECKING:
    from api.auth import Caller, Doorkeeper

router = Pages()

FORM_MAX_BYTES: Final = 256 * 1024
"""The body of a form: the longest text of ours, its letters percent-encoded."""

FORM_FIELDS_MAX: Final = 400
"""Fields of a form: a page of ticked rows, and what is to be done with them."""

THEME_LASTS_S: Final = 365 * 24 * 3_600
"""How long a browser keeps its choice of light or dark."""


class Sent(Struct, frozen=True):
    """What a form brought; every field may stand several times."""

    fields: dict[str, list[str]]

    def one(self, name: str) -> str:
        """A field; empty where it is not there."""
        return self.fields.get(name, [""])[0]

    def many(self, name: str) -> list[str]:
        """All values of a field."""
        return self.fields.get(name, [])


Act = Callable[["Caller", Sent], Awaitable[Response]]
"""What is done with a form; it answers with a piece, or with `onward`."""


async def carry_out(request: Request, act: Act, *, scope: str | None = "manage") -> Response:
    """Carry a form out. A refusal is a page; for a script a sentence, with its status."""
    maker = maker_of(request)
    keeper: Doorkeeper = request.app.state.doorkeeper
    try:
        sent = await read_sent(request)
        token = sent.one("csrf") or request.headers.get("x-csrf-token") or "none"
        caller = await keeper.caller(request, token)
        _require(caller, scope)
        return await act(caller, sent)
    except NotSignedIn:
        return closed(request)
    except HiloError as error:
        return maker.refusal(request, error)


def _require(caller: Caller, scope: str | None) -> None:
    """Raise unless it is a person in a browser, who may do this; `caller` looked at their token."""
    if caller.csrf is None:
        raise NotSignedIn("Forms are for people who are signed in.")
    if scope is not None and not caller.may(scope):
        raise NotAllowed(f"This needs the scope `{scope}`.")


def onward(sent: Sent, fallback: str = "/") -> Response:
    """Go on to where the form said."""
    return redirect(back(sent.one("next") or fallback))


async def read_sent(request: Request) -> Sent:
    """The fields of a form. Raises Malformed, TooLarge."""
    raw = await read_body(request, FORM_MAX_BYTES)
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FORM_FIELDS_MAX,
        )
    except ValueError:
        raise Malformed("The form cannot be read.") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.replace("\x00", "").replace("\r\n", "\n"))
    return Sent(fields)


# -------------------------------------------------------------------- one's own choices


@router.post("/theme")
async def theme(request: Request) -> Response:
    """Light, dark, or what the system has; kept by the browser, so strangers may choose too."""
    try:
        sent = await read_sent(request)
        if request.headers.get("sec-fetch-site") == "cross-site":
            raise CsrfFailed("This page is too old; load it again.")
    except HiloError as error:
        return maker_of(request).refusal(request, error)
    answer = onward(sent)
    wanted = sent.one("theme")
    if wanted in THEMES:
        answer.set_cookie(THEME_COOKIE, wanted, max_age=THEME_LASTS_S, samesite="lax")
    else:
        answer.delete_cookie(THEME_COOKIE)
    return answer


@router.post("/shortcuts")
async def shortcuts(request: Request) -> Response:
    """Single keys on or off, for oneself."""

    async def act(caller: Caller, sent: Sent) -> Response:
        services = services_of(request)
        if caller.user is None:
            raise NotAllowed("This is for a person who is signed in.")
        settings = UserSettings(shortcuts=sent.one("on") == "true")
        wanted = UserChange(fields=frozenset({"shortcuts"}), settings=settings)
        receipt = await services.ledger.people.change(caller.user, wanted, caller.by())
        if receipt is not None:
            await written(services, receipt.last)
        keeper: Doorkeeper = request.app.state.doorkeeper
        keeper.forget()
        return Response(status_code=204) if is_script(request) else onward(sent)

    return await carry_out(request, act, scope=None)
