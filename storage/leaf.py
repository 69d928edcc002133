"""What the Merkle tree is made of: entries of stored bytes (RFC 6962, C2SP tlog).

Entry, version 1: 0x01, lp(origin), u64 position, originator id (16), u32 version, lp(topic),
i64 recorded_at in µs, lp(clear header as stored), u8 number of sections, then for each its key
id (16) and the SHA-256 of its stored bytes (nonce ‖ ciphertext ‖ tag). lp puts the length before
the bytes as an unsigned 32-bit number; all numbers are big-endian. Stored bytes are hashed,
never what is in them: a hash of a phone number would give it away.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import Final

from domain.ports import StoredEntry
from storage.frame import split

ENTRY_VERSION: Final = b"\x01"
LEAF_PREFIX: Final = b"\x00"
"""RFC 6962, 2.1: what tells a leaf from an inner node."""

_PLACE: Final = Struct(">Q16sI")
_TIME_AND_LENGTH: Final = Struct(">qI")

_NAMES_KEPT: Final = 256
"""Framed origins and topics in memory: one ledger has one origin and some dozens of topics."""


def entry_bytes(entry: StoredEntry, origin: str) -> bytes:
    """The entry (version 1) of a row of the log that is called `origin`; below 65,535 bytes.

    Raises Damaged where the state cannot be taken apart.
    """
    header, sections = split(entry)
    parts = [
        ENTRY_VERSION,
        _framed(origin),
        _PLACE.pack(entry.position, entry.originator_id.bytes, entry.originator_version),
        _framed(entry.topic),
        _TIME_AND_LENGTH.pack(entry.recorded_at, len(header)),
        header,
        len(sections).to_bytes(1, "big"),
    ]
    for key_id, body in sections:
        parts += (key_id, sha256(body).digest())
    return b"".join(parts)


def leaf_hash(entry: StoredEntry, origin: str) -> bytes:
    """The 32 bytes that stand for a row of the log in its tree: SHA-256(0x00 ‖ entry)."""
    return sha256(LEAF_PREFIX + entry_bytes(entry, origin)).digest()


@lru_cache(_NAMES_KEPT)
def _framed(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(4, "big") + raw
