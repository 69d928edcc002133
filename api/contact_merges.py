"""Which contacts are one: merges, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from api.answers import Json
from api.auth import services_of
from api.bodies import Shape
from api.contact_access import closed_as
from api.idempotency import author
from api.ingest import DUPLICATE
from api.openapi import answers, body_of
from api.parameters import Freshness, if_match, read_headers, uuid_in_path
from api.read_contacts import (
    as_it_is,
    command,
    current,
    seen_by_views,
)
from api.reads import Look, look, moved_to, settled
from domain.contact import Tie
from domain.errors import ChangedMeanwhile, InvalidInput, NotFound
from projections import access, merges
from projections.rendering import encode
from projections.shapes import ContactView

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Found
    from domain.access import Access
    from domain.commands import By, FactReceipt
    from projections.directory_rows import MergeRow

router = APIRouter()

Reason = Annotated[str, Meta(max_length=500)]


class MergeRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """The contact that is merged into the one of the path, and why."""

    other: UUID
    reason: Reason | None = None


class UndoRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a merge is taken back."""

    reason: Reason | None = None


class MergeAnswer(Struct):
    """The merge that was made, and the contact that is left."""

    merge: str
    contact: ContactView | None


class UndoAnswer(Struct):
    """The contact that had absorbed, and the other one, each as it is now."""

    merge: str
    contact: ContactView | None
    other: ContactView | None


STRUCTS: Final = (MergeRequest, UndoRequest, MergeAnswer, UndoAnswer)

_MERGE: Final = Shape(MergeRequest)
_UNDO: Final = Shape(UndoRequest)


@router.post(
    "/v1/contacts/{id}/merge",
    summary="Merge another contact into this one",
    openapi_extra=body_of(MergeRequest),
    responses=answers("MergeAnswer", 200),
)
async def merge(request: Request, id: str) -> Response:
    """Merge `other` into this contact, which keeps its id; it can be undone exactly."""
    services = services_of(request)
    caller, raw = await command(request)
    asked, wanted = _MERGE.read(raw), uuid_in_path(id)
    by, expected = author(request, caller, raw, services.ledger.derive), if_match(request)
    made, receipt = await join(request, caller, (wanted, asked), (by, expected))
    return await _merged(request, caller, (wanted, made), duplicate=receipt.duplicate)


@router.post(
    "/v1/contacts/{id}/merges/{merge}/undo",
    summary="Undo a merge",
    openapi_extra=body_of(UndoRequest),
    responses=answers("UndoAnswer", 200),
)
async def undo(request: Request, id: str, merge: str) -> Response:
    """Take exactly this merge back, whatever came after it; again it changes nothing."""
    services = services_of(request)
    caller, raw = await command(request)
    asked = _UNDO.read(raw or b"{}")
    wanted, which = uuid_in_path(id), uuid_in_path(merge)
    by, expected = author(request, caller, raw, services.ledger.derive), if_match(request)
    what = (wanted, which, asked.reason or None)
    row, repeated = await part(request, caller, what, (by, expected))
    return await look(
        request, caller, Freshness(), lambda look: _undone(look, row, duplicate=repeated)
    )


# ------------------------------------------------------------------------- the commands


async def join(
    request: Request, caller: Caller, what: tuple[UUID, MergeRequest], how: tuple[By, int | None]
) -> tuple[UUID | None, FactReceipt]:
    """Merge a contact into the one with an id: the merge, and its receipt; views are waited for.

    Raises NotFound, InvalidInput, WrongState, ChangedMeanwhile, KeyReused.
    """
    services = services_of(request)
    (wanted, asked), (by, expected) = what, how
    if asked.other == wanted:
        raise InvalidInput.one("other", "self", "a contact is not merged with itself")
    book = services.ledger.identity
    repeat = book.repeat_of(by)
    if repeat is not None:
        return book.merge_at(repeat.position), repeat
    await current(services)
    into = await settled(request, caller, lambda look: look.contact(wanted))
    other = await _other(request, caller, asked.other)
    try:
        made, receipt = await book.merge(into.id, other, asked.reason or None, by, expected)
    except ChangedMeanwhile:
        raise await as_it_is(request, caller, wanted) from None
    await seen_by_views(services, receipt)
    return made, receipt


