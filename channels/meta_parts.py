"""What the channels of Meta have in common: limits, names of files, addresses, moments, keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from channels.lenient import Json, Unfit, moment_of
from domain.addresses import AddressError, parse_address

if TYPE_CHECKING:
    from domain.values import TimeSource

TEXT_MAX_CHARS: Final = 100_000
"""Length of a text (contract 2.2); WhatsApp's own have 4,096, Messenger's 2,000."""

NAME_MAX_CHARS: Final = 200
"""Length of a person's or a campaign's name (contract 2.2)."""

ID_MAX_CHARS: Final = 512
"""Length of a provider's id (contract 2.2); theirs have some 60 to 200, user ids up to 256."""

FILE_NAME_MAX_CHARS: Final = 512
"""Length of a file's name (contract 2.2)."""

FILES_MAX: Final = 50
"""Files of one message (contract 2.2); Messenger sends at most 30 together."""

DETAILS_MAX_BYTES: Final = 8 * 1024
"""Size of the details (contract 2.2): what is beyond stays in the original."""

ANY_MEDIA: Final = "application/octet-stream"

# A table of our own: the system's differs between machines, and a name is part of the content.
ENDINGS: Final[Mapping[str, str]] = {
    "application/msword": "doc",
    "application/pdf": "pdf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/plain": "txt",
    "video/3gpp": "3gp",
    "video/mp4": "mp4",
}
"""The ending of a file's name, by its media type."""

MEDIA_TYPES: Final[Mapping[str, str]] = {
    **{ending: media_type for media_type, ending in ENDINGS.items()},
    "jpeg": "image/jpeg",
}
"""The media type, by the ending of a file's name."""

_OFFSET_WITHOUT_COLON: Final = re.compile(r"(.{16,32}[+-][0-9]{2})([0-9]{2})", re.DOTALL)


def named(word: str, media_type: str | None) -> str:
    """The name of a file that has none: what it is, and the ending of its media type."""
    ending = ENDINGS.get((media_type or "").partition(";")[0].strip().lower())
    return f"{word}.{ending}" if ending else word


def token(text: str) -> str:
    """An id without the blanks that an address cannot have."""
    return "".join(text.split())


def account_token(text: str) -> str:
    """The id of an account of ours; the slash that ends it in an address is none of it."""
    return token(text).replace("/", "_")


def address_or_none(text: str) -> str | None:
    """The canonical address, or None where the text is none."""
    try:
        return parse_address(text, country=None)
    except AddressError:
        return None


def moment(written: str | None, received_at: int) -> tuple[int, TimeSource]:
    """As `moment_of`; also with an offset that lacks its colon, as Meta's other APIs write it."""
    found = _OFFSET_WITHOUT_COLON.fullmatch(written or "")
    return moment_of(f"{found[1]}:{found[2]}" if found else written, received_at)


def digest_key(*parts: object) -> str:
    """A key for what has no id of its own: the same parts give the same key."""
    plain = msgspec.json.encode(parts, order="deterministic")
    return f"sha256:{hashlib.sha256(plain).hexdigest()}"


def key_or_digest(id_: str | None, *parts: object) -> tuple[str, str | None]:
    """What makes a message unique, and its id; without one, what it says is its key.

    Raises Unfit for an id that is too long to be kept.
    """
    if id_ is None:
        return digest_key(*parts), None
    if len(id_) > ID_MAX_CHARS:
        raise Unfit("the message's id is too long")
    return id_, id_


def short(text: str | None) -> str | None:
    """An id, as much of it as is kept."""
    return text[:ID_MAX_CHARS] if text else None


def title(*candidates: str | None) -> str | None:
    """The first name that is one, on one line, as much of it as is kept."""
    name = next((text for text in candidates if text), None)
    return " ".join(name.split())[:NAME_MAX_CHARS] if name else None


def fitting(details: dict[str, object]) -> bytes:
    """The details as JSON, without the last ones that do not fit."""
    encoded = msgspec.json.encode(details)
    while len(encoded) > DETAILS_MAX_BYTES:
        details.popitem()
        encoded = msgspec.json.encode(details)
    return encoded


def without(item: Json, *names: str) -> dict[str, object]:
    """An object without some of its fields."""
    return {name: inner for name, inner in item.items() if name not in names}
