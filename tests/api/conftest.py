"""What the tests of the API may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.house import House, open_house
from tests.api.station import Station, open_station
from tests.backends import Backend, sqlite_backend


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty ledger on SQLite behind its application; enough where only HTTP is the matter."""
    folder = tmp_path / "house"
    folder.mkdir()
    with open_house(sqlite_backend(folder)) as opened:
        yield opened


@pytest.fixture
def each_house(backend: Backend) -> Iterator[House]:
    """The same on SQLite, then on PostgreSQL."""
    with open_house(backend) as opened:
        yield opened


@pytest.fixture
def living_house(backend: Backend) -> Iterator[House]:
    """The same on each database, with views that follow by themselves."""
    with open_house(backend, follow=True) as opened:
        yield opened


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A ledger on SQLite with its views, which follow; enough where only HTTP is the matter."""
    folder = tmp_path / "station"
    folder.mkdir()
    with open_station(sqlite_backend(folder)) as opened:
        yield opened


@pytest.fixture
def each_station(backend: Backend) -> Iterator[Station]:
    """The same on SQLite, then on PostgreSQL."""
    with open_station(backend) as opened:
        yield opened
