"""What every projection promises, on both databases.

A new projection joins by standing in `every_projection`: everything here runs over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.events import Event
from domain.ports import Entry
from projections import shadow as rebuilding
from projections.base import Key, Projection, Rows, RowT, RowTable
from projections.core import core_projections
from projections.search import Search
from projections.timeline import INTERACTIONS
from tests.backends import Backend
from tests.projections.desk import desk
from tests.projections.masking import masked
from tests.projections.story import Story, moment
from tests.projections.tales import PHONES, Teller, rich_story, told_in_order, told_shuffled


def every_projection() -> tuple[Projection, ...]:
    """Those of the core, and those of groups of their own."""
    return (*core_projections(), Search())


EXAMPLES = 8
"""Random histories a database: each is rich, and each costs two rebuilds."""

random_history = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_building_twice_gives_the_same_bytes(backend: Backend) -> None:
    """Two rebuilds of one log have equal checksums in every table."""
    entries = rich_story().entries
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild(entries)
        first = at.checksums()
        at.rebuild(entries)
        assert at.checksums() == first


def test_the_rich_story_leaves_no_table_empty(backend: Backend) -> None:
    """What the other tests compare is something: every table has rows."""
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild(rich_story().entries)
        assert [table.name for table in at.group.tables if not at.rows(table)] == []


@pytest.mark.parametrize("page", [1, 7, 1_000])
def test_live_pages_of_any_size_equal_one_rebuild(backend: Backend, page: int) -> None:
    """Following live gives the bytes of a rebuild, however the log was cut into pages."""
    entries = rich_story().entries
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild(entries)
        rebuilt = at.checksums()
        at.rebuild()
        at.feed(entries, page=page)
        assert at.checksums() == rebuilt


@random_history
@given(seed=st.integers(0, 2**32), page=st.integers(1, 60))
def test_live_equals_rebuilt_for_any_history(backend: Backend, seed: int, page: int) -> None:
    """The same for random histories and page sizes."""
    entries = told_in_order(Teller(seed).epochs(3, 20)).entries
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild(entries)
        rebuilt = at.checksums()
        at.rebuild()
        at.feed(entries, page=page)
        assert at.checksums() == rebuilt


@pytest.mark.parametrize("unsettled", [0, 3, 40])
def test_it_makes_no_difference_when_a_rebuild_settles(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, unsettled: int
) -> None:
    """Settling after every few events, or seldom, gives the bytes of settling once at the end."""
    entries = told_in_order(Teller(unsettled).epochs(3, 20)).entries
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild(entries)
        at_the_end = at.checksums()
        monkeypatch.setattr(rebuilding, "PAGE_EVENTS", 7)
        monkeypatch.setattr(rebuilding, "UNSETTLED_MAX", unsettled)
        at.rebuild(entries)
        assert at.checksums() == at_the_end


@random_history
@given(seed=st.integers(0, 2**32), order=st.integers(0, 2**32))
def test_the_order_of_arrival_changes_no_row(backend: Backend, seed: int, order: int) -> None:
    """Facts between two decisions, in any order and up to three times, give the same rows."""
    epochs = Teller(seed).epochs(3, 20)
    straight, shuffled = told_in_order(epochs), told_shuffled(epochs, order)
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild(straight.entries)
        expected = masked(at, straight)
        at.rebuild(shuffled.entries)
        found = masked(at, shuffled)
    for table, rows in expected.items():
        assert found[table] == rows, table


def test_both_databases_hold_the_same_bytes(postgres_url: str, tmp_path: Path) -> None:
    """One log gives the same checksums on SQLite and on PostgreSQL."""
    entries = rich_story().entries
    found = []
    for url in (f"sqlite:///{tmp_path / 'views.db'}", postgres_url):
        with desk(url, every_projection()) as at:
            at.rebuild(entries)
            found.append(at.checksums())
    assert found[0] == found[1]


def test_a_status_may_come_before_its_message(backend: Backend) -> None:
    """Before its message a status is kept and invisible; afterwards the row is as if in order."""
    later, sooner = Story(), Story()
    message = later.inbound(PHONES[0], "hola", at=1)
    status = later.status(message.event.originator_id, "delivered", at=2)
    for entry in (status, message):
        assert isinstance(entry.event, Event)
        sooner.add(entry.event, entry.recorded_at)
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild(later.entries)
        expected = masked(at, later)["interactions"]
        at.rebuild()
        at.feed(sooner.entries[:1])
        assert [row.position for row in at.rows(INTERACTIONS)] == [None]
        at.feed(sooner.entries)
        assert masked(at, sooner)["interactions"] == expected


def test_what_happened_at_one_time_is_kept_apart(backend: Backend) -> None:
    """Interactions of one contact at one microsecond all stay, in the order of the log."""
    story = Story()
    for number in range(5):
        story.inbound(PHONES[0], f"a la vez {number}", at=1)
    with desk(backend.views_url, every_projection()) as at:
        at.feed(story.entries, page=2)
        rows = sorted(at.rows(INTERACTIONS), key=lambda row: row.position or 0)
    assert [(row.position, row.occurred_at) for row in rows] == [
        (number, moment(1)) for number in range(1, 6)
    ]


class _Fence:
    """Rows that let a projection change its own tables only, and read no later one's."""

    def __init__(self, rows: Rows, own: Sequence[RowTable[Any]], seen: Sequence[str]) -> None:
        self._rows = rows
        self._own = own
        self._seen = {*seen, *(table.name for table in own)}

    def get(self, table: RowTable[RowT], key: Key) -> RowT | None:
        assert table.name in self._seen, f"reads {table.name}"
        return self._rows.get(table, key)

    def load(self, table: RowTable[Any], keys: Iterable[Key]) -> None:
        assert table.name in self._seen, f"loads {table.name}"
        self._rows.load(table, keys)

    def put(self, table: RowTable[RowT], row: RowT) -> None:
        assert table in self._own, f"writes {table.name}"
        self._rows.put(table, row)

    def delete(self, table: RowTable[RowT], key: Key) -> None:
        assert table in self._own, f"deletes from {table.name}"
        self._rows.delete(table, key)

    def add(self, table: RowTable[RowT], rows: Sequence[RowT]) -> None:
        assert table in self._own, f"writes {table.name}"
        self._rows.add(table, rows)

    def drop(self, table: RowTable[Any], keys: Sequence[Key]) -> None:
        assert table in self._own, f"deletes from {table.name}"
        self._rows.drop(table, keys)

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        return self._rows.select(statement)

    def bound(self, table: RowTable[Any]) -> sa.Table:
        assert table.name in self._seen, f"reads {table.name}"
        return self._rows.bound(table)

    def touch(self, what: str, key: Key) -> None:
        self._rows.touch(what, key)

    def touched(self, what: str) -> Sequence[Key]:
        return self._rows.touched(what)


