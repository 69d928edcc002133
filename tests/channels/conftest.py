"""What the tests of the channels may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends import Backend, sqlite_backend
from tests.channels.shop import Shop, open_shop
from tests.channels.vendors import Desk, open_desk


@pytest.fixture
def shop(backend: Backend) -> Iterator[Shop]:
    """A shop on SQLite, then on PostgreSQL."""
    with open_shop(backend) as opened:
        yield opened


@pytest.fixture
def small_shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop on SQLite; enough where the database is not the matter."""
    folder = tmp_path / "shop"
    folder.mkdir()
    with open_shop(sqlite_backend(folder)) as opened:
        yield opened


@pytest.fixture
def desk(backend: Backend) -> Iterator[Desk]:
    """A desk on SQLite, then on PostgreSQL."""
    with open_desk(backend) as opened:
        yield opened


@pytest.fixture
def small_desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk on SQLite; enough where the database is not the matter."""
    folder = tmp_path / "desk"
    folder.mkdir()
    with open_desk(sqlite_backend(folder)) as opened:
        yield opened
