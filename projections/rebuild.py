"""Building a group's views from the log while the old ones serve, and checking them.

A rebuild writes the next generation of the tables, catches up with the log, and flips in one
transaction; the old generation is dropped when nobody reads it any more. It fails loudly: an
event that cannot be applied ends it, and what served before still serves.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from domain.errors import Busy, StartupRefused, Unavailable
from projections import checkpoints, fulltext
from projections.base import RowTable
from projections.database import Slot, translated, writing
from projections.group import Group, Loom, Poison, where_it_failed
from storage.follower import Mark, Page, Source, seldom_collected

PAGE_EVENTS: Final = 10_000
"""Events of a rebuild's page: rows that many events share are loaded and written once, and the
one writer of SQLite is free several times a second for those who follow live."""

PAGE_BYTES: Final = 8 << 20
"""Bytes of a rebuild's page, sealed: what one page takes in memory stays well below 100 MB."""

UNSETTLED_MAX: Final = 20_000
"""Things that may wait to be settled: the more, the less often a busy conversation is made
again, and a settling loads as many rows of a few tables, some 50 MB."""

FLIP_EVENTS_MAX: Final = 500
"""How far a rebuild may be behind when it flips: so much is caught up inside the flip, while
the live group waits."""

READERS_GONE_S: Final = 10.0
"""How long the old tables wait for reads that began before the flip; a page takes milliseconds."""

POLL_S: Final = 0.05
"""Between two looks at who still reads."""

_UNFINISHED: Final = frozenset({"building", "scratch", "retired"})
"""States of generations that only a rebuild at work has any use for."""

Stream = Callable[[str], Iterator[Sequence[Any]]]
"""Runs a query and yields its rows, a chunk at a time."""

Progress = Callable[[int, int], None]
"""Is told how many positions of how many are done."""


class RebuildFailed(StartupRefused):
    """An event could not be applied; what served before still serves."""


def _silent(_done: int, _total: int) -> None:
    """Tells nobody."""


@dataclass
class _Shadow:
    """A generation in the making."""

    group: Group
    source: Source
    slot: Slot
    generation: int
    position: int = 0
    epochs: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place = (self.group.name, self.generation)
        self.loom = Loom(self.group.projections, self.slot, self.place, self.ask)
        self.indexed: set[str] = set()

    def take(self, limit: int = PAGE_EVENTS) -> bool:
        """Apply the next page in a transaction of its own; False at the log's end."""
        with seldom_collected():
            page = self.source.read(self.position, limit, PAGE_BYTES)
            if page is None:
                return False
            with writing(self.slot):
                self.weave(page, UNSETTLED_MAX)
            self.loom.committed()
        return True

    def weave(self, page: Page, unsettled_max: int) -> None:
        """Apply a page inside the caller's transaction. Raises RebuildFailed, Busy."""
        try:
            begun = self.loom.weave(page.entries, page.mark, unsettled_max)
        except Poison as poison:
            entry = page.entries[poison.number]
            message = f"Event {entry.position} ({entry.topic}): {where_it_failed(poison)}."
            raise RebuildFailed(message) from poison
        if begun is None:
            raise Busy("Another rebuild replaced this one.")
        self.position = page.mark.position
        self._begin(begun)

    def settle(self) -> None:
        """Recompute what still waits for it, in a transaction of its own."""
        with writing(self.slot):
            self._begin(self.loom.settle())
        self.loom.committed()

    def ask(self, table: RowTable[Any]) -> None:
        """Have the indexes that the queries of `settle` need, from the first query on."""
        if table.early and table.name not in self.indexed:
            self.indexed.add(table.name)
            self._create(table, table.early)

    def index(self) -> None:
        """Have all indexes, each sorted in one go, and PostgreSQL know what they are worth."""
        with writing(self.slot):
            for table in self.group.tables:
                self.ask(table)
                self._create(table, {suffix for suffix, *_ in table.indexes} - table.early)
                fulltext.create_late(self.slot, table, self.generation)
                if self.slot.kind == "postgresql":
                    self.slot.run(f"ANALYZE {table.at(self.generation).name}")

    def _create(self, table: RowTable[Any], suffixes: AbstractSet[str]) -> None:
        bound = table.at(self.generation)
        for index in sorted(bound.indexes, key=lambda index: str(index.name)):
            if str(index.name).removeprefix(f"{bound.name}_") in suffixes:
                self.slot.connection.execute(sa.schema.CreateIndex(index))

    def _begin(self, begun: frozenset[str]) -> None:
        if begun:
            self.epochs.update(dict.fromkeys(begun, self.position))
            checkpoints.set_epochs(self.slot, self.place, self.epochs)


