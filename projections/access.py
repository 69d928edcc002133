"""Who may see which contact: one predicate, in one place, on every surface.

Everything is open. What will restrict a contact later gives `Visible` its reasons; who asks
already asks here: for a set of contacts at hand, and inside a query.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from domain.ports import Entry
from projections.base import Key, Rows, RowTable
from projections.views import Reading


class Reader(Struct, frozen=True):
    """Who looks: the user behind a session or token, None for a token of nobody's."""

    user: UUID | None = None
    role: str | None = None


class Visible:
    """What one reader may see, at the position of one reading."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden from the reader: then a query needs no clause."""
        return True

    def may_see(self, contacts: Iterable[bytes]) -> frozenset[bytes]:
        """Those of the contacts that the reader may see."""
        return frozenset(contacts)

    def may_see_one(self, contacts: Collection[bytes]) -> bool:
        """Whether the reader may see at least one of the contacts: an interaction with several."""
        return not contacts or bool(self.may_see(contacts))

    def clause(self, contact: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """The same for a query: true for rows whose contact, in that column, may be seen."""
        _ = contact
        return sa.true()

    def sql(self, contact: str) -> tuple[str, tuple[object, ...]]:
        """The same for a query in words: a condition on that column, and its parameters."""
        _ = contact
        return "1 = 1", ()


class Access:
    """The projection, and the predicate over its rows."""

    name: ClassVar[str] = "access"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[RowTable[Any], ...]] = ()
    topics: ClassVar[frozenset[str]] = frozenset()

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """No event changes who may see what."""
        _ = entry
        return ()

    def apply(self, entry: Entry, rows: Rows) -> None:
        """No event changes who may see what."""

    def settle(self, rows: Rows) -> None:
        """Nothing is left for the end of a page."""

    def visible(self, reader: Reader, reading: Reading) -> Visible:
        """What a reader may see, at the position of the reading."""
        _ = reading
        return Visible(reader)
