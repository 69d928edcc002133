"""One conversation of a mail server with Hilo, over aiosmtpd: what is said, and its limits.

The library reads a mail line by line and refuses lines of more than 1,001 bytes, which real mail
has; here it is read in large pieces, up to the one end that the standard knows. Lines are never
logged: they hold addresses.

Sources: RFC 5321 (SMTP), RFC 2033 (LMTP), RFC 1870 (SIZE), RFC 3463 (codes).
"""

from __future__ import annotations

import logging
from asyncio import Transport, WriteTransport
from collections.abc import Awaitable, Callable
from ssl import SSLContext
from typing import Final, cast

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, syntax
from aiosmtpd.smtp import Envelope as Written
from aiosmtpd.smtp import Session as Talk
from msgspec import Struct

from channels.mail import MAIL_MAX_BYTES
from channels.mail_sides import Envelope

SESSIONS_MAX: Final = 100
"""Conversations of one listener: mail servers open some ten at a time."""

HELD_MAX_BYTES: Final = 4 * MAIL_MAX_BYTES
"""Mail of one listener that is not settled yet, in memory: a few of the largest, many others."""

RECIPIENTS_MAX: Final = 100
"""Recipients of one mail (RFC 5321 asks for 100); the sender sends the others after them."""

COMMANDS_MAX: Final = 2_000
"""Commands of one kind in a conversation: hundreds of mails go through one."""

IDLE_S_MAX: Final = 120.0
"""How long a command is waited for."""

DATA_S_MAX: Final = 900.0
"""How long a mail and its answer may take: 50 MiB in that time are half a megabit a second."""

HANDSHAKE_S_MAX: Final = 30.0
"""How long the agreement on an encrypted line may take."""

READ_BYTES: Final = 64 * 1024
"""How much is buffered of a conversation; the library knows lines of so many bytes at most."""

_TAKEN_BYTES: Final = 1024 * 1024
_END: Final = b"\r\n.\r\n"

TAKEN: Final = "250 2.0.0 Taken"
TRY_AGAIN: Final = "451 4.3.0 Not now, please try again later"
FULL: Final = "451 4.3.1 Too much mail at a time, please try again later"
TOO_LARGE: Final = f"552 5.3.4 A mail has at most {MAIL_MAX_BYTES} bytes"
NOT_HERE: Final = "550 5.1.1 Nobody of that address is here"
TOO_MANY: Final = "452 4.5.3 Too many recipients, please send the others after these"
PAUSED: Final = "451 4.3.2 Paused, please try again later"
CROWDED: Final = b"421 4.3.2 Too many conversations, please try again later\r\n"

log = logging.getLogger("hilo.smtp")


class Door(Struct, frozen=True):
    """What stands behind a listener.

    `open` tells whether mail is taken now: None, or why not. `takes` says whether an address is a
    recipient; `deliver` settles a mail and gives the reply; `refuse_size` counts one too large.
    """

    open: Callable[[], Awaitable[str | None]]
    takes: Callable[[str], bool]
    deliver: Callable[[bytes, Envelope], Awaitable[str]]
    refuse_size: Callable[[], Awaitable[None]]


class Crowd:
    """The conversations of one listener, and what they hold."""

    def __init__(self) -> None:
        self.sessions: set[Session] = set()
        self.held_bytes = 0


