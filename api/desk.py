"""How a command about conversations is carried out: look, decide, wait for the views, look again.

A decision is taken on what its caller could see. One that would change nothing by views that
are behind the log is not taken at its word: it is taken again once they have caught up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.auth import services_of
from api.parameters import Freshness, if_match, reached
from api.read_conversations import conversation_answer, conversation_of
from api.reads import AFTER_COMMAND_MS, Found, Look, look, written
from domain.conversation import Shown
from domain.conversation_book import Look as Eye
from domain.conversation_book import Whose
from domain.errors import ChangedMeanwhile, InvalidInput, NotFound, NotYet, WrongState
from projections.inbox_pages import Conversation

if TYPE_CHECKING:
    from fastapi import Request

    from api.answers import Json
    from api.auth import Caller
    from api.services import Services
    from domain.commands import By, FactReceipt
    from domain.conversation import Wish

ResultT = TypeVar("ResultT")

NOBODY: Final = "No person stands behind this token, so nobody has seen anything."


class Asked(Struct, frozen=True):
    """A conversation as its caller sees it, at the position of that look."""

    found: Found
    shown: Conversation
    position: int

    @property
    def whose(self) -> Whose:
        """The contact, and the ids that it was put together from."""
        return whose(self.found)

    @property
    def state(self) -> Shown:
        """Its state, for whoever decides."""
        row = self.shown.row
        return Shown(row.version, row.status, row.snoozed_until)


Act = Callable[[Asked, "By", "int | None"], Awaitable["FactReceipt | None"]]
"""A command on one conversation: who gives it, and the version that it expects, if any."""


def whose(found: Found) -> Whose:
    """A contact for the ledger, with the ids that it was put together from."""
    return Whose(found.id, tuple(UUID(bytes=member) for member in found.members))


def asked_of(look: Look, id: UUID) -> Asked:
    """The conversation with a contact. Raises NotFound."""
    found, shown = conversation_of(look, id)
    return Asked(found, shown, look.position)


# ---------------------------------------------------------------------------- commands


def deciding(services: Services, wish: Wish) -> Act:
    """The command that decides about a conversation."""

    async def act(asked: Asked, by: By, expected: int | None) -> FactReceipt | None:
        book = services.ledger.conversations
        return await book.decide(asked.whose, wish, asked.state, by, expected=expected)

    return act


def seeing(services: Services, user: UUID | None, through: int | None) -> Act:
    """The command of a person who has seen a conversation; without a number, all of it.

    Raises WrongState where there is no person.
    """
    if user is None:
        raise WrongState(NOBODY)

    async def act(asked: Asked, by: By, expected: int | None) -> FactReceipt | None:
        _require(asked, expected)
        upto = asked.position if through is None else through
        if upto <= (asked.shown.seen_through or 0) and not _came_before(services, by):
            return None
        eye = Eye(asked.found.id, user, upto, asked.shown.reset_at)
        return await services.ledger.conversations.see(eye, by)

    return act


def unreading(services: Services, user: UUID | None, first: int | None) -> Act:
    """The command of a person who wants it unread from a number on; without one, the last.

    Raises WrongState where there is no person.
    """
    if user is None:
        raise WrongState(NOBODY)

    async def act(asked: Asked, by: By, expected: int | None) -> FactReceipt | None:
        _require(asked, expected)
        start = (asked.shown.row.stirred_position or None) if first is None else first
        is_back = start is not None and start <= (asked.shown.seen_through or 0)
        if start is None or not (is_back or _came_before(services, by)):
            return None
        eye = Eye(asked.found.id, user, start, asked.shown.reset_at)
        return await services.ledger.conversations.mark_unread(eye, by)

    return act


def require_recorded(services: Services, field: str, position: int | None) -> None:
    """Raise InvalidInput for a number that the log has not come to."""
    if position is not None and position > services.log.head():
        message = f"the log has not come to {position} yet"
        raise InvalidInput.one(field, "unknown", message)


def _require(asked: Asked, expected: int | None) -> None:
    if expected not in {None, asked.shown.row.version}:
        raise ChangedMeanwhile(None)


def _came_before(services: Services, by: By) -> bool:
    """Whether a command came before under its key: a repeat is told, even of no change."""
    return by.repeatable is not None and services.log.command(by.repeatable.command_id) is not None


# ------------------------------------------------------------------------- carrying out


async def perform(request: Request, caller: Caller, id: UUID, act: Act, by: By) -> Json:
    """Carry a command out; answers the conversation as it is then.

    Raises NotFound, ChangedMeanwhile with the conversation, and whatever the command raises.
    """
    services = services_of(request)
    expected = if_match(request)
    asked = await thorough(request, caller, lambda look: asked_of(look, id))
    try:
        receipt = await act(asked, by, expected)
        if receipt is None and await behind(services, asked.position):
            asked = await look(request, caller, Freshness(), lambda look: asked_of(look, id))
            receipt = await act(asked, by, expected)
    except ChangedMeanwhile:
        await catch_up(services)
        now = await look(request, caller, Freshness(), lambda look: conversation_answer(look, id))
        raise ChangedMeanwhile(msgspec.Raw(now.body)) from None
    if receipt is not None:
        await written(services, receipt.last)
    repeated = receipt is not None and receipt.duplicate
    return await look(
        request,
        caller,
        Freshness(),
        lambda look: conversation_answer(look, id, duplicate=repeated),
    )


async def thorough(request: Request, caller: Caller, work: Callable[[Look], ResultT]) -> ResultT:
    """Do some reading for a command; what it misses is looked for again in newer views.

    Raises NotFound and InvalidInput where it is missing even then.
    """
    try:
        return await look(request, caller, Freshness(), work)
    except (NotFound, InvalidInput):
        await catch_up(services_of(request))
        return await look(request, caller, Freshness(), work)


async def behind(services: Services, position: int) -> bool:
    """Whether the log was ahead of a look at some position; newer views can be looked at then."""
    head = await run_in_threadpool(services.log.head)
    if head <= position:
        return False
    await written(services, head)
    return True


async def catch_up(services: Services) -> None:
    """Wait until the views hold what the log holds now; views that take too long are not."""
    head = await run_in_threadpool(services.log.head)
    with suppress(NotYet):
        await reached(services, Freshness(head, AFTER_COMMAND_MS))
