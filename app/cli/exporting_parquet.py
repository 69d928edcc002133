"""`hilo export --parquet`: interactions as a table for analysts, a folder a month, no content.

Rows are collected by month and written as they come, so that memory does not grow with the
history. Files get their names when all are whole: an export that was cut off leaves none.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import pyarrow as pa  # type: ignore[import-untyped] # it has no stubs
from msgspec import structs
from pyarrow import parquet

from app.cli.frame import OK, look, progress, show
from domain.errors import InvalidInput, WrongState
from projections.analysis import FactRow, SubjectFact, facts, subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app.compose import Composition
    from projections.views import Reading

BUFFERED_ROWS_MAX: Final = 100_000
"""Rows in memory, over all months: some 50 MB. The fullest month is written when it is reached."""

GROUP_ROWS_MAX: Final = 100_000
"""Rows of one group of a file: what a reader takes at a time."""

_TIME: Final = pa.timestamp("us", tz="UTC")
_ID: Final = pa.string()
_WORD: Final = pa.dictionary(pa.int32(), pa.string())

FACTS: Final = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("interaction", _ID, nullable=False),
        pa.field("subject", _ID, nullable=False),
        pa.field("contact", _ID, nullable=False),
        pa.field("occurred_at", _TIME, nullable=False),
        pa.field("occurred_offset_min", pa.int16(), nullable=False),
        pa.field("recorded_at", _TIME, nullable=False),
        pa.field("logged_late", pa.bool_(), nullable=False),
        pa.field("channel", _WORD, nullable=False),
        pa.field("direction", _WORD, nullable=False),
        pa.field("origin", _WORD, nullable=False),
        pa.field("source", _WORD, nullable=False),
        pa.field("department", _WORD),
        pa.field("campaign", _WORD),
        pa.field("user", _WORD),
        pa.field("auto", _WORD),
        pa.field("call_seconds", pa.int32()),
        pa.field("call_ring_seconds", pa.int32()),
        pa.field("call_outcome", _WORD),
        pa.field("attachments", pa.int32(), nullable=False),
        pa.field("participants", pa.int32(), nullable=False),
        pa.field("answered_at", _TIME),
        pa.field("response_seconds", pa.float64()),
        pa.field("edited", pa.bool_(), nullable=False),
        pa.field("revoked", pa.bool_(), nullable=False),
        pa.field("corrected", pa.bool_(), nullable=False),
        pa.field("retracted", pa.bool_(), nullable=False),
        pa.field("hidden", pa.bool_(), nullable=False),
        pa.field("erased", pa.bool_(), nullable=False),
        pa.field("as_of", pa.int64(), nullable=False),
    ]
)
"""The columns of `interactions`, for good: new ones are added at the end (docs/analysis.md)."""

SUBJECTS: Final = pa.schema(
    [
        pa.field("subject", _ID, nullable=False),
        pa.field("contact", _ID, nullable=False),
        pa.field("scheme", _WORD, nullable=False),
        pa.field("first_seen_at", _TIME, nullable=False),
        pa.field("last_at", _TIME, nullable=False),
        pa.field("as_of", pa.int64(), nullable=False),
    ]
)
"""The columns of `subjects`, likewise."""


def export_parquet(
    composition: Composition, folder: str, since: int | None, *, as_json: bool
) -> int:
    """Write the table. Raises WrongState where the folder holds something, unless it goes on."""
    place = Path(folder)
    if since is None and place.is_dir() and any(place.iterdir()):
        raise WrongState(f"{folder} is not empty; go on with --since, or name another folder.")
    look(composition)
    with composition.views.reading() as reading, progress("event") as told:
        if since is not None and not 0 <= since <= reading.position:
            message = f"the views are at {reading.position}"
            raise InvalidInput.one("--since", "out_of_range", message)
        rows = _write_all(reading, place, since or 0, told)
        position = reading.position
    if as_json:
        show({"rows": rows, "position": position})
    else:
        click.echo(f"rows={rows} position={position}")
    return OK


def _write_all(reading: Reading, place: Path, since: int, told: Callable[[int, int], None]) -> int:
    """Write both tables; how many interactions there are in it."""
    months = _Months(place / "interactions", f"part-{since:012d}-{reading.position:012d}.parquet")
    try:
        for stretch in facts(reading, since):
            months.take(stretch)
            if stretch:
                told(stretch[-1].id, reading.position)
        told(reading.position, reading.position)
        months.finish()
    except BaseException:
        months.abandon()
        raise
    _write_subjects(reading, place / "subjects.parquet")
    return months.rows


class _Months:
    """The files of an export, one a month, and the rows that wait for theirs."""

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = 0
        self._folder = folder
        self._name = name
        self._waiting: dict[str, list[FactRow]] = defaultdict(list)
        self._writers: dict[str, parquet.ParquetWriter] = {}
        self._buffered = 0

    def take(self, rows: Iterable[FactRow]) -> None:
        """Put rows to those of their month, and write the fullest where they are too many."""
        for row in rows:
            self._waiting[_month(row.occurred_at)].append(row)
            self._buffered += 1
            self.rows += 1
        while self._buffered > BUFFERED_ROWS_MAX:
            self._write(max(self._waiting, key=lambda month: len(self._waiting[month])))

    def finish(self) -> None:
        """Write what waits, and give every file its name."""
        for month in sorted(self._waiting):
            self._write(month)
        for month, writer in self._writers.items():
            writer.close()
            path = self._path(month)
            path.with_suffix(".unfinished").replace(path)
        self._writers.clear()

    def abandon(self) -> None:
        """Leave no file behind that is not whole."""
        for month, writer in self._writers.items():
            writer.close()
            self._path(month).with_suffix(".unfinished").unlink(missing_ok=True)

    def _write(self, month: str) -> None:
        rows = self._waiting.pop(month)
        self._buffered -= len(rows)
        if not rows:
            return
        writer = self._writers.get(month)
        if writer is None:
            path = self._path(month)
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".unfinished")
            writer = parquet.ParquetWriter(unfinished, FACTS, compression="zstd")
            self._writers[month] = writer
        writer.write_table(_table(rows, FACTS), row_group_size=GROUP_ROWS_MAX)

    def _path(self, month: str) -> Path:
        return self._folder / f"month={month}" / self._name


def _write_subjects(reading: Reading, path: Path) -> None:
    """Write whose each address is, in place of what stood there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    with parquet.ParquetWriter(unfinished, SUBJECTS, compression="zstd") as writer:
        some: list[SubjectFact] = []
        for one in subjects(reading):
            some.append(one)
            if len(some) == GROUP_ROWS_MAX:
                writer.write_table(_table(some, SUBJECTS))
                some = []
        writer.write_table(_table(some, SUBJECTS))
    unfinished.replace(path)


def _table(rows: list[Any], schema: pa.Schema) -> pa.Table:
    columns = zip(*(structs.astuple(row) for row in rows), strict=True) if rows else ()
    listed = list(columns) or [()] * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(listed, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _month(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 1_000_000, UTC):%Y-%m}"
