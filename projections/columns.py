"""Columns of numbers in memory: pyarrow, imported when somebody asks for the first figure.

It takes some 0.3 s and 40 MB to import, which a server that is asked for no report spares.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Sequence
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
    """The module `pyarrow`.

    Its own allocators keep, thread by thread, what a figure needed for a moment: up to 60 MB of a
    million facts. The system's take it back (`give_back`), and are as quick.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
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


def integers(values: Iterable[int], code: str = "i") -> Column:
    """Numbers as a column: `i` 32 bits, `q` 64 (those of the module `array`).

    pyarrow's own way looks at each call anew whether pandas is installed: half a millisecond.
    """
    pa = arrow()
    held = array(code, values)
    kind = pa.int64() if code == "q" else pa.int32()
    return pa.Array.from_buffers(kind, len(held), [None, pa.py_buffer(held.tobytes())])


def truths(values: Iterable[bool]) -> Column:
    """Whether or not, as a column."""
    return integers(values).cast(arrow().bool_())


def number(value: int) -> Column:
    """A number as columns of times and codes have it (int64)."""
    pa = arrow()
    return pa.scalar(value, pa.int64())


def places(size: int) -> Column:
    """0, 1, 2 and on (int64)."""
    return arrow().arange(0, size)


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


def alike(size: int, *, value: bool) -> Column:
    """The same truth in each row; given its type, for the reason that `integers` has."""
    pa = arrow()
    return pa.repeat(pa.scalar(value, pa.bool_()), size)


def one_and(column: Column, *, first: bool) -> Column:
    """A row and those of a column."""
    return arrow().concat_arrays([alike(1, value=first), column])


def runs_of(column: Column) -> tuple[Column, Column]:
    """The values of a column in which those that are alike stand together; how many of each."""
    if not len(column):
        return column, integers([])
    encoded = compute().run_end_encode(column)
    return encoded.values, _steps(encoded.run_ends)


def sums_of(column: Column, weights: Column) -> tuple[Column, Column]:
    """The values of a column in which those that are alike stand together; the sums of weights."""
    pa, pc = arrow(), compute()
    if not len(column):
        return column, weights
    encoded = pc.run_end_encode(column)
    ends = pc.subtract(encoded.run_ends, pa.scalar(1, pa.int32()))
    return encoded.values, _steps(taken(pc.cumulative_sum(weights), ends))


def _steps(column: Column) -> Column:
    """By how much each row is more than the one before; the first one as it is."""
    more = compute().subtract(column.slice(1), column.slice(0, len(column) - 1))
    return arrow().concat_arrays([column.slice(0, 1), more])


def counts_of(codes: Column) -> tuple[Column, Column]:
    """Each value that is there, and how often."""
    found = compute().value_counts(codes)
    return found.field(0), found.field(1)


def counted(codes: Column) -> dict[int, int]:
    """How often each value is there."""
    values, counts = (column.to_pylist() for column in counts_of(codes))
    return dict(zip(values, counts, strict=True))


def taken(values: Column, places: Column) -> Column:
    """The values at places of which all are known to be there."""
    return compute().take(values, places, boundscheck=False)


def in_threads(work: Callable[[PartT], DoneT], parts: Sequence[PartT]) -> list[DoneT]:
    """The work on each part, in their order; computing on columns lets other threads go on."""
    if len(parts) <= 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, THREADS_MAX)) as pool:
        return list(pool.map(work, parts))
