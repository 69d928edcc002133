"""The inbox: conversations, the numbers on its tabs, and one conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from fastapi import APIRouter, Request, Response

from api.answers import Json
from api.filters import ids_or_none, keys, several
from api.openapi import answers
from api.parameters import (
    Query,
    read_headers,
    uuid_in_path,
)
from api.reads import Look, Task, answer, moved_to, page_answer
from domain.errors import NotFound
from domain.values import Channel, echo
from projections import inbox_counts, inbox_pages
from projections.inbox_pages import InboxFilters, InboxQuery

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Found
    from projections.inbox_pages import Conversation

router = APIRouter()

ME: Final = "me"
"""The word for the person who asks."""

_STATUSES: Final = ("open", "snoozed", "resolved", "all")


# ------------------------------------------------------------------------------ reading


@router.get("/v1/conversations", summary="The inbox", responses=answers("ConversationPage", 200))
async def conversations(request: Request) -> Response:
    """A page of conversations: open ones, the latest first, unless the query says otherwise."""
    query = Query(request)

    def prepare(caller: Caller) -> Task:
        asked = InboxQuery(
            scope=f"conversations:{caller.user}",
            status=query.choice("status", _STATUSES, "open"),
            filters=inbox_filters(query, caller),
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
        asked = InboxQuery(
            filters=inbox_filters(query, caller),
            unread=_asked_for(query, "unread"),
            waiting=_asked_for(query, "waiting"),
        )

        def work(look: Look) -> Json:
            found = inbox_counts.counts(look.reading, look.viewer, asked, look.visible)
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


def inbox_filters(query: Query, caller: Caller) -> InboxFilters:
    """The filters of the inbox, as a query has them."""
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
