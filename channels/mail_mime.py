"""A mail as the tree of its parts, from its bytes: whatever they are, and however deep.

The standard library's parser reads line by line, recurses with each level, and raises when a
header is looked at. Here every level is one search for its boundary, levels and parts are
counted, headers stay bytes until somebody decodes them (channels/mail_words.py), and nothing is
raised. What has no shape is text: better shown as it is than lost.

A part is a place in the bytes that came, and no copy of them: 50 MB in 20 levels are 50 MB.

Sources: RFC 5322 (headers), RFC 2045 and 2046 (parts), and what mailers make of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from channels.mail_bytes import ENCODINGS, Span, decoded
from channels.mail_words import parameters, plain_word

DEPTH_MAX: Final = 20
"""Levels of parts: people's mail has some 8; beyond, a part is a file."""

PARTS_MAX: Final = 500
"""Parts of one mail; an interaction keeps 50 files (contract 2.2)."""

MARKS_MAX: Final = 100_000
"""Lines that begin like a boundary, in one mail; what follows belongs to the last part."""

GUESSES_MAX: Final = 20
"""Parts of one mail whose boundary is guessed, since the one that they name is not there."""

GUESSED_IN_MAX_BYTES: Final = 16 * 1024
"""How far from its beginning a boundary is guessed: the first one stands near it."""

HEADERS_MAX: Final = 2_000
"""Header fields of one part; long chains of relays have some 200."""

HEAD_LINES_MAX: Final = 50_000
"""Lines of all headers of one mail: 500 parts of 100 lines. What follows counts as the body."""

HEADERS_MAX_BYTES: Final = 1024 * 1024
"""Size of one part's headers: 3,000 references are 90 KB. What follows is taken for the body."""

STRAYS_MAX: Final = 50
"""Lines of one mail that are no fields and stand among them; relays leave one or two."""

STRAY_MAX_BYTES: Final = 16 * 1024
"""How far is looked behind a line that is no field, to see whether the head goes on."""

BOUNDARY_MAX_BYTES: Final = 200
"""Length of a boundary; RFC 2046 allows 70."""

PADDING_MAX_BYTES: Final = 1_000
"""Length of what may stand behind a boundary in its line: blanks that relays leave there."""

