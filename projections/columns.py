"""Columns of numbers in memory: pyarrow, imported when somebody asks for the first figure.

It takes some 0.3 s and 40 MB to import, which a server that is asked for no report spares.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar

PartT = TypeVar("PartT")
DoneT = TypeVar("DoneT")

THREADS_MAX: Final = 4
"""Threads that compute one figure: more would take the machine from whoever else asks."""

Column: TypeAlias = Any
"""A pyarrow array or scalar; the library has no types that a checker could read."""

Table: TypeAlias = Any
"""A pyarrow table."""


@cache
def arrow() -> Any:  # noqa: ANN401 - a module without types
    """The module `pyarrow`."""
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - no stubs; heavy

    return pa


@cache
def compute() -> Any:  # noqa: ANN401 - a module without types
    """The module `pyarrow.compute`."""
    import pyarrow.compute as pc  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    return pc


def whole(column: Column) -> Column:
    """A column of a table in one piece."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def number(value: int) -> Column:
    """A number as columns of times and codes have it (int64)."""
    pa = arrow()
    return pa.scalar(value, pa.int64())


def differs(column: Column, back: int = 1) -> Column:
    """Whether each row but the first ones is another than the one so many before it."""
    return compute().not_equal(column.slice(back), column.slice(0, len(column) - back))


def ascends(*columns: Column) -> bool:
    """Whether rows ascend by the first column, and where that is alike by the others."""
    pc = compute()
    held = True
    for column in reversed(columns):
        here, before = column.slice(1), column.slice(0, len(column) - 1)
        if held is True:
            held = pc.greater_equal(here, before)
        else:
            held = pc.or_(pc.greater(here, before), pc.and_(pc.equal(here, before), held))
    return bool(pc.all(held).as_py())


def arranged(column: Column) -> Column:
    """The column in ascending order; one that is, is not touched."""
    if len(column) <= 1 or ascends(column):
        return column
    return column.take(compute().array_sort_indices(column))


def by_all(*columns: Column) -> Column:
    """The places of rows in ascending order: by the first column, then by the others."""
    pc = compute()
    order = None
    for column in reversed(columns):
        turned = column if order is None else column.take(order)
        places = pc.array_sort_indices(turned)  # which is stable
        order = places if order is None else order.take(places)
    return order


def each_once(column: Column) -> Column:
    """Of an ascending column every value once."""
    if len(column) <= 1:
        return column
    return arrow().concat_arrays([column.slice(0, 1), column.slice(1).filter(differs(column))])


def counts_of(codes: Column) -> dict[int, int]:
    """How often each value is there."""
    found = compute().value_counts(codes)
    values, counts = (found.field(place).to_pylist() for place in (0, 1))
    return dict(zip(values, counts, strict=True))


def in_threads(work: Callable[[PartT], DoneT], parts: Sequence[PartT]) -> list[DoneT]:
    """The work on each part, in their order; computing on columns lets other threads go on."""
    if len(parts) <= 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, THREADS_MAX)) as pool:
        return list(pool.map(work, parts))
