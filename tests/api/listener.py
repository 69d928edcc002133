"""A reader of a stream, inside the application's own loop: what it gets, as it gets it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.api.station import Station
from tests.patience import PATIENCE_S


@dataclass(frozen=True)
class Event:
    """One message of a stream."""

    name: str
    id: int
    data: dict[str, Any]


class Listener:
    """Opens one stream. With `blocked`, it takes the head of the answer and reads nothing."""

    def __init__(self, station: Station, query: str = "", **headers: str) -> None:
        self._station = station
        self._query = query
        self._headers = {**station.headers, **headers}
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._text = b""
        self._left = asyncio.Event()
        self.answer: dict[str, Any] = {}
        self.body = b""
        self.reads = asyncio.Event()
        self.reads.set()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> Event:
        """Open the stream; its `hello`."""
        self._station.run(self._begin())
        return self.next()

    def refused(self) -> tuple[int, dict[str, Any]]:
        """Open what will be refused: status and problem."""

        async def ask() -> None:
            await self._begin()
            assert self._task is not None
            await self._task

        self._station.run(ask())
        return self.answer["status"], msgspec.json.decode(self.body)

    def next(self, *, ticks: bool = False) -> Event:
        """The next message; ticks are passed over unless asked for."""

        async def wait() -> Event | None:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    event = await self._events.get()
                    if event is None or ticks or event.name != "tick":
                        return event

        event = self._station.run(wait())
        assert event is not None, "the stream has ended"
        return event

    def until(self, position: int) -> list[Event]:
        """All messages up to the one with that id."""
        found = [self.next()]
        while found[-1].id < position:
            found.append(self.next())
        return found

    def ended(self) -> bool:
        """Whether the server ends the stream, soon, without being left."""

        async def wait() -> bool:
            assert self._task is not None
            await asyncio.wait([self._task], timeout=PATIENCE_S)
            return self._task.done()

        return self._station.run(wait())

    def close(self) -> None:
        """Leave."""

        async def leave() -> None:
            self._left.set()
            self.reads.set()
            assert self._task is not None
            await self._task

        self._station.run(leave())

    async def _begin(self) -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/v1/stream",
            "raw_path": b"/v1/stream",
            "query_string": self._query.encode(),
            "headers": [
                (name.lower().encode(), value.encode()) for name, value in self._headers.items()
            ],
            "http_version": "1.1",
            "scheme": "http",
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
        }
        self._task = asyncio.create_task(
            self._station.application(scope, self._receive, self._send)
        )
        self._task.add_done_callback(lambda _: self._events.put_nowait(None))

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:  # noqa: ANN401 - ASGI's messages
        if message["type"] == "http.response.start":
            self.answer = {
                "status": message["status"],
                **{name.decode(): value.decode() for name, value in message["headers"]},
            }
            return
        await self.reads.wait()
        self.body += message.get("body", b"")
        self._text += message.get("body", b"")
        while b"\n\n" in self._text:
            one, _, self._text = self._text.partition(b"\n\n")
            fields = dict(line.split(b": ", 1) for line in one.split(b"\n") if b": " in line)
            if b"event" in fields:
                data = msgspec.json.decode(fields[b"data"])
                self._events.put_nowait(Event(fields[b"event"].decode(), int(fields[b"id"]), data))
