"""How far the core views are, for whoever waits for a position: readers and the stream.

Where this process follows, the group tells after each commit; where a process of its own does,
that one tells. Where it is anybody else, the views' checkpoint is looked at, often enough that
nobody notices. Now and then it is also examined whether the views are still those of the log.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool

from api.alongside import alongside
from domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi import FastAPI

    from projections.group import Group

LOOK_EVERY_S: Final = 0.05
"""How often the checkpoint is looked at where nobody tells of commits: a tenth of what a person
notices, for a query that takes microseconds."""

EXAMINE_EVERY_S: Final = 1.0
"""How often the views are looked at all the same, and compared with the log: a restore of either
shows within a second, for two reads by a key."""


class Tide:
    """The position of the core views, rising; one for each application.

    `follows` says whether somebody follows just now who tells of each commit; `examine` has
    views refuse to serve that were made from another log.
    """

    def __init__(
        self, group: Group, follows: Callable[[], bool], examine: Callable[[], None]
    ) -> None:
        self._group = group
        self._follows = follows
        self._examine = examine
        self._position = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._risen: asyncio.Event = asyncio.Event()

    def position(self) -> int:
        """The position that the core views hold, as far as this process knows."""
        return self._position

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        """Wait until the core views hold a position, at most so long; whether they do."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._position < position:
                    await self.rise()
        return self._position >= position

    async def rise(self) -> None:
        """Wait until the position has changed."""
        await self._risen.wait()

    @asynccontextmanager
    async def watching(self, _: FastAPI | None = None) -> AsyncIterator[None]:
        """Keep the position current while the application, or a command, lives."""
        self._loop = asyncio.get_running_loop()
        unsubscribe = self._group.subscribe(self._committed)
        await self._look(self._examined)
        try:
            async with alongside(self._look_again()):
                yield
        finally:
            unsubscribe()

    def _committed(self, position: int, _entries: object) -> None:
        """Called in the follower's thread after each commit."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.reached, position)

    def reached(self, position: int) -> None:
        """The core views hold a position; to be called on the event loop."""
        if position != self._position:
            self._position = position
            risen, self._risen = self._risen, asyncio.Event()
            risen.set()

    def _glance(self) -> int:
        return self._group.views.position(self._group.name)

    def _examined(self) -> int:
        # Where the log does not answer, what the views hold is shown all the same.
        with suppress(Unavailable):
            self._examine()
        return self._glance()

    async def _look(self, ask: Callable[[], int]) -> None:
        before = self._position
        with suppress(Unavailable):
            found = await run_in_threadpool(ask)
            # What a commit said meanwhile is newer than what was read.
            if found > self._position or self._position == before:
                self.reached(found)

    async def _look_again(self) -> None:
        examined_at = time.monotonic()
        while True:
            await asyncio.sleep(EXAMINE_EVERY_S if self._follows() else LOOK_EVERY_S)
            if time.monotonic() - examined_at >= EXAMINE_EVERY_S:
                await self._look(self._examined)
                examined_at = time.monotonic()
            else:
                await self._look(self._glance)
