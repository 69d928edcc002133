"""How the proofs are, for the Audit page; and verifications, which take their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer
from api.audit_views import (
    EXPORT,
    VERIFICATION,
    AuditState,
    ErasuresView,
    RunPage,
    SignerView,
    VerificationRequest,
    export_view,
    is_healthy,
    place_view,
    run_view,
    signed_view,
)
from api.auth import admit, services_of
from api.bodies import Shape
from api.openapi import answers, body_of
from api.parameters import Query
from api.runs import accepted, begin_run, run_body, run_of, runs_of
from domain.times import format_utc

if TYPE_CHECKING:
    from api.auth import Caller
    from audit.room import Proofs

router = APIRouter()

LATEST_RUNS: Final = 5
"""Verifications and exports that the state shows."""

_VERIFICATION: Final = Shape(VerificationRequest)


@router.get("/v1/audit/state", summary="How the proofs are", responses=answers("AuditState", 200))
async def state(request: Request) -> Response:
    """The log, its tree, the newest checkpoint and where it is, failures, runs, erasures."""
    caller = await admit(request, "audit")
    Query(request).close()
    proofs = services_of(request).proofs
    return json_answer(await run_in_threadpool(state_of, proofs, caller))


def state_of(proofs: Proofs, caller: Caller) -> AuditState:
    """How all of it is now, as a caller may see it."""
    found = proofs.state()
    count, last = proofs.erasures()
    checks = proofs.runs.latest(VERIFICATION, LATEST_RUNS)
    exports = proofs.runs.latest(EXPORT, LATEST_RUNS)
    return AuditState(
        origin=found.origin,
        head=found.head,
        tree=found.tree,
        checkpoint=signed_view(found.last, found.head),
        checkpoints=found.checkpoints,
        signers=[SignerView(row.verifier, row.size, format_utc(row.at)) for row in found.signers],
        places=[place_view(row) for row in found.places],
        healthy=is_healthy(found) and not any(one.state == "bad" for one in checks[:1]),
        verifications=[run_view(run) for run in checks],
        exports=[export_view(run, caller) for run in exports],
        erasures=ErasuresView(count, last or None),
        receipt="/v1/interactions/{id}/receipt",
    )


# ------------------------------------------------------------------------------ verifications


@router.post(
    "/v1/audit/verifications",
    status_code=202,
    summary="Verify the log",
    openapi_extra=body_of(VerificationRequest),
    responses=answers("RunView", 202, 200),
)
async def verify(request: Request) -> Response:
    """Begin a verification; its answer is fetched from the address in `Location`."""
    caller = await admit(request, "audit")
    raw = await run_body(request)
    asked = _VERIFICATION.read(raw)
    run, is_new = await begin_run(request, caller, (VERIFICATION, msgspec.json.encode(asked), raw))
    return accepted(run_view(run), f"/v1/audit/verifications/{run.id}", is_new=is_new)


@router.get(
    "/v1/audit/verifications", summary="List verifications", responses=answers("RunPage", 200)
)
async def verifications(request: Request) -> Response:
    """The latest verifications, the newest first."""
    await admit(request, "audit")
    found = await runs_of(request, VERIFICATION)
    return json_answer(RunPage([run_view(run) for run in found]))


@router.get(
    "/v1/audit/verifications/{id}", summary="A verification", responses=answers("RunView", 200)
)
async def verification(request: Request, id: str) -> Response:
    """How far a verification is, and its answer."""
    await admit(request, "audit")
    Query(request).close()
    return json_answer(run_view(await run_of(request, VERIFICATION, id)))
