"""The pages: the inbox, a contact's timeline, all activity, and the link to one interaction.

They show what the API shows, from the same reads; whoever is not signed in meets the door.
No page has a script or a style of its own, so that the policy of contents can be strict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import RedirectResponse

from api.parameters import POSITION_MAX, Freshness, Query, position_in_path, uuid_in_path
from api.problems import problem_of
from api.reads import Look, look
from api.web.doors import door
from api.web.moments import Moments
from api.web.words import WORDS, language_of
from domain.errors import HiloError, NotFound, NotSignedIn
from domain.times import format_utc
from domain.values import Direction
from projections import activity as activity_views
from projections import inbox_pages, timeline_pages
from projections.inbox_pages import InboxFilters, InboxQuery
from projections.shapes import ConversationView, NoteView, RowView
from projections.timeline import KIND_NOTE
from projections.timeline_pages import Filters, PageQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.auth import Caller, Doorkeeper
    from api.services import Services
    from projections.timeline_pages import Ref

router = APIRouter(include_in_schema=False)

HERE: Final = Path(__file__).parent

STYLE_AGE_S: Final = 365 * 24 * 3_600
"""The style sheet's address changes with its content, so browsers may keep it for a year."""

ROWS: Final = 50
"""Rows of a page of ours."""

INITIALS_MAX: Final = 2

_SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}

_REFUSALS: Final = {403: "not-allowed", 404: "not-found", 503: "wait"}

_row: Final = msgspec.json.Decoder(RowView)
_note: Final = msgspec.json.Decoder(NoteView)
_rows = msgspec.json.Decoder(ConversationView)

Shown = tuple[str, dict[str, Any]]
"""A template, and what it shows."""


class PageMaker:
    """Makes pages of templates; one for each application."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.style = (HERE / "static" / "hilo.css").read_bytes()
        self.style_name = f"hilo.{hashlib.sha256(self.style).hexdigest()[:12]}.css"
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["initials"] = initials

    def page(self, request: Request, shown: Shown, status: int = 200) -> Response:
        """A page in the reader's language."""
        template, values = shown
        reader: Caller | None = getattr(request.state, "caller", None)
        chosen = reader.language if reader else None
        language = chosen or language_of(request.headers.get("accept-language"))
        locale = self._services.locale
        zone = (reader.zone if reader else None) or locale.zone
        text = self._templates.get_template(template).render(
            t=WORDS[language],
            lang=language,
            when=Moments(language, zone, self._services.clock),
            style=f"/static/{self.style_name}",
            public_url=locale.public_url,
            here=request.url.path,
            now=format_utc(self._services.clock())[:19] + "Z",
            **values,
        )
        headers = {**_SECURITY, "Content-Language": language}
        return Response(text, status, headers, media_type="text/html; charset=utf-8")


def initials(name: str) -> str:
    """Two letters for a name's round sign; of a number its beginning."""
    words = [word for word in name.split() if word[:1].isalpha()]
    if not words:
        return name[:3]
    return "".join(word[0] for word in (words[0], words[-1])[: min(len(words), INITIALS_MAX)])


async def _page(
    request: Request, work: Callable[[Caller], Awaitable[Shown | Response]]
) -> Response:
    """A page from what it shows; a refusal is a page too."""
    maker: PageMaker = request.app.state.page_maker
    keeper: Doorkeeper = request.app.state.doorkeeper
    try:
        caller = await keeper.admit(request, "read")
        shown = await work(caller)
    except NotSignedIn:
        return door(request)
    except HiloError as error:
        status = problem_of(error).status
        kind = _REFUSALS.get(status, "wrong")
        return maker.page(request, ("refused.html", {"kind": kind, "tab": ""}), status)
    return shown if isinstance(shown, Response) else maker.page(request, shown)


# ------------------------------------------------------------------------------- pages


@router.get("/")
async def inbox(request: Request) -> Response:
    """The inbox."""
    return await _page(request, partial(_inbox, request))


async def _inbox(request: Request, caller: Caller) -> Shown:
    query = Query(request)
    asked = InboxQuery(
        scope=f"pages:{caller.user}",
        status=query.choice("status", ("open", "snoozed", "resolved", "all"), "open"),
        limit=ROWS,
        cursor=query.text("cursor"),
    )
    query.close()

    def work(look: Look) -> dict[str, Any]:
        page = inbox_pages.page(look.reading, look.viewer, asked, look.visible)
        bodies = look.renderer.conversations(look.reading, page.rows, look.visible)
        rows = [_rows.decode(body) for body in bodies]
        filters = InboxFilters()
        counts = inbox_pages.counts(
            look.reading, look.viewer, InboxQuery(filters=filters), look.visible
        )
        last = [msgspec.json.decode(row.last, type=dict[str, Any]) for row in rows]
        pager = _pager(request, asked, (page.prev, page.next))
        return {"rows": list(zip(rows, last, strict=True)), "counts": counts, "pager": pager}

    shown = await look(request, caller, Freshness(), work)
    return "inbox.html", {**shown, "status": asked.status, "tab": "inbox"}


