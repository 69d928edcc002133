"""What the Merkle tree is made of: entries of stored bytes (RFC 6962, C2SP tlog).

Entry, version 1: 0x01, lp(origin), u64 position, originator id (16), u32 version, lp(topic),
i64 recorded_at in µs, lp(clear header as stored), u8 number of sections, then for each its key
id (16) and the SHA-256 of its stored bytes (nonce ‖ ciphertext ‖ tag). lp puts the length before
the bytes as an unsigned 32-bit number; all numbers are big-endian. Stored bytes are hashed,
never what is in them: a hash of a phone number would give it away.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from struct import Struct
from struct import error as not_packed
from typing import Final

from domain.errors import Damaged
from domain.ports import StoredEntry
from storage.frame import FORMAT, MAX_HEADER_BYTES, split

Row = tuple[int, bytes, int, str, int, bytes]
"""position, originator (16 bytes), version, topic, recorded_at (µs), state: as `scanned` gives."""

ENTRY_VERSION: Final = b"\x01"
LEAF_PREFIX: Final = b"\x00"
"""RFC 6962, 2.1: what tells a leaf from an inner node."""

_PLACE: Final = Struct(">Q16sI")
_TIME_AND_LENGTH: Final = Struct(">qI")

_SECTION: Final = Struct(">16sI")
SECTION_HEAD_BYTES: Final = _SECTION.size
"""What stands before a section's bytes in a state: its key id and its length."""

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


def entry_maker(origin: str, prefix: bytes = b"") -> Callable[[Row], bytes]:
    """What makes the tree entries of rows of that log, quickly: for whoever reads all of them.

    After `prefix` it gives what `entry_bytes` gives, and raises Damaged as that does; a test holds
    them together.
    """
    start, place, time = (
        prefix + ENTRY_VERSION + _framed(origin),
        _PLACE.pack,
        _TIME_AND_LENGTH.pack,
    )
    section, number, join, hashed = _SECTION.unpack_from, int.from_bytes, b"".join, sha256
    topics: dict[str, bytes] = {}

    def entry(row: Row) -> bytes:
        position, originator, version, topic, recorded_at, state = row
        size = number(state[1:3], "big")
        at = 4 + size
        if state[:1] != FORMAT or size > MAX_HEADER_BYTES or at > len(state):
            raise Damaged(position, "its state ends inside the header, or is of no known format")
        framed = topics.get(topic)
        if framed is None:
            framed = topics[topic] = _framed(topic)
        # The header and the number of sections lie side by side in the state as in the entry.
        parts = [
            start,
            place(position, originator, version),
            framed,
            time(recorded_at, size),
            state[3:at],
        ]
        try:
            for _ in range(state[at - 1]):
                key_id, length = section(state, at)
                at += SECTION_HEAD_BYTES
                parts += (key_id, hashed(state[at : at + length]).digest())
                at += length
        except not_packed as error:
            raise Damaged(position, "its state ends inside a section") from error
        if at != len(state):
            raise Damaged(position, "its state does not end where its last section does")
        return join(parts)

    return entry


def read_entry(entry: bytes, position: int) -> tuple[int, str, int, str]:
    """Position, topic, recorded_at (µs) and origin of an entry that should be the one there.

    Raises Damaged, with that position, where the bytes are no entry.
    """
    try:
        if entry[:1] != ENTRY_VERSION:
            raise Damaged(position, "its entry is of no known version")
        origin, at = _unframed(entry, 1)
        found, _, _ = _PLACE.unpack_from(entry, at)
        topic, at = _unframed(entry, at + _PLACE.size)
        recorded_at, _ = _TIME_AND_LENGTH.unpack_from(entry, at)
    except (not_packed, UnicodeDecodeError) as error:
        raise Damaged(position, "its entry cannot be read") from error
    return found, topic, recorded_at, origin


def _unframed(entry: bytes, at: int) -> tuple[str, int]:
    end = at + 4 + int.from_bytes(entry[at : at + 4], "big")
    return entry[at + 4 : end].decode(), end


@lru_cache(_NAMES_KEPT)
def _framed(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(4, "big") + raw
