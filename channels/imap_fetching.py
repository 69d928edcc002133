"""Fetching the mail of one mailbox, in a thread of its own, for as long as its connection is.

How far a folder was read is kept in the log's trade. It is moved on after the mails are settled,
so that one which was cut off is fetched again, and is a duplicate; so is everything where the
server has numbered its mails anew.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from channels.imap import account_of
from channels.imap_mailbox import Fetched, Mailbox, MailboxTrouble, opened
from channels.mail_arrival import incoming_of
from channels.mail_sides import Envelope
from domain.errors import HiloError, TooLarge
from storage.trade import Job

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from uuid import UUID

    from channels.connections import Opened
    from channels.imap_mailbox import Folder
    from channels.room import Channels

AGAIN_S: Final = 1.0
"""Pause before a server is tried again, the first time; each further one doubles it."""

AGAIN_S_MAX: Final = 300.0
"""And at most: servers lock out who knocks too often."""

REFUSED_S: Final = 60.0
"""Pause where nobody was let in: a password is not right a second later."""

GONE_S_MAX: Final = 5.0
"""How long the end of the thread is waited for; it waits for nothing but the line."""

ERROR: Final = "imap: "
"""How the errors begin that are shown from here, and go when it works again."""

STANDING: Final = "standing"
"""The state of a job that is never over."""

log = logging.getLogger("hilo.imap")


class Mark(Struct, frozen=True):
    """How far a folder was read: the last mail's number, good for one validity."""

    validity: int
    uid: int


class Fetcher:
    """Fetches for one connection."""

    def __init__(self, channels: Channels, opened_: Opened) -> None:
        self._channels = channels
        self._opened = opened_
        self._account = account_of(opened_.connection.options)
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._mailbox: Mailbox | None = None
        self._error: str | None = ""  # of an earlier process: unknown

    async def start(self) -> None:
        """Fetch from now on."""
        self._loop = asyncio.get_running_loop()
        name = f"imap {self._opened.connection.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Fetch no more."""
        self._ending.set()
        if self._mailbox is not None:
            self._mailbox.hang_up()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, GONE_S_MAX)

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        pause_s = AGAIN_S
        while not self._ending.is_set():
            try:
                with opened(self._account, self._opened.secrets["password"][0]) as mailbox:
                    self._mailbox = mailbox
                    while not self._ending.is_set():
                        self._round(mailbox)
                        pause_s = AGAIN_S
                        self._wait(mailbox)
            except (MailboxTrouble, HiloError) as trouble:
                is_refused = isinstance(trouble, MailboxTrouble) and trouble.is_refused
                pause_s = max(pause_s, REFUSED_S) if is_refused else pause_s
                self._failed(trouble)
            except Exception as error:  # noqa: BLE001 - a mailbox outlives whatever stops one round
                self._failed(error)
            finally:
                self._mailbox = None
            self._ending.wait(pause_s)
            pause_s = min(2 * pause_s, AGAIN_S_MAX)

    def _round(self, mailbox: Mailbox) -> None:
        """Fetch what is new in each folder; the one that is waited in last."""
        trouble = None
        if sent := self._account.sent:
            if mailbox.has(sent):
                self._read(mailbox, sent, is_sent=True)
            else:
                trouble = f"{ERROR}the folder {sent!r} cannot be opened"
        self._read(mailbox, self._account.folder, is_sent=False)
        self._note(trouble)

    def _wait(self, mailbox: Mailbox) -> None:
        """Wait for news, or until it is time to look anyway."""
        left_s = float(self._account.interval_s)
        if not mailbox.can_idle:
            self._ending.wait(left_s)
            return
        mailbox.wait(left_s, self._ending.is_set)

    def _read(self, mailbox: Mailbox, name: str, *, is_sent: bool) -> None:
        folder = mailbox.open(name)
        mark = self._mark(name, folder)
        for group, large in mailbox.groups(mailbox.newer(mark.uid)):
            if self._ending.is_set():
                return
            self._settle(mailbox.fetch(group), is_sent=is_sent)
            for _ in large:
                self._call(self._refuse_size())
            self._keep(name, Mark(folder.validity, max([*group, *large])))

    def _settle(self, mails: Sequence[Fetched], *, is_sent: bool) -> None:
        """Hand mails to the ledger; durable when this returns. Raises Unavailable."""
        self._call(self._taken([self._enveloped(mail, is_sent=is_sent) for mail in mails]))

    def _enveloped(self, mail: Fetched, *, is_sent: bool) -> tuple[bytes, Envelope]:
        began = self._opened.connection.created_at
        return mail.raw, Envelope(
            account=self._account.user,
            is_sent=is_sent,
            kept_at=mail.kept_at,
            is_past=mail.kept_at is not None and mail.kept_at < began - began % 1_000_000,
        )

    def _failed(self, trouble: Exception) -> None:
        """Show what went wrong, once."""
        if not self._ending.is_set():
            is_ours = isinstance(trouble, MailboxTrouble)
            self._note(ERROR + (str(trouble) if is_ours else type(trouble).__name__))

    def _note(self, error: str | None) -> None:
        if error == self._error:
            return
        if error is not None:
            log.warning("%s: %s", self._opened.connection.key, error)
        try:
            if error is not None:
                self._channels.arrivals.note_error(self._opened.connection.key, error)
            else:
                self._channels.arrivals.clear_error(self._opened.connection.key, ERROR)
            self._error = error
        except HiloError:
            pass  # it is told again the next time

    # ------------------------------------------------------------------------- marks

    def _job_id(self, name: str) -> UUID:
        connection = self._opened.connection
        derive = self._channels.derive
        return derive.id("mailbox", connection.key, str(connection.created_at), name)

    def _mark(self, name: str, folder: Folder) -> Mark:
        """How far a folder was read; from its beginning where its numbers are others now."""
        kept = self._channels.arrivals.kept(self._job_id(name))
        if kept is not None:
            mark = msgspec.json.decode(kept.payload, type=Mark)
            return mark if mark.validity == folder.validity else Mark(folder.validity, 0)
        if self._account.takes_past:
            return Mark(folder.validity, 0)
        mark = Mark(folder.validity, max(0, folder.next_uid - 1))
        self._keep(name, mark)
        return mark

    def _keep(self, name: str, mark: Mark) -> None:
        payload = msgspec.json.encode(mark)
        job = Job(id=self._job_id(name), kind="mailbox", payload=payload, due_at=0, state=STANDING)
        self._channels.arrivals.keep(job)

    # ------------------------------------------------------------------- on the loop

    def _call(self, work: Coroutine[None, None, None]) -> None:
        """Have the server's loop do something, and wait for it."""
        if self._loop is None:
            work.close()
            return
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _taken(self, mails: Sequence[tuple[bytes, Envelope]]) -> None:
        receiver = self._channels.receiver
        await asyncio.gather(
            *(receiver.take(self._opened, incoming_of(raw, envelope)) for raw, envelope in mails)
        )

    async def _refuse_size(self) -> None:
        with suppress(TooLarge):
            await self._channels.receiver.refuse_size(self._opened)
