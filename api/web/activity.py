"""Activity: all interactions of the company as they come in, under any filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Request, Response

from api.auth import services_of
from api.parameters import Query
from api.read_activity import page_of
from api.web.activity_query import choices, listed, listing, numbers, spans, tidy
from api.web.addresses import Pages
from api.web.ground import open_page, redirect
from api.web.making import Shown
from api.web.pages import shown
from domain.errors import NotFound
from projections import cards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.auth import Caller
    from api.reads import Look
    from api.web.activity_query import Listing
    from api.web.ground import Work
    from projections.shapes import ContactRef
    from projections.timeline_pages import Ref

router = Pages()


@router.get("/activity")
async def activity(request: Request) -> Response:
    """All interactions, newest first; every filter stands in the address."""
    return await open_page(request, _activity)


def _activity(request: Request, caller: Caller) -> Work:
    cleaner = tidy(request)
    if cleaner is not None:
        return lambda _: redirect(cleaner, 302)
    query = Query(request)
    wanted = listing(request, query, caller, services_of(request))
    query.close()

    def work(look: Look) -> Shown:
        page = page_of(look, wanted.asked)
        values = {
            **_rows(look, wanted, page.rows),
            "before": page.prev,
            "after": page.next,
            "side": "both",
            "hit": wanted.asked.page.around,
            "choices": choices(look),
            "spans": spans(wanted, look),
            "contacts": _contacts(look, wanted),
        }
        return Shown("activity.html", values, "activity")

    return work


@router.get("/activity/-/rows")
async def rows(request: Request) -> Response:
    """A stretch of the list; or, with `ids`, those of some interactions that it has now."""
    return await open_page(request, _stretch)


def _stretch(request: Request, caller: Caller) -> Work:
    query = Query(request)
    ids = numbers(query)
    side = query.choice("side", ("both", "before", "after"), "both")
    wanted = listing(request, query, caller, services_of(request))
    query.close()

    def work(look: Look) -> Shown:
        before = after = None
        if ids:
            refs: Sequence[Ref] = listed(look, wanted.asked, ids)
        else:
            page = page_of(look, wanted.asked)
            refs, before, after = page.rows, page.prev, page.next
        values = {
            **_rows(look, wanted, refs),
            "before": before,
            "after": after,
            "side": "one" if ids else side,
            "hit": wanted.asked.page.around,
        }
        return Shown("activity_rows.html", values, piece=True)

    return work


def _rows(look: Look, wanted: Listing, refs: Sequence[Ref]) -> dict[str, Any]:
    return {"entries": shown(look, refs), "listing": wanted}


def _contacts(look: Look, wanted: Listing) -> list[tuple[str, ContactRef | None]]:
    """The contacts that the list is narrowed to; None for one whom the reader may not see."""
    found: list[tuple[str, ContactRef | None]] = []
    for id in wanted.asked.contacts:
        try:
            root = look.contact(id).id.bytes
        except NotFound:
            found.append((str(id), None))
        else:
            found.append((str(id), cards.of_contacts(look.reading, {root})[root].ref()))
    return found
