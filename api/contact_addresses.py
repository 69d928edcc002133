"""Which addresses are a contact's: links, moves, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct, structs

from api.answers import Json
from api.auth import services_of
from api.bodies import Faults, Shape
from api.contact_access import closed_as
from api.idempotency import author
from api.ingest import DUPLICATE
from api.openapi import answers, body_of
from api.parameters import Freshness, Query, if_match, uuid_in_path
from api.read_contacts import (
    as_it_is,
    command,
    contact_answer,
    current,
    is_nobodys,
    seen_by_views,
    whose,
)
from api.reads import Look, look, settled
from api.shapes import FUTURE_MAX_US, AddressText, TimeText
from domain.addresses import AddressError, parse_address
from domain.errors import AddressTaken, ChangedMeanwhile, InvalidInput, NotFound, WrongState
from domain.identity_book import Wanted
from domain.times import TimeError, format_utc, parse_rfc3339
from projections import access, contact_pages, timeline_pages
from projections.timeline_pages import PageQuery

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Found
    from api.services import Services
    from domain.access import Access
    from domain.commands import By, FactReceipt

router = APIRouter()

ERASED_ADDRESS: Final = "Its address is not known any more."


class AddressRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """An address that the contact shall have.

    `move` takes it from whoever has it. `from`: from that time on only, since the number was
    given to somebody else; what was said before stays with whom it was said to.
    """

    address: AddressText
    move: bool = False
    since: TimeText | None = msgspec.field(default=None, name="from")


_ADDRESS: Final = Shape(AddressRequest)

STRUCTS: Final = (AddressRequest,)


@router.post(
    "/v1/contacts/{id}/addresses",
    summary="Give a contact an address",
    openapi_extra=body_of(AddressRequest),
    responses=answers("ContactView", 200),
)
async def link(request: Request, id: str) -> Response:
    """Add an address; with `move` it is taken from another contact."""
    services = services_of(request)
    caller, raw = await command(request)
    asked, wanted = wanted_of(services, _ADDRESS.read(raw)), uuid_in_path(id)
    by, expected = author(request, caller, raw, services.ledger.derive), if_match(request)
    receipt = await give(request, caller, (wanted, asked), (by, expected))
    return await _contact_after(request, caller, wanted, receipt)


@router.delete(
    "/v1/contacts/{id}/addresses/{subject}",
    status_code=204,
    summary="Take an address off a contact",
)
async def unlink(request: Request, id: str, subject: str) -> Response:
    """Take an address off; with `from`, the number is somebody else's from that time on."""
    services = services_of(request)
    query = Query(request)
    since = query.time("from", services.locale.zone)
    caller, raw = await command(request, query)
    wanted, which = uuid_in_path(id), uuid_in_path(subject)
    by, expected = author(request, caller, raw, services.ledger.derive), if_match(request)
    receipt = await take_off(request, caller, (wanted, which, since), (by, expected))
    repeated = receipt is not None and receipt.duplicate
    return Response(status_code=204, headers=DUPLICATE if repeated else None)


# ------------------------------------------------------------------------- the commands


async def give(
    request: Request, caller: Caller, what: tuple[UUID, Wanted], how: tuple[By, int | None]
) -> FactReceipt | None:
    """Have a contact (its id, the address) have an address; None where it has it already.

    Raises NotFound, InvalidInput, AddressTaken, WrongState, ChangedMeanwhile, KeyReused.
    """
    services = services_of(request)
    (wanted, asked), (by, expected) = what, how
    book = services.ledger.identity
    repeat = book.repeat_of(by)
    if repeat is not None:
        return repeat
    await current(services)
    found: Found = await settled(request, caller, lambda look: look.contact(wanted))
    asked = await _as_closed_as_before(request, caller, asked)
    if asked.since is not None:
        await _refuse_early(request, caller, asked.address, ("from", asked.since))
    try:
        return await book.link(found.id, asked, by, expected=expected)
    except AddressTaken as taken:
        raise await whose(request, caller, taken) from None
    except ChangedMeanwhile:
        raise await as_it_is(request, caller, wanted) from None


