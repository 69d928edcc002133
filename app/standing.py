"""What Hilo does by itself for connections that nobody delivers to: it listens, and it fetches.

The book of connections is looked at once in a while, since any process may change it. Whoever
serves listens; mailboxes are fetched by the one process that holds their lock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from api.alongside import alongside
from api.unexpected import log_unexpected
from channels.imap import IMAP
from channels.smtp import LMTP, SMTP
from domain.errors import HiloError, Unavailable
from storage.connections import ACTIVE, REMOVED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from channels.connections import Opened
    from channels.room import Channels
    from storage.connections import Connection
    from storage.exclusive import Exclusive

LOOK_EVERY_S: Final = 1.0
"""How often the book is looked at: it is one short read, and people wait for what they changed."""

NOT_LISTENING: Final = "it cannot be listened there"
"""How an error begins that goes when a listener stands."""

log = logging.getLogger("hilo.standing")


class Runner(Protocol):
    """What stands for one connection."""

    async def start(self) -> None:
        """Begin. Raises OSError where that cannot be."""

    async def stop(self) -> None:
        """End, in bounded time."""


class Running(Struct, frozen=True):
    """What runs for a connection, and what it was made of: another makes it anew."""

    runner: Runner
    made_of: object


def _listener(channels: Channels, opened: Opened) -> Runner:
    from channels.smtp_listening import Listener  # noqa: PLC0415 - few need its library

    return Listener(channels, opened)


def _fetcher(channels: Channels, opened: Opened) -> Runner:
    from channels.imap_fetching import Fetcher  # noqa: PLC0415 - few need its library

    return Fetcher(channels, opened)


MAKERS: Final[Mapping[str, Callable[[Channels, Opened], Runner]]] = {
    SMTP.channel: _listener,
    LMTP.channel: _listener,
    IMAP.channel: _fetcher,
}


class Standing:
    """Keeps one runner for each connection that has one; lives on one event loop at a time."""

    def __init__(self, channels: Channels, mailboxes: Exclusive) -> None:
        self._channels = channels
        self._mailboxes = mailboxes
        self.runners: dict[str, Running] = {}
        self._errors: dict[str, str] = {}

    async def turn(self) -> None:
        """Have run what should, and nothing else. Raises Unavailable."""
        wanted = await asyncio.to_thread(self._wanted)
        for key, running in list(self.runners.items()):
            if key not in wanted or _made_of(wanted[key]) != running.made_of:
                del self.runners[key]
                await running.runner.stop()
        for key, opened in wanted.items():
            if key not in self.runners:
                await self._start(key, opened)

    def release(self) -> None:
        """Let others fetch the mailboxes."""
        self._mailboxes.release()

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Take turns while the application lives."""
        try:
            async with alongside(self._run()):
                yield
        finally:
            await asyncio.gather(*(running.runner.stop() for running in self.runners.values()))
            self.runners.clear()
            await asyncio.to_thread(self.release)

    def _wanted(self) -> dict[str, Opened]:
        """The connections that something runs for, opened."""
        book = self._channels.connections
        there = [one for one in book.book.all() if one.channel in MAKERS and one.state != REMOVED]
        fetched = [one for one in there if one.channel == IMAP.channel and one.state == ACTIVE]
        may_fetch = bool(fetched) and self._holds_mailboxes()
        listened = [one for one in there if one.channel != IMAP.channel]
        wanted = {}
        for one in [*listened, *(fetched if may_fetch else ())]:
            with suppress(HiloError):  # removed a moment ago, or its secret cannot be opened now
                wanted[one.key] = book.open(one.channel, one.name)
        return wanted

    def _holds_mailboxes(self) -> bool:
        return self._mailboxes.held() or self._mailboxes.acquire()

    async def _start(self, key: str, opened: Opened) -> None:
        runner = MAKERS[opened.connection.channel](self._channels, opened)
        try:
            await runner.start()
        except OSError as error:
            why = f"{NOT_LISTENING}: {error.strerror or error}"
            if self._errors.get(key) != why:
                self._errors[key] = why
                log.warning("%s: %s", key, why)
                await asyncio.to_thread(self._channels.arrivals.note_error, key, why)
            return
        self._errors.pop(key, None)
        await asyncio.to_thread(self._channels.arrivals.clear_error, key, NOT_LISTENING)
        self.runners[key] = Running(runner, _made_of(opened))

    async def _run(self) -> None:
        while True:
            try:
                await self.turn()
            except Unavailable:
                pass  # a store that does not answer now may do so in a second
            except Exception as error:  # noqa: BLE001 - it outlives whatever stops one turn
                log_unexpected(error, "standing")
            await asyncio.sleep(LOOK_EVERY_S)


def _made_of(opened: Opened) -> object:
    """What a runner is made anew for; a pause is none of it, since a listener says so itself."""
    connection: Connection = opened.connection
    return connection.options, opened.secrets, connection.created_at
