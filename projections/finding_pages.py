"""Finding contacts by what somebody typed: which haystacks hold it, the latest contact first.

What was typed becomes terms; a contact matches where its haystack has a piece of each
(projections/finding.py). The postings say which contacts may match, and so how many: where they
are few, it is asked where each of them stands in the list; where they are many, the list is
walked from the latest on, until enough of them were met. Both ways give the same contacts in the
same order, on both databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct, json

from domain.addresses import AddressError, parse_address
from projections.access import Visible
from projections.directory_rows import CONTACTS, SUBJECTS, digits_of, fold
from projections.finding import HAYSTACKS, needles_of, words_of_address
from projections.paging import SortKey
from projections.postings import chunks, may_have, numbers_of
from projections.timeline import INTERACTIONS
from projections.views import Reading

WORDS_MAX: Final = 8
"""Words of one search that count: nobody is called by more."""

LOOK_STEPS: Final = 10
"""Steps along the list of contacts that take as long as to ask where one of them stands."""

NEAR: Final = 2
"""Times as far as those who match would stand, spread evenly, the list is walked at first."""

SPARE: Final = 20
"""Contacts met beyond those wanted: some may turn out not to match."""

ASKED_MAX: Final = 1_000
"""Ids in one query: far below what either database takes as parameters."""

NUMBER_MIN_DIGITS: Final = 3
"""Digits that make a text a number however it is written; fewer are a word like others."""

_NUMBER: Final = re.compile(r"[\d\s()+./-]+")
_INTERACTION: Final = re.compile(r"#(\d{1,18})")
_BETWEEN: Final = "(c.last_at, c.place) > (?, ?) AND (c.last_at, c.place) < (?, ?)"
Term = tuple[str, ...]
"""Pieces of which a haystack must have one."""

Span = tuple[SortKey, SortKey]
"""What lies strictly between two keys."""

_MARKED: Final = {
    "sqlite": "substr(?, c.number + 1, 1) = x'31'",
    "postgresql": "substring(?::bytea FROM c.number::int4 + 1 FOR 1) = '1'::bytea",
}
"""Whether a contact is one of those held, who are a text with 1 at their numbers."""


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
        self._visible = search.visible
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
            held = may_have(self._reading, self._terms)
            many = held.bit_count()
            if _steps(held, count) <= many * LOOK_STEPS:
                return self._walk((low, high), held, descending=descending, count=count)
            return self._looked_up((low, high), held, descending=descending, count=count)
        return found[:count]

    # ----------------------------------------------------- the ways to look

    def _walk(self, span: Span, held: int, *, descending: bool, count: int) -> list[Found]:
        """The first who match, met along the list; where they stand far down, all are looked at."""
        edge = self._edge(span, NEAR * _steps(held, count), descending=descending)
        near = _before(span, edge, descending=descending) if edge else span
        found = self._met(near, held, descending=descending, count=count)
        if edge is None or len(found) >= count:
            return found
        beside = (edge[0], edge[1] + 1 if descending else edge[1] - 1)  # the edge is still to come
        far = _behind(span, beside, descending=descending)
        if held.bit_count() * LOOK_STEPS > held.bit_length():
            return found + self._met(far, held, descending=descending, count=count - len(found))
        rest = count - len(found)
        return found + self._looked_up(far, held, descending=descending, count=rest)

    def _edge(self, span: Span, steps: int, *, descending: bool) -> SortKey | None:
        """The contact that many steps down the list; None where the list ends before it."""
        way = "DESC" if descending else "ASC"
        sql = (
            f"SELECT c.last_at, c.place FROM {self._contacts} c WHERE {_BETWEEN}"
            f" ORDER BY c.last_at {way}, c.place {way} LIMIT 1 OFFSET ?"
        )
        found = self._reading.fetch(sql, (*span[0], *span[1], steps))
        return (found[0][0], found[0][1]) if found else None

    def _met(self, span: Span, held: int, *, descending: bool, count: int) -> list[Found]:
        """The first who match between two keys, in their order."""
        way, marks = "DESC" if descending else "ASC", f"{held:b}"[::-1].encode()
        sql = (
            f"SELECT c.last_at, c.place, c.number FROM {self._contacts} c"
            f" WHERE {_BETWEEN} AND {_MARKED[self._reading.kind]}"
            f" ORDER BY c.last_at {way}, c.place {way} LIMIT ?"
        )
        found, wanted = list[Found](), count + SPARE
        while True:
            rows = self._reading.fetch(sql, (*span[0], *span[1], marks, wanted))
            found += self._matching(rows)
            if len(found) >= count or len(rows) < wanted:
                return found[:count]
            span, wanted = _behind(span, rows[-1][:2], descending=descending), ASKED_MAX

    def _matching(self, steps: Sequence[tuple[Any, ...]]) -> list[Found]:
        """Those of some (last_at, place, number) who match and may be seen, in the same order."""
        where, params = _numbered(self._reading, "h.number", [number for _, _, number in steps])
        sql = f"SELECT h.number, h.contact FROM {self._haystacks} h WHERE {where} AND {self._holds}"
        contacts: dict[int, bytes] = dict(self._reading.fetch(sql, (params, *self._needles)))
        seen = self._visible.may_see(contacts.values())
        found = [Found(at, place, contacts[one]) for at, place, one in steps if one in contacts]
        return [one for one in found if one.contact in seen]

    def _looked_up(self, span: Span, held: int, *, descending: bool, count: int) -> list[Found]:
        """The same, from where each of those held stands."""
        steps: list[tuple[Any, ...]] = []
        for some in chunks(numbers_of(held), ASKED_MAX):
            where, params = _numbered(self._reading, "c.number", some)
            sql = f"SELECT c.last_at, c.place, c.number FROM {self._contacts} c WHERE {where}"
            steps += self._reading.fetch(sql, (params,))
        low, high = span
        steps = sorted((step for step in steps if low < step[:2] < high), reverse=descending)
        first = count + SPARE
        found = self._matching(steps[:first])
        while len(found) < count and first < len(steps):  # not all are what they seemed
            found += self._matching(steps[first : first + ASKED_MAX])
            first += ASKED_MAX
        return found[:count]

    def _seen(self, rows: Iterable[tuple[Any, ...]], low: SortKey, high: SortKey) -> list[Found]:
        """Those who stand between two keys and may be seen."""
        found = [Found(*row) for row in rows if low < row[:2] < high]
        seen = self._visible.may_see([one.contact for one in found])
        return [one for one in found if one.contact in seen]

    def _of_interaction(self, number: int, low: SortKey, high: SortKey) -> list[Found]:
        """The contact at the other end of an interaction."""
        sql = (
            f"SELECT c.last_at, c.place, c.contact FROM {self._reading.name(INTERACTIONS)} i"
            f" JOIN {self._reading.name(SUBJECTS)} s ON s.subject = i.subject"
            f" JOIN {self._contacts} c ON c.contact = s.contact WHERE i.position = ?"
        )
        return self._seen(self._reading.fetch(sql, (number,)), low, high)


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


def _steps(held: int, count: int) -> int:
    """How far down the list so many of those held would stand, if they were spread evenly."""
    many = held.bit_count()
    return count * held.bit_length() // many if many else 1


def _before(span: Span, key: SortKey, *, descending: bool) -> Span:
    """What is met before a key."""
    low, high = span
    return (key, high) if descending else (low, key)


def _behind(span: Span, key: SortKey, *, descending: bool) -> Span:
    """What is met behind a key."""
    low, high = span
    return (low, key) if descending else (key, high)


def _numbered(reading: Reading, column: str, numbers: Sequence[int]) -> tuple[str, object]:
    """Whether a number is one of some: a condition and its one parameter."""
    if reading.kind == "postgresql":
        return f"{column} = ANY(?)", list(numbers)
    return f"{column} IN (SELECT value FROM json_each(?))", json.encode(numbers).decode()
