"""The directory: contacts by recency or by what is looked for, one of them, made and described."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool

from api.answers import Json
from api.auth import admit, services_of
from api.bodies import Faults, Shape
from api.idempotency import author
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    Freshness,
    Query,
    if_match,
    read_body,
    read_headers,
    require_type,
    uuid_in_path,
)
from api.reads import Look, Task, answer, look, moved_to, page_answer, settled, written
from api.shapes import AddressText
from domain.addresses import AddressError, is_company_side, parse_address, scheme_of
from domain.commands import ContactFields
from domain.errors import AddressTaken, ChangedMeanwhile
from projections import contact_pages
from projections.contact_pages import ContactQuery
from projections.rendering import encode, page_json

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Found
    from api.services import Services
    from domain.commands import FactReceipt

router = APIRouter()

ADDRESSES_MAX: Final = 7
"""Addresses written at one time: with the name they are one unit of the log."""

Name = Annotated[str, Meta(max_length=200)]

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_NOT_WRITTEN: Final = frozenset({"contact", "anonymous"})
"""Schemes that only Hilo itself gives."""


class ContactRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is written down of a contact; what is not named stays, null clears.

    `owner` is a user's id, e-mail or name; `language` a tag such as es or pt-BR. `addresses`
    are added to those that the contact has.
    """

    name: Name | UnsetType | None = UNSET
    company: Name | UnsetType | None = UNSET
    owner: Name | UnsetType | None = UNSET
    language: Annotated[str, Meta(max_length=35)] | UnsetType | None = UNSET
    addresses: Annotated[tuple[AddressText, ...], Meta(max_length=ADDRESSES_MAX)] = ()


_CONTACT: Final = Shape(ContactRequest)


# ------------------------------------------------------------------------------ reading


@router.get("/v1/contacts", summary="Contacts", responses=answers("ContactPage", 200))
async def contacts(request: Request) -> Response:
    """A page of contacts, the latest interaction first; `q` finds names, numbers, addresses."""
    query = Query(request)

    def prepare(_: Caller) -> Task:
        text = (query.text("q") or "").strip() or None
        country = services_of(request).locale.country
        limit, cursor = query.limit(), query.text("cursor")
        asked = ContactQuery(text=text, country=country, limit=limit, cursor=cursor)

        def work(look: Look) -> Json:
            page = contact_pages.page(look.reading, asked, look.visible)
            found = look.renderer.contacts(look.reading, page.rows)
            return page_answer(page_json(map(encode, found), page), look.position)

        return Task(work)

    return await answer(request, query, prepare)


@router.get("/v1/contacts/{id}", summary="One contact", responses=answers("ContactView", 200))
async def contact(request: Request, id: str) -> Response:
    """One contact; under the id of a linked address, `Content-Location` says whose it is."""
    wanted = uuid_in_path(id)

    def prepare(_: Caller) -> Task:
        return Task(lambda look: contact_answer(look, wanted), quick=True)

    return await answer(request, Query(request), prepare)


@router.get(
    "/v1/contacts/{id}/addresses",
    summary="A contact's addresses",
    responses=answers("AddressPage", 200),
)
async def addresses(request: Request, id: str) -> Response:
    """Every address of a contact, the first come first; one page, at most 64."""
    wanted = uuid_in_path(id)

    def prepare(_: Caller) -> Task:
        def work(look: Look) -> Json:
            found = look.contact(wanted)
            shown = look.renderer.contact(look.reading, found.id.bytes)
            items = shown.addresses if shown else []
            body = msgspec.json.encode({"items": items, "next": None, "prev": None})
            more = moved_to(found, "/v1/contacts/{id}/addresses")
            return Json(body, 200, read_headers(look.position) | more)

        return Task(work)

    return await answer(request, Query(request), prepare)


def contact_answer(
    look: Look, id: UUID, status_code: int = 200, *, duplicate: bool = False
) -> Json:
    """A contact as an answer. Raises NotFound."""
    found = look.contact(id)
    shown = look.renderer.contact(look.reading, found.id.bytes)
    version = shown.version if shown else None
    headers = read_headers(look.position, version) | moved_to(found, "/v1/contacts/{id}")
    if status_code == 201:  # noqa: PLR2004 - Created
        headers["location"] = f"/v1/contacts/{found.id}"
    if duplicate:
        headers["hilo-duplicate"] = "true"
    return Json(encode(shown), status_code, headers)


# ------------------------------------------------------------------------------ writing


