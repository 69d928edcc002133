"""Who stands in a mail's address headers: names and addresses, however they are written.

    "Núñez, Ana" <ana@example.mx>, luis@example.mx (Luis), Taller: a@b.mx, c@d.mx;

Headers are read before their encoded words are decoded: a comma inside a name parts nobody.
Source: RFC 5322, 3.4, and what mailers write instead.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from channels.mail_words import bare_text, clean, unworded
from domain.addresses import AddressError, parse_address

HEADER_MAX_BYTES: Final = 256 * 1024
"""How much of an address header is read: some 5,000 recipients."""

NAME_MAX_CHARS: Final = 200
"""Length of a name (contract 2.2)."""

_TOKEN: Final = re.compile(
    r'"(?:\\.|[^"\\])*"?|\((?:\\.|[^()\\])*\)?|<[^<>]*>?|[,;:]|[^"(<,;:]+', re.DOTALL
)
_COMMENT: Final = re.compile(r"\([^()]*\)|\s+(?=[.@])|(?<=[.@])\s+")
_FOUND: Final = re.compile(r"[^\s<>@,;:\"'()\[\]\\]{1,128}@[^\s<>@,;:\"'()\\]{1,255}")


class Mailbox(Struct, frozen=True):
    """An address as canonical text (`mailto:…`), and what its owner is called there."""

    address: str
    name: str | None = None


def mailboxes(raw: bytes | None, charset: str | None = None) -> list[Mailbox]:
    """Everybody in a header, in their order; what is no address is left out."""
    if not raw:
        return []
    text = " ".join(bare_text(raw[:HEADER_MAX_BYTES], charset).split())
    found: list[Mailbox] = []
    pending = _Pending()
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in ",;":
            pending.end(found)
        elif word == ":" and not pending.has_address:
            pending = _Pending()  # the name of a group
        else:
            pending.add(word)
    pending.end(found)
    if not found and (plain := unworded(text)) != text and "@" in plain:
        return mailboxes(plain.encode("utf-8", "replace"))  # the whole was one encoded word
    return found


def every_mailbox(headers: list[bytes], charset: str | None = None) -> list[Mailbox]:
    """Everybody in several headers of one name, in their order, nobody twice."""
    found: dict[str, Mailbox] = {}
    for raw in headers:
        for box in mailboxes(raw, charset):
            found.setdefault(box.address, box)
    return list(found.values())


@lru_cache(maxsize=4_096)
def mailto(written: str) -> str | None:
    """The canonical address of what somebody wrote as one; None where it is none."""
    plain = unworded(written) if "=?" in written else written
    if plain.startswith('"') and (quoted := _canonical(plain.strip())):
        return quoted
    plain = plain.strip(" \t'\"<>.,").removeprefix("mailto:").removeprefix("smtp:")
    if plain.startswith("@"):  # a route: <@relay,@relay:ana@example.mx>
        plain = plain.rpartition(":")[2]
    found = _canonical(plain)
    if found is None and (inside := _FOUND.search(plain)):
        found = _canonical(inside[0].rstrip("."))
    return found


def _canonical(plain: str) -> str | None:
    try:
        return parse_address(f"mailto:{plain}", country=None) if "@" in plain else None
    except AddressError:
        return None


class _Pending:
    """One entry while it is read."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._comments: list[str] = []
        self._angle: str | None = None

    @property
    def has_address(self) -> bool:
        """Whether an address was seen."""
        return self._angle is not None or any("@" in word for word in self._words)

    def add(self, word: str) -> None:
        """One more word of it."""
        if word.startswith("<"):
            inside = _COMMENT.sub("", word.strip("<>"))
            if "@" in inside or self._angle is None:
                self._angle = inside
        elif word.startswith("("):
            self._comments.append(word.strip("()"))
        else:
            self._words.append(word)

    def end(self, found: list[Mailbox]) -> None:
        """The entry is over: keep it where it is one, and begin anew."""
        words, comments, angle = self._words, self._comments, self._angle
        self._words, self._comments, self._angle = [], [], None
        if angle is not None and (address := mailto(angle)):
            found.append(Mailbox(address, _name(words) or _name(comments)))
            return
        bare = "".join(words)
        if "@" not in bare:
            return
        address = mailto(bare.strip())
        if address is not None:
            is_quoted = _canonical(bare.strip()) is not None
            rest = [] if is_quoted else [word for word in bare.split() if "@" not in word]
            found.append(Mailbox(address, _name([" ".join(rest)]) or _name(comments)))


def _name(words: list[str]) -> str | None:
    """A name without its quotes, on one line; none where it is only an address again."""
    plain = " ".join(_unquoted(word) for word in words)
    text = " ".join(clean(unworded(plain)).split()).strip("'\" ")
    if not text or (_FOUND.fullmatch(text) and mailto(text)):
        return None
    return "".join(char if char.isprintable() else " " for char in text)[:NAME_MAX_CHARS].strip()


def _unquoted(word: str) -> str:
    if not word.startswith('"'):
        return word
    return re.sub(r"\\(.)", r"\1", word[1:].removesuffix('"'))
