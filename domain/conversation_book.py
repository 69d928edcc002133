"""What people do with conversations, as it gets into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.deciding import digest_of
from domain.events import ConversationSeen

if TYPE_CHECKING:
    from uuid import UUID

    from domain.commands import By, FactReceipt
    from domain.deciding import Decider
    from domain.values import Deriver


class ConversationBook:
    """Whose turn it is, and who has seen what."""

    def __init__(self, decider: Decider, derive: Deriver) -> None:
        self._decider = decider
        self._derive = derive

    async def see(self, owner: UUID, user: UUID, through: int, by: By) -> FactReceipt:
        """A user has seen a conversation through a position."""
        event = ConversationSeen(
            originator_id=self._derive.id("seen", owner, user, str(through)),
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=digest_of(by),
            contact=owner,
            user=user,
            through=through,
        )
        return await self._decider.state(event, by)
