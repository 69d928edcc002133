"""The card of an interaction, as a page or opened in a row: where, when, by whom, its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter, Request, Response

from api.parameters import POSITION_MAX, Query, position_in_path
from api.read_interactions import AsOf, card_json
from api.reads import reads_of
from api.web.ground import open_page
from api.web.making import Shown

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.ground import Work

router = APIRouter(include_in_schema=False)


@router.get("/interactions/{id}/card")
async def card(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """All of one interaction; `as_of` a position: as it was known then, before an edit."""
    return await open_page(request, _card)


def _card(request: Request, _caller: Caller) -> Work:
    id = position_in_path(request.path_params["id"])
    query = Query(request)
    piece = query.flag("piece") is True
    position = query.number("as_of", 0, 0, POSITION_MAX)
    query.close()
    reads = reads_of(request)

    def work(look: Look) -> Shown:
        as_of = AsOf(position=position) if position else None
        found = msgspec.json.decode(card_json(look, reads, id, as_of))
        template = "card.html" if piece else "card_page.html"
        return Shown(template, {"card": found, "as_of": position}, "inbox", piece=piece)

    return work
