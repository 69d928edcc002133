"""Appending: one interaction, and what is reported about one later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct, structs

from api import by_hand
from api.answers import Json
from api.attaching import Attaching
from api.auth import Caller, admit, services_of
from api.bodies import Faults, Shape
from api.idempotency import key_in
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    Freshness,
    Query,
    position_in_path,
    read_body,
    require_type,
)
from api.reads import Look, look
from api.shapes import FUTURE_MAX_US, AddressText, AppendRequest, TimeText, append_command
from api.terms import terms_of
from domain.addresses import AddressError, parse_address
from domain.commands import FactReceipt, Receipt, ReportDelivery
from domain.errors import InvalidInput, NotFound, SourceNotYours, StateConflict
from domain.events import InteractionRecorded
from domain.times import TimeError, parse_rfc3339
from domain.values import Channel, Direction, Origin, is_source
from projections import timeline_pages
from projections.shapes import TwinView

if TYPE_CHECKING:
    from api.services import Services
    from domain.commands import RecordInteraction

router = APIRouter()

DUPLICATE: Final = {"hilo-duplicate": "true"}
"""What a repeat's answer carries, so that a client need not read its body to know."""


_encode: Final = msgspec.json.Encoder().encode


# ------------------------------------------------------------------- one interaction


class _Appended(Struct, gc=False):
    """The answer to an append (contract 2.2)."""

    id: int
    interaction: UUID
    contact: UUID
    duplicate: bool
    erased: bool
    twins: Sequence[TwinView] = ()


@router.post(
    "/v1/interactions",
    status_code=201,
    summary="Append one interaction",
    openapi_extra=body_of(AppendRequest),
    responses=answers("AppendAnswer", 200, 201),
)
async def append(request: Request) -> Response:
    """Append one interaction; durable when this answers.

    201 with its id; 200 where its key stands already with the same content. Of one logged by
    hand, with `check_twins=true`, 409 where the channel reported it already, unless `confirm=true`
    or the body's `twin_of` says what to do.
    """
    services = services_of(request)
    headers = dict(request.scope["headers"])
    caller = await admit(request, "append")
    require_type(headers, JSON_TYPES)
    wish = _wish_of(request)
    raw = await read_body(request)
    terms = terms_of(services, caller, imported=wish.imported, key_of=lambda _: key_in(headers))
    command = append_command(raw, structs.replace(terms, alone=True))
    check = wish.check_twins and not wish.confirm
    if not command.uploads:
        return await _recorded(request, caller, command, check=check)
    attaching = Attaching(services, caller, command)
    try:
        ready = await attaching.ready()
        answer = await _recorded(request, caller, ready, check=check)
    except (StateConflict, InvalidInput):
        await attaching.undone()
        raise
    await attaching.done()
    return answer


async def _recorded(
    request: Request, caller: Caller, command: RecordInteraction, *, check: bool
) -> Json:
    """Append a command, and say what became of it."""
    if command.origin is not Origin.MANUAL:
        return append_answer(await services_of(request).ledger.record(command, caller.plain))
    room = by_hand.Room(services_of(request), getattr(request.app.state, "reads", None))
    return append_answer(*await by_hand.record(room, caller, command, check=check))


def append_answer(receipt: Receipt, twins: Sequence[TwinView] = ()) -> Json:
    """The answer to an append."""
    body = _encode(
        _Appended(
            receipt.id,
            receipt.interaction,
            receipt.contact,
            receipt.duplicate,
            receipt.erased,
            twins,
        )
    )
    return Json(body, 200, DUPLICATE) if receipt.duplicate else Json(body, 201)


class _Wish(Struct, frozen=True):
    """What the query of an append asks for."""

    imported: bool = False
    check_twins: bool = False
    confirm: bool = False


_PLAIN: Final = _Wish()


def _wish_of(request: Request) -> _Wish:
    """`origin`, `check_twins` and `confirm` of the query. Raises InvalidInput."""
    if not request.scope["query_string"]:
        return _PLAIN
    query = Query(request)
    found = _Wish(
        bool(query.choice("origin", ("imported", ""), "")),
        bool(query.flag("check_twins")),
        bool(query.flag("confirm")),
    )
    query.close()
    return found


# ------------------------------------------------------------------------- statuses


class StatusRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """How far an interaction came. A word that is none of ours is kept, as `unknown`."""

    status: Annotated[str, Meta(min_length=1, max_length=64)]
    at: TimeText
    participant: AddressText | None = None
    code: Annotated[str, Meta(max_length=128)] | None = None
    message: Annotated[str, Meta(max_length=1000)] | None = None
    external_key: Annotated[str, Meta(min_length=1, max_length=512)] | None = None


class StatusByKeyRequest(StatusRequest, forbid_unknown_fields=True, kw_only=True):
    """The same, of an interaction that the caller knows by its key; `channel` for e-mail."""

    external_id: Annotated[str, Meta(min_length=1, max_length=512)]
    source: Annotated[str, Meta(max_length=128)] | None = None
    channel: Channel | None = None


_STATUS: Final = Shape(StatusRequest)
_STATUS_BY_KEY: Final = Shape(StatusByKeyRequest)


