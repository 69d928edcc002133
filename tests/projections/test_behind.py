"""Writing behind: one thing at a time, in order, and no failure goes unheard."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
import sqlalchemy as sa

from domain.errors import Busy
from projections.behind import Notebook, Scribe
from projections.database import writing
from projections.rowset import RowSet
from projections.sheets import sheets_of
from projections.views import Views
from tests.backends import Backend
from tests.projections.test_rowset import PAIRS, PairRow, pairs, stored


def test_a_thread_does_what_is_begun_one_after_the_other() -> None:
    """It goes on without waiting; the next begins when the one before is done; errors are told."""
    go, done = threading.Event(), list[str]()

    def first() -> None:
        go.wait()
        done.append("first")

    def failing() -> None:
        done.append("failing")
        raise Busy("no")

    scribe = Scribe()
    scribe.begin(first)
    assert done == []
    go.set()
    scribe.begin(failing)
    with pytest.raises(Busy):
        scribe.wait()
    scribe.wait()
    scribe.begin(failing)
    scribe.close()
    assert done == ["first", "failing", "failing"]
    plain = Scribe(threaded=False)
    with pytest.raises(Busy):
        plain.begin(failing)
    plain.close()


def test_what_is_noted_is_written_later_and_before_a_query(backend: Backend) -> None:
    """New, changed and deleted rows wait in order; a query has them written first."""
    views = Views(backend.views_url)
    with closing(views), pairs(backend) as slot, closing(views.database.writer()) as reader:
        written = 0

        def write() -> None:
            nonlocal written
            written += 1
            with writing(slot):
                for change in notebook.tear_out():
                    change(sheets)

        sheets, notebook = sheets_of(slot, 1), Notebook(sheets_of(reader, 1), write)
        rows = RowSet(slot, 1)
        rows.store = notebook
        for number in range(3):
            rows.put(PAIRS, PairRow(b"%d" % number, "x", number))
        rows.flush()
        row = rows.get(PAIRS, (b"1", "x"))
        assert row is not None
        row.number = 9
        rows.put(PAIRS, row)
        rows.delete(PAIRS, (b"0", "x"))
        rows.flush()
        assert (stored(slot), written) == ([], 0)
        rows.trim(0, written=True)
        rows.put(PAIRS, PairRow(b"3", "x", 3))
        table = rows.bound(PAIRS)
        query = sa.select(table.c.number).order_by(table.c.number)
        assert [tuple(one) for one in rows.select(query)] == [(2,), (3,), (9,)]
        assert written == 1
