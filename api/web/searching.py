"""The page of the search: what was said, in the whole history, with the words marked.

What is marked comes as parts of a text, each marked or not: a template writes them one after
the other, and no text ever becomes markup.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from msgspec import Struct, structs

from api.auth import services_of
from api.filters import filters, ids
from api.parameters import Query
from api.read_search import CONTACTS_MAX, QUERY_MAX_CHARS, QUERY_MIN_CHARS, said
from api.web.activity_query import choices, tidy
from api.web.addresses import Pages
from api.web.ground import open_page, redirect
from api.web.making import Shown
from api.web.pages import row_of
from domain.errors import NotFound
from domain.times import parse_filter_time
from projections import cards, contact_pages, search_pages
from projections.contact_pages import ContactQuery
from projections.finding_pages import interaction_of
from projections.paging import Page
from projections.search_pages import SearchQuery
from projections.timeline_pages import Filters
from projections.views import SEARCH
from projections.words import terms_of

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Look
    from api.services import Services
    from api.web.ground import Work
    from projections.shapes import ContactView, RowView

router = Pages()

ROWS: Final = 30
"""Messages of a page of ours: each has a line or two of text."""

SORTS: Final = ("newest", "relevance")

NARROWED_BY: Final = ("channel", "direction", "attended_by", "department", "campaign")
"""What the form of the page chooses one of, each."""


class Part(Struct, frozen=True):
    """A part of an excerpt."""

    text: str
    marked: bool


class Hit(Struct, frozen=True):
    """A message that was found, and the parts of its excerpt."""

    row: RowView
    parts: list[Part]


class Wanted(Struct, frozen=True):
    """What the form of the page asks for, as it stands in the address."""

    q: str
    since: str
    until: str
    sort: str
    cursor: str | None
    only: dict[str, str]
    contacts: tuple[UUID, ...]


@router.get("/search")
async def search(request: Request) -> Response:
    """What was said, and who is called so."""
    return await open_page(request, _search)


def _search(request: Request, caller: Caller) -> Work:
    cleaner = tidy(request)
    if cleaner is not None:
        return lambda _: redirect(cleaner, 302)
    services = services_of(request)
    query = Query(request)
    wanted = _wanted(request, query)
    filters = _filters(query, services, wanted, caller.zone or services.locale.zone)
    query.close()
    text, country = wanted.q, services.locale.country

    def work(look: Look) -> Shown | Response:
        number = interaction_of(text)
        if number is not None:
            return redirect(f"/interactions/{number}")
        asked = len(text) >= QUERY_MIN_CHARS
        found: Page[Hit] = Page([])
        people: list[ContactView] = []
        if asked:
            look.join(SEARCH, 0)
            asking = query_of(text, filters, wanted.cursor, weigh=wanted.sort != SORTS[0])
            found = hits(look, _among(look, asking, wanted.contacts))
        if asked and wanted.cursor is None and filters == Filters() and not wanted.contacts:
            people = _people(look, text, country)
        pager = {"newer": _address(wanted, found.prev), "older": _address(wanted, found.next)}
        values = {"wanted": wanted, "asked": asked, "said": found.rows, "people": people}
        named = [(str(one), name_of(look, one)) for one in wanted.contacts]
        more = {"number": None, "pager": pager, "choices": choices(look), "contacts": named}
        return Shown("search.html", {**values, **more}, "find")

    return work


def _among(look: Look, query: SearchQuery, contacts: tuple[UUID, ...]) -> SearchQuery:
    """The same among what some contacts take part in; none: of everybody."""
    if not contacts:
        return query
    scope = ":".join([query.scope, *sorted(map(str, contacts))])
    return structs.replace(query, scope=scope, subjects=tuple(look.members_of(contacts)))


def name_of(look: Look, contact: UUID) -> str | None:
    """What a contact is called; None for one whom the reader may not see."""
    try:
        root = look.contact(contact).id.bytes
    except NotFound:
        return None
    return cards.of_contacts(look.reading, {root})[root].ref().label


def query_of(
    text: str, filters: Filters, cursor: str | None, *, weigh: bool = False, limit: int = ROWS
) -> SearchQuery:
    """What the pages look for."""
    return SearchQuery(
        scope="pages:search",
        text=text,
        terms=tuple(terms_of(text)),
        filters=filters,
        weigh=weigh,
        limit=limit,
        cursor=cursor,
    )


def hits(look: Look, query: SearchQuery) -> Page[Hit]:
    """The messages that match; the look must have the words beside it."""
    if look.beside is None:
        message = "the look has no words beside it"
        raise RuntimeError(message)
    page = search_pages.page(look.reading, look.beside, query, look.visible)
    items = said(look, page.rows, query)
    found = [Hit(row_of.decode(item.row), _parts(item.excerpt, item.marks)) for item in items]
    return Page(found, page.next, page.prev)


def _parts(text: str, marks: list[tuple[int, int]]) -> list[Part]:
    """A text, cut where marks begin and end."""
    parts: list[Part] = []
    at = 0
    for start, end in marks:
        parts += [Part(text[at:start], marked=False), Part(text[start:end], marked=True)]
        at = end
    return [part for part in (*parts, Part(text[at:], marked=False)) if part.text]


def _people(look: Look, text: str, country: str | None) -> list[ContactView]:
    asked = ContactQuery(text=text, country=country, limit=CONTACTS_MAX)
    page = contact_pages.page(look.reading, asked, look.visible)
    return look.renderer.contacts(look.reading, page.rows)


# -------------------------------------------------------------------------------- query


def _wanted(request: Request, query: Query) -> Wanted:
    given = request.query_params
    return Wanted(
        q=(query.text("q") or "").strip()[:QUERY_MAX_CHARS],
        since=query.text("from") or "",
        until=query.text("to") or "",
        sort=query.choice("sort", SORTS, SORTS[0]),
        cursor=query.text("cursor"),
        only={name: given[name] for name in NARROWED_BY if name in given},
        contacts=tuple(ids(query, "contact")),
    )


def _filters(query: Query, services: Services, wanted: Wanted, zone: str) -> Filters:
    """What messages must be; the days are those of the reader, the last one included."""
    since, until = _day(query, "from", wanted.since), _day(query, "to", wanted.until)
    after = until + dt.timedelta(days=1) if until and until < dt.date.max else None
    return structs.replace(
        filters(query, services, zone),
        kind=(),
        since=parse_filter_time(since.isoformat(), zone) if since else None,
        until=parse_filter_time(after.isoformat(), zone) if after else None,
    )


def _day(query: Query, name: str, text: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        query.refuse(name, "bad_time", "write a day: 2026-11-22")
        return None


def _address(wanted: Wanted, cursor: str | None) -> str | None:
    """The address of another page of the same search."""
    if cursor is None:
        return None
    sort = "" if wanted.sort == SORTS[0] else wanted.sort
    named = {"q": wanted.q, **wanted.only, "from": wanted.since, "to": wanted.until, "sort": sort}
    kept = [(name, value) for name, value in named.items() if value]
    kept += [("contact", str(one)) for one in wanted.contacts]
    return "/search?" + urlencode([*kept, ("cursor", cursor)])
