"""The small words of the domain: enums, normal forms of names, and derived ids.

Nothing here reads a clock or makes a random number. What is derived depends on its arguments
alone, so that two processes, or one process ten years later, get the same ids.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NewType
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

if TYPE_CHECKING:
    from collections.abc import Mapping

DICTIONARY_KEY_MAX_CHARS: Final = 80
"""Length of a department's or campaign's key (contract 2.1): it stands in links and filters."""

SOURCE_MAX_CHARS: Final = 128
"""Length of a source (contract 2.2): a kind, a colon, and an account of its provider."""

SECRET_BYTES: Final = 32
"""Length of a ledger's secret: as long as the output of the hash that it keys."""

ComparisonKey = NewType("ComparisonKey", str)
"""The text by which two spellings of one address are the same; made by `comparison_key`."""


class Channel(StrEnum):
    """Over what the company and a contact communicated."""

    CALL = "call"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    INSTAGRAM = "instagram"
    TELEGRAM = "telegram"
    EMAIL = "email"
    FORM = "form"
    WEBCHAT = "webchat"
    WALK_IN = "walk_in"
    OTHER = "other"


class Direction(StrEnum):
    """Who began it: the contact (inbound) or a user (outbound)."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Origin(StrEnum):
    """How the record came to be."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"
    IMPORTED = "imported"


class TimeSource(StrEnum):
    """Who says when it happened."""

    PROVIDER = "provider"
    RECEIVED = "received"
    TYPED = "typed"
    IMPORT = "import"


class CallOutcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    MISSED = "missed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    FAILED = "failed"
    CANCELED = "canceled"


class Auto(StrEnum):
    """Why a message counts as written by a machine."""

    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    BULK = "bulk"


class Role(StrEnum):
    """What a further participant was in an interaction."""

    FROM = "from"
    TO = "to"
    CC = "cc"
    BCC = "bcc"
    MEMBER = "member"
    ALIAS = "alias"


class FilePart(StrEnum):
    """What a kept file is, where it is none that a sender attached."""

    HTML = "html"
    """The body of a mail, made safe to be shown."""
    ORIGINAL = "original"
    """The mail itself, as it came, where it is too large for its event."""
    RECORDING = "recording"
    """What was said in a call."""
    ANSWERS = "answers"
    """What somebody answered on a lead's form; it becomes the text, and no file of its own."""


class DeliveryState(StrEnum):
    """How far a message came; a provider's word that is none of these is UNKNOWN, and kept."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """The place in the one order by which states fold: the greatest wins, whenever it came.

        Statuses arrive late, twice and in any order, so the fold is a maximum: `sent` never
        undoes `failed`, and `failed` never undoes a `delivered` that another device reported.
        A failure is its own branch all the same: whoever folds keeps it beside the state.
        """
        return _RANKS[self]


_RANKS: Final[Mapping[DeliveryState, int]] = {
    DeliveryState.UNKNOWN: 0,
    DeliveryState.QUEUED: 1,
    DeliveryState.SENT: 2,
    DeliveryState.FAILED: 3,
    DeliveryState.DELIVERED: 4,
    DeliveryState.READ: 5,
    DeliveryState.PLAYED: 6,
}


class BadValue(ValueError):
    """Text that is not what its field holds; the caller knows the field's name.

    `code` is stable and goes into `errors[].code`; `message` says what to write instead.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


_ECHO_MAX_CHARS: Final = 60
"""What an error repeats of the text it is about; contract 2.7 allows 80."""


def echo(text: str) -> str:
    """What an error message may show of a text: its beginning, on one line, printable."""
    shown = text if len(text) <= _ECHO_MAX_CHARS else f"{text[: _ECHO_MAX_CHARS - 1]}…"
    return "".join(char if char.isprintable() else "?" for char in shown)


# ----------------------------------------------------------------------- names

_SOURCE: Final = re.compile(r"[a-z_]+(?::[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+)?")
_NOT_KEY: Final = re.compile(r"[^a-z0-9]+")


def is_source(text: str) -> bool:
    """Whether the text is a source: `manual`, `import:<name>`, `whatsapp:<number id>` (2.2)."""
    return len(text) <= SOURCE_MAX_CHARS and _SOURCE.fullmatch(text) is not None


