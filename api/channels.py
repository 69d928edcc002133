"""Connections to providers: added, shown with their balance, paused, removed (contract 2.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct, field
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer, nothing
from api.auth import admit, services_of
from api.bodies import Faults, Shape
from api.idempotency import author
from api.ingest import DUPLICATE
from api.openapi import answers, body_of
from api.parameters import JSON_TYPES, Query, read_body, require_type
from channels.connections import TITLE_MAX_CHARS, Change, Draft
from channels.registry import CHANNELS
from domain.events import DepartmentSet, SourceSet
from domain.staff import department_stream
from domain.times import format_utc
from domain.values import dictionary_key, echo
from projections.paging import Ask, binding, read_cursor, read_page
from storage.arrivals import Arrived
from storage.connections import Connection, Handled
from storage.trade import Balance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.services import Services
    from domain.commands import By
    from projections.paging import SortKey

router = APIRouter()

REJECTED: Final = ("bad_signature", "no_signature", "too_large")
"""Why requests are refused unread; each stands in every balance."""

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


class Named(Struct):
    """A key and its name."""

    key: str
    name: str


class SecretShown(Struct):
    """What is shown of a secret: never more than that it is there."""

    set: bool
    count: int
    changed_at: str | None


class BalanceShown(Struct):
    """What came in: `received` is the sum of recorded, duplicate, ignored and quarantined."""

    since: str
    deliveries: int
    rejected: dict[str, int]
    received: int
    recorded: int
    duplicate: int
    ignored: dict[str, int]
    quarantined: int


class SourceShown(Struct):
    """An account behind a connection, as its deliveries name it."""

    key: str
    name: str
    address: str | None
    state: str
    department: Named | None
    attended_by: None
    last_at: str | None
    balance: BalanceShown


class ConnectionAnswer(Struct):
    """A connection with its sources and its balance."""

    key: str
    channel: str
    name: str
    title: str
    state: str
    url: str
    secrets: dict[str, SecretShown]
    options: dict[str, str]
    department: Named | None
    sources: list[SourceShown]
    created_at: str
    last_delivery_at: str | None
    last_error: str | None
    balance: BalanceShown


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
    query.close()
    bound = binding("channels")
    ask = Ask(binding=bound, limit=limit, mark=read_cursor(bound, cursor))
    return json_answer(await run_in_threadpool(_page, services, ask))


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
    Query(request).close()

    def work() -> ConnectionAnswer:
        return shown(services, services.channels.connections.book.get(channel, name))

    return json_answer(await run_in_threadpool(work))


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


# ------------------------------------------------------------------------- objects


def shown(services: Services, connection: Connection) -> ConnectionAnswer:
    """A connection as the contract has it."""
    channels = services.channels
    facts = channels.connections.facts(connection)
    names = _secret_names(connection)
    arrived = {one.source: one for one in channels.arrivals.arrived(connection.key)}
    balances = {one.source: one for one in channels.arrivals.balances(connection.key)}
    whole = arrived.get("")
    sources = sorted(({*arrived} | {*balances}) - {""})
    return ConnectionAnswer(
        key=connection.key,
        channel=connection.channel,
        name=connection.name,
        title=connection.title,
        state=connection.state,
        url=url_of(services, connection),
        secrets={
            name: SecretShown(
                name in facts,
                facts[name].count if name in facts else 0,
                format_utc(facts[name].changed_at) if name in facts else None,
            )
            for name in dict.fromkeys((*names, *facts))
        },
        options=connection.options,
        department=_department(services, connection.department),
        sources=[_source(services, key, arrived.get(key), balances.get(key)) for key in sources],
        created_at=format_utc(connection.created_at),
        last_delivery_at=_time(whole.last_at if whole else None),
        last_error=whole.error if whole else None,
        balance=_balance(list(balances.values()), connection.created_at),
    )


def url_of(services: Services, connection: Connection) -> str:
    """The URL that goes into the provider's settings."""
    return f"{services.locale.public_url}/channels/{connection.key}"


def _secret_names(connection: Connection) -> Sequence[str]:
    module = CHANNELS.get(connection.channel)
    return module.secrets if module else ()


def _department(services: Services, text: str | None) -> Named | None:
    """A department by name or key, with the name that the log has for it."""
    if not text:
        return None
    key = dictionary_key(text)
    entries = services.log.stream(department_stream(services.ledger.derive, key))
    last = entries[-1].event if entries else None
    name = last.name if isinstance(last, DepartmentSet) and last.name else text
    return Named(key, name)


def _source(
    services: Services, key: str, arrived: Arrived | None, balance: Balance | None
) -> SourceShown:
    """An account: `named` once somebody gave it a name, until then `discovered`."""
    entries = services.log.stream(services.ledger.derive.id("source", key))
    last = entries[-1].event if entries else None
    known = last if isinstance(last, SourceSet) else None
    said = arrived.address if arrived else None
    return SourceShown(
        key=key,
        name=(known.name if known else None) or key,
        address=(known.address if known else None) or said,
        state="named" if known else "discovered",
        department=_department(services, known.department if known else None),
        attended_by=None,
        last_at=_time(arrived.last_at if arrived else None),
        balance=_balance([balance] if balance else [], 0),
    )


def _balance(balances: Sequence[Balance], since: int) -> BalanceShown:
    """Balances, added up."""
    rejected, ignored = dict.fromkeys(REJECTED, 0), dict[str, int]()
    for balance in balances:
        for reason, n in balance.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + n
        for reason, n in balance.ignored.items():
            ignored[reason] = ignored.get(reason, 0) + n
    return BalanceShown(
        since=format_utc(min((one.since for one in balances), default=since)),
        deliveries=sum(one.deliveries for one in balances),
        rejected=rejected,
        received=sum(one.received for one in balances),
        recorded=sum(one.recorded for one in balances),
        duplicate=sum(one.duplicate for one in balances),
        ignored=ignored,
        quarantined=sum(one.quarantined for one in balances),
    )


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


def _time(at: int | None) -> str | None:
    return None if at is None else format_utc(at)
