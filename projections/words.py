"""Words as they are searched: folded in one way, whatever the language and the database.

A word is a run of letters and digits, without accents and case: señal and SENAL are one word,
ñ counts as n, since half of those who type it have no such key. Nothing is stemmed; what is
typed outside of quotes also finds words that begin with it, so precio finds precios.

Folding goes character by character, so that a place in the folded text leads back to its place
in the text that people see.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

WORD_MAX_CHARS: Final = 64
"""As much of a word counts: longer ones are codes that nobody types."""

TERMS_MAX: Final = 12
"""Words and phrases of one search that count; each has to be found in every row."""

WORDS_MAX_CHARS: Final = 200_000
"""As many characters of one interaction are indexed: a text, its subject, fifty names of files."""

EXCERPT_CHARS: Final = 240
"""What an excerpt shows around the first word that was found: three lines."""

BEFORE_CHARS: Final = 60
"""And how much of that stands before the word."""

_WORD: Final = re.compile(r"[^\W_]+")
_QUOTED: Final = re.compile(r'"([^"]*)"?|([^"]+)')
_CACHED_BELOW: Final = 0x3000
"""Characters below are remembered once folded: every alphabet, but not the thousands of signs."""


class _Folds(dict[int, str]):
    """Character → its folded text, of no character, one or several.

    `uneven`: the characters met so far that fold into none or several.
    """

    def __init__(self) -> None:
        super().__init__()
        self.uneven: set[str] = set()

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = unicodedata.normalize("NFKD", char.casefold())
        folded = "".join(one for one in plain if not unicodedata.combining(one))
        if len(folded) != 1:
            self.uneven.add(char)
        if code < _CACHED_BELOW:
            self[code] = folded
        return folded


_FOLDS: Final = _Folds()


class Term(Struct, frozen=True):
    """Words that must stand side by side; with `prefix` the one word may go on."""

    words: tuple[str, ...]
    prefix: bool = False

    @property
    def needle(self) -> str:
        """What single-spaced words, with a space at either end, hold where they have the term."""
        return f" {' '.join(self.words)}{'' if self.prefix else ' '}"


class Excerpt(Struct, frozen=True):
    """A part of a text, and what was found in it: ranges of characters (from, to), in order."""

    text: str
    marks: list[tuple[int, int]]


def plain(text: str) -> str:
    """Text without accents and case; its characters may be fewer or more."""
    return text.lower() if text.isascii() else text.translate(_FOLDS)


def words_of(text: str | None) -> list[str]:
    """The words of a text, folded, in order."""
    if not text:
        return []
    return [word[:WORD_MAX_CHARS] for word in _WORD.findall(plain(text[:WORDS_MAX_CHARS]))]


def joined(words: Iterable[str]) -> str:
    """Words, single-spaced."""
    return " ".join(words)


def terms_of(text: str) -> list[Term]:
    """What somebody typed: words that may go on, and phrases in quotes, each once.

    Two words that some sign joins (2-3, ana@taller.mx) are a phrase that may go on.
    """
    found: dict[Term, None] = {}
    for quoted, loose in _QUOTED.findall(text):
        if quoted:
            words = words_of(quoted)
            if words:
                found[Term(tuple(words))] = None
        for piece in loose.split():
            words = words_of(piece)
            if words:
                found[Term(tuple(words), prefix=True)] = None
    return list(found)[:TERMS_MAX]


# ------------------------------------------------------------------------- what is shown


class Marker:
    """Shows where the terms of a search stand in texts."""

    def __init__(self, terms: Sequence[Term]) -> None:
        patterns = sorted((_pattern(term) for term in terms), key=len, reverse=True)
        self._any = re.compile("|".join(patterns)) if patterns else None
        self._each = [re.compile(_pattern(term)) for term in terms]

    def has_all(self, text: str) -> bool:
        """Whether a text has every term."""
        return self.found_in(text) == len(self._each)

    def found_in(self, text: str) -> int:
        """How many of the terms a text has."""
        folded = plain(text)
        return sum(one.search(folded) is not None for one in self._each)

    def excerpt(self, text: str) -> Excerpt:
        """The part of a text around what was found first, in one line; its beginning else."""
        text = _one_line(text)
        ranges = self._ranges(text)
        start, end = _window(text, ranges[0][0] if ranges else 0)
        inside = [(a - start, b - start) for a, b in ranges if a >= start and b <= end]
        return Excerpt(text[start:end], inside)

    def _ranges(self, text: str) -> list[tuple[int, int]]:
        if self._any is None:
            return []
        folded = plain(text)
        places = _places(text, folded)
        spans = (found.span() for found in self._any.finditer(folded))
        if places is None:
            return list(spans)
        return [(places[start], places[end - 1] + 1) for start, end in spans]


def _pattern(term: Term) -> str:
    """A term in folded text: what separates its words may be anything but letters and digits."""
    words = r"[\W_]+".join(map(re.escape, term.words))
    return rf"(?<![^\W_]){words}" + ("" if term.prefix else r"(?![^\W_])")


def _places(text: str, folded: str) -> list[int] | None:
    """For each folded character the place of the one that it came from; None for the same.

    The text was folded just now, so that its uneven characters are known.
    """
    if text.isascii():
        return None
    if len(text) == len(folded) and _FOLDS.uneven.isdisjoint(text):
        return None
    return [place for place, char in enumerate(text) for _ in _FOLDS[ord(char)]]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _window(text: str, first: int) -> tuple[int, int]:
    """Where an excerpt begins and ends: at spaces, if there are any near."""
    start = 0
    if first > BEFORE_CHARS and len(text) > EXCERPT_CHARS:
        start = min(first - BEFORE_CHARS, len(text) - EXCERPT_CHARS)
        space = text.find(" ", start, first)
        start = space + 1 if space >= 0 else start
    end = min(start + EXCERPT_CHARS, len(text))
    if end < len(text):
        space = text.rfind(" ", first, end)
        end = space if space > first else end
    return start, end
