"""Balances, quarantine, jobs: an atom is always somewhere, and counted where it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.errors import NotFound, StoreUnavailable, WrongState
from domain.ports import Counted
from storage.appending import LogStore
from storage.trade import LEASE_US, Balance, Job, Kind, Quarantined, Trade
from tests.backends import Backend
from tests.storage.kit import batch, happened, opened_store, started, ticking, unit

CONNECTION, SOURCE = "whatsapp/main", "whatsapp:1"


@pytest.fixture
def store(backend: Backend) -> Iterator[LogStore]:
    """The log whose trade it is."""
    with opened_store(backend.log_url) as opened:
        yield opened


@pytest.fixture
def trade(backend: Backend, store: LogStore) -> Iterator[Trade]:
    """The trade of an empty log."""
    assert store.head().position == 0
    made = Trade(backend.log_url, ticking(1_000))
    yield made
    made.close()


def atom(number: int = 1, received_at: int = 10) -> Quarantined:
    """An atom that could not be read."""
    return Quarantined(
        id=UUID(int=number),
        connection=CONNECTION,
        source=SOURCE,
        received_at=received_at,
        reason="unparsable",
        error="no field `from`",
        atom=number,
        body=b"sealed",
        key_id=b"k" * 16,
    )


def job(number: int, due_at: int) -> Job:
    """Something to fetch."""
    return Job(id=UUID(int=number), kind="fetch", payload=b"{}", due_at=due_at)


def balance(trade: Trade) -> Balance:
    """The balance of the one connection and source."""
    (only,) = trade.balances(CONNECTION)
    return only


# ---------------------------------------------------------------------- balances


def test_counters_add_up_by_kind_and_reason(trade: Trade) -> None:
    """Each kind and reason is a counter of its own; received is the sum of where atoms ended."""
    for kind, reason, n in (
        (Kind.DELIVERIES, "", 3),
        (Kind.REJECTED, "bad_signature", 2),
        (Kind.RECORDED, "", 5),
        (Kind.DUPLICATE, "", 4),
        (Kind.IGNORED, "presence", 7),
        (Kind.IGNORED, "presence", 1),
        (Kind.IGNORED, "empty", 1),
    ):
        trade.count(CONNECTION, SOURCE, kind, reason, n)
    found = balance(trade)
    assert (found.deliveries, found.recorded, found.duplicate) == (3, 5, 4)
    assert found.rejected == {"bad_signature": 2}
    assert found.ignored == {"presence": 8, "empty": 1}
    assert found.received == 5 + 4 + 9
    assert found.since == 1_000


def test_balances_are_by_connection_and_source(trade: Trade) -> None:
    """Each pair has its own balance; a connection that nothing reached has none."""
    trade.count("b/x", "s1", Kind.RECORDED)
    trade.count("a/x", "s2", Kind.RECORDED)
    trade.count("a/x", "s1", Kind.RECORDED)
    found = [(b.connection, b.source) for b in trade.balances()]
    assert found == [("a/x", "s1"), ("a/x", "s2"), ("b/x", "s1")]
    assert trade.balances("c/x") == []


def test_threads_lose_no_count(trade: Trade, store: LogStore) -> None:
    """Appends that count and counters from several threads all arrive."""
    counted = Counted(CONNECTION, SOURCE)

    def count(name: str) -> None:
        for i in range(10):
            trade.count(CONNECTION, SOURCE, Kind.RECORDED)
            store.append(batch(unit(happened(f"{name} {i}"), counted=counted)))

    started(*[threading.Thread(target=count, args=(name,)) for name in "abcd"])
    assert balance(trade).recorded == 80


# -------------------------------------------------------------------- quarantine


def test_an_atom_and_its_counter_are_one_transaction(trade: Trade) -> None:
    """An atom that cannot be kept, here for its id, is not counted either."""
    trade.quarantine(atom())
    with pytest.raises(Exception, match=r"(?i)unique"):
        trade.quarantine(atom())
    assert balance(trade).quarantined == 1
    assert balance(trade).received == 1


def test_an_atom_comes_back_as_it_was_kept(trade: Trade) -> None:
    """The single call has the sealed body, the list does not; the latest comes first."""
    trade.quarantine(atom(1, received_at=10))
    trade.quarantine(atom(2, received_at=20))
    assert trade.quarantined_atom(UUID(int=1)) == atom(1)
    listed = trade.quarantined()
    assert listed == [
        replace(atom(2, received_at=20), body=None, key_id=None),
        replace(atom(1), body=None, key_id=None),
    ]
    assert trade.quarantined(limit=1) == listed[:1]
    with pytest.raises(NotFound):
        trade.quarantined_atom(UUID(int=3))


@pytest.mark.parametrize(
    ("kind", "reason", "state"),
    [
        (Kind.RECORDED, "", "retried"),
        (Kind.DUPLICATE, "", "retried"),
        (Kind.IGNORED, "discarded", "discarded"),
    ],
)
def test_leaving_quarantine_moves_the_count(
    trade: Trade, kind: Kind, reason: str, state: str
) -> None:
    """An atom that leaves is counted where it went, its body goes, received stays the same."""
    trade.quarantine(atom())
    trade.release(UUID(int=1), kind, reason)
    found = balance(trade)
    assert (found.quarantined, found.received) == (0, 1)
    gone = trade.quarantined_atom(UUID(int=1))
    assert (gone.state, gone.body, gone.key_id) == (state, None, None)
    with pytest.raises(WrongState):
        trade.release(UUID(int=1), kind, reason)
    with pytest.raises(NotFound):
        trade.release(UUID(int=2), kind, reason)
    assert balance(trade) == found


def test_two_who_release_at_once_move_it_once(trade: Trade) -> None:
    """Of two people who release one atom, one is told that it was dealt with."""
    trade.quarantine(atom())
    refused: list[WrongState] = []

    def release() -> None:
        try:
            trade.release(UUID(int=1), Kind.RECORDED)
        except WrongState as error:
            refused.append(error)

    started(*[threading.Thread(target=release) for _ in range(4)])
    assert len(refused) == 3
    assert (balance(trade).recorded, balance(trade).quarantined) == (1, 0)


def test_a_failed_retry_is_one_more_attempt(trade: Trade) -> None:
    """The atom stays, with the newest error."""
    trade.quarantine(atom())
    trade.tried(UUID(int=1), "still no field `from`")
    again = trade.quarantined_atom(UUID(int=1))
    assert (again.attempts, again.error, again.state) == (2, "still no field `from`", "open")


def test_what_is_too_old_is_discarded(trade: Trade) -> None:
    """Atoms from before a time lose their bodies and count as discarded."""
    for number, received_at in ((1, 10), (2, 20), (3, 30)):
        trade.quarantine(atom(number, received_at))
    assert trade.expire(before=30) == 2
    assert trade.expire(before=30) == 0
    assert [one.id.int for one in trade.quarantined()] == [3]
    found = balance(trade)
    assert (found.quarantined, found.ignored, found.received) == (1, {"discarded": 2}, 3)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([*Kind, None])), min_size=1, max_size=15
    )
)
def test_received_is_what_the_sender_sent(
    trade: Trade, steps: list[tuple[int, Kind | None]]
) -> None:
    """Whatever happens to atoms, received is the number that arrived."""
    before = sum(b.received for b in trade.balances())
    base = max(
        [one.id.int for state in ("open", "retried") for one in trade.quarantined(state)] or [0]
    )
    arrived = 0
    for number, kind in steps:
        if kind is None:
            arrived += 1
            base += 1
            trade.quarantine(atom(base))
        elif kind in {Kind.DELIVERIES, Kind.REJECTED, Kind.QUARANTINED}:
            for one in trade.quarantined(limit=1):
                trade.release(one.id, Kind.RECORDED)
        else:
            arrived += number
            trade.count(CONNECTION, SOURCE, kind, "", number)
    assert sum(b.received for b in trade.balances()) == before + arrived


# -------------------------------------------------------------------------- jobs


def test_due_jobs_are_claimed_once(trade: Trade) -> None:
    """A job is given out when it is due, the oldest first, and to nobody else for a lease."""
    for number, due_at in ((1, 30), (2, 20), (3, 99)):
        trade.put(job(number, due_at))
    trade.put(job(1, 0))
    claimed = trade.claim("fetch", now=50)
    assert [one.id.int for one in claimed] == [2, 1]
    assert trade.claim("fetch", now=50) == []
    assert trade.claim("other", now=10**9) == []
    again = trade.claim("fetch", now=50 + LEASE_US)
    assert [(one.id.int, one.attempts) for one in again] == [(3, 0), (1, 1), (2, 1)]


def test_a_job_ends_done_or_failed(trade: Trade) -> None:
    """Done is forgotten, a failure comes again at its time, and the last one stays to be seen."""
    for number in (1, 2, 3):
        trade.put(job(number, due_at=10))
    trade.claim("fetch", now=10)
    trade.done(UUID(int=1))
    trade.failed(UUID(int=2), "away", again_at=500)
    trade.failed(UUID(int=3), "gone for good", again_at=None)
    assert [one.id.int for one in trade.claim("fetch", now=500)] == [2]
    (failed,) = trade.jobs()
    assert (failed.id.int, failed.error, failed.state) == (3, "gone for good", "failed")


def test_two_workers_never_get_one_job(trade: Trade) -> None:
    """Claims from several threads share the jobs out."""
    for number in range(40):
        trade.put(job(number, due_at=10))
    claimed: list[int] = []

    def work() -> None:
        while jobs := trade.claim("fetch", now=10, limit=3):
            claimed.extend(one.id.int for one in jobs)

    started(*[threading.Thread(target=work) for _ in range(4)])
    assert sorted(claimed) == list(range(40))


def test_a_database_that_is_away_is_unavailable() -> None:
    """No server behind the URL is StoreUnavailable."""
    trade = Trade("postgresql://postgres@127.0.0.1:1/none", ticking())
    with pytest.raises(StoreUnavailable):
        trade.balances()
    trade.close()
