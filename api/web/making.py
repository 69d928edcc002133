"""From a template and what it shows to a page in the reader's language, under a strict policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from msgspec import Struct

from api.problems import problem_of
from api.web.files import all_files
from api.web.languages import language_of, translations_of
from api.web.moments import Moments
from api.web.templating import filled
from domain.errors import HiloError
from domain.times import format_utc

if TYPE_CHECKING:
    from api.auth import Caller
    from api.services import Services

THEMES: Final = ("light", "dark")
THEME_COOKIE: Final = "hilo_theme"
"""Which of the two a browser chose; without it the system's is taken."""

SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, HX-Request",
}
"""Scripts and styles come from our own files alone; nothing inline, nothing from elsewhere."""

REFUSALS: Final = {403: "not-allowed", 404: "not-found", 503: "wait"}


class Tab(Struct, frozen=True):
    """An entry of the navigation: `word` is its message, `name` what pages call it.

    Whoever lacks its `scope` does not see it. One with a scope stands under Administration.
    """

    name: str
    path: str
    icon: str
    word: str
    scope: str = ""


class Shown(Struct, frozen=True):
    """A page: its template, what it shows, and which tab it stands under.

    A `piece` is a part of a page, for scripts: it has no frame of its own.
    """

    template: str
    values: Mapping[str, Any]
    tab: str = ""
    status: int = 200
    piece: bool = False


class PageMaker:
    """Makes pages of templates; one for each application."""

    def __init__(self, services: Services, tabs: tuple[Tab, ...] = ()) -> None:
        self._services = services
        self.files = all_files()
        self._tabs = tabs

    def say(self, language: str, message: str) -> str:
        """A message in a language."""
        return translations_of(language).gettext(message)

    def language(self, request: Request) -> str:
        """The language of a request's reader: their choice, else their browser's wish."""
        reader: Caller | None = getattr(request.state, "caller", None)
        chosen = reader.language if reader else None
        return chosen or language_of(request.headers.get("accept-language"))

    def page(self, request: Request, shown: Shown) -> Response:
        """A page in the reader's language."""
        language = self.language(request)
        text = self.text(request, shown)
        headers = {**SECURITY, "Content-Language": language}
        return Response(text, shown.status, headers, media_type="text/html; charset=utf-8")

    def text(self, request: Request, shown: Shown) -> str:
        """The HTML of a page, or of a piece of one."""
        reader: Caller | None = getattr(request.state, "caller", None)
        language = self.language(request)
        locale = self._services.locale
        zone = (reader.zone if reader else None) or locale.zone
        theme = request.cookies.get(THEME_COOKIE, "")
        now = self._services.clock()
        says = translations_of(language).gettext
        values = {
            "when": Moments(language, zone, self._services.clock, says),
            "theme": theme if theme in THEMES else "",
            "reader": reader,
            "may": reader.may if reader else _nothing,
            "csrf": reader.csrf if reader else "",
            "me": "",
            "shortcuts": True,
            "position": 0,
            "unread": 0,
            "quarantined": 0,
            "tabs": [one for one in self._tabs if _is_for(one, reader)],
            "tab": shown.tab,
            "public_url": locale.public_url,
            "here": request.url.path,
            "now": format_utc(now)[:19] + "Z",
        }
        return filled(language, shown.template, {**values, **shown.values})

    def refusal(self, request: Request, error: HiloError) -> Response:
        """A page that says why not; for a script a sentence."""
        problem = problem_of(error)
        if is_script(request):
            shown = Shown("sentence.html", {"problem": problem.type}, status=problem.status)
            return self.page(request, shown)
        kind = REFUSALS.get(problem.status, "wrong")
        return self.page(request, Shown("refused.html", {"kind": kind}, status=problem.status))


def _nothing(_scope: str) -> bool:
    """What may be done by whoever did not sign in here: they may read what their token may."""
    return False


def _is_for(tab: Tab, reader: Caller | None) -> bool:
    """Whether an entry of the navigation leads its reader anywhere."""
    return not tab.scope if reader is None else reader.may(tab.scope or "read")


def is_script(request: Request) -> bool:
    """Whether a script of the page asks, for a piece of it."""
    return request.headers.get("hx-request") == "true"


def maker_of(request: Request) -> PageMaker:
    """The maker of the application's pages."""
    maker: PageMaker = request.app.state.page_maker
    return maker
