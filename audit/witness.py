"""A witness: it remembers the last checkpoint of each log that it knows, and signs that it grew.

To be run by somebody else, elsewhere. What it decides is here; its small HTTP door is
api/witness_door.py. Statuses are those of C2SP tlog-witness.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from audit.merkle import EMPTY_ROOT, consistent
from audit.notes import (
    WITNESS_KEY,
    BadNote,
    Checkpoint,
    SigningKey,
    Verifier,
    read_checkpoint,
    read_note,
)
from audit.receipts import read_hashes
from audit.signer import FOLDER_MODE, KeyFiles, write_whole
from domain.errors import WrongState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ports import Clock, Entropy

REQUEST_BYTES_MAX: Final = 80 * 1024
"""A request: a proof of 63 lines and a checkpoint."""

_US_PER_S: Final = 1_000_000


class Verdict(Struct, frozen=True):
    """What a witness answers: an HTTP status and a body; `is_size`: the body is a size."""

    status: int
    body: str
    is_size: bool = False


class Witness:
    """One witness, with a folder of its own; safe between threads, one process a folder.

    `logs` are the keys of the logs that it knows; a log's name is its origin. Raises WrongState
    where another process holds the folder.
    """

    def __init__(
        self, folder: Path, name: str, logs: Sequence[Verifier], *, clock: Clock, entropy: Entropy
    ) -> None:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        self._folder = folder
        self._logs = {one.name: one for one in logs}
        self._clock = clock
        self._turn = threading.Lock()
        files = KeyFiles(folder / "key")
        self._files = files
        if not files.lock.acquire():
            raise WrongState(f"Another witness runs in {folder}.")
        self._key: SigningKey = files.key() or files.make(name, WITNESS_KEY, entropy)

    @property
    def verifier(self) -> Verifier:
        """Its public key, for the settings of the logs."""
        return self._key.verifier

    def close(self) -> None:
        """Let another process have the folder."""
        self._files.lock.release()

    def add_checkpoint(self, request: str) -> Verdict:
        """Judge a request; a checkpoint that is signed here is on the disk before."""
        try:
            old, proof, raw = _read(request)
            note = read_note(raw)
            checkpoint = read_checkpoint(note.text)
        except BadNote as error:
            return Verdict(400, f"{error.detail}\n")
        log = self._logs.get(checkpoint.origin)
        if log is None:
            return Verdict(404, "This log is not known here.\n")
        if not note.signed_by(log):
            return Verdict(403, "The log's signature is missing or wrong.\n")
        if old > checkpoint.size:
            return Verdict(400, "The old size is above the checkpoint's.\n")
        with self._turn:
            return self._judged(old, proof, checkpoint, raw)

    def _judged(
        self, old: int, proof: tuple[bytes, ...], checkpoint: Checkpoint, raw: str
    ) -> Verdict:
        path = self._path(checkpoint.origin)
        size, root = _remembered(path)
        if old != size:
            return Verdict(409, f"{size}\n", is_size=True)
        if size == checkpoint.size and size and root != checkpoint.root:
            return Verdict(409, "Another root was signed here over as many events: a fork.\n")
        if not consistent((size, root), (checkpoint.size, checkpoint.root), proof):
            return Verdict(422, "The proof does not show that the log only grew.\n")
        write_whole(path, raw)
        line = self._key.line(checkpoint.text(), self._clock() // _US_PER_S)
        return Verdict(200, line)

    def _path(self, origin: str) -> Path:
        return self._folder / (hashlib.sha256(origin.encode()).hexdigest()[:32] + ".checkpoint")


def _remembered(path: Path) -> tuple[int, bytes]:
    """Size and root of the last checkpoint of a log. Raises BadNote where the file is damaged."""
    if not path.exists():
        return 0, EMPTY_ROOT
    found = read_checkpoint(read_note(path.read_text("utf-8")).text)
    return found.size, found.root


def _read(request: str) -> tuple[int, tuple[bytes, ...], str]:
    head, parting, note = request.partition("\n\n")
    first, *lines = head.split("\n")
    number = first.removeprefix("old ")
    if not parting or not first.startswith("old ") or not number.isdecimal():
        raise BadNote("A request begins with the old size, a proof and an empty line.")
    if str(int(number)) != number:
        raise BadNote("The old size has leading zeroes.")
    return int(number), read_hashes(lines), note
