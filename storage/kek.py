"""The key-encryption key: the one key that lies in no database and opens all that do.

A wrapped value is: id of the KEK (4), nonce (12), AES-256-GCM ciphertext ‖ tag. The id stands
in front so that a wrong KEK is told from damage, and so that one can be replaced by another
while both are in use: a source may hold several, and the first wraps. A file is read again when
it has changed, so that a process which runs on learns of a new key.
"""

from __future__ import annotations

import binascii
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
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

    `file` is where it is read from, None for one that was given as text; `older` are those that
    may still have wrapped something. `made`: it was made just now, by this process. `in_folder`:
    it lies beside the data. Safe between threads.
    """

    def __init__(
        self,
        raw: bytes,
        where: str,
        *,
        made: bool = False,
        in_folder: bool = False,
        older: Sequence[bytes] = (),
        file: Path | None = None,
    ) -> None:
        self.where: Final = where
        self.made: Final = made
        self.in_folder: Final = in_folder
        self.file: Final = file
        self._seen = _signature(file)
        self._ring = _Ring.of((raw, *older), where)

    @property
    def id(self) -> bytes:
        """The id (4 bytes) of the key that wraps now."""
        return self._ring.first

    @property
    def older(self) -> int:
        """How many further keys the source holds, which unwrap only."""
        return len(self._ring.aeads) - 1

    def wrap(self, raw: bytes, aad: bytes, entropy: Entropy) -> bytes:
        """Seal a key, bound to `aad`; only `unwrap` with the same `aad` gives it back."""
        self._look_again()
        ring = self._ring
        nonce = entropy(_NONCE_BYTES)
        return ring.first + nonce + ring.aeads[ring.first].encrypt(nonce, raw, aad)

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """What was wrapped. Raises KeyMissing: another KEK's, damaged, or bound to another aad."""
        kek_id = wrapped[:KEK_ID_BYTES]
        self.check(kek_id)
        nonce_end = KEK_ID_BYTES + _NONCE_BYTES
        nonce = wrapped[KEK_ID_BYTES:nonce_end]
        try:
            return self._ring.aeads[kek_id].decrypt(nonce, wrapped[nonce_end:], aad)
        except (InvalidTag, ValueError):
            raise KeyMissing("A wrapped key is damaged, or stands in another's place.") from None

    def _look_again(self) -> None:
        """Read the file again where it was changed; one that is gone says nothing."""
        seen = _signature(self.file)
        if self.file is not None and seen is not None and seen != self._seen:
            keys = _decoded(_read(self.file), self.where)
            # Where one was dropped it may still be asked for by who read its id a moment ago.
            self._ring = _Ring.of(keys, self.where, self._ring)
            self._seen = seen

    def check(self, kek_id: bytes) -> None:
        """Raise KeyMissing unless what was wrapped under `kek_id` (4 bytes) is ours to unwrap."""
        if kek_id not in self._ring.aeads:
            self._look_again()
        if kek_id not in self._ring.aeads:
            raise KeyMissing(
                f"The keys were wrapped by the key-encryption key {kek_id.hex()}, but the one "
                f"from {self.where} is {self.id.hex()}. {_HOW}"
            )


@dataclass(frozen=True, slots=True)
class _Ring:
    """Keys by their ids; the first one wraps."""

    first: bytes
    aeads: Mapping[bytes, AESGCM]

    @classmethod
    def of(cls, keys: Sequence[bytes], where: str, before: _Ring | None = None) -> _Ring:
        """These keys, and those of before behind them. Raises KeyMissing for one that is none."""
        for raw in keys:
            if len(raw) != KEK_BYTES:
                size = len(raw)
                raise KeyMissing(f"The key from {where} has {size} bytes, not {KEK_BYTES}. {_HOW}")
        ids = [sha256(b"hilo kek\x00" + raw).digest()[:KEK_ID_BYTES] for raw in keys]
        aeads = {one: AESGCM(raw) for one, raw in zip(ids, keys, strict=True)}
        return cls(ids[0], {**(before.aeads if before else {}), **aeads})


def find_kek(places: KekPlaces, entropy: Entropy, *, may_make: bool) -> Kek:
    """The KEK from its text, else its file, else `<folder>/kek`, which is made where it may be.

    `may_make`: no key was ever wrapped, so a new KEK loses nothing. Raises KeyMissing where
    there is none, or where it cannot be read.
    """
    if places.text:
        first, *older = _decoded(places.text, "HILO_KEK")
        return Kek(first, "HILO_KEK", older=older)
    if places.file is not None:
        where = f"HILO_KEK_FILE ({places.file})"
        first, *older = _decoded(_read(places.file), where)
        return Kek(first, where, older=older, file=places.file)
    path = places.folder / KEK_FILE_NAME
    made = False
    if not path.exists():
        if not may_make:
            raise KeyMissing(f"The keys of this ledger are wrapped, and there is no {path}. {_HOW}")
        made = _make(path, entropy)
    first, *older = _decoded(_read(path), str(path))
    return Kek(first, str(path), made=made, in_folder=True, older=older, file=path)


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyMissing(f"The key file {path} cannot be read ({type(error).__name__}).") from None


def _decoded(text: str, where: str) -> list[bytes]:
    """The keys of a source, one at least: lines, or texts with commas between them."""
    words = text.replace(",", " ").split() or [""]
    try:
        return [b64decode(word, validate=True) for word in words]
    except (binascii.Error, ValueError):
        raise KeyMissing(f"The key from {where} is not base64. {_HOW}") from None


def _signature(path: Path | None) -> tuple[int, int, int] | None:
    """What tells whether a file is another one than before; None where there is none."""
    if path is None:
        return None
    try:
        found = os.stat(path)  # noqa: PTH116 - at each new subject: twice as fast
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def add_key(path: Path, entropy: Entropy) -> None:
    """Put a new key before those of a file, in one step: it wraps from now on."""
    kept = _decoded(_read(path), str(path))
    _write(path, [entropy(KEK_BYTES), *kept], entropy)


def drop_older(path: Path, entropy: Entropy) -> list[Path]:
    """Leave the first key alone in a file; each other one goes into a file of its own beside it."""
    first, *older = _decoded(_read(path), str(path))
    aside = []
    for raw in older:
        ended = path.with_name(f"{path.name}.{_Ring.of([raw], str(path)).first.hex()}")
        _write(ended, [raw], entropy)
        aside.append(ended)
    _write(path, [first], entropy)
    return aside


def _write(path: Path, keys: Sequence[bytes], entropy: Entropy) -> None:
    """Write a key file whole, or not at all. Raises KeyMissing where that is not allowed."""
    draft = path.with_name(f"{path.name}.{entropy(8).hex()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(b"".join(b64encode(raw) + b"\n" for raw in keys))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise KeyMissing(f"The key file {path} cannot be written ({error.strerror}).") from None
    finally:
        draft.unlink(missing_ok=True)


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
