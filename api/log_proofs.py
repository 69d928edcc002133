"""The log's proofs, for auditors and their own tools: checkpoints, tiles, entries, receipts.

Addresses below `/v1/log` are those of C2SP tlog-tiles: a client of such logs reads this one.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer
from api.auth import Doorkeeper, admit, services_of
from api.openapi import answers
from api.parameters import POSITION_MAX, Freshness, Query, freshness, position_in_path
from api.reads import look
from audit.tree import LEVELS_MAX, read_tile_path
from domain.errors import NotAllowed, NotFound
from domain.times import format_utc
from projections import timeline_pages

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from audit.room import Proofs

router = APIRouter()

CHECKPOINTS_MAX: Final = 1_000
"""Checkpoints of one answer: some 300 KiB."""

TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
RECORDED: Final = "interaction.recorded"


class InclusionProof(Struct, frozen=True):
    """The proof that an event is in a tree: its leaf and the path (base64), its index from 0."""

    position: int
    index: int
    size: int
    leaf: str
    hashes: list[str]


class ConsistencyProof(Struct, frozen=True, rename={"from_": "from"}):
    """The proof that the tree of `to` events begins with that of `from` (base64)."""

    from_: int
    to: int
    hashes: list[str]


class CheckpointView(Struct, frozen=True):
    """A signed checkpoint: over how many events, their root (base64), when, and the note."""

    size: int
    root: str
    at: str
    note: str


class CheckpointPage(Struct, frozen=True):
    """Checkpoints by size; `next` goes into `after`, null where there are no more."""

    items: list[CheckpointView]
    next: int | None


def _text(body: str, kind: str = TEXT) -> Response:
    return Response(body, media_type=kind, headers={"cache-control": "no-store"})


def _raw(body: bytes) -> Response:
    return Response(body, media_type=BYTES, headers={"cache-control": "no-store"})


async def _proofs(request: Request) -> Proofs:
    await admit(request, "audit")
    return services_of(request).proofs


@router.get("/v1/log/checkpoint", summary="The newest signed checkpoint", response_class=Response)
async def checkpoint(request: Request) -> Response:
    """The newest checkpoint as a signed note, with the witnesses' signatures."""
    proofs = await _proofs(request)
    Query(request).close()
    return _text((await run_in_threadpool(proofs.last)).note)


@router.get(
    "/v1/log/checkpoints",
    summary="Every signed checkpoint",
    responses=answers("CheckpointPage", 200),
)
async def checkpoints(request: Request) -> Response:
    """Every checkpoint that is kept, by size."""
    proofs = await _proofs(request)
    query = Query(request)
    after = query.number("after", 0, 0, POSITION_MAX)
    limit = query.number("limit", 50, 1, CHECKPOINTS_MAX)
    query.close()
    found = await run_in_threadpool(proofs.store.checkpoints, after, limit)
    items = [
        CheckpointView(one.size, b64encode(one.root).decode(), format_utc(one.at), one.note)
        for one in found
    ]
    return json_answer(CheckpointPage(items, items[-1].size if len(items) == limit else None))


@router.get("/v1/log/key", summary="The signer's verifier key", response_class=Response)
async def key(request: Request) -> Response:
    """The keys that ever signed, a line each; the last one signs now."""
    proofs = await _proofs(request)
    Query(request).close()
    await run_in_threadpool(proofs.key)
    known = await run_in_threadpool(proofs.verifiers)
    return _text("".join(f"{verifier}\n" for verifier in known))


@router.get(
    "/v1/log/tile/entries/{number:path}", summary="A bundle of entries", response_class=Response
)
async def entries(request: Request, number: str) -> Response:
    """256 entries, or `.p/<width>` of them, each after its length in two bytes."""
    proofs = await _proofs(request)
    Query(request).close()
    place = _place(number)
    return _raw(await run_in_threadpool(proofs.entries, *place))


@router.get(
    "/v1/log/tile/{level}/{number:path}", summary="A tile of the tree", response_class=Response
)
async def tile(request: Request, level: str, number: str) -> Response:
    """256 hashes of 32 bytes, or `.p/<width>` of them."""
    proofs = await _proofs(request)
    Query(request).close()
    if level not in map(str, range(LEVELS_MAX)):
        raise NotFound("The tree has no such level.")
    place = _place(number)
    return _raw(await run_in_threadpool(proofs.tile, int(level), *place))


