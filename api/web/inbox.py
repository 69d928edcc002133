"""Conversations: the list, the thread, the contact's card; three panes, each with its address."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import Request, Response

from api.parameters import Query, position_in_path, uuid_in_path
from api.web.addresses import Pages
from api.web.ground import open_page
from api.web.inbox_query import Asked, asked_for, counted
from api.web.making import Shown
from api.web.thread import Thread, moved, place_of
from projections import inbox_counts, inbox_pages, timeline_pages
from projections.dictionary import CAMPAIGN, DEPARTMENT, TEAM
from projections.inbox_pages import InboxQuery
from projections.shapes import ConversationView, RowView

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Look
    from api.web.ground import Work

router = Pages()

_conversation: Final = msgspec.json.Decoder(ConversationView)
_last: Final = msgspec.json.Decoder(RowView)


# ------------------------------------------------------------------------------- pages


@router.get("/")
async def inbox(request: Request) -> Response:
    """The list, and beside it nothing yet; of an empty ledger three ways to begin."""
    return await open_page(request, _inbox)


def _inbox(request: Request, caller: Caller) -> Work:
    query = Query(request)
    asked = asked_for(request, query, caller)
    query.close()

    def work(look: Look) -> Shown:
        values = {**list_values(look, asked), "at": "list", "open": None}
        if not asked.kept and not values["counts"].all and timeline_pages.is_empty(look.reading):
            return Shown("welcome.html", values, "inbox")
        return Shown("inbox.html", values, "inbox")

    return work


@router.get("/conversations/{id}")
async def conversation(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """The list, a conversation, and the contact's card."""
    return await open_page(request, partial(_conversation_page, "thread"))


@router.get("/conversations/{id}/contact")
async def contact_card(request: Request, id: str) -> Response:  # noqa: ARG001 - as above
    """The same with the card in front, where there is room for one pane."""
    return await open_page(request, partial(_conversation_page, "card"))


def _conversation_page(at: str, request: Request, caller: Caller) -> Work:
    id = uuid_in_path(request.path_params["id"])
    query = Query(request)
    place = place_of(query)  # takes the cursor: the list beside the thread begins at its top
    asked = asked_for(request, query, caller)
    query.close()

    def work(look: Look) -> Shown | Response:
        thread = Thread(look, id)
        elsewhere = moved(thread, "/conversations/{id}", asked.address())
        if elsewhere is not None:
            return elsewhere
        values = {
            **list_values(look, asked),
            **thread.head(),
            **thread.messages(place),
            "at": at,
            "open": str(thread.found.id),
        }
        return Shown("inbox.html", values, "inbox")

    return work


# ------------------------------------------------------------------------------ pieces


@router.get("/conversations/-/list")
async def listed(request: Request) -> Response:
    """A stretch of the list."""
    return await open_page(request, _listed)


def _listed(request: Request, caller: Caller) -> Work:
    query = Query(request)
    open_id = query.text("open")
    asked = asked_for(request, query, caller)
    query.close()

    def work(look: Look) -> Shown:
        values = {**list_values(look, asked), "open": open_id}
        template = "inbox_rows.html" if asked.query.cursor else "inbox_list.html"
        return Shown(template, values, piece=True)

    return work


@router.get("/conversations/{id}/messages")
async def messages(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """A stretch of a thread."""
    return await open_page(request, _messages)


def _messages(request: Request, caller: Caller) -> Work:
    id = uuid_in_path(request.path_params["id"])
    query = Query(request)
    place = place_of(query)
    asked = asked_for(request, query, caller)
    side = query.choice("side", ("both", "older", "newer"), "both")
    query.close()

    def work(look: Look) -> Shown:
        thread = Thread(look, id)
        values = {**thread.messages(place), "contact": thread.label, "asked": asked, "side": side}
        return Shown("messages.html", values, piece=True)

    return work


@router.get("/conversations/{id}/messages/{number}")
async def message(request: Request, id: str, number: str) -> Response:  # noqa: ARG001 - as above
    """One message of a thread, as it is now; nothing where another record stands for it."""
    return await open_page(request, _message)


def _message(request: Request, _caller: Caller) -> Work:
    id = uuid_in_path(request.path_params["id"])
    position = position_in_path(request.path_params["number"])
    Query(request).close()

    def work(look: Look) -> Shown:
        thread = Thread(look, id)
        values = {"contact": thread.label, "older": None, "newer": None, "side": "one"}
        return Shown("messages.html", {**values, **thread.one(position)}, piece=True)

    return work


@router.get("/conversations/{id}/head")
async def head(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """A conversation's state and its contact's card, as they are now."""
    return await open_page(request, _head)


def _head(request: Request, caller: Caller) -> Work:
    id = uuid_in_path(request.path_params["id"])
    query = Query(request)
    place_of(query)  # the page asks with its own address, which may name a place in the thread
    asked = asked_for(request, query, caller)
    query.close()
    return partial(head_of, id=id, asked=asked)


def head_of(look: Look, *, id: UUID, asked: Asked) -> Shown:
    """The piece with the state of a conversation, and its contact's card."""
    thread = Thread(look, id)
    values = {**thread.head(), "asked": asked, "open": str(thread.found.id)}
    return Shown("thread_head.html", {**values, "oob": True}, piece=True)


# -------------------------------------------------------------------------------- list


def list_values(look: Look, asked: Asked) -> dict[str, Any]:
    """A stretch of the list, and the numbers over it."""
    page = inbox_pages.page(look.reading, look.viewer, asked.query, look.visible)
    bodies = look.renderer.conversations(look.reading, page.rows, look.visible)
    talks = [_conversation.decode(body) for body in bodies]
    wanted, everything = counted(asked.query), InboxQuery()
    counts = inbox_counts.counts(look.reading, look.viewer, wanted, look.visible)
    unread = counts.unread
    if wanted != everything:  # the title counts what waits for the reader, whatever the list shows
        unread = inbox_counts.unread(look.reading, look.viewer, look.visible)
    return {
        "talks": [(talk, _last.decode(talk.last)) for talk in talks],
        "asked": asked,
        "counts": counts,
        "unread": unread,
        "next": page.next,
        "choices": {
            "team": [(one.key, one.name) for one in look.names.all(TEAM)],
            "department": [(one.key, one.name) for one in look.names.all(DEPARTMENT)],
            "campaign": [(one.key, one.name) for one in look.names.all(CAMPAIGN)],
        },
    }
