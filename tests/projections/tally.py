"""A small projection for tests of the machinery: it counts texts, and can be made to fail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from msgspec import Struct

from domain import events
from domain.ports import Entry
from projections.base import EPOCH, Key, Rows, RowTable

POISON: Final = "poison"
POISON_AT_THE_END: Final = "poison at the end"


class CountRow(Struct):
    """How often a text came, and whether it came as the last of all."""

    text: str
    times: int
    last: bool
    ratio: float | None


COUNTS: Final = RowTable(
    "counts",
    CountRow,
    key=("text",),
    columns={
        "text": sa.Text(),
        "times": sa.Integer(),
        "last": sa.Boolean(),
        "ratio": sa.Float(),
    },
)


class Tally:
    """Counts texts; raises on POISON, and in `settle` after POISON_AT_THE_END.

    `healed` switches that off, as a new version of the program would.
    """

    name: ClassVar[str] = "tally"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[RowTable[Any], ...]] = (COUNTS,)
    topics: ClassVar[frozenset[str]] = frozenset({"interaction.recorded"})

    def __init__(self) -> None:
        self.healed = False

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The text's row."""
        return ((COUNTS, (_text(entry),)),)

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Count."""
        text = _text(entry)
        row = rows.get(COUNTS, (text,)) or CountRow(text, 0, last=False, ratio=None)
        row.times += 1
        row.ratio = row.times / 2
        rows.put(COUNTS, row)
        rows.touch("text", (text,))
        rows.touch(EPOCH, ("counted",))
        if text == POISON and not self.healed:
            raise ValueError(text)

    def settle(self, rows: Rows) -> None:
        """Fail, if asked to."""
        for (text,) in rows.touched("text"):
            if text == POISON_AT_THE_END and not self.healed:
                raise ValueError(text)


def _text(entry: Entry) -> str:
    assert isinstance(entry.event, events.InteractionRecorded)
    return entry.event.text or ""
