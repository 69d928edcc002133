"""A load from another process: so many connections, each one request at a time, for a while.

Written on bare asyncio protocols, so that the client costs less than what it measures.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

CONNECTIONS = 64
"""As many as a busy adapter opens; design 12 names it."""

KNOWN_PHONES = 2_000
"""Numbers that write again and again: 90 % of the appends are theirs."""

NEW_EVERY = 10
"""Every tenth append comes from a number that was never seen."""


STREAM_S_MAX = 60.0
"""A stream that has not said by then what was appended will not say it."""


@dataclass
class Delays:
    """From the moment an append was due to its event in the stream, in milliseconds."""

    p50_ms: float = 0.0
    p99_ms: float = 0.0
    answered_p99_ms: float = 0.0
    client_cpu_ms: float = 0.0


@dataclass
class Outcome:
    """What a load saw: requests a second, latencies in milliseconds, statuses by number.

    `requests` are all that were answered, those before the counted time among them.
    """

    per_s: float = 0.0
    requests: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)


def append_bodies(run: str, at: str) -> Iterator[bytes]:
    """Append requests without end; `run` keeps their keys apart from another run's."""
    new = zlib.crc32(run.encode())
    for number in itertools.count(1):
        if number % NEW_EVERY:
            phone = f"tel:+52555{number % KNOWN_PHONES:07d}"
        else:
            phone = f"tel:+52556{(new + number) % 10_000_000:07d}"
        yield _body(phone, f"wamid.{run}.{number}", at)


def first_bodies(run: str, at: str) -> Iterator[bytes]:
    """An append request of each known number."""
    for number in range(KNOWN_PHONES):
        yield _body(f"tel:+52555{number:07d}", f"wamid.{run}.{number}", at)


