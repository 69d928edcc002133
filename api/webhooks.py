"""Where providers deliver: the handshake, and what they send afterwards.

What is answered with 200 is settled: recorded, ignored for a named reason, or in quarantine.
Nothing is remembered of a request that no provider signed, but that it came.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from api.alongside import alongside
from api.auth import services_of
from api.frame import problem_answer
from api.parameters import read_body
from api.unexpected import log_unexpected
from channels.contract import Answer, Incoming, Reply
from channels.registry import CHANNELS
from domain.errors import HiloError, MethodNotAllowed, NotAllowed, NotFound, TooLarge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from api.services import Services
    from channels.connections import Opened

router = APIRouter()

CLEANING_EVERY_S: Final = 3_600.0
"""How often what waited too long in quarantine is let go: its time is counted in days."""

_PLAIN: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@router.get("/channels/{channel}/{name}", summary="A provider asks whether the URL is ours")
async def handshake(request: Request, channel: str, name: str) -> Response:
    """Answer the provider's challenge; 403 to whoever does not know the verify token.

    A provider that delivers by GET is answered as by POST.
    """
    services = services_of(request)
    opened = await _opened(services, channel, name)
    if opened.module.gets:
        return await _delivered(services, opened, _incoming(services, request, b""))
    match opened.module.handshake(_incoming(services, request, b""), opened.secrets):
        case Answer(text):
            return Response(text, media_type="text/plain", headers=_PLAIN)
    raise NotAllowed("The verify token is not the one that was configured here.")


@router.post("/channels/{channel}/{name}", summary="A provider delivers")
async def deliver(request: Request, channel: str, name: str) -> Response:
    """Take a delivery; 200 once each atom is recorded, ignored or in quarantine, durably.

    401 for a signature that is missing or wrong, 413 for a body above the channel's limit, 404
    for a connection that was removed, 429 for too many posts from one address to an open form,
    503 for a connection that is paused and where a store failed.
    """
    services = services_of(request)
    try:
        return await _taken(services, request, channel, name)
    except HiloError as error:
        headers = await run_in_threadpool(_across, services, request, channel, name)
        if headers is None:
            raise
        return problem_answer(error, request.scope, headers)


async def _taken(services: Services, request: Request, channel: str, name: str) -> Response:
    channels = services.channels
    opened = await _opened(services, channel, name)
    if opened.module.is_open and not any(opened.secrets.values()):
        address = request.client.host if request.client else ""
        request.app.state.gate.count_post(opened.connection.key, address)
    try:
        body = await read_body(request, opened.module.body_max_bytes)
    except TooLarge:
        await channels.receiver.refuse_size(opened)
        raise
    return await _delivered(services, opened, _incoming(services, request, body))


@router.options("/channels/{channel}/{name}", summary="A browser or sender asks before it sends")
async def preflight(request: Request, channel: str, name: str) -> Response:
    """Say who may send, and how; 405 where the channel is asked nothing of the kind."""
    services = services_of(request)
    opened = await _opened(services, channel, name)
    if opened.module.preflight is None:
        raise MethodNotAllowed("This channel takes POST.")
    incoming = _incoming(services, request, b"")
    return _answered(opened.module.preflight(incoming, opened.connection.options))


async def _opened(services: Services, channel: str, name: str) -> Opened:
    """The connection of a URL; the stores are asked in a thread, and seldom.

    Raises NotFound, also for one that has no URL.
    """
    connections = services.channels.connections
    opened = connections.remembered(channel, name)
    if opened is None:
        opened = await run_in_threadpool(connections.open, channel, name)
    if not opened.module.is_hooked:
        raise NotFound("Nothing is delivered to this connection over HTTP.")
    return opened


def _across(
    services: Services, request: Request, channel: str, name: str
) -> Mapping[str, str] | None:
    """The headers without which a browser hides a refusal from the page; None where none asks."""
    module = CHANNELS.get(channel)
    if module is None or module.refusal_headers is None:
        return None
    options: Mapping[str, str] = {}
    with suppress(HiloError):  # of a connection that is not there any origin may know that
        options = services.channels.connections.open(channel, name).connection.options
    return module.refusal_headers(_incoming(services, request, b""), options)


async def _delivered(services: Services, opened: Opened, incoming: Incoming) -> Response:
    """Take a delivery, and say what this provider waits for."""
    await services.channels.receiver.deliver(opened, incoming)
    module = opened.module
    if module.answer is not None:
        return _answered(module.answer(incoming, opened.connection.options))
    return _answered(module.reply)


def _answered(reply: Reply) -> Response:
    headers = {**_PLAIN, **reply.headers}
    return Response(reply.body, reply.status, headers, reply.media_type)


def _incoming(services: Services, request: Request, body: bytes) -> Incoming:
    """The request as a channel's module gets it, with the URL under which the provider knows us."""
    query = request.scope["query_string"].decode("latin-1")
    url = services.locale.public_url + request.url.path + (f"?{query}" if query else "")
    return Incoming(
        body=body,
        headers=dict(request.headers.items()),
        query=dict(request.query_params.items()),
        url=url,
        received_at=services.clock(),
    )


@asynccontextmanager
async def cleaning(application: FastAPI) -> AsyncIterator[None]:
    """Let go of what waited too long in quarantine, as long as the application lives."""
    async with alongside(_clean(application.state.services)):
        yield


async def _clean(services: Services) -> None:
    while True:
        try:
            await asyncio.to_thread(services.channels.ward.expire, services.clock())
        except HiloError as error:  # a store that does not answer now may do so in an hour
            log_unexpected(error, "cleaning")
        await asyncio.sleep(CLEANING_EVERY_S)
