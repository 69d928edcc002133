"""One command about many conversations, with a verdict for each (contract 2.5)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.concurrency import run_in_threadpool

from api.answers import Json
from api.auth import Caller, admit, services_of
from api.bodies import Faults, Shape
from api.conversations import AssignRequest, Position, Reason, assignment, snoozing
from api.desk import (
    Asked,
    asked_of,
    behind,
    catch_up,
    deciding,
    require_recorded,
    seeing,
    thorough,
    unreading,
)
from api.idempotency import author
from api.openapi import answers, body_of
from api.parameters import JSON_TYPES, Freshness, Query, read_body, read_headers, require_type
from api.problems import members
from api.reads import Look, look, written
from api.shapes import Name, TimeText
from domain.commands import By, FactReceipt, Repeatable
from domain.conversation import Reopen, Resolve
from domain.errors import HiloError, KeyReused, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.desk import Act
    from api.services import Services

router = APIRouter()

IDS_MAX: Final = 200
"""Conversations in one request (contract 2.5): as many as a page shows."""

_SECONDS: Final = {
    "assign": ("assignee", "team", "department", "reason"),
    "resolve": (),
    "reopen": (),
    "snooze": ("until",),
    "seen": ("through",),
    "unread": ("first",),
}
"""What each action takes beside the ids."""

_NEEDED: Final = {"snooze": "until"}
"""What an action cannot do without."""


class BulkRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """What to do with which conversations; what the action takes stands beside it.

    `through` and `from` may be left out: then it is all of each, or its last new content.
    """

    ids: Annotated[list[UUID], Meta(min_length=1, max_length=IDS_MAX)]
    action: Literal["assign", "resolve", "reopen", "snooze", "seen", "unread"]
    assignee: UUID | UnsetType | None = UNSET
    team: UUID | UnsetType | None = UNSET
    department: Name | UnsetType | None = UNSET
    reason: Reason | UnsetType | None = UNSET
    until: TimeText | UnsetType = UNSET
    through: Position | UnsetType = UNSET
    first: Position | UnsetType = msgspec.field(default=UNSET, name="from")


class BulkVerdict(Struct, omit_defaults=True):
    """What became of one: its conversation as it is now, or why not."""

    id: str
    status: int
    conversation: msgspec.Raw | None = None
    problem: dict[str, Any] | None = None


class BulkAnswer(Struct):
    """A verdict for each id, in their order."""

    items: list[BulkVerdict]


_BULK: Final = Shape(BulkRequest)

BODIES: Final[tuple[type[Struct], ...]] = (BulkRequest, BulkAnswer)
"""The Structs that this operation names in the document of the API."""


@router.post(
    "/v1/conversations/bulk",
    status_code=200,
    summary="Do the same with many conversations",
    openapi_extra=body_of(BulkRequest),
    responses=answers("BulkAnswer", 200),
)
async def bulk(request: Request) -> Response:
    """Do one thing with up to 200 conversations; each has a verdict of its own."""
    services = services_of(request)
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), JSON_TYPES)
    Query(request).close()
    raw = await read_body(request)
    asked = _BULK.read(raw)
    _check(asked)
    act = await _act(request, caller, asked)
    ids = list(dict.fromkeys(asked.ids))
    authors = _authors(author(request, caller, raw, services.ledger.derive), len(ids), services)
    await run_in_threadpool(_refuse_reused, services, authors)
    return await Bulk(request, caller, act).answer(asked.ids, dict(zip(ids, authors, strict=True)))


def _check(asked: BulkRequest) -> None:
    """Raise InvalidInput for what the action does not take, and for what it lacks."""
    faults = Faults()
    takes = _SECONDS[asked.action]
    for fields in _SECONDS.values():
        for name in fields:
            if name not in takes and getattr(asked, name) is not UNSET:
                shown = "from" if name == "first" else name
                message = f"{asked.action} does not take this"
                faults.add(shown, "not_allowed", message)
    needed = _NEEDED.get(asked.action)
    if needed is not None and getattr(asked, needed) is UNSET:
        faults.add(needed, "missing", "this field is required")
    faults.finish()


async def _act(request: Request, caller: Caller, asked: BulkRequest) -> Act:
    """The command of the action. Raises InvalidInput, WrongState."""
    services = services_of(request)
    match asked.action:
        case "assign":
            wanted = AssignRequest(
                assignee=asked.assignee,
                team=asked.team,
                department=asked.department,
                reason=None if asked.reason is UNSET else asked.reason,
            )
            wish = await thorough(request, caller, lambda look: assignment(look, wanted))
            return deciding(services, wish)
        case "resolve":
            return deciding(services, Resolve())
        case "reopen":
            return deciding(services, Reopen())
        case "snooze":
            return deciding(services, snoozing(services, str(asked.until)))
        case "seen":
            through = None if asked.through is UNSET else asked.through
            require_recorded(services, "through", through)
            return seeing(services, caller.user, through)
        case "unread":
            first = None if asked.first is UNSET else asked.first
            require_recorded(services, "from", first)
            return unreading(services, caller.user, first)


def _authors(by: By, count: int, services: Services) -> list[By]:
    """The author of each of the commands that one request is made of, with a key of its own.

    The first has the request's, so that it stands for no other command.
    """
    first = by.repeatable
    if first is None:
        return [by] * count
    derive = services.ledger.derive
    return [by] + [
        By(
            by.actor,
            by.on_behalf_of,
            Repeatable(derive.id("bulk", first.command_id, str(number)), first.digest),
        )
        for number in range(1, count)
    ]


def _refuse_reused(services: Services, authors: Sequence[By]) -> None:
    """Raise KeyReused where the key stands with another body: then nothing is done at all."""
    for by in authors:
        if by.repeatable is None:
            return
        position = services.log.command(by.repeatable.command_id)
        entry = None if position is None else services.log.entry(position)
        if entry is not None and getattr(entry.event, "digest", None) != by.repeatable.digest:
            raise KeyReused("This Idempotency-Key came before with another body; take a new one.")


class Bulk:
    """One request on its way to its verdicts."""

    def __init__(self, request: Request, caller: Caller, act: Act) -> None:
        self._request = request
        self._caller = caller
        self._act = act
        self._services = services_of(request)
        self._errors: dict[UUID, HiloError] = {}
        self._receipts: dict[UUID, FactReceipt | None] = {}

    async def answer(self, ids: Sequence[UUID], authors: dict[UUID, By]) -> Json:
        """Carry it out for each id; a verdict for each, in their order."""
        asked = await self._find(list(authors))
        await self._do(asked, authors)
        idle = [id for id, receipt in self._receipts.items() if receipt is None]
        if idle and await behind(self._services, min(asked[id].position for id in idle)):
            await self._do(await self._find(idle), authors)
        done = [receipt for receipt in self._receipts.values() if receipt is not None]
        await written(self._services, max((receipt.last for receipt in done), default=0))
        repeated = any(receipt.duplicate for receipt in done)

        def show(look: Look) -> Json:
            verdicts = self._verdicts(look, list(authors))
            body = msgspec.json.encode(BulkAnswer([verdicts[id] for id in ids]))
            more = {"hilo-duplicate": "true"} if repeated else {}
            return Json(body, 200, read_headers(look.position) | more)

        return await look(self._request, self._caller, Freshness(), show)

    async def _find(self, ids: Sequence[UUID]) -> dict[UUID, Asked]:
        """The conversations as the caller sees them; what is missing is looked for again."""
        found: dict[UUID, Asked] = {}

        def work(look: Look) -> None:
            for id in ids:
                if id not in found:
                    try:
                        found[id] = asked_of(look, id)
                        self._errors.pop(id, None)
                    except NotFound as error:
                        self._errors[id] = error

        await look(self._request, self._caller, Freshness(), work)
        if len(found) < len(ids):
            await catch_up(self._services)
            await look(self._request, self._caller, Freshness(), work)
        return found

    async def _do(self, asked: dict[UUID, Asked], authors: dict[UUID, By]) -> None:
        """All at one time, so that their commits are shared."""

        async def one(id: UUID) -> None:
            try:
                self._receipts[id] = await self._act(asked[id], authors[id], None)
            except HiloError as error:
                self._errors[id] = error

        await asyncio.gather(*map(one, asked))

    def _verdicts(self, look: Look, ids: Sequence[UUID]) -> dict[UUID, BulkVerdict]:
        shown: list[tuple[UUID, Asked]] = []
        for id in ids:
            if id not in self._errors:
                try:
                    shown.append((id, asked_of(look, id)))
                except NotFound as error:
                    self._errors[id] = error
        found = [one.shown for _, one in shown]
        bodies = look.renderer.conversations(look.reading, found, look.visible)
        verdicts = {
            id: BulkVerdict(str(id), 200, conversation=msgspec.Raw(body))
            for (id, _), body in zip(shown, bodies, strict=True)
        }
        for id, refused in self._errors.items():
            problem = members(refused)
            verdicts[id] = BulkVerdict(str(id), int(str(problem["status"])), problem=problem)
        return verdicts
