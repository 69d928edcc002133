"""Connections to providers: added, shown with their balance, paused, removed (contract 2.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct, field
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer, nothing
from api.auth import admit, services_of
from api.bodies import Faults, Shape
from api.connections import ConnectionAnswer, shown
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
)
from channels.connections import TITLE_MAX_CHARS, Change, Draft
from domain.values import echo
from projections.paging import Ask, binding, read_cursor, read_page
from storage.connections import Connection, Handled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.services import Services
    from domain.commands import By
    from projections.paging import SortKey

router = APIRouter()

_LOW_BITS: Final = (1 << 61) - 1

Title = Annotated[str, Meta(max_length=TITLE_MAX_CHARS)]


class ConnectionRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """A connection to add. A secret is a text, or a list of two while it is being rotated."""

    channel: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    title: Title | None = None
    department: Title | None = None
    secrets: dict[str, object] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)


class ConnectionChange(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is changed; a secret is added beside the one before it. Null leaves a field."""

    title: Title | None = None
    department: Title | None = None
    state: Annotated[str, Meta(max_length=16)] | None = None
    secrets: dict[str, object] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)


class ConnectionPage(Struct):
    """Connections, the newest first, and the cursors of the pages beside them."""

    items: list[ConnectionAnswer]
    next: str | None
    prev: str | None


STRUCTS: Final[tuple[type[Struct], ...]] = (
    ConnectionRequest,
    ConnectionChange,
    ConnectionAnswer,
    ConnectionPage,
)

_REQUEST: Final = Shape(ConnectionRequest)
_CHANGE: Final = Shape(ConnectionChange)


# -------------------------------------------------------------------------- calls


@router.get("/v1/channels", summary="List connections", responses=answers("ConnectionPage", 200))
async def list_connections(request: Request) -> Response:
    """List the connections, the newest first; those that were removed too."""
    services = services_of(request)
    await admit(request, "manage")
    query = Query(request)
    limit, cursor = query.limit(), query.text("cursor")
    wanted = freshness(query)
    query.close()
    bound = binding("channels")
    ask = Ask(binding=bound, limit=limit, mark=read_cursor(bound, cursor))
    headers = read_headers(await reached(services, wanted))
    return json_answer(await run_in_threadpool(_page, services, ask), 200, headers)


@router.post(
    "/v1/channels",
    status_code=201,
    summary="Add a connection",
    openapi_extra=body_of(ConnectionRequest),
    responses=answers("ConnectionAnswer", 200, 201),
)
async def add(request: Request) -> Response:
    """Add a connection; its URL is in the answer, its secrets in no answer ever."""
    services = services_of(request)
    caller = await admit(request, "admin")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _REQUEST.read(raw)
    faults = Faults()
    draft = Draft(
        channel=asked.channel,
        name=asked.name,
        title=asked.title,
        department=asked.department,
        secrets=_secrets(asked.secrets, faults),
        options=_options(asked.options, faults),
    )
    faults.finish()
    handled = handled_of(author(request, caller, raw, services.ledger.derive))

    def work() -> tuple[ConnectionAnswer, bool]:
        connections = services.channels.connections
        repeated = connections.book.was_handled(handled)
        if repeated:
            connection = connections.book.get(draft.channel, draft.name)
        else:
            connection = connections.add(draft, handled)
        return shown(services, connection), repeated

    answer, repeated = await run_in_threadpool(work)
    return json_answer(answer, 200, DUPLICATE) if repeated else json_answer(answer, 201)


@router.get(
    "/v1/channels/{channel}/{name}",
    summary="Show a connection",
    responses=answers("ConnectionAnswer", 200),
)
async def show(request: Request, channel: str, name: str) -> Response:
    """Show a connection, its sources and its balance."""
    services = services_of(request)
    await admit(request, "manage")
    query = Query(request)
    wanted = freshness(query)
    query.close()
    headers = read_headers(await reached(services, wanted))

    def work() -> ConnectionAnswer:
        return shown(services, services.channels.connections.book.get(channel, name))

    return json_answer(await run_in_threadpool(work), 200, headers)


@router.patch(
    "/v1/channels/{channel}/{name}",
    summary="Change a connection",
    openapi_extra=body_of(ConnectionChange),
    responses=answers("ConnectionAnswer", 200),
)
async def change(request: Request, channel: str, name: str) -> Response:
    """Rename, pause, resume, rotate a secret."""
    services = services_of(request)
    caller = await admit(request, "admin")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _CHANGE.read(raw)
    faults = Faults()
    wanted = Change(
        title=asked.title,
        department=asked.department,
        state=asked.state,
        secrets=_secrets(asked.secrets, faults),
        options=_options(asked.options, faults),
    )
    faults.finish()
    handled = handled_of(author(request, caller, raw, services.ledger.derive))

    def work() -> tuple[ConnectionAnswer, bool]:
        connections = services.channels.connections
        connection = connections.book.get(channel, name)
        repeated = connections.book.was_handled(handled)
        if not repeated:
            connection = connections.change(connection, wanted, handled)
        return shown(services, connection), repeated

    answer, repeated = await run_in_threadpool(work)
    return json_answer(answer, 200, DUPLICATE if repeated else None)


@router.delete("/v1/channels/{channel}/{name}", status_code=204, summary="Remove a connection")
async def remove(request: Request, channel: str, name: str) -> Response:
    """Close the URL and forget the secrets; what came through it stays."""
    services = services_of(request)
    caller = await admit(request, "admin")
    Query(request).close()
    handled = handled_of(author(request, caller, b"", services.ledger.derive))

    def work() -> None:
        connections = services.channels.connections
        connection = connections.book.get(channel, name)
        if not connections.book.was_handled(handled):
            connections.remove(connection, handled)

    await run_in_threadpool(work)
    return nothing()


def handled_of(by: By) -> Handled | None:
    """The mark that a command with an Idempotency-Key leaves."""
    repeatable = by.repeatable
    return Handled(repeatable.command_id.bytes, repeatable.digest) if repeatable else None


def _secrets(given: Mapping[str, object], faults: Faults) -> dict[str, list[bytes]]:
    """Secrets as bytes: one text, or a list of them."""
    found: dict[str, list[bytes]] = {}
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        texts = [text for text in values if isinstance(text, str)]
        if not values or len(texts) != len(values):
            faults.add(f"secrets.{echo(name)}", "bad_type", "a text, or a list of texts")
        found[name] = [text.encode() for text in texts]
    return found


def _options(given: Mapping[str, object], faults: Faults) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in given.items():
        if isinstance(value, str):
            found[name] = value
        else:
            faults.add(f"options.{echo(name)}", "bad_type", "a text")
    return found


def _page(services: Services, ask: Ask) -> ConnectionPage:
    everything = services.channels.connections.book.all()
    derive = services.ledger.derive

    def key_of(one: Connection) -> tuple[int, int]:
        return one.created_at, derive.id("connection", one.key).int & _LOW_BITS

    def fetch(low: SortKey, high: SortKey, *, descending: bool, count: int) -> Sequence[Connection]:
        within = [one for one in everything if low < key_of(one) < high]
        return sorted(within, key=key_of, reverse=descending)[:count]

    page = read_page(ask, fetch, key_of)
    return ConnectionPage([shown(services, one) for one in page.rows], page.next, page.prev)
