"""A mail as the tree of its parts, from its bytes: whatever they are, and however deep.

The standard library's parser reads line by line, recurses with each level, and raises when a
header is looked at. Here every level is one search for its boundary, levels and parts are
counted, headers stay bytes until somebody decodes them (channels/mail_words.py), and nothing is
raised. What has no shape is text: better shown as it is than lost.

Sources: RFC 5322 (headers), RFC 2045 and 2046 (parts), and what mailers make of them.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from channels.mail_words import parameters, plain_word

DEPTH_MAX: Final = 20
"""Levels of parts: people's mail has some 8; beyond, a part is a file."""

PARTS_MAX: Final = 500
"""Parts of one mail; an interaction keeps 50 files (contract 2.2)."""

HEADERS_MAX: Final = 2_000
"""Header fields of one part; long chains of relays have some 200."""

HEADERS_MAX_BYTES: Final = 1024 * 1024
"""Size of one part's headers: 3,000 references are 90 KB. What follows is taken for the body."""

STRAY_MAX_BYTES: Final = 16 * 1024
"""How far is looked behind a line that is no field, to see whether the head goes on."""

BOUNDARY_MAX_BYTES: Final = 200
"""Length of a boundary; RFC 2046 allows 70."""

_FIELD: Final = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,200})[ \t]*:(.*)", re.DOTALL)
_KNOWN: Final = frozenset(
    {b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"}
)
_FROM_LINE: Final = re.compile(rb">?From (?![ \t]*:)[^\n]*\n")
_GUESSED: Final = re.compile(
    rb"^--([^\s]{0,40}[A-Za-z0-9][^\s]{0,160})[ \t]*\r?\n(?:Content-|[ \t]*\r?\n)",
    re.IGNORECASE | re.MULTILINE,
)
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")

Headers = tuple[tuple[str, bytes], ...]
"""Fields in their order: the name in small letters, the value as it came, folds and all."""


class Part(Struct, frozen=True):
    """One part: its headers, its bytes as they came, and the parts inside."""

    headers: Headers
    body: bytes
    media_type: str
    parameters: dict[str, str]
    parts: tuple[Part, ...] = ()

    def raw(self, name: str) -> bytes | None:
        """The first field of a name, as it came."""
        return next((value for known, value in self.headers if known == name), None)

    def all_raw(self, name: str) -> list[bytes]:
        """Every field of a name, as they came, in their order."""
        return [value for known, value in self.headers if known == name]

    def value(self, name: str) -> str:
        """A field's value without parameters, in small letters, such as a media type."""
        raw = self.raw(name)
        return plain_word(raw) if raw is not None else ""

    @property
    def is_multipart(self) -> bool:
        """Whether it is made of parts."""
        return self.media_type.startswith("multipart/")

    def content(self) -> bytes:
        """The bytes that the sender meant: base64, quoted-printable and uuencode undone."""
        match self.value("content-transfer-encoding"):
            case "base64":
                return _base64(self.body)
            case "quoted-printable":
                return binascii.a2b_qp(self.body)
            case "uuencode" | "x-uuencode" | "uue" | "x-uue":
                return _uudecoded(self.body)
            case _:
                return self.body

    def walk(self) -> Iterator[Part]:
        """This part and all inside, from the outside in."""
        yield self
        for part in self.parts:
            yield from part.walk()


class _Budget:
    """Parts that may still be made."""

    def __init__(self) -> None:
        self.left = PARTS_MAX

    def take(self) -> bool:
        """Whether one more may be."""
        self.left -= 1
        return self.left >= 0


def read_mail(raw: bytes) -> Part:
    """The tree of a mail; raises nothing."""
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    mark = _FROM_LINE.match(raw)  # how a mailbox file separates its mails
    return _part(raw[mark.end() :] if mark else raw, 0, "text/plain", _Budget())


def fields_of(raw: bytes) -> Headers:
    """The header fields at the beginning of some bytes."""
    return _headers(raw)[0]


def form_parts(body: bytes, content_type: str) -> list[Part]:
    """The fields of a multipart/form-data request, in their order."""
    _, given = parameters(content_type.encode("utf-8", "replace"))
    budget = _Budget()
    pieces = _pieces(body, given.get("boundary", "").encode("utf-8", "replace"))
    return [_part(piece, DEPTH_MAX, "text/plain", budget) for piece in pieces if budget.take()]


# ------------------------------------------------------------------------ inside


def _part(raw: bytes, depth: int, default: str, budget: _Budget) -> Part:
    headers, start = _headers(raw)
    body = raw[start:]
    written = next((value for name, value in headers if name == "content-type"), b"")
    media_type, given = parameters(written)
    if "/" not in media_type:
        media_type = default
    bare = Part(headers, body, media_type, given)
    if depth >= DEPTH_MAX:
        return bare
    if media_type in {"message/rfc822", "message/global", "message/news"}:
        inner = (_part(bare.content().lstrip(b"\r\n"), depth + 1, "text/plain", budget),)
        return Part(headers, body, media_type, given, inner if budget.take() else ())
    if not bare.is_multipart and not _is_mislabelled(bare):
        return bare
    default = "message/rfc822" if media_type == "multipart/digest" else "text/plain"
    pieces = _pieces(body, _boundary(given, body))
    parts = tuple(
        _part(piece, depth + 1, default, budget) for piece in pieces if budget.take() and piece
    )
    if not parts:  # a multipart without a part: what is there is read as text
        return Part(headers, body, "text/plain", {})
    return Part(headers, body, media_type if bare.is_multipart else "multipart/mixed", given, parts)


def _is_mislabelled(part: Part) -> bool:
    """Whether a text has a boundary, and parts between it."""
    named = part.parameters.get("boundary", "").encode("utf-8", "surrogateescape")
    return bool(named) and part.media_type.startswith("text/") and b"--" + named in part.body


def _headers(raw: bytes) -> tuple[Headers, int]:
    """The header fields, and where the body begins: behind the first line that is none."""
    found: list[tuple[str, list[bytes]]] = []
    at = 0
    while at < len(raw) and at < HEADERS_MAX_BYTES and len(found) < HEADERS_MAX:
        line_end = raw.find(b"\n", at)
        stop = len(raw) if line_end < 0 else line_end + 1
        line = raw[at:stop].rstrip(b"\r\n")
        if not line:
            at = stop
            break
        if line[:1] in b" \t" and found:
            found[-1][1].append(line)
        elif (field := _FIELD.match(line)) is not None:
            found.append((field[1].decode("ascii").lower(), [field[2]]))
        elif not line.strip():
            at = stop
            break
        elif line.startswith((b"From ", b">From ")) or _goes_on(raw, stop):
            pass  # a line that is none, among others that are
        else:
            break
        at = stop
    return tuple((name, b"\n".join(lines)) for name, lines in found), at


def _goes_on(raw: bytes, at: int) -> bool:
    """Whether fields of a mail's head follow, down to an empty line."""
    block = raw[at : at + STRAY_MAX_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = block[0].split(b"\n")
    fields = [field for line in lines if (field := _FIELD.match(line)) is not None]
    is_head = all(line[:1] in b" \t" or _FIELD.match(line) for line in lines if line)
    return bool(block[1]) and is_head and any(field[1].lower() in _KNOWN for field in fields)


def _boundary(given: dict[str, str], body: bytes) -> bytes:
    """The boundary that the header names, else the one that the body seems to have."""
    named = given.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")
    if named and b"--" + named in body:
        return named
    guessed = _GUESSED.search(body)
    return guessed[1] if guessed else b""


def _pieces(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What lies between the boundaries; where the last one is missing, to the end."""
    if not boundary or len(boundary) > BOUNDARY_MAX_BYTES:
        return
    line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*\r?$", re.MULTILINE)
    start = -1
    for found in line.finditer(body):
        if start >= 0:
            yield _without_break(body[start : found.start()])
        # Behind the last one may be parts of an outer level with the same boundary.
        start = -1 if found[1] is not None else found.end() + 1
    if start >= 0:
        yield body[start:]


def _without_break(piece: bytes) -> bytes:
    """The line break before a boundary belongs to the boundary."""
    return piece.removesuffix(b"\n").removesuffix(b"\r")


def _base64(body: bytes) -> bytes:
    """What base64 stands for, with whatever does not belong there left out."""
    plain = _NOT_BASE64.sub(b"", body)
    whole = len(plain) - (len(plain) % 4 == 1)
    padded = plain[:whole] + b"=" * (-whole % 4)
    return binascii.a2b_base64(padded)


def _uudecoded(body: bytes) -> bytes:
    found = []
    for line in body.splitlines():
        if line.startswith(b"begin ") or line.strip() in {b"end", b"`", b""}:
            continue
        try:
            found.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Some encoders write more than the length byte says.
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                found.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                continue
    return b"".join(found)
