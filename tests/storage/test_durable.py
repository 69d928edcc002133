"""What is acknowledged is on the disk, and whoever is not acknowledged is told so."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

import psycopg
import pytest

from domain.errors import OutcomeUnknown, StoreUnavailable
from domain.ports import Appended, Clash, Verdict
from storage.appending import Batch
from storage.postgres_connection import LogDatastore
from storage.sqlite_connection import open_writer, path_of
from storage.trade_tables import engine_of
from storage.writer import BATCH_EVENTS_MAX, BULK_UNITS_MAX
from tests.backends import Backend
from tests.patience import PATIENCE_S
from tests.storage.kit import batch, fact, opened_store, opened_writer, stream_id

FULL = 2
"""How SQLite calls the level at which a commit waits for the disk."""


def test_a_writer_waits_for_the_disk(backend: Backend) -> None:
    """The append's and the trade's commits are durable, however the server is configured."""
    trade = engine_of(backend.log_url)
    with opened_store(backend.log_url), trade.connect() as connection:
        if backend.kind == "sqlite":
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == FULL
            with closing(open_writer(path_of(backend.log_url))) as writer:
                assert writer.execute("PRAGMA synchronous").fetchone() == (FULL,)
                assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        else:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
            with closing(LogDatastore(backend.log_url).connect()) as writer_there:
                shown = writer_there.execute("SHOW synchronous_commit").fetchone()
                assert shown == ("on",)
    trade.dispose()


def test_that_something_stands_already_is_told_after_a_commit(backend: Backend) -> None:
    """A repeat commits too: the commit before may have been cut off on its way to the disk."""
    with opened_store(backend.log_url) as store, last_commit(backend) as last:
        store.append(batch(fact("a")))
        before = last()
        assert store.append(batch(fact("a"))) == [Clash(stream_id("a"), 1, 1)]
        assert last() != before


@contextmanager
def last_commit(backend: Backend) -> Iterator[Callable[[], object]]:
    """Gives another value after each commit of the log."""
    if backend.kind == "sqlite":
        with closing(sqlite3.connect(path_of(backend.log_url), isolation_level=None)) as lite:
            yield lambda: lite.execute("PRAGMA data_version").fetchone()
    else:
        with psycopg.connect(backend.log_url, autocommit=True) as post:
            yield lambda: post.execute("SELECT xmin::text FROM hilo_log.head").fetchone()


def test_a_commit_that_hangs_is_left_behind_on_closing(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing ends although a commit hangs; what was queued behind it is refused."""
    monkeypatch.setattr("storage.writer.CLOSE_S_MAX", 0.01)
    entered, gate = threading.Event(), threading.Event()
    with opened_writer(backend.log_url) as opened:
        append = opened.store.append

        def hang(units: Batch) -> Sequence[Verdict]:
            entered.set()
            gate.wait()
            return append(units)

        monkeypatch.setattr(opened.store, "append", hang)
        first = opened.writer.submit(fact("a"))
        assert entered.wait(PATIENCE_S)
        second = opened.writer.submit(fact("b"))
        opened.writer.close()
        assert isinstance(second.exception(0), StoreUnavailable)
        assert not first.done()
        gate.set()
        assert isinstance(first.result(PATIENCE_S), Appended)


def test_an_import_under_a_hanging_commit_hears_of_every_unit(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing answers each unit of an import: unknown under way, refused behind it."""
    monkeypatch.setattr("storage.writer.CLOSE_S_MAX", 0.01)
    entered, gate = threading.Event(), threading.Event()
    with opened_writer(backend.log_url) as opened:
        append = opened.store.append

        def hang(units: Batch) -> Sequence[Verdict]:
            entered.set()
            gate.wait()
            return append(units)

        async def run() -> list[Verdict | Exception]:
            units = [fact(f"n{number}") for number in range(2 * BULK_UNITS_MAX)]
            appending = asyncio.ensure_future(opened.writer.append_all(units))
            assert await asyncio.to_thread(entered.wait, PATIENCE_S)
            await asyncio.to_thread(opened.writer.close)
            return await appending

        monkeypatch.setattr(opened.store, "append", hang)
        try:
            results = asyncio.run(run())
        finally:
            gate.set()
        unknown = [result for result in results if isinstance(result, OutcomeUnknown)]
        assert 0 < len(unknown) <= BATCH_EVENTS_MAX
        assert len(results) == 2 * BULK_UNITS_MAX
        assert all(isinstance(result, StoreUnavailable) for result in results)


def test_who_waits_no_more_does_not_stop_the_writer(backend: Backend) -> None:
    """A cancelled future gets no result, and the units after it get theirs."""
    entered, gate = threading.Event(), threading.Event()
    with opened_writer(backend.log_url) as opened:

        def hold_up(_units: int, _seconds: float) -> None:
            entered.set()
            gate.wait()

        opened.writer.observer = hold_up
        opened.writer.submit(fact("a"))
        assert entered.wait(PATIENCE_S)
        gone = opened.writer.submit(fact("b"))
        assert gone.cancel()
        gate.set()
        assert isinstance(opened.writer.submit(fact("c")).result(PATIENCE_S), Appended)
