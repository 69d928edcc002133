"""A real server on loopback, for what only real sockets show."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

END_S = 10
"""How long requests under way are waited for at the end: they take milliseconds."""


@contextmanager
def serving(application: FastAPI) -> Iterator[int]:
    """Serve an application in a thread; gives its port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)  # whoever connects before the server runs waits, and is served
        config = uvicorn.Config(
            application,
            http="httptools",
            loop="uvloop",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=END_S,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(3 * END_S)
            assert not thread.is_alive(), "the server does not end"
