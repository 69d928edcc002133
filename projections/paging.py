"""Keyset paging: opaque cursors, and the one way in which a page is cut from an ordered list.

Every list of this program is ordered by a pair of integers that no two rows share, such as
(occurred_at, position): rows of one moment are ordered by position and never dropped. A list
gives a function that fetches rows strictly between two keys; `read_page` does the rest.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct

from domain.errors import BadCursor

RowT = TypeVar("RowT")
RowT_co = TypeVar("RowT_co", covariant=True)

LIMIT_DEFAULT: Final = 50
"""Rows of a page where nobody asked: about three screens."""

LIMIT_MAX: Final = 200
"""Rows of a page at most (contract 2.1): some 300 KB, still one quick answer."""

CURSOR_MAX_CHARS: Final = 64
"""Ours have about 40 characters; whatever is longer was never made here."""

BINDING_BYTES: Final = 8
"""Enough that a cursor of another list is noticed; it guards against mistakes, not attacks."""

_NOT_OURS: Final = "The cursor belongs to another list, filter or order."

SortKey = tuple[int, int]
"""What a list is ordered by: (time in µs, position), or (0, position)."""

LOWEST: Final[SortKey] = (-(2**62), -(2**62))
HIGHEST: Final[SortKey] = (2**62, 2**62)


class Mark(Struct, frozen=True, array_like=True):
    """Where a page begins: strictly beyond this key, onwards or back."""

    time: int
    position: int
    back: bool


class Ask(Struct, frozen=True, kw_only=True):
    """Which page of a list: its order and bounds, and where to begin.

    Keys lie strictly between `low` and `high`. With `centre` (and no mark) the page stands
    around that key, which belongs to its second half. `binding` ties its cursors to the list.
    """

    binding: bytes
    limit: int = LIMIT_DEFAULT
    descending: bool = True
    low: SortKey = LOWEST
    high: SortKey = HIGHEST
    mark: Mark | None = None
    centre: SortKey | None = None


class Page(Struct, Generic[RowT], frozen=True):
    """Rows in the order that was asked for, and the cursors of the pages beside them."""

    rows: list[RowT]
    next: str | None = None
    prev: str | None = None


class Fetch(Protocol[RowT_co]):
    """Gives at most `count` rows with low < key < high, the first ones in that order."""

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[RowT_co]:
        """Fetch them."""


def binding(endpoint: str, *parts: object) -> bytes:
    """The short hash that ties a cursor to its endpoint, filters and order; 8 bytes."""
    packed = msgspec.msgpack.encode((endpoint, parts))
    return hashlib.blake2b(packed, digest_size=BINDING_BYTES).digest()


def write_cursor(bound: bytes, mark: Mark) -> str:
    """The opaque text of a place in a list: base64url without padding."""
    packed = bound + msgspec.msgpack.encode(mark)
    return urlsafe_b64encode(packed).rstrip(b"=").decode()


def read_cursor(bound: bytes, cursor: str | None) -> Mark | None:
    """The place that a cursor names; None for no cursor. Raises BadCursor."""
    if cursor is None:
        return None
    cursor = cursor[: CURSOR_MAX_CHARS + 1]
    try:
        packed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mark = msgspec.msgpack.decode(packed[BINDING_BYTES:], type=Mark)
    except (ValueError, msgspec.DecodeError):
        raise BadCursor(_NOT_OURS) from None
    within = max(abs(mark.time), abs(mark.position)) <= HIGHEST[0]
    if packed[:BINDING_BYTES] != bound or not within or write_cursor(bound, mark) != cursor:
        raise BadCursor(_NOT_OURS)
    return mark


def read_page(ask: Ask, fetch: Fetch[RowT], key_of: Callable[[RowT], SortKey]) -> Page[RowT]:
    """One page of a list, with its cursors."""
    if ask.mark is not None:
        key = (ask.mark.time, ask.mark.position)
        return (_back if ask.mark.back else _onwards)(ask, fetch, key_of, key)
    if ask.centre is not None:
        return _centred(ask, fetch, key_of, ask.centre)
    rows = fetch(ask.low, ask.high, descending=ask.descending, count=ask.limit + 1)
    shown = list(rows[: ask.limit])
    return Page(shown, _cursor(ask, shown[-1:], key_of) if len(rows) > ask.limit else None)


def _onwards(
    ask: Ask, fetch: Fetch[RowT], key_of: Callable[[RowT], SortKey], key: SortKey
) -> Page[RowT]:
    """The rows behind a key. There is always a way back: rows may appear there at any time."""
    rows = _after(ask, fetch, key, ask.limit + 1)
    shown = list(rows[: ask.limit])
    return Page(
        shown,
        _cursor(ask, shown[-1:], key_of) if len(rows) > ask.limit else None,
        _cursor(ask, shown[:1], key_of, back=True) or _at(ask, key, back=True),
    )


def _back(
    ask: Ask, fetch: Fetch[RowT], key_of: Callable[[RowT], SortKey], key: SortKey
) -> Page[RowT]:
    rows = _before(ask, fetch, key, ask.limit + 1)
    shown = list(rows[: ask.limit])[::-1]
    return Page(
        shown,
        _cursor(ask, shown[-1:], key_of) or _at(ask, key, back=False),
        _cursor(ask, shown[:1], key_of, back=True) if len(rows) > ask.limit else None,
    )


def _centred(
    ask: Ask, fetch: Fetch[RowT], key_of: Callable[[RowT], SortKey], centre: SortKey
) -> Page[RowT]:
    """Half a page before the centre and half from it on; what one side lacks, the other gives."""
    time, position = centre
    # Both halves end strictly beside the centre, which itself belongs to the second one.
    edge = (time, position + 1) if ask.descending else (time, position - 1)
    after = _after(ask, fetch, edge, ask.limit + 1)
    before = _before(ask, fetch, centre, ask.limit + 1)
    half = ask.limit // 2
    taken = min(len(before), max(half, ask.limit - len(after)))
    rest = min(len(after), ask.limit - taken)
    shown = [*list(before[:taken])[::-1], *after[:rest]]
    return Page(
        shown,
        _cursor(ask, shown[-1:], key_of) if len(after) > rest else None,
        _cursor(ask, shown[:1], key_of, back=True) if len(before) > taken else None,
    )


def _after(ask: Ask, fetch: Fetch[RowT], key: SortKey, count: int) -> Sequence[RowT]:
    """Rows behind a key in the list's own order."""
    if ask.descending:
        return fetch(ask.low, min(key, ask.high), descending=True, count=count)
    return fetch(max(key, ask.low), ask.high, descending=False, count=count)


def _before(ask: Ask, fetch: Fetch[RowT], key: SortKey, count: int) -> Sequence[RowT]:
    """Rows in front of a key, the nearest first."""
    if ask.descending:
        return fetch(max(key, ask.low), ask.high, descending=False, count=count)
    return fetch(ask.low, min(key, ask.high), descending=True, count=count)


def _cursor(
    ask: Ask, rows: list[RowT], key_of: Callable[[RowT], SortKey], *, back: bool = False
) -> str | None:
    """The cursor at the one row given; None where there is none."""
    return _at(ask, key_of(rows[0]), back=back) if rows else None


def _at(ask: Ask, key: SortKey, *, back: bool) -> str:
    return write_cursor(ask.binding, Mark(*key, back=back))