async def part(
    request: Request,
    caller: Caller,
    what: tuple[UUID, UUID, str | None],
    how: tuple[By, int | None],
) -> tuple[MergeRow, bool]:
    """Take a merge back (contact, merge, why): its row, and whether the command had come before.

    Raises NotFound, WrongState, ChangedMeanwhile, KeyReused; the views are waited for.
    """
    services = services_of(request)
    (wanted, which, reason), (by, expected) = what, how
    book = services.ledger.identity
    repeat = book.repeat_of(by)
    await current(services)
    row, keeps = await settled(request, caller, lambda look: _merge(look, wanted, which, repeat))
    if repeat is None:
        tie = Tie(which, UUID(bytes=row.survivor), UUID(bytes=row.absorbed), reason)
        try:
            receipt = await book.undo(tie, by, expected=expected, keeps=keeps)
        except ChangedMeanwhile:
            raise await as_it_is(request, caller, wanted) from None
        await seen_by_views(services, receipt)
    return row, repeat is not None


# --------------------------------------------------------------------------------- inside


async def _other(request: Request, caller: Caller, id: UUID) -> UUID:
    """The contact that a body names. Raises InvalidInput."""
    try:
        found: Found = await settled(request, caller, lambda look: look.contact(id))
    except NotFound:
        raise InvalidInput.one("other", "unknown", "there is no such contact") from None
    return found.id


def _merge(
    look: Look, id: UUID, merge: UUID, repeat: FactReceipt | None
) -> tuple[MergeRow, Access]:
    """A merge in which the contact took part, where both of its contacts may be seen.

    With it who may see the one that goes: as was decided for both. Who repeats the undoing need
    not see that one any more. Raises NotFound.
    """
    found = look.contact(id)
    row = merges.one(look.reading, merge.bytes)
    if row is None or not {row.survivor, row.absorbed} & set(found.members):
        raise NotFound("The contact has no such merge.")
    for one in () if repeat else (row.survivor, row.absorbed):
        look.contact(UUID(bytes=one))
    kept = access.decided_for(look.reading, found.members, row.absorbed)
    return row, closed_as(kept)


async def _merged(
    request: Request, caller: Caller, what: tuple[UUID, UUID | None], *, duplicate: bool
) -> Json:
    """The answer to a merge: which it is, and the contact that is left."""
    id, merge = what

    def work(look: Look) -> Json:
        found = look.contact(id)
        view = look.renderer.contact(look.reading, found.id.bytes)
        body = encode(MergeAnswer(str(merge), view))
        headers = read_headers(look.position, view.version if view else None)
        more = DUPLICATE if duplicate else {}
        return Json(body, 200, headers | moved_to(found, "/v1/contacts/{id}") | more)

    return await look(request, caller, Freshness(), work)


def _undone(look: Look, row: MergeRow, *, duplicate: bool) -> Json:
    """The answer to an undoing: both contacts as they are now; null is out of sight again."""
    survivor, absorbed = (_seen(look, one) for one in (row.survivor, row.absorbed))
    body = encode(UndoAnswer(str(UUID(bytes=row.merge)), survivor, absorbed))
    headers = read_headers(look.position, survivor.version if survivor else None)
    return Json(body, 200, headers | (DUPLICATE if duplicate else {}))


def _seen(look: Look, id: bytes) -> ContactView | None:
    """A contact, or None where a wall stands before it."""
    try:
        found = look.contact(UUID(bytes=id))
    except NotFound:
        return None
    return look.renderer.contact(look.reading, found.id.bytes)
