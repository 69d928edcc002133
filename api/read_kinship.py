"""What is known of belonging: a contact's merges, and contacts that may be one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from msgspec import Struct

from api.openapi import answers
from api.parameters import Query, uuid_in_path
from api.reads import Look, Task, answer, moved_to, page_answer
from projections import merges, suggestions
from projections.rendering import encode, page_json
from projections.shapes import MergeView, SuggestionView

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from api.answers import Json
    from api.auth import Caller

router = APIRouter()


class MergePage(Struct):
    """A page of merges."""

    items: list[MergeView]
    next: str | None
    prev: str | None


class SuggestionPage(Struct):
    """A page of suggestions."""

    items: list[SuggestionView]
    next: str | None
    prev: str | None


STRUCTS: Final = (MergePage, SuggestionPage)


@router.get(
    "/v1/contacts/{id}/merges", summary="A contact's merges", responses=answers("MergePage", 200)
)
async def merges_of(request: Request, id: str) -> Response:
    """Every merge in which this contact took part, the latest first, undone ones too."""
    wanted, query = uuid_in_path(id), Query(request)

    def prepare(_: Caller) -> Task:
        limit, cursor = query.limit(), query.text("cursor")

        def work(look: Look) -> Json:
            found = look.contact(wanted)
            scope = f"merges:{wanted}"
            page = merges.page(look.reading, found.members, scope=scope, limit=limit, cursor=cursor)
            items = [encode(merges.view(look.names, row)) for row in page.rows]
            more = moved_to(found, "/v1/contacts/{id}/merges")
            return page_answer(page_json(items, page), look.position, more)

        return Task(work)

    return await answer(request, query, prepare)


# ---------------------------------------------------------------------------- suggestions


@router.get(
    "/v1/contacts/suggestions",
    summary="Contacts that may be one",
    responses=answers("SuggestionPage", 200),
)
async def suggested(request: Request) -> Response:
    """Pairs of contacts that may be one person, and why somebody may think so."""
    query = Query(request)

    def prepare(_: Caller) -> Task:
        limit, cursor = query.limit(), query.text("cursor")
        dismissed = query.flag("dismissed") is True

        def work(look: Look) -> Json:
            page = suggestions.page(look.reading, limit=limit, cursor=cursor, dismissed=dismissed)
            views = suggestions.views(look.reading, page.rows, look.visible.may_see_one)
            return page_answer(page_json(map(encode, views), page), look.position)

        return Task(work)

    return await answer(request, query, prepare)


@router.get(
    "/v1/contacts/{id}/suggestions",
    summary="Contacts that may be this one",
    responses=answers("SuggestionPage", 200),
)
async def suggested_for(request: Request, id: str) -> Response:
    """The suggestions about one contact; one page, at most 50."""
    wanted, query = uuid_in_path(id), Query(request)

    def prepare(_: Caller) -> Task:
        dismissed = query.flag("dismissed") is True
        return Task(lambda look: suggestions_answer(look, wanted, dismissed=dismissed))

    return await answer(request, query, prepare)


def suggestions_answer(
    look: Look, id: UUID, more: Mapping[str, str] | None = None, *, dismissed: bool = False
) -> Json:
    """The suggestions about a contact as an answer. Raises NotFound."""
    found = look.contact(id)
    near = suggestions.of_contact(look.reading, found.members, dismissed=dismissed)
    items = suggestions.views(look.reading, near, look.visible.may_see_one)
    body = encode({"items": items, "next": None, "prev": None})
    headers = moved_to(found, "/v1/contacts/{id}/suggestions") | dict(more or {})
    return page_answer(body, look.position, headers)
