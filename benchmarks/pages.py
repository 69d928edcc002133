"""The pages in a real browser: how long until others see what was appended, weight, and shifts.

The conversation stands open in one browser with 2,000 messages behind it; a program appends, and
the time runs until the message stands in the page. The same page is weighed as it goes over the
line, with an empty cache and with a full one, and what jumped while it was built is summed up.

What the pages take of a large ledger is measured without a browser, over one kept connection, as
one who is signed in; a contact has a tenth of it all, over eight numbers. `HILO_BENCH_MESSAGES`
asks for another size than a million.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright

from benchmarks import read
from benchmarks.results import Row
from benchmarks.servers import Place, serving
from tests.web.window import Ledger, Window, served

MESSAGES = 2_000
"""What lies behind the page: a contact of years."""

TRIES = 50
"""Appends whose way to the screen is timed (the budget names their median)."""

PAUSE_MS = 400
"""Between two of them: what the page fetches after one (list, counts) is over before the next."""

OPENINGS = 60
"""Times that a page is asked for; enough for a percentile that means something."""

LARGE = int(os.environ.get("HILO_BENCH_MESSAGES", "1000000"))
"""Interactions of the ledger whose pages are timed; the budget names a million."""

PORT = 8911

LARGE_OPENINGS = 500
"""Times that each of its pages is asked for: the 99th percentile is the fifth slowest."""

_SHIFTS = """() => { window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
  }).observe({ type: "layout-shift", buffered: true }); }"""


def rows() -> Iterator[Row]:
    """The rows of this benchmark."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as ledger:
        ledger.batch(
            {
                "text": f"mensaje {number}",
                "occurred_at": f"2026-11-20T10:{number // 60 % 60:02d}:{number % 60:02d}Z",
            }
            for number in range(MESSAGES)
        )
        ledger.user("Rosa")  # who came after all of it has nothing unread
        ledger.caught_up()
        contact = ledger.ask("GET", "/v1/contacts")["items"][0]["id"]
        path = f"/conversations/{contact}"
        with sync_playwright() as started:
            where = shutil.which("chromium") or "chromium"
            browser = started.chromium.launch(executable_path=where, args=["--no-sandbox"])
            context = browser.new_context(base_url=ledger.url, locale="es-MX")
            context.add_cookies([ledger.cookie("Rosa")])  # type: ignore[list-item]  # a plain dict
            window = Window(context, ledger)
            yield from _weight(window, path)
            yield _screen(window, ledger)
            yield from _server(window, path)
            window.close()
            browser.close()
    yield from _large()


def _weight(window: Window, path: str) -> Iterator[Row]:
    """Bytes over the line, first and again, and how much moved."""
    page, sizes = window.page, [0, 0]
    page.add_init_script(f"({_SHIFTS})()")
    for number in range(2):
        window.go(path)
        window.live()
        sizes[number] = int(
            page.evaluate(
                "performance.getEntriesByType('resource').concat(performance"
                ".getEntriesByType('navigation')).filter((one) => !one.name.includes('/v1/stream'))"
                ".reduce((sum, one) => sum + one.transferSize, 0)"
            )
        )
    shifted = float(page.evaluate("window.shifted"))
    weight = f"{sizes[0] / 1000:.0f} kB the first time, {sizes[1] / 1000:.0f} kB again"
    beside = f"40 messages of {MESSAGES:,}, list, card; the page itself unpacked"
    yield Row("weight of Conversations, one open", weight, beside, "written down")
    yield Row("layout shift of Conversations, one open", f"{shifted:.4f}", "good is < 0.1", "< 0.1")


def _screen(window: Window, ledger: Ledger) -> Row:
    """From the append to the screen of another browser, in ms."""
    page: Page = window.page
    ways: list[float] = []
    alone: list[float] = []
    for _ in range(TRIES):
        page.wait_for_timeout(PAUSE_MS)
        began = time.perf_counter()
        made = ledger.append(text="ya", occurred_at="2026-11-22T05:59:00-06:00")
        alone.append(time.perf_counter() - began)
        page.wait_for_selector(f"#i{made['id']}", state="attached")
        ways.append(time.perf_counter() - began)
    ways_ms, alone_ms = sorted(one * 1000 for one in ways), statistics.median(alone) * 1000
    measured = f"p50 {statistics.median(ways_ms):.0f} ms, p95 {ways_ms[-3]:.0f} ms"
    beside = f"of it the append's own answer {alone_ms:.0f} ms; {TRIES} tries, SQLite"
    return Row("append → on the screen of another browser", measured, beside, "median <= 150 ms")


