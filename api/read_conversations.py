"""The inbox: conversations, the numbers on its tabs, one conversation, and having seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta, Struct

from api.answers import Json
from api.auth import admit, services_of
from api.bodies import Shape
from api.filters import ids_or_none, keys, several
from api.idempotency import author
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    POSITION_MAX,
    Freshness,
    Query,
    if_match,
    read_body,
    read_headers,
    require_type,
    uuid_in_path,
)
from api.reads import Look, Task, answer, look, moved_to, page_answer, settled, written
from domain.errors import ChangedMeanwhile, InvalidInput, NotFound, WrongState
from domain.values import Channel, echo
from projections import inbox_pages
from projections.inbox_pages import InboxFilters, InboxQuery

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Found
    from api.services import Services
    from domain.commands import By, FactReceipt
    from projections.inbox_pages import Conversation

router = APIRouter()

ME: Final = "me"
"""The word for the person who asks."""

_STATUSES: Final = ("open", "snoozed", "resolved", "all")


class SeenRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """The id of the last interaction that the person has seen."""

    through: Annotated[int, Meta(ge=1, le=POSITION_MAX)]


_SEEN: Final = Shape(SeenRequest)


# ------------------------------------------------------------------------------ reading


@router.get("/v1/conversations", summary="The inbox", responses=answers("ConversationPage", 200))
async def conversations(request: Request) -> Response:
    """A page of conversations: open ones, the latest first, unless the query says otherwise."""
    query = Query(request)

    def prepare(caller: Caller) -> Task:
        asked = InboxQuery(
            scope=f"conversations:{caller.user}",
            status=query.choice("status", _STATUSES, "open"),
            filters=_filters(query, caller),
            unread=_asked_for(query, "unread"),
            waiting=_asked_for(query, "waiting"),
            sort="waiting" if _by_waiting(query) else "recent",
            limit=query.limit(),
            cursor=query.text("cursor"),
        )

        def work(look: Look) -> Json:
            page = inbox_pages.page(look.reading, look.viewer, asked, look.visible)
            body = look.renderer.inbox(look.reading, page, look.visible)
            return page_answer(body, look.position)

        plain = asked.filters == InboxFilters() and not asked.unread
        return Task(work, quick=plain, kept=True)

    return await answer(request, query, prepare)


@router.get(
    "/v1/conversations/counts",
    summary="The numbers on the inbox's tabs",
    responses=answers("Counts", 200),
)
async def counts(request: Request) -> Response:
    """How many conversations there are of each kind, under the filters of the list."""
    query = Query(request)

    def prepare(caller: Caller) -> Task:
        asked = _filters(query, caller)

        def work(look: Look) -> Json:
            found = inbox_pages.counts(look.reading, look.viewer, asked, look.visible)
            return page_answer(msgspec.json.encode(found), look.position)

        return Task(work, kept=True)

    return await answer(request, query, prepare)


@router.get(
    "/v1/conversations/{contact}",
    summary="One conversation",
    responses=answers("ConversationView", 200),
)
async def conversation(request: Request, contact: str) -> Response:
    """The conversation with a contact, as the caller sees it."""
    id = uuid_in_path(contact)

    def prepare(_: Caller) -> Task:
        return Task(lambda look: conversation_answer(look, id), quick=True)

    return await answer(request, Query(request), prepare)


def conversation_answer(look: Look, id: UUID, *, duplicate: bool = False) -> Json:
    """A conversation row as an answer. Raises NotFound."""
    found, shown = conversation_of(look, id)
    body = look.renderer.conversations(look.reading, [shown], look.visible)[0]
    headers = read_headers(look.position, shown.row.version)
    headers |= moved_to(found, "/v1/conversations/{id}")
    if duplicate:
        headers["hilo-duplicate"] = "true"
    return Json(body, 200, headers)


def conversation_of(look: Look, id: UUID) -> tuple[Found, Conversation]:
    """The conversation of a contact as its viewer sees it. Raises NotFound."""
    found = look.contact(id)
    shown = inbox_pages.one(look.reading, found.id.bytes, look.viewer)
    if shown is None:
        raise NotFound("There is no conversation with this contact yet.")
    return found, shown


def _filters(query: Query, caller: Caller) -> InboxFilters:
    return InboxFilters(
        assignee=_assignees(query, caller),
        team=tuple(ids_or_none(query, "team", several(query, "team"))),
        department=keys(query, "department"),
        campaign=keys(query, "campaign"),
        channel=_channels(query),
    )


def _assignees(query: Query, caller: Caller) -> tuple[bytes | None, ...]:
    """`assignee`: ids, `none`, and `me` for who has a person behind the token."""
    found: list[bytes | None] = []
    for text in several(query, "assignee"):
        if text != ME:
            found += ids_or_none(query, "assignee", [text])
        elif caller.user is None:
            query.refuse("assignee", "no_user", "no person stands behind this token: write an id")
        else:
            found.append(caller.user.bytes)
    return tuple(found)


def _channels(query: Query) -> tuple[str, ...]:
    known = [str(channel) for channel in Channel]
    found = several(query, "channel")
    for text in found:
        if text not in known:
            query.refuse("channel", "bad_enum", f"{echo(text)} is none of {', '.join(known)}")
    return tuple(found)


def _by_waiting(query: Query) -> bool:
    return query.choice("sort", ("recent", "waiting"), "recent") == "waiting"


def _asked_for(query: Query, name: str) -> bool:
    """Whether a list is narrowed: `true`, or not at all."""
    return query.flag(name) is True


# --------------------------------------------------------------------------------- seen


@router.post(
    "/v1/conversations/{contact}/seen",
    status_code=200,
    summary="Note what was seen of a conversation",
    openapi_extra=body_of(SeenRequest),
    responses=answers("ConversationView", 200),
)
async def seen(request: Request, contact: str) -> Response:
    """The caller has seen a conversation through an interaction; answers the conversation.

    What was seen stays seen: an earlier id changes nothing.
    """
    services = services_of(request)
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _SEEN.read(raw)
    if caller.user is None:
        raise WrongState("No person stands behind this token, so nobody has seen anything.")
    if asked.through > services.log.head():
        message = f"the log has not come to {asked.through} yet"
        raise InvalidInput.one("through", "unknown", message)
    by = author(request, caller, raw, services.ledger.derive)
    found, shown = await _matching(request, caller, uuid_in_path(contact))
    receipt = None
    if _says_something(services, shown, asked.through, by):
        receipt = await services.ledger.conversations.see(found.id, caller.user, asked.through, by)
        await written(services, receipt.position)
    return await look(request, caller, Freshness(), _seen_answer(found, receipt))


def _seen_answer(found: Found, receipt: FactReceipt | None) -> Callable[[Look], Json]:
    repeated = receipt is not None and receipt.duplicate
    return lambda look: conversation_answer(look, found.id, duplicate=repeated)


async def _matching(request: Request, caller: Caller, id: UUID) -> tuple[Found, Conversation]:
    """The conversation, if `If-Match` does not name another version. Raises ChangedMeanwhile."""
    expected = if_match(request)

    def work(look: Look) -> tuple[Found, Conversation]:
        found, shown = conversation_of(look, id)
        if expected not in {None, shown.row.version}:
            body = look.renderer.conversations(look.reading, [shown], look.visible)[0]
            raise ChangedMeanwhile(msgspec.Raw(body))
        return found, shown

    return await settled(request, caller, work)


def _says_something(services: Services, shown: Conversation, through: int, by: By) -> bool:
    """Whether the log must hear of it: what changes nothing leaves no trace, a repeat is told."""
    if through > (shown.seen_through or 0):
        return True
    return by.repeatable is not None and services.log.command(by.repeatable.command_id) is not None
