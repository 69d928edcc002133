"""The one append, on both databases: verdicts under a lock, positions without a gap."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError

from domain.errors import StoreUnavailable
from domain.ports import Appended, Clash, Counted, Repeated, Unit
from storage.appending import Batch, BrokenLog, FenceMoved, Ledger, LogStore, contiguous
from storage.bridge import LOG_URL
from storage.sqlite_connection import path_of
from storage.trade import Balance, Trade
from tests.backends import Backend
from tests.storage.kit import (
    Happened,
    PlainMapper,
    batch,
    fact,
    happened,
    opened_store,
    sealed,
    stream_id,
    ticking,
    unit,
)

FROZEN = 1_800_000_000_000_000


def frozen_clock() -> int:
    """A clock that stands; the library finds it by its name."""
    return FROZEN


@pytest.fixture
def store(backend: Backend) -> Iterator[LogStore]:
    """An empty log's store."""
    with opened_store(backend.log_url) as opened:
        yield opened


def append(store: LogStore, *units: Unit) -> list[object]:
    """The verdicts of units in one batch; of appended ones their positions alone."""
    verdicts = store.append(batch(*units))
    return [v.positions if isinstance(v, Appended) else v for v in verdicts]


def execute(backend: Backend, sqlite_statement: str, postgres_statement: str) -> list[Any]:
    """Run a statement beside Hilo, as an administrator would."""
    if backend.kind == "sqlite":
        with closing(sqlite3.connect(path_of(backend.log_url), isolation_level=None)) as plain:
            return plain.execute(sqlite_statement).fetchall()
    with psycopg.connect(backend.log_url, autocommit=True) as connection:
        cursor = connection.execute(postgres_statement.encode())
        return cursor.fetchall() if cursor.description else []


# ---------------------------------------------------------------------- verdicts


def test_positions_are_contiguous_over_units_and_batches(store: LogStore) -> None:
    """Positions run 1, 2, 3 … through units of several events and through batches."""
    first = append(store, unit(happened("a"), happened("b")), fact("c"))
    second = append(store, fact("d"))
    assert [first, second] == [[(1, 2), (3,)], [(4,)]]
    assert [entry.position for entry in store.page(0, 10, 1_000_000)] == [1, 2, 3, 4]


def test_a_taken_place_clashes_and_names_the_position(store: LogStore) -> None:
    """A unit whose place is taken writes nothing and learns where that event stands."""
    append(store, fact("a"), fact("b"))
    assert append(store, fact("b", text="other"), fact("c")) == [
        Clash(stream_id("b"), 1, 2),
        (3,),
    ]


def test_a_unit_is_all_or_nothing(store: LogStore) -> None:
    """A clash of one event leaves out its whole unit, and no neighbour."""
    append(store, fact("a"))
    verdicts = append(store, unit(happened("x"), happened("a")), fact("y"))
    assert verdicts == [Clash(stream_id("a"), 1, 1), (2,)]
    assert store.stream(stream_id("x")) == []


def test_units_see_the_earlier_ones_of_their_batch(store: LogStore) -> None:
    """A duplicate inside one batch clashes with the first, by its new position."""
    assert append(store, fact("a"), fact("a", text="again")) == [(1,), Clash(stream_id("a"), 1, 1)]


def test_an_event_that_is_there_is_left_out_if_it_says_so(store: LogStore) -> None:
    """An `if_absent` event keeps its old position, and the rest of the unit goes on."""
    append(store, fact("department"))
    again = happened("department", if_absent=True)
    assert append(store, unit(happened("message"), again)) == [(2, 1)]
    assert append(store, unit(happened("new", if_absent=True))) == [(3,)]


def test_the_same_version_of_another_stream_does_not_clash(store: LogStore) -> None:
    """A place is stream and version together: versions 1 and 2 of a stream both stand."""
    assert append(store, fact("a", 1), fact("a", 2), fact("b", 1)) == [(1,), (2,), (3,)]
    assert [e.originator_version for e in store.stream(stream_id("a"))] == [1, 2]


def test_a_repeated_command_finds_its_first_outcome(store: LogStore) -> None:
    """A command id stands once: a repeat, in the batch or later, gets the first position."""
    first, second = unit(happened("a"), command="k"), unit(happened("b"), command="k")
    assert append(store, first, second) == [(1,), Repeated(1)]
    assert append(store, unit(happened("c"), command="k"), fact("d")) == [Repeated(1), (2,)]


def test_a_command_id_stands_with_an_event_that_is_always_written(store: LogStore) -> None:
    """The id goes to the unit's first event that cannot be left out."""
    append(store, unit(happened("maybe", if_absent=True), happened("sure"), command="k"))
    commands = [entry.command_id for entry in store.page(0, 10, 1_000_000)]
    assert commands == [None, stream_id("command k")]


