"""Tokens of programs: made, listed, revoked. The secret is shown once and kept nowhere.

The key store has the hash, the log what the token may do. The key store comes first: a token
whose maker died before the log knew of it opens nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer, nothing
from api.auth import admit, services_of, token_stream
from api.bodies import Faults, Shape
from api.idempotency import author
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
    uuid_of,
)
from api.reads import reads_of
from api.shapes import TimeText
from domain.errors import NotFound
from domain.events import TokenIssued, TokenRevoked
from domain.times import TimeError, format_utc, parse_rfc3339
from domain.values import echo, is_source
from projections.dictionary import Person
from projections.paging import Ask, Page, binding, read_cursor, read_page
from storage.credentials import Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.services import Services
    from domain.commands import By
    from projections.dictionary import Names
    from projections.paging import SortKey

router = APIRouter()

_LOW_BITS: Final = (1 << 61) - 1


class TokenRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """A token to make. `user` is the id or e-mail of the person as whom it acts."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[
        tuple[Literal["append", "read", "manage", "audit", "admin"], ...],
        Meta(min_length=1, max_length=5),
    ]
    source: Annotated[str, Meta(max_length=128)] | None = None
    user: Annotated[str, Meta(max_length=320)] | None = None
    expires_at: TimeText | None = None


class NewToken(Struct, frozen=True):
    """A token to make, checked. `expires_at` in µs."""

    name: str
    scopes: tuple[str, ...]
    source: str | None = None
    user: UUID | None = None
    expires_at: int | None = None


class TokenRow(Struct):
    """A token as it is shown; `user` is whom it acts as.

    `token` is its secret, once, in the answer that made it.
    """

    id: UUID
    name: str
    scopes: tuple[str, ...]
    source: str | None
    user: Person | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    token: str | None = None


class TokenPage(Struct):
    """Tokens, the newest first, and the cursors of the pages beside them."""

    items: list[TokenRow]
    next: str | None
    prev: str | None


_TOKEN: Final = Shape(TokenRequest)


async def issue(services: Services, wanted: NewToken, by: By) -> tuple[str, Token]:
    """Make a token: its secret and what is kept of it.

    Raises WrongState where the name is taken, as it is when the command is repeated.
    """
    now = services.clock()
    token = Token(services.new_id(), wanted.name, now, wanted.expires_at)
    secret = await run_in_threadpool(services.credentials.tokens.add, token)
    event = TokenIssued(
        originator_id=token_stream(services.ledger.derive, token.token_id),
        originator_version=1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        digest=by.repeatable.digest if by.repeatable else None,
        token=token.token_id,
        name=wanted.name,
        scopes=wanted.scopes,
        source=wanted.source,
        user=wanted.user,
        expires_at=wanted.expires_at,
    )
    await services.ledger.state(event, by)
    return secret, token


async def revoke(services: Services, token: UUID, by: By) -> None:
    """Close a token for ever; closed already, nothing happens. Raises NotFound."""
    tokens = services.credentials.tokens
    if not await run_in_threadpool(tokens.revoke, token, services.clock()):
        known = await run_in_threadpool(tokens.all)
        if all(one.token_id != token for one in known):
            raise NotFound("There is no such token.")
    event = TokenRevoked(
        originator_id=services.ledger.derive.id("token-revoked", token),
        originator_version=1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        token=token,
    )
    await services.ledger.state(event, by)


# -------------------------------------------------------------------------- calls


@router.post(
    "/v1/tokens",
    status_code=201,
    summary="Make a token",
    openapi_extra=body_of(TokenRequest),
    responses=answers("TokenRow", 201),
)
async def create(request: Request) -> Response:
    """Make a token; its secret is in this answer and nowhere else."""
    services = services_of(request)
    caller = await admit(request, "admin")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    wanted = token_of(services, _TOKEN.read(raw))
    by = author(request, caller, raw, services.ledger.derive)
    secret, token = await issue(services, wanted, by)
    row = _row(token, wanted, await run_in_threadpool(reads_of(request).names.newest))
    row.token = secret
    return json_answer(row, 201)


