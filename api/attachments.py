"""Files: uploaded before the interaction that they belong to, and had back from it.

Whoever may see the interaction may have its files; for everybody else there are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer
from api.attaching import actor_of
from api.auth import admit, services_of
from api.idempotency import key_in
from api.ingest import DUPLICATE
from api.multipart import OneFile, boundary_in, name_in
from api.openapi import answers
from api.parameters import Freshness, Query, uuid_in_path
from api.reads import look
from api.sending_files import Sent, clean_name, clean_type, sent
from domain.errors import KeyReused, NotFound, StoreUnavailable, TooLarge
from domain.events import InteractionRecorded
from projections import files, timeline_pages
from storage.blob_index import Upload
from storage.company_seal import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.auth import Caller
    from api.reads import Look
    from api.services import Services
    from projections.files import Kept
    from storage.blob_seal import Made

router = APIRouter()

downloads = APIRouter()
"""What needs the views, which say who may see what."""

UPLOAD_MAX_BYTES: Final = 50 * 1024 * 1024
"""Size of a file (contract 2.2): what mail servers take, and more than people attach."""

FRAMING_MAX_BYTES: Final = 64 * 1024
"""What the boundaries and headers of a body of parts may add to it."""

GATHERED_BYTES: Final = 512 * 1024
"""How much of a body is gathered before a thread seals it and writes it down."""

_REUSED: Final = "The Idempotency-Key was used before with another file."


class AttachmentAnswer(Struct):
    """An uploaded file; `attachment` of an append names it by `id`."""

    id: str
    name: str
    media_type: str
    bytes: int
    sha256: str


class _Label(Struct, frozen=True, array_like=True):
    """What is sealed of an upload's row."""

    name: str
    media_type: str
    sha256: str


# ------------------------------------------------------------------------- uploading


@router.post(
    "/v1/attachments",
    status_code=201,
    summary="Upload a file",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {"file": {"type": "string", "format": "binary"}},
                        "required": ["file"],
                    }
                },
                "*/*": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
    responses=answers("AttachmentAnswer", 200, 201),
)
async def upload(request: Request) -> Response:
    """Keep a file, sealed, for an append that names its id; at most 50 MiB.

    The body is the file itself (its name in `?name=` or Content-Disposition), or a form with one
    part. What no append names within seven days is let go.
    """
    services = services_of(request)
    caller = await admit(request, "append")
    query = Query(request)
    name = query.text("name")
    query.close()
    key = key_in(dict(request.scope["headers"]))
    derive = services.ledger.derive
    id_ = derive.id("upload", actor_of(caller), key) if key else services.new_id()
    writing = await run_in_threadpool(services.blobs.writing_ours, id_)
    with writing:
        told_name, media_type = await _receive(request, writing.write)
        made = await run_in_threadpool(writing.finish)
        label = _Label(clean_name(name or told_name), clean_type(media_type), made.sha256)
        row = _row(services, caller, id_, (label, made))
        stands = await run_in_threadpool(_standing, services, row, label) if key else None
        if stands is None:
            await run_in_threadpool(services.blobs.index.add_upload, row)
            await run_in_threadpool(services.blobs.place_ours, writing, made)
    told = AttachmentAnswer(str(id_), label.name, label.media_type, made.size_bytes, made.sha256)
    return json_answer(told, 201) if stands is None else json_answer(told, 200, DUPLICATE)


async def _receive(
    request: Request, take: Callable[[bytes], None]
) -> tuple[str | None, str | None]:
    """Hand over the file in a body; its name and type as they were said. Raises TooLarge."""
    content_type = request.headers.get("content-type", "")
    boundary = boundary_in(content_type)
    size = 0

    def counted(part: bytes) -> None:
        nonlocal size
        size += len(part)
        if size > UPLOAD_MAX_BYTES:
            raise TooLarge(UPLOAD_MAX_BYTES)
        take(part)

    if boundary is None:
        await _read(request, counted, UPLOAD_MAX_BYTES)
        said = request.headers.get("content-disposition")
        return (name_in(said.encode("latin-1")) if said else None), content_type
    form = OneFile(boundary, counted)
    await _read(request, form.write, UPLOAD_MAX_BYTES + FRAMING_MAX_BYTES)
    form.finish()
    return form.file_name, form.media_type