def test_a_command_that_changes_nothing_leaves_no_trace(store: LogStore) -> None:
    """Where every event is left out the command id is not kept."""
    append(store, fact("a"))
    nothing = unit(happened("a", if_absent=True), command="k")
    assert append(store, nothing) == [(1,)]
    assert append(store, unit(happened("b"), command="k")) == [(2,)]


def test_recorded_at_never_decreases(backend: Backend) -> None:
    """A clock that is set back does not set back the log."""
    times = iter([5_000, 3_000, 7_000])
    with opened_store(backend.log_url, lambda: next(times)) as store:
        for name in ("a", "b", "c"):
            store.append(batch(fact(name)))
        assert [e.recorded_at for e in store.page(0, 10, 1_000_000)] == [5_000, 5_000, 7_000]
        assert store.head().recorded_at == 7_000


def test_many_units_in_one_batch_are_looked_up(store: LogStore) -> None:
    """A batch above any limit of one statement still finds each duplicate."""
    names = [f"n{i}" for i in range(700)]
    append(store, *[fact(name) for name in names])
    verdicts = append(store, *[fact(name) for name in names], fact("new"))
    assert [v.position for v in verdicts if isinstance(v, Clash)] == list(range(1, 701))
    assert verdicts[-1] == (701,)


def test_two_megabytes_do_not_hang(store: LogStore) -> None:
    """A batch that outgrows every socket buffer is appended, and read back whole."""
    large = "x" * 500_000
    verdicts = append(store, *[fact(f"n{i}", text=large) for i in range(4)])
    assert verdicts == [(1,), (2,), (3,), (4,)]
    page = store.page(0, 10, 10_000_000)
    assert [len(entry.state) > 500_000 for entry in page] == [True] * 4


# -------------------------------------------------------------------- balances


def test_recorded_atoms_are_counted_with_their_verdict(backend: Backend, store: LogStore) -> None:
    """An append counts `recorded`, or `duplicate` where all stood already; a clash neither."""
    counted = Counted("whatsapp/main", "whatsapp:1")
    append(store, *[unit(happened(f"n{i}"), counted=counted) for i in range(3)])
    append(
        store,
        unit(happened("n0"), counted=counted),
        unit(happened("n1", if_absent=True), counted=counted),
        unit(happened("other"), counted=Counted("whatsapp/main", "whatsapp:2")),
    )
    trade = Trade(backend.log_url, ticking())
    try:
        found = [(b.source, b.recorded, b.duplicate, b.received) for b in trade.balances()]
    finally:
        trade.close()
    assert found == [("whatsapp:1", 3, 1, 4), ("whatsapp:2", 1, 0, 1)]
    assert isinstance(trade, Trade)
    assert Balance("a", "b", 0).received == 0


# ----------------------------------------------------------------------- fence


def test_a_batch_sealed_under_another_fence_is_refused(store: LogStore) -> None:
    """Nothing is written under an old fence, and the refusal names the new one."""
    store.append(Batch(sealed(fact("erasure")), 0, raises_fence=True))
    with pytest.raises(FenceMoved) as moved:
        store.append(batch(fact("late"), fence=0))
    assert moved.value.fence == 1
    assert store.head().position == 1
    store.append(batch(fact("late"), fence=1))
    assert store.head().position == 2


def test_a_repeated_erasure_does_not_raise_the_fence_again(store: LogStore) -> None:
    """The fence rises with the event that raises it, once."""
    for fence in (0, 1):
        store.append(Batch(sealed(fact("erasure")), fence, raises_fence=True))
    assert store.head().fence == 1


# --------------------------------------------------------------------- reading


def test_a_page_is_cut_by_entries_and_by_bytes(store: LogStore) -> None:
    """A page ends at its limits, but a single entry above them is still a page."""
    append(store, *[fact(f"n{i}", text="x" * 1_000) for i in range(5)])
    assert [e.position for e in store.page(1, 2, 1_000_000)] == [2, 3]
    assert [e.position for e in store.page(0, 10, 2_500)] == [1, 2]
    assert [e.position for e in store.page(3, 10, 1)] == [4]
    assert store.page(5, 10, 1_000_000) == []


def test_entries_come_back_as_they_were_stored(store: LogStore) -> None:
    """Every column is what was given: stream, version, topic, command id, bytes."""
    given = sealed(unit(happened("a", 3, "text"), command="k"))
    store.append(Batch(given, None))
    (entry,) = store.page(0, 1, 1_000)
    assert entry.originator_id == stream_id("a")
    assert (entry.originator_version, entry.topic) == (3, "test.happened")
    assert entry.command_id == stream_id("command k")
    assert entry.state == given[0].events[0].state
    assert store.stream(stream_id("a")) == [entry]