class Host:
    """Answers what the library asks while a conversation goes on."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def handle_MAIL(  # noqa: N802 - the library's own names here and below
        self, _server: SMTP, _talk: Talk, written: Written, address: str, options: list[str]
    ) -> str:
        """A mail begins: take it, unless the connection is paused or gone."""
        refusal = await self._door.open()
        if refusal is not None:
            return refusal
        written.mail_from = address
        written.mail_options.extend(options)
        return "250 2.1.0 Go on"

    async def handle_RCPT(  # noqa: N802 - the library's own name
        self, _server: SMTP, _talk: Talk, written: Written, address: str, options: list[str]
    ) -> str:
        """A recipient: one of ours, or nobody."""
        if not self._door.takes(address):
            return NOT_HERE
        if len(written.rcpt_tos) >= RECIPIENTS_MAX:
            return TOO_MANY
        written.rcpt_tos.append(address)
        written.rcpt_options.extend(options)
        return "250 2.1.5 Go on"

    async def handle_exception(self, error: Exception) -> str:
        """Something went wrong on our side: the sender comes again."""
        log.error("a conversation went wrong: %s", type(error).__name__)
        return TRY_AGAIN


class Session(SMTP):
    """A conversation in SMTP."""

    line_length_limit = READ_BYTES

    def __init__(
        self, door: Door, crowd: Crowd, hostname: str, context: SSLContext | None = None
    ) -> None:
        super().__init__(
            Host(door),
            data_size_limit=MAIL_MAX_BYTES,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="Hilo",
            timeout=IDLE_S_MAX,
            tls_context=context,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            command_call_limit=COMMANDS_MAX,
        )
        self._door = door
        self._crowd = crowd

    def connection_made(self, transport: object) -> None:
        """A conversation begins, where there is room for one more."""
        super().connection_made(transport)  # type: ignore[arg-type]  # the library's own
        self._crowd.sessions.add(self)
        if len(self._crowd.sessions) > SESSIONS_MAX and self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
            self._writer.write(CROWDED)
            self._writer.close()

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self._crowd.sessions.discard(self)
        super().connection_lost(error)

    def end(self) -> None:
        """End it now; a mail that was not answered comes again."""
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()
        if self._writer is not None:
            self._writer.close()

    @syntax("STARTTLS")
    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - the library's own name
        """The line is encrypted from now on, and the conversation begins anew (RFC 3207).

        The library's own way goes around the event loop, which newer ones do not let it.
        """
        if arg or self.tls_context is None or self._tls_protocol is not None:
            await self.push("501 5.5.4 Syntax: STARTTLS" if arg else "454 4.7.0 There is no TLS")
            return
        await self.push("220 2.0.0 Go on")
        # What was said in clear after the command is somebody else's.
        self._reader._buffer.clear()  # type: ignore[attr-defined]  # noqa: SLF001 - no other way
        plain = cast("WriteTransport", self.transport)  # the loop's own kind, whichever loop it is
        try:
            transport = await self.loop.start_tls(
                plain,
                self,
                self.tls_context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_S_MAX,
            )
        except OSError as error:  # no agreement: whoever it was goes on without us
            raise ConnectionResetError from error
        if transport is None:
            raise ConnectionResetError
        self._encrypted(transport)

    def _encrypted(self, transport: Transport) -> None:
        """Go on over another transport, as if nothing had been said."""
        self.transport = transport
        self._reader._transport = transport  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        self._writer._transport = transport  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        self._tls_protocol = transport.get_extra_info("ssl_object")
        peer = self.session.peer if self.session is not None else None
        self._set_rset_state()  # type: ignore[no-untyped-call]  # the library's own
        self.session = self._create_session()
        self.session.peer = peer
        self.session.ssl = transport.get_extra_info("cipher")

    async def smtp_AUTH(self, _arg: str) -> None:  # noqa: N802 - the library's own name
        """Nobody signs in here."""
        await self.push("502 5.5.1 There is nothing to sign in for")

    async def smtp_VRFY(self, _arg: str) -> None:  # noqa: N802 - the library's own name
        """Who is here is told to nobody."""
        await self.push("252 2.1.5 Send and see")

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the library's own name
        """A mail: read, settled, answered."""
        if await self.check_helo_needed():
            return
        written = self.envelope
        if written is None or not written.rcpt_tos:
            await self.push("503 5.5.1 Name a recipient first")
        elif arg:
            await self.push("501 5.5.4 Syntax: DATA")
        else:
            self._reset_timeout(DATA_S_MAX)
            await self.push("354 End with <CR><LF>.<CR><LF>")
            reader = Reading(self._crowd)
            try:
                status = await self._taken(reader, written)
            finally:
                reader.release()
            self.envelope = Written()
            self._reset_timeout()
            for _ in range(self._replies(written)):
                await self.push(status)

    def _replies(self, _written: Written) -> int:
        """How many replies a mail has: one."""
        return 1

    async def _taken(self, reader: Reading, written: Written) -> str:
        """The reply to a mail."""
        while not reader.done:
            chunk = await self._reader.read(_TAKEN_BYTES)
            if not chunk:
                raise ConnectionResetError
            reader.feed(chunk)
        if reader.rest and not self._reader.at_eof():
            self._reader.feed_data(reader.rest)  # all that was buffered has been read
        if reader.refusal == TOO_LARGE:
            await self._door.refuse_size()
        if reader.refusal is not None:
            return reader.refusal
        sender = _plain(written.mail_from or "")
        envelope = Envelope(
            sender="" if sender == "<>" else sender,
            recipients=tuple(map(_plain, written.rcpt_tos)),
        )
        return await self._door.deliver(reader.content(), envelope)


class LmtpSession(Session, LMTP):
    """A conversation in LMTP: a reply for each recipient."""

    def _replies(self, written: Written) -> int:
        return len(written.rcpt_tos)


class Reading:
    """A mail while it is read, up to the one end that there is: a dot alone between two CRLF.

    Of a mail that is refused no more is kept than what tells its end.
    """

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._data = bytearray(b"\r\n")  # the dot may stand in the first line
        self._held = 0
        self.done = False
        self.refusal: str | None = None
        self.rest = b""

    def feed(self, chunk: bytes) -> None:
        """Some more of it."""
        start = max(0, len(self._data) - len(_END) + 1)
        self._data += chunk
        end = self._data.find(_END, start)
        if end >= 0:
            self.done = True
            self.rest = bytes(self._data[end + len(_END) :])
            del self._data[end + 2 :]
        self._hold()

    def _hold(self) -> None:
        self._crowd.held_bytes += len(self._data) - self._held
        self._held = len(self._data)
        if len(self._data) > MAIL_MAX_BYTES + 2:
            self.refusal = TOO_LARGE
        elif self._crowd.held_bytes > HELD_MAX_BYTES:
            self.refusal = self.refusal or FULL
        if self.refusal is not None:
            del self._data[: -len(_END)]
            self._crowd.held_bytes += len(self._data) - self._held
            self._held = len(self._data)

    def content(self) -> bytes:
        """The mail; a dot at the beginning of a line that hid it from being the end is gone."""
        data = bytes(self._data)
        self._data = bytearray()
        return data.replace(b"\r\n.", b"\r\n")[2:]

    def release(self) -> None:
        """It is settled: others may hold more."""
        self._crowd.held_bytes -= self._held
        self._held = 0


def _plain(address: str) -> str:
    """An address as text that every store keeps."""
    return address.encode("utf-8", "replace").decode()
