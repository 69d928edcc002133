"""The job of files: what providers point to is fetched, and what nobody came for is let go.

Every server looks once in a while, and any of them may act: a job is claimed by one at a time.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from api.alongside import alongside
from api.unexpected import log_unexpected
from app.web import ProvidersWeb
from domain.errors import Unavailable
from domain.events import AttachmentStored, InteractionEdited, InteractionRecorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from api.services import Services
    from channels.media_fetching import Web
    from domain.ports import EventLike
    from storage.blob_index import BlobRow

LOOK_EVERY_S: Final = 1.0
"""How often the list of errands is looked at: one read of an index."""

SWEEP_EVERY_S: Final = 3_600.0
"""How often files that nobody came for are let go: their time is counted in days."""

UPLOAD_KEPT_US: Final = 7 * 24 * 3_600 * 1_000_000
"""How long an upload waits to be attached to an interaction: a week, for a draft that lies."""

UPLOADS_AT_ONCE: Final = 500
"""Uploads that one sweep lets go of; the next one goes on."""


class Filing:
    """Looks after the files of one ledger."""

    def __init__(self, services: Services, web: Web) -> None:
        self._services = services
        self._web = web

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Take turns while the application lives."""
        try:
            async with alongside(self._run()):
                yield
        finally:
            if isinstance(self._web, ProvidersWeb):
                await self._web.close()

    async def fetch(self) -> int:
        """Fetch what is due; how many errands that were. Raises Unavailable."""
        return await self._services.channels.fetching.turn(self._web)

    def sweep(self) -> int:
        """Let go of what nobody came for; how many files. Raises Unavailable."""
        services = self._services
        now, index = services.clock(), services.blobs.index
        count = services.blobs.sweep(now, self._is_named)
        for upload in index.claimed_uploads(UPLOADS_AT_ONCE):
            if upload.stream is not None and services.log.stream(upload.stream):
                services.blobs.discard(upload)  # it is its interaction's now, under another key
                count += 1
        for upload in index.old_uploads(now - UPLOAD_KEPT_US, UPLOADS_AT_ONCE):
            services.blobs.discard(upload)
            count += 1
        return count

    def _is_named(self, row: BlobRow) -> bool:
        """Whether the event that was to name a file does so."""
        entries = self._services.log.stream(row.fact)
        return any(_names(entry.event, row.blob.hex()) for entry in entries)

    async def _run(self) -> None:
        swept = -SWEEP_EVERY_S
        while True:
            found = 0
            try:
                found = await self.fetch()
                if time.monotonic() - swept >= SWEEP_EVERY_S:
                    swept = time.monotonic()
                    await asyncio.to_thread(self.sweep)
            except Unavailable:
                pass  # a store that does not answer now may do so in a second
            except Exception as error:  # noqa: BLE001 - the job outlives whatever stops one turn
                log_unexpected(error, "filing")
            if not found:
                await asyncio.sleep(LOOK_EVERY_S)


def _names(event: EventLike, blob: str) -> bool:
    match event:
        case AttachmentStored():
            return event.blob == blob
        case InteractionRecorded() | InteractionEdited():
            return any(file.blob == blob for file in event.attachments)
        case _:
            return False
