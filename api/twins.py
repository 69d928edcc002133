"""Twins: two records of one event, linked by a person, and what may be such a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Raw, Struct, structs

from api import likely
from api.answers import Json, nothing
from api.auth import admit, services_of
from api.bodies import Shape
from api.corrections import changed
from api.idempotency import author
from api.ingest import recorded_at, recorded_for
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    POSITION_MAX,
    Freshness,
    Query,
    position_in_path,
    read_body,
    require_type,
    uuid_in_path,
)
from api.reads import AFTER_COMMAND_MS, Look, Task, answer, look, moved_to, page_answer, written
from domain.errors import InvalidInput, NotFound
from projections import timeline_pages, twins
from projections.rendering import encode, page_json
from projections.shapes import RowView, TwinView
from projections.twins import TwinsQuery

if TYPE_CHECKING:
    from api.auth import Caller
    from domain.commands import By, FactReceipt
    from domain.events import InteractionRecorded
    from projections.paging import Page
    from projections.timeline_pages import Ref

router = APIRouter()

Id = Annotated[int, Meta(ge=1, le=POSITION_MAX)]


class TwinRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """The other record of the same event, and which of the two is shown for both."""

    other: Id
    show: Id


class Offered(TwinView, frozen=True):
    """A record that may be the twin, with its row."""

    row: RowView


class Proposal(Struct):
    """A record by hand, and what may be its twins, the nearest in time first."""

    row: RowView
    twins: list[Offered]


class ProposalPage(Struct):
    """A page of open proposals."""

    items: list[Proposal]
    next: str | None
    prev: str | None


_TWIN: Final = Shape(TwinRequest)


@router.put(
    "/v1/interactions/{id}/twin",
    status_code=200,
    summary="Link two records of one event",
    openapi_extra=body_of(TwinRequest),
    responses=answers("Card", 200),
)
async def link(request: Request, id: str) -> Response:
    """Link two records of one event: both stay, one is shown and counts.

    The same again changes nothing; with the other `show` the two change places.
    """
    services = services_of(request)
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _TWIN.read(raw)
    position = position_in_path(id)
    by = author(request, caller, raw, services.ledger.derive)
    receipt = await tie(request, caller, (position, asked), by)
    return await changed(request, caller, position, receipt)


@router.delete(
    "/v1/interactions/{id}/twin",
    status_code=204,
    summary="Take the link to a twin back",
)
async def unlink(request: Request, id: str) -> Response:
    """Take the link of a record to its twin back; both are again as they were before."""
    services = services_of(request)
    caller = await admit(request, "manage")
    Query(request).close()
    by = author(request, caller, b"", services.ledger.derive)
    await untie(request, caller, position_in_path(id), by)
    return nothing()


async def tie(
    request: Request, caller: Caller, what: tuple[int, TwinRequest], by: By
) -> FactReceipt | None:
    """Link a record (its id, and what is asked) with its twin; None where that was done.

    Raises NotFound, InvalidInput, WrongState, KeyReused.
    """
    position, asked = what
    _, mine = await recorded_for(request, caller, position)
    other = _other(request, position, asked)
    await _require_pair(request, caller, (position, asked.other))
    shown, hidden = (mine, other) if asked.show == position else (other, mine)
    return await services_of(request).ledger.annotations.link(shown, hidden, by)


async def untie(request: Request, caller: Caller, position: int, by: By) -> None:
    """Take the link of a record to its twin back; the views are waited for.

    Raises NotFound, KeyReused.
    """
    services = services_of(request)
    _, recorded = await recorded_for(request, caller, position)
    receipt = await services.ledger.annotations.unlink(recorded, by)
    if receipt is not None:
        await written(services, receipt.last)


@router.get(
    "/v1/contacts/{id}/twins",
    summary="Records that may be of one event",
    responses=answers("ProposalPage", 200),
)
async def proposals(request: Request, id: str) -> Response:
    """A contact's records by hand that an automatic one may be the twin of, the latest first."""
    contact = uuid_in_path(id)
    query = Query(request)
    window_us = services_of(request).twin_window_us

    def prepare(_: Caller) -> Task:
        asked = TwinsQuery(
            scope=f"twins:{contact}",
            window_us=window_us,
            limit=query.limit(),
            cursor=query.text("cursor"),
        )

        def work(look: Look) -> Json:
            found = look.contact(contact)
            page = twins.page(look.reading, found.members, asked)
            page = structs.replace(page, rows=look.allowed(page.rows))
            items = _items(look, found.members, page, window_us)
            more = moved_to(found, "/v1/contacts/{id}/twins")
            return page_answer(page_json(items, page), look.position, more)

        return Task(work)

    return await answer(request, query, prepare)


def _items(look: Look, members: list[bytes], page: Page[Ref], window_us: int) -> list[bytes]:
    """The page's records with their proposals, as JSON."""
    found = twins.of_records(look.reading, members, page.rows, window_us)
    others = [one for listed in found.values() for one in listed]
    refs = dict.fromkeys([*page.rows, *(one.ref for one in others)])
    rows = dict(zip(refs, look.renderer.rows(look.reading, list(refs), look.visible), strict=True))
    items: list[bytes] = []
    for ref in page.rows:
        listed = [
            {**structs.asdict(twins.view(one, window_us)), "row": Raw(rows[one.ref])}
            for one in found[ref.position]
        ]
        items.append(encode({"row": Raw(rows[ref]), "twins": listed}))
    return items


def _other(request: Request, position: int, asked: TwinRequest) -> InteractionRecorded:
    """The record that is to be the twin. Raises InvalidInput."""
    if asked.other == position:
        raise InvalidInput.one("other", "same", "a record is not its own twin")
    if asked.show not in {position, asked.other}:
        message = f"one of the two: {position} or {asked.other}"
        raise InvalidInput.one("show", "bad_enum", message)
    try:
        return recorded_at(services_of(request), asked.other)[1]
    except NotFound:
        raise _unknown() from None


async def _require_pair(request: Request, caller: Caller, pair: tuple[int, int]) -> None:
    """Raise unless the caller may see both records and they are of one contact."""

    def work(look: Look) -> None:
        one, other = (timeline_pages.one(look.reading, position) for position in pair)
        if one is None or not look.allowed([one]):
            raise NotFound(f"There is no interaction {pair[0]}.")
        if other is None or not look.allowed([other]):
            raise _unknown()
        likely.require_one_contact(look, [one.subject, other.subject])

    await look(request, caller, Freshness(max(pair), AFTER_COMMAND_MS), work)


def _unknown() -> InvalidInput:
    return InvalidInput.one("other", "unknown", "there is no such interaction")


STRUCTS: Final = (TwinRequest, ProposalPage)
"""What these operations name in the document of the API."""
