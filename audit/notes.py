"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

A note is a text that ends with a newline, an empty line, and a line for each signature:
`— <name> base64(key id ‖ signature)`. A checkpoint's text is the log's origin, its size and
its root in base64, a line each. Signatures of unknown keys are ignored.

key id = SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]; type 1: Ed25519 over the text; type 4: a
witness's, over `cosignature/v1`, a line with the time in seconds, and the text.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from msgspec import Struct

from audit.merkle import HASH_BYTES
from domain.errors import HiloError

LOG_KEY: Final = 1
"""Type of a log's key."""

WITNESS_KEY: Final = 4
"""Type of a witness's key: its signature carries the time at which it was made."""

KEY_BYTES: Final = 32
"""An Ed25519 seed, and its public key."""

KEY_ID_BYTES: Final = 4
SIGNATURE_BYTES: Final = 64
TIME_BYTES: Final = 8

NOTE_BYTES_MAX: Final = 64 * 1024
"""A checkpoint has three lines and a signature for each witness; nobody has hundreds."""

SIGNATURES_MAX: Final = 100
"""Signature lines that are looked at; each costs a tenth of a millisecond to check."""

PRIVATE: Final = "PRIVATE+KEY+"
"""How a private key's text begins: nobody takes it for the public one."""

_DASH: Final = "— "


class BadNote(HiloError):
    """The text is no signed checkpoint, or not one of this log."""


class Verifier(Struct, frozen=True):
    """A public key under a name; as text `name+hex(key id)+base64(type ‖ key)`."""

    name: str
    kind: int
    key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature line begins with."""
        return _key_id(self.name, self.kind, self.key)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_b64(bytes((self.kind,)) + self.key)}"

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether a signature (after its key id) is this key's, over a note's text."""
        message = text.encode()
        if self.kind == WITNESS_KEY:
            if len(signature) != TIME_BYTES + SIGNATURE_BYTES:
                return False
            at_s = int.from_bytes(signature[:TIME_BYTES], "big")
            message, signature = _cosigned(text, at_s), signature[TIME_BYTES:]
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey:
    """A private key under a name; `str` gives it as text, to be kept in a file."""

    def __init__(self, name: str, kind: int, seed: bytes) -> None:
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._private.public_key().public_bytes_raw()
        self.verifier = Verifier(name, kind, public)

    def __str__(self) -> str:
        own = self.verifier
        seed = _b64(bytes((own.kind,)) + self._seed)
        return f"{PRIVATE}{own.name}+{own.key_id.hex()}+{seed}"

    def __repr__(self) -> str:
        return f"SigningKey({self.verifier})"

    def line(self, text: str, at_s: int = 0) -> str:
        """The signature line over a note's text; a witness says when (seconds)."""
        own = self.verifier
        if own.kind == WITNESS_KEY:
            made = at_s.to_bytes(TIME_BYTES, "big") + self._private.sign(_cosigned(text, at_s))
        else:
            made = self._private.sign(text.encode())
        return f"{_DASH}{own.name} {_b64(own.key_id + made)}\n"


class Note(Struct, frozen=True):
    """A text and its signature lines: (name, key id ‖ signature, the line as it was)."""

    text: str
    signatures: tuple[tuple[str, bytes, str], ...]

    def signed_by(self, verifier: Verifier) -> bool:
        """Whether one of the signatures is that key's."""
        return any(
            verifier.verifies(self.text, raw[KEY_ID_BYTES:])
            for name, raw, _ in self.signatures
            if name == verifier.name and raw[:KEY_ID_BYTES] == verifier.key_id
        )

    def lines_of(self, verifier: Verifier) -> list[str]:
        """The signature lines that are that key's and right."""
        return [
            line
            for name, raw, line in self.signatures
            if name == verifier.name
            and raw[:KEY_ID_BYTES] == verifier.key_id
            and verifier.verifies(self.text, raw[KEY_ID_BYTES:])
        ]


