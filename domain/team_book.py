"""What is decided about teams, as it gets into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain import team as teams
from domain.deciding import command_id_of
from domain.errors import ChangedMeanwhile, NotFound
from domain.ports import Pending, Unit
from domain.team import Team, team_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from domain.commands import By, FactReceipt
    from domain.deciding import Decider, Surroundings
    from domain.events import Event


class TeamBook:
    """Who works together."""

    def __init__(self, decider: Decider, around: Surroundings) -> None:
        self._decider = decider
        self._derive = around.derive
        self._new_id = around.new_id

    async def add(self, name: str, by: By) -> tuple[UUID, FactReceipt]:
        """Make a team; gives its id, of a repeat the first one. Raises KeyReused."""
        id = self._new_id()
        stream = team_stream(self._derive, id)
        receipt = await self._decider.attempt(
            lambda: _unit(stream, teams.add(stream, id, name, by), by), by
        )
        if receipt is None:  # a new team is always something new
            raise AssertionError
        made = self._decider.entry(receipt.position).event if receipt.duplicate else None
        return getattr(made, "team", id), receipt

    async def name(
        self, id: UUID, wanted: tuple[str | None, bool | None], by: By, *, expected: int | None
    ) -> FactReceipt | None:
        """Give a team a name, or say whether it is offered; None leaves either as it is.

        None where nothing changes. Raises NotFound, ChangedMeanwhile, KeyReused.
        """
        return await self._decide(id, lambda now: teams.name(now, *wanted, by), by, expected)

    async def join(
        self, id: UUID, user: UUID, by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """Put a user into a team; None where they are in it. Raises as `name`."""
        return await self._decide(id, lambda now: teams.join(now, user, by), by, expected)

    async def leave(
        self, id: UUID, user: UUID, by: By, *, expected: int | None = None
    ) -> FactReceipt | None:
        """Take a user out of a team; None where they are not in it. Raises as `name`."""
        return await self._decide(id, lambda now: teams.leave(now, user, by), by, expected)

    async def _decide(
        self, id: UUID, decide: Callable[[Team], Sequence[Event]], by: By, expected: int | None
    ) -> FactReceipt | None:
        stream = team_stream(self._derive, id)

        def take() -> Unit | None:
            now = self._decider.log.load(stream, teams.project)
            if now is None:
                raise NotFound("There is no such team.")
            if expected not in {None, now.version}:
                raise ChangedMeanwhile(None)
            decided = decide(now)
            return _unit(stream, decided, by) if decided else None

        return await self._decider.attempt(take, by)


def _unit(stream: UUID, events: Sequence[Event], by: By) -> Unit:
    pending = tuple(Pending(event) for event in events)
    return Unit(key=stream, build=lambda _: pending, command_id=command_id_of(by))
