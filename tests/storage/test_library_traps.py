"""What the library's stock recorders do, reproduced, and that ours does not.

Should one of these fail after an upgrade of the library, the trap is gone: read the recorder's
override again, and whether it is still needed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresFactory
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteFactory
from psycopg.conninfo import conninfo_to_dict

from domain.ports import Appended
from tests.patience import until
from tests.storage.kit import (
    TOPIC,
    batch,
    fact,
    happened,
    opened_store,
    stream_id,
    unit,
)


def stored(name: str, version: int = 1) -> StoredEvent:
    """An event as the library stores it."""
    return StoredEvent(stream_id(name), version, TOPIC, b"{}")


@pytest.fixture
def stock(postgres_url: str) -> Iterator[PostgresApplicationRecorder]:
    """The stock PostgreSQL recorder, its database functions enabled."""
    parts = conninfo_to_dict(postgres_url)
    keys = {"DBNAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user"}
    env = {f"POSTGRES_{key}": str(parts[name]) for key, name in keys.items()}
    env |= {"POSTGRES_PASSWORD": str(parts["password"]), "POSTGRES_ENABLE_DB_FUNCTIONS": "y"}
    with PostgresFactory(env) as factory:
        recorder = factory.application_recorder()
        assert isinstance(recorder, PostgresApplicationRecorder)
        yield recorder


def test_stock_database_functions_lose_events(stock: PostgresApplicationRecorder) -> None:
    """Of two open transactions the later id commits first, and who tails by id misses the other."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(stock.datastore.get_connection()) for _ in range(2))
        for connection, name in ((first, "a"), (second, "b")):
            connection.execute("BEGIN")
            event = stock.construct_pg_stored_event(stream_id(name), 1, TOPIC, b"{}")
            connection.execute(stock.sql_invoke_pg_function_insert_events, ([event],))
        second.execute("COMMIT")
        seen = [n.id for n in stock.select_notifications(None, 10)]
        first.execute("COMMIT")
        seen += [n.id for n in stock.select_notifications(seen[-1] + 1, 10)]
    assert seen == [2]
    assert [n.id for n in stock.select_notifications(None, 10)] == [1, 2]


def test_ours_lets_no_transaction_pass_another(postgres_url: str) -> None:
    """While one transaction holds the head another cannot take a position, so none is missed."""
    with opened_store(postgres_url) as store, opened_store(postgres_url) as rival:
        with psycopg.connect(postgres_url, autocommit=True) as holder:
            holder.execute("BEGIN")
            holder.execute("SELECT position FROM hilo_log.head FOR UPDATE")
            positions: list[int] = []

            def append() -> None:
                (verdict,) = rival.append(batch(fact("b")))
                assert isinstance(verdict, Appended)
                positions.extend(verdict.positions)

            waiting = threading.Thread(target=append)
            waiting.start()
            _until_somebody_waits(holder)
            assert store.page(0, 10, 1_000) == []
            holder.execute(
                "INSERT INTO hilo_log.events (position, originator, version, topic, recorded_at,"
                " state) VALUES (1, gen_random_uuid(), 1, 'x', 1, '')"
            )
            holder.execute("UPDATE hilo_log.head SET position = 1; COMMIT")
        waiting.join()
        assert positions == [2]
        assert [entry.position for entry in store.page(0, 10, 1_000)] == [1, 2]


def _until_somebody_waits(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    def somebody_waits() -> bool:
        connection.execute("SELECT pg_stat_clear_snapshot()")  # it is in a transaction
        return connection.execute(waiting).fetchone() != (0,)

    until(somebody_waits)


def test_stock_ids_have_gaps_after_a_conflict(stock: PostgresApplicationRecorder) -> None:
    """A refused insert burns an id of the stock sequence."""
    stock.datastore.enable_db_functions = False
    ids = [*(stock.insert_events([stored("a")]) or ())]
    with pytest.raises(IntegrityError):
        stock.insert_events([stored("a")])
    ids += stock.insert_events([stored("b")]) or ()
    assert ids == [1, 3]


def test_ours_have_no_gaps_after_a_conflict(postgres_url: str) -> None:
    """A clash, and a batch that rolls back, leave the next position where it was."""
    with opened_store(postgres_url) as store:
        store.append(batch(fact("a")))
        store.append(batch(fact("a")))
        with pytest.raises(psycopg.errors.CheckViolation):
            store.append(batch(unit(happened("x"), happened("y", version=0))))
        (verdict,) = store.append(batch(fact("b")))
        assert isinstance(verdict, Appended)
        assert verdict.positions == (2,)


def test_stock_ids_are_given_again_on_sqlite(tmp_path: Path) -> None:
    """The stock table's ids are bare rowids: that of a deleted newest row comes again."""
    factory = SQLiteFactory({"SQLITE_DBNAME": str(tmp_path / "stock.db")})
    recorder = factory.application_recorder()
    assert isinstance(recorder, SQLiteApplicationRecorder)
    first = recorder.insert_events([stored("a")])
    with recorder.datastore.transaction(commit=True) as cursor:
        cursor.execute("DELETE FROM stored_events")
    assert recorder.insert_events([stored("b")]) == first == [1]
    factory.close()
