"""A contact's timeline: everything that happened with them, over every channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import structs

from api.answers import Json
from api.auth import services_of
from api.filters import is_quick, page_query
from api.openapi import answers
from api.parameters import Query, uuid_in_path
from api.read_interactions import AsOf, as_of_in, events_of
from api.reads import Look, Task, answer, moved_to, page_answer
from projections import history, timeline_pages
from projections.masking import masked
from projections.rendering import page_json
from projections.timeline import KIND_NOTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.auth import Caller
    from projections.timeline_pages import Ref

router = APIRouter()


@router.get(
    "/v1/contacts/{id}/timeline",
    summary="A contact's timeline",
    responses=answers("TimelinePage", 200),
)
async def timeline(request: Request, id: str) -> Response:
    """A page of interactions of one contact and notes on it, newest first unless `order=asc`.

    Filters `channel direction origin source attended_by department campaign kind from to`,
    `around=<id>` or `at=<time>` for a page centred there; `as_of` for what was known then.
    """
    contact = uuid_in_path(id)
    query = Query(request)
    services = services_of(request)

    def prepare(caller: Caller) -> Task:
        as_of = as_of_in(query, caller.zone or services.locale.zone)
        asked = page_query(query, services, f"timeline:{contact}", caller.zone)

        def work(look: Look) -> Json:
            found = look.contact(contact)
            page = timeline_pages.page(look.reading, found.members, asked)
            page = structs.replace(page, rows=look.allowed(page.rows))
            body = (
                look.renderer.page(look.reading, page, look.visible)
                if as_of is None
                else page_json(_known(look, page.rows, as_of), page)
            )
            more = moved_to(found, "/v1/contacts/{id}/timeline")
            return page_answer(body, look.position, more)

        return Task(work, quick=as_of is None and is_quick(asked), kept=True)

    return await answer(request, query, prepare)


def _known(look: Look, refs: Sequence[Ref], as_of: AsOf) -> list[bytes]:
    """Those of some rows that had been recorded then, each as it was known then.

    They stand where they stand now; a page may so be shorter than it was asked for.
    """
    log = look.services.log
    upto = as_of.position
    if as_of.recorded_at is not None:
        upto = log.position_at(as_of.recorded_at)
    rows: list[bytes] = []
    for ref in refs:
        if ref.position > upto:
            continue
        if ref.kind == KIND_NOTE:
            rows += look.renderer.rows(look.reading, [ref], look.visible)
            continue
        entries = events_of(look, log.open_page(log.page(ref.position - 1, 1))[0])
        made = history.row_of(entry for entry in entries if entry.position <= upto)
        if made is not None:
            rows.append(msgspec.json.encode(look.renderer.card_of(look.reading, *made)))
    return masked(rows, look.visible)
