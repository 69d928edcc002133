"""Finding contacts by what somebody typed: which haystacks hold it, the latest contact first.

What was typed becomes terms; a contact matches where its haystack has a piece of each
(projections/finding.py). The rarest term says how to look: where few contacts may have it, all
of these are looked at; where many may, the list is walked from the latest on, as long as that
promises to be quicker. Both ways give the same contacts in the same order, on both databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from domain.addresses import AddressError, parse_address
from projections.access import Visible
from projections.directory_rows import CONTACTS, SUBJECTS, digits_of, fold
from projections.finding import HAYSTACKS, PARTS, needles_of, ranges_of, words_of_address
from projections.paging import SortKey
from projections.timeline import INTERACTIONS
from projections.views import Beside, Reading

WORDS_MAX: Final = 8
"""Words of one search that count: nobody is called by more."""

FEW: Final = 600
"""Contacts that may match and are all looked at, without a look at the latest first."""

MANY: Final = 3_000
"""As far as contacts that may match are counted: to look at so many costs some milliseconds."""

STRIDE_FIRST: Final = 500
"""Contacts that are walked over before it is asked what is cheaper: a millisecond."""

STRIDE_MAX: Final = 4_000
"""Contacts that are walked over until it is asked again."""

ASKED_MAX: Final = 1_000
"""Ids in one query: far below what either database takes as parameters."""

NUMBER_MIN_DIGITS: Final = 3
"""Digits that make a text a number however it is written; fewer are a word like others."""

_NUMBER: Final = re.compile(r"[\d\s()+./-]+")
_INTERACTION: Final = re.compile(r"#(\d{1,18})")
_BETWEEN: Final = "(c.last_at, c.place) > (?, ?) AND (c.last_at, c.place) < (?, ?)"
_HIGHEST: Final = "\U0010ffff"
"""Behind every character that a part can have."""

Term = tuple[str, ...]
"""Pieces of which a haystack must have one."""


class Found(Struct, frozen=True):
    """A contact that matches, and where it stands in the list."""

    last_at: int
    place: int
    contact: bytes


class Search(Struct, frozen=True):
    """What somebody typed, and for whom it is looked up; `country` is that of their numbers."""

    text: str
    country: str | None
    visible: Visible


# ---------------------------------------------------------------- what was typed


def terms_of(text: str, country: str | None = None) -> list[Term]:
    """What a haystack must have, each term in one of its spellings; empty: nothing was typed."""
    plain = text.strip()
    if ":" in plain:
        words = _words_of_address(plain, country)
        if words:
            return [(word,) for word in words]
    if _NUMBER.fullmatch(plain):
        digits = digits_of(plain)
        if len(digits) >= NUMBER_MIN_DIGITS:
            return [_numbers(plain, country)]
        plain = digits or plain
    return [_spellings(word) for word in fold(plain).split()[:WORDS_MAX]]


def interaction_of(text: str) -> int | None:
    """The id of the interaction that a text such as #123456 names; None for any other text."""
    found = _INTERACTION.fullmatch(text.strip())
    return int(found[1]) if found else None


def _numbers(text: str, country: str | None) -> Term:
    """A number as it was typed, as the whole one that it may be, and without a trunk's zeros."""
    digits = digits_of(text)
    whole = _words_of_address(f"tel:{text}", country)
    short = digits.lstrip("0")
    spelled = [digits, *whole, *([short] if len(short) >= NUMBER_MIN_DIGITS else [])]
    return tuple(dict.fromkeys(spelled))


def _spellings(word: str) -> Term:
    """A word, and where it is a number with points and hyphens, its digits."""
    digits = digits_of(word)
    if len(digits) >= NUMBER_MIN_DIGITS and _NUMBER.fullmatch(word):
        return tuple(dict.fromkeys((word, digits)))
    return (word,)


def _words_of_address(text: str, country: str | None) -> list[str]:
    """What finds an address that is written out; nothing where the text is no address."""
    try:
        found = words_of_address(parse_address(text, country=country))
    except AddressError:
        return []
    return found.anchored[:1] or found.free


# -------------------------------------------------------------------- who matches


