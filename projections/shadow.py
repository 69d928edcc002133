"""A generation of a group's tables in the making, beside the one that serves.

Pages are worked on one after the other, and written behind (projections/behind.py): while a
thread writes the changes of one, the next is opened and applied. What one page's transaction
holds is all of it, with its mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from domain.errors import Busy, StartupRefused
from projections import checkpoints, fulltext
from projections.base import RowTable
from projections.behind import Changes, Notebook, Scribe
from projections.database import Slot, writing
from projections.group import Group
from projections.loom import Loom, Poison, where_it_failed
from projections.sheets import sheets_of
from storage.source import Mark, Page, Source

PAGE_EVENTS: Final = 10_000
"""Events of a rebuild's page: rows that many events share are loaded and written once, and the
one writer of SQLite is free several times a second for those who follow live."""

PAGE_BYTES: Final = 8 << 20
"""Bytes of a rebuild's page, sealed: what one page takes in memory stays well below 100 MB."""

UNSETTLED_MAX: Final = 20_000
"""Things that may wait to be settled: the more, the less often a busy conversation is made
again, and a settling loads as many rows of a few tables, some 50 MB."""


class RebuildFailed(StartupRefused):
    """An event could not be applied; what served before still serves."""


@dataclass
class Shadow:
    """A generation in the making: `slot` writes it, `reader` reads what was written."""

    group: Group
    source: Source
    slot: Slot
    reader: Slot
    generation: int
    position: int = 0
    epochs: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place = (self.group.name, self.generation)
        self.loom = Loom(self.group.projections, self.slot, self.place, self._ask)
        self._sheets = sheets_of(self.slot, self.generation)
        self._notebook = Notebook(sheets_of(self.reader, self.generation), self._write_now)
        # Its index of words is written a row at a time: a thread would wait its turn at each.
        one_by_one = self.slot.kind == "sqlite" and any(t.searched for t in self.group.tables)
        self._scribe = Scribe(threaded=not one_by_one)
        self._indexed: set[str] = set()

    def take(self, target: int) -> bool:
        """Apply the next page, up to a position; False at the log's end.

        It is written while others are taken, or by `settle`. Raises RebuildFailed, Busy.
        """
        limit = min(PAGE_EVENTS, target - self.position)
        page = self.source.read(self.position, limit, PAGE_BYTES)
        if page is None:
            return False
        with self._told(page), self.loom.over(self._notebook):
            begun = self.loom.draft(page.entries)
        self._scribe.wait()
        self.loom.committed(written=True)
        noted = self._notebook.tear_out()
        after, self.position = self.position, page.mark.position
        self._note(begun)
        epochs = dict(self.epochs) if begun else None
        self._scribe.begin(partial(self._write, noted, (after, page.mark, target), epochs))
        if self.loom.unsettled > UNSETTLED_MAX:
            self.settle()
        return True

    def weave(self, page: Page) -> None:
        """Apply a page inside the caller's transaction, and settle. Raises RebuildFailed, Busy."""
        with self._told(page):
            begun = self.loom.weave(page.entries, page.mark)
        if begun is None:
            raise Busy("Another rebuild replaced this one.")
        self.position = page.mark.position
        self._note(begun)
        self._write_epochs(begun)

    def settle(self) -> None:
        """Have everything written, and recompute what still waits for it."""
        self._scribe.wait()
        with writing(self.slot):
            begun = self.loom.settle()
            self._note(begun)
            self._write_epochs(begun)
        self.loom.committed()

    def index(self) -> None:
        """Have all indexes, each sorted in one go, and PostgreSQL know what they are worth."""
        with writing(self.slot):
            for table in self.group.tables:
                self._ask(table)
                self._create(table, {suffix for suffix, *_ in table.indexes} - table.early)
                fulltext.create_late(self.slot, table, self.generation)
                if self.slot.kind == "postgresql":
                    self.slot.run(f"ANALYZE {table.at(self.generation).name}")
        for table in self.group.tables:
            fulltext.gather(self.slot, table, self.generation)

    def close(self) -> None:
        """Write no more."""
        self._scribe.close()

    # ------------------------------------------------------------------ inside

    def _write(
        self, noted: Changes, way: tuple[int, Mark, int], epochs: dict[str, int] | None
    ) -> None:
        """The transaction of a page: from a position to a mark, on the way to a target."""
        after, mark, target = way
        with writing(self.slot):
            if not checkpoints.advance(self.slot, self.place, after, mark):
                raise Busy("Another rebuild replaced this one.")
            checkpoints.set_target(self.slot, self.place, target)
            for change in noted:
                change(self._sheets)
            if epochs is not None:
                checkpoints.set_epochs(self.slot, self.place, epochs)

    def _write_now(self) -> None:
        """Have all that was noted written, since a query will look at it."""
        self._scribe.wait()
        noted = self._notebook.tear_out()
        if noted:
            with writing(self.slot):
                for change in noted:
                    change(self._sheets)

    def _ask(self, table: RowTable[Any]) -> None:
        """Have the indexes that the queries of `settle` need, from the first query on."""
        if table.early and table.name not in self._indexed:
            self._scribe.wait()
            self._indexed.add(table.name)
            self._create(table, table.early)

    def _create(self, table: RowTable[Any], suffixes: AbstractSet[str]) -> None:
        bound = table.at(self.generation)
        for index in sorted(bound.indexes, key=lambda index: str(index.name)):
            if str(index.name).removeprefix(f"{bound.name}_") in suffixes:
                self.slot.connection.execute(sa.schema.CreateIndex(index))

    def _note(self, begun: AbstractSet[str]) -> None:
        self.epochs.update(dict.fromkeys(begun, self.position))

    def _write_epochs(self, begun: AbstractSet[str]) -> None:
        if begun:
            checkpoints.set_epochs(self.slot, self.place, self.epochs)

    @contextmanager
    def _told(self, page: Page) -> Iterator[None]:
        """Where an event cannot be applied, say which one it was, without content."""
        try:
            yield
        except Poison as poison:
            entry = page.entries[poison.number]
            message = f"Event {entry.position} ({entry.topic}): {where_it_failed(poison)}."
            raise RebuildFailed(message) from poison