async def take_off(
    request: Request,
    caller: Caller,
    what: tuple[UUID, UUID, int | None],
    how: tuple[By, int | None],
) -> FactReceipt | None:
    """Take an address off (contact, subject, from when on, in µs); None where it was off.

    Without a time it never was the contact's; with one it is somebody else's from then on. The
    views are waited for. Raises NotFound, InvalidInput, WrongState, ChangedMeanwhile, KeyReused.
    """
    services = services_of(request)
    (wanted, which, since), (by, expected) = what, how
    book = services.ledger.identity
    receipt = book.repeat_of(by)
    if receipt is not None:
        return receipt
    await current(services)
    owner, keeps = await settled(request, caller, lambda look: _holding(look, wanted, which))
    try:
        if since is None:
            receipt = await book.unlink(owner, which, by, expected=expected, keeps=keeps)
        else:
            receipt = await _given_away(request, caller, (owner, which, since), (by, expected))
    except ChangedMeanwhile:
        raise await as_it_is(request, caller, wanted) from None
    await seen_by_views(services, receipt)
    return receipt


async def _given_away(
    request: Request, caller: Caller, what: tuple[UUID, UUID, int], how: tuple[By, int | None]
) -> FactReceipt | None:
    """Have a contact's address (contact, subject, from when on) be somebody else's."""
    (owner, subject, since), (by, expected) = what, how
    services = services_of(request)
    _refuse_future(services, "query.from", since)

    def read(look: Look) -> str | None:
        return contact_pages.address_of(look.reading, subject.bytes)

    address = await look(request, caller, Freshness(), read)
    if address is None or is_nobodys(address):
        raise WrongState(ERASED_ADDRESS)
    await _refuse_early(request, caller, address, ("query.from", since))
    book = services.ledger.identity
    return await book.give_away(owner, (subject, address, since), by, expected=expected)


# --------------------------------------------------------------------------------- inside


def wanted_of(services: Services, asked: AddressRequest) -> Wanted:
    """What a request wants. Raises InvalidInput."""
    faults = Faults()
    address, since = "", None
    try:
        address = parse_address(asked.address, country=services.locale.country)
    except AddressError as error:
        faults.add("address", error.code, error.message)
    else:
        if is_nobodys(address):
            faults.add("address", "bad_address", "this is no address of a person outside")
    if asked.since is not None:
        try:
            since, _ = parse_rfc3339(asked.since)
        except TimeError as error:
            faults.add("from", error.code, error.message)
    faults.finish()
    if since is not None:
        _refuse_future(services, "from", since)
    return Wanted(address, asked.move, since)


def _refuse_future(services: Services, field: str, since: int) -> None:
    if since > services.clock() + FUTURE_MAX_US:
        message = "this lies more than 5 minutes in the future"
        raise InvalidInput.one(field, "future", message)


async def _as_closed_as_before(request: Request, caller: Caller, asked: Wanted) -> Wanted:
    """What is wanted, with who may see the address where it comes from a restricted contact.

    One of a contact that is out of the caller's sight is not theirs to take: what was said over
    it would come along, and so into their sight. Raises AddressTaken.
    """
    services = services_of(request)
    subject = services.ledger.subjects.find(asked.address, services.clock())
    if subject is None:
        return asked

    def work(look: Look) -> Wanted:
        root = contact_pages.contact_of(look.reading, subject.bytes)
        if root is None:
            return asked
        if not look.visible.may_see_one([root]):
            raise AddressTaken(None)
        return structs.replace(asked, keeps=closed_as(access.granted_one(look.reading, root)))

    return await look(request, caller, Freshness(), work)


async def _refuse_early(
    request: Request, caller: Caller, address: str, when: tuple[str, int]
) -> None:
    """What was said over an address was said to whom it belonged: that is not changed."""
    field, since = when
    services = services_of(request)
    subject = services.ledger.subjects.find(address, services.clock())
    if subject is None:
        return

    def last(look: Look) -> int | None:
        query = PageQuery(scope="last", limit=1)
        page = timeline_pages.page(look.reading, (subject.bytes,), query)
        return page.rows[0].occurred_at if page.rows else None

    at = await look(request, caller, Freshness(), last)
    if at is not None and at >= since:
        message = f"it was still in use at {format_utc(at)}; name a time after that"
        raise InvalidInput.one(field, "too_early", message)


def _holding(look: Look, id: UUID, subject: UUID) -> tuple[UUID, Access]:
    """The contact that has this address, and who may see that alone. Raises NotFound."""
    found = look.contact(id)
    if subject.bytes not in found.members:
        raise NotFound("The contact has no such address.")
    return found.id, closed_as(access.granted_one(look.reading, found.id.bytes))


async def _contact_after(
    request: Request, caller: Caller, wanted: UUID, receipt: FactReceipt | None
) -> Json:
    """The contact as it is after a command."""
    await seen_by_views(services_of(request), receipt)
    repeated = receipt is not None and receipt.duplicate
    return await look(
        request,
        caller,
        Freshness(),
        lambda look: contact_answer(look, wanted, duplicate=repeated),
    )
