"""The directory's queries: one contact, its addresses, lists of contacts, and finding one."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from projections.access import Reader, Visible
from projections.directory_rows import (
    CONTACTS,
    SUBJECTS,
    ContactRow,
    SubjectRow,
    digits_of,
    fold,
)
from projections.views import Reading

DIGITS_MIN: Final = 3
"""Digits in a search that make it one for a number; fewer stand in every number."""

DEFAULT_LIMIT: Final = 50

_SUBJECT: Final = ", ".join(SUBJECTS.columns)
_CONTACT: Final = ", ".join(CONTACTS.columns)

EVERYTHING: Final = Visible(Reader())
"""For programs that read for nobody in particular."""


class ContactsQuery(Struct, frozen=True, kw_only=True):
    """A page of contacts.

    `sort` name (folded, ascending) or recent (last seen, descending). `after` is the sort value
    and id of the row before the page; with `backwards` the page lies before it, nearest first.
    `text` is what somebody typed to find a contact.
    """

    sort: Literal["name", "recent"] = "name"
    text: str | None = None
    after: tuple[str | int, bytes] | None = None
    backwards: bool = False
    limit: int = DEFAULT_LIMIT
    visible: Visible = EVERYTHING


def contact(reading: Reading, contact_id: bytes) -> ContactRow | None:
    """The contact of that id, or the one that its address belongs to now; None if unknown."""
    found = reading.fetch(
        f"SELECT {_CONTACT} FROM {reading.name(CONTACTS)} WHERE contact = "
        f"(SELECT contact FROM {reading.name(SUBJECTS)} WHERE subject = ?)",
        (contact_id,),
    )
    return ContactRow(*found[0]) if found else None


def contacts_of(reading: Reading, subjects_asked: list[bytes]) -> dict[bytes, bytes]:
    """Subject → contact, for those that were seen."""
    if not subjects_asked:
        return {}
    holes = ", ".join("?" * len(subjects_asked))
    sql = f"SELECT subject, contact FROM {reading.name(SUBJECTS)} WHERE subject IN ({holes})"
    return {row[0]: row[1] for row in reading.fetch(sql, subjects_asked)}


def rows_of(reading: Reading, contacts_asked: list[bytes]) -> dict[bytes, ContactRow]:
    """Contact → row, for those that are contacts now."""
    if not contacts_asked:
        return {}
    holes = ", ".join("?" * len(contacts_asked))
    sql = f"SELECT {_CONTACT} FROM {reading.name(CONTACTS)} WHERE contact IN ({holes})"
    return {row[0]: ContactRow(*row) for row in reading.fetch(sql, contacts_asked)}


def subjects(reading: Reading, contact_id: bytes) -> list[SubjectRow]:
    """The addresses of a contact, its own first, then as they appeared."""
    row = contact(reading, contact_id)
    if row is None:
        return []
    ids = [row.members[start : start + 16] for start in range(0, len(row.members), 16)]
    holes = ", ".join("?" * len(ids))
    found = reading.fetch(
        f"SELECT {_SUBJECT} FROM {reading.name(SUBJECTS)} WHERE subject IN ({holes})", ids
    )
    return sorted(
        (SubjectRow(*values) for values in found),
        key=lambda subject: (subject.subject != row.contact, subject.place),
    )


def find_address(reading: Reading, address: str) -> bytes | None:
    """The contact that has exactly this canonical address; of several, the one seen last."""
    scheme, _, rest = address.partition(":")
    found = reading.fetch(
        f"SELECT contact FROM {reading.name(SUBJECTS)} WHERE folded = ? AND scheme = ?"
        " ORDER BY place DESC LIMIT 1",
        (rest.casefold(), scheme),
    )
    return bytes(found[0][0]) if found else None


def contacts(reading: Reading, query: ContactsQuery) -> list[ContactRow]:
    """A page of contacts, in the order that was asked for; nearest first when backwards."""
    column = "folded" if query.sort == "name" else "last_at"
    ascending = (query.sort == "name") != query.backwards
    seen, params = query.visible.sql("contact")
    where, given = [seen], list(params)
    if query.text is not None:
        clause, patterns = _search(reading, query.text)
        where.append(clause)
        given += patterns
    if query.after is not None:
        where.append(f"({column}, contact) {'>' if ascending else '<'} (?, ?)")
        given += query.after
    order = "ASC" if ascending else "DESC"
    found = reading.fetch(
        f"SELECT {_CONTACT} FROM {reading.name(CONTACTS)} WHERE {' AND '.join(where)}"
        f" ORDER BY {column} {order}, contact {order} LIMIT ?",
        [*given, query.limit],
    )
    return [ContactRow(*values) for values in found]


def _search(reading: Reading, text: str) -> tuple[str, list[object]]:
    """A condition on contacts: their name, or one of their addresses, holds the text."""
    table = reading.name(SUBJECTS)
    like = "LIKE ? ESCAPE '!'"
    clauses = [f"folded {like}", f"contact IN (SELECT contact FROM {table} WHERE folded {like})"]
    patterns: list[object] = [_holding(fold(text)), _holding(text.strip().casefold())]
    digits = digits_of(text)
    if len(digits) >= DIGITS_MIN:
        clauses.append(f"contact IN (SELECT contact FROM {table} WHERE digits {like})")
        patterns.append(_holding(digits))
    return f"({' OR '.join(clauses)})", patterns


def _holding(text: str) -> str:
    """A pattern for LIKE, with `!` before what would mean something."""
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{text}%"
