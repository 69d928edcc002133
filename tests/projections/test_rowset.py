"""The working set: rows are loaded together, changed in memory and written once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from projections.base import RowTable
from projections.database import Database, Slot, writing
from projections.rowset import RowSet
from projections.views import Views
from tests.backends import Backend


class PairRow(Struct):
    """A row with a key of two columns and every type of column."""

    one: bytes
    two: str
    number: int | None = None
    flag: bool = False
    share: float | None = None
    blob: bytes | None = None


PAIRS = RowTable(
    "pairs",
    PairRow,
    key=("one", "two"),
    columns={
        "one": sa.LargeBinary(16),
        "two": sa.Text(),
        "number": sa.BigInteger(),
        "flag": sa.Boolean(),
        "share": sa.Float(),
        "blob": sa.LargeBinary(),
    },
    indexes=(("number", ("number",), "number IS NOT NULL", True),),
)


@contextmanager
def pairs(backend: Backend) -> Iterator[Slot]:
    """A database with the table, empty, in generation 1."""
    views = Views(backend.views_url)
    slot = views.database.writer()
    slot.run("DROP TABLE IF EXISTS pairs_g1")
    slot.connection.execute(sa.schema.CreateTable(PAIRS.at(1)))
    for index in PAIRS.at(1).indexes:
        slot.connection.execute(sa.schema.CreateIndex(index))
    try:
        yield slot
    finally:
        slot.close()
        views.close()


def stored(slot: Slot) -> list[tuple[object, ...]]:
    """All rows, in key order."""
    return slot.fetch("SELECT * FROM pairs_g1 ORDER BY one, two")


def test_a_row_is_read_back_as_it_was_put(backend: Backend) -> None:
    """Every type of column comes back equal, and of its type."""
    row = PairRow(b"\0" * 16, "ñ'\"%?", -(2**40), flag=True, share=0.5, blob=b"\xff\0")
    with pairs(backend) as slot:
        with writing(slot):
            rows = RowSet(slot, 1)
            rows.put(PAIRS, row)
            rows.flush()
        with writing(slot):
            found = RowSet(slot, 1).get(PAIRS, (row.one, row.two))
    assert found == row
    assert found is not None
    assert found.flag is True


def test_a_row_that_was_put_back_unchanged_is_not_written(backend: Backend) -> None:
    """Loading, putting and even changing there and back writes nothing."""
    with pairs(backend) as slot:
        with writing(slot):
            rows = RowSet(slot, 1)
            rows.put(PAIRS, PairRow(b"a", "x", 1))
            rows.flush()
        with writing(slot):
            rows = RowSet(slot, 1)
            row = rows.get(PAIRS, (b"a", "x"))
            assert row is not None
            row.number = 2
            rows.put(PAIRS, row)
            row.number = 1
            slot.run("UPDATE pairs_g1 SET number = 9")
            rows.flush()
        assert [values[2] for values in stored(slot)] == [9]


def test_a_query_sees_what_was_put_before_it(backend: Backend) -> None:
    """`select` writes pending rows first."""
    with pairs(backend) as slot, writing(slot):
        rows = RowSet(slot, 1)
        rows.put(PAIRS, PairRow(b"a", "x", 5))
        table = rows.bound(PAIRS)
        assert [tuple(row) for row in rows.select(sa.select(table.c.number))] == [(5,)]
        rows.delete(PAIRS, (b"a", "x"))
        assert rows.select(sa.select(table.c.number)) == []
        assert rows.get(PAIRS, (b"a", "x")) is None


def test_a_unique_value_may_pass_from_one_row_to_a_new_one(backend: Backend) -> None:
    """Rows that go are written before rows that come."""
    with pairs(backend) as slot, writing(slot):
        rows = RowSet(slot, 1)
        rows.put(PAIRS, PairRow(b"a", "x", 5))
        rows.flush()
        rows.delete(PAIRS, (b"a", "x"))
        rows.put(PAIRS, PairRow(b"b", "x", 5))
        rows.flush()
        assert rows.get(PAIRS, (b"a", "x")) is None


def test_a_row_may_be_put_without_a_look(backend: Backend) -> None:
    """What nobody loaded is looked up in one query when it is written: new, changed or gone."""
    with pairs(backend) as slot:
        first = RowSet(slot, 1)
        first.put(PAIRS, PairRow(b"a", "x", 1))
        first.put(PAIRS, PairRow(b"b", "x", 2))
        first.flush()
        rows = RowSet(slot, 1)
        rows.put(PAIRS, PairRow(b"a", "x", 3))
        rows.delete(PAIRS, (b"b", "x"))
        rows.put(PAIRS, PairRow(b"c", "x", 4))
        rows.delete(PAIRS, (b"d", "x"))
        rows.flush()
        assert [row[:3] for row in stored(slot)] == [(b"a", "x", 3), (b"c", "x", 4)]


def test_touched_things_come_sorted_and_once(backend: Backend) -> None:
    """What was touched comes in key order, each once, and is forgotten when it is settled."""
    with pairs(backend) as slot:
        rows = RowSet(slot, 1)
        for key in (b"c", b"a", b"b", b"a"):
            rows.touch("x", (key,))
        assert rows.touched("x") == [(b"a",), (b"b",), (b"c",)]
        assert rows.touched("y") == []
        assert rows.unsettled == 3
        rows.settled()
        assert rows.touched("x") == []


Step = tuple[str, int, int | None]

_steps = st.lists(
    st.tuples(
        st.sampled_from(("put", "delete", "flush", "page", "load")),
        st.integers(0, 40),
        st.none() | st.integers(0, 10**6),
    ),
    max_size=120,
)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=_steps)
def test_a_working_set_behaves_like_a_dictionary(backend: Backend, steps: list[Step]) -> None:
    """Any run of puts, deletes, flushes and pages leaves in the table what a dict would hold."""
    model: dict[tuple[bytes, str], float | None] = {}
    with pairs(backend) as slot:
        with writing(slot):
            rows = RowSet(slot, 1)
            for what, number, value in steps:
                key = (bytes([number]), str(number % 3))
                share = None if value is None else value / 8
                if what == "put":
                    rows.put(PAIRS, PairRow(*key, share=share))
                    model[key] = share
                elif what == "delete":
                    rows.delete(PAIRS, key)
                    model.pop(key, None)
                elif what == "flush":
                    rows.flush()
                elif what == "page":
                    rows.flush()
                    rows.trim(keep=number)
                else:
                    rows.load(PAIRS, [(bytes([n]), str(n % 3)) for n in range(number)])
                found = rows.get(PAIRS, key)
                assert (found is None) == (key not in model)
            rows.flush()
        assert {(row[0], row[1]): row[4] for row in stored(slot)} == model


@pytest.mark.parametrize("count", [1, 15, 16, 700])
def test_many_rows_are_loaded_and_changed_together(backend: Backend, count: int) -> None:
    """Hundreds of keys in one load, and as many changed rows, all arrive."""
    keys = [(number.to_bytes(4, "big"), "x") for number in range(count)]
    with pairs(backend) as slot:
        with writing(slot):
            rows = RowSet(slot, 1)
            for key in keys:
                rows.put(PAIRS, PairRow(*key, number=int.from_bytes(key[0], "big")))
            rows.flush()
        with writing(slot):
            rows = RowSet(slot, 1)
            rows.load(PAIRS, keys)
            for key in keys:
                row = rows.get(PAIRS, key)
                assert row is not None
                row.flag = True
                rows.put(PAIRS, row)
            rows.flush()
        found = stored(slot)
    assert len(found) == count
    assert all(values[3] for values in found)


def test_a_column_of_another_type_is_refused() -> None:
    """A view's columns have the few types that both databases store alike."""
    table: RowTable[PairRow] = RowTable(
        "odd", PairRow, key=("one",), columns={**PAIRS.columns, "share": sa.Date()}
    )
    with pytest.raises(TypeError, match="cannot be"):
        _load(table)


def _load(table: RowTable[PairRow]) -> None:
    database = Database("sqlite://")
    slot = database.writer()
    try:
        RowSet(slot, 1).get(table, (b"",))
    finally:
        slot.close()
        database.close()
