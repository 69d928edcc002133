"""Finding contacts: what each is called, and every piece of it that somebody may type.

A contact's haystack is all that it is found by: the words of its names and company, and of its
addresses without scheme, folded. Whether it matches is a question to the haystack alone. Of a
free word any piece of three characters or more matches, of an anchored one (a mailbox, an id)
only its beginning, and so does that of every word however short.

The postings of its grams say who may match (projections/postings.py). A contact is written
there by its number, which never changes; so what somebody typed is first counted, then looked
up.

The directory touches a contact when a name, an address or a member of it changes; nothing is
written for a message that brings none of these. What was taken off a contact still finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final, NamedTuple, cast

import sqlalchemy as sa
from msgspec import Struct

from domain.events import AddressUnlinked
from domain.ports import Entry
from projections.base import Key, Rows, RowTable
from projections.directory_rows import (
    BYTEWISE,
    CONTACTS,
    SUBJECTS,
    ContactRow,
    SubjectRow,
    card_of,
    digits_of,
    fold,
    split_ids,
)
from projections.grouping import LOOKS
from projections.postings import (
    PIECE_MIN_CHARS,
    POSTINGS,
    SEGMENT,
    START,
    PostingRow,
    changed,
    grams_of,
)

WORD_MAX_CHARS: Final = 200
"""As much of a word is searched: names and companies are no longer than that."""

SETTLED_AT_ONCE: Final = 4_000
"""Contacts that are made again in one go: neighbours share their postings, some 10,000 rows."""

_NUMBERS: Final = frozenset({"tel", "short"})
_NOBODYS: Final = frozenset({"contact", "anonymous"})
"""Schemes whose text nobody types to find a person."""

_TOKENS: Final = re.compile(r"[^._+-]+")
"""What a mailbox's name is made of: ana, lopez and 77 of ana.lopez+77."""


class HaystackRow(Struct, gc=False):
    """All that a contact is found by: its free and its anchored words, each in their order."""

    number: int
    contact: bytes
    free: str
    anchored: str


class BygoneRow(Struct, gc=False):
    """What was taken off a subject's contact by that id, and off whom the subject was taken.

    Both are subjects' ids, 16 bytes each, in their order.
    """

    subject: bytes
    had: bytes = b""
    holders: bytes = b""


HAYSTACKS: Final = RowTable(
    "haystacks",
    HaystackRow,
    key=("number",),
    columns={
        "number": sa.BigInteger(),
        "contact": sa.LargeBinary(16),
        "free": BYTEWISE,
        "anchored": BYTEWISE,
    },
)

BYGONES: Final = RowTable(
    "bygones",
    BygoneRow,
    key=("subject",),
    columns={
        "subject": sa.LargeBinary(16),
        "had": sa.LargeBinary(),
        "holders": sa.LargeBinary(),
    },
)


class Finding:
    """Keeps haystacks and postings; the queries are in projections/finding_pages.py."""

    name: ClassVar[str] = "finding"
    version: ClassVar[int] = 2
    tables: ClassVar[tuple[RowTable[Any], ...]] = (HAYSTACKS, POSTINGS, BYGONES)
    topics: ClassVar[frozenset[str]] = frozenset({"address.unlinked"})

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The address that is taken off, and whom it is taken off."""
        event = cast("AddressUnlinked", entry.event)
        return ((BYGONES, (event.contact.bytes,)), (BYGONES, (event.subject.bytes,)))

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Remember whose the address was; what else happens, the directory's touches say."""
        event = cast("AddressUnlinked", entry.event)
        holder, subject = event.contact.bytes, event.subject.bytes
        if holder == subject:
            return
        row = rows.get(BYGONES, (holder,)) or BygoneRow(holder)
        row.had = _with(row.had, subject)
        rows.put(BYGONES, row)
        row = rows.get(BYGONES, (subject,)) or BygoneRow(subject)
        row.holders = _with(row.holders, holder)
        rows.put(BYGONES, row)

    def settle(self, rows: Rows) -> None:
        """Make the haystacks of touched contacts again, from the directory's rows."""
        touched = [cast("bytes", key[0]) for key in rows.touched(LOOKS)]
        todo = _numbered(rows, {*touched, *_former_holders(rows, touched)})
        for start in range(0, len(todo), SETTLED_AT_ONCE):
            _settle(rows, todo[start : start + SETTLED_AT_ONCE])


def _with(ids: bytes, one: bytes) -> bytes:
    return b"".join(sorted({*split_ids(ids), one}))


def _numbered(rows: Rows, contacts: set[bytes]) -> list[tuple[int, bytes]]:
    """Contacts with their numbers, in the order of these: neighbours share their postings."""
    rows.load(SUBJECTS, [(contact,) for contact in sorted(contacts)])
    found = (rows.get(SUBJECTS, (contact,)) for contact in contacts)
    return sorted((row.number, row.subject) for row in found if row)


