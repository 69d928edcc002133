"""Reading a large ledger: pages of the three views, until the server is ready, and its memory.

One client over one kept connection, each request another one, so that no answer is one that was
kept: what is said is the server's own time, and beside it that of a whole request (spent.py). One
contact has a tenth of all interactions, over eight numbers. The browser's pages are asked for in
the same way (visits.py). The views are asked when only the first interactions are there as well,
and the medians are compared.

Then 64 connections ask, as much as they are answered: what a team's screens ask, or each time
another page of the three views. Beside them stands the same application where every page is a
constant. `HILO_BENCH_EVENTS` asks for another number of interactions, `HILO_BENCH_DATABASE` for
one database alone.
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
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from app.cli.frame import settle_memory
from app.cli.importing import Import
from app.compose import open_ledger
from app.import_processes import Author, ImportProcesses
from app.settings import read_settings
from benchmarks import visits
from benchmarks.append import load_apart, places
from benchmarks.results import Row
from benchmarks.servers import Place, new_token, serving
from benchmarks.spent import Measured, Spent, measured, spent
from benchmarks.visits import Visit
from storage.source import seldom_collected

EVENTS = int(os.environ.get("HILO_BENCH_EVENTS", "1000000"))
"""Interactions of the ledger that is read; the budget of memory names a million."""

BUSY = 8
"""Numbers of the contact that has a tenth of everything (the budget's k)."""

SMALL = 100_000
"""Interactions of the ledger with whose median that of the large one is compared."""

PHONES = 20_000
"""Numbers that write again and again."""

REQUESTS = 1_000
"""Requests of each kind: their p99 is the tenth slowest."""

SCREENS = 200
"""Timelines that a team looks at, beside inbox and Activity."""

PAGES = 600
"""Pages of each view where each request is for another one: a page is kept for a second."""

ROUNDS = 3
SECONDS_LOADED = 5.0
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


def fill(place: Place, bodies: Iterator[bytes]) -> None:
    """Import the ledger and make all that follows it, tree and figures too: before any reading."""
    place.folder.mkdir(parents=True, exist_ok=True)
    os.environ["HILO_DATA"], os.environ["HILO_DATABASE_URL"] = str(place.folder), place.url
    composition = open_ledger(read_settings(os.environ), follow=False)

    async def parts() -> AsyncIterator[bytes]:
        for some in iter(lambda: list(islice(bodies, LINES_AT_ONCE)), []):
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
        composition.proving.now()  # the tree as well
    finally:
        composition.close()


class Reader:
    """One client of the server."""

    def __init__(self, token: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", PORT)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """What the server answers; raises where it is no success."""
        return json.loads(self._spent(path, body)[1])

    def times(self, path_of: Callable[[int], str]) -> Measured:
        """How long so many requests take."""
        return measured([self._spent(path_of(number))[0] for number in range(REQUESTS)])

    def _spent(self, path: str, body: dict[str, Any] | None = None) -> tuple[Spent, bytes]:
        method, sent = ("POST", json.dumps(body)) if body is not None else ("GET", None)
        self._connection.request(method, path, sent, self._headers)
        return spent(self._connection.getresponse)


def busy_contact(reader: Reader) -> str:
    """The contact with a tenth of everything, its numbers linked."""
    found = reader.ask("/v1/contacts?q=5510000000")["items"][0]["id"]
    for number in range(1, BUSY):
        body = {"address": f"tel:+5255{10_000_000 + number:08d}", "move": True}
        reader.ask(f"/v1/contacts/{found}/addresses", body)
    return str(found)


def _day(dice: random.Random) -> str:
    return _moment(dice)[:10]


def _moment(dice: random.Random) -> str:
    at = START + timedelta(seconds=dice.randrange(SECONDS))
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


class Held(NamedTuple):
    """Memory in MB: a process's own, and the files of views that it has mapped."""

    own: int = 0
    mapped: int = 0


def memory_mb(process: subprocess.Popen[bytes]) -> dict[str, Held]:
    """What the server, and the process that follows for it, hold.

    Files that are mapped are the system's cache, which it takes back as it likes.
    """
    held = {"server": Held(), "follower": Held()}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = folder.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            told = folder.joinpath("status").read_text()
            own, mapped = (_kib(told, name) // 1_024 for name in ("RssAnon:", "RssFile:"))
        except (OSError, IndexError):
            continue
        if folder.name == str(process.pid):
            held["server"] = Held(own, mapped)
        elif parent == str(process.pid):
            held["follower"] = Held(held["follower"].own + own, held["follower"].mapped + mapped)
    return held


def _kib(told: str, name: str) -> int:
    return int(told.partition(name)[2].split()[0])


def pages_of(reader: Reader, events: int) -> dict[str, Measured]:
    """How long a page of each view takes, where so many of the interactions are there."""
    contact, dice = busy_contact(reader), random.Random(3)

    def moment() -> str:
        at = START + timedelta(seconds=dice.randrange(SECONDS * events // EVENTS))
        return f"{at:%Y-%m-%dT%H:%M:%SZ}"

    kinds: dict[str, Callable[[int], str]] = {
        "timeline of one contact with a tenth of all": lambda _: (
            f"/v1/contacts/{contact}/timeline?at={moment()}"
        ),
        "inbox": lambda number: f"/v1/conversations?status=all&wait_ms={number}",
        "activity": lambda _: f"/v1/activity?at={moment()}",
    }
    return {kind: reader.times(path_of) for kind, path_of in kinds.items()}


def page_rows(database: str, place: Place) -> Iterator[Row]:
    """The rows about pages, reads at one time, and memory on one database."""
    bodies, token = lines(), ""
    small: dict[str, Measured] = {}
    if EVENTS > SMALL:
        fill(place, islice(bodies, SMALL))
        token = new_token(place, "manage")
        place.tidy()
        with serving("hilo", place, PORT):
            small = pages_of(Reader(token), SMALL)
    fill(place, bodies)
    token = token or new_token(place, "manage")
    headers = visits.signed_in(place)
    place.tidy()
    with serving("hilo", place, PORT) as process:
        for kind, times in pages_of(Reader(token), EVENTS).items():
            before = small.get(kind)
            ratio = before and times.server.p50 / before.server.p50
            grown = f"; {ratio:.2f} x the median at {SMALL:,}" if ratio else ""
            yield Row(
                f"page of {kind}, {database}",
                f"{times.server} of server time",
                f"{EVENTS:,} interactions; with HTTP {times.whole}{grown}",
                "p99 <= 10 ms, <= 1.3 x",
            )
        reader = Reader(token)
        others = [one["id"] for one in reader.ask("/v1/contacts?limit=200")["items"]]
        visit = Visit(headers, busy_contact(reader), others, _day)
        of = f"{EVENTS:,} interactions"
        yield from visits.rows_of(f"page of a large ledger, {database}", of, PORT, visit)
        for month in range(1, 13):
            reader.ask(f"/v1/reports/interactions?group_by=user,day&from=2025-{month:02d}-01")
        time.sleep(REST_S)
        held = memory_mb(process)
    yield Row(
        f"memory of `hilo serve`, {database}",
        f"{held['server'].own} MB, the process that follows {held['follower'].own} MB",
        f"{EVENTS:,} interactions, at rest after figures; of files {held['server'].mapped} MB are"
        " mapped as well",
        "<= 200 MB",
    )
    yield from load_rows(database, place, token)


# ------------------------------------------------------------------ many at one time


def screens(reader: Reader) -> list[str]:
    """What a team's screens ask: inbox, Activity, and the timelines of its contacts, in turn."""
    found = reader.ask(f"/v1/conversations?status=all&limit={SCREENS}")["items"]
    timelines = [f"/v1/contacts/{one['id']}/timeline" for one in found]
    return [
        path for one in timelines for path in ("/v1/conversations?status=all", "/v1/activity", one)
    ]


def others(reader: Reader) -> list[str]:
    """As many pages of inbox, timelines and Activity, no two alike, in some order."""
    dice, query, paths = random.Random(7), "status=all", []
    for _ in range(PAGES):
        page = reader.ask(f"/v1/conversations?{query}")
        contact = dice.choice(page["items"])["id"]
        paths += [f"/v1/conversations?{query}", f"/v1/contacts/{contact}/timeline"]
        paths.append(f"/v1/activity?at={_moment(dice)}")
        if page["next"] is None:
            break
        query = f"status=all&cursor={page['next']}"
    dice.shuffle(paths)
    return paths


KINDS: Final = {"what a team's screens ask": screens, "each another page": others}


def rates(server: str, place: Place, token: str) -> dict[str, tuple[float, float]]:
    """Answers a second to each kind of reads, and their p99 in ms."""
    found: dict[str, tuple[float, float]] = {}
    with serving(server, place, PORT):
        reader = Reader(token)
        for kind, paths_of in KINDS.items():
            paths = paths_of(reader)
            for path in paths:
                reader.ask(path)  # as warm as the constants
            outcome = load_apart(port=PORT, token=token, paths=paths, seconds=SECONDS_LOADED)
            if set(outcome["statuses"]) != {"200"}:
                message = f"not every answer was a success: {outcome['statuses']}"
                raise RuntimeError(message)
            found[kind] = outcome["per_s"], outcome["p99_ms"]
    return found


def load_rows(database: str, place: Place, token: str) -> Iterator[Row]:
    """How many reads a second 64 connections get, beside constant pages, in turns."""
    rounds = [(rates("hilo", place, token), rates("page", place, token)) for _ in range(ROUNDS)]
    for kind in KINDS:
        ours = statistics.median(one[kind][0] for one, _ in rounds)
        theirs = statistics.median(other[kind][0] for _, other in rounds)
        p99 = statistics.median(one[kind][1] for one, _ in rounds)
        ratio = statistics.median(one[kind][0] / other[kind][0] for one, other in rounds)
        yield Row(
            f"reads over HTTP, 64 connections, {kind}, {database}",
            f"{ours:.0f}/s, p99 {p99:.0f} ms",
            f"{ratio:.2f} of the endpoint answering constant pages ({theirs:.0f}/s);"
            f" {EVENTS:,} interactions",
            ">= 0.50",
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
    only = os.environ.get("HILO_BENCH_DATABASE", "")
    with places() as found:
        for database, place in found.items():
            if only in {"", database}:
                yield from page_rows(database, place)
