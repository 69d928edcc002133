"""Many streams, one reader of the log: what it says goes to whoever listens.

The hub follows the tide of the core views, since a stream says nothing that the pages do not
show yet. It reads each stretch of the log once and hands its messages to the subscriptions. A
reader that is too slow is closed, and comes back with the id of the last message that it got.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.signals import Batch, Frame, Teller, Wanted, goodbye
from domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.reads import Reads
    from api.services import Services
    from projections.access import Reader

QUEUED_MAX: Final = 1_000
"""Messages that wait for one reader (contract 2.9): about a megabyte, and seconds of a busy log."""

BEHIND_MAX: Final = 50_000
"""Positions that a stream catches up with (contract 2.9); beyond, a client loads its page anew."""

STRETCH_EVENTS: Final = 200
"""Events that are read and rendered in one go; a few milliseconds, so that nobody waits long."""

STRETCH_BYTES: Final = 1 << 20
"""And their bytes."""

STEP_S: Final = 0.01
"""Pause after a stretch: what comes meanwhile shares the next one, whose dozen queries cost as
much as five of its events; and nobody notices 10 ms."""

INLINE_EVENTS_MAX: Final = 16
"""Events of a stretch that is read where it stands, on SQLite: some two milliseconds. In a thread
each of its queries would wait again for the interpreter, while requests keep that busy."""

RETRY_S: Final = 0.25
"""Pause after a database did not answer."""

log = logging.getLogger("hilo.stream")


class Choice(Struct, frozen=True):
    """What a reader wants: as whom it looks, which contact (any of its ids), which topics.

    A topic that ends with a point stands for all that begin with it; empty: all.
    """

    reader: Reader
    contact: bytes | None = None
    topics: tuple[str, ...] = ()

    def takes(self, frame: Frame, roots: dict[bytes, bytes]) -> bool:
        """Whether a message is for this reader."""
        if self.topics and not frame.topic.startswith(self.topics):
            return False
        return self.concerns(frame, roots)

    def concerns(self, frame: Frame, roots: dict[bytes, bytes]) -> bool:
        """Whether a message is about the contact that was chosen, if one was."""
        if self.contact is None:
            return True
        return roots.get(self.contact, self.contact) in frame.contacts


class Subscription:
    """One live reader: messages wait here until they are sent."""

    def __init__(self, choice: Choice, position: int, hidden: frozenset[bytes]) -> None:
        self.choice = choice
        self.position = position
        self.hidden = hidden
        self.frames: deque[Frame] = deque()
        self.live = False
        self.too_slow = False
        self.reset_to: int | None = None
        self.stirred = asyncio.Event()

    def take(self, batch: Batch) -> None:
        """Queue what a stretch of the log says to this reader."""
        self.frames.extend(self.told(batch))
        self.position = max(self.position, batch.upto)
        if len(self.frames) > QUEUED_MAX:
            self.too_slow = True
        self.stirred.set()

    def told(self, batch: Batch) -> list[Frame]:
        """What a stretch says to this reader: its messages, and who is out of sight since."""
        found = [
            frame
            for frame in batch.frames.get(self.choice.reader, ())
            if frame.position > self.position and self.choice.takes(frame, batch.roots)
        ]
        hidden = batch.hidden.get(self.choice.reader, self.hidden)
        gone = [goodbye(contact, batch.upto) for contact in sorted(hidden - self.hidden)]
        self.hidden = hidden
        return found + [one for one in gone if self.choice.concerns(one, batch.roots)]

    def leap(self, position: int) -> None:
        """The log ran away, or another one took its place: the client is to load anew."""
        self.frames.clear()
        self.position = position
        self.reset_to = position
        self.stirred.set()


class Hub:
    """Fans the log out to the streams of one application; reads only while somebody listens."""

    def __init__(self, services: Services, reads: Reads) -> None:
        self._services = services
        self._tide = reads.tide
        self._inline = reads.embedded and services.views.database.kind == "sqlite"
        self._teller = Teller(services, reads.renderer)
        self._live: set[Subscription] = set()
        self._position = 0
        self._task: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    @property
    def position(self) -> int:
        """The position that the core views hold."""
        return self._tide.position()

    @property
    def told(self) -> int:
        """How far the log was told; who listens newly catches up to here by itself."""
        return self._position if self._live else self._tide.position()

    @property
    def streams(self) -> int:
        """How many readers listen."""
        return len(self._live)

    @property
    def ended(self) -> bool:
        """Whether the process is about to stop."""
        return self._ended.is_set()

    def end(self) -> None:
        """End every stream, since the process stops; to be called on the event loop."""
        self._ended.set()
        for one in self._live:
            one.stirred.set()

    def join(self, one: Subscription) -> bool:
        """Let a reader listen from where the hub stands; False where it must catch up first."""
        self._position = self.told
        if one.position < self._position:
            return False
        one.live = True
        self._live.add(one)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return True

    def leave(self, one: Subscription) -> None:
        """A reader has gone, or must catch up again."""
        one.live = False
        self._live.discard(one)
        if not self._live and self._task is not None:
            self._task.cancel()
            self._task = None

    async def stretch(self, after: int, upto: int, choices: Sequence[Choice]) -> Batch:
        """What the log says behind a position, to those with these choices; a bounded part."""
        wanted = Wanted(
            frozenset(choice.reader for choice in choices),
            frozenset(choice.contact for choice in choices if choice.contact),
        )
        if upto - after <= INLINE_EVENTS_MAX and self._inline:
            return self._read(after, upto, wanted)
        return await run_in_threadpool(self._read, after, upto, wanted)

    def _read(self, after: int, upto: int, wanted: Wanted) -> Batch:
        limit = min(STRETCH_EVENTS, upto - after)
        entries = self._services.log.open_page(self._services.log.page(after, limit, STRETCH_BYTES))
        if not entries:  # the log is shorter than its views: they are about to be rebuilt
            return Batch(upto, {}, {}, {})
        return self._teller.tell(entries, wanted)

    async def _run(self) -> None:
        while self._live:
            try:
                await self._step()
            except Unavailable:
                await asyncio.sleep(RETRY_S)
            except Exception as error:  # noqa: BLE001 - whatever it was, readers come again
                log.error("the streams were ended by %s", type(error).__name__)  # noqa: TRY400 - content
                for one in self._live:
                    one.too_slow = True
                    one.stirred.set()
                return

    async def _step(self) -> None:
        """Tell the next stretch, or wait until there is one."""
        head = self._tide.position()
        behind = head - self._position
        if behind < 0 or behind > BEHIND_MAX:
            self._position = head
            for one in self._live:
                if one.position < head - BEHIND_MAX or one.position > head:
                    one.leap(head)
            return
        if behind == 0:
            await self._tide.rise()
            return
        listening = list(self._live)
        batch = await self.stretch(self._position, head, [one.choice for one in listening])
        self._position = batch.upto
        for one in listening:
            one.take(batch)
        # Who came while this stretch was read is not in it, and catches up by itself.
        for one in self._live.difference(listening):
            self.leave(one)
            one.stirred.set()
        await asyncio.sleep(STEP_S)
