"""A mailbox on an IMAP server, opened to be read and left as it was: in a thread, since it waits.

Folders are opened for reading only and mail is fetched with PEEK, so that nothing is ever marked
as read. What a server says beyond a code is not repeated: it may hold an address.

Sources: RFC 3501, RFC 2177 (IDLE), RFC 5530 (codes).
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from imap_tools.errors import ImapToolsError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from msgspec import Struct

from channels.mail import MAIL_MAX_BYTES

if TYPE_CHECKING:
    from io import BufferedReader

    from channels.imap import Account

ANSWER_S_MAX: Final = 60.0
"""How long a server may take for each piece of an answer."""

GOODBYE_S_MAX: Final = 1.0
"""How long its goodbye is waited for, which nobody needs."""

SIZES_AT_ONCE: Final = 500
"""Mails whose sizes are asked for together."""

FETCHED_AT_ONCE: Final = 50
"""Mails that are fetched together, and settled together."""

FETCHED_AT_ONCE_MAX_BYTES: Final = 4 * 1024 * 1024
"""Their size together; a larger mail is fetched alone."""

SLICE_S: Final = 1.0
"""How long is waited in one go: then it is seen whether the wait is over."""

_ATTRIBUTE: Final = re.compile(rb"\b(UID|RFC822\.SIZE) (\d+)")
_DATE: Final = re.compile(rb'INTERNALDATE "([^"]{1,40})"')
_CODE: Final = re.compile(rb"\[([A-Z-]{1,40})[\] ]")
_NUMBER: Final = re.compile(rb"\d+")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_TROUBLES: Final = (imaplib.IMAP4.error, ImapToolsError, OSError, ssl.SSLError, ValueError)


class MailboxTrouble(Exception):
    """A mailbox could not be read; its words hold no content. `is_refused`: it let us not in."""

    def __init__(self, words: str, *, is_refused: bool = False) -> None:
        super().__init__(words)
        self.is_refused = is_refused


class Fetched(Struct, frozen=True):
    """A mail as it lies there, and when the mailbox took it (µs); None where nobody says."""

    uid: int
    raw: bytes
    kept_at: int | None


class Folder(Struct, frozen=True):
    """A folder that is open: the numbers of its mails are good for one validity."""

    validity: int
    next_uid: int


class Mailbox:
    """One mailbox, signed in to; belongs to one thread."""

    def __init__(self, account: Account, box: BaseMailBox) -> None:
        self.account = account
        self._box = box
        self._folder = ""
        self.can_idle = "IDLE" in _capabilities(box)

    def has(self, folder: str) -> bool:
        """Whether there is such a folder. Raises MailboxTrouble where the line is gone."""
        try:
            self.open(folder)
        except MailboxTrouble:
            return False
        return True

    def open(self, folder: str) -> Folder:
        """Open a folder, for reading only. Raises MailboxTrouble."""
        with _translated(f"the folder {folder!r} cannot be opened"):
            self._box.client.untagged_responses.pop("UIDNEXT", None)
            self._box.folder.set(folder, readonly=True)
            self._folder = folder
            validity = self._told("UIDVALIDITY")
            next_uid = self._told("UIDNEXT")
        if validity is None:
            raise MailboxTrouble("the server numbers no mails (UIDVALIDITY)")
        return Folder(validity, next_uid or 0)

    def newer(self, uid: int) -> list[int]:
        """The numbers of the mails in the open folder above one, in their order."""
        with _translated("the mails cannot be listed"):
            found = self._box.uids(f"UID {uid + 1}:*", charset=None)
        # A range that is empty is answered with the last mail.
        return sorted({int(one) for one in found if int(one) > uid})

    def groups(self, uids: Sequence[int]) -> Iterator[tuple[list[int], list[int]]]:
        """Numbers that are fetched together, and beside them those of mails too large to be."""
        for start in range(0, len(uids), SIZES_AT_ONCE):
            some = uids[start : start + SIZES_AT_ONCE]
            sizes = self._sizes(some)
            group: list[int] = []
            large: list[int] = []
            held = 0
            for uid in some:
                size = sizes.get(uid, 0)
                is_full = held + size > FETCHED_AT_ONCE_MAX_BYTES or len(group) >= FETCHED_AT_ONCE
                if group and is_full:
                    yield group, large
                    group, large, held = [], [], 0
                if size > MAIL_MAX_BYTES:
                    large.append(uid)
                else:
                    group.append(uid)
                    held += size
            if group or large:
                yield group, large

    def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        """Mails of the open folder; one that is gone meanwhile is left out."""
        if not uids:
            return []
        rows = self._fetched(uids, "(UID INTERNALDATE BODY.PEEK[])")
        found = []
        for row, behind in zip(rows, [*rows[1:], b""], strict=True):
            if not isinstance(row, tuple):
                continue
            # Some servers tell the number behind the mail.
            said = row[0] + (b" " + behind if isinstance(behind, bytes) else b"")
            uid = dict(_ATTRIBUTE.findall(said)).get(b"UID")
            if uid is not None:
                found.append(Fetched(int(uid), row[1], _kept_at(said)))
        return sorted(found, key=lambda mail: mail.uid)

    def wait(self, most_s: float, is_over: Callable[[], bool]) -> None:
        """Wait for news in the open folder, of which the server tells; it `can_idle`."""
        with _translated("the line was lost"):
            self._box.idle.start()  # type: ignore[no-untyped-call]  # the library's own
            try:
                while most_s > 0 and not is_over():
                    if self._is_told() or self._box.idle.poll(min(most_s, SLICE_S)):
                        break
                    most_s -= SLICE_S
            finally:
                self._box.idle.stop()  # type: ignore[no-untyped-call]  # the library's own

    def _is_told(self) -> bool:
        """Whether something came already with an earlier answer, which no socket tells of."""
        client = self._box.client
        names = ("_file", "file")  # the newer library's, and the older one's
        file: BufferedReader = next(
            getattr(client, name) for name in names if hasattr(client, name)
        )
        client.sock.settimeout(0)
        try:
            return bool(file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            client.sock.settimeout(ANSWER_S_MAX)

    def hang_up(self) -> None:
        """End the line at once, from any thread; whoever waits for it is let go."""
        with suppress(*_TROUBLES):
            # Not the client's own shutdown, which waits for whoever is reading.
            self._box.client.sock.shutdown(socket.SHUT_RDWR)

    def _sizes(self, uids: Sequence[int]) -> dict[int, int]:
        sizes = {}
        for row in self._fetched(uids, "(UID RFC822.SIZE)"):
            said = dict(_ATTRIBUTE.findall(row if isinstance(row, bytes) else b""))
            if b"UID" in said and b"RFC822.SIZE" in said:
                sizes[int(said[b"UID"])] = int(said[b"RFC822.SIZE"])
        return sizes

    def _fetched(self, uids: Sequence[int], what: str) -> list[bytes | tuple[bytes, bytes]]:
        with _translated("the mails cannot be fetched"):
            status, rows = self._box.client.uid("FETCH", ",".join(map(str, uids)), what)
            if status != "OK":
                raise MailboxTrouble("the mails cannot be fetched")
        return [row for row in rows if row is not None]

    def _told(self, name: str) -> int | None:
        """A number that the server told when the folder was opened."""
        _, said = self._box.client.response(name)
        found = _NUMBER.search(said[-1] or b"") if said else None
        return int(found[0]) if found else None


@contextmanager
def opened(account: Account, password: bytes) -> Iterator[Mailbox]:
    """A mailbox, signed in to; signed out at the end. Raises MailboxTrouble."""
    box = _connected(account)
    try:
        _sign_in(box, account.user, password)
        yield Mailbox(account, box)
    finally:
        with suppress(*_TROUBLES):
            box.client.sock.settimeout(GOODBYE_S_MAX)
            box.client.logout()
        with suppress(*_TROUBLES):
            box.client.shutdown()


def _connected(account: Account) -> BaseMailBox:
    with _translated("the server cannot be reached"):
        where = (account.host, account.port)
        if account.tls == "no":
            return MailBoxUnencrypted(*where, timeout=ANSWER_S_MAX)
        # The library's own would take any certificate.
        context = ssl.create_default_context()
        kind = MailBoxStartTls if account.tls == "starttls" else MailBox
        return kind(*where, timeout=ANSWER_S_MAX, ssl_context=context)


def _sign_in(box: BaseMailBox, user: str, password: bytes) -> None:
    try:
        if user.isascii() and password.isascii():
            box.login(user, password.decode(), initial_folder=None)
        else:
            box.login_utf8(user, password.decode(), initial_folder=None)
    except OSError as error:
        raise MailboxTrouble(f"the server cannot be reached ({_why(error)})") from error
    except (imaplib.IMAP4.error, ImapToolsError, ValueError) as error:
        raise MailboxTrouble(f"not signed in ({_why(error)})", is_refused=True) from error


@contextmanager
def _translated(words: str) -> Iterator[None]:
    try:
        yield
    except _TROUBLES as error:
        raise MailboxTrouble(f"{words} ({_why(error)})") from error


def _why(error: Exception) -> str:
    """The reason of an error as far as it holds no content: a code, or its kind."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    code = _CODE.search(str(error).encode("ascii", "replace"))
    return code[1].decode() if code else type(error).__name__


def _capabilities(box: BaseMailBox) -> set[str]:
    """What the server can do, once somebody has signed in."""
    with _translated("the server does not answer"):
        _, said = box.client.capability()
    return {word.decode("ascii", "replace").upper() for word in b" ".join(said or []).split()}


def _kept_at(said: bytes) -> int | None:
    date = _DATE.search(said)
    if date is None:
        return None
    try:
        read = datetime.strptime(date[1].decode("ascii").strip(), "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return None
    return (read - _EPOCH) // _MICROSECOND
