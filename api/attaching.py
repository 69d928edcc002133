"""Uploaded files become an interaction's: sealed anew, under the key of whom it is about.

An upload belongs to whoever made it until it is attached, and then to one interaction for good.
It is kept under its counterpart's key before the event that names it is appended; the copy under
the company's key goes afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs
from starlette.concurrency import run_in_threadpool

from channels.keeping import filled
from domain.errors import Erased, InvalidInput
from domain.events import InteractionRecorded

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.services import Services
    from domain.commands import RecordInteraction
    from domain.events import Attachment
    from domain.ports import Unit
    from storage.blob_index import Upload


class Attaching:
    """The uploads of one command, on their way to becoming its interaction's."""

    def __init__(self, services: Services, caller: Caller, command: RecordInteraction) -> None:
        self._services = services
        self._actor = actor_of(caller)
        self._command = command
        self._unit: Unit = services.ledger.unit(command, caller.plain)

    async def ready(self) -> RecordInteraction:
        """The command with what was kept of its files.

        Raises InvalidInput for an upload that is not there, not the caller's, or another
        interaction's, and for one that is not what the command says.
        """
        return await run_in_threadpool(self._ready)

    async def done(self) -> None:
        """The interaction stands: its uploads are its own now."""
        await run_in_threadpool(self._drop)

    async def undone(self) -> None:
        """The interaction did not come to be: its uploads are free again."""
        await run_in_threadpool(self._release)

    # ---------------------------------------------------------------- in a thread

    def _ready(self) -> RecordInteraction:
        command, services = self._command, self._services
        if len([one for one in command.attachments if one.id in command.uploads]) > len(
            command.uploads
        ):
            raise InvalidInput.one("attachments", "repeated", "an upload stands once")
        entries = services.log.stream(self._unit.key)
        if entries:
            return _as_recorded(command, entries[0].event)
        uploads = [
            self._claimed(number, file)
            for number, file in enumerate(command.attachments)
            if file.id in command.uploads
        ]
        try:
            made = services.channels.keeping.attach(self._unit, uploads)
        except Erased:  # just now: it is recorded under a new subject, without its files
            made = {}
        kept = [filled(file, made.get(file.id)) for file in command.attachments]
        for number, (said, file) in enumerate(zip(command.attachments, kept, strict=True)):
            if said.sha256 not in {None, file.sha256} or said.size_bytes not in {
                None,
                file.size_bytes,
            }:
                raise _unfit(number, "mismatch", "this is not the size or hash of the upload")
        return structs.replace(command, attachments=tuple(kept))

    def _claimed(self, number: int, file: Attachment) -> Upload:
        index = self._services.blobs.index
        upload = index.claim_upload(file.id, self._actor, self._unit.key)
        if upload is None:
            raise _unfit(number, "unknown", "nothing was uploaded under this id")
        return upload

    def _drop(self) -> None:
        blobs = self._services.blobs
        for id_ in self._command.uploads:
            upload = blobs.index.upload(id_)
            if upload is not None and upload.stream == self._unit.key:
                blobs.discard(upload)

    def _release(self) -> None:
        for id_ in self._command.uploads:
            self._services.blobs.index.release_upload(id_, self._unit.key)


def actor_of(caller: Caller) -> str:
    """Whose an upload is, as its row says it."""
    return f"{caller.actor.kind}:{caller.actor.id}"


def _as_recorded(command: RecordInteraction, event: object) -> RecordInteraction:
    """The command as it was recorded: the same upload again is the same file."""
    if not isinstance(event, InteractionRecorded):
        return command
    known: dict[UUID, Attachment] = {file.id: file for file in event.attachments}
    files = [
        structs.replace(file, sha256=file.sha256 or known[file.id].sha256)
        if file.id in command.uploads and file.id in known
        else file
        for file in command.attachments
    ]
    return structs.replace(command, attachments=tuple(files))


def _unfit(number: int, code: str, message: str) -> InvalidInput:
    return InvalidInput.one(f"attachments[{number}].attachment", code, message)
