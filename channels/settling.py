"""Settling many deliveries with one commit: whoever waits while one commits shares the next.

There is no timer, as in the log's own group commit: a lone delivery does not wait, and a crowd
shares its fsync.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from domain.errors import Unavailable

if TYPE_CHECKING:
    from storage.arrivals import Arrivals, Settlement

TOGETHER_MAX: Final = 256
"""Deliveries of one transaction: some thousand small rows, a few milliseconds."""

_Waiting = tuple["Settlement", "asyncio.Future[None]"]


class Settling:
    """Collects settlements; belongs to one event loop at a time."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._waiting: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def settle(self, settlement: Settlement) -> None:
        """Write one settlement down; durable when this returns. Raises StoreUnavailable."""
        settled = asyncio.get_running_loop().create_future()
        self._waiting.append((settlement, settled))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run())
        await settled

    async def _run(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
            await self._write(some)

    async def _write(self, some: list[_Waiting]) -> None:
        """Write some together; where that fails for a cause of one's own, one by one."""
        try:
            await asyncio.to_thread(self._arrivals.settle, *(one for one, _ in some))
        except Exception as error:  # noqa: BLE001 - it becomes the answer of whoever waits
            if len(some) == 1 or isinstance(error, Unavailable):
                for _, settled in some:
                    if not settled.done():
                        settled.set_exception(error)
                return
            for one in some:
                await self._write([one])
        else:
            for _, settled in some:
                if not settled.done():
                    settled.set_result(None)
