"""What people said does not speak for two contacts being one: it is suggested no more.

A reason is a pair of subjects and why they may be one person, as projections/suggestions.py finds
it. A dismissal names all reasons that spoke for two contacts when a person looked; whatever is
said later is another reason, and is suggested. Nothing else follows from it: who is one person
is decided by links, merges and the linking rule alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from msgspec import Struct

from domain import events
from domain.ports import Entry
from projections.base import Key, Rows, RowTable


class DismissalRow(Struct, gc=False):
    """A reason that was dismissed: two subjects, the smaller id first, and why; when, in µs."""

    one: bytes
    other: bytes
    why: str
    at: int


DISMISSALS: Final = RowTable(
    "dismissals",
    DismissalRow,
    key=("one", "other", "why"),
    columns={
        "one": sa.LargeBinary(16),
        "other": sa.LargeBinary(16),
        "why": sa.Text(),
        "at": sa.BigInteger(),
    },
)


class Dismissals:
    """The projection."""

    name: ClassVar[str] = "dismissals"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[RowTable[Any], ...]] = (DISMISSALS,)
    topics: ClassVar[frozenset[str]] = frozenset({"suggestion.dismissed", "suggestion.restored"})

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The reasons that the event names."""
        return [(DISMISSALS, key) for key in _keys(entry)]

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Note what is suggested no more, or again."""
        for key in _keys(entry):
            if isinstance(entry.event, events.SuggestionRestored):
                rows.delete(DISMISSALS, key)
            elif rows.get(DISMISSALS, key) is None:
                rows.put(DISMISSALS, DismissalRow(*key, entry.recorded_at))

    def settle(self, rows: Rows) -> None:
        """Nothing is left for the end of a page."""


def _keys(entry: Entry) -> list[tuple[bytes, bytes, str]]:
    match entry.event:
        case (
            events.SuggestionDismissed(reasons=reasons) | events.SuggestionRestored(reasons=reasons)
        ):
            return [key_of(one.one.bytes, one.other.bytes, one.why) for one in reasons]
        case _:
            return []


def key_of(one: bytes, other: bytes, why: str) -> tuple[bytes, bytes, str]:
    """The key of a reason, in whichever order its subjects are named."""
    return min(one, other), max(one, other), why
