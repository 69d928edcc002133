"""What the rooms of users, teams and words share: how they are shown, and how commands answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from api.answers import Json, json_answer
from api.auth import services_of
from api.bodies import Faults
from api.idempotency import author
from api.ingest import DUPLICATE
from api.parameters import (
    JSON_TYPES,
    Freshness,
    Query,
    read_body,
    read_headers,
    require_type,
    uuid_of,
)
from api.reads import look, page_answer, written
from domain.addresses import AddressError, parse_address
from domain.errors import ChangedMeanwhile, NotFound, Unavailable
from projections.dictionary import USER, Named, Person
from projections.paging import Ask, Page, SortKey, binding, read_cursor, read_page
from projections.teams import stays

if TYPE_CHECKING:
    from fastapi import Request

    from api.auth import Caller
    from api.reads import Look
    from api.services import Services
    from domain.commands import By, FactReceipt

NAME_MAX_CHARS: Final = 200
"""Length of a name (contract 2.2): that of whoever attended, of a department, of a campaign."""

Text = Annotated[str, Meta(min_length=1, max_length=NAME_MAX_CHARS)]
Email = Annotated[str, Meta(min_length=3, max_length=320)]
Ref = Annotated[str, Meta(min_length=1, max_length=320)]


class Shown(Struct, frozen=True):
    """An object as an answer shows it, and the version of its stream."""

    body: Struct
    version: int


Show = Callable[["Look"], Shown]
"""Makes an object for an answer. Raises NotFound."""


class Thing(Struct, frozen=True):
    """What a command is about: how it is shown, its id or key, its address where it is new.

    `key` is all that is answered while the views are so far behind that they cannot show it.
    """

    show: Show
    key: dict[str, str]
    created: str = ""


# ------------------------------------------------------------------------------ reading


class Listed(Struct, frozen=True):
    """Which page of a list."""

    name: str
    limit: int
    cursor: str | None
    parts: tuple[object, ...] = ()


def listed(query: Query, name: str, *parts: object) -> Listed:
    """Which page of a list a query asks for; `parts` are its filters."""
    return Listed(name, query.limit(), query.text("cursor"), parts)


def page_of(asked: Listed, entries: Sequence[Named]) -> Page[Named]:
    """A page of entries of the dictionary, the first come first. Raises BadCursor."""
    bound = binding(asked.name, *asked.parts)

    def fetch(low: SortKey, high: SortKey, *, descending: bool, count: int) -> list[Named]:
        within = [one for one in entries if low < _place(one) < high]
        return sorted(within, key=_place, reverse=descending)[:count]

    mark = read_cursor(bound, asked.cursor)
    return read_page(
        Ask(binding=bound, limit=asked.limit, descending=False, mark=mark), fetch, _place
    )


def page_json(items: Sequence[Struct], page: Page[Named], look: Look) -> Json:
    """A page as an answer."""
    body = {"items": list(items), "next": page.next, "prev": page.prev}
    return page_answer(msgspec.json.encode(body), look.position)


def shown_json(look: Look, shown: Shown) -> Json:
    """One object as the answer to a read."""
    headers = read_headers(look.position, shown.version)
    return Json(msgspec.json.encode(shown.body), 200, headers)


def teams_by_user(look: Look) -> dict[UUID, list[UUID]]:
    """The teams of everybody who is in one."""
    found: dict[UUID, list[UUID]] = {}
    for person, team in stays(look.reading):
        found.setdefault(UUID(bytes=bytes(person)), []).append(UUID(bytes=bytes(team)))
    return found


def _place(entry: Named) -> SortKey:
    return 0, entry.since


# ----------------------------------------------------------------------------- commands


async def body_of_command(request: Request) -> bytes:
    """The JSON body of a command; its query must be empty."""
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    return await read_body(request)


def by_whom(request: Request, caller: Caller, raw: bytes) -> By:
    """The caller as the author of a command that may come again under its key."""
    return author(request, caller, raw, services_of(request).ledger.derive)


async def answered(
    request: Request, caller: Caller, receipt: FactReceipt | None, thing: Thing
) -> Json:
    """The object as it is after a command.

    Views that are far behind are not waited for: what was done is done, and durable.
    """
    repeated = receipt is not None and receipt.duplicate
    more = dict(DUPLICATE) if repeated else {}
    status = 201 if thing.created and not repeated else 200
    if thing.created:
        more["location"] = thing.created
    if receipt is not None:
        await written(services_of(request), receipt.last)

    def work(look: Look) -> Json:
        shown = thing.show(look)
        headers = read_headers(look.position, shown.version) | more
        return Json(msgspec.json.encode(shown.body), status, headers)

    try:
        return await look(request, caller, Freshness(), work)
    except (NotFound, Unavailable):
        if receipt is None:
            raise
        return json_answer(thing.key, status, more)


async def with_current(
    request: Request, caller: Caller, show: Show, work: Awaitable[FactReceipt | None]
) -> FactReceipt | None:
    """Do what a command asks; where somebody was faster, say how the object is now."""
    try:
        return await work
    except ChangedMeanwhile:
        body = await look(
            request, caller, Freshness(), lambda look: msgspec.json.encode(show(look).body)
        )
        raise ChangedMeanwhile(msgspec.Raw(body)) from None


# ------------------------------------------------------------------------------- values


def plain_name(text: str, field: str, faults: Faults) -> str:
    """A name on one line, single-spaced."""
    name = " ".join(text.split())
    if not name:
        faults.add(field, "too_short", "at least 1 character that is no space")
    return name


def plain_email(text: str, field: str, faults: Faults) -> str:
    """An e-mail address in its canonical spelling."""
    try:
        return parse_address(f"mailto:{text.strip()}", country=None).removeprefix("mailto:")
    except AddressError as error:
        faults.add(field, error.code, error.message)
        return text


def user_named(services: Services, text: str, field: str, faults: Faults) -> UUID | None:
    """The user with this id or e-mail address."""
    is_name = uuid_of(text) is None and "@" not in text
    id = None if is_name else services.people.staff_id(text)
    user = services.ledger.people.user(id) if id else None
    if user is None or not user.sign_in:
        faults.add(field, "unknown", "no such user; write their id or e-mail address")
        return None
    return user.user


def entry_of(look: Look, kind: str, key: str) -> Named:
    """An entry of the dictionary. Raises NotFound."""
    found = look.names.one(kind, key)
    if found is None:
        raise NotFound("There is nothing here.")
    return found


def person_of(look: Look, user: UUID) -> Person:
    """Somebody, as answers show them."""
    return look.names.user(user)


def known_user(look: Look, id: UUID) -> Named:
    """A person's entry. Raises NotFound."""
    return entry_of(look, USER, str(id))
