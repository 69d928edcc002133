"""Suggestions that two contacts are one: dismissed, and suggested again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from api.auth import services_of
from api.bodies import Shape
from api.idempotency import author
from api.ingest import DUPLICATE
from api.openapi import answers, body_of
from api.parameters import Freshness, uuid_in_path
from api.read_contacts import command, current
from api.read_kinship import suggestions_answer
from api.reads import Look, look, settled, written
from domain.errors import InvalidInput, NotFound
from domain.events import Reason
from domain.suggestion_book import Doubt
from projections import suggestions
from projections.dismissals import key_of

if TYPE_CHECKING:
    from api.auth import Caller
    from domain.commands import By, FactReceipt

router = APIRouter()


class DismissalRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """The other contact, and why."""

    other: UUID
    reason: Annotated[str, Meta(max_length=500)] | None = None


STRUCTS: Final = (DismissalRequest,)

_DISMISSAL: Final = Shape(DismissalRequest)


@router.post(
    "/v1/contacts/{id}/suggestions/dismiss",
    summary="They are not the same",
    openapi_extra=body_of(DismissalRequest),
    responses=answers("SuggestionPage", 200),
)
async def dismiss(request: Request, id: str) -> Response:
    """Whatever speaks for this contact and `other` being one does not: it is suggested no more."""
    return await _command(request, id, dismissed=True)


@router.post(
    "/v1/contacts/{id}/suggestions/restore",
    summary="They may be the same",
    openapi_extra=body_of(DismissalRequest),
    responses=answers("SuggestionPage", 200),
)
async def restore(request: Request, id: str) -> Response:
    """Suggest again what was dismissed about this contact and `other`."""
    return await _command(request, id, dismissed=False)


async def _command(request: Request, id: str, *, dismissed: bool) -> Response:
    services = services_of(request)
    caller, raw = await command(request)
    asked, wanted = _DISMISSAL.read(raw), uuid_in_path(id)
    by = author(request, caller, raw, services.ledger.derive)
    receipt = await doubted(request, caller, (wanted, asked, dismissed), by)
    more = DUPLICATE if receipt is not None and receipt.duplicate else None
    return await look(
        request, caller, Freshness(), lambda look: suggestions_answer(look, wanted, more)
    )


async def doubted(
    request: Request, caller: Caller, what: tuple[UUID, DismissalRequest, bool], by: By
) -> FactReceipt | None:
    """Dismiss what suggests that two contacts are one, or (False) have it suggested again.

    None where there is nothing like that. Raises NotFound, InvalidInput, KeyReused; the views
    are waited for.
    """
    services = services_of(request)
    wanted, asked, dismissed = what
    if asked.other == wanted:
        raise InvalidInput.one("other", "self", "a contact is not like itself")
    book = services.ledger.suggestions
    repeat = book.repeat_of(by)
    if repeat is not None:
        return repeat
    await current(services)
    doubt = await settled(
        request, caller, lambda look: _doubt(look, wanted, asked, dismissed=dismissed)
    )
    receipt = await (book.dismiss if dismissed else book.restore)(doubt, by)
    if receipt is not None:
        await written(services, receipt.last)
    return receipt


def _doubt(look: Look, id: UUID, asked: DismissalRequest, *, dismissed: bool) -> Doubt:
    """What speaks for both being one, or was dismissed. Raises NotFound, InvalidInput."""
    mine = look.contact(id)
    try:
        other = look.contact(asked.other).id
    except NotFound:
        raise InvalidInput.one("other", "unknown", "there is no such contact") from None
    found = suggestions.of_contact(
        look.reading, mine.members, other=other.bytes, dismissed=not dismissed
    )
    keys = [key_of(one.one, one.other, one.why) for one in found]
    reasons = tuple(Reason(UUID(bytes=low), UUID(bytes=high), why) for low, high, why in keys)
    return Doubt(mine.id, other, reasons, asked.reason or None)
