"""Erasures and what forbids them, over HTTP: administrators only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from api.answers import Json, json_answer
from api.auth import admit, services_of
from api.bodies import Faults, Shape
from api.erasing_plans import Plan, sight_in
from api.idempotency import author
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    Freshness,
    Query,
    freshness,
    reached,
    read_body,
    read_headers,
    require_type,
    uuid_in_path,
)
from api.read_contacts import contact_answer
from api.reads import Look, look, settled, written
from domain.errors import NotFound
from domain.times import format_utc
from projections.paging import HIGHEST, LOWEST, Ask, binding, read_cursor, read_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.auth import Caller
    from api.erasing_plans import Sight
    from api.services import Services
    from domain.commands import By, FactReceipt
    from projections.paging import SortKey
    from storage.erasures import Intent

router = APIRouter()

Reason = Annotated[str, Meta(min_length=1, max_length=500)]

STEP_S: Final = 0.05
"""Between two looks at whether the views of this place have followed."""


class HoldRequest(Struct, forbid_unknown_fields=True):
    """Why a legal hold is placed or lifted."""

    reason: Reason


class ErasureRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """`dry_run` asks for the plan; `confirm` with the plan's id and a reason erases."""

    dry_run: bool = False
    confirm: Annotated[str, Meta(max_length=64)] | None = None
    reason: Annotated[str, Meta(max_length=500)] | None = None


class ErasureView(Struct):
    """An erasure: `state` is begun, or done; a certificate comes with what is done.

    `outstanding` is what is still to come, as it is known now.
    """

    erasure: str
    contact: str
    state: str
    requested_at: str
    position: int | None
    outstanding: list[str]
    certificate: dict[str, Any] | None


class ErasurePage(Struct):
    """Erasures, the latest first."""

    items: list[ErasureView]
    next: str | None
    prev: str | None


STRUCTS: Final[tuple[type[Struct], ...]] = (
    HoldRequest,
    ErasureRequest,
    Plan,
    ErasureView,
    ErasurePage,
)

_HOLD: Final = Shape(HoldRequest)
_ERASURE: Final = Shape(ErasureRequest)


@router.post(
    "/v1/contacts/{id}/holds",
    summary="Place a legal hold",
    openapi_extra=body_of(HoldRequest),
    responses=answers("ContactView", 200),
)
async def place(request: Request, id: str) -> Response:
    """Forbid that anything of a contact is erased, until the hold is lifted."""
    return await _held(request, uuid_in_path(id), None)


@router.post(
    "/v1/contacts/{id}/holds/{hold}/lift",
    summary="Lift a legal hold",
    openapi_extra=body_of(HoldRequest),
    responses=answers("ContactView", 200),
)
async def lift(request: Request, id: str, hold: str) -> Response:
    """End a legal hold; others may still stand."""
    return await _held(request, uuid_in_path(id), uuid_in_path(hold))


async def _held(request: Request, wanted: UUID, hold_id: UUID | None) -> Response:
    services = services_of(request)
    caller = await admit(request, "admin")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _HOLD.read(raw)
    by = author(request, caller, raw, services.ledger.derive)
    receipt = await hold(request, caller, (wanted, hold_id), asked.reason, by)

    def work(look: Look) -> Json:
        return contact_answer(look, wanted, duplicate=receipt.duplicate)

    return await look(request, caller, Freshness(), work)


async def hold(
    request: Request, caller: Caller, what: tuple[UUID, UUID | None], reason: str, by: By
) -> FactReceipt:
    """Place a hold on a contact, or lift the one that is named with it. Raises NotFound."""
    services, (wanted, lifted) = services_of(request), what
    found = await settled(request, caller, lambda look: look.contact(wanted))
    book = services.ledger.erasures
    if lifted is None:
        receipt = await book.place(found.id, reason, by)
    else:
        parts = [UUID(bytes=member) for member in found.members]
        receipt = await book.lift(parts, lifted, reason, by)
    await written(services, receipt.last)
    return receipt


@router.post(
    "/v1/contacts/{id}/erasure",
    summary="Erase a contact",
    openapi_extra=body_of(ErasureRequest),
    responses=answers("ErasureView", 200),
)
async def erase(request: Request, id: str) -> Response:
    """With `dry_run` what would be erased; with `confirm` (the plan's id) it is, for ever."""
    services = services_of(request)
    caller = await admit(request, "admin")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _checked(_ERASURE.read(raw))
    sight = await sighted(request, caller, uuid_in_path(id))
    if asked.confirm is None:
        services.ledger.erasures.refuse_held(sight.subjects)
        return json_answer(await asyncio.to_thread(services.eraser.plan, sight))
    by = author(request, caller, raw, services.ledger.derive)
    done = await erased(request, sight, (asked.confirm, asked.reason or ""), by)
    return json_answer(erasure_view(done, services))


