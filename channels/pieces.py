"""Pieces of a record that every channel makes alike: names of files, details, ids, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from domain.addresses import AddressError, parse_address

ID_MAX_CHARS: Final = 512
"""Length of a provider's id, and of a thread (contract 2.2)."""

NAME_MAX_CHARS: Final = 200
"""Length of a person's or campaign's name (contract 2.2)."""

TEXT_MAX_CHARS: Final = 100_000
"""Length of a text (contract 2.2); no messenger's own comes near it."""

FILE_NAME_MAX_CHARS: Final = 512
"""Length of a file's name (contract 2.2)."""

FILES_MAX: Final = 50
"""Files of one interaction (contract 2.2); Twilio sends at most ten."""

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
    "application/x-tgsticker": "tgs",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/mpeg3": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/plain": "txt",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "video/3gpp": "3gp",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}
"""The ending of a file's name, by its media type; of several types with one, the usual first."""

MEDIA_TYPES: Final[Mapping[str, str]] = {
    **{ending: media_type for media_type, ending in reversed(tuple(ENDINGS.items()))},
    "jpeg": "image/jpeg",
}
"""The usual media type, by the ending of a file's name."""


def file_name(given: str | None, word: str, media_type: str | None) -> str:
    """The name that the sender gave; else a word for what it is, with the ending of its type."""
    if given:
        return given[:FILE_NAME_MAX_CHARS]
    ending = ENDINGS.get((media_type or "").partition(";")[0].strip().lower())
    return f"{word}.{ending}" if ending else word


def fitting(details: Mapping[str, object]) -> bytes:
    """The details as JSON, without the last ones that do not fit."""
    kept = dict(details)
    encoded = msgspec.json.encode(kept)
    while len(encoded) > DETAILS_MAX_BYTES:
        kept.popitem()
        encoded = msgspec.json.encode(kept)
    return encoded


def short(text: str | None, most: int = ID_MAX_CHARS) -> str | None:
    """The beginning of a text that must fit into a field; None for an empty one."""
    return text[:most] if text else None


def one_line(text: str | None, most: int = NAME_MAX_CHARS) -> str | None:
    """A name on one line, single-spaced."""
    return short(" ".join(text.split()), most) if text else None


def address_or_none(text: str, country: str | None = None) -> str | None:
    """The canonical address, or None where the text is none. `country` is that of bare phones."""
    try:
        return parse_address(text, country=country)
    except AddressError:
        return None
