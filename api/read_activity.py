"""Activity: all recent interactions of the company, by when they happened or were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from msgspec import structs

from api.answers import Json
from api.auth import services_of
from api.filters import ids, is_quick, page_query
from api.openapi import answers
from api.parameters import Query
from api.reads import Look, Task, answer, page_answer
from domain.errors import NotFound
from projections import activity as views
from projections import timeline_pages
from projections.paging import Page
from projections.timeline_pages import PageQuery, Ref

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller

router = APIRouter()


@router.get("/v1/activity", summary="All interactions", responses=answers("InteractionPage", 200))
async def activity(request: Request) -> Response:
    """A page of all interactions, newest first; `sort=recorded` lists them as the log does.

    The filters of the timeline, and `contact`.
    """
    query = Query(request)
    services = services_of(request)

    def prepare(caller: Caller) -> Task:
        contacts = ids(query, "contact")
        sort = query.choice("sort", ("occurred", "recorded"), "occurred")
        scope = ":".join(["activity", *sorted(str(contact) for contact in contacts)])
        asked = structs.replace(
            page_query(query, services, scope, caller.zone),
            sort="recorded" if sort == "recorded" else "occurred",
        )

        def work(look: Look) -> Json:
            page = _page(look, asked, contacts)
            return page_answer(look.renderer.page(look.reading, page, look.visible), look.position)

        return Task(work, quick=is_quick(asked) and not contacts, kept=True)

    return await answer(request, query, prepare)


def _page(look: Look, asked: PageQuery, contacts: list[UUID]) -> Page[Ref]:
    """The page, of everybody or of some contacts; unknown contacts have no interactions."""
    if asked.around is not None and not asked.cursor:
        ref = timeline_pages.one(look.reading, asked.around)
        if ref is not None and not look.allowed([ref]):
            raise NotFound("There is no such interaction here.")  # as where there is none
    if not contacts:
        return views.page(look.reading, asked, look.visible)
    members = look.members_of(contacts)
    if asked.sort == "recorded":
        return views.page(look.reading, asked, look.visible, members)
    return timeline_pages.page(look.reading, members, asked)
