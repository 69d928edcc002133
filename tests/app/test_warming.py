"""What a server reads ahead, and what it gives back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from msgspec import structs

from api.answers import Json
from api.shelf import Shelf
from app import warming
from app.resting import give_back
from app.warming import Warmer
from projections.access import Reader
from projections.report_deck import Decks
from projections.views import Views
from tests.api.station import Station, open_station
from tests.backends import sqlite_backend
from tests.patience import PATIENCE_S


class Asked(Decks):
    """Says that it was asked to read ahead, and fails at it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def warm(self, views: Views) -> bool:
        """Fail."""
        self.asked.set()
        message = f"nothing can be read of {views!r}"
        raise RuntimeError(message)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A ledger on SQLite."""
    with open_station(sqlite_backend(tmp_path)) as opened:
        yield opened


def test_a_server_reads_ahead_once_and_outlives_it(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts are read in a thread while the application lives; what goes wrong stops nothing.

    After that it is tidied up: old pages go, and freed memory goes back to the system.
    """
    returned = threading.Event()

    def given_back() -> None:
        give_back()
        returned.set()

    monkeypatch.setattr(warming, "AFTER_S", 0.0)
    monkeypatch.setattr(warming, "give_back", given_back)
    decks = Asked()
    reads = structs.replace(station.composition.reads, decks=decks)
    application = FastAPI()
    application.state.shelf = shelf = Shelf()
    asked = ("/v1/activity", b"", Reader())
    with monkeypatch.context() as long_ago:
        long_ago.setattr("api.shelf.KEPT_S", -1.0)
        shelf.put(asked, 1, Json(b"{}"))

    async def lived() -> bool:
        async with Warmer(station.composition.services.views, reads).running(application):
            return await asyncio.to_thread(returned.wait, PATIENCE_S)

    assert asyncio.run(lived())
    assert decks.asked.is_set()
    assert shelf.size_bytes == 0
