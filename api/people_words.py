"""Departments, campaigns and sources: what they are called, and which of them forms offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType

from api.auth import admit_leader, services_of
from api.bodies import Faults, Shape
from api.openapi import answers, body_of
from api.parameters import Query, if_match
from api.people import (
    Shown,
    Text,
    Thing,
    answered,
    body_of_command,
    by_whom,
    entry_of,
    listed,
    page_json,
    page_of,
    plain_name,
    shown_json,
    with_current,
)
from api.people_users import own_department
from api.reads import Task, answer
from domain.addresses import AddressError, parse_address
from domain.errors import NotFound
from domain.values import dictionary_key, is_source
from domain.word import CAMPAIGN, DEPARTMENT, SOURCE, WordChange
from projections.dictionary import Named, Word

if TYPE_CHECKING:
    from api.answers import Json
    from api.auth import Caller
    from api.reads import Look
    from api.services import Services

router = APIRouter()


class WordRow(Struct, frozen=True):
    """A department or campaign. One that is not `active` is not offered in forms any more."""

    key: str
    name: str
    active: bool
    version: int


class WordPage(Struct):
    """Departments or campaigns, the first come first, and the cursors of the pages beside them."""

    items: list[WordRow]
    next: str | None
    prev: str | None


class SourceRow(Struct, frozen=True):
    """A source: the account behind a channel. `state`: named, or discovered by its first record."""

    key: str
    name: str
    state: str
    department: Word | None
    address: str | None
    version: int


class SourcePage(Struct):
    """Sources, the first come first, and the cursors of the pages beside them."""

    items: list[SourceRow]
    next: str | None
    prev: str | None


class WordRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """A department or campaign to make; its key follows from the name, unless one is given."""

    name: Text
    key: Annotated[str, Meta(min_length=1, max_length=80)] | None = None


class WordPatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is changed of a department or campaign; its key never changes."""

    name: Text | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class SourcePatch(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is changed of a source; what is not named stays, null clears."""

    name: Text | UnsetType | None = UNSET
    department: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    address: Annotated[str, Meta(max_length=512)] | UnsetType | None = UNSET


_WORD: Final = Shape(WordRequest)
_PATCH: Final = Shape(WordPatch)
_SOURCE: Final = Shape(SourcePatch)

STRUCTS: Final = (
    WordRow,
    WordPage,
    SourceRow,
    SourcePage,
    WordRequest,
    WordPatch,
    SourcePatch,
)

# -------------------------------------------------------------- departments and campaigns


@router.get("/v1/departments", summary="Departments", responses=answers("WordPage", 200))
async def departments(request: Request) -> Response:
    """Departments; `active=true` those that forms offer."""
    return await _list(request, DEPARTMENT, _word)


@router.get("/v1/campaigns", summary="Campaigns", responses=answers("WordPage", 200))
async def campaigns(request: Request) -> Response:
    """Campaigns; `active=true` those that forms offer."""
    return await _list(request, CAMPAIGN, _word)


@router.get("/v1/departments/{key}", summary="A department", responses=answers("WordRow", 200))
async def department(request: Request, key: str) -> Response:
    """One department."""
    return await _one(request, _shown(DEPARTMENT, key))


@router.get("/v1/campaigns/{key}", summary="A campaign", responses=answers("WordRow", 200))
async def campaign(request: Request, key: str) -> Response:
    """One campaign."""
    return await _one(request, _shown(CAMPAIGN, key))


@router.post(
    "/v1/departments",
    status_code=201,
    summary="Make a department",
    openapi_extra=body_of(WordRequest),
    responses=answers("WordRow", 200, 201),
)
async def create_department(request: Request) -> Response:
    """Make a department by hand; one that is mentioned first comes to be by itself."""
    return await _create(request, DEPARTMENT)


@router.post(
    "/v1/campaigns",
    status_code=201,
    summary="Make a campaign",
    openapi_extra=body_of(WordRequest),
    responses=answers("WordRow", 200, 201),
)
async def create_campaign(request: Request) -> Response:
    """Make a campaign by hand; one that is mentioned first comes to be by itself."""
    return await _create(request, CAMPAIGN)


@router.patch(
    "/v1/departments/{key}",
    summary="Rename a department, or take it out of forms",
    openapi_extra=body_of(WordPatch),
    responses=answers("WordRow", 200),
)
async def patch_department(request: Request, key: str) -> Response:
    """Give a department another name, or say whether forms offer it; its key stays."""
    return await _patch(request, DEPARTMENT, key)


@router.patch(
    "/v1/campaigns/{key}",
    summary="Rename a campaign, or take it out of forms",
    openapi_extra=body_of(WordPatch),
    responses=answers("WordRow", 200),
)
async def patch_campaign(request: Request, key: str) -> Response:
    """Give a campaign another name, or say whether forms offer it; its key stays."""
    return await _patch(request, CAMPAIGN, key)


# ---------------------------------------------------------------------------- sources


@router.get("/v1/sources", summary="Sources", responses=answers("SourcePage", 200))
async def sources(request: Request) -> Response:
    """Every source that something came from, or that was given a name."""
    return await _list(request, SOURCE, _source)


@router.get("/v1/sources/{key:path}", summary="A source", responses=answers("SourceRow", 200))
async def source(request: Request, key: str) -> Response:
    """One source."""
    return await _one(request, _shown(SOURCE, key))


@router.patch(
    "/v1/sources/{key:path}",
    summary="Name a source",
    openapi_extra=body_of(SourcePatch),
    responses=answers("SourceRow", 200),
)
async def patch_source(request: Request, key: str) -> Response:
    """Give a source its name, its department, its address; also before anything came from it."""
    services = services_of(request)
    caller = await admit_leader(request)
    raw = await body_of_command(request)
    if not is_source(key):
        raise NotFound("A source is written like manual, api:crm or whatsapp:1065.")
    wanted = source_change(services, _SOURCE.read(raw))
    thing = Thing(_shown(SOURCE, key), {"key": key})
    work = services.ledger.words.change(
        (SOURCE, key), wanted, by_whom(request, caller, raw), expected=if_match(request)
    )
    receipt = await with_current(request, caller, thing.show, work)
    return await answered(request, caller, receipt, thing)


# ------------------------------------------------------------------------------ inside


def _word(_: Look, entry: Named) -> Struct:
    return WordRow(entry.key, entry.name, entry.active, entry.extra.version)


def _source(look: Look, entry: Named) -> Struct:
    extra = entry.extra
    return SourceRow(
        key=entry.key,
        name=entry.name,
        state="discovered" if extra.discovered else "named",
        department=look.names.department(extra.department) if extra.department else None,
        address=extra.address,
        version=extra.version,
    )


_ROWS: Final[Mapping[str, Callable[[Look, Named], Struct]]] = {
    DEPARTMENT: _word,
    CAMPAIGN: _word,
    SOURCE: _source,
}


def _shown(kind: str, key: str) -> Callable[[Look], Shown]:
    def show(look: Look) -> Shown:
        entry = entry_of(look, kind, key)
        return Shown(_ROWS[kind](look, entry), entry.extra.version)

    return show


async def _list(request: Request, kind: str, row: Callable[[Look, Named], Struct]) -> Response:
    query = Query(request)

    def prepare(_: Caller) -> Task:
        active = query.flag("active") if kind != SOURCE else None
        asked = listed(query, kind, active)

        def work(look: Look) -> Json:
            found = [one for one in look.names.all(kind) if active in {None, one.active}]
            page = page_of(asked, found)
            return page_json([row(look, one) for one in page.rows], page, look)

        return Task(work)

    return await answer(request, query, prepare)


async def _one(request: Request, show: Callable[[Look], Shown]) -> Response:
    def prepare(_: Caller) -> Task:
        return Task(lambda look: shown_json(look, show(look)))

    return await answer(request, Query(request), prepare)


async def _create(request: Request, kind: str) -> Response:
    services = services_of(request)
    caller = await admit_leader(request)
    raw = await body_of_command(request)
    key, name = new_word(_WORD.read(raw))
    by = by_whom(request, caller, raw)
    receipt = await services.ledger.words.create(kind, key, name, by)
    thing = Thing(_shown(kind, key), {"key": key}, f"/v1/{kind}s/{key}")
    return await answered(request, caller, receipt, thing)


async def _patch(request: Request, kind: str, key: str) -> Response:
    services = services_of(request)
    caller = await admit_leader(request)
    raw = await body_of_command(request)
    wanted = word_change(_PATCH.read(raw))
    thing = Thing(_shown(kind, key), {"key": key})
    work = services.ledger.words.change(
        (kind, key), wanted, by_whom(request, caller, raw), expected=if_match(request)
    )
    receipt = await with_current(request, caller, thing.show, work)
    return await answered(request, caller, receipt, thing)


def new_word(asked: WordRequest) -> tuple[str, str]:
    """Key and name of a department or campaign that a request makes. Raises InvalidInput."""
    faults = Faults()
    name = plain_name(asked.name, "name", faults)
    key = asked.key or dictionary_key(name)
    if key != dictionary_key(key):
        faults.add("key", "bad_format", f"a key is of a-z, 0-9 and -, as in {dictionary_key(key)}")
    faults.finish()
    return key, name


def word_change(asked: WordPatch) -> WordChange:
    """The change that a request asks for. Raises InvalidInput."""
    faults = Faults()
    given = {name for name in asked.__struct_fields__ if getattr(asked, name) is not UNSET}
    name = plain_name(asked.name, "name", faults) if isinstance(asked.name, str) else None
    if not given:
        faults.add("body", "missing", "name at least one field to change")
    faults.finish()
    return WordChange(fields=frozenset(given), name=name, active=asked.active is not False)


def source_change(services: Services, asked: SourcePatch) -> WordChange:
    """The change that a request asks for. Raises InvalidInput."""
    faults = Faults()
    given = {name for name in asked.__struct_fields__ if getattr(asked, name) is not UNSET}
    name = plain_name(asked.name, "name", faults) if isinstance(asked.name, str) else None
    department = own_department(services, asked.department, faults)
    address = None
    if isinstance(asked.address, str) and asked.address.strip():
        try:
            address = parse_address(asked.address, country=services.locale.country)
        except AddressError as error:
            faults.add("address", error.code, error.message)
    if not given:
        faults.add("body", "missing", "name at least one field to change")
    faults.finish()
    return WordChange(fields=frozenset(given), name=name, department=department, address=address)
