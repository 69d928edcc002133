"""The bytes of a mail: places in them, and what is written there in base64 and the like.

Whatever is bent is read as far as it goes; nothing is raised, and a large file is decoded some at
a time.

Sources: RFC 2045 (base64, quoted-printable), and what uuencode writes.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from msgspec import Struct

UU_LINES_MAX: Final = 1_000_000
"""Lines of a uuencoded file: of 45 bytes each, so many are near a mail's greatest size."""

CHUNK_BYTES: Final = 1024 * 1024
"""How much of a file is decoded at a time."""

SAMPLE_BYTES: Final = 4 * 1024
"""How much is looked at to see whether something is base64."""

FOREIGN_ONE_IN: Final = 20
"""Prose has a blank after some six letters; base64 that lost its line breaks, after 64 or 76."""

_UU: Final = frozenset({"uuencode", "x-uuencode", "uue", "x-uue"})

ENCODINGS: Final = _UU | {"base64", "quoted-printable"}
"""What bytes may be written in, beside as they are."""

_CR: Final = 0x0D
_NOT_BLANK: Final = re.compile(rb"\S")
_LINE: Final = re.compile(rb"[^\r\n]+")
_FOREIGN: Final = re.compile(rb"(?<=\S)[ \t]+(?=\S)|[\x80-\xff]")
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64: Final = bytes(byte for byte in range(256) if byte not in _BASE64)


class Span(Struct, frozen=True):
    """A place in some bytes."""

    source: bytes
    start: int
    stop: int

    def read(self) -> bytes:
        """What stands there; of the whole, no copy."""
        return self.source[self.start : self.stop]

    def chunks(self) -> Iterator[bytes]:
        """The same, some at a time."""
        for at in range(self.start, self.stop, CHUNK_BYTES):
            yield self.source[at : min(at + CHUNK_BYTES, self.stop)]

    def lines(self) -> Iterator[bytes]:
        """The same with one kind of line break, and none of the white space at its end."""
        at, stop = self.start, self._content_end()
        while at < stop:
            end = min(at + CHUNK_BYTES, stop)
            if end < stop and self.source[end - 1] == _CR:  # a line break is not cut
                end += 1
            yield self.source[at:end].replace(b"\r\n", b"\n")
            at = end

    @property
    def is_blank(self) -> bool:
        """Whether nothing but white space is there."""
        return _NOT_BLANK.search(self.source, self.start, self.stop) is None

    def _content_end(self) -> int:
        """Where the white space at the end begins."""
        stop = self.stop
        while stop > self.start:
            chunk = self.source[max(self.start, stop - CHUNK_BYTES) : stop]
            kept = len(chunk.rstrip())
            stop -= len(chunk) - kept
            if kept:
                break
        return stop

    def has(self, what: bytes) -> bool:
        """Whether something stands in it."""
        return self.source.find(what, self.start, self.stop) >= 0


def decoded(span: Span, encoding: str) -> Iterator[bytes]:
    """What is written at a place in an encoding, some at a time."""
    if encoding == "base64" and _may_be_base64(span):
        yield from _base64(span)
    elif encoding == "quoted-printable":
        yield binascii.a2b_qp(span.read())
    elif encoding in _UU:
        yield from _uudecoded(span)
    else:
        yield from span.chunks()


def _may_be_base64(span: Span) -> bool:
    """Whether it is what it claims to be.

    Words with blanks between them, and letters of no ASCII, were sent as they are.
    """
    sample = span.source[span.start : min(span.stop, span.start + SAMPLE_BYTES)]
    return FOREIGN_ONE_IN * len(_FOREIGN.findall(sample)) <= len(sample)


def _base64(span: Span) -> Iterator[bytes]:
    """What base64 stands for, with whatever does not belong there left out."""
    left = b""
    for chunk in span.chunks():
        plain = left + chunk.translate(None, _NOT_BASE64)
        whole = len(plain) - len(plain) % 4
        yield binascii.a2b_base64(plain[:whole])
        left = plain[whole:]
    if len(left) > 1:
        yield binascii.a2b_base64(left + b"=" * (4 - len(left)))


def _uudecoded(span: Span) -> Iterator[bytes]:
    lines = islice(_LINE.finditer(span.source, span.start, span.stop), UU_LINES_MAX)
    for line in (found[0] for found in lines):
        if line.startswith(b"begin ") or line.strip() in {b"end", b"`", b""}:
            continue
        try:
            yield binascii.a2b_uu(line)
        except binascii.Error:
            # Some encoders write more than the length byte says.
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                yield binascii.a2b_uu(line[:length])
            except binascii.Error:
                continue
