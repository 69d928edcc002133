"""Settings, Departments, Campaigns and Sources: what they are called, and which forms offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from msgspec import Struct

from api.auth import services_of
from api.bodies import Shape
from api.people_words import (
    SourcePatch,
    WordPatch,
    WordRequest,
    new_word,
    source_change,
    word_change,
)
from api.web.addresses import Pages
from api.web.ground import redirect
from api.web.settings import (
    CAMPAIGNS,
    DEPARTMENTS,
    SOURCES,
    Room,
    Section,
    body,
    keep,
    settle,
    show,
)
from api.web.settings import departments as offered
from domain.errors import NotFound
from domain.values import is_source
from projections.dictionary import CAMPAIGN, DEPARTMENT, SOURCE

if TYPE_CHECKING:
    from api.auth import Caller
    from api.parameters import Query
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.settings import Fill

router = Pages()

ROWS: Final = 100
"""Words of a page; what is typed above the list finds the others."""

PAGES_MAX: Final = 1_000
"""Pages that an address may name."""

_NEW: Final = Shape(WordRequest)
_PATCH: Final = Shape(WordPatch)
_SOURCE: Final = Shape(SourcePatch)


class WordRowView(Struct, frozen=True):
    """A word as its list shows it; department and address are a source's."""

    key: str
    name: str
    active: bool
    department: str | None
    address: str | None
    discovered: bool


def _room(section: Section, kind: str) -> Room:
    """The page of one kind of words."""

    def ready(query: Query) -> Fill:
        page = query.number("page", 1, 1, PAGES_MAX)

        def values(look: Look) -> dict[str, Any]:
            found = look.names.all(kind)
            rows = [
                WordRowView(
                    one.key,
                    one.name,
                    one.active,
                    one.extra.department,
                    one.extra.address,
                    one.extra.discovered,
                )
                for one in found[(page - 1) * ROWS : page * ROWS]
            ]
            return {
                "kind": kind,
                "rows": rows,
                "page_number": page,
                "more": len(found) > page * ROWS,
                "departments": offered(look, *(one.department for one in rows)),
            }

        return values

    return Room(section, "settings_words.html", ready, {"add": ("name", "word-taken")})


_DEPARTMENTS: Final = _room(DEPARTMENTS, DEPARTMENT)
_CAMPAIGNS: Final = _room(CAMPAIGNS, CAMPAIGN)
_SOURCES: Final = _room(SOURCES, SOURCE)


@router.get("/settings/departments")
async def departments(request: Request) -> Response:
    """The departments."""
    return await show(request, _DEPARTMENTS)


@router.get("/settings/campaigns")
async def campaigns(request: Request) -> Response:
    """The campaigns."""
    return await show(request, _CAMPAIGNS)


@router.get("/settings/sources")
async def sources(request: Request) -> Response:
    """Every source that something came from, or that was given a name."""
    return await show(request, _SOURCES)


@router.post("/settings/departments")
async def change_department(request: Request) -> Response:
    """Make a department, rename it, or say whether forms offer it."""
    return await _change(request, _DEPARTMENTS, DEPARTMENT)


@router.post("/settings/campaigns")
async def change_campaign(request: Request) -> Response:
    """Make a campaign, rename it, or say whether forms offer it."""
    return await _change(request, _CAMPAIGNS, CAMPAIGN)


@router.post("/settings/sources")
async def change_source(request: Request) -> Response:
    """Give a source its name, its department, its address."""

    async def carry(caller: Caller, sent: Sent) -> Response:
        services, key = services_of(request), sent.one("key")
        if not is_source(key):
            raise NotFound("A source is written like manual, api:crm or whatsapp:1065.")
        fields = {
            name: sent.one(name).strip() or None for name in ("name", "department", "address")
        }
        wanted = source_change(services, _SOURCE.read(body(**fields)))
        words = services.ledger.words
        await settle(
            services, await words.change((SOURCE, key), wanted, caller.by(), expected=None)
        )
        return redirect(f"{SOURCES.path}?done=saved")

    return await keep(request, _SOURCES, carry)


async def _change(request: Request, room: Room, kind: str) -> Response:
    async def carry(caller: Caller, sent: Sent) -> None:
        services, do = services_of(request), sent.one("do")
        words, by = services.ledger.words, caller.by()
        if do == "add":
            key, name = new_word(_NEW.read(body(name=sent.one("name"))))
            await settle(services, await words.create(kind, key, name, by))
            return
        fields: dict[str, object] = (
            {"active": do == "offer"} if do in {"offer", "hide"} else {"name": sent.one("name")}
        )
        wanted = word_change(_PATCH.read(body(**fields)))
        word = (kind, sent.one("key"))
        await settle(services, await words.change(word, wanted, by, expected=None))

    return await keep(request, room, carry)
