"""Rows without what the order of arrival may change: ids become what they stand for.

Positions become the stream of the event that stands there, contacts the addresses that they
hold. What says when or where in the log something arrived is taken out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from projections.base import RowTable
from projections.directory_rows import SUBJECTS, SubjectRow, card_of, edges_of
from projections.finding import HAYSTACKS
from projections.postings import POSTINGS, bits_of, numbers_of
from tests.projections.desk import Desk, values_of
from tests.projections.story import Story

ARRIVAL: Mapping[str, frozenset[str]] = {
    "names": frozenset({"since", "changed"}),
    "subjects": frozenset({"place", "moved", "parent_at", "number"}),
    "contacts": frozenset({"place", "version", "number"}),
    "haystacks": frozenset({"number"}),
    "interactions": frozenset({"recorded_at"}),
    "threads": frozenset({"stirred_position"}),
    "conversations": frozenset({"stirred_position", "version"}),
    "decisions": frozenset({"assigned_at", "turned_at", "turned_for", "switches"}),
    "marks": frozenset({"steps", "reset_at", "reset_to"}),
    "seen": frozenset({"through", "reset_at"}),
    "starts": frozenset({"position"}),
    "documents": frozenset({"place"}),
}
"""Table → columns that say when something reached the log, and nothing else.

Of `turned_for` it is with whom a contact was one at that time: a merge stood, or it did not.
"""

Mask = Callable[[Any], object]


def masked(at: Desk, story: Story) -> dict[str, list[str]]:
    """The rows of every table, as sorted text, without ids of the log."""
    streams = {entry.position: entry.event.originator_id for entry in story.entries}
    holders = _holders(at)

    def position(value: Any) -> object:  # noqa: ANN401 - a column's value
        return streams.get(value, value)

    def contact(value: Any) -> object:  # noqa: ANN401 - a column's value
        return holders.get(value, value)

    def members(value: Any) -> object:  # noqa: ANN401 - a column's value
        return sorted(value[start : start + 16] for start in range(0, len(value), 16))

    found = {}
    for table in at.group.tables:
        masks: dict[str, Mask] = {}
        for column in table.columns:
            if column == "position" or column.endswith("_position"):
                masks[column] = position
            elif column == "contact":
                masks[column] = contact
            elif column == "members":
                masks[column] = members
        found[table.name] = sorted(_text(at, table, masks))
    if POSTINGS in at.group.tables:
        found[POSTINGS.name] = _posted(at, holders)
    return found


def _posted(at: Desk, holders: Mapping[bytes, object]) -> list[str]:
    """Every gram with each contact that has it."""
    contacts = {row.number: row.contact for row in at.rows(HAYSTACKS)}
    return sorted(
        repr((row.gram, holders[contacts[number]]))
        for row in at.rows(POSTINGS)
        for number in numbers_of(bits_of([(row.segment, row.packed)]))
    )


def _text(at: Desk, table: RowTable[Any], masks: Mapping[str, Mask]) -> list[str]:
    left_out = ARRIVAL.get(table.name, frozenset())
    texts = []
    for row in at.rows(table):
        values = values_of(row)
        if isinstance(row, SubjectRow):
            edges = edges_of(row)
            pairs = [(p.other, p.occurred_at, p.originator) for p in edges.pairs]
            merges = [(m.merge, m.other) for m in (*edges.merges, *edges.absorbed)]
            card = card_of(row)
            written = sorted((name, value[0]) for name, value in card.values.items())
            values["card"] = (written, card.created, card.touched is not None)
            values["edges"] = (pairs, merges, edges.children, edges.refused, edges.apart)
        shown = {
            name: masks[name](value) if name in masks else value
            for name, value in values.items()
            if name not in left_out
        }
        texts.append(repr(shown))
    return texts


def _holders(at: Desk) -> dict[bytes, tuple[str, ...]]:
    """Contact → the addresses that it holds."""
    held: dict[bytes, list[str]] = {}
    for row in at.rows(SUBJECTS):
        held.setdefault(row.contact, []).append(row.address or row.subject.hex())
    return {contact: tuple(sorted(addresses)) for contact, addresses in held.items()}