class _Fenced:
    """A projection behind a fence."""

    def __init__(self, projection: Projection, seen: Sequence[str]) -> None:
        self._projection = projection
        self._seen = seen
        for attribute in ("name", "version", "tables", "topics"):
            setattr(self, attribute, getattr(projection, attribute))

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        own = [table.name for table in self._projection.tables]
        for table, key in self._projection.keys(entry):
            assert table.name in {*self._seen, *own}, f"asks for {table.name}"
            yield table, key

    def apply(self, entry: Entry, rows: Rows) -> None:
        self._projection.apply(entry, _Fence(rows, self._projection.tables, self._seen))

    def settle(self, rows: Rows) -> None:
        self._projection.settle(_Fence(rows, self._projection.tables, self._seen))


def test_a_projection_writes_its_own_tables_and_reads_earlier_ones(backend: Backend) -> None:
    """Nobody writes another's rows, nor reads those of a projection that comes later."""
    fenced: list[Any] = []
    seen: list[str] = []
    for projection in every_projection():
        fenced.append(_Fenced(projection, tuple(seen)))
        seen += [table.name for table in projection.tables]
    with desk(backend.views_url, fenced) as at:
        at.rebuild(rich_story().entries)


def test_names_of_projections_and_tables_are_unique() -> None:
    """No two projections share a name, and no two of their tables."""
    projections = every_projection()
    tables = [table.name for projection in projections for table in projection.tables]
    assert len({projection.name for projection in projections}) == len(projections)
    assert len(set(tables)) == len(tables)