def rebuild(group: Group, source: Source, progress: Progress = _silent) -> Mark:
    """Build the next generation of a group, serve it, drop the old; the mark that it serves.

    Raises RebuildFailed for an event that cannot be applied, KeyMissing, StoreUnavailable, and
    Busy where the group is being rebuilt already.
    """
    database = group.views.database
    file = database.file
    try:
        with _alone(group), _shadow(group, source, "building") as shadow:
            _replay(shadow, progress)
            shadow.index()
            mark = _flip(shadow)
            _drop_others(shadow)
            return mark
    except Unavailable as error:
        database.heal(error, file)
        raise


def check(group: Group, source: Source, progress: Progress = _silent) -> list[str]:
    """The tables that differ from what a replay gives, by name; none is as it should be.

    Raises NotYet where nothing serves, and whatever `rebuild` raises.
    """
    with _alone(group), _shadow(group, source, "scratch") as shadow:
        _replay(shadow, progress, group.views.position(group.name))
        with group.views.reading(group.name) as reading:
            while shadow.position < reading.position:
                if not shadow.take(reading.position - shadow.position):
                    # Views ahead of their log were made from another one, in every row.
                    _drop(shadow.slot, group, shadow.generation)
                    return [table.name for table in group.tables]
            shadow.settle()
            with writing(shadow.slot):
                differing = [
                    table.name
                    for table in group.tables
                    if checksum(reading.stream, table, reading.generation)
                    != checksum(shadow.slot.stream, table, shadow.generation)
                ]
        _drop(shadow.slot, group, shadow.generation)
        return differing


def checksum(stream: Stream, table: RowTable[Any], generation: int) -> str:
    """SHA-256 over a table's rows as msgpack in key order, in hex.

    `stream` runs a query inside an open transaction: a reading's, or a slot's.
    """
    digest = hashlib.sha256()
    encode = msgspec.msgpack.Encoder().encode
    truths = [i for i, kind in enumerate(table.columns.values()) if isinstance(kind, sa.Boolean)]
    bound = table.at(generation)
    order = ", ".join(table.key)
    query = f"SELECT {', '.join(table.columns)} FROM {bound.name} ORDER BY {order}"
    for row in stream(query):
        values = list(row)
        for place in truths:
            values[place] = None if values[place] is None else bool(values[place])
        digest.update(encode(values))
    return digest.hexdigest()


# ------------------------------------------------------------------------- steps


@contextmanager
def _alone(group: Group) -> Iterator[None]:
    lock = group.views.database.exclusive(f"rebuild-{group.name}")
    if not lock.acquire():
        raise Busy(f"The views of `{group.name}` are being rebuilt already.")
    try:
        yield
    finally:
        lock.release()


def sweep(group: Group) -> None:
    """Drop what rebuilds left that were cut off; nothing where one is at work just now."""
    slot = group.views.database.writer()
    try:
        if any(left.state in _UNFINISHED for left in checkpoints.all_of(slot, group.name)):
            with suppress(Busy), _alone(group):
                _sweep(slot, group)
    finally:
        slot.close()


