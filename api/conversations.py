"""What people do with one conversation: assign, resolve, reopen, snooze, see, leave unread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType

from api.auth import Caller, admit, services_of
from api.bodies import Faults, Shape
from api.desk import deciding, perform, require_recorded, seeing, thorough, unreading
from api.idempotency import author
from api.openapi import answers, body_of
from api.parameters import (
    JSON_TYPES,
    POSITION_MAX,
    Query,
    read_body,
    require_type,
    uuid_in_path,
)
from api.shapes import Name, TimeText
from domain.conversation import Assign, Reopen, Resolve, Snooze
from domain.errors import InvalidInput
from domain.times import TimeError, parse_rfc3339
from domain.values import dictionary_key, echo
from projections.dictionary import DEPARTMENT, TEAM, USER

if TYPE_CHECKING:
    from api.desk import Act
    from api.reads import Look
    from api.services import Services
    from domain.commands import By
    from domain.conversation import Wish
    from projections.dictionary import Names

router = APIRouter()

Reason = Annotated[str, Meta(max_length=500)]
Position = Annotated[int, Meta(ge=1, le=POSITION_MAX)]


class AssignRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """To whom; what is not named stays, null takes it away.

    `assignee` is the id of a person who may sign in, `team` that of a team, `department` a key
    or name.
    """

    assignee: UUID | UnsetType | None = UNSET
    team: UUID | UnsetType | None = UNSET
    department: Name | UnsetType | None = UNSET
    reason: Reason | None = None


class SnoozeRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """Until when it rests: a time to come, RFC 3339."""

    until: TimeText


class SeenRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """The id of the last interaction that the person has seen."""

    through: Position


class UnreadRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """The id of the first interaction that is to be unread again."""

    first: Position = msgspec.field(name="from")


class NothingRequest(Struct, forbid_unknown_fields=True):
    """Nothing need be said; no body at all will do as well."""


_ASSIGN: Final = Shape(AssignRequest)
_SNOOZE: Final = Shape(SnoozeRequest)
_SEEN: Final = Shape(SeenRequest)
_UNREAD: Final = Shape(UnreadRequest)
_NOTHING: Final = Shape(NothingRequest)

BODIES: Final[tuple[type[Struct], ...]] = (
    AssignRequest,
    SnoozeRequest,
    SeenRequest,
    UnreadRequest,
    NothingRequest,
)
"""The Structs that these operations name in the document of the API."""


@router.post(
    "/v1/conversations/{contact}/assign",
    status_code=200,
    summary="Assign a conversation",
    openapi_extra=body_of(AssignRequest),
    responses=answers("ConversationView", 200),
)
async def assign(request: Request, contact: str) -> Response:
    """Give a conversation to a person, a team, a department, or to nobody."""
    given = await _given(request, contact)
    asked = _ASSIGN.read(given.raw)
    wish = await thorough(request, given.caller, lambda look: assignment(look, asked))
    return await given.decide(request, wish)


@router.post(
    "/v1/conversations/{contact}/resolve",
    status_code=200,
    summary="Resolve a conversation",
    openapi_extra=body_of(NothingRequest),
    responses=answers("ConversationView", 200),
)
async def resolve(request: Request, contact: str) -> Response:
    """Nothing is left to do, until the contact says something new."""
    given = await _given(request, contact)
    _NOTHING.read(given.raw or b"{}")
    return await given.decide(request, Resolve())


@router.post(
    "/v1/conversations/{contact}/reopen",
    status_code=200,
    summary="Reopen a conversation",
    openapi_extra=body_of(NothingRequest),
    responses=answers("ConversationView", 200),
)
async def reopen(request: Request, contact: str) -> Response:
    """There is something to do again; this ends a snooze too."""
    given = await _given(request, contact)
    _NOTHING.read(given.raw or b"{}")
    return await given.decide(request, Reopen())


@router.post(
    "/v1/conversations/{contact}/snooze",
    status_code=200,
    summary="Snooze a conversation",
    openapi_extra=body_of(SnoozeRequest),
    responses=answers("ConversationView", 200),
)
async def snooze(request: Request, contact: str) -> Response:
    """Let a conversation rest until a time, or until the contact says something new."""
    given = await _given(request, contact)
    asked = _SNOOZE.read(given.raw)
    return await given.decide(request, snoozing(services_of(request), asked.until))


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
    given = await _given(request, contact)
    services = services_of(request)
    through = _SEEN.read(given.raw).through
    act = seeing(services, given.caller.user, through)
    require_recorded(services, "through", through)
    return await given.perform(request, act)


@router.post(
    "/v1/conversations/{contact}/unread",
    status_code=200,
    summary="Mark a conversation unread",
    openapi_extra=body_of(UnreadRequest),
    responses=answers("ConversationView", 200),
)
async def unread(request: Request, contact: str) -> Response:
    """The caller wants a conversation to be unread from an interaction on; for them alone."""
    given = await _given(request, contact)
    services = services_of(request)
    first = _UNREAD.read(given.raw).first
    act = unreading(services, given.caller.user, first)
    require_recorded(services, "from", first)
    return await given.perform(request, act)


class _Given(Struct, frozen=True):
    """A command: who gives it, about which contact, and its body."""

    caller: Caller
    contact: UUID
    raw: bytes
    by: By

    async def decide(self, request: Request, wish: Wish) -> Response:
        """Have the conversation decided about."""
        return await self.perform(request, deciding(services_of(request), wish))

    async def perform(self, request: Request, act: Act) -> Response:
        """Have it carried out."""
        return await perform(request, self.caller, self.contact, act, self.by)


async def _given(request: Request, contact: str) -> _Given:
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    by = author(request, caller, raw, services_of(request).ledger.derive)
    return _Given(caller, uuid_in_path(contact), raw, by)


# -------------------------------------------------------------------------------- wishes


def snoozing(services: Services, text: str) -> Snooze:
    """A wish to let it rest until a time. Raises InvalidInput."""
    try:
        until, _ = parse_rfc3339(text)
    except TimeError as error:
        raise InvalidInput.one("until", error.code, error.message) from None
    if until <= services.clock():
        raise InvalidInput.one("until", "past", "this time has come already; write a later one")
    return Snooze(until)


def assignment(look: Look, asked: AssignRequest) -> Assign:
    """A wish to give it to somebody whom the views know. Raises InvalidInput."""
    faults = Faults()
    fields = tuple(
        field
        for field, value in (
            ("user", asked.assignee),
            ("team", asked.team),
            ("department", asked.department),
        )
        if value is not UNSET
    )
    if not fields:
        faults.add("assignee", "missing", "name assignee, team or department; null is nobody")
    if asked.assignee and not can_work(look.names, asked.assignee):
        message = "no such person, or none who may sign in; write the id of one who may"
        faults.add("assignee", "unknown", message)
    if asked.team and look.names.one(TEAM, str(asked.team)) is None:
        faults.add("team", "unknown", "there is no such team")
    department = dictionary_key(asked.department) if asked.department else None
    if department is not None and look.names.one(DEPARTMENT, department) is None:
        message = f"there is no department {echo(str(asked.department))}"
        faults.add("department", "unknown", message)
    faults.finish()
    return Assign(
        fields=fields,
        user=asked.assignee or None,
        team=asked.team or None,
        department=department,
        reason=(asked.reason or "").strip() or None,
    )


def can_work(names: Names, user: UUID) -> bool:
    """Whether somebody may sign in, so that a conversation can be theirs."""
    found = names.one(USER, str(user))
    return found is not None and found.active and found.extra.sign_in
