"""Internal notes on a contact, and whether it is muted: what the team keeps to itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from api.answers import Json, json_answer
from api.auth import Caller, admit, services_of
from api.bodies import Shape
from api.desk import catch_up, thorough, whose
from api.idempotency import author
from api.ingest import DUPLICATE
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    Freshness,
    Query,
    if_match,
    position_in_path,
    read_body,
    read_headers,
    require_type,
    uuid_in_path,
)
from api.read_contacts import contact_answer
from api.reads import Look, look, written
from domain.errors import ChangedMeanwhile, InvalidInput, NotFound, Unavailable
from domain.events import NoteAdded
from domain.muting import Mute
from projections import timeline_pages
from projections.timeline import KIND_NOTE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from domain.commands import FactReceipt

router = APIRouter()

NOTE_MAX_CHARS: Final = 10_000
"""A note is shown whole wherever it stands: some pages of text, and no file."""


class NoteRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is noted."""

    text: Annotated[str, Meta(min_length=1, max_length=NOTE_MAX_CHARS)]


class NoteRetractionRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a note is void."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class MuteRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Whether the contact is muted, and why."""

    muted: bool
    reason: Annotated[str, Meta(max_length=500)] | None = None


_NOTE: Final = Shape(NoteRequest)
_RETRACTION: Final = Shape(NoteRetractionRequest)
_MUTE: Final = Shape(MuteRequest)

BODIES: Final[tuple[type[Struct], ...]] = (NoteRequest, NoteRetractionRequest, MuteRequest)
"""The Structs that these operations name in the document of the API."""


@router.post(
    "/v1/conversations/{contact}/notes",
    status_code=201,
    summary="Write a note",
    openapi_extra=body_of(NoteRequest),
    responses=answers("NoteView", 200, 201),
)
async def note(request: Request, contact: str) -> Response:
    """Write a note about a contact, for the team alone; answers its row in the timeline."""
    services = services_of(request)
    caller, raw = await _command(request)
    text = _required("text", _NOTE.read(raw).text)
    by = author(request, caller, raw, services.ledger.derive)
    id = uuid_in_path(contact)
    found = await thorough(request, caller, lambda look: look.contact(id))
    receipt = await services.ledger.conversations.note(found.id, text, by)
    return await _note_answer(request, caller, receipt, 200 if receipt.duplicate else 201)


@router.post(
    "/v1/conversations/{contact}/notes/{id}/retraction",
    status_code=200,
    summary="Declare a note void",
    openapi_extra=body_of(NoteRetractionRequest),
    responses=answers("NoteView", 200),
)
async def retract_note(request: Request, contact: str, id: str) -> Response:
    """Declare a note void; it stays, marked."""
    services = services_of(request)
    caller, raw = await _command(request)
    reason = _required("reason", _RETRACTION.read(raw).reason)
    by = author(request, caller, raw, services.ledger.derive)
    wanted, position = uuid_in_path(contact), position_in_path(id)
    event = await thorough(request, caller, lambda look: _note_of(look, wanted, position))
    receipt = await services.ledger.conversations.retract_note(event, reason, by)
    repeated = receipt is not None and receipt.duplicate
    if receipt is not None:
        await written(services, receipt.last)
    return await _row(request, caller, (position, 200), DUPLICATE if repeated else None)


@router.post(
    "/v1/contacts/{id}/mute",
    status_code=200,
    summary="Mute a contact",
    openapi_extra=body_of(MuteRequest),
    responses=answers("ContactView", 200),
)
async def mute(request: Request, id: str) -> Response:
    """Mute a contact, or let it be heard again: what it says then reopens nothing."""
    services = services_of(request)
    caller, raw = await _command(request)
    asked = _MUTE.read(raw)
    by = author(request, caller, raw, services.ledger.derive)
    wanted, expected = uuid_in_path(id), if_match(request)
    found = await thorough(request, caller, lambda look: look.contact(wanted))
    wish = Mute(asked.muted, (asked.reason or "").strip() or None)
    book = services.ledger.conversations
    try:
        receipt = await book.mute(whose(found), wish, by, expected=expected)
    except ChangedMeanwhile:
        await catch_up(services)
        now = await look(request, caller, Freshness(), lambda look: contact_answer(look, wanted))
        raise ChangedMeanwhile(msgspec.Raw(now.body)) from None
    if receipt is not None:
        await written(services, receipt.last)
    repeated = receipt is not None and receipt.duplicate
    return await look(
        request,
        caller,
        Freshness(),
        lambda look: contact_answer(look, wanted, duplicate=repeated),
    )


async def _command(request: Request) -> tuple[Caller, bytes]:
    """Who gives a command, and its body."""
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    return caller, await read_body(request)


def _required(field: str, text: str) -> str:
    """The text, which says something. Raises InvalidInput."""
    if not text.strip():
        raise InvalidInput.one(field, "too_short", "write a few words")
    return text.strip()


def _note_of(look: Look, contact: UUID, position: int) -> NoteAdded:
    """The note at a position, of a contact that the caller may see. Raises NotFound."""
    found = look.contact(contact)
    ref = timeline_pages.one(look.reading, position, KIND_NOTE)
    if ref is None or ref.subject not in found.members:
        raise NotFound(f"There is no note {position} on this contact.")
    entry = look.services.log.entry(position)
    if entry is None or not isinstance(entry.event, NoteAdded):
        raise NotFound(f"There is no note {position} on this contact.")
    return entry.event


async def _note_answer(
    request: Request, caller: Caller, receipt: FactReceipt, status_code: int
) -> Json:
    """The note's row after it was written."""
    await written(services_of(request), receipt.last)
    more = DUPLICATE if receipt.duplicate else None
    return await _row(request, caller, (receipt.position, status_code), more)


async def _row(
    request: Request, caller: Caller, answer: tuple[int, int], more: Mapping[str, str] | None
) -> Json:
    """The row of the note with that id; the id alone while the views are far behind."""
    position, status_code = answer

    def work(look: Look) -> Json:
        ref = timeline_pages.one(look.reading, position, KIND_NOTE)
        if ref is None:
            raise NotFound
        body = look.renderer.rows(look.reading, [ref], look.visible)[0]
        return Json(body, status_code, read_headers(look.position) | dict(more or {}))

    try:
        return await look(request, caller, Freshness(), work)
    except (NotFound, Unavailable):  # it is done, and durable: that is no failure
        return json_answer({"kind": "note", "id": position}, status_code, more)