@router.post(
    "/v1/contacts",
    status_code=201,
    summary="Make a contact",
    openapi_extra=body_of(ContactRequest),
    responses=answers("ContactView", 200, 201),
)
async def create(request: Request) -> Response:
    """Make a contact by hand, with addresses or without."""
    services = services_of(request)
    caller, raw = await command(request)
    fields = fields_of(services, _CONTACT.read(raw))
    by = author(request, caller, raw, services.ledger.derive)
    try:
        id, receipt = await services.ledger.contacts.create(fields, by)
    except AddressTaken as taken:
        raise await whose(request, caller, taken) from None
    await seen_by_views(services, receipt)
    status = 200 if receipt.duplicate else 201
    return await look(
        request,
        caller,
        Freshness(),
        lambda look: contact_answer(look, id, status, duplicate=receipt.duplicate),
    )


@router.patch(
    "/v1/contacts/{id}",
    summary="Describe a contact",
    openapi_extra=body_of(ContactRequest),
    responses=answers("ContactView", 200),
)
async def describe(request: Request, id: str) -> Response:
    """Write down who a contact is; with `If-Match`, only where nobody else did meanwhile."""
    services = services_of(request)
    caller, raw = await command(request)
    fields = fields_of(services, _CONTACT.read(raw))
    by = author(request, caller, raw, services.ledger.derive)
    wanted = uuid_in_path(id)
    expected = if_match(request)
    found: Found = await settled(request, caller, lambda look: look.contact(wanted))
    try:
        receipt = await services.ledger.contacts.describe(found.id, fields, by, expected=expected)
    except AddressTaken as taken:
        raise await whose(request, caller, taken) from None
    except ChangedMeanwhile:
        raise await as_it_is(request, caller, wanted) from None
    await seen_by_views(services, receipt)
    repeated = receipt is not None and receipt.duplicate
    return await look(
        request,
        caller,
        Freshness(),
        lambda look: contact_answer(look, wanted, duplicate=repeated),
    )


async def command(request: Request, query: Query | None = None) -> tuple[Caller, bytes]:
    """Who gives a command about contacts, and its body; the query may have been read already."""
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    (query or Query(request)).close()
    return caller, await read_body(request)


async def current(services: Services) -> None:
    """Have the views hold all that stands in the log, if they are quick: they are decided on."""
    await written(services, await run_in_threadpool(services.log.head))


async def seen_by_views(services: Services, receipt: FactReceipt | None) -> None:
    """Wait until the views hold what was written, if they are quick."""
    if receipt is not None:
        await written(services, receipt.last)
        services.ledger.identity.look_again()


async def as_it_is(request: Request, caller: Caller, id: UUID) -> ChangedMeanwhile:
    """The refusal of what was decided on an older version, with the contact as it is."""
    now = await look(request, caller, Freshness(), lambda look: contact_answer(look, id))
    return ChangedMeanwhile(msgspec.Raw(now.body))


async def whose(request: Request, caller: Caller, taken: AddressTaken) -> AddressTaken:
    """The refusal, without the contact's id where the caller may not see it."""

    def may_see(look: Look) -> bool:
        return look.visible.may_see_one([uuid_in_path(taken.contact or "").bytes])

    if taken.contact is None or await look(request, caller, Freshness(), may_see):
        return taken
    return AddressTaken(None)


# --------------------------------------------------------------------------------- body


def fields_of(services: Services, asked: ContactRequest) -> ContactFields:
    """What a request says of a contact. Raises InvalidInput."""
    faults = Faults()
    values: dict[str, str | None] = {}
    for name in ("name", "company", "owner", "language"):
        value = getattr(asked, name)
        if value is not UNSET:
            values[name] = " ".join(value.split()) or None if value else None
    language = values.get("language")
    if language is not None and _LANGUAGE.fullmatch(language) is None:
        faults.add("language", "bad_format", "write a language tag, such as es or pt-BR")
    owner = values.get("owner")
    person = services.people.staff_id(owner) if owner else None
    if owner and person is None:
        faults.add("owner", "unknown", "no such user; write an id, an e-mail address or a name")
    found = _addresses(services, asked.addresses, faults)
    faults.finish()
    return ContactFields(
        fields=tuple(values),
        name=values.get("name"),
        company=values.get("company"),
        owner=person,
        language=language,
        addresses=found,
    )


def is_nobodys(address: str) -> bool:
    """Whether an address is none of a person outside, as people write them."""
    return is_company_side(address) or scheme_of(address) in _NOT_WRITTEN


def _addresses(services: Services, texts: tuple[str, ...], faults: Faults) -> tuple[str, ...]:
    """The addresses, canonical, each once."""
    found: dict[str, None] = {}
    for number, text in enumerate(texts):
        field = f"addresses[{number}]"
        try:
            address = parse_address(text, country=services.locale.country)
        except AddressError as error:
            faults.add(field, error.code, error.message)
            continue
        if is_nobodys(address):
            faults.add(field, "bad_address", "this is no address of a person outside")
        found[address] = None
    return tuple(found)
