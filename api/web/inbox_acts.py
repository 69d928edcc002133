"""What people do in Conversations, by forms: assign, resolve, snooze, note, mute, unread, many.

Each goes the way of the API's own command. Without a script the page comes again; a script gets
the state of the conversation, and the rest comes to it by the stream.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import Request, Response
from msgspec import UNSET

from api.auth import services_of
from api.bulk import IDS_MAX, Bulk
from api.conversations import AssignRequest, assignment, snoozing
from api.desk import deciding, perform, require_recorded, seeing, thorough, unreading, whose
from api.notes import NOTE_MAX_CHARS
from api.parameters import POSITION_MAX, Freshness, Query, uuid_in_path, uuid_of
from api.reads import look, written
from api.web.acting import carry_out, onward
from api.web.addresses import Pages
from api.web.inbox import head_of
from api.web.inbox_query import asked_for
from api.web.making import is_script, maker_of
from domain.conversation import Reopen, Resolve
from domain.errors import InvalidInput
from domain.muting import Mute
from domain.times import zone_of

if TYPE_CHECKING:
    from api.auth import Caller
    from api.desk import Act
    from api.web.acting import Sent

router = Pages()


@router.post("/conversations/{id}/act")
async def act(request: Request, id: str) -> Response:
    """Do something with one conversation; the button's `do` says what."""
    wanted = uuid_in_path(id) if uuid_of(id) else None

    async def work(caller: Caller, sent: Sent) -> Response:
        if wanted is None:
            raise InvalidInput.one("id", "unknown", "there is no such conversation")
        match sent.one("do"):
            case "note":
                await _note(request, caller, wanted, sent)
            case "mute" | "unmute":
                await _mute(request, caller, wanted, muted=sent.one("do") == "mute")
            case _:
                command = await _command(request, caller, sent)
                await perform(request, caller, wanted, command, caller.by())
        return await _answer(request, caller, wanted, sent)

    return await carry_out(request, work)


@router.post("/conversations/-/bulk")
async def bulk(request: Request) -> Response:
    """Do the same with many conversations: those that are ticked."""

    async def work(caller: Caller, sent: Sent) -> Response:
        ids = [id for id in map(uuid_of, sent.many("ids")[:IDS_MAX]) if id is not None]
        if not ids:
            raise InvalidInput.one("ids", "missing", "tick at least one conversation")
        command = await _command(request, caller, sent)
        authors = dict.fromkeys(ids, caller.by())
        await Bulk(request, caller, command).answer(list(authors), authors)
        return Response(status_code=204) if is_script(request) else onward(sent)

    return await carry_out(request, work)


async def _answer(request: Request, caller: Caller, id: UUID, sent: Sent) -> Response:
    """The page again; for a script the state of the conversation."""
    if not is_script(request):
        return onward(sent, f"/conversations/{id}")
    query = Query(request)
    asked = asked_for(request, query, caller)
    query.close()
    shown = await look(request, caller, Freshness(), partial(head_of, id=id, asked=asked))
    return maker_of(request).page(request, shown)


async def _command(request: Request, caller: Caller, sent: Sent) -> Act:
    """The command that a form means. Raises InvalidInput."""
    services = services_of(request)
    match sent.one("do"):
        case "resolve":
            return deciding(services, Resolve())
        case "reopen":
            return deciding(services, Reopen())
        case "snooze":
            return deciding(
                services, snoozing(services, _until(caller, sent, services.locale.zone))
            )
        case "assign":
            asked = _whom(caller, sent)
            wish = await thorough(request, caller, lambda look: assignment(look, asked))
            return deciding(services, wish)
        case "seen":
            through = _number(sent, "through")
            require_recorded(services, "through", through)
            return seeing(services, caller.user, through)
        case "unread":
            first = _number(sent, "from")
            require_recorded(services, "from", first)
            return unreading(services, caller.user, first)
        case _:
            raise InvalidInput.one("do", "bad_enum", "nothing of that name can be done")


def _whom(caller: Caller, sent: Sent) -> AssignRequest:
    """To whom: `me`, `nobody`, or a kind and a key, as in `user:<uuid>`."""
    kind, _, key = sent.one("to").partition(":")
    id = uuid_of(key)
    match kind:
        case "me":
            return AssignRequest(assignee=caller.user)
        case "nobody":
            return AssignRequest(assignee=None)
        case "user" if id is not None:
            return AssignRequest(assignee=id)
        case "team":
            return AssignRequest(team=id)
        case "department":
            return AssignRequest(department=key or None, assignee=UNSET)
        case _:
            raise InvalidInput.one("to", "unknown", "nobody of that name can have it")


def _until(caller: Caller, sent: Sent, zone: str) -> str:
    """Until when: a time with its offset, or a local one in the reader's zone."""
    text = sent.one("until")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput.one("until", "bad_time", "choose a day and an hour") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_of(caller.zone or zone))
    return moment.isoformat()


def _number(sent: Sent, name: str) -> int | None:
    """A position; None where the form leaves it to us."""
    text = sent.one(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:20]) <= POSITION_MAX:
        raise InvalidInput.one(name, "out_of_range", "the number of an interaction")
    return int(text[:20])


async def _note(request: Request, caller: Caller, id: UUID, sent: Sent) -> None:
    services = services_of(request)
    text = sent.one("text").strip()
    if not text or len(text) > NOTE_MAX_CHARS:
        raise InvalidInput.one("text", "too_short", "write a few words")
    found = await thorough(request, caller, lambda look: look.contact(id))
    receipt = await services.ledger.conversations.note(found.id, text, caller.by())
    await written(services, receipt.last)


async def _mute(request: Request, caller: Caller, id: UUID, *, muted: bool) -> None:
    services = services_of(request)
    found = await thorough(request, caller, lambda look: look.contact(id))
    book = services.ledger.conversations
    receipt = await book.mute(whose(found), Mute(muted, None), caller.by(), expected=None)
    if receipt is not None:
        await written(services, receipt.last)