def test_a_gap_is_never_passed_over(store: LogStore) -> None:
    """Entries that do not follow each other are a broken log, not a page."""
    append(store, fact("a"), fact("b"), fact("c"))
    page = store.page(0, 10, 1_000_000)
    assert contiguous(0, page) == page
    for after, entries in ((1, page), (0, [page[0], page[2]])):
        with pytest.raises(BrokenLog):
            contiguous(after, entries)


# ------------------------------------------------------------------ append-only


@pytest.mark.parametrize(
    ("on_sqlite", "on_postgres"),
    [
        ("UPDATE events SET topic = 'x'", "UPDATE hilo_log.events SET topic = 'x'"),
        ("DELETE FROM events", "DELETE FROM hilo_log.events"),
        ("DELETE FROM events WHERE position = 2", "TRUNCATE hilo_log.events"),
    ],
)
def test_the_log_refuses_to_be_changed(
    backend: Backend, store: LogStore, on_sqlite: str, on_postgres: str
) -> None:
    """UPDATE, DELETE and TRUNCATE fail, also for somebody beside Hilo."""
    append(store, fact("a"), fact("b"))
    with pytest.raises(
        (sqlite3.IntegrityError, psycopg.errors.RestrictViolation), match="append-only"
    ):
        execute(backend, on_sqlite, on_postgres)
    assert len(store.page(0, 10, 1_000)) == 2


def test_the_indexes_back_the_verdicts(backend: Backend, store: LogStore) -> None:
    """A second row at a taken place is refused by the database itself."""
    append(store, fact("a"))
    columns = "(position, originator, version, topic, recorded_at, state)"
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.UniqueViolation)):
        execute(
            backend,
            f"INSERT INTO events {columns} SELECT 2, originator, version, topic, 0, state"
            " FROM events",
            f"INSERT INTO hilo_log.events {columns}"
            " SELECT 2, originator, version, topic, 0, state FROM hilo_log.events",
        )


# ------------------------------------------------------------------------ ledger


def test_a_ledger_says_who_it_is_once(store: LogStore) -> None:
    """The first row stands; whoever comes second learns who was first."""
    assert store.ledger_row() is None
    first = Ledger(UUID(int=1), "hilo/1", 5)
    assert store.create_ledger(first) == first
    assert store.create_ledger(Ledger(UUID(int=2), "hilo/2", 6)) == first
    assert store.ledger_row() == first


def test_a_closed_store_says_so(backend: Backend) -> None:
    """After close every call answers StoreUnavailable, and closing again is harmless."""
    with opened_store(backend.log_url) as store:
        store.append(batch(fact("a")))
        store.close()
        for call in (store.head, lambda: store.append(batch(fact("b")))):
            with pytest.raises(StoreUnavailable):
                call()


# ----------------------------------------------------------------- the library


class Diary(Application[UUID]):
    """An application of the library, with a mapper of ours."""

    name = "diary"

    def construct_mapper(self) -> PlainMapper:
        """Instead of the stock mapper, which wants dataclasses."""
        return PlainMapper()


def test_the_library_saves_through_the_same_append(backend: Backend) -> None:
    """Application.save gets contiguous positions, refuses a taken place, and rolls back whole."""
    module = "storage.sqlite" if backend.kind == "sqlite" else "storage.postgres"
    url = backend.log_url
    clock = f"{__name__}:frozen_clock"
    app = Diary({"PERSISTENCE_MODULE": module, LOG_URL: url, "CLOCK_TOPIC": clock})
    with opened_store(url) as store, closing(app):
        append(store, fact("before"))
        recordings = app.save(*[Happened(stream_id("a"), v, f"v{v}") for v in (1, 2)])
        assert [r.notification.id for r in recordings] == [2, 3]
        with pytest.raises(IntegrityError):
            app.save(Happened(stream_id("b"), 1), Happened(stream_id("a"), 2))
        append(store, fact("after"))
        assert app.recorder.max_notification_id() == 4
        assert [n.id for n in app.recorder.select_notifications(2, 10, stop=3)] == [2, 3]
        events = app.events.get(stream_id("a"), gt=1)
        assert [event.originator_version for event in events] == [2]
        assert store.page(1, 1, 1_000)[0].recorded_at == FROZEN


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    """A missing folder is StoreUnavailable, with no trace of the driver's error class."""
    with pytest.raises(StoreUnavailable), opened_store(f"sqlite:///{tmp_path}/none/ledger.db"):
        pass
