"""The stream: server-sent events, one message an event of the log (contract 2.9).

A client resumes with the id of the last message that it got: it then catches up by itself,
page by page and at its own pace, and joins the live ones where the hub stands, so that nothing
is missing and nothing comes twice.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.auth import admit, services_of
from api.hub import BEHIND_MAX, RETRY_S, Choice, Subscription
from api.parameters import POSITION_MAX, Query
from api.signals import sse
from domain.errors import Busy, HiloError, InvalidInput, Unavailable
from domain.values import echo
from projections.access import ACCESS_EPOCH

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from api.hub import Hub
    from api.services import Services

router = APIRouter()

STREAMS_MAX: Final = 2_000
"""Streams of one process: each costs a socket and some memory, and a look at its token."""

CHUNK_BYTES: Final = 64 * 1024
"""What is handed to the socket in one go; messages beyond wait where they are counted."""

GOODBYE_S: Final = 0.5
"""How long the last, empty part of an answer may take; a reader that reads nothing gets none."""

HEAD_WAIT_S: Final = 2.0
"""How long a new stream waits for the views to hold the head; else it begins where they are."""

_TOPICS: Final = re.compile(r"[a-z]+\.(?:[a-z_]+|\*)")
_HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class Pace(Struct, frozen=True):
    """How often a stream says that it lives, and looks whether its reader is still welcome."""

    tick_s: float = 15.0
    check_s: float = 2.0


@router.get(
    "/v1/stream",
    summary="Server-sent events",
    response_class=Response,
    responses={200: {"description": "Messages", "content": {"text/event-stream": {}}}},
)
async def stream(request: Request) -> Response:
    """What happens, as it happens, as soon as every page shows it.

    `Last-Event-ID` beats `after`; without either, from now on. `contact` and `types` choose.
    """
    services = services_of(request)
    hub: Hub = request.app.state.hub
    caller = await admit(request, "read")
    query = Query(request)
    after = _number(query.text("after"), "query.after")
    contact = query.id("contact")
    topics = _topics(query)
    query.close()
    resumed = _number(request.headers.get("last-event-id"), "header.Last-Event-ID")
    if hub.streams >= STREAMS_MAX:
        raise Busy("This server has all the streams that it can serve.")
    start = await _start(services, hub, after if resumed is None else resumed)
    choice = Choice(caller.reader, contact.bytes if contact else None, topics)
    subscription = await run_in_threadpool(_subscription, services, choice, start)

    async def is_welcome() -> bool:
        try:
            now = await admit(request, "read")
        except Unavailable:
            return True
        except HiloError:
            return False
        return now.reader == caller.reader  # a new role comes with a stream of its own

    pace: Pace = request.app.state.pace
    return StreamAnswer(services, hub, subscription, is_welcome, pace)


async def _start(services: Services, hub: Hub, wanted: int | None) -> int:
    """The position behind which a stream begins: the one that is wanted, else the head.

    The head is that of the log, as soon as the views hold it: a client that loads its pages
    now has seen all that came before.
    """
    head = await run_in_threadpool(services.log.head)
    if wanted is not None and wanted <= head:
        return wanted
    await services.wait_for(head, HEAD_WAIT_S)
    return hub.position


def _subscription(services: Services, choice: Choice, start: int) -> Subscription:
    """A reader's place. Who resumes from before somebody's sight was changed loads anew."""
    with services.views.reading() as reading:
        hidden = services.access.visible(choice.reader, reading).hidden
        changed = reading.epoch(ACCESS_EPOCH)
        one = Subscription(choice, start, hidden)
        if hidden and start < changed:
            one.leap(reading.position)
    return one


def _number(text: str | None, field: str) -> int | None:
    """A position that a client names. Raises InvalidInput."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and int(text[:20]) <= POSITION_MAX:
        return int(text[:20])
    message = f"{echo(text)} is not the id of a message; send back the last id, a number"
    raise InvalidInput.one(field, "bad_format", message)


def _topics(query: Query) -> tuple[str, ...]:
    """The topics that are asked for; `interaction.*` stands for all that begin so."""
    found: dict[str, None] = {}
    for text in query.many("types"):
        for one in text.split(","):
            if _TOPICS.fullmatch(one) is None:
                query.refuse("types", "bad_format", f"{echo(one)} is no type such as note.added")
            found[one.removesuffix("*")] = None
    return tuple(found)


class StreamAnswer(Response):
    """The answer that does not end by itself."""

    def __init__(
        self,
        services: Services,
        hub: Hub,
        subscription: Subscription,
        is_welcome: Callable[[], Awaitable[bool]],
        pace: Pace,
    ) -> None:
        self._services = services
        self._hub = hub
        self._one = subscription
        self._is_welcome = is_welcome
        self._pace = pace
        self.status_code = 200
        self.background = None
        self.raw_headers = list(_HEADERS)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader goes, is not welcome any more, or is too slow."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        gone = asyncio.create_task(_until_gone(receive))
        tasks = {gone, asyncio.create_task(self._tell(send)), asyncio.create_task(self._guard())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._hub.leave(self._one)
        if gone not in done:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _guard(self) -> None:
        """Wait until there is a reason to end the stream."""
        while not (self._one.too_slow or self._hub.ended):
            await asyncio.sleep(self._pace.check_s)
            if not await self._is_welcome():
                return

    async def _tell(self, send: Send) -> None:
        """Send what there is to say, for as long as there is no reason to end."""
        one = self._one
        await _send(send, [sse("hello", one.position, await self._hello())])
        tick_at = time.monotonic() + self._pace.tick_s
        while not (one.too_slow or self._hub.ended):
            if not one.live:
                await self._catch_up(send)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(tick_at - time.monotonic(), 0)):
                    await one.stirred.wait()
            one.stirred.clear()
            covered = await self._flush(send)
            if time.monotonic() >= tick_at:
                await _send(send, [sse("tick", covered, await self._places(covered))])
                tick_at = time.monotonic() + self._pace.tick_s

    async def _flush(self, send: Send) -> int:
        """Send what waits; the position up to which everything was then said."""
        one = self._one
        while one.frames or one.reset_to is not None:
            chunk: list[bytes] = []
            if one.reset_to is not None:
                chunk.append(sse("reset", one.reset_to, {"position": one.reset_to}))
                one.reset_to = None
            size = 0
            while one.frames and size < CHUNK_BYTES:
                body = one.frames.popleft().body
                chunk.append(body)
                size += len(body)
            await _send(send, chunk)
        return one.position

    async def _catch_up(self, send: Send) -> None:
        """Say what was missed, at the reader's own pace, and join the live ones."""
        one, hub = self._one, self._hub
        await self._flush(send)
        while not hub.join(one):
            told = hub.told
            if told - one.position > BEHIND_MAX:
                one.leap(told)
                await self._flush(send)
                continue
            try:
                batch = await hub.stretch(one.position, told, [one.choice])
            except Unavailable:
                await asyncio.sleep(RETRY_S)
                continue
            await _send(send, [frame.body for frame in one.told(batch)])
            one.position = batch.upto

    async def _hello(self) -> dict[str, object]:
        places = await self._places(self._one.position)
        return {**places, "server": self._services.version}

    async def _places(self, position: int) -> dict[str, int]:
        """Where this stream is, and where the log is."""
        head = await run_in_threadpool(self._services.log.head)
        return {"position": position, "head": max(head, position)}


async def _send(send: Send, bodies: Iterable[bytes]) -> None:
    body = b"".join(bodies)
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
