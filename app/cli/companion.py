"""The process that follows for a server: begun beside it, replaced when it dies, ended with it.

Between the two lies a pair of sockets. Down go positions that the log has reached, up goes how
the follower is, a line each. Both are hints: what counts stands in the databases, and is looked
at all the same. The end of a process is the end of its socket, however it came.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import socket
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import msgspec

from app.cli.frame import OK, leave_soon, settle_memory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from fastapi import FastAPI

    from app.settings import Settings
    from storage.follower import FollowerState

AGAIN_S: Final = 1.0
"""Pause before a process that ended is replaced, the first time; each further one doubles it."""

AGAIN_S_MAX: Final = 30.0
"""And at most: where every one ends at once, the log gets two lines a minute."""

LIVED_S: Final = 60.0
"""A process that lived so long was well: the next pause is the first again."""

GONE_S_MAX: Final = 3.0
"""How long its end is waited for; then it is killed, which its transactions survive."""

REAP_S_MAX: Final = 0.1
"""How long the exit code of one that has hung up is waited for, while requests wait too."""

RETELL_S: Final = 1.0
"""How soon a state is told again that did not fit into the socket."""

LINE_BYTES: Final = 64 * 1024
"""What is read from the socket in one go: hundreds of lines, of which the last one counts."""

log = logging.getLogger("hilo.follower")


class Companion:
    """The following process, as its server has it.

    `start` and `stop` are called without an event loop; in between, `watching` is entered on
    the loop of the application, and everything but `hint` happens there.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun_at = 0.0
        self._pause_s = AGAIN_S
        self._timer: asyncio.TimerHandle | None = None
        self._left = b""
        self._position = 0
        self._hinting = False
        self.state: FollowerState | None = None
        self.listener: Callable[[FollowerState], None] | None = None

    def start(self) -> None:
        """Begin the process: it gets ready, and opens no store before it is told to.

        Raises OSError where the system gives no process.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            words = ("-P", "-m", "app", "follow", "--beside", str(number))
            # The same code in the same order of places, wherever this one was found; and the
            # settings as they are here, where the command line may have changed them.
            places = os.pathsep.join(place for place in sys.path if place)
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this very program
                    [sys.executable, *words],
                    env={**self._settings.environment(os.environ), "PYTHONPATH": places},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(number,),
                    process_group=0,  # Ctrl-C in the terminal is for the server, which ends it
                )
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)  # noqa: FBT003 - the library's own signature
        self._line = ours
        self._begun_at = time.monotonic()

    def open(self) -> None:
        """The stores are there: the process may open them and follow."""
        self._tell(self._position)

    def hint(self, position: int) -> None:
        """The log has reached a position; called by any thread, and quick."""
        self._position = position
        if self._hinting or self._loop is None:
            return
        self._hinting = True
        # A loop that was closed has nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._hint)

    @asynccontextmanager
    async def watching(self, _: FastAPI) -> AsyncIterator[None]:
        """Hear what it says and replace it when it dies, while the application lives."""
        self._loop = asyncio.get_running_loop()
        self._listen()
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if self._line is not None:
                self._loop.remove_reader(self._line)
            self._loop = None

    def stop(self) -> None:
        """End it; returns when it is gone, in bounded time."""
        self._hang_up()
        if self._process is not None:
            self._reap(self._process, GONE_S_MAX)
            self._process = None

    def kill(self) -> None:
        """End it at once, which its transactions survive."""
        if self._process is not None:
            self._process.kill()

    # ------------------------------------------------------------------- on the loop

    def _listen(self) -> None:
        if self._loop is not None and self._line is not None:
            self._loop.add_reader(self._line, self._hear)

    def _hear(self) -> None:
        """Take the newest state; nothing at all means that the process has ended."""
        if self._line is None:
            return
        try:
            read = self._line.recv(LINE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            read = b""
        if not read:
            self._lost()
            return
        *lines, self._left = (self._left + read).split(b"\n")
        if lines:
            self._take(lines[-1])

    def _take(self, line: bytes) -> None:
        from storage.follower import FollowerState

        with suppress(msgspec.DecodeError):
            self._set(msgspec.json.decode(line, type=FollowerState))

    def _set(self, state: FollowerState) -> None:
        self.state = state
        if self.listener is not None:
            self.listener(state)

    def _hint(self) -> None:
        self._hinting = False
        self._tell(self._position)

    def _tell(self, position: int) -> None:
        # A socket that is full, or has no other end any more, costs a hint.
        with suppress(OSError):
            if self._line is not None:
                self._line.send(b"%d\n" % position)

    def _lost(self) -> None:
        """It has ended: say so, and begin another one after a pause."""
        from storage.follower import FollowerState, Phase

        if self._loop is not None and self._line is not None:
            self._loop.remove_reader(self._line)
        self._hang_up()
        code = self._reap(self._process, REAP_S_MAX) if self._process is not None else None
        if time.monotonic() - self._begun_at >= LIVED_S:
            self._pause_s = AGAIN_S
        log.error(
            "the process that follows has ended (%s); another one begins in %g s",
            code,
            self._pause_s,
        )
        position = self.state.position if self.state else 0
        self._set(FollowerState(Phase.RETRYING, position, "its process has ended"))
        self._later()

    def _later(self) -> None:
        if self._loop is not None:
            self._timer = self._loop.call_later(self._pause_s, self._again)
            self._pause_s = min(2 * self._pause_s, AGAIN_S_MAX)

    def _again(self) -> None:
        try:
            self.start()
        except OSError as error:
            log.error("no process to follow can be begun (%s)", error.strerror)  # noqa: TRY400 - no news in a traceback
            self._later()
            return
        self.open()
        self._listen()

    # ------------------------------------------------------------------------ inside

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        self._left = b""

    def _reap(self, process: subprocess.Popen[bytes], patience_s: float) -> int:
        """Its exit code; killed where it does not end by itself."""
        try:
            return process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def follow_beside(settings: Settings, number: int) -> int:
    """Follow for the server at the other end of a socket, and end when that ends."""
    with socket.socket(fileno=number) as line:
        from app.compose import open_ledger  # while the server makes or opens the stores

        if not line.recv(LINE_BYTES):
            return OK
        composition = open_ledger(settings, follow=False)
        teller = _Teller(line, lambda: composition.follower.state)
        composition.follower.observer = teller.tell
        settle_memory()
        composition.follow()
        composition.proving.start()
        try:
            for position in teller.heard():
                composition.log.wakeup.publish(position)
        finally:
            leave_soon()
            composition.close()
    return OK


class _Teller:
    """The other end: says how the follower is, and hears how far the log has come."""

    def __init__(self, line: socket.socket, state: Callable[[], FollowerState]) -> None:
        self._line = line
        self._state = state
        self._telling = threading.Lock()
        self._untold = False
        line.setblocking(False)  # noqa: FBT003 - the library's own signature

    def tell(self, state: FollowerState) -> None:
        """Say how the follower is; what does not fit is said again within a second."""
        with self._telling:
            try:
                self._line.send(msgspec.json.encode(state) + b"\n")
                self._untold = False
            except OSError:
                self._untold = True

    def heard(self) -> Iterator[int]:
        """The positions that come, the last of those that wait; ends with the server."""
        left = b""
        while True:
            select.select([self._line], [], [], RETELL_S)
            if self._untold:
                self.tell(self._state())
            try:
                read = self._line.recv(LINE_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                return
            if not read:
                return
            *lines, left = (left + read).split(b"\n")
            if lines and lines[-1].isdigit():
                yield int(lines[-1])
