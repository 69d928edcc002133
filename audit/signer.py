"""The one configured signer: its key and its memory lie in files, outside the databases.

Before it signs it shows itself that the tree begins with the one it signed last. Whoever rewrites
the log and the tiles, but not these files, gets no signature any more; and where another place
keeps checkpoints too, not even with them. Another host takes over only by an explicit command that
names the last checkpoint (`adopt`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audit.merkle import consistency_proof, consistent, root_of
from audit.notes import (
    KEY_BYTES,
    LOG_KEY,
    Checkpoint,
    SigningKey,
    Verifier,
    read_checkpoint,
    read_note,
    read_signing_key,
    read_verifier,
    sign,
)
from audit.tree import nodes_of
from domain.errors import HiloError, WrongState
from storage.exclusive import FileLock
from storage.tree_store import KeptCheckpoint, SignerRow

if TYPE_CHECKING:
    from audit.tree import Tiles
    from domain.ports import Clock, Entropy
    from storage.tree_store import TreeStore

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
"""The key is its owner's alone."""


class NotSigning(HiloError):
    """Nothing was signed, and the sentence says why: something is wrong, or not confirmed yet."""


class KeyFiles:
    """A private key in a file, and beside it the last note that it signed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._memory = path.with_name(path.name + ".last")
        self.lock = FileLock(path.with_name(path.name + ".lock"))

    def folder(self) -> None:
        """Make the folder of the key, its owner's alone. Raises NotSigning."""
        try:
            self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise NotSigning(f"{self.path.parent} cannot be made ({error.strerror}).") from error

    def key(self) -> SigningKey | None:
        """The key; None where there is none. Raises BadNote, NotSigning."""
        text = _read(self.path)
        return None if text is None else read_signing_key(text.strip())

    def make(self, name: str, kind: int, entropy: Entropy) -> SigningKey:
        """Make a key, unless there is one meanwhile; raises NotSigning."""
        key = SigningKey(name, kind, entropy(KEY_BYTES))
        self.folder()
        try:
            write_whole(self.path, f"{key}\n", new=True)
        except FileExistsError:
            return self.key() or key
        except OSError as error:
            raise NotSigning(f"{self.path} cannot be written ({error.strerror}).") from error
        return key

    def last(self) -> Checkpoint | None:
        """The checkpoint that was signed last. Raises BadNote, NotSigning."""
        raw = self.last_note()
        return None if raw is None else read_checkpoint(read_note(raw).text)

    def last_note(self) -> str | None:
        """The note that was signed last. Raises NotSigning."""
        return _read(self._memory)

    def remember(self, note: str) -> None:
        """Keep the note that was signed last, on the disk when this returns."""
        try:
            write_whole(self._memory, note)
        except OSError as error:
            raise NotSigning(f"{self._memory} cannot be written ({error.strerror}).") from error