class Checkpoint(Struct, frozen=True):
    """What a log says of itself: its origin, how many events it has, the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"


def read_verifier(text: str) -> Verifier:
    """A verifier's key from its text. Raises BadNote."""
    name, key_id, raw = _key_parts(text.strip())
    found = Verifier(name, raw[0], raw[1:])
    if found.kind not in {LOG_KEY, WITNESS_KEY} or found.key_id.hex() != key_id:
        raise BadNote("The verifier key contradicts itself: copy it again.")
    return found


def read_signing_key(text: str) -> SigningKey:
    """A private key from its text. Raises BadNote, which never holds any of it."""
    if not text.startswith(PRIVATE):
        raise BadNote("This is not a private key.")
    name, key_id, raw = _key_parts(text.strip().removeprefix(PRIVATE))
    found = SigningKey(name, raw[0], raw[1:])
    if found.verifier.key_id.hex() != key_id:
        raise BadNote("The private key contradicts itself.")
    return found


def read_note(raw: str) -> Note:
    """A note from its text; its signatures are not checked yet. Raises BadNote."""
    if len(raw) > NOTE_BYTES_MAX or not raw.endswith("\n"):
        raise BadNote("A signed checkpoint is short and ends with a newline.")
    text, parting, rest = raw.rpartition("\n\n")
    if not parting:
        raise BadNote("There are no signatures: an empty line stands before them.")
    lines = rest.splitlines(keepends=True)
    if not 0 < len(lines) <= SIGNATURES_MAX:
        raise BadNote("There are no signatures, or too many.")
    return Note(text + "\n", tuple(map(_signature, lines)))


def read_checkpoint(text: str) -> Checkpoint:
    """A checkpoint from a note's text; further lines are ignored. Raises BadNote."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0]:  # noqa: PLR2004 - three lines and what follows the last
        raise BadNote("A checkpoint has three lines: origin, size, root.")
    origin, size, root, *_ = lines
    if not (size.isascii() and size.isdecimal() and str(int(size)) == size):
        raise BadNote("The checkpoint's size is not a plain number.")
    made = _unb64(root)
    if made is None or len(made) != HASH_BYTES:
        raise BadNote("The checkpoint's root is not 32 bytes in base64.")
    return Checkpoint(origin, int(size), made)


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The checkpoint as a note with the log's signature."""
    text = checkpoint.text()
    return f"{text}\n{key.line(text)}"


def opened(raw: str, verifiers: Sequence[Verifier], origin: str | None = None) -> Checkpoint:
    """A checkpoint that one of these keys signed, of that origin. Raises BadNote."""
    note = read_note(raw)
    found = read_checkpoint(note.text)
    if origin is not None and found.origin != origin:
        raise BadNote(f"The checkpoint is of another log: {found.origin[:80]}")
    if not any(note.signed_by(one) for one in verifiers):
        raise BadNote("No signature of the checkpoint is by a known key.")
    return found


def b64hash(text: str) -> bytes | None:
    """The 32 bytes of a hash in base64; None for anything else."""
    raw = _unb64(text)
    return raw if raw is not None and len(raw) == HASH_BYTES else None


def _signature(line: str) -> tuple[str, bytes, str]:
    name, _, encoded = line.removesuffix("\n").removeprefix(_DASH).partition(" ")
    raw = _unb64(encoded)
    if not line.startswith(_DASH) or not name or raw is None or len(raw) <= KEY_ID_BYTES:
        raise BadNote("A signature line is malformed.")
    return name, raw, line


def _key_parts(text: str) -> tuple[str, str, bytes]:
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _unb64(encoded)
    if not name or " " in name or raw is None or len(raw) != 1 + KEY_BYTES:
        raise BadNote("A key is written as name+hash+base64.")
    return name, key_id, raw


def _key_id(name: str, kind: int, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes((kind,)) + key).digest()[:KEY_ID_BYTES]


def _cosigned(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def _b64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _unb64(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
