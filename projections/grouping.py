"""Contacts out of subjects: the row of a contact, and who belongs to it.

A contact's row is made from its members' rows alone; who its members are is decided by the
linking rule (projections/linking.py) over everything that is joined to what changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from msgspec import structs

from projections.base import EPOCH, Rows
from projections.directory_rows import (
    CONFLICT,
    CONTACTS,
    HINTS,
    SUBJECTS,
    Card,
    ContactRow,
    Edges,
    SubjectRow,
    card_of,
    edges_of,
    encode,
    fold,
    hint_of,
    split_ids,
)
from projections.linking import BUCKETS, Node, Pair, decided, partition

LINKS_EPOCH: Final = "links"
"""Begins when a subject comes to another contact than before."""

GROUPED: Final = "grouped"
"""Touched for a contact whose subjects came or went."""

LOOKS: Final = "looks"
"""What is touched, by contact, when a name, an address or a member of it may have changed."""

PAIRS_MAX: Final = 256
"""Pairs remembered of one subject, the earliest: a shared phone of a whole office has fewer."""


# ------------------------------------------------------------------ one contact


def refresh(rows: Rows, contact: bytes) -> None:
    """Make a contact's row again from its members' rows."""
    known = rows.get(CONTACTS, (contact,))
    ids = split_ids(known.members) if known else [contact]
    members = [row for row in (rows.get(SUBJECTS, (one,)) for one in ids) if row is not None]
    if members:
        rows.put(CONTACTS, contact_row(contact, members))
        rows.touch(LOOKS, (contact,))


def contact_row(contact: bytes, members: list[SubjectRow]) -> ContactRow:
    """A contact with these members, of whom there is at least one."""
    members = sorted(members, key=lambda row: (row.subject != contact, row.place, row.subject))
    cards = [card_of(row) for row in members if row.card]
    own = card_of(members[0]) if members[0].subject == contact else Card({})
    name = _written(own, cards, "name") or _seen_name(members)
    addresses = [(row.since, row.folded) for row in members if row.folded]
    owner = _written(own, cards, "owner")
    return ContactRow(
        contact=contact,
        name=name,
        company=_written(own, cards, "company"),
        owner=UUID(owner).bytes if owner else None,
        language=_written(own, cards, "language"),
        created=next((card.created for card in cards if card.created), "observed"),
        version=own.version,
        folded=fold(name) if name else min(addresses, default=(0, ""))[1],
        since=min(row.since for row in members),
        last_at=max(row.last_at for row in members),
        place=min(row.place for row in members),
        members=b"".join(row.subject for row in members),
        number=members[0].number,
    )


def _written(own: Card, cards: list[Card], field: str) -> str | None:
    """What people wrote of the contact itself; else last of those that came to it."""
    if field in own.values:
        return own.values[field][0]
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
    mirrored = Pair(main, pair.occurred_at, pair.originator, pair.position, -pair.age)
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
        pair = structs.replace(pair, position=known.position)
    pairs = [pair, *(p for p in edges.pairs if p.other != pair.other)]
    pairs.sort(key=lambda p: (p.occurred_at, p.originator, p.other))
    edges.pairs = pairs[:PAIRS_MAX]
    row.edges = encode(edges)
    return True


def regroup(rows: Rows, starts: Iterable[bytes], position: int) -> None:
    """Apply the linking rule to everything that is joined to some subjects, however far.

    Where an address leaves a contact, both that contact and the new one are among `starts`.
    """
    found, edges = _neighbourhood(rows, starts)
    nodes = {subject: _node(row, edges[subject]) for subject, row in found.items()}
    pairs = list(_pairs(edges))
    groups = partition(nodes, pairs)
    torn = [pair for pair in pairs if groups[pair[0]] != groups[pair[1].other]]
    if torn or any(one.refused for one in edges.values()):
        _note_refused(rows, found, edges, _undecided(nodes, torn))
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
            rows.put(CONTACTS, contact_row(contact, members))
        else:
            rows.delete(CONTACTS, (contact,))
        rows.touch("contact", (contact,))
        rows.touch(GROUPED, (contact,))
        rows.touch(LOOKS, (contact,))
    rows.touch(EPOCH, (LINKS_EPOCH,))


def _neighbourhood(
    rows: Rows, starts: Iterable[bytes]
) -> tuple[dict[bytes, SubjectRow], dict[bytes, Edges]]:
    """Every subject that edges and present contacts join to the given ones, and its edges."""
    found: dict[bytes, SubjectRow] = {}
    joined: dict[bytes, Edges] = {}
    todo = sorted(starts)
    while todo:
        subject = todo.pop()
        row = None if subject in found else rows.get(SUBJECTS, (subject,))
        if row is None:
            continue
        found[subject] = row
        if row.parent is not None:
            todo.append(row.parent)
        edges = joined[subject] = edges_of(row)
        if row.edges:
            todo += [pair.other for pair in edges.pairs]
            todo += edges.children
            todo += [merge.other for merge in (*edges.merges, *edges.absorbed)]
        contact = rows.get(CONTACTS, (row.contact,))
        if contact is not None:
            todo += split_ids(contact.members)
    return found, joined


def _node(row: SubjectRow, edges: Edges) -> Node:
    merge = max(edges.merges, key=lambda one: one.position, default=None)
    card = card_of(row)
    return Node(
        scheme=row.scheme,
        scope=row.scope,
        place=row.place,
        touched=card.touched,
        parent=row.parent,
        parent_at=row.parent_at,
        merged=merge.other if merge else None,
        merged_at=merge.position if merge else 0,
        apart=frozenset(edges.apart),
        walls=tuple(card.walls),
        erased=card.erased[0] if card.erased else None,
    )


def _undecided(
    nodes: dict[bytes, Node], torn: list[tuple[bytes, Pair]]
) -> dict[bytes, dict[bytes, Pair]]:
    """Of pairs whose subjects stay apart those that the rule refused, and not people."""
    found: dict[bytes, dict[bytes, Pair]] = {}
    for one, pair in torn:
        schemes = {nodes[one].scheme, nodes[pair.other].scheme}
        if schemes.isdisjoint(BUCKETS) and not decided(nodes, one, pair.other, pair.position):
            found.setdefault(one, {})[pair.other] = pair
    return found


def _note_refused(
    rows: Rows,
    found: dict[bytes, SubjectRow],
    edges: dict[bytes, Edges],
    refused: dict[bytes, dict[bytes, Pair]],
) -> None:
    """Have a hint for each pair that the rule refused, and for no other."""
    for subject, row in found.items():
        now, before = refused.get(subject, {}), edges[subject].refused
        for other in set(before) - now.keys():
            gone = hint_of(subject, other, CONFLICT, 0)
            rows.delete(HINTS, (gone.one, gone.other, gone.why))
        for other, pair in now.items():
            rows.put(HINTS, hint_of(subject, other, CONFLICT, pair.occurred_at))
        if before != sorted(now):
            edges[subject].refused = sorted(now)
            row.edges = encode(edges[subject])
            rows.put(SUBJECTS, row)


def _pairs(edges: dict[bytes, Edges]) -> Iterable[tuple[bytes, Pair]]:
    """Each pair once: such as both sides remember."""
    noted = {(subject, pair.other): pair for subject, one in edges.items() for pair in one.pairs}
    for (one, other), pair in noted.items():
        if one < other and (other, one) in noted:
            yield one, pair
