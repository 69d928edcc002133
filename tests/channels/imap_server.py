"""A mail server that speaks as much IMAP as reading a mailbox takes, on a real socket.

It notes every command, and marks a mail as read where one would: so a test sees that none did.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field

from tests.patience import PATIENCE_S

PASSWORD = "correcto"
WITHOUT_IDLE = "IMAP4rev1"
WITH_IDLE = "IMAP4rev1 IDLE"

_LINE = re.compile(rb"(\S+) (\S+)(?: (.*))?")


@dataclass
class Kept:
    """A mail in a folder."""

    uid: int
    raw: bytes
    date: str = "22-Nov-2026 12:00:05 +0000"
    size: int | None = None
    is_read: bool = False


@dataclass
class Folder:
    """A folder; `validity` is what its numbers are good for."""

    validity: int = 7
    mails: list[Kept] = field(default_factory=list)
    next_uid: int = 1

    def add(self, raw: bytes, **more: object) -> Kept:
        """Put a mail in."""
        kept = Kept(self.next_uid, raw, **more)  # type: ignore[arg-type]  # a test's own words
        self.next_uid += 1
        self.mails.append(kept)
        return kept


class ImapServer:
    """One mailbox; lives on the event loop that starts it."""

    def __init__(self) -> None:
        self.folders = {"INBOX": Folder(), "Enviados": Folder()}
        self.capabilities = WITH_IDLE
        self.commands: list[str] = []
        self.drops = 0
        self.encrypted: tuple[ssl.SSLContext, str] | None = None
        self.port = 0
        self.turns = asyncio.Condition()
        self.idles = 0
        self._server: asyncio.Server | None = None
        self._later: ssl.SSLContext | None = None
        self._idle: list[asyncio.StreamWriter] = []
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen at a free port."""
        context, kind = self.encrypted or (None, "no")
        self._later = context if kind == "starttls" else None
        self._server = await asyncio.start_server(
            self._talk, "127.0.0.1", 0, ssl=context if kind == "yes" else None
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Hang up everywhere, and listen no more."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.close()
            await self._server.wait_closed()

    async def idled(self, times: int) -> None:
        """Wait until somebody has waited for news so many times: all before that is settled."""
        async with asyncio.timeout(PATIENCE_S), self.turns:
            await self.turns.wait_for(lambda: self.idles >= times)

    def tell(self) -> None:
        """Tell whoever waits that there is something new."""
        for writer in self._idle:
            writer.write(b"* %d EXISTS\r\n" % len(self.folders["INBOX"].mails))

    def fetched(self) -> list[str]:
        """The commands that fetched mails."""
        return [one for one in self.commands if "BODY" in one]

    # ------------------------------------------------------------------------ inside

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(b"* OK ready\r\n")
        folder, tag = Folder(), b""
        try:
            while line := await reader.readline():
                if line == b"DONE\r\n":
                    self._idle.remove(writer)
                    writer.write(tag + b" OK done\r\n")
                    continue
                found = _LINE.fullmatch(line.rstrip())
                assert found is not None
                tag, words = found[1], found[2].decode().upper()
                rest = (found[3] or b"").decode()
                self.commands.append(f"{words} {rest}" if words != "LOGIN" else words)
                if words == "STARTTLS" and self._later is not None:
                    writer.write(tag + b" OK go on\r\n")
                    await writer.start_tls(self._later)
                    continue
                if words in {"SELECT", "EXAMINE"}:
                    if rest.strip('"') not in self.folders:
                        writer.write(tag + b" NO [NONEXISTENT] no\r\n")
                        continue
                    folder = self.folders[rest.strip('"')]
                if words == "IDLE":
                    await self._begin_idle(writer)
                    continue
                if "BODY" in rest and self.drops:
                    self.drops -= 1
                    break
                writer.write(self._answer(words, rest, folder))
                is_refused = words == "LOGIN" and PASSWORD not in rest
                end = b" NO [AUTHENTICATIONFAILED] ana" if is_refused else b" OK done"
                writer.write(tag + end + b"\r\n")
                if words == "LOGOUT":
                    break
        finally:
            if writer in self._idle:
                self._idle.remove(writer)
            self._writers.discard(writer)
            writer.close()

    async def _begin_idle(self, writer: asyncio.StreamWriter) -> None:
        self._idle.append(writer)
        writer.write(b"+ idling\r\n")
        async with self.turns:
            self.idles += 1
            self.turns.notify_all()

    def _answer(self, words: str, rest: str, folder: Folder) -> bytes:
        match words:
            case "CAPABILITY":
                more = b" STARTTLS" if self._later is not None else b""
                return b"* CAPABILITY " + self.capabilities.encode() + more + b"\r\n"
            case "SELECT" | "EXAMINE":
                return (
                    f"* {len(folder.mails)} EXISTS\r\n* OK [UIDVALIDITY {folder.validity}] a\r\n"
                    f"* OK [UIDNEXT {folder.next_uid}] b\r\n"
                ).encode()
            case "LOGOUT":
                return b"* BYE\r\n"
            case "UID" if rest.upper().startswith("SEARCH"):
                return self._search(int(rest.rsplit(maxsplit=1)[-1].partition(":")[0]), folder)
            case "UID":
                return self._fetch(rest, folder)
        return b""

    def _search(self, first: int, folder: Folder) -> bytes:
        found = [kept.uid for kept in folder.mails if kept.uid >= first]
        last = [kept.uid for kept in folder.mails[-1:]]  # as the standard has it: n:* is *:n
        return b"* SEARCH " + " ".join(map(str, found or last)).encode() + b"\r\n"

    def _fetch(self, rest: str, folder: Folder) -> bytes:
        _, numbers, what = rest.split(" ", 2)
        wanted = {int(one) for one in numbers.split(",")}
        said = []
        for place, kept in enumerate(folder.mails, start=1):
            if kept.uid not in wanted:
                continue
            if "BODY" not in what:
                size = kept.size or len(kept.raw)
                said.append(b"* %d FETCH (UID %d RFC822.SIZE %d)\r\n" % (place, kept.uid, size))
                continue
            kept.is_read = kept.is_read or "PEEK" not in what
            head = f'* {place} FETCH (UID {kept.uid} INTERNALDATE "{kept.date}" BODY[] '
            said.append(head.encode() + b"{%d}\r\n" % len(kept.raw) + kept.raw + b")\r\n")
        return b"".join(said)
