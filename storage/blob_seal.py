"""A file as sealed bytes: written and read piece by piece, so that none is in memory whole.

sealed = 0x01, key id (16), nonce (12), sealed file key (48), chunks
chunk  = AES-256-GCM of at most CHUNK_BYTES under the file key, with its tag (16)

The file key is random and lies under the key of the file's subject: it is gone with that key.
It seals one file only, so a chunk's nonce is its number and whether it is the last one: chunks
that were exchanged, left out or cut off do not open. The file key is bound to the ledger and to
the id of the attachment. All numbers are big-endian.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from domain.errors import Damaged, Erased
from domain.ports import Entropy
from storage.codec import SealingKeys
from storage.frame import KEY_ID_BYTES, NONCE_BYTES, TAG_BYTES

CHUNK_BYTES: Final = 256 * 1024
"""What is sealed at a time: a part of a film is read without what lies before it."""

FILE_KEY_BYTES: Final = 32

FORMAT: Final = b"\x01"

_WRAPPED_AT: Final = 1 + KEY_ID_BYTES + NONCE_BYTES

HEAD_BYTES: Final = _WRAPPED_AT + FILE_KEY_BYTES + TAG_BYTES

_SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES


class Made(Struct, frozen=True):
    """What was sealed: the hash of the sealed bytes, and size and hash of the file."""

    blob: bytes
    size_bytes: int
    sha256: str


class Readable(Protocol):
    """Sealed bytes, wherever they lie."""

    @property
    def size_bytes(self) -> int:
        """How many there are."""

    def read(self, start: int, length: int) -> bytes:
        """So many from a place on, fewer only at the end. Raises StoreUnavailable."""


class Sealing:
    """One file on its way: `write` its parts, then `finish`. The sealed bytes go to `out`."""

    def __init__(self, head: bytes, key: AESGCM, out: Callable[[bytes], object]) -> None:
        self._key = key
        self._out = out
        self._left = bytearray()
        self._number = 0
        self._plain = hashlib.sha256()
        self._sealed = hashlib.sha256()
        self._put(head)
        self.size_bytes = 0

    def write(self, part: bytes | memoryview) -> None:
        """The next part of the file, of any size."""
        self._plain.update(part)
        self.size_bytes += len(part)
        view = memoryview(part)
        while len(self._left) + len(view) > CHUNK_BYTES:
            room = CHUNK_BYTES - len(self._left)
            self._left += view[:room]
            view = view[room:]
            self._chunk(is_last=False)
        self._left += view

    def finish(self) -> Made:
        """The file ends here."""
        self._chunk(is_last=True)
        return Made(self._sealed.digest(), self.size_bytes, self._plain.hexdigest())

    def _chunk(self, *, is_last: bool) -> None:
        nonce = _nonce(self._number, is_last=is_last)
        self._put(self._key.encrypt(nonce, bytes(self._left), None))
        self._left.clear()
        self._number += 1

    def _put(self, sealed: bytes) -> None:
        self._sealed.update(sealed)
        self._out(sealed)


class Opened:
    """A sealed file that is read: any part of it, in pieces of a chunk."""

    def __init__(self, sealed: Readable, key: AESGCM) -> None:
        self._sealed = sealed
        self._key = key
        body = max(0, sealed.size_bytes - HEAD_BYTES)
        self._chunks = -(-body // _SEALED_CHUNK_BYTES)
        self.size_bytes = body - self._chunks * TAG_BYTES

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, else to the end. Raises Damaged."""
        stop = self.size_bytes if stop is None else min(stop, self.size_bytes)
        number = start // CHUNK_BYTES
        while number < self._chunks and number * CHUNK_BYTES < max(stop, 1):
            at = number * CHUNK_BYTES
            plain = self._chunk(number)
            yield plain[max(0, start - at) : stop - at]
            number += 1

    def _chunk(self, number: int) -> bytes:
        start = HEAD_BYTES + number * _SEALED_CHUNK_BYTES
        sealed = self._sealed.read(start, _SEALED_CHUNK_BYTES)
        nonce = _nonce(number, is_last=number == self._chunks - 1)
        try:
            return self._key.decrypt(nonce, sealed, None)
        except (InvalidTag, ValueError):
            raise Damaged(0, "a file of the blob store was changed") from None


class BlobSeal:
    """Seals files under the keys of subjects, and opens them; safe between threads."""

    def __init__(self, keys: SealingKeys, ledger: UUID, entropy: Entropy) -> None:
        self._keys = keys
        self._ledger = ledger.bytes
        self._entropy = entropy

    @property
    def company(self) -> UUID:
        """The subject under whose key lies what belongs to no contact yet."""
        return self._keys.company

    def begin(self, subject: UUID, bound_to: UUID, out: Callable[[bytes], object]) -> Sealing:
        """Begin to seal a file for an attachment. Raises Erased, KeyMissing."""
        owner = self._keys.sealing(subject)
        drawn = self._entropy(NONCE_BYTES + FILE_KEY_BYTES)
        nonce, key = drawn[:NONCE_BYTES], drawn[NONCE_BYTES:]
        wrapped = owner.aead.encrypt(nonce, key, self._aad(bound_to))
        return Sealing(FORMAT + owner.key_id + nonce + wrapped, AESGCM(key), out)

    def open(self, sealed: Readable, bound_to: UUID) -> Opened:
        """Open a file of an attachment. Raises Erased (its key was destroyed), Damaged."""
        head = sealed.read(0, HEAD_BYTES)
        if len(head) < HEAD_BYTES or head[:1] != FORMAT:
            raise Damaged(0, "a file of the blob store is not of a known format")
        key_id = head[1 : 1 + KEY_ID_BYTES]
        owner = self._keys.opening((key_id,))[key_id]
        if owner is None:
            raise Erased("The content of this file was erased.")
        nonce = head[1 + KEY_ID_BYTES : _WRAPPED_AT]
        try:
            key = owner.decrypt(nonce, head[_WRAPPED_AT:], self._aad(bound_to))
        except InvalidTag:
            raise Damaged(0, "a file of the blob store belongs to another attachment") from None
        return Opened(sealed, AESGCM(key))

    def _aad(self, bound_to: UUID) -> bytes:
        return b"blob" + self._ledger + bound_to.bytes


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + (b"\x01" if is_last else b"\x00")
