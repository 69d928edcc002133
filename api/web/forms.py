"""Pages with forms, and what was wrong with what was sent.

Whoever is not signed in shows with a form that the page came from here: a cookie that only we
set, and in the form a code of it under the ledger's secret.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from msgspec import Struct

from api.auth import services_of
from api.problems import problem_of
from api.signing_in import PASSWORD_MIN_CHARS, PRIVATE, is_secure
from api.web.making import Shown, maker_of
from domain.errors import (
    CsrfFailed,
    HiloError,
    InvalidInput,
    NotFound,
    NotSignedIn,
    TooMany,
    WrongState,
)

if TYPE_CHECKING:
    from api.services import Services

FORM_COOKIE: Final = "hilo_form"
"""What shows that a stranger's form is one of our pages."""

FORM_COOKIE_BYTES: Final = 32
"""Randomness in it: nobody guesses it."""

FORM_LASTS_S: Final = 12 * 3_600
"""How long a page may stand open before its form is sent."""

NEXT_MAX_CHARS: Final = 2_000
"""Length of an address that sign-in leads back to; a longer one leads to the first page."""

_BUSY: Final = 503


class Held(Struct, frozen=True):
    """A form that was not carried out: which one, what it holds, and what needs attention.

    `errors`: field → word of what is said there; `problem`: what is wrong with the whole of it.
    """

    form: str = ""
    fields: Mapping[str, str] = {}
    errors: Mapping[str, str] = {}
    problem: str = ""
    status: int = 200


class Sheet(Struct, frozen=True):
    """A page with a form: its template, what it shows, and what was wrong with what was sent."""

    template: str
    values: dict[str, Any]
    held: Held = Held()


def word(error: HiloError | None) -> str:
    """Which sentence of the page says what was wrong."""
    match error:
        case None:
            return ""
        case NotSignedIn():
            return "wrong"
        case TooMany():
            return "too-many"
        case CsrfFailed():
            return "csrf"
        case WrongState():
            return "taken"
        case InvalidInput():
            return "fields"
        case _:
            return "wait" if problem_of(error).status == _BUSY else "unread"


def held_of(error: HiloError, form: str, fields: Mapping[str, str]) -> Held:
    """What a form holds that was refused; passwords are never sent back."""
    found = error.errors if isinstance(error, InvalidInput) else ()
    errors: dict[str, str] = {}
    for one in found:
        errors.setdefault(one.field, f"{one.field}.{one.code}")
    return Held(form, fields, errors, word(error), problem_of(error).status)


def back(text: str) -> str:
    """An address of ours to go on to; the first page for anything else."""
    plain = text.startswith("/") and not text.startswith(("//", "/sign-", "/static/"))
    if not plain or "\\" in text or not text.isprintable() or len(text) > NEXT_MAX_CHARS:
        return "/"
    return text


def _form_code(services: Services, cookie: str) -> str:
    return str(services.ledger.derive.id("form", cookie))


def require_our_form(request: Request, form: Mapping[str, str]) -> None:
    """Raise CsrfFailed unless the form is a page of ours, in this browser."""
    cookie = request.cookies.get(FORM_COOKIE, "")
    expected = _form_code(services_of(request), cookie).encode()
    shown = form.get("csrf", "").encode("utf-8", "surrogatepass")
    from_elsewhere = request.headers.get("sec-fetch-site") == "cross-site"
    if not cookie or from_elsewhere or not hmac.compare_digest(expected, shown):
        raise CsrfFailed("This page is too old; load it again.")


def stranger_page(
    request: Request, sheet: Sheet, headers: Mapping[str, str] | None = None
) -> Response:
    """A page with a form for somebody who is not signed in."""
    services = services_of(request)
    cookie = request.cookies.get(FORM_COOKIE, "")
    if len(cookie) < FORM_COOKIE_BYTES:
        cookie = urlsafe_b64encode(services.entropy(FORM_COOKIE_BYTES)).decode().rstrip("=")
    values = {**sheet.values, "csrf": _form_code(services, cookie)}
    answer = form_page(request, Sheet(sheet.template, values, sheet.held))
    answer.headers.update(headers or {})
    answer.set_cookie(
        FORM_COOKIE,
        cookie,
        max_age=FORM_LASTS_S,
        secure=is_secure(services),
        httponly=True,
        samesite="strict",
    )
    return answer


def form_page(request: Request, sheet: Sheet) -> Response:
    """A page with a form, which tells nobody else its address."""
    maker = maker_of(request)
    more = {"held": sheet.held, "min_chars": PASSWORD_MIN_CHARS}
    shown = Shown(sheet.template, {**sheet.values, **more}, status=sheet.held.status)
    answer = maker.page(request, shown)
    answer.headers["Referrer-Policy"] = PRIVATE["Referrer-Policy"]
    return answer


def refused(request: Request, error: HiloError) -> Response:
    """A page that says that this cannot be."""
    maker = maker_of(request)
    kind = "link" if isinstance(error, NotFound) else "not-allowed"
    return maker.page(request, Shown("shut.html", {"kind": kind}, status=problem_of(error).status))
