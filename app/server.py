"""The HTTP application of one composition: the API, the webhooks, the pages."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

import uvicorn
from fastapi import FastAPI

from api.application import build
from api.webhooks import cleaning

if TYPE_CHECKING:
    from api.hub import Hub
    from app.compose import Composition


def application(composition: Composition) -> FastAPI:
    """The application, ready to be served."""
    hooks = (composition.tide.watching, cleaning)
    return build(composition.services, hooks=hooks, reads=composition.reads)


class Server(uvicorn.Server):
    """Serves an application; streams, which never end by themselves, end when it is to stop."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then wait for the requests that are under way."""
        hub: Hub = cast("FastAPI", self.config.app).state.hub
        hub.end()
        await super().shutdown(sockets)
