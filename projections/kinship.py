"""How the directory's rows change by what people decide about belonging.

Links and what takes them back are noted on the rows of the subjects, merges too; who belongs to
whom then follows from the linking rule (projections/linking.py), so that an edge that is gone
leaves nothing behind.
"""

from __future__ import annotations

from domain import events
from domain.ports import Entry
from projections.base import Rows
from projections.directory_rows import (
    FORMERS,
    MERGES,
    SUBJECTS,
    FormerRow,
    Merge,
    MergeRow,
    SubjectRow,
    edges_of,
    encode,
)
from projections.grouping import refresh, regroup
from projections.identity import PLACES, UNKNOWN_SCHEME, Sighting, see, write_down


def linked(rows: Rows, entry: Entry, event: events.AddressLinked) -> None:
    """Put an address under a contact by hand; it leaves the one it was put under before."""
    owner, subject = event.contact.bytes, event.subject.bytes
    parent = _row(rows, entry, event, owner)
    child = see(
        rows,
        Sighting(
            subject=subject,
            scheme=event.scheme,
            scope=event.scope,
            address=event.address,
            name=None,
            at=entry.recorded_at,
            by=event.originator_id.bytes,
            place=entry.position * PLACES + 1,
        ),
    )
    starts = {owner, subject}
    if owner != subject:
        starts |= _leave_parent(rows, child)
        child.parent, child.parent_by, child.parent_at = owner, event.linked_by, entry.position
        edges = edges_of(child)
        edges.apart = [one for one in edges.apart if one != owner]
        child.edges = encode(edges)
        rows.put(SUBJECTS, child)
        _adopt(rows, owner, subject, stays=True)
        rows.delete(FORMERS, (owner, subject))
    write_down(rows, entry, parent)
    regroup(rows, starts, entry.position)
    refresh(rows, parent.contact)


def unlinked(rows: Rows, entry: Entry, event: events.AddressUnlinked) -> None:
    """Take an address off a contact: nothing that was observed brings it back by itself."""
    owner, subject = event.contact.bytes, event.subject.bytes
    contact = _row(rows, entry, event, owner)
    row = _row(rows, entry, event, subject)
    starts = {owner, subject, row.contact}
    edges = edges_of(row)
    left = {owner, *(pair.other for pair in edges.pairs), *filter(None, (row.parent,))}
    starts |= left
    linked_by = row.parent_by or "observed"
    _leave_parent(rows, row)
    row.parent, row.parent_by, row.parent_at = None, None, entry.position
    edges = edges_of(row)
    edges.apart = sorted({*edges.apart, *left} - {subject})
    row.edges = encode(edges)
    rows.put(SUBJECTS, row)
    if owner != subject:
        rows.put(FORMERS, FormerRow(owner, subject, entry.position, linked_by))
    write_down(rows, entry, contact)
    regroup(rows, starts, entry.position)
    refresh(rows, contact.contact)
    refresh(rows, row.contact)


def reassigned(rows: Rows, entry: Entry, event: events.AddressReassigned) -> None:
    """Note from when on an address is somebody else's; who had it keeps what was said until then.

    The new holder has no row before there is something to say of them.
    """
    contact = _row(rows, entry, event, event.contact.bytes)
    row = _row(rows, entry, event, event.subject.bytes)
    row.until = event.from_at
    rows.put(SUBJECTS, row)
    write_down(rows, entry, contact)
    refresh(rows, contact.contact)


def merged(rows: Rows, entry: Entry, event: events.ContactsMerged) -> None:
    """Put one contact under another; the same event in the other's stream says nothing new."""
    survivor, absorbed = event.survivor.bytes, event.absorbed.bytes
    contact = _row(rows, entry, event, event.contact.bytes)
    write_down(rows, entry, contact)
    key = event.merge.bytes
    if rows.get(MERGES, (key,)) is None:
        kind, who = author(event)
        reason = event.reason
        row = MergeRow(
            key, survivor, absorbed, entry.position, entry.recorded_at, kind, who, reason
        )
        rows.put(MERGES, row)
        if survivor != absorbed:
            over, under = (_row(rows, entry, event, one) for one in (survivor, absorbed))
            _tie(rows, over, under, key, entry.position)
            regroup(rows, (survivor, absorbed), entry.position)
    refresh(rows, contact.contact)


def undone(rows: Rows, entry: Entry, event: events.MergeUndone) -> None:
    """Take exactly this merge back."""
    contact = _row(rows, entry, event, event.contact.bytes)
    write_down(rows, entry, contact)
    row = rows.get(MERGES, (event.merge.bytes,))
    if row is not None and row.undone_at is None:
        row.undone_at, row.undone_reason = entry.recorded_at, event.reason
        row.undone_kind, row.undone_by = author(event)
        rows.put(MERGES, row)
        for one in (row.survivor, row.absorbed):
            _untie(rows, _row(rows, entry, event, one), row.merge)
        regroup(rows, (row.survivor, row.absorbed), entry.position)
    refresh(rows, contact.contact)


# ------------------------------------------------------------------------------- edges


def _row(rows: Rows, entry: Entry, event: events.Event, subject: bytes) -> SubjectRow:
    """The row of a subject that people decide about; made where nothing was said of it yet."""
    by, place = event.originator_id.bytes, entry.position * PLACES
    found = rows.get(SUBJECTS, (subject,))
    return found or see(
        rows, Sighting(subject, UNKNOWN_SCHEME, None, None, None, entry.recorded_at, by, place)
    )


def _leave_parent(rows: Rows, row: SubjectRow) -> set[bytes]:
    """Take a subject from under the contact that it was linked to; which that was."""
    if row.parent is None:
        return set()
    _adopt(rows, row.parent, row.subject, stays=False)
    return {row.parent}


def _adopt(rows: Rows, owner: bytes, child: bytes, *, stays: bool) -> None:
    row = rows.get(SUBJECTS, (owner,))
    if row is None:
        return
    edges = edges_of(row)
    children = {*edges.children, child} if stays else {*edges.children} - {child}
    edges.children = sorted(children)
    row.edges = encode(edges)
    rows.put(SUBJECTS, row)


def _tie(rows: Rows, over: SubjectRow, under: SubjectRow, merge: bytes, position: int) -> None:
    upper, lower = edges_of(over), edges_of(under)
    upper.absorbed.append(Merge(merge, under.subject, position))
    lower.merges.append(Merge(merge, over.subject, position))
    over.edges, under.edges = encode(upper), encode(lower)
    rows.put(SUBJECTS, over)
    rows.put(SUBJECTS, under)


def _untie(rows: Rows, row: SubjectRow, merge: bytes) -> None:
    edges = edges_of(row)
    edges.merges = [one for one in edges.merges if one.merge != merge]
    edges.absorbed = [one for one in edges.absorbed if one.merge != merge]
    row.edges = encode(edges)
    rows.put(SUBJECTS, row)


def author(event: events.Event) -> tuple[str, str]:
    """Who decided: the person behind it, where there is one."""
    if event.on_behalf_of is not None:
        return "user", str(event.on_behalf_of)
    return event.actor.kind, event.actor.id
