"""What two contacts would be as one: nothing is written, and nothing is kept.

The joined contact is made by the rule that makes every contact out of its addresses
(projections/grouping.py), so that a preview tells what the merge will show.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from domain.addresses import address_label
from projections import access, contact_pages
from projections.access import Granted
from projections.dictionary import Names
from projections.directory_rows import (
    SUBJECTS,
    ContactRow,
    SubjectRow,
    card_of,
    split_ids,
)
from projections.grouping import contact_row
from projections.shapes import ContactView
from projections.views import Reading

_COLUMNS: Final = ", ".join(SUBJECTS.columns)


def preview(reading: Reading, names: Names, survivor: bytes, absorbed: bytes) -> ContactView | None:
    """The contact that is left of two, by their ids; None where either is no contact."""
    pair = [contact_pages.row_of(reading, one) for one in (survivor, absorbed)]
    rows = [row for row in pair if row is not None]
    if len(rows) < len(pair):
        return None
    joined = contact_row(survivor, _members(reading, rows))
    [shown] = contact_pages.views(reading, names, [joined])
    walls = access.granted(reading, (survivor, absorbed))
    labels = (one.label for one in shown.addresses if one.label)
    return structs.replace(
        shown,
        name=joined.name,
        label=joined.name or next(labels, shown.label),
        access=contact_pages.access_view(_both(list(walls.values())), names),
    )


def _members(reading: Reading, rows: list[ContactRow]) -> list[SubjectRow]:
    subjects = [subject for row in rows for subject in split_ids(row.members)]
    marks = ", ".join("?" * len(subjects))
    sql = f"SELECT {_COLUMNS} FROM {reading.name(SUBJECTS)} WHERE subject IN ({marks})"
    return [SubjectRow(*row) for row in reading.fetch(sql, tuple(subjects))]


def _both(walls: list[Granted]) -> Granted:
    """Who gets past the walls of both; those of the one where the other is open."""
    if not walls:
        return access.NOBODY_NEEDED
    users = set.intersection(*(set(one.users) for one in walls))
    teams = set.intersection(*(set(one.teams) for one in walls))
    parts = sum(one.parts for one in walls)
    return Granted(parts, tuple(sorted(users)), tuple(sorted(teams)))


def called(reading: Reading, subjects: list[bytes]) -> dict[bytes, str]:
    """What contacts that are part of another one were called by themselves, by their ids.

    As people wrote it, else as their messages said it, else their address; nothing of an
    erased one.
    """
    if not subjects:
        return {}
    marks = ", ".join("?" * len(subjects))
    sql = f"SELECT {_COLUMNS} FROM {reading.name(SUBJECTS)} WHERE subject IN ({marks})"
    found: dict[bytes, str] = {}
    for values in reading.fetch(sql, tuple(subjects)):
        row = SubjectRow(*values)
        written = card_of(row).values.get("name")
        address = row.address if row.address and not row.address.startswith("contact:") else None
        name = (written[0] if written else None) or row.name_seen
        label = name or (address_label(address) if address else None)
        if label:
            found[row.subject] = label
    return found
