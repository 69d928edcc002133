"""The log as its followers read it: page after page, opened, each with the mark of its end.

Opening takes most of the time of reading. Who reads the whole log, or far behind its end, may
have another process open the pages to come while this one works on those before.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from typing import Final, Protocol

from msgspec import Struct

from domain.errors import Busy
from domain.ports import Entry, StoredEntry

PAGE_EVENTS: Final = 4_000
"""Events of a live page, where so many wait: rows that they share are written once, and readers
still see a busy log move several times a second. Who is up to date takes what has just come."""

PAGE_BYTES: Final = 4 << 20
"""Bytes of a live page, so that a page of long mails stays small in memory."""

AHEAD_EVENTS_MIN: Final = 60_000
"""So many events must be to come before another process pays: it starts in a second or two, in
which this one takes some ten thousand, and needs the memory of another."""

COLLECT_EVERY: Final = 200_000
"""Objects between two looks of Python's garbage collector at a page in work. A page makes some
ten for each event, which live to its end and hold no cycles; at the usual 700 the collector
takes a quarter of the time."""


class _Collector:
    """Python's garbage collector, told to look seldom while any page is in work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages = 0
        self._usual = gc.get_threshold()

    @contextmanager
    def seldom(self) -> Iterator[None]:
        """Look seldom inside the block; pages of several threads may overlap."""
        with self._lock:
            if not self._pages:
                self._usual = gc.get_threshold()
                gc.set_threshold(max(COLLECT_EVERY, self._usual[0]), *self._usual[1:])
            self._pages += 1
        try:
            yield
        finally:
            with self._lock:
                self._pages -= 1
                if not self._pages:
                    gc.set_threshold(*self._usual)


seldom_collected: Final = _Collector().seldom
"""`with seldom_collected(): …` around the reading and applying of a page."""


class Mark(Struct, frozen=True):
    """A place in a log: which log, which position, and the leaf hash of the event there."""

    ledger_id: bytes
    position: int
    leaf: bytes


class Page(Struct, frozen=True):
    """Events in a row, opened, and the mark of the last one."""

    entries: list[Entry]
    mark: Mark


class Reach(Struct, frozen=True):
    """What is to be read: from a position on, in pages of so many events and bytes at most."""

    after: int
    events: int = PAGE_EVENTS
    bytes: int = PAGE_BYTES


class Pages(Protocol):
    """The log, as far as a follower reads it."""

    def page(self, after: int, limit: int, max_bytes: int) -> list[StoredEntry]:
        """Events after a position, without a gap; at least one where there is any."""

    def head(self) -> int:
        """The last position."""


class Opener(Protocol):
    """What opens sealed events."""

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """The events, opened. Raises KeyMissing where a key is gone without a tombstone."""


class Ahead(Protocol):
    """Pages that another process opens. What it has not, its reader opens itself."""

    @property
    def begins(self) -> int:
        """The position after which its first page begins."""

    def page(self, after: int, limit: int) -> Page | None:
        """The page after a position; None where it is not there (yet), or is longer."""


Helper = Callable[[Reach], AbstractContextManager[Ahead | None]]
"""Begins a process that opens pages ahead, and ends it with the block; None has no room for one."""


class Source:
    """One log, with what is needed to read it: the same for live following and rebuilds."""

    def __init__(
        self, ledger_id: bytes, pages: Pages, opener: Opener, leaf: Callable[[StoredEntry], bytes]
    ) -> None:
        self._ledger_id = ledger_id
        self._pages = pages
        self._opener = opener
        self._leaf = leaf
        self._stopping: Callable[[], bool] = lambda: False
        self._ahead: Ahead | None = None
        self.helper: Helper | None = None

    def head(self) -> int:
        """The log's last position."""
        return self._pages.head()

    def far(self, position: int) -> bool:
        """Whether so much is to come after a position that it is a journey."""
        return self.head() - position >= AHEAD_EVENTS_MIN

    def read(
        self, after: int, limit: int = PAGE_EVENTS, max_bytes: int = PAGE_BYTES
    ) -> Page | None:
        """The page after a position; None where the log ends there. Raises KeyMissing."""
        if self._stopping():
            raise Busy("The follower is stopping.")
        if self._ahead is not None:
            if after >= self._ahead.begins:
                page = self._ahead.page(after, limit)
                if page is not None:
                    return page
            else:
                limit = min(limit, self._ahead.begins - after)
        return self._page(after, limit, max_bytes)

    def _page(self, after: int, limit: int, max_bytes: int) -> Page | None:
        stored = self._pages.page(after, limit, max_bytes)
        if not stored:
            return None
        last = stored[-1]
        mark = Mark(self._ledger_id, last.position, self._leaf(last))
        return Page(self._opener.open_page(stored), mark)

    def until(self, stopping: Callable[[], bool]) -> Source:
        """The same log for work of minutes: once that is to stop, `read` raises Busy."""
        ending = copy(self)
        ending._stopping = stopping  # noqa: SLF001 - it is a copy of this one
        return ending

    @contextmanager
    def ahead(self, reach: Reach) -> Iterator[Source]:
        """The same log, for who reads all that it reaches in pages of that size.

        Another process opens them ahead, where there is a helper and enough to come.
        """
        if self.helper is None or not self.far(reach.after):
            yield self
            return
        with self.helper(reach) as ahead:
            hurrying = copy(self)
            hurrying._ahead, hurrying.helper = ahead, None  # noqa: SLF001 - a copy of this one
            yield hurrying

    def mark_at(self, position: int) -> Mark | None:
        """The mark of a position; None where the log does not reach it."""
        if position == 0:
            return Mark(self._ledger_id, 0, b"")
        stored = self._pages.page(position - 1, 1, 1)
        if not stored:
            return None
        return Mark(self._ledger_id, position, self._leaf(stored[0]))

    def difference(self, mark: Mark) -> str | None:
        """What is wrong with a mark; None where it belongs to this log."""
        here = self.mark_at(mark.position)
        if here is None:
            return f"at position {mark.position} it is ahead of its log"
        if mark.position and mark.ledger_id != here.ledger_id:
            return "it belongs to another ledger"
        if mark.leaf != here.leaf:
            return f"its event at position {mark.position} is another one"
        return None
