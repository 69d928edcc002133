"""The one job that a ledger has of its own so far: snoozes whose time has come are ended.

Every server looks once in a while, and any of them may act: the end of a snooze is an event in
the conversation's stream, so that of several who write it one succeeds and the others find that
nothing is left to do.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from uuid import UUID

from api.alongside import alongside
from api.auth import SYSTEM
from api.unexpected import log_unexpected
from domain.commands import By
from domain.conversation import Shown, Wake
from domain.conversation_book import Whose
from domain.errors import Unavailable
from projections import inbox_pages
from projections.directory_rows import split_ids

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from api.services import Services
    from projections.inbox import ConversationRow

WAKE_EVERY_S: Final = 1.0
"""How often snoozes are looked at: nobody notices a second, and it is one read of an index."""

WOKEN_MAX: Final = 200
"""Snoozes that are ended at one time; all that were set to nine o'clock share a few commits."""


class Waker:
    """Ends the snoozes of one ledger."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def turn(self) -> int:
        """End the snoozes that are over now; how many there were.

        Raises Unavailable where a store does not answer; the next turn tries again.
        """
        now = self._services.clock()
        due = await asyncio.to_thread(self._due, now)
        ended = await asyncio.gather(*(self._wake(row, now) for row in due))
        return sum(ended)

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Take turns while the application lives."""
        async with alongside(self._run()):
            yield

    def _due(self, now: int) -> list[ConversationRow]:
        with self._services.views.reading() as reading:
            return inbox_pages.overdue(reading, now, WOKEN_MAX)

    async def _wake(self, row: ConversationRow, now: int) -> bool:
        """End one; False where somebody else was faster."""
        parts = tuple(UUID(bytes=member) for member in split_ids(row.members))
        receipt = await self._services.ledger.conversations.decide(
            Whose(UUID(bytes=row.contact), parts),
            Wake(now),
            Shown(row.version, row.status, row.snoozed_until),
            By(SYSTEM),
        )
        return receipt is not None

    async def _run(self) -> None:
        while True:
            try:
                await self.turn()
            except Unavailable:
                pass  # a store that does not answer now may do so in a second
            except Exception as error:  # noqa: BLE001 - the job outlives whatever stops one turn
                log_unexpected(error, "waking")
            await asyncio.sleep(WAKE_EVERY_S)