@router.post(
    "/v1/interactions/{id}/statuses",
    status_code=201,
    summary="Report a delivery state",
    openapi_extra=body_of(StatusRequest),
    responses=answers("StatusAnswer", 200, 201),
)
async def report_status(request: Request, id: str) -> Response:
    """Report how far an interaction came; 200 where the same was reported before."""
    services = services_of(request)
    caller = await admit(request, "append")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    asked = _STATUS.read(await read_body(request))
    position = position_in_path(id)
    # A program reports what its provider said, also of whom it may not see.
    if caller.user is None:
        _, recorded = recorded_at(services, position)
    else:
        _, recorded = await recorded_for(request, caller, position)
    if caller.source not in {None, recorded.source}:
        raise SourceNotYours("This token may append to its own source only.")
    report = _report(services, asked, recorded.originator_id, recorded)
    receipt = await services.ledger.report(report, caller.by())
    return _status_answer(receipt, report, position)


@router.post(
    "/v1/statuses",
    status_code=201,
    summary="Report a delivery state by external id",
    openapi_extra=body_of(StatusByKeyRequest),
    responses=answers("StatusAnswer", 200, 201, 202),
)
async def report_status_by_key(request: Request) -> Response:
    """Report how far an interaction came, by source and external id.

    202 where the interaction is not there yet: the report waits for it.
    """
    services = services_of(request)
    caller = await admit(request, "append")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    asked = _STATUS_BY_KEY.read(await read_body(request))
    source = _status_source(asked, caller)
    namespace = "email" if asked.channel is Channel.EMAIL else source
    about = services.ledger.derive.fact(namespace, "interaction", asked.external_id)
    entries = services.log.stream(about)
    event = entries[0].event if entries else None
    recorded = event if isinstance(event, InteractionRecorded) else None
    report = _report(services, asked, about, recorded, source)
    receipt = await services.ledger.report(report, caller.by())
    return _status_answer(receipt, report, entries[0].position if recorded else None)


async def recorded_for(
    request: Request, caller: Caller, position: int
) -> tuple[int, InteractionRecorded]:
    """The interaction with an id, for a command of somebody who may see it.

    Raises NotFound, and NotYet where the views that could tell are still being made.
    """
    services = services_of(request)
    found = recorded_at(services, position)

    def check(look: Look) -> None:
        ref = timeline_pages.one(look.reading, position)
        if ref is not None and not look.allowed([ref]):
            raise NotFound(f"There is no interaction {position}.")

    await look(request, caller, Freshness(), check)
    return found


def recorded_at(services: Services, position: int) -> tuple[int, InteractionRecorded]:
    """The interaction with an id. Raises NotFound."""
    entry = services.log.entry(position)
    if entry is None or not isinstance(entry.event, InteractionRecorded):
        raise NotFound(f"There is no interaction {position}.")
    return position, entry.event


def _status_source(asked: StatusByKeyRequest, caller: Caller) -> str:
    """The source that a report is about. Raises SourceNotYours, InvalidInput."""
    if asked.source is None:
        faults = Faults()
        if caller.source is None:
            faults.add("source", "missing", "this field is required; for example api:crm")
        faults.finish()
        return caller.source or ""
    if caller.source not in {None, asked.source}:
        raise SourceNotYours("This token may append to its own source only.")
    faults = Faults()
    if not is_source(asked.source):
        faults.add("source", "bad_source", "a source is written like manual, api:crm or sms:shop")
    faults.finish()
    return asked.source


def _report(
    services: Services,
    asked: StatusRequest,
    about: UUID,
    recorded: InteractionRecorded | None,
    source: str = "",
) -> ReportDelivery:
    """The command of a status request. Raises InvalidInput."""
    faults = Faults()
    at, participant = 0, None
    try:
        at, _ = parse_rfc3339(asked.at)
    except TimeError as error:
        faults.add("at", error.code, error.message)
    if at > services.clock() + FUTURE_MAX_US:
        faults.add("at", "future", "this lies more than 5 minutes in the future")
    if asked.participant is not None:
        try:
            participant = parse_address(asked.participant, country=services.locale.country)
        except AddressError as error:
            faults.add("participant", error.code, error.message)
    faults.finish()
    return ReportDelivery(
        about=about,
        source=recorded.source if recorded else source,
        word=asked.status,
        at=at,
        key=asked.external_key,
        recipient=_recipient(recorded) if recorded else None,
        participant=participant,
        code=asked.code,
        message=asked.message,
    )


def _recipient(recorded: InteractionRecorded) -> str:
    """The outside address of an interaction; the contact itself where it had none."""
    inbound = recorded.direction is Direction.INBOUND
    address = recorded.resource if inbound else recorded.destination
    return address or f"contact:{recorded.subject}"


def _status_answer(receipt: FactReceipt, report: ReportDelivery, id: int | None) -> Json:
    """The answer to a report: whose it is, and where it stands."""
    body = b'{"id":%b,"interaction":"%b","position":%d,"duplicate":%b}' % (
        b"null" if id is None else str(id).encode(),
        str(report.about).encode(),
        receipt.position,
        b"true" if receipt.duplicate else b"false",
    )
    if receipt.duplicate:
        return Json(body, 200, DUPLICATE)
    return Json(body, 202 if id is None else 201)
