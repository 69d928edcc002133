"""A process that opens pages of the log ahead of who reads them: in a rebuild, and far behind.

It has the ledger open for itself, sends page after page over its pipe, and ends with the log or
with its pipe: also where this process is killed. What it cannot open it leaves to the reader,
who then says what is wrong.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import msgspec

from domain.errors import HiloError
from storage.codec import Codec, Unsealed
from storage.source import Ahead, Mark, Page, Reach, seldom_collected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from app.settings import Settings

BEGIN_EVENTS: Final = 20_000
"""Events that the reader opens itself, while the process starts."""

PROCESSORS_MIN: Final = 2
"""One for who applies what another opens."""


class _Sent(msgspec.Struct, frozen=True, array_like=True):
    """A page on its way: after which position it begins, its mark, its rows."""

    after: int
    mark: Mark
    rows: list[Unsealed]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Sent).decode


class OpeningAhead:
    """Implements storage.source.Helper."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self._settings = settings
        self._codec = codec
        self._room = threading.Lock()

    @contextmanager
    def __call__(self, reach: Reach) -> Iterator[Ahead | None]:
        """Have a process open what is reached, but for its beginning, until the block ends.

        One at a time, on a machine with a processor for it: where several groups of views are
        made at once they keep the processors busy by themselves.
        """
        if (os.cpu_count() or 1) < PROCESSORS_MIN or not self._room.acquire(blocking=False):
            yield None
            return
        try:
            with self._opening(reach) as pages:
                yield pages
        finally:
            self._room.release()

    @contextmanager
    def _opening(self, reach: Reach) -> Iterator[Ahead]:
        from multiprocessing import get_context  # noqa: PLC0415 - most processes need it never

        reach = msgspec.structs.replace(reach, after=reach.after + BEGIN_EVENTS)
        context = get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_serve, args=(theirs, self._settings, reach), name="hilo-ahead", daemon=True
        )
        process.start()
        theirs.close()
        try:
            yield _Pages(ours, self._codec, reach.after)
        finally:
            ours.close()
            process.kill()
            process.join()


class _Pages:
    """Implements storage.source.Ahead over the pipe."""

    def __init__(self, connection: Connection, codec: Codec, begins: int) -> None:
        self._connection = connection
        self._codec = codec
        self._next: _Sent | None = None
        self.begins = begins

    def page(self, after: int, limit: int) -> Page | None:
        """As in Ahead; what comes too late is thrown away."""
        while self._next is None or self._next.after < after:
            try:
                if not self._connection.poll():
                    return None
                self._next = _decode(self._connection.recv_bytes())
            except (EOFError, OSError):
                return None
        sent = self._next
        if sent.after != after or len(sent.rows) > limit:
            return None
        self._next = None
        return Page(self._codec.read_page(sent.rows), sent.mark)


def _serve(connection: Connection, settings: Settings, reach: Reach) -> None:
    """The life of such a process: it opens the ledger and sends what is reached."""
    from app.cli.frame import settle_memory  # noqa: PLC0415 - only the process itself needs it
    from app.compose import open_ledger  # noqa: PLC0415 - the same

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the reader, and with it the pipe
    with suppress(HiloError, OSError), seldom_collected():
        composition = open_ledger(settings, follow=False)
        settle_memory()
        after, log = reach.after, composition.log
        ledger_id = composition.keys.identity.id.bytes
        while stored := log.page(after, reach.events, reach.bytes):
            mark = Mark(ledger_id, stored[-1].position, composition.leaf(stored[-1]))
            rows = composition.codec.unseal_page(stored)
            connection.send_bytes(_encode(_Sent(after, mark, rows)))
            after = mark.position
        connection.close()
        composition.close()
