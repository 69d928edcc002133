"""What a server reads ahead, so that nobody waits for it: the facts that figures are made of.

It is done once, in a thread, when the server listens already; reading them takes a large ledger
a second or two, in which the database and pyarrow are busy rather than the interpreter. After
that it returns to the system, now and then, what pages and figures needed for a moment.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from api.alongside import alongside
from api.unexpected import log_unexpected
from app.resting import give_back

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from api.reads import Reads
    from api.shelf import Shelf
    from projections.views import Views

AFTER_S: Final = 1.0
"""How long the server is let alone first: whoever starts it waits for a page, not for a figure."""


REST_EVERY_S: Final = 10.0
"""How often memory is returned: giving back that which the next page takes again at once costs
more than it is worth."""

BUSY_S: Final = 0.1
"""Processor time since then without which there is nothing to return: some ten pages."""


class Warmer:
    """Reads ahead for one application, and tidies up after its figures."""

    def __init__(self, views: Views, reads: Reads) -> None:
        self._views = views
        self._reads = reads

    @asynccontextmanager
    async def running(self, application: FastAPI) -> AsyncIterator[None]:
        """Do so while the application lives."""
        async with alongside(self._run(application.state.shelf)):
            yield

    async def _run(self, shelf: Shelf) -> None:
        await asyncio.sleep(AFTER_S)
        try:
            await asyncio.to_thread(self._reads.decks.warm, self._views)
        except Exception as error:  # noqa: BLE001 - the first figure will say what is wrong
            log_unexpected(error, "reading ahead")
        seen = 0.0
        while True:
            if time.process_time() - seen >= BUSY_S:
                shelf.tidy()
                await asyncio.to_thread(give_back)
                seen = time.process_time()
            await asyncio.sleep(REST_EVERY_S)
