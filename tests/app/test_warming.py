"""What a server reads ahead."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from msgspec import structs

from app import warming
from app.warming import Warmer
from projections.report_deck import Decks
from projections.views import Views
from tests.api.station import Station, open_station
from tests.backends import sqlite_backend


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
    """Facts are read in a thread while the application lives; what goes wrong stops nothing."""
    monkeypatch.setattr(warming, "AFTER_S", 0.0)
    decks = Asked()
    reads = structs.replace(station.composition.reads, decks=decks)

    async def lived() -> bool:
        async with Warmer(station.composition.services.views, reads).running(FastAPI()):
            return await asyncio.to_thread(decks.asked.wait, 10)

    assert asyncio.run(lived())
