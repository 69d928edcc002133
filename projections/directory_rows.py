"""The rows of the directory: subjects and contacts, and what is folded up in them."""

from __future__ import annotations

import hashlib
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

    `place` orders subjects by first appearance: position × 256 + place in the event. `folded` is
    its address without scheme and case. `name_seen` is what the message of (`name_seen_at`,
    `name_seen_by`) called them. `parent` is the contact that it was linked to by hand, by
    `parent_by` at position `parent_at`; taken off again, only the position stays. `moved` is the
    position at which it last came to another contact. `until` is the time from which its number
    is somebody else's. `alike` is equal for similar addresses. `edges` are what joins it to
    others, `card` what people decided. `number` counts subjects by their first appearance, from 0.
    """

    subject: bytes
    contact: bytes
    scheme: str
    scope: str | None
    address: str | None
    folded: str | None
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
    until: int | None
    alike: int | None
    edges: bytes
    card: bytes
    number: int


class ContactRow(Struct, gc=False):
    """A contact: `members` are its subjects' ids, 16 bytes each, the first come first.

    `folded` is its name, or else its first address, without accents and case. `number` is that
    of the subject whose id it has.
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
    number: int


class Merge(Struct, array_like=True, frozen=True):
    """A merge that stands: which, the contact at its other end, and its position."""

    merge: bytes
    other: bytes
    position: int


class Edges(Struct, array_like=True):
    """What joins a subject to others, and keeps it from them.

    `pairs` were observed; `refused` are those of them (with greater ids) that the rule refused,
    and that nobody has decided about. `children` were linked to it by hand. `merges` are those
    by which it belongs to another contact, `absorbed` those by which others belong to it.
    `apart` are subjects that people took it off.
    """

    pairs: list[Pair] = []
    children: list[bytes] = []
    refused: list[bytes] = []
    merges: list[Merge] = []
    absorbed: list[Merge] = []
    apart: list[bytes] = []


class Hold(Struct, array_like=True, frozen=True):
    """A legal hold: its id, when the log learned of it (µs), who placed it, and why."""

    id: bytes
    at: int
    actor_kind: str
    actor: str
    reason: str | None


class Card(Struct, array_like=True):
    """What people decided about a contact: field → (value, position); the stream's version.

    `touched` is the position of the first decision of a person, not of an import. `walls`:
    from which positions on it was restricted (True), or open again. `erased`: the position at
    which it was erased, and when the log learned of that (µs). `holds` are the legal holds.
    """

    values: dict[str, tuple[str | None, int]]
    created: str | None = None
    version: int = 0
    touched: int | None = None
    walls: list[tuple[int, bool]] = []
    erased: tuple[int, int] | None = None
    holds: list[Hold] = []


class MergeRow(Struct, gc=False):
    """A merge as people wrote it down; the contacts by their ids then.

    `actor_kind` and `actor` are who wrote it, the person behind it where there is one; those of
    its undoing likewise, None while it stands. Times are when the log learned of it, in µs.
    """

    merge: bytes
    survivor: bytes
    absorbed: bytes
    position: int
    at: int
    actor_kind: str
    actor: str
    reason: str | None
    undone_at: int | None = None
    undone_kind: str | None = None
    undone_by: str | None = None
    undone_reason: str | None = None


class FormerRow(Struct, gc=False):
    """An address that was taken off a contact, and at which position; it may have come back.

    `holder` is the contact by its id then, `linked_by` who had said that it is theirs.
    """

    holder: bytes
    subject: bytes
    position: int
    linked_by: str


class HintRow(Struct, gc=False):
    """Two subjects that may be one person, the smaller id first, and why somebody may think so.

    `conflict`: a provider asserted it, and the rule refused. `alias`: somebody typed the one as
    an address of the other. `at` is the earliest time of it, `tie` orders those of one moment.
    """

    one: bytes
    other: bytes
    why: str
    at: int
    tie: int


class CountRow(Struct, gc=False):
    """How many there are so far, of what is numbered."""

    what: str
    count: int


ALIKE_DIGITS: Final = 8
"""Last digits of a phone: the subscriber's number, whatever country or area was typed."""

EVERYBODYS: Final = frozenset(
    {"admin", "administracion", "compras", "contact", "contacto", "hello", "hola", "info"}
    | {"mail", "marketing", "no-reply", "noreply", "office", "oficina", "recepcion", "sales"}
    | {"soporte", "support", "ventas"}
)
"""Mailboxes that nearly every company has: to share their name says nothing."""