def staff_name(name: str) -> str:
    """The normal form from which the id of a person who is no user is derived (contract 2.1).

    NFKC, case-folded, single-spaced: two spellings that a reader takes for one name are one.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def dictionary_key(name: str) -> str:
    """The key of a department or campaign: 1 to 80 of `a-z 0-9 -` (contract 2.1).

    NFKD without the accents that it splits off, case-folded, all else one hyphen: `Atención`
    gives `atencion`. A key gives itself. A name that leaves nothing (日本) gives `x-` and the
    first 12 hex digits of the SHA-256 of its normal form, so that two such names stay two.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    key = _NOT_KEY.sub("-", plain).strip("-")[:DICTIONARY_KEY_MAX_CHARS].rstrip("-")
    if key:
        return key
    digest = hashlib.sha256(staff_name(name).encode("utf-8", "backslashreplace"))
    return f"x-{digest.hexdigest()[:12]}"


# ----------------------------------------------------------------- derived ids

_ID_BYTES: Final = 16
_VERSION_8: Final = 8 << 76
_VARIANT: Final = 0b10 << 62
_FREE_BITS: Final = ((1 << 128) - 1) & ~(0b1111 << 76) & ~(0b11 << 62)
_HEADS_KEPT: Final = 1_024
"""Beginnings of facts kept ready, one a source and kind: more accounts than a company has."""


class Deriver:
    """Ids and address codes of one ledger, derived from its secret (design 2.2).

    A code is HMAC-SHA256(secret, lp(ledger id) ‖ lp(label) ‖ lp(part) …), where lp puts the
    length before the bytes as an unsigned 32-bit big-endian number; text goes in as UTF-8, a
    UUID as its 16 bytes. An id is the first 16 bytes of a code as a UUID of version 8
    (RFC 9562, 5.8). The ledger id is hashed in once, when the object is made.
    """

    __slots__ = ("_keyed",)

    def __init__(self, secret: bytes, ledger_id: UUID) -> None:
        """Raise ValueError unless the secret has 32 bytes."""
        if len(secret) != SECRET_BYTES:
            message = f"a ledger's secret has {SECRET_BYTES} bytes, not {len(secret)}"
            raise ValueError(message)
        self._keyed = HMAC(secret, SHA256())
        self._keyed.update(_framed(ledger_id))

    def code(self, label: str, *parts: str | bytes | UUID) -> bytes:
        """All 32 bytes of the code of a label and its parts."""
        return self._code(_framed(label, *parts))

    def id(self, label: str, *parts: str | bytes | UUID) -> UUID:
        """The id of a label and its parts: `id('contact', contact_id)` is a contact's stream.

        A UUID goes in as a UUID: its text would give another id.
        """
        return _id(self._code(_framed(label, *parts)))

    def fact(self, namespace: str, kind: str, key: str) -> UUID:
        """The stream of an external fact, from what makes it unique (design 2.2)."""
        return _id(self._code(_head("fact", namespace, kind) + _framed(key)))

    def mac(self, comparison: ComparisonKey) -> bytes:
        """The 32 bytes by which the key store finds the subject of an address."""
        return self._code(_head("address") + _framed(comparison))

    def _code(self, framed: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(framed)
        return keyed.finalize()


def derive(secret: bytes, ledger_id: UUID, label: str, *parts: str | bytes | UUID) -> UUID:
    """One id, where no Deriver is at hand."""
    return Deriver(secret, ledger_id).id(label, *parts)


def derive_mac(secret: bytes, ledger_id: UUID, label: str, *parts: str | bytes | UUID) -> bytes:
    """One code of 32 bytes, where no Deriver is at hand."""
    return Deriver(secret, ledger_id).code(label, *parts)


def _framed(*parts: str | bytes | UUID) -> bytes:
    """Each part behind its length: no two lists of parts give the same bytes."""
    framed = b""
    for part in parts:
        if isinstance(part, str):
            raw = part.encode()
        elif isinstance(part, UUID):
            raw = part.bytes
        else:
            raw = part
        framed += len(raw).to_bytes(4, "big") + raw
    return framed


@lru_cache(maxsize=_HEADS_KEPT)
def _head(*parts: str) -> bytes:
    """The same, of what many codes begin with."""
    return _framed(*parts)


def _id(code: bytes) -> UUID:
    bits = int.from_bytes(code[:_ID_BYTES], "big") & _FREE_BITS | _VERSION_8 | _VARIANT
    # The conversion takes half as long as the constructor of a UUID.
    return msgspec.convert(bits.to_bytes(_ID_BYTES, "big"), UUID)
