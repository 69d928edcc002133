"""Contacts as rows and conversations show them: whose subject it is, and what to call them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
        "SELECT s.subject, c.contact, c.name, c.members, c.place, s.address"
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
        "SELECT c.contact, c.contact, c.name, c.members, c.place, NULL"
        f" FROM {reading.name(directory.CONTACTS)} c WHERE c.contact IN ({_marks(contacts)})"
    )
    return _cards(reading, contacts, reading.fetch(sql, tuple(contacts)))


def of_rows(
    rows: Collection[directory.ContactRow], addresses: Mapping[bytes, str]
) -> dict[bytes, Card]:
    """The same for contacts whose rows were read already, with the addresses of their subjects."""
    labels = _first_labels({row.contact: row.members for row in rows if not row.name}, addresses)
    return {row.contact: _card(row.contact, row.name, row.place, labels) for row in rows}


def _cards(
    reading: Reading,
    asked: Collection[bytes],
    found: Collection[tuple[bytes, bytes, str | None, bytes, int, str | None]],
) -> dict[bytes, Card]:
    """The cards; of each the key, contact, name, members, place, and the key's own address."""
    labels: dict[bytes, str] = {}
    several: dict[bytes, bytes] = {}
    for key, contact, name, members, _, address in found:
        if not name and members == key and address:
            labels[contact] = address_label(address)  # it has no other
        elif not name:
            several[contact] = members
    labels |= _first_labels(several, _addresses(reading, several))
    cards = {key: _card(contact, name, place, labels) for key, contact, name, _, place, _ in found}
    for key in asked:
        if key not in cards:
            cards[key] = unknown(key)
    return cards


def _card(contact: bytes, name: str | None, place: int, labels: Mapping[bytes, str]) -> Card:
    label = name or labels.get(contact) or f"#{place // PLACES}"
    return Card(uuid_text(contact), name or None, label)


def _addresses(reading: Reading, members: Mapping[bytes, bytes]) -> dict[bytes, str]:
    """The addresses that are still known, by subject."""
    if not members:
        return {}
    subjects = [one for held in members.values() for one in directory.split_ids(held)]
    sql = (
        f"SELECT subject, address FROM {reading.name(directory.SUBJECTS)}"
        f" WHERE subject IN ({_marks(subjects)}) AND address IS NOT NULL"
    )
    return dict(reading.fetch(sql, subjects))


def _first_labels(
    members: Mapping[bytes, bytes], addresses: Mapping[bytes, str]
) -> dict[bytes, str]:
    """For contacts without a name the label of their first address that is still known."""
    labels: dict[bytes, str] = {}
    for contact, held in members.items():
        for subject in directory.split_ids(held):
            if subject in addresses:
                labels[contact] = address_label(addresses[subject])
                break
    return labels


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