class Signer:
    """Signs the tree of one ledger, where this host is the configured signer.

    `flushed` says whether all that is committed now lies on a synchronous standby too; always,
    where there is none.
    """

    def __init__(
        self, files: KeyFiles, store: TreeStore, tiles: Tiles, origin: str, *, clock: Clock
    ) -> None:
        self.files = files
        self._store = store
        self._tiles = tiles
        self._origin = origin
        self._clock = clock
        self._key: SigningKey | None = None
        self.flushed: Callable[[], bool] = lambda: True

    @property
    def verifier(self) -> Verifier | None:
        """The public key; None before `prepare` found or made it."""
        return self._key.verifier if self._key else None

    def prepare(self, entropy: Entropy) -> bool:
        """Whether this host is the signer. The first one of a ledger makes its key.

        Raises BadNote, NotSigning, StoreUnavailable.
        """
        signers = self._store.signers()
        self._key = self.files.key()
        if self._key is None and not signers:
            self._key = self.files.make(self._origin, LOG_KEY, entropy)
        if self._key is None:
            return False
        if not signers:
            mine = SignerRow(1, str(self._key.verifier), 0, self._clock())
            return self._store.appoint(mine)
        return signers[-1].verifier == str(self._key.verifier)

    def sign(self) -> KeptCheckpoint | None:
        """Sign the tree as it is; None where nothing is new since the last time.

        Raises NotSigning, Damaged, BadNote, StoreUnavailable.
        """
        key = self._key
        if key is None or not self._appointed(key):
            raise NotSigning("Another host signs: hilo signer adopt takes over.")
        mark = self._store.mark()
        size = mark.position if mark else 0
        last = self.files.last()
        if last is None and size == 0:
            return None
        nodes = nodes_of(self._tiles)
        checkpoint = Checkpoint(self._origin, size, root_of(nodes, size))
        if last is not None:
            self._require_consistent(last, checkpoint)
            if last.size == size:
                return self._again(last)
        if not self.flushed():
            raise NotSigning("The synchronous standby has not confirmed these events yet.")
        note = sign(checkpoint, key)
        self.files.remember(note)
        kept = KeptCheckpoint(size, checkpoint.root, self._clock(), note)
        self._store.keep(kept)
        return kept

    def adopt(self, raw: str, entropy: Entropy) -> Checkpoint:
        """Sign from now on, after the checkpoint that the last signer signed last.

        Raises BadNote, and WrongState where it is not of this log, not the last, or forged.
        """
        note = read_note(raw)
        checkpoint = read_checkpoint(note.text)
        known = [read_verifier(row.verifier) for row in self._store.signers()]
        if checkpoint.origin != self._origin or not any(map(note.signed_by, known)):
            raise WrongState("No signer of this ledger signed that checkpoint.")
        kept = self._store.last_checkpoint()
        if kept is not None and kept.size > checkpoint.size:
            raise WrongState(f"A later one was signed, over {kept.size} events: adopt that.")
        mark = self._store.mark()
        if mark is None or mark.position < checkpoint.size:
            raise WrongState("The tree has fewer events than that checkpoint.")
        if root_of(nodes_of(self._tiles), checkpoint.size) != checkpoint.root:
            raise WrongState("That checkpoint is over other events than the log has.")
        self._key = self.files.key() or self.files.make(self._origin, LOG_KEY, entropy)
        self.files.remember(raw)
        self._take_over(str(self._key.verifier), checkpoint.size)
        return checkpoint

    def _take_over(self, verifier: str, size: int) -> None:
        signers = self._store.signers()
        if signers and signers[-1].verifier == verifier:
            return
        if any(row.verifier == verifier for row in signers):
            raise WrongState("That key signed before and was replaced: take a new one.")
        row = SignerRow(len(signers) + 1, verifier, size, self._clock())
        if not self._store.appoint(row):
            raise WrongState("Another host took over at this moment.")

    def _appointed(self, key: SigningKey) -> bool:
        signers = self._store.signers()
        return bool(signers) and signers[-1].verifier == str(key.verifier)

    def _again(self, last: Checkpoint) -> KeptCheckpoint | None:
        """The last checkpoint, where the store lost it (or never got it); else None."""
        if self._store.checkpoint(last.size) is not None:
            return None
        note = self.files.last_note() or ""
        kept = KeptCheckpoint(last.size, last.root, self._clock(), note)
        self._store.keep(kept)
        return kept

    def _require_consistent(self, last: Checkpoint, now: Checkpoint) -> None:
        if last.origin != now.origin:
            raise NotSigning("The signer's memory is of another ledger.")
        if last.size > now.size:
            raise NotSigning(
                f"The tree has {now.size} events and {last.size} were signed: "
                "an old state was restored, or events were removed. Run hilo verify."
            )
        proof = consistency_proof(nodes_of(self._tiles), last.size, now.size)
        if not consistent((last.size, last.root), (now.size, now.root), proof):
            raise NotSigning(
                f"The first {last.size} events are not those that were signed. Run hilo verify."
            )


def write_whole(path: Path, text: str, *, new: bool = False) -> None:
    """Write a file so that it is there whole or not at all, on the disk; raises OSError.

    With `new`, FileExistsError where it is there already.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    try:
        try:
            os.write(handle, text.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            path.hardlink_to(beside)
            beside.unlink()
        else:
            beside.rename(path)
        _sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise NotSigning(f"{path} cannot be read.") from error
