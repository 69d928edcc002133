"""A mail made of the fields that a provider read out of it, where the mail itself did not come.

Every provider can send the mail as it is, and should be set to; one that is not sends its pieces.
They are put together again as a mail, so that one reader reads both. Its key is then another
than that of the mail itself.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

HEADERS_MAX: Final = 1_000
"""Header fields that are taken over."""

ELSEWHERE: Final = "X-Hilo-Elsewhere"
"""Marks a file of which a provider told name and type alone."""

_MADE_HERE: Final = frozenset(
    {"content-type", "content-transfer-encoding", "mime-version", "content-length"}
)


class Piece(Struct, frozen=True):
    """A file that came with a mail; `content` is None where the provider kept its bytes."""

    name: str
    media_type: str
    content: bytes | None


class Pieces(Struct, frozen=True, kw_only=True):
    """What a provider tells of a mail. `headers` in their order, names as they were written."""

    headers: Sequence[tuple[str, str]]
    text: str | None = None
    html: str | None = None
    files: Sequence[Piece] = ()


def composed(pieces: Pieces) -> bytes:
    """The bytes of a mail; equal pieces give equal bytes."""
    parts = [
        _part(f"text/{kind}; charset=utf-8", body.encode("utf-8", "replace"))
        for kind, body in (("plain", pieces.text), ("html", pieces.html))
        if body
    ]
    whole = b"".join(parts)
    boundary = f"=_{hashlib.sha256(whole).hexdigest()[:40]}"
    body = _joined(boundary, parts)
    if pieces.files:
        files = [_part(_typed(file), _encoded(file), "base64") for file in pieces.files]
        inner = _part(f'multipart/alternative; boundary="{boundary}"', body)
        body = _joined(f"{boundary}.", [inner, *files])
    kind, mark = ("mixed", f"{boundary}.") if pieces.files else ("alternative", boundary)
    lines = [
        f"{_line(name)}: {_line(value)}"
        for name, value in pieces.headers[:HEADERS_MAX]
        if _line(name).lower() not in _MADE_HERE
    ]
    lines += ["MIME-Version: 1.0", f'Content-Type: multipart/{kind}; boundary="{mark}"']
    return "\n".join(lines).encode("utf-8", "replace") + b"\n\n" + body


def mailbox(address: str, name: str | None = None) -> str:
    """One entry of an address header."""
    if not name:
        return f"<{_line(address)}>"
    quoted = _line(name).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{_line(address)}>'


def _joined(boundary: str, parts: Iterable[bytes]) -> bytes:
    mark = boundary.encode()
    return b"".join(b"--" + mark + b"\n" + part + b"\n" for part in parts) + b"--" + mark + b"--\n"


def _part(content_type: str, content: bytes, encoding: str = "8bit") -> bytes:
    head = f"Content-Type: {content_type}\nContent-Transfer-Encoding: {encoding}\n\n"
    return head.encode("utf-8", "replace") + content


def _encoded(file: Piece) -> bytes:
    return b64encode(file.content or b"")


def _typed(file: Piece) -> str:
    """A file's type and its name, as the rest of its head."""
    name = _line(file.name).replace("\\", "\\\\").replace('"', '\\"')
    kind = _line(file.media_type) or "application/octet-stream"
    mark = "" if file.content is not None else f"\n{ELSEWHERE}: yes"
    return f'{kind}; name="{name}"\nContent-Disposition: attachment; filename="{name}"{mark}'


def _line(text: str) -> str:
    """A value that stays on its line."""
    return " ".join(text.split())
