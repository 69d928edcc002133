"""The HTTP application of one composition: the API, the webhooks, the pages."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final, cast

import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware

from api.application import build
from api.webhooks import cleaning
from app.caretaking import Caretaker
from app.filing import Filing
from app.reading_only import ReadingOnly
from app.waking import Waker
from app.warming import Warmer
from app.web import ProvidersWeb

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from api.application import Hook
    from api.hub import Hub
    from app.compose import Composition

IDLE_S: Final = 75
"""How long a connection stays open without a request: longer than proxies (nginx and load
balancers: 60 s) and clients keep theirs, else a request meets a connection that just closed."""


def application(composition: Composition, *, filing: bool = False) -> FastAPI:
    """The application, ready to be served; with `filing` it also fetches providers' files."""
    position = composition.settings.replay
    if position is not None:
        built = build(
            composition.services, hooks=[composition.tide.watching], reads=composition.reads
        )
        # The innermost: what it refuses has its number as every answer has.
        built.user_middleware.append(Middleware(ReadingOnly, position=position))
        return built
    hooks: list[Hook] = [
        composition.tide.watching,
        cleaning,
        Waker(composition.services).running,
        composition.standing.running,
        Caretaker(composition).running,
        Warmer(composition.services.views, composition.reads).running,
    ]
    if filing:
        web = ProvidersWeb(composition.settings.media_mirror)
        hooks.append(Filing(composition.services, web).running)
    if composition.companion is not None:
        hooks.append(composition.companion.watching)
    composition.channels.fetching.observer = composition.reads.metrics.fetched
    return build(composition.services, hooks=hooks, reads=composition.reads)


class Server(uvicorn.Server):
    """Serves an application; streams, which never end by themselves, end when it is to stop.

    `on_exit` is called when a signal says so.
    """

    def __init__(self, config: uvicorn.Config, on_exit: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self._on_exit = on_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came: stop."""
        if self._on_exit is not None and not self.should_exit:
            self._on_exit()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then wait for the requests that are under way."""
        hub: Hub = cast("FastAPI", self.config.app).state.hub
        hub.end()
        await super().shutdown(sockets)
