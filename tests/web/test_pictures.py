"""The pictures in docs/images: taken of the demo company, on the pages as they are.

`make pictures` takes them anew. Every run takes them too, and looks whether they are the ones
that the README shows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from app.demo.filling import fill
from app.running import perform
from app.settings import read_settings
from tests.api.house import NOON
from tests.source_tree import ROOT
from tests.web.window import Ledger, Window

Browse = Callable[..., Window]

IMAGES = ROOT / "docs" / "images"
PNG = b"\x89PNG\r\n\x1a\n"

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

BUSY = NOON + (2 * 24 + 6) * 3_600 * 1_000_000
"""A Tuesday at noon where the company is: somebody is always waiting then."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """The demo company's year, served at the noon at which it ends."""
    fill(read_settings({"HILO_TZ": "America/Mexico_City"}, data=str(tmp_path)), BUSY, _silent)
    opened = Ledger(tmp_path)
    opened.now[0] = BUSY
    try:
        yield opened
    finally:
        opened.close()


def _silent(_done: int, _of: int) -> None:
    """Nobody looks at the progress."""


def test_the_pictures_are_of_the_pages(ledger: Ledger, browse: Browse, tmp_path: Path) -> None:
    """Each picture of the README can be taken, of a page without a fault, in its size."""
    taken: set[str] = set()
    folder = IMAGES if os.environ.get("HILO_PICTURES") else tmp_path
    folder.mkdir(exist_ok=True)

    def take(name: str, page: Page) -> None:
        page.wait_for_load_state("networkidle")
        content = page.screenshot(path=folder / f"{name}.png", animations="disabled")
        assert _size(content) == tuple((page.viewport_size or {}).values())
        taken.add(name)

    talks = _morning(ledger)
    ledger.composition.proofs.launch = lambda run: perform(ledger.composition, run)
    ledger.composition.proving.now()
    contact = talks["Claire Whitfield"]
    day = browse("Rosa", "en", viewport=DESK, color_scheme="light")
    take("conversations", day.go(f"/conversations/{contact}"))
    take("contact", day.go(f"/contacts/{contact}"))
    take("activity", day.go("/activity"))
    take("reports", day.go("/reports"))
    page = day.go("/audit")
    page.locator("#hero button").click()
    day.see("#hero h2", "The log is intact")
    page.evaluate(
        "document.querySelector('main').scrollTop = 0"
    )  # the answer came to where it says so
    take("audit", page)
    night = browse("Rosa", "es", viewport=DESK, color_scheme="dark")
    take("conversations-dark", night.go(f"/conversations/{talks['Gabriela Montes de Oca']}"))
    phone = browse("Rosa", "es", viewport=PHONE, color_scheme="light")
    take("phone", phone.go("/"))
    assert taken == _shown()


def _morning(ledger: Ledger) -> dict[str, str]:
    """Rosa's morning: some conversations are hers, some unread; gives all open ones by name."""
    rosa = ledger.user("Rosa", "admin")
    hers = ledger.bearer("manage", user=rosa)
    talks = ledger.ask("GET", "/v1/conversations?limit=50")["items"]
    for place, talk in enumerate(talks[:9]):
        path = f"/v1/conversations/{talk['id']}"
        if place in {1, 4, 6}:
            ledger.ask("POST", f"{path}/assign", json={"assignee": str(rosa)})
        if place in {0, 2, 5}:
            ledger.ask("POST", f"{path}/unread", json={"from": talk["last"]["id"]}, as_=hers)
    return {talk["contact"]["label"]: talk["id"] for talk in talks}


def _size(png: bytes) -> tuple[int, int]:
    """Width and height, as a PNG says them in its first chunk."""
    assert png.startswith(PNG)
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def _shown() -> set[str]:
    """The pictures that the README shows; each is there."""
    named = re.findall(r"docs/images/([\w-]+)\.png", (ROOT / "README.md").read_text("utf-8"))
    assert all((IMAGES / f"{name}.png").read_bytes().startswith(PNG) for name in named)
    return set(named)
