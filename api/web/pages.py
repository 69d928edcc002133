"""The plain page of all activity, and what pages with rows have in common.

It shows what the API shows, from the same reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request, Response

from api.auth import services_of
from api.filters import filters
from api.parameters import Query
from api.web.ground import open_page
from api.web.languages import N_
from api.web.making import Shown, Tab
from projections import activity as activity_views
from projections.shapes import NoteView, RowView
from projections.timeline import KIND_NOTE
from projections.timeline_pages import Filters, PageQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.auth import Caller
    from api.reads import Look
    from api.web.ground import Work
    from projections.timeline_pages import Ref

router = APIRouter(include_in_schema=False)

TABS: Final = (
    Tab("inbox", "/", "inbox", N_("Conversations")),
    Tab("activity", "/activity", "pulse", N_("Activity")),
    Tab("reports", "/reports", "chart", N_("Reports")),
    Tab("channels", "/channels", "webchat", N_("Channels"), scope="manage"),
)
"""The navigation, in its order."""

ROWS: Final = 50
"""Rows of a page of ours."""

row_of: Final = msgspec.json.Decoder(RowView)
note_of: Final = msgspec.json.Decoder(NoteView)


@router.get("/activity")
async def activity(request: Request) -> Response:
    """All interactions, newest first."""
    return await open_page(request, _activity)


def _activity(request: Request, caller: Caller) -> Work:
    asked = _filtered(request, caller)

    def work(look: Look) -> Shown:
        page = activity_views.page(look.reading, asked, look.visible)
        pager = _pager(request, (page.prev, page.next))
        values = {
            "rows": shown(look, page.rows),
            "pager": pager,
            "filtered": asked.filters != Filters(),
        }
        return Shown("activity.html", values, "activity")

    return work


def shown(look: Look, refs: Sequence[Ref]) -> list[RowView | NoteView]:
    """The rows of a list, notes among them, as the reader may see them."""
    bodies = look.renderer.rows(look.reading, refs, look.visible)
    return [
        (note_of if ref.kind == KIND_NOTE else row_of).decode(body)
        for ref, body in zip(refs, bodies, strict=True)
    ]


# ------------------------------------------------------------------------------- query


def _filtered(request: Request, caller: Caller) -> PageQuery:
    """Which page of all interactions, under the filters of the API: what a figure opens."""
    query, services = Query(request), services_of(request)
    zone = query.zone(caller.zone or services.locale.zone)
    asked = PageQuery(
        scope="pages:activity",
        filters=filters(query, services, zone),
        limit=ROWS,
        cursor=query.text("cursor"),
    )
    query.close()
    return asked


def _pager(request: Request, cursors: tuple[str | None, str | None]) -> dict[str, str | None]:
    """The addresses of the newer and the older page, under the same filters."""
    left_out = {"cursor", "around"}
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in left_out]

    def address(cursor: str | None) -> str | None:
        query = urlencode([*kept, ("cursor", cursor)]) if cursor else ""
        return f"{request.url.path}?{query}" if cursor else None

    return {"newer": address(cursors[0]), "older": address(cursors[1])}
