"""Conversations: the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request, Response

from api.parameters import Query
from api.web.ground import open_page
from api.web.making import Shown
from projections import inbox_pages
from projections.inbox_pages import InboxQuery
from projections.shapes import ConversationView

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.ground import Work

router = APIRouter(include_in_schema=False)

ROWS: Final = 50
"""Rows of a page of ours."""

_rows: Final = msgspec.json.Decoder(ConversationView)


@router.get("/")
async def inbox(request: Request) -> Response:
    """The inbox."""
    return await open_page(request, _inbox)


def _inbox(request: Request, caller: Caller) -> Work:
    query = Query(request)
    asked = InboxQuery(
        scope=f"pages:{caller.user}",
        status=query.choice("status", ("open", "snoozed", "resolved", "all"), "open"),
        limit=ROWS,
        cursor=query.text("cursor"),
    )
    query.close()

    def work(look: Look) -> Shown:
        page = inbox_pages.page(look.reading, look.viewer, asked, look.visible)
        bodies = look.renderer.conversations(look.reading, page.rows, look.visible)
        rows = [_rows.decode(body) for body in bodies]
        counts = inbox_pages.counts(look.reading, look.viewer, InboxQuery(), look.visible)
        last = [msgspec.json.decode(row.last, type=dict[str, Any]) for row in rows]

        def address(cursor: str | None) -> str | None:
            return f"/?{urlencode({'status': asked.status, 'cursor': cursor})}" if cursor else None

        pager = {"newer": address(page.prev), "older": address(page.next)}
        shown = {"rows": list(zip(rows, last, strict=True)), "counts": counts, "pager": pager}
        return Shown("inbox.html", {**shown, "status": asked.status}, "inbox")

    return work
