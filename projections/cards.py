"""Contacts as rows and conversations show them: whose subject it is, and what to call them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from domain.addresses import address_label
from projections import directory_rows as directory
from projections.shapes import ContactRef, uuid_text
from projections.views import Reading

PLACES: Final = 256
"""The directory's order of first appearance counts so many places to a position."""


class Card(Struct, frozen=True, gc=False):
    """A contact by one of its subjects; compares by what it shows."""

    id: str
    name: str | None
    label: str

    def ref(self) -> ContactRef:
        """As answers have it."""
        return ContactRef(self.id, self.name, self.label)


def unknown(contact: bytes) -> Card:
    """A contact of which the directory says nothing: its id is all there is to show."""
    text = uuid_text(contact)
    return Card(text, None, f"#{text[:8]}")


def of_subjects(reading: Reading, subjects: Collection[bytes]) -> dict[bytes, Card]:
    """The contact of each subject, by subject."""
    if not subjects:
        return {}
    sql = (
        "SELECT s.subject, c.contact, c.name, c.members, c.place"
        f" FROM {reading.name(directory.SUBJECTS)} s"
        f" JOIN {reading.name(directory.CONTACTS)} c ON c.contact = s.contact"
        f" WHERE s.subject IN ({_marks(subjects)})"
    )
    return _cards(reading, subjects, reading.fetch(sql, tuple(subjects)))


def of_contacts(reading: Reading, contacts: Collection[bytes]) -> dict[bytes, Card]:
    """The contacts with these ids, by id."""
    if not contacts:
        return {}
    sql = (
        "SELECT c.contact, c.contact, c.name, c.members, c.place"
        f" FROM {reading.name(directory.CONTACTS)} c WHERE c.contact IN ({_marks(contacts)})"
    )
    return _cards(reading, contacts, reading.fetch(sql, tuple(contacts)))


def of_rows(reading: Reading, rows: Collection[directory.ContactRow]) -> dict[bytes, Card]:
    """The same for contacts whose rows were read already, by id."""
    found = [(row.contact, row.contact, row.name, row.members, row.place) for row in rows]
    return _cards(reading, (), found)


def _cards(
    reading: Reading,
    asked: Collection[bytes],
    found: list[tuple[bytes, bytes, str | None, bytes, int]],
) -> dict[bytes, Card]:
    nameless = {row[1]: row[3] for row in found if not row[2]}
    addresses = _first_addresses(reading, nameless)
    cards: dict[bytes, Card] = {}
    for key, contact, name, _, place in found:
        label = name or addresses.get(contact) or f"#{place // PLACES}"
        cards[key] = Card(uuid_text(contact), name or None, label)
    for key in asked:
        if key not in cards:
            cards[key] = unknown(key)
    return cards


def _first_addresses(reading: Reading, members: dict[bytes, bytes]) -> dict[bytes, str]:
    """For contacts without a name the label of their first address that is still known."""
    if not members:
        return {}
    subjects = [one for held in members.values() for one in directory.split_ids(held)]
    sql = (
        f"SELECT subject, address FROM {reading.name(directory.SUBJECTS)}"
        f" WHERE subject IN ({_marks(subjects)}) AND address IS NOT NULL"
    )
    known: dict[bytes, str] = dict(reading.fetch(sql, subjects))
    labels: dict[bytes, str] = {}
    for contact, held in members.items():
        for subject in directory.split_ids(held):
            if subject in known:
                labels[contact] = address_label(known[subject])
                break
    return labels


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
