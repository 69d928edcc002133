"""What each process sees to besides its requests: erasures that others began or made.

Every process that has keys or pages in memory looks at the log's fence: where it was raised, it
drops them. It says how far the views of its place are, and completes what was left half done.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from api.alongside import alongside
from api.unexpected import log_unexpected
from domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from app.compose import Composition

LOOK_EVERY_S: Final = 1.0
"""How often the fence is looked at: one read of one row; a cached key lives a minute at most."""

SETTLE_EVERY_S: Final = 30.0
"""How often this place says how far its views are; who asks wants to know who is away."""

LEFT_US: Final = 60_000_000
"""An erasure that was asked for so long ago, and is not done, was left by who began it."""


class Caretaker:
    """Sees to one composition."""

    def __init__(self, composition: Composition) -> None:
        self._composition = composition
        self._fence: int | None = None
        self._settled_at: float | None = None

    async def turn(self) -> None:
        """Look once. Raises Unavailable where a store does not answer; the next turn goes on."""
        composition = self._composition
        fence = await asyncio.to_thread(composition.log.fence)
        if self._fence is not None and fence != self._fence:
            composition.forget()
            self._settled_at = None
        first, self._fence = self._fence is None, fence
        now = time.monotonic()
        if self._settled_at is None or now - self._settled_at >= SETTLE_EVERY_S:
            await self._finish(everything=first)
            await asyncio.to_thread(composition.eraser.settle_here)
            self._settled_at = now

    async def _finish(self, *, everything: bool) -> None:
        """Complete what was left: at the start all there is, later what nobody is about."""
        eraser = self._composition.eraser
        pending = await asyncio.to_thread(eraser.erasures.pending)
        before = self._composition.clock() - LEFT_US
        if any(everything or one.requested_at < before for one in pending):
            await eraser.finish()

    @asynccontextmanager
    async def running(self, application: FastAPI) -> AsyncIterator[None]:
        """Take turns while the application lives."""
        self._composition.forgetters.append(application.state.shelf.forget)
        async with alongside(self.run()):
            yield

    async def run(self) -> None:
        """Take turns for ever."""
        while True:
            try:
                await self.turn()
            except Unavailable:
                pass  # a store that does not answer now may do so in a second
            except Exception as error:  # noqa: BLE001 - the job outlives whatever stops one turn
                log_unexpected(error, "caretaking")
            await asyncio.sleep(LOOK_EVERY_S)
