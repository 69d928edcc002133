"""The card of an interaction, as a page or opened in a row: where, when, by whom, its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from fastapi import Request, Response

from api.parameters import POSITION_MAX, Query, position_in_path
from api.read_interactions import AsOf, card_json
from api.reads import reads_of
from api.web.addresses import Pages
from api.web.ground import open_page
from api.web.making import Shown
from api.web.pages import row_of
from projections import timeline_pages

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.ground import Work
    from projections.shapes import RowView

router = Pages()


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
        body = card_json(look, reads, id, as_of)
        found, row = msgspec.json.decode(body), row_of.decode(body)
        for one in found["history"]:
            one["changes"] = [_named(look, change, found) for change in one["changes"] or []]
        values = {"card": found, "row": row, "as_of": position, "twin": _twin(look, found)}
        template = "card.html" if piece else "card_page.html"
        return Shown(template, values, "inbox", piece=piece)

    return work


def _named(look: Look, change: dict[str, Any], card: dict[str, Any]) -> dict[str, Any]:
    """A change of the history with names where the log has ids and keys."""
    field, _, of = change["field"].partition(".")
    names = look.names

    def name(value: Any) -> Any:  # noqa: ANN401 - JSON
        match field:
            case _ if value is None:
                return None
            case "attended_by":
                return names.user(UUID(value)).name
            case "department":
                return names.department(value).name
            case "campaign":
                return names.campaign(value).name
            case _:
                return value

    if field == "attachment":
        files = {file["id"]: file["name"] for file in card["attachments"] or []}
        return {"field": field, "of": files.get(of), "from": change["from"], "to": change["to"]}
    whole = field if field == "reaction" else change["field"]
    return {"field": whole, "of": None, "from": name(change["from"]), "to": name(change["to"])}


def _twin(look: Look, card: dict[str, Any]) -> RowView | None:
    """The record that lies behind this one, of the same event; None where there is none."""
    if not card["twin"] or card["twin"]["role"] != "shown":
        return None
    ref = timeline_pages.one(look.reading, card["twin"]["id"])
    if ref is None or not look.allowed([ref]):
        return None
    return row_of.decode(look.renderer.rows(look.reading, [ref], look.visible)[0])