async def _read(request: Request, take: Callable[[bytes], None], limit_bytes: int) -> None:
    """Hand over a body, some of it at a time. Raises TooLarge as soon as it is known to be."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit_bytes:
        raise TooLarge(UPLOAD_MAX_BYTES)
    gathered: list[bytes] = []
    waiting = total = 0
    async for part in request.stream():
        gathered.append(part)
        waiting, total = waiting + len(part), total + len(part)
        if total > limit_bytes:
            raise TooLarge(UPLOAD_MAX_BYTES)
        if waiting >= GATHERED_BYTES:
            await run_in_threadpool(take, b"".join(gathered))
            gathered, waiting = [], 0
    await run_in_threadpool(take, b"".join(gathered))


def _row(services: Services, caller: Caller, id: UUID, of: tuple[_Label, Made]) -> Upload:
    label, made = of
    sealed = services.seal.seal(msgspec.msgpack.encode(label), id.bytes)
    return Upload(
        id=id,
        actor=actor_of(caller),
        blob=made.blob,
        size_bytes=made.size_bytes,
        key_id=sealed.key_id,
        sealed=sealed.body,
        made_at=services.clock(),
    )


def _standing(services: Services, row: Upload, label: _Label) -> Upload | None:
    """The same upload under the same key, where it stands; one without its file is let go.

    Raises KeyReused where the key stands with another file.
    """
    index = services.blobs.index
    known = index.upload(row.id)
    if known is None:
        attached = index.of_attachment(row.id)
        recorded = _recorded(services, row.id, attached[0].about) if attached else None
        if recorded is None:
            return None
        if recorded != label.sha256:
            raise KeyReused(_REUSED)
        return row
    if _label(services, known).sha256 != label.sha256:
        raise KeyReused(_REUSED)
    try:
        services.blobs.open_ours(known.blob, known.id)
    except StoreUnavailable:  # cut off between its row and its place
        index.drop_upload(known.id)
        return None
    return known


def _recorded(services: Services, id: UUID, about: UUID) -> str | None:
    """The hash of a file that became an interaction's."""
    for entry in services.log.stream(about):
        if isinstance(entry.event, InteractionRecorded):
            return next((one.sha256 for one in entry.event.attachments if one.id == id), None)
    return None


def _label(services: Services, upload: Upload) -> _Label:
    plain = services.seal.open(Sealed(upload.key_id, upload.sealed), upload.id.bytes)
    return msgspec.msgpack.decode(plain, type=_Label)


# ----------------------------------------------------------------------- downloading


@downloads.get(
    "/v1/attachments/{id}",
    summary="Download a file",
    responses={
        200: {"description": "The file", "content": {"*/*": {}}},
        206: {"description": "A range of it", "content": {"*/*": {}}},
        410: {"description": "Its content was erased"},
    },
)
async def download(request: Request, id: str) -> Response:
    """The bytes of a file, whole or a range of them, for those who may see its interaction.

    What was uploaded and is attached to nothing yet is its uploader's alone. 410 once its
    content was erased.
    """
    attachment = uuid_in_path(id)
    caller = await admit(request, "read")
    Query(request).close()
    services = services_of(request)
    found = await run_in_threadpool(_own_upload, services, caller, attachment)
    if found is None:
        about = await run_in_threadpool(_about, services, attachment)

        def find(look: Look) -> Kept:
            return _kept(look, attachment, about)

        kept = await look(request, caller, Freshness(), find)
        found = await run_in_threadpool(_opened, services, kept, attachment)
    return sent(request, found)


def _own_upload(services: Services, caller: Caller, id: UUID) -> Sent | None:
    """An upload of the caller's own that nobody has attached yet."""
    row = services.blobs.index.upload(id)
    if row is None or row.actor != actor_of(caller):
        return None
    label = _label(services, row)
    return Sent(services.blobs.open_ours(row.blob, id), label.name, label.media_type)


def _about(services: Services, id: UUID) -> UUID:
    """The interaction of a file. Raises NotFound."""
    rows = services.blobs.index.of_attachment(id)
    if not rows:
        raise _not_here()
    return rows[0].about


def _kept(look: Look, id: UUID, about: UUID) -> Kept:
    """What is kept of a file, where the caller may see its interaction. Raises NotFound, Erased."""
    ref = timeline_pages.by_originator(look.reading, (about.bytes,)).get(about.bytes)
    if ref is None or not look.allowed([ref]):
        raise _not_here()
    kept = files.kept_in(look.reading, about.bytes, id.bytes)
    if kept is None:
        raise _not_here()
    return kept


def _opened(services: Services, kept: Kept, id: UUID) -> Sent:
    opened = services.blobs.open(bytes.fromhex(kept.blob), id)
    return Sent(opened, kept.name, kept.media_type, kept.part)


def _not_here() -> NotFound:
    return NotFound("There is no such file.")
