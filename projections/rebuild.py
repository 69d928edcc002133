"""Building a group's views from the log while the old ones serve, and checking them.

A rebuild writes the next generation of the tables, catches up with the log, and flips in one
transaction; the old generation is dropped when nobody reads it any more. It fails loudly: an
event that cannot be applied ends it, and what served before still serves.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from domain.errors import Busy, Unavailable
from projections import checkpoints, fulltext
from projections.base import RowTable
from projections.database import Slot, translated, writing
from projections.group import Group
from projections.shadow import PAGE_BYTES, PAGE_EVENTS, RebuildFailed, Shadow
from storage.source import Mark, Reach, Source, seldom_collected

__all__ = ["RebuildFailed", "check", "checksum", "rebuild", "sweep"]

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


def _silent(_done: int, _total: int) -> None:
    """Tells nobody."""


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
                if not shadow.take(reading.position):
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
def _shadow(group: Group, source: Source, state: str) -> Iterator[Shadow]:
    """A new, empty generation; dropped again where something fails."""
    slot, reader = group.views.database.writer(), group.views.database.writer()
    try:
        _sweep(slot, group)
        with writing(slot):
            number = checkpoints.allocate(slot, group.name, state, group.code_version)
            for table in group.tables:
                slot.connection.execute(sa.schema.CreateTable(table.at(number)))
                fulltext.create(slot, table, number)
        shadow = Shadow(group, source, slot, reader, number)
        try:
            yield shadow
        except BaseException:
            shadow.close()
            slot.rollback()
            _drop(slot, group, number)
            raise
        shadow.close()
    finally:
        reader.close()
        slot.close()


def _replay(shadow: Shadow, progress: Progress, until: int | None = None) -> None:
    """Apply the log from its beginning to its end, or through a position."""
    log = shadow.source
    with seldom_collected():
        with log.ahead(Reach(shadow.position, PAGE_EVENTS, PAGE_BYTES)) as shadow.source:
            while True:
                target = log.head() if until is None else until
                progress(shadow.position, target)
                if shadow.position >= target or not shadow.take(target):
                    break
        shadow.source = log
        shadow.settle()


def _flip(shadow: Shadow) -> Mark:
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
                shadow.weave(page)
            for other in checkpoints.all_of(slot, shadow.group.name):
                if other.generation != shadow.generation:
                    checkpoints.set_state(slot, (shadow.group.name, other.generation), "retired")
            checkpoints.set_state(slot, shadow.place, "serving")
        break
    serving = checkpoints.serving(shadow.slot, shadow.group.name)
    if serving is None or serving.generation != shadow.generation:
        raise Busy("Another rebuild replaced this one.")
    return serving.mark


def _drop_others(shadow: Shadow) -> None:
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