def _members(rows: Rows, contacts: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    """The subjects of each contact that there is, their rows at hand."""
    rows.load(CONTACTS, [(contact,) for contact in contacts])
    found = ((contact, rows.get(CONTACTS, (contact,))) for contact in contacts)
    members = {contact: split_ids(row.members) for contact, row in found if row}
    keys = [(one,) for held in members.values() for one in held]
    rows.load(SUBJECTS, keys)
    rows.load(BYGONES, keys)
    return members


def _former_holders(rows: Rows, contacts: Sequence[bytes]) -> set[bytes]:
    """The contacts that are also found by an address of one of these, since they had it once."""
    holders: set[bytes] = set()
    for start in range(0, len(contacts), SETTLED_AT_ONCE):
        for held in _members(rows, contacts[start : start + SETTLED_AT_ONCE]).values():
            bygones = (rows.get(BYGONES, (one,)) for one in held)
            holders.update(one for row in bygones if row for one in split_ids(row.holders))
    rows.load(SUBJECTS, [(one,) for one in sorted(holders)])
    found = (rows.get(SUBJECTS, (one,)) for one in sorted(holders))
    return {row.contact for row in found if row}


def _settle(rows: Rows, contacts: Sequence[tuple[int, bytes]]) -> None:
    """The same for some of them, by number and id."""
    members = _members(rows, [contact for _, contact in contacts])
    rows.load(HAYSTACKS, [(number,) for number, _ in contacts])
    moves: _Moves = {}
    for number, contact in contacts:
        row = rows.get(CONTACTS, (contact,))
        before = rows.get(HAYSTACKS, (number,))
        now = _haystack(rows, row, members[contact]) if row else None
        if now == before:
            continue
        if now:
            rows.put(HAYSTACKS, now)
        else:
            rows.delete(HAYSTACKS, (number,))
        old, new = _grams(before), _grams(now)
        segment, offset = divmod(number, SEGMENT)
        for gram in new - old:
            moves.setdefault((gram, segment), ([], []))[0].append(offset)
        for gram in old - new:
            moves.setdefault((gram, segment), ([], []))[1].append(offset)
    _post(rows, moves)


def _grams(row: HaystackRow | None) -> set[str]:
    return grams_of(row.free, row.anchored) if row else set()


_Moves = dict[tuple[str, int], tuple[list[int], list[int]]]
"""By gram and segment: the offsets that come, and those that go."""


def _post(rows: Rows, moves: _Moves) -> None:
    """Write down who came to a gram and who left it."""
    rows.load(POSTINGS, sorted(moves))
    for (gram, segment), (come, gone) in moves.items():
        row = rows.get(POSTINGS, (gram, segment)) or PostingRow(gram, segment)
        row.packed = changed(row.packed, come, gone)
        if row.packed:
            rows.put(POSTINGS, row)
        else:
            rows.delete(POSTINGS, (gram, segment))


def _haystack(rows: Rows, contact: ContactRow, members: list[bytes]) -> HaystackRow | None:
    """The words of a contact, each once; None where nobody could type any of it."""
    free, anchored = set(words_of(contact.company)), set[str]()
    bygones = (rows.get(BYGONES, (one,)) for one in members)
    bygone = {one for row in bygones if row for one in split_ids(row.had)}
    for one in [*members, *sorted(bygone)]:
        row = rows.get(SUBJECTS, (one,))
        if row is not None:
            if one not in bygone or row.contact == contact.contact:
                free.update(words_of(_name_of(row)))
            found = words_of_address(row.address)
            free.update(found.free)
            anchored.update(found.anchored)
    if not (free or anchored):
        return None
    return HaystackRow(contact.number, contact.contact, _joined(free), _joined(anchored))


def _joined(words: set[str]) -> str:
    return "".join([START + word for word in sorted(words)])


def _name_of(row: SubjectRow) -> str | None:
    """What people wrote, else what the latest message called them."""
    written = card_of(row).values.get("name") if row.card else None
    return written[0] if written and written[0] else row.name_seen


# ------------------------------------------------------------------------- words


def words_of(text: str | None) -> list[str]:
    """The words of a name, without accents and case."""
    return [word[:WORD_MAX_CHARS] for word in fold(text).split()] if text else []


class Words(NamedTuple):
    """The words of an address."""

    free: list[str]
    anchored: list[str]


def words_of_address(address: str | None) -> Words:
    """What is typed of an address: the digits of a number, a mailbox, an id in its account."""
    scheme, _, rest = (address or "").partition(":")
    if not rest or scheme in _NOBODYS:
        return Words([], [])
    if scheme in _NUMBERS:
        return Words([digits_of(rest)], [])
    if scheme != "mailto":
        return Words([], words_of(rest.rpartition("/")[2]))
    mailbox = fold(rest)[:WORD_MAX_CHARS]
    local, at, domain = mailbox.rpartition("@")
    tokens = list(_TOKENS.finditer(local))
    starts = [mailbox[token.start() :] for token in tokens]
    return Words([token[0] for token in tokens], [mailbox, *starts, at + domain, domain])


def needles_of(piece: str) -> tuple[str, str]:
    """What a haystack's free words hold, or its anchored ones, where it has a piece."""
    anchored = START + piece
    return (piece if len(piece) >= PIECE_MIN_CHARS else anchored, anchored)