async def sighted(request: Request, caller: Caller, wanted: UUID) -> Sight:
    """A contact as a plan needs it, with all that was written until now."""
    services = services_of(request)
    await written(services, await asyncio.to_thread(services.log.head))
    return await settled(request, caller, lambda look: sight_in(look, look.contact(wanted).id))


async def erased(request: Request, sight: Sight, confirmed: tuple[str, str], by: By) -> Intent:
    """Erase a contact by its plan's id and a reason. Raises WrongState, Held, NotYet."""
    services = services_of(request)
    intent = await services.eraser.begin(sight, *confirmed, by)
    await services.eraser.complete(intent)
    request.app.state.shelf.forget()
    done = await asyncio.to_thread(services.eraser.erasures.of_contact, sight.contact)
    return done or intent


def _checked(asked: ErasureRequest) -> ErasureRequest:
    """The request, which asks for one thing. Raises InvalidInput."""
    faults = Faults()
    if asked.dry_run and asked.confirm is not None:
        faults.add("dry_run", "contradiction", "ask for the plan, or confirm one")
    if not asked.dry_run and asked.confirm is None:
        faults.add("confirm", "missing", "ask for the plan with dry_run, then send its id here")
    if asked.confirm is not None and not (asked.reason or "").strip():
        faults.add("reason", "too_short", "say why in a few words, without naming the person")
    faults.finish()
    return asked


@router.get("/v1/erasures", summary="List erasures", responses=answers("ErasurePage", 200))
async def list_erasures(request: Request) -> Response:
    """List the erasures, the latest first, each with what is still outstanding now."""
    services = services_of(request)
    await admit(request, "admin")
    query = Query(request)
    limit, cursor = query.limit(), query.text("cursor")
    wanted = freshness(query)
    query.close()
    bound = binding("erasures")
    ask = Ask(binding=bound, limit=limit, mark=read_cursor(bound, cursor))
    headers = read_headers(await reached(services, wanted))
    return json_answer(await asyncio.to_thread(_page, services, ask), 200, headers)


@router.get("/v1/erasures/{id}", summary="Show an erasure", responses=answers("ErasureView", 200))
async def show(request: Request, id: str) -> Response:
    """One erasure with its certificate, by its own id."""
    services = services_of(request)
    await admit(request, "admin")
    query = Query(request)
    wanted = freshness(query)
    query.close()
    headers = read_headers(await reached(services, wanted))
    id_ = uuid_in_path(id)
    found = await asyncio.to_thread(erasure_of, services, id_)
    return json_answer(erasure_view(found, services), 200, headers)


def erasure_of(services: Services, id: UUID) -> Intent:
    """An erasure by its own id. Raises NotFound."""
    every = services.eraser.erasures.all()
    found = next((one for one in every if one.erasure == id), None)
    if found is None:
        raise NotFound("There is no such erasure.")
    return found


def _page(services: Services, ask: Ask) -> ErasurePage:
    """A page of erasures; there are few, and they are read together."""
    every = {(number, 0): one for number, one in enumerate(services.eraser.erasures.all(), 1)}

    def fetch(
        low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[tuple[SortKey, Intent]]:
        keys = [
            key
            for key in sorted(every, reverse=descending)
            if (low == LOWEST or key > low) and (high == HIGHEST or key < high)
        ]
        return [(key, every[key]) for key in keys[:count]]

    page = read_page(ask, fetch, lambda one: one[0])
    return ErasurePage([erasure_view(one, services) for _, one in page.rows], page.next, page.prev)


def erasure_view(intent: Intent, services: Services) -> ErasureView:
    """An erasure, with what is outstanding of it now."""
    certificate: Mapping[str, Any] | None = intent.certificate
    return ErasureView(
        erasure=str(intent.erasure),
        contact=str(intent.contact),
        state="done" if intent.done else "begun",
        requested_at=format_utc(intent.requested_at),
        position=intent.position,
        outstanding=services.eraser.outstanding(intent),
        certificate=msgspec.to_builtins(certificate) if certificate else None,
    )
