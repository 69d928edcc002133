"""The bytes of an event's state: where the clear header and the sealed sections lie in them.

state   = 0x01, u16 header length, clear header (msgpack map), u8 number of sections, sections
section = key id (16), u32 length, and that many bytes: nonce (12) ‖ ciphertext ‖ tag (16)

All numbers are big-endian. Nothing is opened here, so that proofs never need a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final

from domain.errors import Damaged
from domain.ports import StoredEntry

FORMAT: Final = b"\x01"
KEY_ID_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

MAX_HEADER_BYTES: Final = 16 * 1024
"""A clear header; with every section's hash, a leaf then stays below tlog's 65,535 bytes."""

MAX_SECTIONS: Final = 255
"""Sections of one event: their number is one byte."""

Section = tuple[bytes, bytes]
"""A section as it is stored: its key id (16 bytes), and nonce ‖ ciphertext ‖ tag."""

Frame = tuple[bytes, list[Section]]
"""A state taken apart: its clear header, and its sections in order."""

_SECTION_HEAD: Final = Struct(">16sI")
_SECTION_HEAD_BYTES: Final = _SECTION_HEAD.size
_SHORTEST_SECTION: Final = NONCE_BYTES + TAG_BYTES
_section_head: Final = _SECTION_HEAD.unpack_from
_STATE_HEAD: Final = Struct(">cH")


def join(header: bytes, sections: Sequence[Section]) -> bytes:
    """The state made of a clear header and sections; `split` takes it apart again."""
    parts = [_STATE_HEAD.pack(FORMAT, len(header)), header, len(sections).to_bytes(1, "big")]
    for key_id, body in sections:
        parts.append(_SECTION_HEAD.pack(key_id, len(body)))
        parts.append(body)
    return b"".join(parts)


def split(entry: StoredEntry) -> Frame:
    """Take the state of an entry apart.

    Raises Damaged, with the entry's position, where the bytes are not such a state.
    """
    state = entry.state
    size = len(state)
    if state[:1] != FORMAT:
        raise Damaged(entry.position, "its state is not of a known format")
    at = 3 + int.from_bytes(state[1:3], "big")
    if at >= size:
        raise Damaged(entry.position, "its state ends inside the header")
    header = state[3:at]
    left = state[at]
    at += 1
    sections: list[Section] = []
    while left:
        start = at + _SECTION_HEAD_BYTES
        if start > size:
            raise Damaged(entry.position, "its state ends inside a section")
        key_id, length = _section_head(state, at)
        at = start + length
        if at > size or length < _SHORTEST_SECTION:
            raise Damaged(entry.position, "its state ends inside a section")
        sections.append((key_id, state[start:at]))
        left -= 1
    if at != size:
        raise Damaged(entry.position, "its state has bytes after the last section")
    return header, sections
