"""What the Merkle tree is made of: entries of stored bytes (RFC 6962, C2SP tlog).

Entry, version 1: 0x01, lp(origin), u64 position, originator id (16), u32 version, lp(topic),
i64 recorded_at in µs, lp(clear header as stored), u8 number of sections, then for each its key
id (16) and the SHA-256 of its stored bytes (nonce ‖ ciphertext ‖ tag). lp puts the length before
the bytes as an unsigned 32-bit number; all numbers are big-endian. Stored bytes are hashed,
never what is in them: a hash of a phone number would give it away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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

_STATE_HEAD: Final = Struct(">cH")
_HEAD_BYTES: Final = _STATE_HEAD.size
_ID_BYTES: Final = 16
_HASH_BYTES: Final = 32
_SECTION: Final = Struct(">16sI")

SECTION_HEAD_BYTES: Final = _SECTION.size
"""What stands before a section's bytes in a state: its key id and its length."""

_BEFORE_BODY: Final = _HEAD_BYTES + 1 + SECTION_HEAD_BYTES
"""What stands beside the header before the bytes of a state's first section."""

_Plan = tuple[Callable[..., tuple[bytes, int]], Callable[..., bytes], bytes, int, int]
"""Takes header to key id, and the section's length, out of a state; packs the entry; the framed
topic; the header's length; where the section's bytes begin."""

_PLANS_KEPT: Final = 4_096
"""Ways to make an entry in memory: dozens of topics, some dozens of lengths of each header."""

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
    """What makes the tree entry of one row of that log, as `entries_maker` does of many."""
    entries = entries_maker(origin, prefix)
    return lambda row: entries((row,))[0]


def entries_maker(origin: str, prefix: bytes = b"") -> Callable[[Iterable[Row]], list[bytes]]:
    """What makes the tree entries of rows of that log, quickly: for whoever reads all of them.

    After `prefix` each is what `entry_bytes` gives; raises Damaged as that does, also where a
    column holds what it cannot. A test holds the two together.
    """
    start = prefix + ENTRY_VERSION + _framed(origin)
    plans: dict[tuple[str, bytes], _Plan] = {}

    def entries(rows: Iterable[Row]) -> list[bytes]:
        made: list[bytes] = []
        position = 0
        try:
            for position, originator, version, topic, recorded_at, state in rows:
                known = (topic, state[:_HEAD_BYTES])
                plan = plans.get(known) or _planned(plans, start, known)
                if plan is None or len(originator) != _ID_BYTES:
                    raise Damaged(position, "its state is of no known format")
                unpack, pack, framed, size, body = plan
                left = len(state) - body
                # Header, number of sections and the first one's key id lie side by side in the
                # state as in the entry; nearly every event has one section.
                middle, length = unpack(state) if left >= 0 else (b"", -1)
                if length == left and middle[size] == 1:
                    place, sealed = (position, originator, version), sha256(state[body:]).digest()
                    made.append(pack(start, *place, framed, recorded_at, size, middle, sealed))
                else:
                    row = (position, originator, version, topic, recorded_at, state)
                    made.append(_with_sections(start, row, size + _HEAD_BYTES))
        except (not_packed, IndexError) as error:
            raise Damaged(position, "its numbers, or its state's header, cannot be read") from error
        except (TypeError, AttributeError) as error:
            raise Damaged(position, "one of its columns holds what it cannot") from error
        return made

    return entries


def _planned(
    plans: dict[tuple[str, bytes], _Plan], start: bytes, known: tuple[str, bytes]
) -> _Plan | None:
    """How an entry with one section is made, for a topic and the beginning of a state.

    None where no state begins so.
    """
    topic, head = known
    form, size = _STATE_HEAD.unpack(head)
    if form != FORMAT or size > MAX_HEADER_BYTES:
        return None
    if len(plans) >= _PLANS_KEPT:
        plans.clear()
    framed = _framed(topic)
    middle = size + 1 + _ID_BYTES
    taken = Struct(f">{_HEAD_BYTES}x{middle}sI")
    whole = Struct(f">{len(start)}sQ{_ID_BYTES}sI{len(framed)}sqI{middle}s{_HASH_BYTES}s")
    return plans.setdefault(
        known, (taken.unpack_from, whole.pack, framed, size, size + _BEFORE_BODY)
    )


def _with_sections(start: bytes, row: Row, at: int) -> bytes:
    """The entry of a row with any number of sections; that stands in its state at `at`."""
    position, originator, version, topic, recorded_at, state = row
    size = at - _HEAD_BYTES
    parts = [
        start,
        _PLACE.pack(position, originator, version),
        _framed(topic),
        _TIME_AND_LENGTH.pack(recorded_at, size),
        state[_HEAD_BYTES : at + 1],
    ]
    count, at = state[at], at + 1
    for _ in range(count):
        if at + SECTION_HEAD_BYTES > len(state):
            raise Damaged(position, "its state ends inside a section")
        key_id, length = _SECTION.unpack_from(state, at)
        at += SECTION_HEAD_BYTES
        parts += (key_id, sha256(state[at : at + length]).digest())
        at += length
    if at != len(state):
        raise Damaged(position, "its state does not end where its last section does")
    return b"".join(parts)


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
