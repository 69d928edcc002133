"""The follower: reads the log in pages and hands them, opened, to a consumer.

The consumer keeps its own mark (ledger id, position, leaf hash) together with what it made of
the events. A mark that is ahead of its log or beside it (after a restore) means that what the
consumer holds was made from another history: it refuses to serve, and is made again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct

from domain.errors import Damaged, StartupRefused, Unavailable
from storage.exclusive import Exclusive
from storage.source import Mark, Page, Reach, Source, seldom_collected

CHECK_EVERY_S: Final = 60.0
"""How often a mark is compared with its log while all goes well; a restore is rare."""

RETRY_S: Final = 1.0
"""Pause after a database did not answer, and between two looks at a lock that another holds."""

WAIT_S: Final = 0.5
"""How long one wait for the log lasts; a lost wake-up, and a stop, cost no more than this."""

GATHER_EVENTS: Final = 20
"""A page of fewer events costs more for itself than for them."""

GATHER_S: Final = 0.005
"""Pause after such a page: what comes meanwhile shares the next one, and nobody notices 5 ms."""

FAR_EVENTS: Final = 10_000
"""Events of a page while the log is far ahead: rows that they share are written once, and nobody
reads yesterday's views for what happens now."""

FAR_BYTES: Final = 8 << 20
"""Bytes of such a page: what it takes in memory stays well below 100 MB."""

log = logging.getLogger("hilo.follower")


class Pace(Struct, frozen=True):
    """After a page of fewer than `events`, a pause of `seconds`: the next one holds more."""

    events: int = GATHER_EVENTS
    seconds: float = GATHER_S


