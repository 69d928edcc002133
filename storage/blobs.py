"""The blob store: files, sealed under the key of whom they concern, named by their own hash.

A file is sealed on its way into a temporary file, so that its bytes are never on the disk in
clear and never in memory whole. Then its row is written (whose it is), then it is put in its
place, and only then is the event appended that names it. So what an event names is there, what
lies there is known, and a file that no event came to name is let go after some days.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

from msgspec import Struct

from domain.errors import Erased, StoreUnavailable
from storage.blob_index import BlobRow
from storage.blob_places import FOLDER_MODE

if TYPE_CHECKING:
    from domain.ports import Gone
    from storage.blob_index import BlobIndex, Upload
    from storage.blob_places import Place
    from storage.blob_seal import BlobSeal, Made, Opened, Sealing

UNNAMED_KEPT_US: Final = 2 * 24 * 3_600 * 1_000_000
"""How long a file waits for the event that names it: a provider repeats a delivery for a day."""

SWEPT_AT_ONCE: Final = 500
"""Rows that one sweep looks at; the next one goes on."""

PARTS: Final = ".parts"
"""The folder, beside the files, of what is on its way in."""


class Owner(Struct, frozen=True):
    """Whose a file is: the subject under whose key it is sealed, and what it belongs to.

    `attachment` is the file's id, `about` the stream of its interaction, `fact` the stream of
    the event that will name it.
    """

    subject: UUID
    attachment: UUID
    about: UUID
    fact: UUID


class BlobStore:
    """Keeps files and gives them back; safe between threads and processes.

    `folder` is where files are on their way in: where they are kept in a folder, that one.
    """

    def __init__(self, place: Place, index: BlobIndex, seal: BlobSeal, folder: Path) -> None:
        self._place = place
        self.index = index
        self._seal = seal
        self._parts = folder / PARTS

    # -------------------------------------------------------------------- keeping

    def keep(self, owner: Owner, parts: Iterable[bytes | memoryview]) -> Made:
        """Keep a file, durably. Raises StoreUnavailable, Erased (the subject's key is gone)."""
        with self.writing(owner.subject, owner.attachment) as writing:
            for part in parts:
                writing.write(part)
            made = writing.finish()
            self.place(writing, owner, made)
        return made

    def writing(self, subject: UUID, attachment: UUID) -> Writing:
        """A file on its way in, for those who get it piece by piece: with `place` it is kept."""
        return Writing(self._parts, lambda out: self._seal.begin(subject, attachment, out))

    def writing_ours(self, upload: UUID) -> Writing:
        """The same under the company's key: nobody knows yet whose it will be."""
        return self.writing(self._seal.company, upload)

    def place(self, writing: Writing, owner: Owner, made: Made) -> None:
        """Note whose a finished file is, and put it in its place."""
        self.index.note(owner, made.blob, made.size_bytes)
        self._place.take(writing.path, made.blob.hex())

    def place_ours(self, writing: Writing, made: Made) -> None:
        """Put a finished file in its place that an upload's row knows of."""
        self._place.take(writing.path, made.blob.hex())

    # -------------------------------------------------------------------- reading

    def open(self, blob: bytes, attachment: UUID) -> Opened:
        """A file by the hash of its sealed bytes, for the attachment that it is.

        Raises Erased, StoreUnavailable (it does not lie there), Damaged.
        """
        row = self.index.row(blob)
        if row is not None and row.deleted_at is not None:
            raise Erased("The content of this file was erased.")
        return self.open_ours(blob, attachment)

    def open_ours(self, blob: bytes, upload: UUID) -> Opened:
        """A file that was uploaded and belongs to nobody yet. Raises as `open`."""
        return self._seal.open(self._place.open(blob.hex()), upload)

    # --------------------------------------------------------------------- ending

    def delete_of(self, subjects: Collection[UUID]) -> int:
        """Let go of every file of these subjects, for good; how many were still there.

        The upload that one was made of goes too. For an erasure: done again, it finds nothing.
        Raises StoreUnavailable: do it again.
        """
        count = 0
        for row in self.index.of_subjects(subjects):
            upload = self.index.upload(row.attachment)
            if upload is not None:
                self.discard(upload)
            self._place.delete(row.blob.hex())
            self.index.gone(row.blob)
            count += 1
        return count

    def purge(self, gone: Gone) -> Sequence[str]:
        """As in ports.Purgeable: the files of an erased contact."""
        self.delete_of(gone.subjects)
        return ()

    def discard(self, upload: Upload) -> None:
        """Let go of an upload, its file first."""
        self._place.delete(upload.blob.hex())
        self.index.drop_upload(upload.id)

    def sweep(self, now: int, names: Callable[[BlobRow], bool]) -> int:
        """Let go of files that no event names, some days after they came; how many there were.

        `names` tells of a row whether the event of its `fact` names it.
        """
        self._clear_parts(now)
        count = 0
        for row in self.index.unnamed(now - UNNAMED_KEPT_US, SWEPT_AT_ONCE):
            if names(row):
                self.index.named(row.blob)
            else:
                self._place.delete(row.blob.hex())
                self.index.forget(row.blob)
                count += 1
        return count

    def _clear_parts(self, now: int) -> None:
        """Remove what a process left behind that ended in the middle of a file."""
        if not self._parts.is_dir():
            return
        for left in self._parts.iterdir():
            if left.stat().st_mtime_ns // 1_000 < now - UNNAMED_KEPT_US:
                left.unlink(missing_ok=True)


class Writing:
    """A file on its way into the store; what was not put in its place is gone at the end."""

    def __init__(self, parts: Path, begin: Callable[[Callable[[bytes], object]], Sealing]) -> None:
        try:
            parts.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=parts)
        except OSError as error:
            raise _unwritable(error) from error
        self.path = Path(name)
        self._file = os.fdopen(handle, "wb")
        try:
            self._sealing = begin(self._file.write)
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        """Nothing more than itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was not put in its place."""
        self._end()

    def write(self, part: bytes | memoryview) -> None:
        """The next part of the file. Raises StoreUnavailable."""
        try:
            self._sealing.write(part)
        except OSError as error:
            raise _unwritable(error) from error

    @property
    def size_bytes(self) -> int:
        """How much came until now."""
        return self._sealing.size_bytes

    def finish(self) -> Made:
        """The file is whole, and on the disk. Raises StoreUnavailable."""
        try:
            made = self._sealing.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(error) from error
        return made

    def _end(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def _unwritable(error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"A file cannot be kept: {error.strerror or type(error).__name__}.")