_FIELD: Final = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,200})[ \t]*:(.*)", re.DOTALL)
_KNOWN: Final = frozenset(
    {b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"}
)
_LEADING: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*")
_BREAKS: Final = re.compile(rb"[\r\n]*")
_FROM_LINE: Final = re.compile(rb">?From (?![ \t]*:)[^\n]*\n")
_GUESSED: Final = re.compile(
    rb"^--([^\s]{0,40}[A-Za-z0-9][^\s]{0,160})[ \t]*\r?\n(?:Content-|[ \t]*\r?\n)",
    re.IGNORECASE | re.MULTILINE,
)
_BEHIND: Final = re.compile(rb"(--)?[ \t]*\r?")

Headers = tuple[tuple[str, bytes], ...]
"""Fields in their order: the name in small letters, the value as it came, folds and all."""


class Part(Struct, frozen=True):
    """One part: its headers, where its bytes stand as they came, and the parts inside."""

    headers: Headers
    span: Span
    media_type: str
    parameters: dict[str, str]
    parts: tuple[Part, ...] = ()

    @property
    def body(self) -> bytes:
        """The bytes as they came: a copy, for every part but the whole."""
        return self.span.read()

    @property
    def is_blank(self) -> bool:
        """Whether nothing but white space is in it."""
        return self.span.is_blank

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
        return b"".join(self.chunks())

    def beginning(self, most_bytes: int) -> bytes:
        """The first of those bytes, and no more of them decoded than that takes."""
        span = self.span
        # A byte may be written as three, and a line break stands in every 76.
        short = Span(span.source, span.start, min(span.stop, span.start + 4 * most_bytes))
        return b"".join(decoded(short, self._encoding))[:most_bytes]

    def chunks(self) -> Iterator[bytes]:
        """What `content` gives, some at a time where its encoding allows that."""
        return decoded(self.span, self._encoding)

    @property
    def _encoding(self) -> str:
        return self.value("content-transfer-encoding")

    def walk(self) -> Iterator[Part]:
        """This part and all inside, from the outside in."""
        yield self
        for part in self.parts:
            yield from part.walk()


class _Budget:
    """How much more of one mail is read: parts, lines of headers and the like."""

    def __init__(self) -> None:
        self.parts = PARTS_MAX
        self.marks = MARKS_MAX
        self.guesses = GUESSES_MAX
        self.lines = HEAD_LINES_MAX
        self.strays = STRAYS_MAX

    def take_part(self) -> bool:
        """Whether one more part may be made."""
        self.parts -= 1
        return self.parts >= 0


def read_mail(raw: bytes) -> Part:
    """The tree of a mail; raises nothing."""
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    start = _end(_LEADING, raw, 0)
    mark = _FROM_LINE.match(raw, start)  # how a mailbox file separates its mails
    span = Span(raw, mark.end() if mark else start, len(raw))
    return _part(span, 0, "text/plain", _Budget())


def fields_of(raw: bytes) -> Headers:
    """The header fields at the beginning of some bytes."""
    return _headers(Span(raw, 0, len(raw)), _Budget())[0]


def form_parts(body: bytes, content_type: str) -> list[Part]:
    """The fields of a multipart/form-data request, in their order."""
    _, given = parameters(content_type.encode("utf-8", "replace"))
    budget = _Budget()
    boundary = given.get("boundary", "").encode("utf-8", "replace")
    pieces = _pieces(Span(body, 0, len(body)), boundary, budget)
    return [_part(piece, DEPTH_MAX, "text/plain", budget) for piece in pieces if budget.take_part()]


# ------------------------------------------------------------------------ inside


def _end(pattern: re.Pattern[bytes], source: bytes, at: int) -> int:
    """Where a pattern that matches anywhere ends."""
    found = pattern.match(source, at)
    return found.end() if found else at


def _part(span: Span, depth: int, default: str, budget: _Budget) -> Part:
    headers, start = _headers(span, budget)
    body = Span(span.source, start, span.stop)
    written = next((value for name, value in headers if name == "content-type"), b"")
    media_type, given = parameters(written)
    if "/" not in media_type:
        media_type = default
    bare = Part(headers, body, media_type, given)
    if depth >= DEPTH_MAX:
        return bare
    if media_type in {"message/rfc822", "message/global", "message/news"}:
        inner = (_part(_mail_inside(bare), depth + 1, "text/plain", budget),)
        return Part(headers, body, media_type, given, inner if budget.take_part() else ())
    if not bare.is_multipart and not _is_mislabelled(bare):
        return bare
    default = "message/rfc822" if media_type == "multipart/digest" else "text/plain"
    parts = tuple(
        _part(piece, depth + 1, default, budget)
        for piece in _pieces(body, _boundary(given, body, budget), budget)
        if budget.take_part() and piece.start < piece.stop
    )
    if not parts:  # a multipart without a part: what is there is read as text
        return Part(headers, body, "text/plain", {})
    return Part(headers, body, media_type if bare.is_multipart else "multipart/mixed", given, parts)


def _mail_inside(part: Part) -> Span:
    """The mail that a part is; decoded where it should not have been encoded, and was."""
    span = part.span
    if part.value("content-transfer-encoding") in ENCODINGS:
        content = part.content()
        span = Span(content, 0, len(content))
    return Span(span.source, min(_end(_BREAKS, span.source, span.start), span.stop), span.stop)


def _is_mislabelled(part: Part) -> bool:
    """Whether a text has a boundary, and parts between it."""
    named = part.parameters.get("boundary", "").encode("utf-8", "surrogateescape")
    return bool(named) and part.media_type.startswith("text/") and part.span.has(b"--" + named)


def _headers(span: Span, budget: _Budget) -> tuple[Headers, int]:
    """The header fields, and where the body begins: behind the first line that is none."""
    found: list[tuple[str, list[bytes]]] = []
    source, at = span.source, span.start
    end = min(span.stop, span.start + HEADERS_MAX_BYTES)
    while at < end and len(found) < HEADERS_MAX and budget.lines > 0:
        budget.lines -= 1
        line_end = source.find(b"\n", at, span.stop)
        stop = span.stop if line_end < 0 else line_end + 1
        line = source[at:stop].rstrip(b"\r\n")
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
        elif line.startswith((b"From ", b">From ")) or _goes_on(span, stop, budget):
            pass  # a line that is none, among others that are
        else:
            break
        at = stop
    return tuple((name, b"\n".join(lines)) for name, lines in found), at


def _goes_on(span: Span, at: int, budget: _Budget) -> bool:
    """Whether fields of a mail's head follow, down to an empty line."""
    budget.strays -= 1
    if budget.strays < 0:
        return False
    ahead = span.source[at : min(at + STRAY_MAX_BYTES, span.stop)]
    block = ahead.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = block[0].split(b"\n")
    fields = [field for line in lines if (field := _FIELD.match(line)) is not None]
    is_head = all(line[:1] in b" \t" or _FIELD.match(line) for line in lines if line)
    return bool(block[1]) and is_head and any(field[1].lower() in _KNOWN for field in fields)


def _boundary(given: dict[str, str], body: Span, budget: _Budget) -> bytes:
    """The boundary that the header names, else the one that the body seems to have."""
    named = given.get("boundary", "").rstrip().encode("utf-8", "surrogateescape")
    if named and body.has(b"--" + named):
        return named
    budget.guesses -= 1
    if budget.guesses < 0:
        return b""
    stop = min(body.stop, body.start + GUESSED_IN_MAX_BYTES)
    guessed = _GUESSED.search(body.source, body.start, stop)
    return guessed[1] if guessed else b""


def _pieces(body: Span, boundary: bytes, budget: _Budget) -> Iterator[Span]:
    """What lies between the boundaries; where the last one is missing, to the end."""
    if not boundary or len(boundary) > BOUNDARY_MAX_BYTES:
        return
    start = -1
    for line, behind, is_last in _marks(body, boundary, budget):
        if start >= 0:
            yield _without_break(Span(body.source, min(start, line), line))
            if budget.parts <= 0:
                return
        # Behind the last one may be parts of an outer level with the same boundary.
        start = -1 if is_last else behind
    if start >= 0:
        yield Span(body.source, min(start, body.stop), body.stop)


def _marks(body: Span, boundary: bytes, budget: _Budget) -> Iterator[tuple[int, int, bool]]:
    """The lines that are boundaries: where each begins, what follows it, and if it is the last."""
    source, mark = body.source, b"--" + boundary
    at = body.start if source.startswith(mark, body.start) else -1
    if at < 0:
        at = _next_line(body, mark, body.start)
    while at >= 0 and budget.marks > 0:
        budget.marks -= 1
        end = source.find(b"\n", at, min(at + len(mark) + PADDING_MAX_BYTES, body.stop))
        if end < 0 and body.stop <= at + len(mark) + PADDING_MAX_BYTES:
            end = body.stop
        behind = _BEHIND.fullmatch(source, at + len(mark), end) if end >= 0 else None
        if behind is not None:
            yield at, end + 1, behind[1] is not None
        at = _next_line(body, mark, at)


def _next_line(body: Span, mark: bytes, at: int) -> int:
    """Where the next line begins that begins so; -1 where none does."""
    found = body.source.find(b"\n" + mark, at, body.stop)
    return found + 1 if found >= 0 else -1


def _without_break(piece: Span) -> Span:
    """The line break before a boundary belongs to the boundary."""
    source, stop = piece.source, piece.stop
    for char in b"\n\r":
        if stop > piece.start and source[stop - 1] == char:
            stop -= 1
    return Span(source, piece.start, stop)
