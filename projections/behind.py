"""Writing behind: a thread writes the changes of one page while the next one is worked on.

For tables that nobody reads yet. Whatever is not in memory was written by an earlier page, whose
transaction stands; so it is read over another connection, and waits for no writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import sqlalchemy as sa

from projections.base import Key, RowTable
from projections.sheets import Sheets, Values

Changes = list[Callable[[Sheets], None]]
"""What is to be done to the sheets, in order."""


class Notebook:
    """Implements Sheets: reads what stands, and notes what is to be written.

    `whole` is called before a query: it has to see all that was noted, so it is to be written.
    """

    def __init__(self, standing: Sheets, whole: Callable[[], None]) -> None:
        self._standing = standing
        self._whole = whole
        self._changes: Changes = []

    def load(self, table: RowTable[Any], keys: Sequence[Key]) -> Iterable[Values]:
        """As in Sheets."""
        return self._standing.load(table, keys)

    def insert(self, table: RowTable[Any], rows: list[Values]) -> None:
        """As in Sheets."""
        self._changes.append(partial(_insert, table, rows))

    def update(self, table: RowTable[Any], rows: list[tuple[Values, Values]]) -> None:
        """As in Sheets."""
        self._changes.append(partial(_update, table, rows))

    def delete(self, table: RowTable[Any], keys: Sequence[Key]) -> None:
        """As in Sheets."""
        self._changes.append(partial(_delete, table, keys))

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """As in Sheets."""
        self._whole()
        return self._standing.select(statement)

    def tear_out(self) -> Changes:
        """What was noted; nothing is noted any more."""
        changes, self._changes = self._changes, []
        return changes


def _insert(table: RowTable[Any], rows: list[Values], sheets: Sheets) -> None:
    sheets.insert(table, rows)


def _update(table: RowTable[Any], rows: list[tuple[Values, Values]], sheets: Sheets) -> None:
    sheets.update(table, rows)


def _delete(table: RowTable[Any], keys: Sequence[Key], sheets: Sheets) -> None:
    sheets.delete(table, keys)


class Scribe:
    """A thread that does one thing at a time; or, without one, does it at once."""

    def __init__(self, *, threaded: bool = True) -> None:
        self._thread = ThreadPoolExecutor(1, "hilo-scribe") if threaded else None
        self._work: Future[None] | None = None

    def begin(self, work: Callable[[], None]) -> None:
        """Have it done, once what was begun before is done; raises what that raised."""
        self.wait()
        if self._thread is None:
            work()
        else:
            self._work = self._thread.submit(work)

    def wait(self) -> None:
        """Until what was begun is done; raises what it raised, once."""
        work, self._work = self._work, None
        if work is not None:
            work.result()

    def close(self) -> None:
        """End the thread, after what it is at."""
        with suppress(Exception):  # who asks for no more has failed by itself
            self.wait()
        if self._thread is not None:
            self._thread.shutdown()