@router.get("/v1/tokens", summary="List tokens", responses=answers("TokenPage", 200))
async def list_tokens(request: Request) -> Response:
    """List the tokens, the newest first; never their secrets."""
    services = services_of(request)
    await admit(request, "admin")
    query = Query(request)
    limit, cursor = query.limit(), query.text("cursor")
    wanted = freshness(query)
    query.close()
    bound = binding("tokens")
    ask = Ask(binding=bound, limit=limit, mark=read_cursor(bound, cursor))
    headers = read_headers(await reached(services, wanted))
    names = await run_in_threadpool(reads_of(request).names.newest)
    page, rows = await run_in_threadpool(page_of, services, names, ask)
    return json_answer(TokenPage(rows, page.next, page.prev), 200, headers)


@router.delete("/v1/tokens/{id}", status_code=204, summary="Revoke a token")
async def delete(request: Request, id: str) -> Response:
    """Revoke a token: within a second it opens nothing, in any process."""
    services = services_of(request)
    caller = await admit(request, "admin")
    Query(request).close()
    by = author(request, caller, b"", services.ledger.derive)
    await revoke(services, uuid_in_path(id), by)
    request.app.state.doorkeeper.forget()
    return nothing()


def token_of(services: Services, asked: TokenRequest) -> NewToken:
    """The token that a request asks for. Raises InvalidInput."""
    faults = Faults()
    if asked.source is not None and not is_source(asked.source):
        faults.add("source", "bad_source", "a source is written like manual, api:crm or sms:shop")
    user = _user(services, asked.user, faults) if asked.user else None
    expires_at = None
    if asked.expires_at is not None:
        try:
            expires_at, _ = parse_rfc3339(asked.expires_at)
        except TimeError as error:
            faults.add("expires_at", error.code, error.message)
        else:
            if expires_at <= services.clock():
                faults.add("expires_at", "past", "this lies in the past")
    faults.finish()
    scopes = tuple(dict.fromkeys(asked.scopes))
    return NewToken(asked.name, scopes, asked.source, user, expires_at)


def _user(services: Services, text: str, faults: Faults) -> UUID | None:
    is_name = uuid_of(text) is None and "@" not in text
    user = None if is_name else services.people.staff_id(text)
    if user is None:
        faults.add("user", "unknown", f"{echo(text)} is no user; write their id or e-mail address")
    return user


def page_of(services: Services, names: Names, ask: Ask) -> tuple[Page[Token], list[TokenRow]]:
    """A page of tokens, and what the log says of each."""
    tokens = services.credentials.tokens.all()

    def fetch(low: SortKey, high: SortKey, *, descending: bool, count: int) -> Sequence[Token]:
        within = [token for token in tokens if low < _key(token) < high]
        return sorted(within, key=_key, reverse=descending)[:count]

    page = read_page(ask, fetch, _key)
    rows = []
    for token in page.rows:
        entries = services.log.stream(token_stream(services.ledger.derive, token.token_id))
        issued = entries[0].event if entries else None
        if isinstance(issued, TokenIssued):
            may = NewToken(token.name, issued.scopes, issued.source, issued.user, token.expires_at)
        else:
            may = NewToken(token.name, ())
        rows.append(_row(token, may, names))
    return page, rows


def _key(token: Token) -> tuple[int, int]:
    return token.created_at, token.token_id.int & _LOW_BITS


def _row(token: Token, may: NewToken, names: Names) -> TokenRow:
    return TokenRow(
        id=token.token_id,
        name=token.name,
        scopes=may.scopes,
        source=may.source,
        user=names.user(may.user) if may.user else None,
        created_at=format_utc(token.created_at),
        expires_at=_time(token.expires_at),
        revoked_at=_time(token.revoked_at),
        last_used_at=_time(token.last_used_at),
    )


def _time(at: int | None) -> str | None:
    return None if at is None else format_utc(at)
