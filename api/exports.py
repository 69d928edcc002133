"""Exports over HTTP: begun, asked for, fetched as a tar archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from api.answers import json_answer
from api.audit_views import EXPORT, ExportPage, ExportRequest, export_view
from api.auth import admit, services_of
from api.bodies import Shape
from api.openapi import answers, body_of
from api.parameters import Freshness, Query
from api.reads import look
from api.runs import accepted, begin_run, run_body, run_of, runs_of
from domain.errors import InvalidInput, NotAllowed, NotFound, WrongState

if TYPE_CHECKING:
    from pathlib import Path

    from api.auth import Caller
    from storage.runs import Run

router = APIRouter()

_EXPORT: Final = Shape(ExportRequest)


@router.post(
    "/v1/exports",
    status_code=202,
    summary="Export the log, or one contact",
    openapi_extra=body_of(ExportRequest),
    responses=answers("ExportView", 202, 200),
)
async def export(request: Request) -> Response:
    """Begin an export. All of the log needs `audit`; a contact, or keys, need `admin`."""
    caller = await admit(request, "audit")
    raw = await run_body(request)
    asked = _EXPORT.read(raw)
    run, is_new = await begin_export(request, caller, asked, raw)
    return accepted(export_view(run, caller), f"/v1/exports/{run.id}", is_new=is_new)


async def begin_export(
    request: Request, caller: Caller, asked: ExportRequest, raw: bytes
) -> tuple[Run, bool]:
    """Begin an export, where this caller may have it. Raises NotAllowed, InvalidInput, NotFound."""
    if (asked.contact or asked.with_keys) and not caller.may("admin"):
        raise NotAllowed("An export that can be read needs the scope `admin`.")
    if asked.with_keys and not (asked.reason or "").strip():
        raise InvalidInput.one("reason", "required", "keys leave the house with a reason only")
    if asked.contact and (asked.with_keys or asked.first != 1):
        message = "a contact's export is readable as it is, and whole"
        raise InvalidInput.one("contact", "not_together", message)
    if asked.contact:
        contact = asked.contact
        await look(request, caller, Freshness(), lambda seen: seen.contact(contact))
    return await begin_run(request, caller, (EXPORT, msgspec.json.encode(asked), raw))


@router.get("/v1/exports", summary="List exports", responses=answers("ExportPage", 200))
async def exports(request: Request) -> Response:
    """The latest exports, the newest first."""
    caller = await admit(request, "audit")
    found = await runs_of(request, EXPORT)
    return json_answer(ExportPage([export_view(run, caller) for run in found]))


@router.get("/v1/exports/{id}", summary="An export", responses=answers("ExportView", 200))
async def one_export(request: Request, id: str) -> Response:
    """How far an export is."""
    caller = await admit(request, "audit")
    Query(request).close()
    return json_answer(export_view(await run_of(request, EXPORT, id), caller))


@router.get("/v1/exports/{id}/download", summary="Fetch an export", response_class=Response)
async def download(request: Request, id: str) -> Response:
    """The export as a tar archive, for a week, from the server that made it."""
    caller = await admit(request, "audit")
    Query(request).close()
    run = await run_of(request, EXPORT, id)
    if export_view(run, caller).url is None:
        if run.state == "done":
            raise NotAllowed("An export that can be read needs the scope `admin`.")
        raise WrongState(f"The export is not there: it is {run.state}.")
    path: Path = services_of(request).proofs.exports / f"{run.id}.tar"
    if not await run_in_threadpool(path.is_file):
        raise NotFound("The export is not here any more: it is kept for a week.")
    return FileResponse(
        path,
        media_type="application/x-tar",
        filename=f"hilo-export-{run.id}.tar",
        headers={"cache-control": "no-store"},
    )
