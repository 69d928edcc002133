"""Contacts: the directory, found as one types, and making one by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request, Response
from msgspec import structs

from api.auth import services_of
from api.parameters import Freshness, Query
from api.read_contacts import ContactRequest, fields_of, seen_by_views, whose
from api.read_search import QUERY_MAX_CHARS
from api.reads import look
from api.web.addresses import Pages
from api.web.contact_forms import Form, author, fresh, send, staff, typed_address
from api.web.ground import open_page, redirect
from api.web.making import Shown
from domain.addresses import AddressError, parse_address
from domain.errors import AddressTaken, InvalidInput
from projections import contact_pages
from projections.contact_pages import ContactQuery
from projections.directory_rows import fold
from projections.finding_pages import interaction_of
from projections.shapes import ContactView, uuid_text

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.ground import Work

router = Pages()

ROWS: Final = 50
"""Contacts of a stretch of the list: two screens or three."""

NAMESAKES_MAX: Final = 3
"""Contacts of the same name that are shown before one more is made."""

ADDRESSES: Final = ("phone", "email", "address")
"""The fields of a new contact that hold an address."""

NAME_MAX_CHARS: Final = 200
"""Length of a name (contract 2.2)."""


# --------------------------------------------------------------------------- directory


@router.get("/contacts")
async def directory(request: Request) -> Response:
    """All contacts, or those that are found; for a script the list, or its next stretch."""
    answer = await open_page(request, _directory)
    if "hx-request" in request.headers and "cursor" not in request.query_params:
        kept = [one for one in request.query_params.multi_items() if one[0] == "q" and one[1]]
        answer.headers["HX-Replace-Url"] = "/contacts" + (f"?{urlencode(kept)}" if kept else "")
    return answer


def _directory(request: Request, _caller: Caller) -> Work:
    query = Query(request)
    text = (query.text("q") or "").strip()[:QUERY_MAX_CHARS]
    cursor, piece = query.text("cursor"), query.flag("piece") is True
    query.close()
    country = services_of(request).locale.country
    asked = ContactQuery(
        scope="pages:contacts", text=text or None, country=country, limit=ROWS, cursor=cursor
    )

    def work(look: Look) -> Shown | Response:
        number = interaction_of(text)
        if number is not None and not piece:
            return redirect(f"/interactions/{number}")
        page = contact_pages.page(look.reading, asked, look.visible)
        values: dict[str, Any] = {
            "people": look.renderer.contacts(look.reading, page.rows),
            "text": text,
            "first": cursor is None,
            "next": _address(text, page.next),
            "prev": _address(text, page.prev),
            "can_act": look.caller.may("manage"),
        }
        if piece:
            template = "contacts_list.html" if cursor is None else "contacts_rows.html"
            return Shown(template, values, piece=True)
        return Shown("contacts.html", values, "contacts")

    return work


def _address(text: str, cursor: str | None) -> str | None:
    """The address of another stretch of the list."""
    if cursor is None:
        return None
    return "/contacts?" + urlencode({**({"q": text} if text else {}), "cursor": cursor})


def views_of(look: Look, ids: list[str]) -> dict[str, ContactView]:
    """Contacts by their ids, with a few queries for all of them."""
    rows = contact_pages.rows_of(look.reading, {UUID(id).bytes for id in ids if id})
    return {one.id: one for one in look.renderer.contacts(look.reading, list(rows.values()))}


# ------------------------------------------------------------------------------ making


@router.get("/contacts/new")
async def new(request: Request) -> Response:
    """The form for a new contact; `q` is what somebody looked for and did not find."""
    return await open_page(request, _new, scope="manage")


def _new(request: Request, _caller: Caller) -> Work:
    query = Query(request)
    text = (query.text("q") or "").strip()[:NAME_MAX_CHARS]
    query.close()

    def work(look: Look) -> Shown:
        field = "name"
        if "@" in text:
            field = "email"
        elif text[:1] in {"+", "("} or text[:1].isdigit():
            field = "phone"
        filled = {field: [text]} if text else {}
        return _page(look, structs.replace(fresh(look), fields=filled))

    return work


def _page(look: Look, form: Form) -> Shown:
    values: dict[str, Any] = {"form": form, "people": staff(look), "alike": [], "owned": ""}
    if form.taken is not None:
        values["owned"] = _owned(look, form)
    if form.errors.get("name") == "name.known":
        values["alike"] = _namesakes(look, form.value("name"))
    return Shown("contact_new.html", values, "contacts", form.status)


@router.post("/contacts/new")
async def create(request: Request) -> Response:
    """Make a contact; one of the same name is shown before another one is made."""

    async def do(caller: Caller, sent: Sent) -> str:
        services = services_of(request)
        fields = fields_of(services, _asked(request, sent))
        by = author(request, caller, sent)
        repeated = services.ledger.identity.repeat_of(by) is not None
        if sent.one("anyway") != "true" and not repeated:
            name = fields.name or ""
            await look(request, caller, Freshness(), lambda look: _refuse_known(look, name))
        try:
            id, receipt = await services.ledger.contacts.create(fields, by)
        except AddressTaken as taken:
            raise await whose(request, caller, taken) from None
        await seen_by_views(services, receipt)
        return f"/contacts/{id}"

    return await send(request, do, _page)


def _asked(request: Request, sent: Sent) -> ContactRequest:
    """What the form asks for. Raises InvalidInput."""
    name = sent.one("name").strip()
    typed = {field: typed_address(sent.one(field)) for field in ADDRESSES}
    country = services_of(request).locale.country
    for field, text in typed.items():
        if text:
            try:
                parse_address(text, country=country)
            except AddressError as error:
                raise InvalidInput.one(field, error.code, error.message) from None
    if not name and not any(typed.values()):
        raise InvalidInput.one("name", "nothing", "write a name or an address")
    require_short(sent, "name", "company")
    return ContactRequest(
        name=name or None,
        company=sent.one("company").strip() or None,
        owner=sent.one("owner") or None,
        addresses=tuple(text for text in typed.values() if text),
    )


def require_short(sent: Sent, *names: str) -> None:
    """Raise InvalidInput where a name is longer than a name may be."""
    for name in names:
        if len(sent.one(name)) > NAME_MAX_CHARS:
            message = f"at most {NAME_MAX_CHARS} characters"
            raise InvalidInput.one(name, "too_long", message)


def _refuse_known(look: Look, name: str) -> None:
    if name and _namesakes(look, name):
        raise InvalidInput.one("name", "known", "somebody is called so already")


def _namesakes(look: Look, name: str) -> list[ContactView]:
    """Contacts that are called the same, whatever the accents."""
    asked = ContactQuery(text=name, limit=10)
    page = contact_pages.page(look.reading, asked, look.visible)
    alike = [row for row in page.rows if row.name and fold(row.name) == fold(name)]
    return look.renderer.contacts(look.reading, alike[:NAMESAKES_MAX])


def _owned(look: Look, form: Form) -> str:
    """Which field holds the address that is somebody's already."""
    for field in ADDRESSES:
        if form.taken is not None and owner_of(look, form.value(field)) == form.taken:
            return field
    return ""


def owner_of(look: Look, text: str) -> str | None:
    """The contact that a typed address belongs to; None where the reader sees none."""
    services = look.services
    try:
        address = parse_address(typed_address(text), country=services.locale.country)
    except AddressError:
        return None
    subject = services.ledger.subjects.find(address, services.clock())
    root = contact_pages.contact_of(look.reading, subject.bytes) if subject else None
    return uuid_text(root) if root is not None and look.visible.may_see_one([root]) else None