def _sweep(slot: Slot, group: Group) -> None:
    for left in checkpoints.all_of(slot, group.name):
        if left.state in _UNFINISHED:
            _drop(slot, group, left.generation)


@contextmanager
def _shadow(group: Group, source: Source, state: str) -> Iterator[_Shadow]:
    """A new, empty generation; dropped again where something fails."""
    slot = group.views.database.writer()
    try:
        _sweep(slot, group)
        with writing(slot):
            number = checkpoints.allocate(slot, group.name, state, group.code_version)
            for table in group.tables:
                slot.connection.execute(sa.schema.CreateTable(table.at(number)))
                fulltext.create(slot, table, number)
        try:
            yield _Shadow(group, source, slot, number)
        except BaseException:
            slot.rollback()
            _drop(slot, group, number)
            raise
    finally:
        slot.close()


def _replay(shadow: _Shadow, progress: Progress, until: int | None = None) -> None:
    """Apply the log from its beginning to its end, or through a position."""
    while True:
        target = shadow.source.head() if until is None else until
        checkpoints.set_target(shadow.slot, shadow.place, target)
        progress(shadow.position, target)
        if shadow.position >= target:
            break
        if not shadow.take(min(PAGE_EVENTS, target - shadow.position)):
            break
    shadow.settle()


def _flip(shadow: _Shadow) -> Mark:
    """Serve the new generation, no older than what serves now; the old one retires."""
    while True:
        behind = shadow.source.head() - shadow.position
        if behind > FLIP_EVENTS_MAX:
            _replay(shadow, _silent)
            continue
        with writing(shadow.slot) as slot:
            if slot.kind == "postgresql":
                # Whoever follows live moves a row of this table, and waits.
                slot.run("LOCK TABLE checkpoints IN SHARE ROW EXCLUSIVE MODE")
            old = checkpoints.serving(slot, shadow.group.name)
            while old and shadow.position < old.mark.position:
                page = shadow.source.read(shadow.position, PAGE_EVENTS, PAGE_BYTES)
                if page is None:
                    break
                shadow.weave(page, 0)
            for other in checkpoints.all_of(slot, shadow.group.name):
                if other.generation != shadow.generation:
                    checkpoints.set_state(slot, (shadow.group.name, other.generation), "retired")
            checkpoints.set_state(slot, shadow.place, "serving")
        break
    serving = checkpoints.serving(shadow.slot, shadow.group.name)
    if serving is None or serving.generation != shadow.generation:
        raise Busy("Another rebuild replaced this one.")
    return serving.mark


def _drop_others(shadow: _Shadow) -> None:
    """Drop what retired, once the reads that began before the flip are over."""
    _wait_for_readers(shadow.slot)
    for other in checkpoints.all_of(shadow.slot, shadow.group.name):
        if other.state == "retired":
            _drop(shadow.slot, shadow.group, other.generation)


def _wait_for_readers(slot: Slot) -> None:
    """On PostgreSQL a table vanishes at once, also from under a snapshot that is older."""
    if slot.kind == "sqlite":
        return
    (now,) = slot.fetch("SELECT clock_timestamp()")[0]
    pause = threading.Event()
    for _ in range(int(READERS_GONE_S / POLL_S)):
        (reading,) = slot.fetch(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND usename = current_user AND xact_start < ?",
            (now,),
        )[0]
        if not reading:
            return
        pause.wait(POLL_S)


def _drop(slot: Slot, group: Group, generation: int) -> None:
    """Drop a generation's tables, also such as other code made, and forget it."""
    with translated():
        if slot.kind == "sqlite":
            listed = "SELECT name FROM sqlite_master WHERE type = 'table'"
        else:
            listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'hilo_views'"
        names = {str(row[0]) for row in slot.fetch(listed)}
        with writing(slot):
            for name in sorted(names):
                if name.endswith(f"_g{generation}"):
                    slot.run(f"DROP TABLE {name}")
            checkpoints.forget(slot, (group.name, generation))
