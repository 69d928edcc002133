"""How a file that somebody else wrote is sent: so that it can be read, and can do nothing.

Only what cannot run is shown in place (images, sound, films, plain text); all else is saved, and
what a browser might render is not called what it is. The body of a mail that was made safe is
the one page among them, shut off from everything but the images that came along.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from domain.values import FilePart

if TYPE_CHECKING:
    from starlette.requests import Request

    from storage.blob_seal import Opened

NAME_MAX_CHARS: Final = 512
"""Length of a file's name (contract 2.2)."""

ANY_MEDIA: Final = "application/octet-stream"

_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
_SHOWN: Final = frozenset(
    {
        *("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"),
        *("audio/mpeg", "audio/mp3", "audio/mp4", "audio/ogg", "audio/aac", "audio/amr"),
        *("audio/wav", "audio/x-wav", "audio/webm", "audio/flac", "audio/x-m4a", "audio/3gpp"),
        *("video/mp4", "video/webm", "video/ogg", "video/quicktime", "video/3gpp"),
        "text/plain",
    }
)
"""What is shown in place; nothing of it can run."""

_ACTIVE: Final = re.compile(
    r"(text/(html|xml|css|javascript|.*script.*)|.*/.*(html|xml|script|mhtml|flash|xsl|svg).*"
    r"|multipart/.*|message/.*|text/x-.*)"
)
"""What a browser might run or render, if it was told what it is: so it is not told."""

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

_SEALED_OFF: Final = "default-src 'none'; sandbox; frame-ancestors 'self'"
_MAIL_POLICY: Final = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
"""For the body of a mail that was made safe: no script, nothing from elsewhere. Same origin, so
that the images which came along are had with the reader's session."""


class Sent(Struct, frozen=True):
    """A file that is to be sent: its opened bytes, what it is called, and what it is."""

    opened: Opened
    name: str
    media_type: str
    part: str | None = None


def sent(request: Request, file: Sent) -> Response:
    """A file as an answer, or the range of it that was asked for."""
    size = file.opened.size_bytes
    headers = headers_of(file.name, file.media_type, file.part)
    span = span_of(request.headers.get("range"), size)
    if span is None:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    start, stop = span
    partial = "range" in request.headers and (start, stop) != (0, size)
    if partial:
        headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["content-length"] = str(stop - start)
    body = _parts(file.opened, start, stop)
    return StreamingResponse(body, 206 if partial else 200, headers)


async def _parts(opened: Opened, start: int, stop: int) -> AsyncIterator[bytes]:
    parts = opened.read(start, stop)

    def further() -> bytes | None:
        return next(parts, None)

    while (part := await run_in_threadpool(further)) is not None:
        yield part


def headers_of(name: str, media_type: str, part: str | None = None) -> dict[str, str]:
    """How a file is sent: what it is, what it is called, and that it may do nothing."""
    plain = media_type.partition(";")[0].strip().lower()
    shown, policy = plain in _SHOWN, _SEALED_OFF
    if part == FilePart.HTML:
        plain, shown, policy = "text/html; charset=utf-8", True, _MAIL_POLICY
    elif plain == "text/plain":
        plain = "text/plain; charset=utf-8"
    elif not _MEDIA_TYPE.fullmatch(plain) or _ACTIVE.fullmatch(plain):
        plain = ANY_MEDIA
    clean = clean_name(name)
    ascii_name = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in clean)
    kind = "inline" if shown else "attachment"
    told = f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(clean, safe='')}"
    return {
        "content-type": plain,
        "content-disposition": told,
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "accept-ranges": "bytes",
        "cache-control": "no-store",
    }


def span_of(asked: str | None, size: int) -> tuple[int, int] | None:
    """The bytes that a Range header asks for, as [start, stop); None where there are none such.

    All of them without one, and for several or other ranges (RFC 9110, 14.2).
    """
    found = _RANGE.fullmatch(asked.strip()) if asked else None
    if found is None or found[0] == "bytes=-":
        return 0, size
    first, last = found[1], found[2]
    if not first:
        length = min(int(last), size)
        return (size - length, size) if length else None
    start = int(first)
    stop = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return 0, size
    return (start, stop) if start < size else None


def clean_name(given: str | None) -> str:
    """A file's name without folders, line breaks, and what turns text around."""
    base = (given or "").replace("\\", "/").rpartition("/")[2]
    plain = "".join(char if char.isprintable() else " " for char in base)
    return " ".join(plain.split()).strip(". ")[:NAME_MAX_CHARS] or "file"


def clean_type(given: str | None) -> str:
    """The media type that was said, without parameters; for none, and a form's own, any."""
    plain = (given or "").partition(";")[0].strip().lower()
    is_one = _MEDIA_TYPE.fullmatch(plain) is not None
    return plain if is_one and plain != "application/x-www-form-urlencoded" else ANY_MEDIA
