"""Building a group's views from the log while the old ones serve, and checking them.

A rebuild writes the next generation of the tables, catches up with the log, and flips in one
transaction; the old generation is dropped when nobody reads it any more. It fails loudly: an
event that cannot be applied ends it, and what served before still serves.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from domain.errors import Busy, StartupRefused
from projections import checkpoints
from projections.base import RowTable
from projections.database import Slot, translated, writing
from projections.group import Group, Loom, Poison, where_it_failed
from storage.follower import Mark, Source

PAGE_EVENTS: Final = 10_000
"""Events of a rebuild's page: rows that many events share are loaded and written once, and the
one writer of SQLite is free several times a second for those who follow live."""

PAGE_BYTES: Final = 8 << 20
"""Bytes of a rebuild's page, sealed: what one page takes in memory stays well below 100 MB."""

FLIP_EVENTS_MAX: Final = 500
"""How far a rebuild may be behind when it flips: so much is caught up inside the flip, while
the live group waits."""

READERS_GONE_S: Final = 10.0
"""How long the old tables wait for reads that began before the flip; a page takes milliseconds."""

POLL_S: Final = 0.05
"""Between two looks at who still reads."""

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
        self.loom = Loom(self.group.projections, self.slot, self.place)

    def take(self, limit: int = PAGE_EVENTS, slot: Slot | None = None) -> bool:
        """Apply the next page; False at the log's end. In the caller's transaction, if given."""
        page = self.source.read(self.position, limit, PAGE_BYTES)
        if page is None:
            return False
        try:
            if slot is None:
                with writing(self.slot):
                    self._weave(page.entries, page.mark)
            else:
                self._weave(page.entries, page.mark)
        except Poison as poison:
            entry = page.entries[poison.number]
            message = f"Event {entry.position} ({entry.topic}): {where_it_failed(poison)}."
            raise RebuildFailed(message) from poison
        self.loom.committed()
        self.position = page.mark.position
        return True

    def _weave(self, entries: Sequence[Any], mark: Mark) -> None:
        begun = self.loom.weave(entries, mark)
        if begun is None:
            raise Busy("Another rebuild replaced this one.")
        if begun:
            self.epochs.update(dict.fromkeys(begun, mark.position))
            checkpoints.set_epochs(self.slot, self.place, self.epochs)


def rebuild(group: Group, source: Source, progress: Progress = _silent) -> Mark:
    """Build the next generation of a group, serve it, drop the old; the mark that it serves.

    Raises RebuildFailed for an event that cannot be applied, KeyMissing, StoreUnavailable, and
    Busy where the group is being rebuilt already.
    """
    with _alone(group), _shadow(group, source, "building") as shadow:
        _replay(shadow, progress)
        with writing(shadow.slot) as slot:
            _create_indexes(slot, group, shadow.generation, early=False)
        mark = _flip(shadow)
        _drop_others(shadow)
        return mark


def check(group: Group, source: Source, progress: Progress = _silent) -> list[str]:
    """The tables that differ from what a replay gives, by name; none is as it should be.

    Raises NotYet where nothing serves, and whatever `rebuild` raises.
    """
    with _alone(group), _shadow(group, source, "scratch") as shadow:
        _replay(shadow, progress, group.views.position(group.name))
        with group.views.reading(group.name) as reading:
            while shadow.position < reading.position:
                shadow.take(reading.position - shadow.position)
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


@contextmanager
def _shadow(group: Group, source: Source, state: str) -> Iterator[_Shadow]:
    """A new, empty generation; dropped again where something fails."""
    slot = group.views.database.writer()
    try:
        for left in checkpoints.all_of(slot, group.name):
            if left.state in {"building", "scratch", "retired"}:
                _drop(slot, group, left.generation)
        with writing(slot):
            number = checkpoints.allocate(slot, group.name, state, group.code_version)
            _create_tables(slot, group, number)
        try:
            yield _Shadow(group, source, slot, number)
        except BaseException:
            slot.rollback()
            _drop(slot, group, number)
            raise
    finally:
        slot.close()


def _create_tables(slot: Slot, group: Group, generation: int) -> None:
    for table in group.tables:
        slot.connection.execute(sa.schema.CreateTable(table.at(generation)))
    _create_indexes(slot, group, generation, early=True)


def _create_indexes(slot: Slot, group: Group, generation: int, *, early: bool) -> None:
    """The indexes that the projections ask themselves, or all the others: sorted in one go."""
    for table in group.tables:
        bound = table.at(generation)
        for index in sorted(bound.indexes, key=lambda index: str(index.name)):
            suffix = str(index.name).removeprefix(f"{bound.name}_")
            if (suffix in table.early) is early:
                slot.connection.execute(sa.schema.CreateIndex(index))


def _replay(shadow: _Shadow, progress: Progress, until: int | None = None) -> None:
    """Apply the log from its beginning to its end, or through a position."""
    while True:
        target = shadow.source.head() if until is None else until
        checkpoints.set_target(shadow.slot, shadow.place, target)
        progress(shadow.position, target)
        if shadow.position >= target:
            return
        if not shadow.take(min(PAGE_EVENTS, target - shadow.position)):
            return


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
            while old and shadow.position < old.mark.position and shadow.take(slot=slot):
                pass
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
