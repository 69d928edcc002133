"""How far the core views are, for whoever waits for a position: readers and the stream.

Where this process follows, the group tells after each commit; where another one does, the
views' checkpoint is looked at, often enough that nobody notices.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool

from domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi import FastAPI

    from projections.group import Group

LOOK_EVERY_S: Final = 0.05
"""How often the checkpoint is looked at where another process follows: a tenth of what a person
notices, for a query that takes microseconds."""

LOOKS_BETWEEN: Final = 20
"""Where this process follows, every so many of these looks is taken all the same: each second."""


class Tide:
    """The position of the core views, rising; one for each application.

    `follows` says whether this process follows just now.
    """

    def __init__(self, group: Group, follows: Callable[[], bool]) -> None:
        self._group = group
        self._follows = follows
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
    async def watching(self, _: FastAPI) -> AsyncIterator[None]:
        """Keep the position current while the application lives."""
        self._loop = asyncio.get_running_loop()
        unsubscribe = self._group.subscribe(self._committed)
        await self._look()
        task = asyncio.create_task(self._look_again())
        try:
            yield
        finally:
            unsubscribe()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _committed(self, position: int, _entries: object) -> None:
        """Called in the follower's thread after each commit."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._set, position)

    def _set(self, position: int) -> None:
        if position != self._position:
            self._position = position
            risen, self._risen = self._risen, asyncio.Event()
            risen.set()

    async def _look(self) -> None:
        before = self._position
        with suppress(Unavailable):
            found = await run_in_threadpool(self._group.views.position, self._group.name)
            # What a commit said meanwhile is newer than what was read.
            if found > self._position or self._position == before:
                self._set(found)

    async def _look_again(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            looks += 1
            # A rebuild of this process's own moves the position without a commit.
            if not self._follows() or looks % LOOKS_BETWEEN == 0:
                await self._look()
