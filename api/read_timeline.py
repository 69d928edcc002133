"""A contact's timeline: everything that happened with them, over every channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from msgspec import structs

from api.answers import Json
from api.auth import services_of
from api.filters import is_quick, page_query
from api.openapi import answers
from api.parameters import Query, uuid_in_path
from api.reads import Look, Task, answer, moved_to, page_answer
from projections import timeline_pages

if TYPE_CHECKING:
    from api.auth import Caller

router = APIRouter()


@router.get(
    "/v1/contacts/{id}/timeline",
    summary="A contact's timeline",
    responses=answers("TimelinePage", 200),
)
async def timeline(request: Request, id: str) -> Response:
    """A page of interactions of one contact and notes on it, newest first unless `order=asc`.

    Filters `channel direction origin source attended_by department campaign kind from to`,
    `around=<id>` or `at=<time>` for a page centred there.
    """
    contact = uuid_in_path(id)
    query = Query(request)
    services = services_of(request)

    def prepare(caller: Caller) -> Task:
        asked = page_query(query, services, f"timeline:{contact}", caller.zone)

        def work(look: Look) -> Json:
            found = look.contact(contact)
            page = timeline_pages.page(look.reading, found.members, asked)
            page = structs.replace(page, rows=look.allowed(page.rows))
            body = look.renderer.page(look.reading, page, look.visible)
            more = moved_to(found, "/v1/contacts/{id}/timeline")
            return page_answer(body, look.position, more)

        return Task(work, quick=is_quick(asked), kept=True)

    return await answer(request, query, prepare)