class Finder:
    """Fetches the contacts that match a search, between two keys of (last_at, place)."""

    def __init__(self, reading: Reading, search: Search) -> None:
        self._reading = reading
        self._terms = terms_of(search.text, search.country)
        self._number = interaction_of(search.text)
        self._contacts = reading.name(CONTACTS)
        self._haystacks = reading.name(HAYSTACKS)
        self._parts = reading.name(PARTS)
        self._seen, self._given = search.visible.contacts("c.contact")
        self._holds, self._needles = _holds(reading, self._terms)

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Found]:
        """The first `count` of them, in that order."""
        if self._number is not None:
            found = self._of_interaction(self._number, low, high)
        elif not self._terms:
            return []
        else:
            rare, size = self._rarest()
            if size > FEW:
                return self._walk((low, high), size, descending=descending, count=count)
            found = self._among(self._holders([rare]), low, high)
        found.sort(key=_key, reverse=descending)
        return found[:count]

    # ----------------------------------------------------- the ways to look

    def _walk(
        self, span: tuple[SortKey, SortKey], size: int, *, descending: bool, count: int
    ) -> list[Found]:
        """Who match among the latest; where these are too few, all who match.

        `size` contacts would be looked at for that, and to walk over one costs as much.
        """
        (low, high), found = span, list[Found]()
        walked, stride = 0, STRIDE_FIRST
        while True:
            rows = self._stretch(low, high, descending=descending, count=stride)
            held = self._holding([row.contact for row in rows])
            found += [row for row in rows if row.contact in held]
            if len(found) >= count or len(rows) < stride:
                return found[:count]
            low, high = (low, _key(rows[-1])) if descending else (_key(rows[-1]), high)
            walked += stride
            wanted = (count - len(found)) * walked // max(len(found), 1)
            if wanted > size:
                break
            stride = min(wanted + STRIDE_FIRST, STRIDE_MAX)
        rest = self._among(self._holders(self._terms), low, high)
        rest.sort(key=_key, reverse=descending)
        return [*found, *rest][:count]

    def _stretch(self, low: SortKey, high: SortKey, *, descending: bool, count: int) -> list[Found]:
        """The next contacts of the list, whether they match or not."""
        way = "DESC" if descending else "ASC"
        sql = (
            f"SELECT c.last_at, c.place, c.contact FROM {self._contacts} c"
            f" WHERE {_BETWEEN} AND {self._seen}"
            f" ORDER BY c.last_at {way}, c.place {way} LIMIT ?"
        )
        rows = self._reading.fetch(sql, (*low, *high, *self._given, count))
        return [Found(*row) for row in rows]

    def _holding(self, contacts: Sequence[bytes]) -> set[bytes]:
        """Those of some contacts that match."""
        held: set[bytes] = set()
        for some in _chunks(contacts):
            where, params = any_of(self._reading, "h.contact", some)
            sql = f"SELECT h.contact FROM {self._haystacks} h WHERE {where} AND {self._holds}"
            held.update(row[0] for row in self._reading.fetch(sql, (*params, *self._needles)))
        return held

    def _among(self, contacts: Sequence[bytes], low: SortKey, high: SortKey) -> list[Found]:
        """Those of some contacts that match and stand between two keys, in no order."""
        found: list[Found] = []
        for some in _chunks(sorted(self._holding(contacts))):
            where, params = any_of(self._reading, "c.contact", some)
            sql = (
                f"SELECT c.last_at, c.place, c.contact FROM {self._contacts} c"
                f" WHERE {where} AND {self._seen}"
            )
            rows = self._reading.fetch(sql, (*params, *self._given))
            found += [Found(*row) for row in rows if low < row[:2] < high]
        return found

    def _of_interaction(self, number: int, low: SortKey, high: SortKey) -> list[Found]:
        """The contact at the other end of an interaction."""
        sql = (
            f"SELECT c.last_at, c.place, c.contact FROM {self._reading.name(INTERACTIONS)} i"
            f" JOIN {self._reading.name(SUBJECTS)} s ON s.subject = i.subject"
            f" JOIN {self._contacts} c ON c.contact = s.contact"
            f" WHERE i.position = ? AND {self._seen}"
        )
        rows = self._reading.fetch(sql, (number, *self._given))
        return [Found(*row) for row in rows if low < row[:2] < high]

    # ---------------------------------------------------------------- parts

    def _rarest(self) -> tuple[Term, int]:
        """The term that the fewest contacts may have, and how many; counted up to a few."""
        sizes = [(self._size(term), number) for number, term in enumerate(self._terms)]
        size, number = min(sizes)
        return self._terms[number], size

    def _size(self, term: Term) -> int:
        sql, bounds = self._held(term)
        counted = f"SELECT COUNT(*) FROM ({sql} LIMIT ?) few"
        return int(self._reading.fetch(counted, (*bounds, MANY + 1))[0][0])

    def _holders(self, terms: Sequence[Term]) -> list[bytes]:
        """The contacts that may have all of these terms, in their order."""
        found = [self._held(term) for term in terms]
        numbered = [f"SELECT * FROM ({sql}) t{number}" for number, (sql, _) in enumerate(found)]
        bounds = [bound for _, listed in found for bound in listed]
        rows = self._reading.fetch(" INTERSECT ".join(numbered), bounds)
        return sorted({row[0] for row in rows})

    def _held(self, term: Term) -> tuple[str, list[str]]:
        """The contacts that may have a term, some of them twice: a query and its parameters."""
        starts = [start for piece in term for start in ranges_of(piece)]
        one = f"SELECT p.contact FROM {self._parts} p WHERE p.part >= ? AND p.part < ?"
        bounds = [bound for start in starts for bound in (start, start + _HIGHEST)]
        return " UNION ALL ".join([one] * len(starts)), bounds


def _key(one: Found) -> SortKey:
    return one.last_at, one.place


def _holds(reading: Reading, terms: Iterable[Term]) -> tuple[str, list[str]]:
    """Whether the haystack `h` has a piece of each term: a condition and its parameters."""
    word = "strpos" if reading.kind == "postgresql" else "instr"
    one = f"{word}(h.free, ?) > 0 OR {word}(h.anchored, ?) > 0"
    needles: list[str] = []
    parts: list[str] = []
    for term in terms:
        parts.append(f"({' OR '.join([one] * len(term))})")
        for piece in term:
            needles += needles_of(piece)
    return " AND ".join(parts) or "1 = 1", needles


def any_of(
    reading: Reading | Beside, column: str, ids: Sequence[object]
) -> tuple[str, tuple[object, ...]]:
    """Whether a column is one of some ids: a condition and its parameters."""
    if reading.kind == "postgresql":  # one array is read faster than a thousand parameters
        return f"{column} = ANY(?)", (list(ids),)
    return f"{column} IN ({', '.join('?' * len(ids))})", tuple(ids)


def _chunks(ids: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (ids[start : start + ASKED_MAX] for start in range(0, len(ids), ASKED_MAX))
