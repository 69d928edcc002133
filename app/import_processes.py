"""Processes that read and seal the lines of a large import, while this one appends them in order.

Each has the ledger open for itself, takes one request at a time over its pipe, and ends with it:
also where this process is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from api.ahead import Maker
from api.auth import Caller, implied
from api.terms import terms_of
from domain.errors import StoreUnavailable
from storage.source import seldom_collected

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess
    from typing import Self

    from api.shapes import Terms
    from app.settings import Settings
    from domain.commands import By

PROCESSES_MAX: Final = 4
"""More of them would make units faster than one writer can append."""

FROM_BYTES: Final = 4 << 20
"""A smaller file is imported before other processes have opened the ledger: it takes a second."""

PRELOADED: Final = ("app.compose", "app.import_processes")
"""What all of these processes are made of: to read it takes a second, the start of a small file."""

END_S_MAX: Final = 10.0
"""What a process needs at most for the request that it is at, once nobody wants its answer."""


class Author(Struct, frozen=True):
    """For whom lines are read: the author, and the source of lines that name none."""

    by: By
    source: str


class ImportProcesses:
    """Implements api.ahead.Helpers; a context manager, entered where nothing runs in threads."""

    def __init__(self, settings: Settings, author: Author, count: int | None = None) -> None:
        self._settings = settings
        self._author = author
        self._count = count or min(os.cpu_count() or 1, PROCESSES_MAX)
        self._processes: list[ForkServerProcess] = []
        self._connections: list[Connection] = []
        self._idle: asyncio.Queue[Connection] = asyncio.Queue()

    def __enter__(self) -> Self:
        # One process reads the program's modules, opens nothing and runs no thread; those that
        # work are its forks, which begin at once.
        context = get_context("forkserver")
        context.set_forkserver_preload(list(PRELOADED))
        for number in range(self._count):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve,
                args=(theirs, self._settings, self._author),
                name=f"hilo-import-{number}",
                daemon=True,
            )
            process.start()
            theirs.close()
            self._processes.append(process)
            self._connections.append(ours)
            self._idle.put_nowait(ours)
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.join(END_S_MAX)
        self.kill()

    def kill(self) -> None:
        """End the processes at once."""
        for process in self._processes:
            process.kill()
            process.join()

    async def make(self, request: bytes) -> bytes:
        """As in Helpers."""
        connection = await self._idle.get()
        try:
            return await asyncio.to_thread(_exchange, connection, request)
        finally:
            self._idle.put_nowait(connection)


def _exchange(connection: Connection, request: bytes) -> bytes:
    try:
        connection.send_bytes(request)
        return connection.recv_bytes()
    except (EOFError, OSError) as error:
        message = "A process of the import ended; run the import again."
        raise StoreUnavailable(message) from error


def _serve(connection: Connection, settings: Settings, author: Author) -> None:
    """The life of such a process: it opens the ledger and answers until its pipe is closed."""
    from app.cli.frame import settle_memory  # noqa: PLC0415 - only the process itself needs it
    from app.compose import open_ledger  # noqa: PLC0415 - the same

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, and with it the pipe
    composition = open_ledger(settings, follow=False)
    settle_memory()
    services = composition.services
    caller = Caller(author.by.actor, implied(("append",)), author.by)

    def terms() -> Terms:
        found = terms_of(services, caller, imported=True, key_of=lambda _: None)
        return structs.replace(found, fallback=author.source)

    maker = Maker(composition.ledger, composition.log, author.by, terms)
    with suppress(EOFError, OSError), seldom_collected():
        while True:
            connection.send_bytes(maker.answer(connection.recv_bytes()))
    composition.close()