def _place(number: str) -> tuple[int, int]:
    found = read_tile_path(number)
    if found is None or found[0] > POSITION_MAX:
        raise NotFound("A tile is named like x001/x234/067, or 000.p/12.")
    return found


@router.get(
    "/v1/log/proofs/inclusion",
    summary="Proof that the log holds an event",
    responses=answers("InclusionProof", 200),
)
async def inclusion(request: Request) -> Response:
    """The audit path of `position` in the tree of `size` events, else of the newest checkpoint."""
    proofs = await _proofs(request)
    query = Query(request)
    position = query.number("position", 0, 1, POSITION_MAX)
    size = query.number("size", 0, 1, POSITION_MAX)
    if "position" not in request.query_params:
        query.refuse("position", "required", "give the position of an event")
    query.close()

    def made() -> InclusionProof:
        over = size or proofs.last().size
        path = proofs.inclusion(position, over)
        leaf = proofs.tile(0, (position - 1) // 256, (position - 1) % 256 + 1)[-32:]
        return InclusionProof(position, position - 1, over, _b64(leaf), list(map(_b64, path)))

    return json_answer(await run_in_threadpool(made))


@router.get(
    "/v1/log/proofs/consistency",
    summary="Proof that the log only grew",
    responses=answers("ConsistencyProof", 200),
)
async def consistency(request: Request) -> Response:
    """The proof that the tree of `to` events, else of the newest checkpoint, begins with `from`."""
    proofs = await _proofs(request)
    query = Query(request)
    old = query.number("from", 0, 0, POSITION_MAX)
    new = query.number("to", 0, 0, POSITION_MAX)
    for name in ("from",):
        if name not in request.query_params:
            query.refuse(name, "required", "give the size of the older tree")
    query.close()

    def made() -> ConsistencyProof:
        over = new if "to" in request.query_params else proofs.last().size
        return ConsistencyProof(old, over, list(map(_b64, proofs.consistency(old, over))))

    return json_answer(await run_in_threadpool(made))


@router.get("/v1/log/receipts/{position}", summary="An event's receipt", response_class=Response)
async def log_receipt(request: Request, position: str) -> Response:
    """The receipt of any event; with `entry=true` what its leaf is made of goes along."""
    proofs = await _proofs(request)
    query = Query(request)
    with_entry = bool(query.flag("entry"))
    query.close()
    return await _receipt(proofs, position_in_path(position), with_entry=with_entry)


@router.get(
    "/v1/interactions/{id}/receipt", summary="An interaction's receipt", response_class=Response
)
async def receipt(request: Request, id: str) -> Response:
    """A file that proves, offline, that the log holds the interaction (C2SP tlog-proof).

    For whoever may see the interaction, and for auditors.
    """
    keeper: Doorkeeper = request.app.state.doorkeeper
    caller = await keeper.caller(request)
    position = position_in_path(id)
    query = Query(request)
    with_entry = bool(query.flag("entry"))
    wanted = freshness(query)
    query.close()
    await _require_sight(request, caller, position, wanted)
    return await _receipt(services_of(request).proofs, position, with_entry=with_entry)


async def _require_sight(
    request: Request, caller: Caller, position: int, wanted: Freshness
) -> None:
    """Raise NotFound where the caller may not see the interaction, or there is none."""

    def work(look: Look) -> bool:
        ref = timeline_pages.one(look.reading, position)
        return ref is not None and bool(look.allowed([ref]))

    if caller.may("read"):
        seen = await look(request, caller, wanted, work)
    elif caller.may("audit"):
        log = services_of(request).log
        rows = await run_in_threadpool(log.page, position - 1, 1)
        seen = bool(rows) and rows[0].topic == RECORDED
    else:
        raise NotAllowed("This needs the scope `read` or `audit`.")
    if not seen:
        raise NotFound("There is no such interaction.")


async def _receipt(proofs: Proofs, position: int, *, with_entry: bool) -> Response:
    def made() -> str:
        if position > proofs.source.pages.head():
            raise NotFound(f"There is no event {position}.")
        return proofs.receipt(position, with_entry=with_entry).text()

    answer = _text(await run_in_threadpool(made))
    answer.headers["content-disposition"] = f'attachment; filename="{position}.tlog-proof"'
    return answer


def _b64(raw: bytes) -> str:
    return b64encode(raw).decode()


STRUCTS: Final = (InclusionProof, ConsistencyProof, CheckpointView, CheckpointPage)
"""What these operations answer with."""
