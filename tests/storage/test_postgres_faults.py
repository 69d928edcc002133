"""PostgreSQL goes away, or says half a yes: nothing is acknowledged that may not be there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
import pytest

from domain.errors import OutcomeUnknown, StoreUnavailable
from domain.ports import Appended, Clash
from projections.database import Database
from storage.exclusive import AdvisoryLock
from storage.keystore import KeyStore
from storage.network import NETWORK
from storage.postgres_connection import READERS_MAX
from storage.scanning import Scan, scanning
from storage.trade import Kind, Trade
from tests import postgres
from tests.patience import PATIENCE_S
from tests.standby import see_commits_wait
from tests.storage.kit import batch, fact, opened_store, stream_id

OURS = "datname = current_database() AND pid <> pg_backend_pid()"
WAITING = f"SELECT pid FROM pg_stat_activity WHERE {OURS} AND wait_event = 'SyncRep'"


@pytest.fixture
def alone() -> Iterator[postgres.Server]:
    """A server that a test may configure: no other test is on it."""
    with postgres.running() as server:
        yield server


def administrator(url: str) -> psycopg.Connection[Any]:
    """A connection beside Hilo's, which waits for no standby."""
    connection: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True)
    connection.execute("SET synchronous_commit = local")
    return connection


def cut_all(url: str) -> None:
    """End every connection to a database but one's own, and wait until they are gone."""
    with administrator(url) as connection:
        connection.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {OURS}".encode()
        )


def test_idle_connections_that_died_are_replaced(postgres_url: str) -> None:
    """After the server dropped every connection the next append and the next reads succeed."""
    with opened_store(postgres_url) as store:
        store.append(batch(fact("a")))
        assert store.head().position == 1
        cut_all(postgres_url)
        assert isinstance(store.append(batch(fact("b")))[0], Appended)
        cut_all(postgres_url)
        assert [entry.position for entry in store.page(0, 10, 10_000)] == [1, 2]