def _body(phone: str, key: str, at: str) -> bytes:
    fields = {
        "channel": "whatsapp",
        "direction": "inbound",
        "source": "whatsapp:106540352242922",
        "external_id": key,
        "resource": phone,
        "destination": "tel:+525598765432",
        "occurred_at": at,
        "contact_name": "Ana Núñez",
        "text": f"Hola, ¿sigue disponible la camioneta del anuncio? Mensaje {key}.",
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def requests(path: str, token: str, bodies: Iterator[bytes]) -> Callable[[], bytes]:
    """What makes the next request's bytes: POST with the next body."""
    head = f"POST {path} HTTP/1.1\r\n{_common(token)}Content-Type: application/json\r\n"
    first = f"{head}Content-Length: ".encode()

    def make() -> bytes:
        body = next(bodies)
        return b"%b%d\r\n\r\n%b" % (first, len(body), body)

    return make


def reads(paths: list[str], token: str) -> Callable[[], bytes]:
    """What makes the next request's bytes: GET of one path after the other, over and over."""
    return itertools.cycle(
        [f"GET {path} HTTP/1.1\r\n{_common(token)}\r\n".encode() for path in paths]
    ).__next__


def _common(token: str) -> str:
    return f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"


class _Client(asyncio.Protocol):
    """One connection: a request goes out when the answer before it is complete."""

    def __init__(self, make: Callable[[], bytes], seen: list[tuple[float, int]]) -> None:
        self._make = make
        self._seen = seen
        self._buffer = bytearray()
        self._whole = 0
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own are not its heirs
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._whole:
            head_end = self._buffer.find(b"\r\n\r\n")
            if head_end < 0:
                return
            head = self._buffer[:head_end].lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self._whole = head_end + 4 + length
        if len(self._buffer) < self._whole:
            return
        self._seen.append((time.perf_counter() - self._sent_at, int(self._buffer[9:12])))
        self._buffer = bytearray()
        self._whole = 0
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        self._transport.write(self._make())


async def put_on(port: int, make: Callable[[], bytes], seconds: float) -> Outcome:
    """Put the load on a server of this machine; a fifth of the time is not counted, first."""
    seen: list[tuple[float, int]] = []
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(CONNECTIONS):
        transport, _ = await loop.create_connection(lambda: _Client(make, seen), "127.0.0.1", port)
        transports.append(transport)
    await asyncio.sleep(seconds / 5)
    first = len(seen)
    seen.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    lasted = time.perf_counter() - began
    answered = sorted(seen)
    for transport in transports:
        transport.abort()
    statuses: dict[str, int] = {}
    for _, status in answered:
        statuses[str(status)] = statuses.get(str(status), 0) + 1
    return Outcome(
        per_s=len(answered) / lasted,
        requests=first + len(answered),
        p50_ms=answered[len(answered) // 2][0] * 1_000,
        p99_ms=answered[len(answered) * 99 // 100][0] * 1_000,
        statuses=statuses,
    )


class _Stream(asyncio.Protocol):
    """A reader of `/v1/stream`: when each position came."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._rest = b""
        self.ready = asyncio.Event()
        self.came: dict[int, float] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        head = f"GET /v1/stream HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {self._token}\r\n\r\n"
        cast("asyncio.Transport", transport).write(head.encode())

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"id: "):
                self.came.setdefault(int(line[4:]), now)
                self.ready.set()


class _Pool:
    """Connections that are free, and requests that wait for one."""

    def __init__(self) -> None:
        self.free: list[_Paced] = []
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.sent: dict[int, float] = {}
        self.took: list[float] = []

    def put(self, due: float, request: bytes) -> None:
        """Send a request now, or as soon as a connection is free; it was due at that time."""
        if self.free:
            self.free.pop().begin(due, request)
        else:
            self.waiting.append((due, request))


class _Paced(asyncio.Protocol):
    """One connection of the pool."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self._buffer = b""
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._pool.free.append(self)

    def begin(self, due: float, request: bytes) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or not body.endswith(b"}"):
            return
        if b" 201 " not in head[:16]:
            raise RuntimeError(self._buffer.decode())
        self._pool.sent[json.loads(body)["id"]] = self._due
        self._pool.took.append(time.perf_counter() - self._due)
        self._buffer = b""
        if self._pool.waiting:
            self.begin(*self._pool.waiting.popleft())
        else:
            self._pool.free.append(self)


async def pace(port: int, token: str, make: Callable[[], bytes], plan: tuple[int, int]) -> Delays:
    """Send `plan` (how many, how many a second) whatever the answers, and watch the stream."""
    count, per_s = plan
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(lambda: _Stream(token), "127.0.0.1", port)
    await asyncio.wait_for(stream.ready.wait(), STREAM_S_MAX)
    pool = _Pool()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Paced(pool), "127.0.0.1", port)
    cpu = time.process_time()
    began = time.perf_counter()
    for number in range(count):
        due = began + number / per_s
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        pool.put(due, make())
    until = time.perf_counter() + STREAM_S_MAX
    while len(pool.sent) < count or not pool.sent.keys() <= stream.came.keys():
        if time.perf_counter() > until:
            raise RuntimeError("not everything came")
        await asyncio.sleep(0.05)
    found = sorted(stream.came[at] - due for at, due in pool.sent.items())
    took = sorted(pool.took)
    return Delays(
        p50_ms=found[count // 2] * 1_000,
        p99_ms=found[count * 99 // 100] * 1_000,
        answered_p99_ms=took[count * 99 // 100] * 1_000,
        client_cpu_ms=(time.process_time() - cpu) * 1_000 / count,
    )


def main() -> None:
    """Run as a process of its own: settings as JSON on the command line, outcome on stdout."""
    asked = json.loads(sys.argv[1])
    if "rate_per_s" in asked:
        endless = append_bodies(asked["run"], asked["at"])
        make = requests(asked["path"], asked["token"], endless)
        plan = (asked["count"], asked["rate_per_s"])
        found = uvloop.run(pace(asked["port"], asked["token"], make, plan))
        print(json.dumps(asdict(found)))
        return
    if "paths" in asked:
        make = reads(asked["paths"], asked["token"])
    else:
        make = requests(asked["path"], asked["token"], append_bodies(asked["run"], asked["at"]))
    outcome = uvloop.run(put_on(asked["port"], make, asked["seconds"]))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
