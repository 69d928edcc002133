"""Sealing what belongs to no contact yet under the company's own key, as opaque bytes.

A sealed text is nonce (12) ‖ AES-256-GCM ciphertext ‖ tag (16). It is bound to what it is
sealed for: moved to another place, it does not open.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from msgspec import Struct

from domain.errors import Damaged, Erased
from domain.ports import Entropy
from storage.codec import SealingKeys
from storage.frame import NONCE_BYTES


class Sealed(Struct, frozen=True):
    """Sealed bytes, and the id (16 bytes) of the key that opens them."""

    key_id: bytes
    body: bytes


class CompanySeal:
    """Seals and opens; safe between threads."""

    def __init__(self, keys: SealingKeys, entropy: Entropy) -> None:
        self._keys = keys
        self._entropy = entropy

    def seal(self, plain: bytes, bound_to: bytes) -> Sealed:
        """Seal a text for one place. Raises KeyMissing."""
        key = self._keys.sealing(self._keys.company)
        nonce = self._entropy(NONCE_BYTES)
        return Sealed(key.key_id, nonce + key.aead.encrypt(nonce, plain, bound_to))

    def open(self, sealed: Sealed, bound_to: bytes) -> bytes:
        """The text again. Raises Damaged, KeyMissing, and Erased for a key that was destroyed."""
        aead = self._keys.opening((sealed.key_id,))[sealed.key_id]
        if aead is None:
            raise Erased("The key of this text was destroyed.")
        nonce, secret = sealed.body[:NONCE_BYTES], sealed.body[NONCE_BYTES:]
        try:
            return aead.decrypt(nonce, secret, bound_to)
        except InvalidTag:
            raise Damaged(0, "a text that was sealed under the company's key") from None
