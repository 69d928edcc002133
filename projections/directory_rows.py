"""The rows of the directory: subjects and contacts, and what is folded up in them."""

from __future__ import annotations

import unicodedata
from typing import Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from projections.base import RowTable
from projections.linking import Pair

BYTEWISE: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text in the order of its bytes, on both databases."""


class SubjectRow(Struct, gc=False):
    """One outside address.

    `place` orders subjects by first appearance: position × 256 + place in the event. `digits`
    and `folded` are for finding it. `name_seen` is what the message of (`name_seen_at`,
    `name_seen_by`) called them. `parent` is the contact that it was linked to by hand, by
    `parent_by` at position `parent_at`. `moved` is the position at which it last came to
    another contact. `edges` are its pairs and children, `card` what people decided.
    """

    subject: bytes
    contact: bytes
    scheme: str
    scope: str | None
    address: str | None
    folded: str | None
    digits: str | None
    name_seen: str | None
    name_seen_at: int | None
    name_seen_by: bytes | None
    since: int
    last_at: int
    channels: str
    place: int
    parent: bytes | None
    parent_by: str | None
    parent_at: int
    moved: int | None
    edges: bytes
    card: bytes


class ContactRow(Struct, gc=False):
    """A contact: `members` are its subjects' ids, 16 bytes each, the first come first.

    `folded` is its name, or else its first address, without accents and case.
    """

    contact: bytes
    name: str | None
    company: str | None
    owner: bytes | None
    language: str | None
    created: str
    version: int
    folded: str
    since: int
    last_at: int
    place: int
    members: bytes


class Edges(Struct, array_like=True):
    """What joins a subject to others: observed pairs, and who was linked to it by hand."""

    pairs: list[Pair]
    children: list[bytes]


class Card(Struct, array_like=True):
    """What people decided about a contact: field → (value, position); the stream's version.

    `touched` is the position of the first decision of a person, not of an import.
    """

    values: dict[str, tuple[str | None, int]]
    created: str | None = None
    version: int = 0
    touched: int | None = None


SUBJECTS: Final = RowTable(
    "subjects",
    SubjectRow,
    key=("subject",),
    columns={
        "subject": sa.LargeBinary(16),
        "contact": sa.LargeBinary(16),
        "scheme": sa.Text(),
        "scope": sa.Text(),
        "address": sa.Text(),
        "folded": BYTEWISE,
        "digits": BYTEWISE,
        "name_seen": sa.Text(),
        "name_seen_at": sa.BigInteger(),
        "name_seen_by": sa.LargeBinary(16),
        "since": sa.BigInteger(),
        "last_at": sa.BigInteger(),
        "channels": sa.Text(),
        "place": sa.BigInteger(),
        "parent": sa.LargeBinary(16),
        "parent_by": sa.Text(),
        "parent_at": sa.BigInteger(),
        "moved": sa.BigInteger(),
        "edges": sa.LargeBinary(),
        "card": sa.LargeBinary(),
    },
    indexes=(
        ("folded", ("folded",), None, False),
        ("moved", ("moved",), "moved IS NOT NULL", False),
    ),
)

CONTACTS: Final = RowTable(
    "contacts",
    ContactRow,
    key=("contact",),
    columns={
        "contact": sa.LargeBinary(16),
        "name": sa.Text(),
        "company": sa.Text(),
        "owner": sa.LargeBinary(16),
        "language": sa.Text(),
        "created": sa.Text(),
        "version": sa.BigInteger(),
        "folded": BYTEWISE,
        "since": sa.BigInteger(),
        "last_at": sa.BigInteger(),
        "place": sa.BigInteger(),
        "members": sa.LargeBinary(),
    },
    indexes=(
        ("folded", ("folded", "contact"), None, False),
        ("recent", ("last_at", "contact"), None, False),
    ),
)

encode = msgspec.msgpack.Encoder(order="deterministic").encode
_edges = msgspec.msgpack.Decoder(Edges).decode
_card = msgspec.msgpack.Decoder(Card).decode


def split_ids(joined: bytes) -> list[bytes]:
    """Ids of 16 bytes, from one text of bytes."""
    return [joined[start : start + 16] for start in range(0, len(joined), 16)]


def fold(text: str) -> str:
    """Text as it is searched and sorted: no accents, no case, single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in plain if not unicodedata.combining(char)).split())


def digits_of(text: str) -> str:
    """The digits of a text."""
    return "".join(char for char in text if char.isdecimal() and char.isascii())


def edges_of(row: SubjectRow) -> Edges:
    """What joins a subject to others."""
    return _edges(row.edges) if row.edges else Edges([], [])


def card_of(row: SubjectRow) -> Card:
    """What people decided about a contact."""
    return _card(row.card) if row.card else Card({})
