"""The key-encryption key: the one key that lies in no database and opens all that do.

A wrapped value is: id of the KEK (4), nonce (12), AES-256-GCM ciphertext ‖ tag. The id stands
in front so that a wrong KEK is told from damage, and so that one can be replaced by another
while both are in use.
"""

from __future__ import annotations

import binascii
import os
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import KeyMissing
from domain.ports import Entropy

KEK_BYTES: Final = 32
KEK_ID_BYTES: Final = 4
KEK_FILE_NAME: Final = "kek"

_NONCE_BYTES: Final = 12
_HOW: Final = "Give the right one in HILO_KEK (base64 of 32 bytes) or HILO_KEK_FILE."


@dataclass(frozen=True, slots=True)
class KekPlaces:
    """Where a key-encryption key may be: text (base64), a file, or the folder it is made in."""

    text: str | None
    file: Path | None
    folder: Path


class Kek:
    """Wraps and unwraps keys. `where` says for a person where this one came from.

    `made`: it was made just now, by this process. `in_folder`: it lies beside the data.
    """

    def __init__(
        self, raw: bytes, where: str, *, made: bool = False, in_folder: bool = False
    ) -> None:
        if len(raw) != KEK_BYTES:
            raise KeyMissing(f"The key from {where} has {len(raw)} bytes, not {KEK_BYTES}. {_HOW}")
        self.id: Final = sha256(b"hilo kek\x00" + raw).digest()[:KEK_ID_BYTES]
        self.where: Final = where
        self.made: Final = made
        self.in_folder: Final = in_folder
        self._aead = AESGCM(raw)

    def wrap(self, raw: bytes, aad: bytes, entropy: Entropy) -> bytes:
        """Seal a key, bound to `aad`; only `unwrap` with the same `aad` gives it back."""
        nonce = entropy(_NONCE_BYTES)
        return self.id + nonce + self._aead.encrypt(nonce, raw, aad)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """What was wrapped. Raises KeyMissing: another KEK's, damaged, or bound to another aad."""
        self.check(wrapped[:KEK_ID_BYTES])
        nonce_end = KEK_ID_BYTES + _NONCE_BYTES
        try:
            return self._aead.decrypt(wrapped[KEK_ID_BYTES:nonce_end], wrapped[nonce_end:], aad)
        except (InvalidTag, ValueError):
            raise KeyMissing("A wrapped key is damaged, or stands in another's place.") from None

    def check(self, kek_id: bytes) -> None:
        """Raise KeyMissing unless what was wrapped under `kek_id` (4 bytes) is ours to unwrap."""
        if kek_id != self.id:
            raise KeyMissing(
                f"The keys were wrapped by the key-encryption key {kek_id.hex()}, but the one "
                f"from {self.where} is {self.id.hex()}. {_HOW}"
            )


def find_kek(places: KekPlaces, entropy: Entropy, *, may_make: bool) -> Kek:
    """The KEK from its text, else its file, else `<folder>/kek`, which is made where it may be.

    `may_make`: no key was ever wrapped, so a new KEK loses nothing. Raises KeyMissing where
    there is none, or where it cannot be read.
    """
    if places.text:
        return Kek(_decoded(places.text, "HILO_KEK"), "HILO_KEK")
    if places.file is not None:
        where = f"HILO_KEK_FILE ({places.file})"
        return Kek(_decoded(_read(places.file), where), where)
    path = places.folder / KEK_FILE_NAME
    made = False
    if not path.exists():
        if not may_make:
            raise KeyMissing(f"The keys of this ledger are wrapped, and there is no {path}. {_HOW}")
        made = _make(path, entropy)
    return Kek(_decoded(_read(path), str(path)), str(path), made=made, in_folder=True)


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyMissing(f"The key file {path} cannot be read ({type(error).__name__}).") from None


def _decoded(text: str, where: str) -> bytes:
    try:
        return b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise KeyMissing(f"The key from {where} is not base64. {_HOW}") from None


def _make(path: Path, entropy: Entropy) -> bool:
    """Write a new key under a name that appears whole or not at all; False if a rival was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{entropy(8).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b64encode(entropy(KEK_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    """A file whose folder is not synced may be gone after a power cut, and with it every key."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
