"""The plain pages: a contact's timeline, all activity, and the link to one interaction.

They show what the API shows, from the same reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.auth import services_of
from api.filters import filters
from api.parameters import POSITION_MAX, Query, position_in_path, uuid_in_path
from api.web.ground import open_page
from api.web.languages import N_
from api.web.making import SECURITY, Shown, Tab
from domain.errors import NotFound
from domain.values import Direction
from projections import activity as activity_views
from projections import timeline_pages
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


@router.get("/contacts/{id}")
async def contact(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """A contact's timeline, newest first; `around` opens it at an interaction."""
    return await open_page(request, _contact)


def _contact(request: Request, _caller: Caller) -> Work:
    id = uuid_in_path(request.path_params["id"])
    asked = _asked(request, f"pages:{id}")

    def work(look: Look) -> Shown | Response:
        found = look.contact(id)
        if found.moved:
            return RedirectResponse(f"/contacts/{found.id}", 302, headers=SECURITY)
        page = timeline_pages.page(look.reading, found.members, asked)
        return Shown(
            "contact.html",
            {
                "contact": look.renderer.contact(look.reading, found.id.bytes),
                "rows": shown(look, page.rows),
                "pager": _pager(request, (page.prev, page.next)),
                "around": asked.around,
                "direction": asked.filters.direction[0] if asked.filters.direction else "",
            },
            "inbox",
        )

    return work


@router.get("/interactions/{id}")
async def interaction(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """The link that people quote: to the interaction, among those around it."""
    return await open_page(request, _interaction)


def _interaction(request: Request, _caller: Caller) -> Work:
    id = position_in_path(request.path_params["id"])

    def work(look: Look) -> Response:
        ref = timeline_pages.one(look.reading, id)
        if ref is None or not look.allowed([ref]):
            raise NotFound("There is no such interaction.")
        body = look.renderer.rows(look.reading, [ref], look.visible)[0]
        where = f"/contacts/{row_of.decode(body).contacts[0]}?around={id}#i{id}"
        return RedirectResponse(where, 302, headers=SECURITY)

    return work


def shown(look: Look, refs: Sequence[Ref]) -> list[RowView | NoteView]:
    """The rows of a list, notes among them, as the reader may see them."""
    bodies = look.renderer.rows(look.reading, refs, look.visible)
    return [
        (note_of if ref.kind == KIND_NOTE else row_of).decode(body)
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
