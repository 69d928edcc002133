"""Contacts out of subjects: the row of a contact, and who belongs to it.

A contact's row is made from its members' rows alone; who its members are is decided by the
linking rule (projections/linking.py) over everything that is joined to what changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from projections.base import EPOCH, Rows
from projections.directory_rows import (
    CONTACTS,
    SUBJECTS,
    Card,
    ContactRow,
    Edges,
    SubjectRow,
    card_of,
    edges_of,
    encode,
    fold,
    split_ids,
)
from projections.linking import Node, Pair, partition

LINKS_EPOCH: Final = "links"
"""Begins when a subject comes to another contact than before."""

PAIRS_MAX: Final = 256
"""Pairs remembered of one subject, the earliest: a shared phone of a whole office has fewer."""


# ------------------------------------------------------------------ one contact


def refresh(rows: Rows, contact: bytes) -> None:
    """Make a contact's row again from its members' rows."""
    known = rows.get(CONTACTS, (contact,))
    ids = split_ids(known.members) if known else [contact]
    members = [row for row in (rows.get(SUBJECTS, (one,)) for one in ids) if row is not None]
    if members:
        rows.put(CONTACTS, _contact(contact, members))


def _contact(contact: bytes, members: list[SubjectRow]) -> ContactRow:
    members = sorted(members, key=lambda row: (row.subject != contact, row.place, row.subject))
    cards = [card_of(row) for row in members if row.card]
    name = _written(cards, "name") or _seen_name(members)
    addresses = [(row.since, row.folded) for row in members if row.folded]
    owner = _written(cards, "owner")
    own = card_of(members[0]) if members[0].subject == contact else Card({})
    return ContactRow(
        contact=contact,
        name=name,
        company=_written(cards, "company"),
        owner=UUID(owner).bytes if owner else None,
        language=_written(cards, "language"),
        created=next((card.created for card in cards if card.created), "observed"),
        version=own.version,
        folded=fold(name) if name else min(addresses, default=(0, ""))[1],
        since=min(row.since for row in members),
        last_at=max(row.last_at for row in members),
        place=min(row.place for row in members),
        members=b"".join(row.subject for row in members),
    )


def _written(cards: list[Card], field: str) -> str | None:
    """What people wrote last, over all cards of the contact."""
    found = [card.values[field] for card in cards if field in card.values]
    return max(found, key=lambda written: written[1])[0] if found else None


def _seen_name(members: list[SubjectRow]) -> str | None:
    """What the latest message called them."""
    found = [
        (row.name_seen_at, row.name_seen_by, row.name_seen)
        for row in members
        if row.name_seen_at is not None and row.name_seen_by is not None and row.name_seen
    ]
    return max(found)[2] if found else None


# --------------------------------------------------------------- who is one person


def note_pair(rows: Rows, main: bytes, pair: Pair) -> bool:
    """Remember that two subjects were asserted to be one person; whether that says anything."""
    one, other = rows.get(SUBJECTS, (main,)), rows.get(SUBJECTS, (pair.other,))
    if one is None or other is None:
        return False
    mirrored = Pair(main, pair.occurred_at, pair.originator, pair.position)
    changed = _remember(one, pair)
    if _remember(other, mirrored) or changed:
        rows.put(SUBJECTS, one)
        rows.put(SUBJECTS, other)
        return True
    return False


def _remember(row: SubjectRow, pair: Pair) -> bool:
    edges = edges_of(row)
    known = None
    if pair.other in row.edges:
        known = next((p for p in edges.pairs if p.other == pair.other), None)
    if known is not None:
        if (known.occurred_at, known.originator) <= (pair.occurred_at, pair.originator):
            return False
        pair = Pair(pair.other, pair.occurred_at, pair.originator, known.position)
    pairs = [pair, *(p for p in edges.pairs if p.other != pair.other)]
    pairs.sort(key=lambda p: (p.occurred_at, p.originator, p.other))
    row.edges = encode(Edges(pairs[:PAIRS_MAX], edges.children))
    return True


def regroup(rows: Rows, starts: Iterable[bytes], position: int) -> None:
    """Apply the linking rule to everything that is joined to some subjects, however far.

    Where an address leaves a contact, both that contact and the new one are among `starts`.
    """
    found = _neighbourhood(rows, starts)
    nodes = {subject: _node(row) for subject, row in found.items()}
    groups = partition(nodes, _pairs(found))
    if all(row.contact == groups[subject] for subject, row in found.items()):
        return
    affected = {row.contact for row in found.values()} | set(groups.values())
    for subject, row in sorted(found.items()):
        if row.contact != groups[subject]:
            row.contact, row.moved = groups[subject], position
            rows.put(SUBJECTS, row)
    for contact in sorted(affected):
        members = [row for subject, row in found.items() if groups[subject] == contact]
        if members:
            rows.put(CONTACTS, _contact(contact, members))
        else:
            rows.delete(CONTACTS, (contact,))
        rows.touch("contact", (contact,))
    rows.touch(EPOCH, (LINKS_EPOCH,))


def _neighbourhood(rows: Rows, starts: Iterable[bytes]) -> dict[bytes, SubjectRow]:
    """Every subject that pairs, links and present contacts join to the given ones."""
    found: dict[bytes, SubjectRow] = {}
    todo = sorted(starts)
    while todo:
        subject = todo.pop()
        row = None if subject in found else rows.get(SUBJECTS, (subject,))
        if row is None:
            continue
        found[subject] = row
        if row.parent is not None:
            todo.append(row.parent)
        if row.edges:
            edges = edges_of(row)
            todo += [pair.other for pair in edges.pairs]
            todo += edges.children
        contact = rows.get(CONTACTS, (row.contact,))
        if contact is not None:
            todo += split_ids(contact.members)
    return found


def _node(row: SubjectRow) -> Node:
    return Node(
        scheme=row.scheme,
        scope=row.scope,
        place=row.place,
        touched=card_of(row).touched if row.card else None,
        parent=row.parent,
        parent_at=row.parent_at,
    )


def _pairs(found: dict[bytes, SubjectRow]) -> Iterable[tuple[bytes, Pair]]:
    """Each pair once: such as both sides remember."""
    noted = {
        (subject, pair.other): pair
        for subject, row in found.items()
        for pair in edges_of(row).pairs
    }
    for (one, other), pair in noted.items():
        if one < other and (other, one) in noted:
            yield one, pair
