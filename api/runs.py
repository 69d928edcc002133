"""Long work over HTTP: begun once under its key, asked for until it is over."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer
from api.auth import services_of
from api.idempotency import author, key_in
from api.ingest import DUPLICATE
from api.parameters import JSON_TYPES, Query, read_body, require_type, uuid_in_path
from domain.errors import KeyReused, NotFound

if TYPE_CHECKING:
    from fastapi import Request, Response

    from api.audit_views import ExportView, RunView
    from api.auth import Caller
    from storage.runs import Run


async def run_body(request: Request) -> bytes:
    """The body of a request that begins a run; `{}` where there is none."""
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    return await read_body(request) or b"{}"


async def begin_run(
    request: Request, caller: Caller, asked: tuple[str, bytes, bytes]
) -> tuple[Run, bool]:
    """Write a run down and have it done; the same key again is the first one. Raises KeyReused."""
    services = services_of(request)
    kind, wish, raw = asked
    by = author(request, caller, raw, services.ledger.derive)
    repeatable = by.repeatable
    id = repeatable.command_id if repeatable else services.new_id()
    digest = repeatable.digest.hex() if repeatable else hashlib.sha256(raw).hexdigest()
    actor = {"kind": by.actor.kind, "id": by.actor.id, "for": by.on_behalf_of, "digest": digest}

    def begin() -> tuple[Run, bool]:
        runs = services.proofs.runs
        there = runs.get(kind, id) if key_in(dict(request.scope["headers"])) else None
        if there is not None:
            if msgspec.json.decode(there.actor)["digest"] != digest:
                raise KeyReused("This key came with another body before.")
            return there, False
        run = runs.begin(id, kind, wish.decode(), msgspec.json.encode(actor).decode())
        services.proofs.launch(run)
        return runs.get(kind, id) or run, True

    return await run_in_threadpool(begin)


def accepted(view: RunView | ExportView, place: str, *, is_new: bool) -> Response:
    """202 with the address to ask at; 200 where the same key began it before."""
    headers = {"location": place} if is_new else {"location": place} | DUPLICATE
    return json_answer(view, 202 if is_new else 200, headers)


async def runs_of(request: Request, kind: str) -> list[Run]:
    """The latest runs of a kind, as many as the request asks for."""
    query = Query(request)
    limit = query.limit()
    query.close()
    return await run_in_threadpool(services_of(request).proofs.runs.latest, kind, limit)


async def run_of(request: Request, kind: str, id: str) -> Run:
    """One run. Raises NotFound."""
    services = services_of(request)
    found = await run_in_threadpool(services.proofs.runs.get, kind, uuid_in_path(id))
    if found is None:
        raise NotFound("There is nothing with such an id.")
    return found
