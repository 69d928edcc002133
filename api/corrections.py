"""What people decide about an interaction later: corrections, and that it is void."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType

from api.answers import Json, json_answer
from api.auth import Caller, admit, services_of
from api.bodies import Faults, Shape
from api.idempotency import author
from api.ingest import DUPLICATE, recorded_for
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    Query,
    position_in_path,
    read_body,
    require_type,
)
from api.read_interactions import card_after
from api.shapes import FUTURE_MAX_US, Name, Seconds, TimeText
from domain.commands import Correction, FactReceipt
from domain.errors import NotFound, Unavailable
from domain.times import TimeError, parse_rfc3339
from domain.values import Channel, Direction

if TYPE_CHECKING:
    from api.services import Services

router = APIRouter()

Reason = Annotated[str, Meta(min_length=1, max_length=500)]


class Changes(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is corrected; what is not named stays, null clears."""

    occurred_at: TimeText | UnsetType = UNSET
    department: Name | UnsetType | None = UNSET
    campaign: Name | UnsetType | None = UNSET
    attended_by: Name | UnsetType | None = UNSET
    text: Annotated[str, Meta(max_length=100000)] | UnsetType | None = UNSET
    direction: Direction | UnsetType = UNSET
    channel: Channel | UnsetType = UNSET
    call_seconds: Seconds | UnsetType | None = msgspec.field(default=UNSET, name="call.seconds")


class CorrectionRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """A correction and why."""

    changes: Changes
    reason: Reason


class RetractionRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a record is void."""

    reason: Reason


_CORRECTION: Final = Shape(CorrectionRequest)
_RETRACTION: Final = Shape(RetractionRequest)


@router.post(
    "/v1/interactions/{id}/corrections",
    status_code=200,
    summary="Correct an interaction",
    openapi_extra=body_of(CorrectionRequest),
    responses=answers("Card", 200),
)
async def correct(request: Request, id: str) -> Response:
    """Correct what was written down. Of an automatic record only what was added to it.

    What changes nothing leaves no trace, and is answered all the same.
    """
    services = services_of(request)
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    correction = _correction(services, _CORRECTION.read(raw))
    position, recorded = await recorded_for(request, caller, position_in_path(id))
    by = author(request, caller, raw, services.ledger.derive)
    receipt = await services.ledger.annotations.correct(recorded, correction, by)
    return await changed(request, caller, position, receipt)


@router.post(
    "/v1/interactions/{id}/retraction",
    status_code=200,
    summary="Declare an interaction void",
    openapi_extra=body_of(RetractionRequest),
    responses=answers("Card", 200),
)
async def retract(request: Request, id: str) -> Response:
    """Declare a record void; it stays, marked, and is void for good."""
    services = services_of(request)
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _RETRACTION.read(raw)
    position, recorded = await recorded_for(request, caller, position_in_path(id))
    by = author(request, caller, raw, services.ledger.derive)
    receipt = await services.ledger.annotations.retract(recorded, asked.reason, by)
    return await changed(request, caller, position, receipt)


async def changed(
    request: Request, caller: Caller, interaction: int, receipt: FactReceipt | None
) -> Json:
    """The card as it is after a command; the number alone while the views are far behind."""
    repeated = receipt is not None and receipt.duplicate
    more = DUPLICATE if repeated else None
    written = receipt.last if receipt else None
    try:
        return await card_after(request, caller, (interaction, written), more)
    except (NotFound, Unavailable):  # it is done, and durable: that is no failure
        return json_answer({"id": interaction}, 200, more)


def _correction(services: Services, asked: CorrectionRequest) -> Correction:
    """The command of a request. Raises InvalidInput."""
    faults = Faults()
    values: dict[str, object] = {}
    for name in asked.changes.__struct_fields__:
        value = getattr(asked.changes, name)
        if value is not UNSET:
            blank = isinstance(value, str) and name != "text" and not value.strip()
            values[name] = None if blank else value
    if not values:
        faults.add("changes", "missing", "name at least one field to correct")
    if isinstance(asked.changes.occurred_at, str):
        field = "changes.occurred_at"
        try:
            at, values["offset_min"] = parse_rfc3339(asked.changes.occurred_at)
        except TimeError as error:
            faults.add(field, error.code, error.message)
        else:
            values["occurred_at"] = at
            if at > services.clock() + FUTURE_MAX_US:
                faults.add(field, "future", "this lies more than 5 minutes in the future")
    if not asked.reason.strip():
        faults.add("reason", "too_short", "say why in a few words")
    faults.finish()
    fields = tuple(name for name in values if name != "offset_min")
    return msgspec.convert({**values, "fields": fields, "reason": asked.reason}, Correction)
