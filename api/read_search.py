"""Search: what was said, in the whole history, and contacts; the newest first, or by weight."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct, structs

from api.answers import Json
from api.auth import services_of
from api.filters import filters, ids
from api.openapi import answers
from api.parameters import Query
from api.reads import Look, Task, answer, page_answer
from domain.values import echo
from projections import contact_pages, search_items, search_pages
from projections.contact_pages import ContactQuery
from projections.paging import Page
from projections.rendering import encode, page_json
from projections.search_items import ContactItem, MessageItem
from projections.search_pages import SearchQuery
from projections.timeline_pages import Filters
from projections.views import SEARCH
from projections.words import Marker, terms_of

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.services import Services
    from projections.timeline_pages import Ref

router = APIRouter()

QUERY_MIN_CHARS: Final = 2
"""One letter is in everything (contract 2.11)."""

QUERY_MAX_CHARS: Final = 200
"""What is typed into a search box; a longer text is pasted by mistake (contract 2.11)."""

CONTACTS_MAX: Final = 5
"""Contacts ahead of the messages on the first page: whoever looks for more asks for them alone."""

MESSAGE: Final = "message"
CONTACT: Final = "contact"
_KINDS: Final = (MESSAGE, CONTACT)


_EITHER: Final = [{"$ref": f"#/components/schemas/{one}"} for one in ("MessageItem", "ContactItem")]


class SearchPage(Struct):
    """A page of what was found."""

    items: list[Annotated[object, Meta(extra_json_schema={"anyOf": _EITHER})]]
    next: str | None
    prev: str | None


STRUCTS: Final[tuple[type[Struct], ...]] = (SearchPage, MessageItem, ContactItem)


class Asked(Struct, frozen=True, kw_only=True):
    """What somebody looks for, and how they want it."""

    text: str
    kinds: frozenset[str]
    filters: Filters
    contacts: tuple[UUID, ...]
    weigh: bool
    limit: int
    cursor: str | None
    country: str | None


@router.get("/v1/search", summary="Search", responses=answers("SearchPage", 200))
async def search(request: Request) -> Response:
    """What was said, in the whole history, the newest first; and contacts ahead of it.

    `q` is words, each of which may go on, and "phrases"; the filters of the activity hold for
    messages. `kind` is message, contact or both; `sort=relevance` weighs the newest matches.
    """
    query = Query(request)
    services = services_of(request)

    def prepare(caller: Caller) -> Task:
        asked = asked_of(query, services, caller.zone)
        beside = SEARCH if MESSAGE in asked.kinds else None
        return Task(partial(_found, asked=asked), beside=beside)

    return await answer(request, query, prepare)


def asked_of(query: Query, services: Services, own_zone: str | None) -> Asked:
    """What a query asks for; what is wrong with it, the query remembers."""
    text = (query.text("q") or "").strip()
    if not QUERY_MIN_CHARS <= len(text) <= QUERY_MAX_CHARS:
        limits = f"{QUERY_MIN_CHARS} to {QUERY_MAX_CHARS} characters"
        query.refuse("q", "bad_length", f"write {limits}")
    kinds = _kinds(query)  # before the filters, which have a `kind` of their own
    zone = query.zone(own_zone or services.locale.zone)
    return Asked(
        text=text,
        kinds=kinds,
        contacts=tuple(ids(query, "contact")),
        filters=filters(query, services, zone),
        weigh=query.choice("sort", ("newest", "relevance"), "newest") == "relevance",
        limit=query.limit(),
        cursor=query.text("cursor"),
        country=services.locale.country,
    )


def _kinds(query: Query) -> frozenset[str]:
    """`kind`, several times or with commas."""
    named = [kind for text in query.many("kind") for kind in text.split(",")]
    for kind in named:
        if kind not in _KINDS:
            query.refuse("kind", "bad_enum", f"{echo(kind)} is none of {', '.join(_KINDS)}")
    return frozenset(named or _KINDS)


def _found(look: Look, asked: Asked) -> Json:
    """The answer."""
    beside = look.beside
    if beside is None:
        found = _contacts(look, asked, asked.limit)
        return page_answer(page_json(found.rows, found), look.position)
    ahead = _ahead(look, asked)
    messages = SearchQuery(
        scope=":".join(["search", *sorted(map(str, asked.contacts))]),
        text=asked.text,
        terms=tuple(terms_of(asked.text)),
        filters=asked.filters,
        subjects=tuple(look.members_of(asked.contacts)) if asked.contacts else None,
        weigh=asked.weigh,
        limit=asked.limit - len(ahead),
        cursor=asked.cursor,
    )
    page = search_pages.page(look.reading, beside, messages, look.visible)
    items = [*ahead, *map(encode, said(look, page.rows, messages))]
    return page_answer(page_json(items, page), look.position)


# -------------------------------------------------------------------------- messages


def said(look: Look, refs: list[Ref], query: SearchQuery) -> list[MessageItem]:
    """The items of some interactions, in the same order."""
    marker = Marker(query.terms)
    bodies = look.renderer.rows(look.reading, refs, look.visible)

    def whole(ref: Ref) -> str | None:
        return look.renderer.card(look.reading, ref).text

    return [
        search_items.message(body, marker, partial(whole, ref))
        for ref, body in zip(refs, bodies, strict=True)
    ]


# -------------------------------------------------------------------------- contacts


def _ahead(look: Look, asked: Asked) -> list[bytes]:
    """The contacts that stand ahead of the messages: on the first page, and without filters."""
    unfiltered = asked.filters == Filters() and not asked.contacts
    room = min(CONTACTS_MAX, asked.limit - 1)
    if CONTACT not in asked.kinds or asked.cursor or not unfiltered or not room:
        return []
    return _contacts(look, structs.replace(asked, cursor=None), room).rows


def _contacts(look: Look, asked: Asked, limit: int) -> Page[bytes]:
    """A page of contacts, the latest interaction first, as JSON."""
    query = ContactQuery(
        scope="search-contacts",
        text=asked.text,
        country=asked.country,
        limit=limit,
        cursor=asked.cursor,
    )
    page = contact_pages.page(look.reading, query, look.visible)
    views = look.renderer.contacts(look.reading, page.rows)
    items = [encode(search_items.contact(one, asked.text, asked.country)) for one in views]
    return Page(items, page.next, page.prev)