def test_no_connection_waits_for_ever_for_a_peer_that_vanished(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log's, the keys', the trade's, the views' and the locks' connections have TCP limits."""
    made: list[dict[str, Any]] = []
    connect = psycopg.connect

    def noted(url: str = "", **parameters: Any) -> psycopg.Connection[Any]:  # noqa: ANN401 - libpq's
        made.append(parameters)
        return connect(url, **parameters)

    monkeypatch.setattr(psycopg, "connect", noted)
    with opened_store(postgres_url) as store, closing(Trade(postgres_url, store.clock)) as trade:
        assert trade.balances() == []
        with closing(KeyStore(postgres_url)), closing(Database(postgres_url)) as views:
            views.writer().close()
            lock = AdvisoryLock(postgres_url, "x")
            assert lock.acquire()
            lock.release()
    assert len(made) == 5
    assert all(parameters.items() >= NETWORK.items() for parameters in made)


def test_the_pool_gets_over_dead_connections_when_it_looks_up(postgres_url: str) -> None:
    """After a restart of the server every pooled reader is dead once, and no look-up fails."""
    with opened_store(postgres_url) as store:
        store.append(batch(fact("a")))
        with ThreadPoolExecutor(READERS_MAX) as threads:
            together = threading.Barrier(READERS_MAX)
            for _ in range(READERS_MAX):
                threads.submit(lambda: (together.wait(PATIENCE_S), store.head()))
        cut_all(postgres_url)
        for _ in range(READERS_MAX):
            assert store.taken([(stream_id("a").bytes, 1)], []).places


def read_cut_off(scan: Scan, url: str) -> None:
    """Read a log after the server ended every connection to it."""
    cut_all(url)
    with scan.rows(0, 3) as rows:
        list(rows)


def test_a_scan_whose_connection_died_is_no_short_log(postgres_url: str) -> None:
    """Whoever reads the whole log is told when the server goes away, or the log is not there."""
    with opened_store(postgres_url) as store:
        store.append(batch(fact("a"), fact("b")))
        with scanning(postgres_url) as scan:
            with scan.rows(0, 2) as rows:
                assert next(rows)[0] == 1
            store.append(batch(fact("c")))
            with administrator(postgres_url) as connection:
                connection.execute("ALTER TABLE hilo_log.events RENAME TO other")
                with pytest.raises(psycopg.errors.UndefinedTable), scan.rows(0, 3) as rows:
                    list(rows)
                connection.execute("ALTER TABLE hilo_log.other RENAME TO events")
            with scan.rows(1, 9) as rows:
                assert [row[0] for row in rows] == [2, 3]
        with pytest.raises(StoreUnavailable), scanning(postgres_url) as scan:
            read_cut_off(scan, postgres_url)


def test_a_lock_that_is_never_free_is_unavailable(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer does not wait for ever for the head, and goes on once it is free."""
    monkeypatch.setattr("storage.postgres_connection.SESSION", ("SET lock_timeout = '10ms'",))
    with opened_store(postgres_url) as store:
        with psycopg.connect(postgres_url) as holder:
            holder.execute("SELECT position FROM hilo_log.head FOR UPDATE")
            with pytest.raises(StoreUnavailable):
                store.append(batch(fact("a")))
        assert isinstance(store.append(batch(fact("a")))[0], Appended)


def test_a_server_that_is_gone_is_unavailable(alone: postgres.Server) -> None:
    """No answer to connect, to read or to append is StoreUnavailable."""
    url = alone.create("gone")
    with opened_store(url) as store:
        store.append(batch(fact("a")))
        alone.drop("gone")
        for call in (store.head, lambda: store.append(batch(fact("b")))):
            with pytest.raises(StoreUnavailable):
                call()


@pytest.mark.parametrize("function", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_cancelled_wait_for_the_standby_is_unknown(alone: postgres.Server, function: str) -> None:
    """Neither the warning of a cancelled wait nor a cut connection counts as a yes."""
    url = alone.create("synchronous")
    with opened_store(url) as store, administrator(url) as other:
        store.append(batch(fact("a")))
        _await_nobody(other)
        error = _while_it_waits(
            lambda: store.append(batch(fact("b"))),
            lambda: other.execute(f"SELECT {function}(pid) FROM ({WAITING}) w".encode()),
            other,
        )
        assert isinstance(error, OutcomeUnknown)
        other.execute("ALTER SYSTEM RESET synchronous_standby_names")
        other.execute("SELECT pg_reload_conf()")
        assert store.append(batch(fact("b"))) == [Clash(stream_id("b"), 1, 2)]


@pytest.mark.parametrize("function", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_cancelled_wait_of_the_small_stores_is_unknown(
    alone: postgres.Server, function: str
) -> None:
    """What holds for the log holds for keys and trade: no half yes, and the next commit works."""
    url = alone.create("small")
    cut = f"SELECT {function}(pid) FROM ({WAITING}) w".encode()
    with (
        opened_store(url) as store,
        closing(KeyStore(url)) as keys,
        closing(Trade(url, store.clock)) as trade,
        administrator(url) as other,
    ):
        tables = keys.tables

        def remember(digest: bytes) -> None:
            with keys.write() as connection:
                row = {"command_id": digest, "digest": digest}
                connection.execute(tables.commands.insert().values(row))

        remember(b"a")
        trade.count("whatsapp/main", "", Kind.DELIVERIES)
        _await_nobody(other)
        for call in (
            lambda: remember(b"b"),
            lambda: trade.count("whatsapp/main", "", Kind.DELIVERIES),
        ):
            error = _while_it_waits(call, lambda: other.execute(cut), other)
            assert isinstance(error, OutcomeUnknown)
        other.execute("ALTER SYSTEM RESET synchronous_standby_names")
        other.execute("SELECT pg_reload_conf()")
        remember(b"c")
        trade.count("whatsapp/main", "", Kind.DELIVERIES)
        assert [balance.deliveries for balance in trade.balances()] == [3]


def test_a_commit_that_waits_for_a_standby_does_not_hold_up_closing(
    alone: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store can be closed while a commit waits for a standby that never answers."""
    monkeypatch.setattr("storage.postgres.LOCK_WAIT_S", 0.05)
    url = alone.create("hanging")
    closed = threading.Event()
    with opened_store(url) as store, administrator(url) as other:
        store.append(batch(fact("a")))
        _await_nobody(other)

        def close() -> None:
            store.close()
            closed.set()

        def close_and_let_go() -> None:
            thread = threading.Thread(target=close, daemon=True)
            thread.start()
            thread.join(PATIENCE_S)
            other.execute(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) w".encode())

        error = _while_it_waits(lambda: store.append(batch(fact("b"))), close_and_let_go, other)
        assert isinstance(error, OutcomeUnknown)
        assert closed.is_set()


def _await_nobody(other: psycopg.Connection[Any]) -> None:
    """Have every commit wait for a standby that is not there."""
    other.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    other.execute("SELECT pg_reload_conf()")
    see_commits_wait(f"{other.info.dsn} password={other.info.password}")


def _while_it_waits(
    write: Callable[[], object], act: Callable[[], object], other: psycopg.Connection[Any]
) -> BaseException | None:
    """Write, do something while its commit waits for the standby; what the write raised."""
    raised: list[BaseException] = []

    def try_it() -> None:
        try:
            write()
        except OutcomeUnknown as error:
            raised.append(error)

    thread = threading.Thread(target=try_it, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while other.execute(WAITING.encode()).fetchone() is None:
        assert thread.is_alive(), "the commit did not wait"
        assert time.monotonic() < deadline, "the write does not come to its commit"
        other.execute("SELECT pg_sleep(0.005)")
    act()
    thread.join(PATIENCE_S)
    assert not thread.is_alive(), "the commit still waits"
    return raised[0] if raised else None
