"""Logging by hand: what the channel reported already is shown before anything is written."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api import likely
from api.parameters import Freshness
from api.reads import AFTER_COMMAND_MS, Desk
from domain.errors import InvalidInput, ProbableTwins, Unavailable
from domain.recording import interaction_stream
from projections import timeline_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.auth import Caller
    from api.reads import Look, Reads
    from api.services import Services
    from domain.commands import Receipt, RecordInteraction
    from projections.shapes import TwinView

ResultT = TypeVar("ResultT")


class Room(Struct, frozen=True):
    """Where somebody logs by hand; an application that only takes in reads nothing."""

    services: Services
    reads: Reads | None


async def record(
    room: Room, caller: Caller, command: RecordInteraction, *, check: bool
) -> tuple[Receipt, list[TwinView]]:
    """Append a record by hand; what may be its twin comes back beside it, the nearest first.

    With `check`, and with `twin_of`, the views are asked first, as of now. Raises ProbableTwins,
    with nothing written, InvalidInput and WrongState for a twin that cannot be one, NotYet, and
    what appending raises.
    """
    services = room.services
    if room.reads is None:
        return await services.ledger.record(command, caller.plain), []
    desk = Desk(services, room.reads)
    stands = await run_in_threadpool(_stands, services, command)
    if command.twin_of is not None:
        if not stands:
            await _ask_now(desk, caller, lambda look: _require_twin(look, command))
        return await services.ledger.record(command, caller.plain), []
    if check and not stands:
        found = await _ask_now(desk, caller, lambda look: likely.of_command(look, command))
        if found:
            raise ProbableTwins(found)
    receipt = await services.ledger.record(command, caller.plain)
    with suppress(Unavailable):  # it is written, and its card will show them
        wanted = Freshness(wait_ms=0)
        return receipt, await desk.look(
            caller, wanted, lambda look: _beside(look, command, receipt)
        )
    return receipt, []


async def _ask_now(desk: Desk, caller: Caller, work: Callable[[Look], ResultT]) -> ResultT:
    """A look at views that hold all that the log holds now. Raises NotYet."""
    head = await run_in_threadpool(desk.services.log.head)
    return await desk.look(caller, Freshness(head, AFTER_COMMAND_MS), work)


def _stands(services: Services, command: RecordInteraction) -> bool:
    """Whether this very record is in the log already: then it is repeated, not logged anew."""
    stream = interaction_stream(services.ledger.derive, command.namespace, command.key)
    return bool(services.log.stream(stream))


def _beside(look: Look, command: RecordInteraction, receipt: Receipt) -> list[TwinView]:
    """What may be its twin; a repeat may have been linked since it was written."""
    if not receipt.duplicate:
        return likely.of_command(look, command)
    ref = timeline_pages.one(look.reading, receipt.id)
    return likely.of_record(look, ref) if ref else []


def _require_twin(look: Look, command: RecordInteraction) -> None:
    """Raise unless the record that `twin_of` names is one of the same contact."""
    ref = timeline_pages.one(look.reading, command.twin_of or 0)
    if ref is None or not look.allowed([ref]):
        raise InvalidInput.one("twin_of", "unknown", "there is no such interaction")
    likely.require_one_contact(look, [ref.subject, likely.subject_of(look, command)])
