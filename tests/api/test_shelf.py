"""Pages that are handed out again: the same bytes, for the same reader, until anything happens."""

from __future__ import annotations

import pytest

from api import shelf
from api.answers import Json
from api.shelf import Shelf
from projections.access import Reader
from projections.rendering import Renderer
from tests.api.station import Station


def count_pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows with every page that is rendered."""
    rendered: list[int] = []
    page = Renderer.page

    def counted(*args: object) -> bytes:
        rendered.append(1)
        return page(*args)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(Renderer, "page", counted)
    return rendered


def test_a_page_is_made_once_for_who_asks_again(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second answer is the first one; another query, reader or event makes a new page."""
    monkeypatch.setattr(shelf, "KEPT_S", 60.0)
    rendered = count_pages(monkeypatch)
    rosa = station.user("Rosa")
    hers = station.bearer("read", user=rosa)
    station.append()
    first, again = station.get("/v1/activity"), station.get("/v1/activity")
    assert (first.text, len(rendered)) == (again.text, 1)
    assert first.headers["hilo-position"] == again.headers["hilo-position"]
    station.get("/v1/activity", params={"limit": "7"})
    station.get("/v1/activity", headers=hers)
    assert len(rendered) == 3
    made = station.append(text="neu")
    assert station.get("/v1/activity").json()["items"][0]["id"] == made["id"]
    assert len(rendered) == 4


def test_a_page_is_kept_for_a_moment_only(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time a page is made anew, also where nothing happened."""
    monkeypatch.setattr(shelf, "KEPT_S", -1.0)
    rendered = count_pages(monkeypatch)
    station.append()
    for _ in range(2):
        station.get("/v1/activity")
    assert len(rendered) == 2


def test_the_shelf_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest pages make room, and all of them can be forgotten."""
    monkeypatch.setattr(shelf, "KEPT_BYTES", 25)
    kept = Shelf()
    for number in range(3):
        kept.put((f"/{number}", b"", Reader()), 7, Json(b"x" * 10))
    assert kept.get(("/0", b"", Reader()), 7) is None
    found = kept.get(("/2", b"", Reader()), 7)
    assert found is not None
    assert found.body == b"x" * 10
    assert kept.get(("/2", b"", Reader()), 8) is None
    kept.forget()
    assert kept.get(("/2", b"", Reader()), 7) is None
