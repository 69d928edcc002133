"""Readings and access: many readers, broken stores, and who may see what."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from domain.errors import Busy, StoreUnavailable
from projections import database
from projections.database import READERS_MAX
from projections.views import Views
from tests.backends import Backend
from tests.projections.desk import Desk, desk
from tests.projections.tally import Tally
from tests.projections.test_group import story_of


@pytest.fixture
def at(backend: Backend) -> Iterator[Desk]:
    """Views that hold one message."""
    with desk(backend.views_url, [Tally()]) as opened:
        opened.feed(story_of("a").entries)
        yield opened


def test_readings_may_be_nested_and_come_from_any_thread(at: Desk) -> None:
    """A connection is used by one reading at a time, and by any thread after that."""
    found: list[int] = []

    def read() -> None:
        with at.views.reading() as one, at.views.reading() as two:
            found.extend((one.position, two.position))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 16


def test_too_many_readings_at_once_are_told_to_wait(
    at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit a reading answers `busy`, and the others are unharmed."""
    monkeypatch.setattr(database, "READER_WAIT_S", 0.0)
    with ExitStack() as stack:
        for _ in range(READERS_MAX):
            stack.enter_context(at.views.reading())
        with pytest.raises(Busy), at.views.reading():
            pass
    assert at.views.position() == 1


def test_an_error_in_a_reading_is_the_callers_and_gives_the_connection_back(at: Desk) -> None:
    """What a caller raises passes through, and the next reading works."""
    with pytest.raises(KeyError), at.views.reading():
        raise KeyError
    assert at.views.position() == 1


def test_a_lost_connection_is_unavailable_and_replaced(postgres_url: str) -> None:
    """A reading whose connection dies says so; idle ones that died are replaced unnoticed."""
    with desk(postgres_url, [Tally()]) as at:
        at.feed(story_of("a").entries)
        with pytest.raises(StoreUnavailable), at.views.reading() as reading:  # noqa: PT012 - both belong to the reading
            _end_all_others(postgres_url)
            reading.fetch("SELECT 1")
        with at.views.reading(), at.views.reading():
            pass
        _end_all_others(postgres_url)
        assert at.views.position() == 1


def _end_all_others(url: str) -> None:
    with psycopg.connect(url) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_views_that_cannot_be_opened_are_unavailable(tmp_path: Path) -> None:
    """A missing folder and a server that is away are operating errors, said kindly."""
    for url in (f"sqlite:///{tmp_path}/missing/views.db", "postgresql://nobody@127.0.0.1:1/none"):
        with pytest.raises(StoreUnavailable):
            Views(url)


def test_processes_that_start_together_make_the_tables_once(backend: Backend) -> None:
    """Several openings of an empty database at one time all succeed."""
    opened: list[Views] = []
    failed: list[BaseException] = []

    def start() -> None:
        try:
            opened.append(Views(backend.views_url))
        except BaseException as error:  # noqa: BLE001 - shown by the assertion
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for views in opened:
        views.close()
    assert (len(opened), failed) == (6, [])
