"""Blocks looked at in order: here, and in as many processes beside this one as are wanted.

A reader is plain data, so that it can go to another process; what it opens, it opens there. Such
a process loads little more than its reader, is given nothing before it is ready, and ends with
this one, also where this one is killed. Meanwhile this one looks at blocks itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from itertools import chain, islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final, Protocol

from audit.blocks import Ask, Bad, Block
from domain.errors import Damaged, HiloError, StoreUnavailable

if TYPE_CHECKING:
    from typing import Self

AHEAD: Final = 3
"""Blocks that each process beside this one may be asked for before it has answered."""

HELD: Final = 32
"""Blocks that may wait for the one that is joined next: a few hundred KiB."""

END_S_MAX: Final = 10.0
"""What a process needs at most for the block that it is at, once nobody wants its answer."""

Look = Callable[[Ask], Block]
"""Looks at one block."""


class Reader(Protocol):
    """Whose blocks are looked at."""

    def opened(self) -> AbstractContextManager[Look]:
        """What looks at blocks, while it is open. Raises StoreUnavailable, NotFound."""


class Looker:
    """Looks at blocks in order, in so many processes; for one block there is one."""

    def __init__(self, reader: Reader, processes: int = 1) -> None:
        self._reader = reader
        self._processes = processes

    def __call__(self, asks: Iterable[Ask]) -> Iterator[Block]:
        """As Looking in audit/verify.py."""
        waiting = iter(asks)
        first = list(islice(waiting, 2))
        beside = self._processes - 1 if len(first) > 1 else 0
        with ExitStack() as stack:
            helpers = [stack.enter_context(Helper(self._reader)) for _ in range(beside)]
            look = stack.enter_context(self._reader.opened())
            yield from _shared(chain(first, waiting), look, helpers)


def _shared(waiting: Iterator[Ask], look: Look, helpers: list[Helper]) -> Iterator[Block]:
    """The blocks in order; each is looked at by whoever is free for it first."""
    running: deque[Block | Helper] = deque()
    while True:
        for helper in helpers:
            for given in islice(waiting, max(0, min(helper.room(), HELD - len(running)))):
                helper.ask(given)
                running.append(helper)
        head = running[0] if running else None
        if isinstance(head, Block) or (head is not None and head.answered()):
            running.popleft()
            yield head if isinstance(head, Block) else head.answer()
            continue
        ask = next(waiting, None) if len(running) < HELD else None
        if ask is not None:
            running.append(look(ask))
        elif head is not None:
            running.popleft()
            yield head.answer()
        else:
            return


class Helper:
    """A process that looks at blocks, and answers in the order in which it was asked."""

    def __init__(self, reader: Reader) -> None:
        ours, theirs = Pipe()
        places = os.pathsep.join(place for place in sys.path if place)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-P", "-m", "audit.looking", str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": places},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C in the terminal is for us; it ends with its pipe
            )
        self._connection = ours
        self._ready = False
        self._asked = 0
        with suppress(OSError):
            ours.send(reader)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        if not self._ready:
            self._process.kill()
        try:
            self._process.wait(END_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def room(self) -> int:
        """How many more it may be asked for now; 0 until it is ready."""
        if not self._ready and self._connection.poll():
            self.wait()
        return AHEAD - self._asked if self._ready else 0

    def wait(self) -> None:
        """Wait until it is ready."""
        error = self._received()
        if isinstance(error, HiloError):
            raise error
        self._ready = True

    def ask(self, ask: Ask) -> None:
        """Have it look at a block."""
        self._asked += 1
        with suppress(OSError):  # it is gone, as its answer will show
            self._connection.send(ask)

    def answered(self) -> bool:
        """Whether `answer` need not wait."""
        return self._connection.poll()

    def answer(self) -> Block:
        """The next block that it was asked for. Raises what its reader raises."""
        answer = self._received()
        self._asked -= 1
        if isinstance(answer, Block):
            return answer
        raise answer if isinstance(answer, HiloError) else TypeError(answer)

    def _received(self) -> object:
        try:
            found: object = self._connection.recv()
        except (EOFError, OSError) as error:
            message = "A process of the verification ended; verify again."
            raise StoreUnavailable(message) from error
        return found


def serve(connection: Connection) -> None:
    """The life of such a process: it answers until its pipe is closed."""
    with suppress(EOFError, OSError):
        reader: Reader = connection.recv()
        try:
            with reader.opened() as look:
                connection.send(None)
                while True:
                    connection.send(_answer(look, connection.recv()))
        except HiloError as error:
            connection.send(error)


def _answer(look: Look, ask: Ask) -> Block:
    try:
        return look(ask)
    except Damaged as error:
        return Block(ask.after, 0, 0, 0, [], [], {}, Bad(error.position, error.what))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])))