@router.get("/activity")
async def activity(request: Request) -> Response:
    """All interactions, newest first."""
    return await _page(request, partial(_activity, request))


async def _activity(request: Request, caller: Caller) -> Shown:
    asked = _asked(request, "pages:activity")

    def work(look: Look) -> dict[str, Any]:
        page = activity_views.page(look.reading, asked, look.visible)
        rows = _shown(look, page.rows)
        return {"rows": rows, "pager": _pager(request, asked, (page.prev, page.next))}

    shown = await look(request, caller, Freshness(), work)
    return "activity.html", {**shown, "tab": "activity"}


@router.get("/contacts/{id}")
async def contact(request: Request, id: str) -> Response:
    """A contact's timeline, newest first; `around` opens it at an interaction."""
    return await _page(request, partial(_contact, request, id))


async def _contact(request: Request, text: str, caller: Caller) -> Shown | Response:
    id = uuid_in_path(text)
    asked = _asked(request, f"pages:{id}")

    def work(look: Look) -> dict[str, Any]:
        found = look.contact(id)
        if found.moved:
            return {"moved": f"/contacts/{found.id}"}
        page = timeline_pages.page(look.reading, found.members, asked)
        return {
            "contact": look.renderer.contact(look.reading, found.id.bytes),
            "rows": _shown(look, page.rows),
            "pager": _pager(request, asked, (page.prev, page.next)),
        }

    shown = await look(request, caller, Freshness(), work)
    if "moved" in shown:
        return RedirectResponse(shown["moved"], 302, headers=_SECURITY)
    direction = asked.filters.direction[0] if asked.filters.direction else ""
    more = {"around": asked.around, "direction": direction, "tab": "inbox"}
    return "contact.html", {**shown, **more}


@router.get("/interactions/{id}")
async def interaction(request: Request, id: str) -> Response:
    """The link that people quote: to the interaction, among those around it."""
    return await _page(request, partial(_interaction, request, id))


async def _interaction(request: Request, text: str, caller: Caller) -> Response:
    id = position_in_path(text)

    def work(look: Look) -> list[str]:
        ref = timeline_pages.one(look.reading, id)
        if ref is None or not look.allowed([ref]):
            raise NotFound("There is no such interaction.")
        body = look.renderer.rows(look.reading, [ref], look.visible)[0]
        return _row.decode(body).contacts

    contacts = await look(request, caller, Freshness(), work)
    where = f"/contacts/{contacts[0]}?around={id}#i{id}"
    return RedirectResponse(where, 302, headers=_SECURITY)


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """The style sheet."""
    maker: PageMaker = request.app.state.page_maker
    if name != maker.style_name:
        raise NotFound("There is no such file.")
    headers = {
        "Cache-Control": f"public, max-age={STYLE_AGE_S}, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(maker.style, headers=headers, media_type="text/css")


def _shown(look: Look, refs: Sequence[Ref]) -> list[RowView | NoteView]:
    """The rows of a list, notes among them, as the reader may see them."""
    bodies = look.renderer.rows(look.reading, refs, look.visible)
    return [
        (_note if ref.kind == KIND_NOTE else _row).decode(body)
        for ref, body in zip(refs, bodies, strict=True)
    ]


# ------------------------------------------------------------------------------- query


def _asked(request: Request, scope: str) -> PageQuery:
    """Which page of a list by time. Raises InvalidInput."""
    query = Query(request)
    direction = query.choice("direction", ("", *map(str, Direction)), "")
    around = query.number("around", 0, 1, POSITION_MAX)
    asked = PageQuery(
        scope=scope,
        filters=Filters(direction=(direction,) if direction else ()),
        limit=ROWS,
        cursor=query.text("cursor"),
        around=around or None,
    )
    query.close()
    return asked


def _pager(
    request: Request, asked: PageQuery | InboxQuery, cursors: tuple[str | None, str | None]
) -> dict[str, str | None]:
    """The addresses of the newer and the older page."""
    kept: dict[str, str] = {}
    if isinstance(asked, InboxQuery):
        kept["status"] = asked.status
    elif asked.filters.direction:
        kept["direction"] = str(asked.filters.direction[0])

    def address(cursor: str | None) -> str | None:
        return f"{request.url.path}?{urlencode({**kept, 'cursor': cursor})}" if cursor else None

    return {"newer": address(cursors[0]), "older": address(cursors[1])}
