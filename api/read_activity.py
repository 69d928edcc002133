"""Activity: all recent interactions of the company, by when they happened or were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request, Response
from msgspec import Struct, structs

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
    from api.auth import Caller
    from api.services import Services

router = APIRouter()


class Asked(Struct, frozen=True):
    """Which page of all interactions: of everybody, or of these contacts."""

    page: PageQuery
    contacts: tuple[UUID, ...] = ()


@router.get("/v1/activity", summary="All interactions", responses=answers("InteractionPage", 200))
async def activity(request: Request) -> Response:
    """A page of all interactions, newest first; `sort=recorded` lists them as the log does.

    The filters of the timeline, and `contact`.
    """
    query = Query(request)
    services = services_of(request)

    def prepare(caller: Caller) -> Task:
        asked = asked_for(query, services, caller)

        def work(look: Look) -> Json:
            page = page_of(look, asked)
            return page_answer(look.renderer.page(look.reading, page, look.visible), look.position)

        return Task(work, quick=is_quick(asked.page) and not asked.contacts, kept=True)

    return await answer(request, query, prepare)


def asked_for(query: Query, services: Services, caller: Caller) -> Asked:
    """The page that a query means, dates in the reader's zone where it names none."""
    contacts = tuple(ids(query, "contact"))
    sort = query.choice("sort", ("occurred", "recorded"), "occurred")
    scope = ":".join(["activity", *sorted(str(contact) for contact in contacts)])
    page = page_query(query, services, scope, caller.zone)
    recorded = structs.replace(page, sort="recorded" if sort == "recorded" else "occurred")
    return Asked(recorded, contacts)


def page_of(look: Look, asked: Asked) -> Page[Ref]:
    """The page, of everybody or of some contacts; unknown contacts have no interactions.

    Raises BadCursor; NotFound where `around` is no interaction.
    """
    page = asked.page
    if page.around is not None and not page.cursor:
        ref = timeline_pages.one(look.reading, page.around)
        if ref is not None and not look.allowed([ref]):
            raise NotFound("There is no such interaction here.")  # as where there is none
    if not asked.contacts:
        return views.page(look.reading, page, look.visible)
    members = look.members_of(asked.contacts)
    if page.sort == "recorded":
        return views.page(look.reading, page, look.visible, members)
    return timeline_pages.page(look.reading, members, page)
