"""The files of a contact in their export: what they sent and were sent, opened."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from domain.errors import Damaged, Erased, StoreUnavailable
from projections import files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.compose import Composition
    from audit.bundle import Sink
    from storage.blob_index import BlobRow
    from storage.blob_seal import Opened

NAME_MAX_CHARS: Final = 100
"""What is kept of a file's name: with its id before it, every file system takes it."""

_UNSAFE: Final = re.compile(r"[^\w.() -]+")
"""What another system may not have in a name, or may read as a path."""


class FileLine(Struct, frozen=True):
    """A line of `attachments.ndjson`: whose stream, what it is, where it lies; or why it is not.

    `sha256` (hex) is that of the file, as it lies in the bundle.
    """

    attachment: UUID
    interaction: UUID
    name: str
    media_type: str
    bytes: int
    sha256: str | None = None
    file: str | None = None
    error: str | None = None


def write_files(composition: Composition, members: Sequence[UUID], sink: Sink) -> None:
    """Write every kept file of these subjects, and a line for each."""
    rows = composition.blobs.index.of_subjects(members)
    lines = [_write(composition, row, sink) for row in rows if row.deleted_at is None]
    body = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    if lines:
        sink.put("attachments.ndjson", body)


def _write(composition: Composition, row: BlobRow, sink: Sink) -> FileLine:
    name, media_type = _said(composition, row)
    line = FileLine(row.attachment, row.about, name, media_type, row.size_bytes)
    try:
        opened = composition.blobs.open(row.blob, row.attachment)
        digest = _digest(opened)  # read to its end first: an archive cannot take a file back
    except (Damaged, Erased, StoreUnavailable) as error:
        return msgspec.structs.replace(line, error=error.detail)
    file = f"attachments/{row.attachment}-{_UNSAFE.sub('_', name)[-NAME_MAX_CHARS:]}"
    sink.pour(file, opened.size_bytes, opened.read())
    return msgspec.structs.replace(line, bytes=opened.size_bytes, sha256=digest, file=file)


def _digest(opened: Opened) -> str:
    found = hashlib.sha256()
    for part in opened.read():
        found.update(part)
    return found.hexdigest()


def _said(composition: Composition, row: BlobRow) -> tuple[str, str]:
    """What a file is called, and its type, as the views have them."""
    with composition.views.reading() as reading:
        try:
            kept = files.kept_in(reading, row.about.bytes, row.attachment.bytes)
        except Erased:
            kept = None
    return (kept.name, kept.media_type) if kept else ("file", "application/octet-stream")