def _server(window: Window, path: str) -> Iterator[Row]:
    """How long the pages take, asked for over one connection, in ms."""
    for what, where in (("Conversations", "/"), ("Conversations, one open", path)):
        times: list[float] = []
        for _ in range(OPENINGS):
            began = time.perf_counter()
            assert window.page.request.get(where).ok
            times.append((time.perf_counter() - began) * 1000)
        times.sort()
        measured = f"p50 {statistics.median(times):.1f} ms, p95 {times[-OPENINGS // 20]:.1f} ms"
        yield Row(
            f"page over HTTP: {what}",
            measured,
            f"{MESSAGES:,} messages, SQLite",
            "<= 20 ms at 1 million",
        )


class _Visit(NamedTuple):
    """Who looks at the large ledger, and whose pages: the busy contact's, and others'."""

    headers: dict[str, str]
    busy: str
    others: list[str]


def _large() -> Iterator[Row]:
    """Conversations, a profile and Activity of a large ledger, each time another page, in ms.

    It is served as always, by `hilo serve`, with the views made in a process of their own.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), "")
        read.fill(place, read.lines(LARGE))
        with served(place.folder) as ledger:
            visit = _visit(ledger)
        with serving("hilo", place, PORT):
            yield from _pages_of(visit)


def _visit(ledger: Ledger) -> _Visit:
    cookie = ledger.cookie("Rosa")
    headers = {"Cookie": f"{cookie['name']}={cookie['value']}", "Accept-Language": "es-MX"}
    ledger.caught_up()
    busy = _busy_contact(ledger)
    others = [one["id"] for one in ledger.ask("GET", "/v1/contacts?limit=200")["items"]]
    return _Visit(headers, busy, others)


def _pages_of(visit: _Visit) -> Iterator[Row]:
    dice = random.Random(5)
    # Imported history is resolved: the list of open conversations is empty.
    lists = ("status=all", "status=resolved", "status=all&channel=sms")
    kinds: dict[str, Callable[[], str]] = {
        "Conversations": lambda: f"/?{dice.choice(lists)}",
        "Conversations, one open": lambda: f"/conversations/{dice.choice(visit.others)}",
        "profile": lambda: f"/contacts/{dice.choice(visit.others)}",
        "profile with a tenth of all": lambda: f"/contacts/{visit.busy}?at={_day(dice)}",
        "Activity": lambda: f"/activity?to={_day(dice)}",
    }
    for kind, path_of in kinds.items():
        connection = HTTPConnection("127.0.0.1", PORT)
        _took(connection, path_of(), visit.headers)  # the first one compiles its templates
        times = sorted(_took(connection, path_of(), visit.headers) for _ in range(LARGE_OPENINGS))
        connection.close()
        p99 = times[-LARGE_OPENINGS // 100]
        yield Row(
            f"page of a large ledger: {kind}",
            f"p50 {statistics.median(times):.1f} ms, p99 {p99:.1f} ms",
            f"{LARGE:,} interactions, SQLite, HTTP with it",
            "p99 <= 20 ms",
        )


def _took(connection: HTTPConnection, path: str, headers: dict[str, str]) -> float:
    """How long a page takes, in ms; raises where it is none."""
    began = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != HTTPStatus.OK:
        message = f"{path}: {answer.status}"
        raise RuntimeError(message)
    return (time.perf_counter() - began) * 1_000


def _busy_contact(ledger: Ledger) -> str:
    """The contact with a tenth of everything, its numbers linked."""
    found = ledger.ask("GET", "/v1/contacts?q=5510000000")["items"][0]["id"]
    for number in range(1, read.BUSY):
        body = {"address": f"tel:+5255{10_000_000 + number:08d}", "move": True}
        ledger.ask("POST", f"/v1/contacts/{found}/addresses", body)
    ledger.caught_up()
    return str(found)


def _day(dice: random.Random) -> str:
    """A day of the ledger's history."""
    return f"{read.START + timedelta(seconds=dice.randrange(read.SECONDS)):%Y-%m-%d}"
