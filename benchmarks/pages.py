"""The pages in a real browser: how long until others see what was appended, weight, and shifts.

The conversation stands open in one browser with 2,000 messages behind it; a program appends, and
the time runs until the message stands in the page. The same page is weighed as it goes over the
line, with an empty cache and with a full one, and what jumped while it was built is summed up.

What the pages take of a large ledger is measured by `read`, where one is made.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.results import Row
from tests.web.window import Ledger, Window, served

MESSAGES = 2_000
"""What lies behind the page: a contact of years."""

TRIES = 50
"""Appends whose way to the screen is timed (the budget names their median)."""

PAUSE_MS = 400
"""Between two of them: what the page fetches after one (list, counts) is over before the next."""

OPENINGS = 60
"""Times that a page is asked for; enough for a percentile that means something."""

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
