"""Listening for mail servers: one listener for each connection of the channels smtp and lmtp.

What was answered with 250 is durable: recorded, a duplicate, ignored for a named reason, or in
quarantine. Where a store fails, the answer is 451, and the sender comes again for days.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from channels.mail_arrival import incoming_of
from channels.smtp import LMTP, Recipients, listen_of
from channels.smtp_session import PAUSED as PAUSED_REPLY
from channels.smtp_session import TAKEN, TRY_AGAIN, Crowd, Door, LmtpSession, Session
from channels.smtp_tls import Certificate, certificate_of
from domain.errors import HiloError, TooLarge
from storage.connections import ACTIVE

if TYPE_CHECKING:
    from channels.connections import Opened
    from channels.mail_sides import Envelope
    from channels.room import Channels

WAITING_MAX: Final = 64
"""Conversations that wait to be accepted."""

DELIVERY_S_MAX: Final = 60.0
"""How long a mail may take to be settled; senders wait ten minutes (RFC 5321)."""

LIBRARY_LOG: Final = "mail.log"
"""The log of aiosmtpd: it writes every line of a conversation, with its addresses."""

log = logging.getLogger("hilo.smtp")


class Listener:
    """Listens for one connection, on the event loop that starts it."""

    def __init__(self, channels: Channels, opened: Opened) -> None:
        self._channels = channels
        self._connection = opened.connection
        self._options = opened.connection.options
        self._recipients = Recipients(self._options.get("recipients", ""))
        self._crowd = Crowd()
        self._certificate: Certificate | None = None
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port that it listens at; with port 0, the one that the system gave."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else 0

    @property
    def sessions(self) -> int:
        """How many conversations go on."""
        return len(self._crowd.sessions)

    @property
    def held_bytes(self) -> int:
        """How much mail it holds that is not settled yet."""
        return self._crowd.held_bytes

    async def start(self) -> None:
        """Listen from now on. Raises OSError where the address cannot be had."""
        logging.getLogger(LIBRARY_LOG).setLevel(logging.CRITICAL + 1)
        place = listen_of(self._options.get("listen", ""))
        if place is None:
            raise OSError("there is no such address")
        try:
            self._certificate = await asyncio.to_thread(certificate_of, self._options)
        except ValueError as error:
            raise OSError("its certificate cannot be read") from error
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._session, *place, backlog=WAITING_MAX)
        except UnicodeError as error:
            raise OSError("its name is none") from error

    async def stop(self) -> None:
        """Listen no more; mail that was not answered comes again."""
        if self._server is not None:
            self._server.close()
            for session in list(self._crowd.sessions):
                session.end()
            await self._server.wait_closed()
            self._server = None

    def _session(self) -> Session:
        kind = LmtpSession if self._connection.channel == LMTP.channel else Session
        door = Door(self._refusal, self._takes, self._deliver, self._refuse_size)
        host = self._options.get("listen", "").rpartition(":")[0]
        context = self._certificate.context if self._certificate is not None else None
        return kind(door, self._crowd, host, context)

    def _takes(self, address: str) -> bool:
        return address in self._recipients

    async def _opened(self) -> Opened:
        connection = self._connection
        return await asyncio.to_thread(
            self._channels.connections.open, connection.channel, connection.name
        )

    async def _refusal(self) -> str | None:
        """Why no mail is taken now, if none is."""
        try:
            opened = await self._opened()
        except HiloError:
            return TRY_AGAIN
        return None if opened.connection.state == ACTIVE else PAUSED_REPLY

    async def _deliver(self, raw: bytes, envelope: Envelope) -> str:
        """Settle a mail; the reply to it."""
        try:
            async with asyncio.timeout(DELIVERY_S_MAX):
                opened = await self._opened()
                await self._channels.receiver.take(opened, incoming_of(raw, envelope))
        except (HiloError, TimeoutError) as error:
            log.warning("%s: a mail was put off: %s", self._connection.key, type(error).__name__)
            return TRY_AGAIN
        return TAKEN

    async def _refuse_size(self) -> None:
        try:
            await self._channels.receiver.refuse_size(await self._opened())
        except TooLarge:
            pass
        except HiloError as error:
            log.warning("%s: not counted: %s", self._connection.key, type(error).__name__)
