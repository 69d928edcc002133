"""Facts about files: one that a provider had pointed to is kept now, or cannot be had.

Each is a stream of its own at version 1, derived from the file's id: told twice, it is one. The
job that fetches files writes them; what it was told to fetch is a `Pointer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from domain.events import AttachmentFailed, AttachmentStored
from domain.values import FilePart

if TYPE_CHECKING:
    from domain.commands import By
    from domain.values import Deriver


class Pointer(Struct, frozen=True, kw_only=True):
    """A file that is to be fetched: of which interaction, under whose key, and its id."""

    about: UUID
    source: str
    subject: UUID
    attachment: UUID
    part: FilePart | None = None


class Fetched(Struct, frozen=True, kw_only=True):
    """A file as it was fetched and kept; `blob` is the hash (hex) of its sealed bytes."""

    blob: str
    size_bytes: int
    sha256: str
    name: str | None = None
    media_type: str | None = None


def stored_stream(derive: Deriver, attachment: UUID) -> UUID:
    """The stream of the fact that a file is kept."""
    return derive.id("attachment-stored", attachment)


def failed_stream(derive: Deriver, attachment: UUID) -> UUID:
    """The stream of the fact that a file cannot be had."""
    return derive.id("attachment-failed", attachment)


def stored(pointer: Pointer, file: Fetched, at: int, by: By, derive: Deriver) -> AttachmentStored:
    """The event that a file is kept, as of a time (µs)."""
    return AttachmentStored(
        originator_id=stored_stream(derive, pointer.attachment),
        originator_version=1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        about=pointer.about,
        source=pointer.source,
        subject=pointer.subject,
        attachment=pointer.attachment,
        at=at,
        blob=file.blob,
        size_bytes=file.size_bytes,
        part=pointer.part,
        name=file.name,
        media_type=file.media_type,
        sha256=file.sha256,
    )


def failed(pointer: Pointer, code: str, at: int, by: By, derive: Deriver) -> AttachmentFailed:
    """The event that a file cannot be had, for a reason, as of a time (µs)."""
    return AttachmentFailed(
        originator_id=failed_stream(derive, pointer.attachment),
        originator_version=1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        about=pointer.about,
        source=pointer.source,
        subject=pointer.subject,
        attachment=pointer.attachment,
        at=at,
        code=code,
        part=pointer.part,
    )
