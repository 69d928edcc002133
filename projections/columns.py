"""Columns of numbers in memory: pyarrow, imported when somebody asks for the first figure.

It takes some 0.3 s and 40 MB to import, which a server that is asked for no report spares.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

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
