"""What the directory forgets when a contact is erased, and what forbids that.

Whatever lay sealed is taken out of the rows, as if its key had never been there: so the rows are
the same whether they were made before the erasure and purged, or made anew without the keys.
"""

from __future__ import annotations

import sqlalchemy as sa

from domain import events
from domain.ports import Entry
from projections.base import Rows
from projections.directory_rows import (
    HINTS,
    MERGES,
    SUBJECTS,
    Hold,
    SubjectRow,
    card_of,
    encode,
)
from projections.grouping import refresh, regroup
from projections.identity import UNKNOWN_SCHEME, write_down
from projections.kinship import author

SEALED_VALUES = ("name", "company")
"""Of what people wrote on a card, what lies sealed in the log."""


def noted(rows: Rows, entry: Entry) -> None:
    """Take an erasure, or what forbids one; nothing else is told here."""
    match entry.event:
        case events.HoldPlaced() | events.HoldLifted() as event:
            held(rows, entry, event)
        case events.ContactErased() as event:
            erased(rows, entry, event)
        case _:
            pass


def held(rows: Rows, entry: Entry, event: events.HoldPlaced | events.HoldLifted) -> None:
    """Note a legal hold on the card of the contact that it was placed on, or take it off."""
    row = rows.get(SUBJECTS, (event.contact.bytes,))
    if row is None:
        return
    card = card_of(row)
    card.holds = [hold for hold in card.holds if hold.id != event.hold.bytes]
    if isinstance(event, events.HoldPlaced):
        kind, who = author(event)
        placed = Hold(event.hold.bytes, entry.recorded_at, kind, who, event.reason)
        card.holds.append(placed)
    write_down(rows, entry, row, card)
    refresh(rows, row.contact)


def erased(rows: Rows, entry: Entry, event: events.ContactErased) -> None:
    """Forget who a contact was: every name, every address, every reason that people gave."""
    subjects = [subject.bytes for subject in event.subjects]
    rows.load(SUBJECTS, [(subject,) for subject in subjects])
    starts = set(subjects)
    for subject in subjects:
        row = rows.get(SUBJECTS, (subject,))
        if row is None:
            continue
        starts.add(row.contact)
        _forget(row, entry, stream=subject == event.contact.bytes, version=event.originator_version)
        rows.put(SUBJECTS, row)
    _forget_reasons(rows, subjects)
    regroup(rows, starts, entry.position)
    _drop_hints(rows, subjects)
    for contact in sorted({row.contact for row in _rows(rows, subjects)}):
        refresh(rows, contact)
        rows.touch("contact", (contact,))


def _forget(row: SubjectRow, entry: Entry, *, stream: bool, version: int) -> None:
    row.address = row.folded = row.alike = None
    # Where only a person had written it down, the scheme too is known from the address alone.
    row.scheme, row.scope = UNKNOWN_SCHEME, None
    row.name_seen = row.name_seen_at = row.name_seen_by = None
    card = card_of(row)
    for field in SEALED_VALUES:
        if field in card.values:
            card.values[field] = (None, card.values[field][1])
    card.holds = [Hold(hold.id, hold.at, hold.actor_kind, hold.actor, None) for hold in card.holds]
    card.erased = card.erased or (entry.position, entry.recorded_at)
    if stream:
        card.version = max(card.version, version)
    row.card = encode(card)


def _forget_reasons(rows: Rows, subjects: list[bytes]) -> None:
    """Why people merged them, and took that back."""
    bound = rows.bound(MERGES)
    found = sa.select(bound.c.merge).where(
        sa.or_(bound.c.survivor.in_(subjects), bound.c.absorbed.in_(subjects))
    )
    for (merge,) in sorted(tuple(row) for row in rows.select(found)):
        row = rows.get(MERGES, (merge,))
        if row is not None:
            row.reason = row.undone_reason = None
            rows.put(MERGES, row)


def _drop_hints(rows: Rows, subjects: list[bytes]) -> None:
    """Nobody is to be told that an erased contact may be somebody."""
    bound = rows.bound(HINTS)
    found = sa.select(bound.c.one, bound.c.other, bound.c.why).where(
        sa.or_(bound.c.one.in_(subjects), bound.c.other.in_(subjects))
    )
    for hint in sorted(tuple(row) for row in rows.select(found)):
        rows.delete(HINTS, hint)


def _rows(rows: Rows, subjects: list[bytes]) -> list[SubjectRow]:
    found = (rows.get(SUBJECTS, (subject,)) for subject in subjects)
    return [row for row in found if row is not None]