CONFLICT: Final = "conflict"
ALIAS: Final = "alias"

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
        "until": sa.BigInteger(),
        "alike": sa.BigInteger(),
        "edges": sa.LargeBinary(),
        "card": sa.LargeBinary(),
        "number": sa.BigInteger(),
    },
    indexes=(
        ("moved", ("moved",), "moved IS NOT NULL", False),
        ("alike", ("alike", "place"), "alike IS NOT NULL", False),
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
        "number": sa.BigInteger(),
    },
    indexes=(
        # Whoever walks along the one knows by its number whether a contact is looked for; by the
        # other it is known without a look at its row where one of that number stands in the list.
        ("recent", ("last_at", "place", "number"), None, False),
        ("numbered", ("number", "last_at", "place"), None, False),
    ),
)

MERGES: Final = RowTable(
    "merges",
    MergeRow,
    key=("merge",),
    columns={
        "merge": sa.LargeBinary(16),
        "survivor": sa.LargeBinary(16),
        "absorbed": sa.LargeBinary(16),
        "position": sa.BigInteger(),
        "at": sa.BigInteger(),
        "actor_kind": sa.Text(),
        "actor": sa.Text(),
        "reason": sa.Text(),
        "undone_at": sa.BigInteger(),
        "undone_kind": sa.Text(),
        "undone_by": sa.Text(),
        "undone_reason": sa.Text(),
    },
    indexes=(
        ("survivor", ("survivor", "position"), None, False),
        ("absorbed", ("absorbed", "position"), None, False),
    ),
)

FORMERS: Final = RowTable(
    "formers",
    FormerRow,
    key=("holder", "subject"),
    columns={
        "holder": sa.LargeBinary(16),
        "subject": sa.LargeBinary(16),
        "position": sa.BigInteger(),
        "linked_by": sa.Text(),
    },
)

HINTS: Final = RowTable(
    "hints",
    HintRow,
    key=("one", "other", "why"),
    columns={
        "one": sa.LargeBinary(16),
        "other": sa.LargeBinary(16),
        "why": sa.Text(),
        "at": sa.BigInteger(),
        "tie": sa.BigInteger(),
    },
    indexes=(("at", ("at", "tie"), None, False), ("other", ("other",), None, False)),
)

COUNTS: Final = RowTable(
    "counts", CountRow, key=("what",), columns={"what": sa.Text(), "count": sa.BigInteger()}
)

encode = msgspec.msgpack.Encoder(order="deterministic").encode
_edges = msgspec.msgpack.Decoder(Edges).decode
_card = msgspec.msgpack.Decoder(Card).decode


def split_ids(joined: bytes) -> list[bytes]:
    """Ids of 16 bytes, from one text of bytes."""
    return [joined[start : start + 16] for start in range(0, len(joined), 16)]


def fold(text: str) -> str:
    """Text as it is searched and sorted: no accents, no case, single spaces."""
    if text.isascii():
        return " ".join(text.casefold().split())
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in plain if not unicodedata.combining(char)).split())


def alike_of(address: str) -> int | None:
    """A number that similar addresses share, None for those that are similar to no other.

    Phones that end in the same digits; e-mails with the same name before the @, but for dots
    and what follows a plus, unless it is one that every company has.
    """
    scheme, _, rest = address.partition(":")
    if scheme == "tel":
        return int(digits_of(rest)[-ALIKE_DIGITS:])
    if scheme == "mailto":
        name = rest.rpartition("@")[0].casefold().partition("+")[0].replace(".", "")
        if name and name not in EVERYBODYS:
            return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=7).digest(), "big")
    return None


def digits_of(text: str) -> str:
    """The digits of a text."""
    return "".join(char for char in text if char.isdecimal() and char.isascii())


def edges_of(row: SubjectRow) -> Edges:
    """What joins a subject to others."""
    return _edges(row.edges) if row.edges else Edges()


def read_edges(packed: bytes) -> Edges:
    """The same from the column alone."""
    return _edges(packed) if packed else Edges()


def hint_of(one: bytes, other: bytes, why: str, at: int) -> HintRow:
    """The row of a hint about two subjects, in whichever order they are named."""
    one, other = sorted((one, other))
    drawn = hashlib.blake2b(one + other + why.encode(), digest_size=8).digest()
    return HintRow(one, other, why, at, int.from_bytes(drawn, "big") >> 2)


def card_of(row: SubjectRow) -> Card:
    """What people decided about a contact."""
    return read_card(row.card)


def read_card(packed: bytes) -> Card:
    """The same from the column alone."""
    return _card(packed) if packed else Card({})