class Consumer(Protocol):
    """Who is handed the log: the views, the tree, whoever follows."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    def mark(self) -> Mark | None:
        """How far it came; None where it must be built first."""

    def apply(self, page: Page) -> bool:
        """Take a page, in one transaction.

        False where it does not follow on the mark, since somebody else was faster.
        """

    def refuse(self, reason: str) -> None:
        """What it holds does not belong to this log: it serves no more."""

    def rebuild(self, source: Source) -> None:
        """Make everything again from the log. Raises Busy where another one does so now."""


class Wakeup(Protocol):
    """What says that the log has grown."""

    def wait(self, after: int, timeout_s: float) -> object:
        """Wait until the log goes beyond a position, at most so long."""


class Phase(StrEnum):
    """What a follower is doing."""

    IDLE = "idle"
    WAITING = "waiting"
    FOLLOWING = "following"
    REBUILDING = "rebuilding"
    RETRYING = "retrying"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True)
class FollowerState:
    """How a follower is.

    `waiting`: another process follows. `failed`: it ended, and `error` says why, without content.
    """

    phase: Phase
    position: int
    error: str | None = None


class Follower:
    """Follows one log for one consumer, in a thread of its own, or step by step.

    Only the holder of `exclusive` follows; the others look again every few seconds.
    """

    def __init__(
        self,
        source: Source,
        consumer: Consumer,
        *,
        wakeup: Wakeup,
        exclusive: Exclusive,
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        self._pace = pace
        self._source = source
        self._consumer = consumer
        self._wakeup = wakeup
        self._exclusive = exclusive
        self._mark: Mark | None = None
        self._far: Source | None = None
        self._journey = ExitStack()
        self._checked_at = 0.0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = FollowerState(Phase.IDLE, 0)
        self.observer: Callable[[FollowerState], None] | None = None

    @property
    def state(self) -> FollowerState:
        """How it is; `observer` hears of each change, in the thread that follows."""
        return self._state

    @state.setter
    def state(self, state: FollowerState) -> None:
        if state != self._state:
            self._state = state
            if self.observer is not None:
                self.observer(state)

    # ---------------------------------------------------------------- by thread

    def start(self) -> None:
        """Follow in a thread until `stop`."""
        self._stopping.clear()
        self._thread = threading.Thread(
            target=self._run, name=f"hilo-follower-{self._consumer.name}", daemon=True
        )
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Have the thread end after the page that it is at, without waiting for it."""
        self._stopping.set()

    def stop(self) -> None:
        """End the thread after the page that it is at; returns when it is gone."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    # ------------------------------------------------------------- step by step

    def step(self) -> int:
        """Take the next page; how many events it had, 0 at the log's end or without the lock.

        Checks the mark first where that is due, and rebuilds what does not belong to this log.
        Raises KeyMissing, StoreUnavailable, Busy.
        """
        if self._mark is None:
            self._arrive()
        if self._mark is None and not self._exclusive.acquire():
            self.state = FollowerState(Phase.WAITING, self.state.position)
            return 0
        if self._mark is None or time.monotonic() - self._checked_at >= CHECK_EVERY_S:
            self._mark = self._checked()
        with seldom_collected():
            return self._take(self._mark)

    def catch_up(self) -> int:
        """Step until the log's end; how many events that were."""
        total = 0
        while True:
            taken = self.step()
            total += taken
            if not taken and (self._mark is not None or self.state.phase is Phase.WAITING):
                return total

    def release(self) -> None:
        """Let another process follow."""
        self._mark = None
        self._arrive()
        self._exclusive.release()

    # ------------------------------------------------------------------- inside

    def _take(self, mark: Mark) -> int:
        """Take the page after a mark; how many events it had."""
        page = self._read(mark.position)
        if not self._exclusive.held():
            # The connection was lost after the mark was checked, and another one may lead to
            # a server whose log is another: the page is not taken.
            self._mark = None
            return 0
        if page is None:
            self.state = FollowerState(Phase.FOLLOWING, mark.position)
            return 0
        if not self._consumer.apply(page):
            self._mark = None
            return 0
        self._mark = page.mark
        self.state = FollowerState(Phase.FOLLOWING, page.mark.position)
        return page.mark.position - mark.position

    def _read(self, position: int) -> Page | None:
        """The page after a position; of a log that is far ahead a large one."""
        if self._far is not None:
            page = self._far.read(position, FAR_EVENTS, FAR_BYTES)
            if page is None:
                self._arrive()
            return page
        page = self._source.read(position)
        if page is not None and len(page.entries) > GATHER_EVENTS:
            reach = Reach(page.mark.position, FAR_EVENTS, FAR_BYTES)
            if self._source.far(reach.after):
                self._far = self._journey.enter_context(self._source.ahead(reach))
        return page

    def _arrive(self) -> None:
        """What is to come is read as it comes."""
        self._far = None
        self._journey.close()

    def _checked(self) -> Mark:
        """The consumer's mark, after it was found in this log; rebuilt where it was not."""
        mark = self._consumer.mark()
        if mark is not None:
            reason = self._source.difference(mark)
            if reason is not None:
                log.warning("%s: %s; it is built again", self._consumer.name, reason)
                self._consumer.refuse(reason)
                mark = None
        if mark is None:
            self.state = FollowerState(Phase.REBUILDING, 0)
            self._consumer.rebuild(self._source.until(self._stopping.is_set))
            mark = self._consumer.mark()
            if mark is None:
                message = f"{self._consumer.name} was rebuilt and has no mark"
                raise RuntimeError(message)
        self._checked_at = time.monotonic()
        return mark

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
            self.state = FollowerState(Phase.STOPPED, self.state.position)
        except (StartupRefused, Damaged) as error:
            self._fail(f"{type(error).__name__}: {error.detail}")
        except Exception as error:  # noqa: BLE001 - the thread's end; it is shown, and logged
            self._fail(type(error).__name__)
        finally:
            self.release()

    def _turn(self) -> None:
        try:
            taken = self.step()
        except Unavailable as error:
            self._mark = None
            self.state = FollowerState(Phase.RETRYING, self.state.position, type(error).__name__)
            self._stopping.wait(RETRY_S)
            return
        if taken or self._stopping.is_set():
            if taken < self._pace.events:
                self._stopping.wait(self._pace.seconds)
            return
        if self.state.phase is Phase.WAITING:
            self._stopping.wait(RETRY_S)
        elif self._mark is not None:
            self._wakeup.wait(self._mark.position, WAIT_S)

    def _fail(self, error: str) -> None:
        self.state = FollowerState(Phase.FAILED, self.state.position, error)
        log.error("%s: stopped following: %s", self._consumer.name, error)
