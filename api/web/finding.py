"""What the search box finds: people and messages as one types, `#123456` for that interaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response

from api.auth import services_of
from api.parameters import Query
from api.web.addresses import Pages
from api.web.ground import open_page, redirect
from api.web.making import Shown
from api.web.searching import Hit, Part, hits, query_of
from domain.errors import NotYet
from projections import contact_pages, timeline_pages
from projections.contact_pages import ContactQuery
from projections.finding_pages import interaction_of
from projections.timeline_pages import Filters
from projections.views import SEARCH

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.ground import Work

router = Pages()

SAID_MAX: Final = 5
"""Messages shown below the people: the page of the search has all of them."""

BEFORE_MAX_CHARS: Final = 40
"""Text before the first mark in the box: a line has some fifty characters."""

FOUND_MAX: Final = 20
"""People shown for what was typed: more are found by typing more."""


@router.get("/find")
async def find(request: Request) -> Response:
    """People by what was typed; for a script the list alone."""
    return await open_page(request, _find)


def _find(request: Request, _caller: Caller) -> Work:
    query = Query(request)
    text, piece = (query.text("q") or "").strip(), query.flag("piece") is True
    query.close()
    country = services_of(request).locale.country
    asked = ContactQuery(text=text or None, country=country, limit=FOUND_MAX, cursor=None)

    def work(look: Look) -> Shown | Response:
        number = interaction_of(text)
        if number is not None and not piece:
            return redirect(f"/interactions/{number}")
        page = contact_pages.page(look.reading, asked, look.visible)
        people = look.renderer.contacts(look.reading, page.rows)
        template = "find_found.html" if piece else "find_page.html"
        values: dict[str, Any] = {
            "people": people,
            "number": _known(look, number),
            "text": text,
            "more": page.next is not None,
        }
        if piece:
            values["said"] = _said(look, text)
        return Shown(template, values, "find", piece=piece)

    return work


def _known(look: Look, number: int | None) -> int | None:
    """The interaction with this number, where there is one that the reader may see."""
    ref = timeline_pages.one(look.reading, number) if number is not None else None
    return number if ref is not None and look.allowed([ref]) else None


def _said(look: Look, text: str) -> list[Hit]:
    """The newest messages that say it; none while their words are being gathered."""
    try:
        look.join(SEARCH, 0)
    except NotYet:
        return []
    found = hits(look, query_of(text, Filters(), None, limit=SAID_MAX)).rows
    return [Hit(hit.row, _nearer(hit.parts)) for hit in found]


def _nearer(parts: list[Part]) -> list[Part]:
    """The same text from shortly before its first mark on: the box shows two lines of it."""
    if not parts or parts[0].marked or len(parts[0].text) <= BEFORE_MAX_CHARS:
        return parts
    near = parts[0].text[-BEFORE_MAX_CHARS:]
    return [Part("… " + near.partition(" ")[2], marked=False), *parts[1:]]
