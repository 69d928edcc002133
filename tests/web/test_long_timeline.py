"""Ten thousand messages of one contact, scrolled from end to end in a real browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.cli.importing import Import
from tests.api.house import interaction
from tests.web.window import Ledger, Window

Browse = Callable[..., Window]

MESSAGES = 10_000
FIRST = datetime(2022, 3, 1, 16, tzinfo=UTC)

ELEMENTS_MAX = 12_000
"""Elements of the timeline at any time: those of some hundred rows, never of ten thousand."""

DRIFT_MAX_PX = 2
"""How far a row may move on the screen that somebody reads while rows come in above it."""

WALK = """async ({ up }) => {
  const pane = document.getElementById("content");
  const list = document.getElementById("timeline");
  const step = document.getElementById(up ? "step-before" : "step-after");
  const found = { ids: [], elements: 0, drift: 0, torn: 0, jumps: 0 };
  const entries = () => [...list.querySelectorAll("[data-at]")];
  const idsOf = (entry) => (entry.dataset.ids ?? entry.dataset.id).split(" ").map(Number);
  const end = () => entries().at(up ? 0 : -1).dataset.id;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const collect = () => {
    const now = entries().flatMap(idsOf);
    if (up) now.reverse();
    const from = found.ids.length ? now.indexOf(found.ids.at(-1)) : -1;
    if (found.ids.length && from < 0) found.torn += 1;
    const known = found.ids.slice(-from - 1);
    const same = (id, place) => known.length <= from || id === known[place];
    if (!now.slice(0, from + 1).every(same)) found.torn += 1;
    found.ids.push(...now.slice(from + 1));
    found.elements = Math.max(found.elements, list.querySelectorAll("*").length);
  };
  collect();
  const until = performance.now() + 60000;
  while (!step.hidden && performance.now() < until) {
    const before = end();
    pane.scrollTop = up ? 0 : pane.scrollHeight;
    found.jumps += 1;
    await frame();
    const rows = [...list.querySelectorAll("article")];
    const row = rows.find((one) => one.getBoundingClientRect().top > 200);
    const top = row.getBoundingClientRect().top;
    while (end() === before && !step.hidden && performance.now() < until) await frame();
    const moved = row.isConnected ? Math.abs(row.getBoundingClientRect().top - top) : 0;
    found.drift = Math.max(found.drift, moved);
    collect();
  }
  return found;
}"""


def body(number: int) -> bytes:
    """One line of the history: 25 a day, short and long runs of messages, calls in between."""
    at = FIRST + timedelta(days=number // 25 * 4, minutes=number % 25 * 9)
    channel = "call" if number % 25 in {0, 3, 9} else ("whatsapp", "sms")[number // 75 % 2]
    row = interaction(
        external_id=f"long.{number}",
        channel=channel,
        text=f"mensaje {number}",
        occurred_at=at.isoformat(),
    )
    return json.dumps(row).encode()


def lay(ledger: Ledger) -> tuple[str, list[int]]:
    """The contact, and its interactions from the latest to the first."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"\n".join(map(body, range(MESSAGES))) + b"\n"

    counts: dict[str, Any] = ledger.run(
        Import("api:past").run(ledger.composition.services, parts(), None)
    )
    assert counts["recorded"] == MESSAGES
    ledger.caught_up()
    [contact] = ledger.ask("GET", "/v1/contacts")["items"]
    last = ledger.composition.log.head()
    return str(contact["id"]), list(range(last, last - MESSAGES, -1))


@pytest.mark.begins_early
def test_a_timeline_of_ten_thousand_scrolls(ledger: Ledger, browse: Browse) -> None:
    """End to end in jumps, down and up again: no row lost, doubled or moved, the page bounded."""
    contact, expected = lay(ledger)
    down = browse("Rosa", "es").go(f"/contacts/{contact}").evaluate(WALK, {"up": False})
    assert (down["torn"], down["ids"] == expected) == (0, True)
    oldest = f"/contacts/{contact}?at={FIRST - timedelta(days=1):%Y-%m-%d}"
    up = browse("Iván", "en").go(oldest).evaluate(WALK, {"up": True})
    assert up["torn"] == 0
    assert up["ids"] == expected[::-1]
    for walked in (down, up):
        assert walked["elements"] < ELEMENTS_MAX
        assert walked["drift"] <= DRIFT_MAX_PX
        assert walked["jumps"] > 50
