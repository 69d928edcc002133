"""A group of views on a real database, fed from a story; what tests look at is its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from msgspec import Struct

from domain.ports import Entry
from projections.base import Projection, RowTable
from projections.group import Group
from projections.rebuild import checksum, rebuild
from projections.views import Views
from storage.source import Page
from tests.projections.shelf import Shelf

RowT = TypeVar("RowT", bound=Struct)


class Desk:
    """Views with one group, named `core`, of the given projections."""

    def __init__(self, url: str, projections: Sequence[Projection]) -> None:
        self.views = Views(url)
        self.group = Group("core", projections, self.views)

    def rebuild(self, entries: Sequence[Entry] = ()) -> None:
        """Build the views anew from these entries."""
        rebuild(self.group, Shelf(entries).source())

    def feed(self, entries: Sequence[Entry], page: int = 1_000) -> None:
        """Apply entries as a live follower would, in pages of that size."""
        mark = self.group.mark()
        if mark is None:
            self.rebuild()
            mark = self.group.mark()
        assert mark is not None
        source = Shelf(entries).source()
        position = mark.position
        while (taken := source.read(position, page)) is not None:
            assert self.group.apply(Page(taken.entries, taken.mark))
            position = taken.mark.position

    def rows(self, table: RowTable[RowT]) -> list[RowT]:
        """All rows of a table, in key order; booleans as such."""
        truths = {n for n, kind in table.columns.items() if isinstance(kind, sa.Boolean)}
        order = ", ".join(table.key)
        with self.views.reading() as reading:
            found = reading.fetch(
                f"SELECT {', '.join(table.columns)} FROM {reading.name(table)} ORDER BY {order}"
            )
        named = (dict(zip(table.columns, row, strict=True)) for row in found)
        return [
            table.row_type(**{n: bool(v) if n in truths else v for n, v in values.items()})
            for values in named
        ]

    def checksums(self) -> dict[str, str]:
        """The checksum of each table that serves."""
        with self.views.reading() as reading:
            return {
                table.name: checksum(reading.stream, table, reading.generation)
                for table in self.group.tables
            }

    def close(self) -> None:
        """Close the connections."""
        self.group.close()
        self.views.close()


@contextmanager
def desk(url: str, projections: Sequence[Projection]) -> Iterator[Desk]:
    """A desk, closed at the end."""
    opened = Desk(url, projections)
    try:
        yield opened
    finally:
        opened.close()


def values_of(row: Struct) -> dict[str, Any]:
    """A row's fields by name."""
    return {name: getattr(row, name) for name in row.__struct_fields__}
