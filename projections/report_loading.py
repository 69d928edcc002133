"""Numbers out of a table as columns, without an object for each: a million facts in a second.

The database writes the numbers of some ten thousand rows into one text for each column, and
pyarrow reads them there; meanwhile other threads of this process go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from projections.columns import Column, arrow, compute
from projections.directory_rows import SUBJECTS
from projections.reports import CALLERS, FACTS
from projections.views import Beside, Reading

STRETCH: Final = 50_000
"""Positions, or callers, that are read by one query: a text of half a megabyte a column."""

_JOINED: Final = {"sqlite": "group_concat({0}, ' ')", "postgresql": "string_agg(({0})::text, ' ')"}


def facts_of(reports: Beside) -> list[Column]:
    """All facts that are shown: number, occurred_at (int64, µs), kind, caller (int32)."""
    pa = arrow()
    types = (pa.int32(), pa.int64(), pa.int32(), pa.int32())
    source = (
        f"{reports.name(FACTS)} WHERE number IS NOT NULL AND shown = 1"
        " AND changed > ? AND changed <= ?"
    )
    columns = ("number", "occurred_at", "kind", "caller")
    found: list[list[Column]] = [[pa.array([], kind)] for kind in types]
    for span in _stretches(reports.position):
        texts = _numbers(reports, columns, source, span)
        for pieces, text, kind in zip(found, texts, types, strict=True):
            pieces.append(compute().cast(text, kind))
    return [pa.concat_arrays(pieces) for pieces in found]


def owners_of(core: Reading, reports: Beside, count: int) -> Iterator[tuple[int, int]]:
    """For each caller whose contact is the subject of a caller: the numbers of both.

    `count`: how many callers there are.
    """
    callers = reports.name(CALLERS)
    source = (
        f"{callers} c JOIN {core.name(SUBJECTS)} s ON s.subject = c.subject"
        f" JOIN {callers} r ON r.subject = s.contact WHERE c.number > ? AND c.number <= ?"
    )
    for low, high in _stretches(count):
        texts = _numbers(reports, ("c.number", "r.number"), source, (low - 1, high - 1))
        yield from zip(*(_plain(text) for text in texts), strict=True)


def _stretches(count: int) -> Iterator[tuple[int, int]]:
    return ((low, min(low + STRETCH, count)) for low in range(0, count, STRETCH))


def _numbers(
    reports: Beside, columns: Sequence[str], source: str, params: Sequence[object]
) -> list[Column]:
    """The columns of some rows, each as texts; they are read in one order, and fit together."""
    pa = arrow()
    listed = ", ".join(_JOINED[reports.kind].format(column) for column in columns)
    ((*texts,),) = reports.fetch(f"SELECT {listed} FROM {source}", params)
    if texts[0] is None:
        return [pa.array([], pa.string())] * len(texts)
    return [compute().split_pattern(pa.array([text]), " ").values for text in texts]


def _plain(text: Column) -> list[int]:
    numbers: list[int] = compute().cast(text, arrow().int32()).to_pylist()
    return numbers


def give_back() -> None:
    """Return to the system what reading and sorting needed for a moment."""
    arrow().default_memory_pool().release_unused()
