"""History: which events are about an interaction, so that a card can show them one by one.

What they say is folded into the timeline's row; here stands only where in the log they are.
Facts about an e-mail may name its message-id instead of its stream: whoever asks, asks for both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Final, cast

import sqlalchemy as sa
from msgspec import Struct

from domain.events import InteractionRecorded
from domain.ports import Entry
from projections import folding
from projections.base import Key, Rows, RowTable
from projections.timeline import (
    APPEARANCES,
    INTERACTIONS,
    MESSAGES,
    UUID16,
    InteractionRow,
    Timeline,
    about,
)
from projections.timeline_pages import Ref, by_originator
from projections.views import Reading

EVENTS_MAX: Final = 200
"""Events of one card: a group message read by two hundred members; beyond, the latest go."""


_NOT_ABOUT_ONE: Final = frozenset(
    {
        "interaction.recorded",
        "watermark.advanced",
        "note.added",
        "note.retracted",
        "contact.erased",
    }
)
"""The record itself, what is about many interactions at one time, and notes."""


class FactRow(Struct, gc=False):
    """An event, and the stream or message-id that it is about."""

    position: int
    about: bytes


HISTORY: Final = RowTable(
    "history",
    FactRow,
    key=("position",),
    columns={"position": sa.BigInteger(), "about": UUID16},
    indexes=(("about", ("about", "position"), None, False),),
)


class History:
    """Handlers of the history."""

    name: ClassVar[str] = "history"
    version: ClassVar[int] = 2
    tables: ClassVar[tuple[RowTable[Any], ...]] = (HISTORY,)
    topics: ClassVar[frozenset[str]] = Timeline.topics - _NOT_ABOUT_ONE

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The row that the event makes."""
        return ((HISTORY, (entry.position,)),)

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Note the event under what it is about."""
        rows.put(HISTORY, FactRow(entry.position, about(entry.event).bytes))

    def settle(self, rows: Rows) -> None:
        """Nothing is left for the end of a page."""


# --------------------------------------------------------------------------- queries


def positions(reading: Reading, abouts: Collection[bytes]) -> list[int]:
    """Where the events about these streams or message-ids stand, the first come first."""
    marks = ", ".join("?" * len(abouts))
    found = reading.fetch(
        f"SELECT position FROM {reading.name(HISTORY)} WHERE about IN ({marks})"
        " ORDER BY position LIMIT ?",
        (*abouts, EVENTS_MAX),
    )
    return [row[0] for row in found]


def interactions_of(reading: Reading, abouts: Collection[bytes]) -> dict[bytes, Ref]:
    """The recorded interactions that these streams or message-ids stand for."""
    found = by_originator(reading, abouts)
    missing = [key for key in abouts if key not in found]
    if not missing:
        return found
    marks = ", ".join("?" * len(missing))
    sql = (
        f"SELECT message_id, originator FROM {reading.name(MESSAGES)}"
        f" WHERE message_id IN ({marks}) ORDER BY originator DESC"
    )
    mails: dict[bytes, bytes] = dict(reading.fetch(sql, missing))
    refs = by_originator(reading, mails.values())
    return found | {key: refs[stream] for key, stream in mails.items() if stream in refs}


def subjects_of(reading: Reading, originators: Collection[bytes]) -> dict[bytes, list[bytes]]:
    """The further participants of interactions, by stream; those without any are left out."""
    if not originators:
        return {}
    marks = ", ".join("?" * len(originators))
    sql = (
        f"SELECT originator, subject FROM {reading.name(APPEARANCES)} WHERE originator IN ({marks})"
    )
    found: dict[bytes, list[bytes]] = {}
    for originator, subject in reading.fetch(sql, tuple(originators)):
        found.setdefault(originator, []).append(subject)
    return found


def row_of(entries: Iterable[Entry]) -> tuple[InteractionRow, folding.State | None] | None:
    """What these events alone, of one interaction, make of its row; None before its record.

    The second is what became known under its message-id, where there is anything.
    """
    rows = _OneCard()
    recorded: InteractionRecorded | None = None
    for entry in entries:
        Timeline().apply(entry, cast("Rows", rows))
        if isinstance(entry.event, InteractionRecorded):
            recorded = entry.event
    if recorded is None:
        return None
    row: InteractionRow = rows.get(INTERACTIONS, (recorded.originator_id.bytes,))
    mail = recorded.message_id
    side = rows.get(INTERACTIONS, (mail.bytes,)) if mail else None
    return row, folding.read_state(side.state) if side else None


class _OneCard:
    """Rows in memory, so that the timeline's own handlers say what was known at a time."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, Key], Any] = {}

    def get(self, table: RowTable[Any], key: Key) -> Any:  # noqa: ANN401 - a row of that table
        """As in base.Rows."""
        return self._rows.get((table.name, key))

    def put(self, table: RowTable[Any], row: Any) -> None:  # noqa: ANN401 - as above
        """As in base.Rows."""
        self._rows[(table.name, table.key_of(row))] = row
