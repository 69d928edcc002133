"""Who waits at the head is woken by any process's commit, and a lost wake-up loses nothing."""

from __future__ import annotations

import threading

import psycopg
import pytest

from storage import wakeup as wakeup_module
from storage.wakeup import Wakeup
from tests.backends import Backend
from tests.storage.kit import batch, fact, opened_store

LONG_S = 30.0
"""Never reached: who waits is woken before, or the test hangs and says where."""


def _waiter(wakeup: Wakeup, after: int) -> tuple[threading.Thread, list[bool]]:
    woken: list[bool] = []
    thread = threading.Thread(target=lambda: woken.append(wakeup.wait(after, LONG_S)))
    thread.start()
    return thread, woken


def test_a_commit_of_this_process_wakes(backend: Backend) -> None:
    """Everybody who waits in the process goes on after its own commit."""
    with opened_store(backend.log_url) as store:
        waiters = [_waiter(store.wakeup, 0) for _ in range(3)]
        store.append(batch(fact("a")))
        for thread, woken in waiters:
            thread.join()
            assert woken == [True]


def test_a_commit_of_another_process_wakes(backend: Backend) -> None:
    """A commit through another store, which shares nothing but the database, wakes too."""
    with opened_store(backend.log_url) as store, opened_store(backend.log_url) as other:
        for position in range(3):
            thread, woken = _waiter(store.wakeup, position)
            other.append(batch(fact(f"n{position}")))
            thread.join()
            assert woken == [True]


def test_what_is_there_already_is_not_waited_for(backend: Backend) -> None:
    """The first wait sees what was written before anybody listened."""
    with opened_store(backend.log_url) as other:
        other.append(batch(fact("a")))
    with opened_store(backend.log_url) as store:
        assert store.wakeup.wait(0, LONG_S)


def test_waiting_ends_with_its_time(backend: Backend) -> None:
    """Where nothing comes the answer is False, also for no time at all."""
    with opened_store(backend.log_url) as store:
        assert not store.wakeup.wait(0, 0.0)
        assert not store.wakeup.wait(0, 0.05)


def test_closing_lets_everybody_go(backend: Backend) -> None:
    """Who waits when the store closes is told False, and so is who comes later."""
    with opened_store(backend.log_url) as store:
        thread, woken = _waiter(store.wakeup, 0)
        store.close()
        thread.join()
        assert woken == [False]
        assert not store.wakeup.wait(0, LONG_S)


def test_a_lost_notification_costs_a_moment(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no NOTIFY comes the safety poll finds the new head."""
    monkeypatch.setattr(wakeup_module, "SAFETY_POLL_S", 0.05)
    monkeypatch.setattr(wakeup_module, "LISTEN_STEP_S", 0.02)
    with opened_store(postgres_url) as store, opened_store(postgres_url) as other:
        other._notifier.tell = lambda _: None  # type: ignore[attr-defined] # the test's mute rival
        thread, woken = _waiter(store.wakeup, 0)
        other.append(batch(fact("a")))
        thread.join()
        assert woken == [True]


def test_a_listener_that_was_cut_off_listens_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its connection died the listener connects again and goes on waking."""
    monkeypatch.setattr(wakeup_module, "RECONNECT_S", 0.01)
    with opened_store(postgres_url) as store, opened_store(postgres_url) as other:
        other.append(batch(fact("a")))
        assert store.wakeup.wait(0, LONG_S)
        with psycopg.connect(postgres_url, autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
        thread, woken = _waiter(store.wakeup, 1)
        other.append(batch(fact("b")))
        thread.join()
        assert woken == [True]


def test_a_log_that_shrank_is_believed(backend: Backend) -> None:
    """After a restore nobody is told for ever that there is more than the log holds."""
    with opened_store(backend.log_url) as store, opened_store(backend.log_url) as other:
        assert not store.wakeup.wait(0, 0.05)
        store.wakeup.publish(100)  # what the log held before
        other.append(batch(fact("a")))
        pause = threading.Event()
        while store.wakeup.wait(1, 0.0):
            pause.wait(0.02)
        thread, woken = _waiter(store.wakeup, 1)
        other.append(batch(fact("b")))
        thread.join()
        assert woken == [True]


def test_what_is_published_while_the_head_is_read_stays() -> None:
    """A correction never takes back a commit that came during it."""
    wakeup = Wakeup()
    heard: list[int] = []
    wakeup.observer = heard.append
    wakeup.publish(5)

    def head() -> int:
        wakeup.publish(6)
        return 5

    wakeup.correct(head)
    assert wakeup.wait(5, 0.0)
    wakeup.correct(lambda: 2)
    assert not wakeup.wait(2, 0.0)
    assert heard == [5, 6]
