"""Reading a large ledger: pages of the three views, until the server is ready, and its memory.

One client over one kept connection, each request another one, so that no answer is one that was
kept: what is said is the time of a whole request, the server's part and HTTP's. One contact has
a tenth of all interactions, over eight numbers.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any

from app.cli.frame import settle_memory
from app.cli.importing import Import
from app.compose import open_ledger
from app.import_processes import Author, ImportProcesses
from app.settings import read_settings
from benchmarks.append import places
from benchmarks.results import Row
from benchmarks.servers import Place, new_token, serving
from storage.follower import seldom_collected

EVENTS = int(os.environ.get("HILO_BENCH_EVENTS", "1000000"))
"""Interactions of the ledger that is read; the budget of memory names a million."""

BUSY = 8
"""Numbers of the contact that has a tenth of everything (the budget's k)."""

PHONES = 20_000
"""Numbers that write again and again."""

REQUESTS = 1_000
"""Requests of each kind: their p99 is the tenth slowest."""

REST_S = 15
"""Until what figures needed for a moment is returned (app/warming.py)."""

STARTS = 5
PORT = 8909
LINES_AT_ONCE = 1_000
OURS = "tel:+525598765432"
START = datetime(2025, 1, 1, tzinfo=UTC)
SECONDS = 50_000_000


def lines(events: int = EVENTS) -> Iterator[bytes]:
    """The bodies: a tenth from the busy contact, a tenth from numbers that write once."""
    dice = random.Random(11)
    for number in range(events):
        kind = number % 10
        phone = {0: 10_000_000 + number % BUSY, 1: 50_000_000 + number}.get(
            kind, 20_000_000 + dice.randrange(PHONES)
        )
        at = START + timedelta(seconds=number * SECONDS // events)
        yield json.dumps(
            {
                "channel": ("whatsapp", "sms", "call")[number % 3],
                "direction": ("inbound", "outbound")[number % 2],
                "external_id": f"read.{number}",
                **_sides(f"tel:+5255{phone:08d}", outbound=bool(number % 2)),
                "occurred_at": at.isoformat(),
                "department": ("Ventas", "Taller", "Postventa")[number % 3],
                "text": f"Hola, ¿sigue disponible la camioneta del anuncio? Mensaje {number}.",
            }
        ).encode()


def _sides(phone: str, *, outbound: bool) -> dict[str, str]:
    ours = "tel:+525598765432"
    return dict(
        zip(("resource", "destination"), (ours, phone) if outbound else (phone, ours), strict=True)
    )


def fill(place: Place, events: int = EVENTS) -> None:
    """Import the ledger and make its views, search and figures too: nothing is made meanwhile."""
    place.folder.mkdir(parents=True, exist_ok=True)
    os.environ["HILO_DATA"], os.environ["HILO_DATABASE_URL"] = str(place.folder), place.url
    composition = open_ledger(read_settings(os.environ), follow=False)
    wanted = lines(events)

    async def parts() -> AsyncIterator[bytes]:
        for some in iter(lambda: list(islice(wanted, LINES_AT_ONCE)), []):
            yield b"\n".join(some) + b"\n"

    try:
        settle_memory()
        work = Import("api:bench")
        processes = ImportProcesses(composition.settings, Author(work.by, work.source))
        with processes as work.helpers, seldom_collected():
            asyncio.run(work.run(composition.services, parts(), None))
        for follower in (composition.follower, *composition.beside):
            follower.catch_up()
            follower.release()
    finally:
        composition.close()


class Reader:
    """One client of the server."""

    def __init__(self, token: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", PORT)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """What the server answers; raises where it is no success."""
        method, sent = ("POST", json.dumps(body)) if body is not None else ("GET", None)
        self._connection.request(method, path, sent, self._headers)
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status != HTTPStatus.OK:
            message = f"{path}: {answer.status} {read[:200]!r}"
            raise RuntimeError(message)
        return json.loads(read)

    def times(self, path_of: Callable[[int], str]) -> str:
        """Median and 99th of so many requests, in words."""
        took = []
        for number in range(REQUESTS):
            path = path_of(number)
            began = time.perf_counter()
            self.ask(path)
            took.append((time.perf_counter() - began) * 1_000)
        p99 = statistics.quantiles(took, n=100)[98]
        return f"p50 {statistics.median(took):.1f} ms, p99 {p99:.1f} ms"


def busy_contact(reader: Reader) -> str:
    """The contact with a tenth of everything, its numbers linked."""
    found = reader.ask("/v1/contacts?q=5510000000")["items"][0]["id"]
    for number in range(1, BUSY):
        body = {"address": f"tel:+5255{10_000_000 + number:08d}", "move": True}
        reader.ask(f"/v1/contacts/{found}/addresses", body)
    return str(found)


def _moment(dice: random.Random) -> str:
    at = START + timedelta(seconds=dice.randrange(SECONDS))
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


_HELD = ("RssAnon:", "RssFile:")


def memory_mb(process: subprocess.Popen[bytes]) -> dict[str, int]:
    """What the server, and the process that follows for it, hold of their own in MB.

    Pages of files that they map are the system's, which takes them back when it likes: the
    server's `mapped` are those of the views, of the interpreter and of libraries.
    """
    held = {"server": 0, "follower": 0, "mapped": 0}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = folder.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            status = folder.joinpath("status").read_text()
            own, mapped = (status.partition(name)[2].split()[0] for name in _HELD)
        except (OSError, IndexError):
            continue
        if folder.name == str(process.pid):
            held["server"] += int(own) // 1_024
            held["mapped"] += int(mapped) // 1_024
        elif parent == str(process.pid):
            held["follower"] += int(own) // 1_024
    return held


def page_rows(database: str, place: Place) -> Iterator[Row]:
    """The rows about pages and memory on one database."""
    fill(place)
    token = new_token(place, "manage")
    of = f"{EVENTS:,} interactions, HTTP with it"
    with serving("hilo", place, PORT) as process:
        reader = Reader(token)
        contact = busy_contact(reader)
        dice = random.Random(3)
        kinds: dict[str, Callable[[int], str]] = {
            "timeline of one contact with a tenth of all": lambda _: (
                f"/v1/contacts/{contact}/timeline?at={_moment(dice)}"
            ),
            "inbox": lambda number: f"/v1/conversations?status=all&wait_ms={number}",
            "activity": lambda _: f"/v1/activity?at={_moment(dice)}",
        }
        for kind, path_of in kinds.items():
            yield Row(f"page of {kind}, {database}", reader.times(path_of), of, "p99 <= 10 ms")
        for month in range(1, 13):
            reader.ask(f"/v1/reports/interactions?group_by=user,day&from=2025-{month:02d}-01")
        time.sleep(REST_S)
        held = memory_mb(process)
        yield Row(
            f"memory of `hilo serve`, {database}",
            f"{held['server']} MB",
            f"{EVENTS:,} interactions, at rest after figures; besides, pages of files"
            f" {held['mapped']} MB; the process that follows {held['follower']} MB",
            "<= 200 MB",
        )


def start_row() -> Row:
    """Until an empty ledger of its own answers, the interpreter's start with it."""
    took = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            with serving("hilo", Place(Path(folder), ""), PORT):
                took.append(time.perf_counter() - began)
    return Row(
        "`hilo serve` ready on an empty ledger",
        f"{statistics.median(took):.2f} s",
        f"{min(took):.2f} to {max(took):.2f} s in {STARTS} starts",
        "<= 1.5 s",
    )


def rows() -> Iterator[Row]:
    """The rows of RESULTS.md."""
    yield start_row()
    with places() as found:
        for database, place in found.items():
            yield from page_rows(database, place)
