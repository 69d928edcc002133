"""The quarantine: what could not be recorded, for people to look at and decide (contract 2.10)."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer
from api.auth import admit, services_of
from api.bodies import Shape
from api.channels import handled_of
from api.idempotency import author
from api.ingest import DUPLICATE
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    Query,
    freshness,
    reached,
    read_body,
    read_headers,
    require_type,
    uuid_in_path,
)
from channels.quarantine import Raw
from domain.times import format_utc
from projections.paging import HIGHEST, LOWEST, Ask, binding, read_cursor, read_page
from storage.arrivals import Kindred, Place
from storage.trade import Quarantined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.services import Services
    from projections.paging import SortKey

router = APIRouter()

_SHIFT: Final = 67
"""A cursor has room for 61 bits of an id: no two atoms of one microsecond share so many."""


REASON_MAX_CHARS: Final = 300
"""Length of the reason why an atom may go."""


class DiscardRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Why an atom may go."""

    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX_CHARS)]


class RawShown(Struct):
    """What came, as it came."""

    headers: dict[str, str]
    body_base64: str


class QuarantineItem(Struct):
    """An atom in quarantine. `state`: open, retried, discarded; `raw` on the single call only."""

    id: UUID
    connection: str
    source: str
    received_at: str
    atom: int
    reason: str
    error: str
    attempts: int
    state: str
    raw: RawShown | None = None


class QuarantinePage(Struct):
    """Open atoms, the latest first, and the cursors of the pages beside them."""

    items: list[QuarantineItem]
    next: str | None
    prev: str | None


STRUCTS: Final[tuple[type[Struct], ...]] = (DiscardRequest, QuarantineItem, QuarantinePage)

_DISCARD: Final = Shape(DiscardRequest)


@router.get(
    "/v1/quarantine", summary="List the quarantine", responses=answers("QuarantinePage", 200)
)
async def list_quarantine(request: Request) -> Response:
    """List what waits for a decision, the latest first; never its content."""
    services = services_of(request)
    await admit(request, "manage")
    query = Query(request)
    limit, cursor = query.limit(), query.text("cursor")
    wanted = freshness(query)
    query.close()
    bound = binding("quarantine")
    ask = Ask(binding=bound, limit=limit, mark=read_cursor(bound, cursor))
    headers = read_headers(await reached(services, wanted))
    return json_answer(await run_in_threadpool(page_of, services, ask), 200, headers)


@router.get(
    "/v1/quarantine/{id}",
    summary="Show an atom in quarantine",
    responses=answers("QuarantineItem", 200),
)
async def show(request: Request, id: str) -> Response:
    """Show one atom; an administrator also sees what came."""
    services = services_of(request)
    caller = await admit(request, "manage")
    query = Query(request)
    wanted = freshness(query)
    query.close()
    headers = read_headers(await reached(services, wanted))
    atom, raw = await run_in_threadpool(services.channels.ward.show, uuid_in_path(id))
    return json_answer(item(atom, raw if caller.may("admin") else None), 200, headers)


@router.post(
    "/v1/quarantine/{id}/retry",
    summary="Deliver an atom once more",
    responses=answers("QuarantineItem", 200),
)
async def retry(request: Request, id: str) -> Response:
    """Deliver an atom once more; it is still `open` where that failed again."""
    services = services_of(request)
    caller = await admit(request, "admin")
    Query(request).close()
    handled = handled_of(author(request, caller, b"", services.ledger.derive))
    book, atom_id = services.channels.connections.book, uuid_in_path(id)
    if await run_in_threadpool(book.was_handled, handled):
        atom = await run_in_threadpool(services.channels.arrivals.quarantined_atom, atom_id)
        return json_answer(item(atom), 200, DUPLICATE)
    atom = await services.channels.retrying.retry(atom_id)
    await run_in_threadpool(book.mark, handled)
    return json_answer(item(atom))


@router.post(
    "/v1/quarantine/{id}/discard",
    summary="Let an atom go",
    openapi_extra=body_of(DiscardRequest),
    responses=answers("QuarantineItem", 200),
)
async def discard(request: Request, id: str) -> Response:
    """Let an atom go, for good: it counts as ignored, and its content is deleted."""
    services = services_of(request)
    caller = await admit(request, "admin")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _DISCARD.read(raw)
    handled = handled_of(author(request, caller, raw, services.ledger.derive))
    atom_id = uuid_in_path(id)

    def work() -> tuple[Quarantined, bool]:
        channels = services.channels
        if channels.connections.book.was_handled(handled):
            return channels.arrivals.quarantined_atom(atom_id), True
        atom = channels.ward.discard(atom_id, asked.reason)
        channels.connections.book.mark(handled)
        return atom, False

    atom, repeated = await run_in_threadpool(work)
    return json_answer(item(atom), 200, DUPLICATE if repeated else None)


def item(atom: Quarantined, raw: Raw | None = None) -> QuarantineItem:
    """An atom as the contract has it."""
    return QuarantineItem(
        id=atom.id,
        connection=atom.connection,
        source=atom.source,
        received_at=format_utc(atom.received_at),
        atom=atom.atom,
        reason=atom.reason,
        error=atom.error,
        attempts=atom.attempts,
        state=atom.state,
        raw=RawShown(raw.headers, b64encode(raw.body).decode()) if raw else None,
    )


def page_of(services: Services, ask: Ask, of: Kindred | None = None) -> QuarantinePage:
    """A page of open atoms; of a kind alone where one is named."""
    kindred = of or Kindred()

    def fetch(
        low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Quarantined]:
        return services.channels.arrivals.quarantine_between(
            None if low == LOWEST else _place(low, last=True),
            None if high == HIGHEST else _place(high, last=False),
            descending=descending,
            count=count,
            of=kindred,
        )

    page = read_page(ask, fetch, _key)
    return QuarantinePage([item(atom) for atom in page.rows], page.next, page.prev)


def _key(atom: Quarantined) -> tuple[int, int]:
    return atom.received_at, atom.id.int >> _SHIFT


def _place(key: SortKey, *, last: bool) -> Place:
    """The first or the last place that a cursor's key can mean."""
    id_ = (max(key[1], 0) << _SHIFT) & ((1 << 128) - 1)
    return key[0], UUID(int=id_ | (((1 << _SHIFT) - 1) if last else 0))
