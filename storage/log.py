"""The log as the rest of Hilo sees it: append, read, follow; whatever the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Final, Protocol, cast
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Repository
from eventsourcing.persistence import EventStore, InfrastructureFactory, Mapper
from msgspec import Struct

from domain.errors import WrongState
from domain.ports import AggregateT, Clock, Entry, EventLike, StoredEntry, Unit, Verdict
from storage.appending import LogStore
from storage.bridge import LOG_URL
from storage.preparing import Prepared, Preparer, Sealer, SubjectResolver
from storage.wakeup import Wakeup
from storage.writer import GroupCommit

PAGE_ENTRIES_MAX: Final = 1_000
"""A follower's page: its SELECT and its transaction are shared by so many events."""

PAGE_BYTES_MAX: Final = 8 * 1024 * 1024
"""And its memory: a page of large events holds fewer of them."""

_MODULES: Final = {"sqlite": "storage.sqlite", "postgresql": "storage.postgres"}


class Codec(Sealer, Protocol):
    """Seals events and opens them again."""

    def open(self, entry: StoredEntry) -> Entry:
        """The event of a row."""

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """The events of many rows, their keys loaded with one query."""


class Parts(Struct, kw_only=True):
    """What a log is put together from, beside its store.

    `forget` drops all that is cached of subjects and keys; `polite` is for importers.
    """

    codec: Codec
    mapper: Mapper[UUID]
    subjects: SubjectResolver
    forget: Callable[[], None]
    polite: bool = False


def open_store(url: str, clock: Clock) -> LogStore:
    """The store of a log, by the library's factory for its kind of URL; its tables are there.

    `sqlite:///path` or `postgresql://…`. Raises NewerData, StoreUnavailable, and ValueError
    for another kind of URL.
    """
    kind = url.partition(":")[0].partition("+")[0]
    if kind not in _MODULES:
        raise ValueError("A log's URL begins with sqlite:/// or postgresql://")
    plain = kind + url[url.index(":") :]
    factory = InfrastructureFactory[Any].construct(
        {"PERSISTENCE_MODULE": _MODULES[kind], LOG_URL: plain}
    )
    # The factories of both modules take a clock; the library's base class knows of none.
    cast("Any", factory).clock = clock
    try:
        return cast("LogStore", factory.application_recorder())
    except BaseException:
        factory.close()
        raise


class EventLog:
    """Implements domain.ports.Log, and what followers need. Closing it closes its store."""

    def __init__(self, store: LogStore, parts: Parts) -> None:
        self.store = store
        self._codec = parts.codec
        self._preparer = Preparer(store, parts.codec, parts.subjects, parts.forget)
        self._writer = GroupCommit(store, self._preparer, polite=parts.polite)
        events = EventStore(parts.mapper, cast("Any", store))
        self._repository: Repository[UUID] = Repository(events)
        self._frozen: str | None = None

    # ------------------------------------------------------------------ writing

    def freeze(self, why: str) -> None:
        """Have everything that would append raise WrongState, with these words."""
        self._frozen = why

    def _thaw(self) -> None:
        if self._frozen is not None:
            raise WrongState(self._frozen)

    async def append(self, unit: Unit) -> Verdict:
        """Append one unit; returns when its commit is durable.

        Raises Busy (queue full), StoreUnavailable, OutcomeUnknown (repeat with the same key).
        """
        self._thaw()
        return await self._writer.append(unit)

    async def append_all(self, units: Sequence[Unit]) -> list[Verdict | Exception]:
        """Append units in order, each for itself; waits while the queue is full."""
        self._thaw()
        return await self._writer.append_all(units)

    def prepare(self, units: Sequence[Unit]) -> Prepared:
        """Units sealed for another process to append (`ReadyUnit`); nothing is written to the log.

        For a process that appends nothing itself: the writer's thread prepares as well. New
        subjects are made, durably. Raises StoreUnavailable.
        """
        self._thaw()
        return self._preparer.prepare_now(units)

    def submit(self, unit: Unit) -> Future[Verdict]:
        """As `append`, for threads without an event loop."""
        self._thaw()
        return self._writer.submit(unit)

    async def raise_fence(self, unit: Unit) -> Verdict:
        """Append a unit and raise the fence in the same transaction: an erasure.

        From then on no process appends anything that was sealed before. Where the unit stands
        already the fence was raised with it, and stays.
        """
        self._thaw()
        return await self._writer.append(unit, raises_fence=True)

    def observe(self, observer: Callable[[int, float], None]) -> None:
        """Have somebody hear of each transaction: its units, and how many seconds it took.

        Called in the writer's thread; must be quick, and never raise.
        """
        self._writer.observer = observer

    def queued(self) -> int:
        """How many units wait to be written."""
        return self._writer.queued

    # ------------------------------------------------------------------ reading

    def entry(self, position: int) -> Entry | None:
        """The event at a position, opened; None where the log ends before it."""
        if position < 1:
            return None
        page = self.store.page(position - 1, 1, PAGE_BYTES_MAX)
        return self._codec.open(page[0]) if page else None

    def stream(self, originator_id: UUID) -> list[Entry]:
        """All events of one stream, by version."""
        return self._codec.open_page(self.store.stream(originator_id))

    def command(self, command_id: UUID) -> int | None:
        """The position of the event that a command id stands with; None where it never came."""
        raw = command_id.bytes
        return self.store.taken((), (raw,)).commands.get(raw)

    def head(self) -> int:
        """The last position; 0 for an empty log."""
        return self.store.head().position

    def load(
        self,
        originator_id: UUID,
        project: Callable[[AggregateT | None, Iterable[EventLike]], AggregateT | None],
    ) -> AggregateT | None:
        """An aggregate from its stream, through the library's repository; None if there is none."""
        try:
            found = self._repository.get(originator_id, projector_func=cast("Any", project))
        except AggregateNotFoundError:
            return None
        return cast("AggregateT", found)

    # ---------------------------------------------------------------- following

    def position_at(self, time: int) -> int:
        """The last position that had been recorded at a time (µs); 0 before the first."""
        low, high = 0, self.head()
        while low < high:  # times never decrease along the log
            middle = (low + high + 1) // 2
            if self.page(middle - 1, 1)[0].recorded_at <= time:
                low = middle
            else:
                high = middle - 1
        return low

    def positions_of(self, topic: str, after: int, at_once: int) -> Iterator[int]:
        """Where the events of one topic stand behind a position, in order."""
        read = cast("Any", self.store).select_notifications
        while found := read(after, at_once, topics=(topic,), inclusive_of_start=False):
            yield from (one.id for one in found)
            after = found[-1].id

    def page(
        self, after: int, limit: int = PAGE_ENTRIES_MAX, max_bytes: int = PAGE_BYTES_MAX
    ) -> list[StoredEntry]:
        """The entries that follow a position, as stored, without any gap.

        At most `limit`, and their states at most `max_bytes` together, but one entry at least
        where there is one. Raises BrokenLog where positions are missing.
        """
        return self.store.page(after, limit, max_bytes)

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """A page's events, opened; raises KeyMissing for a key gone without a tombstone."""
        return self._codec.open_page(entries)

    def fence(self) -> int:
        """How many erasures the log holds; who caches keys compares it."""
        return self.store.head().fence

    @property
    def wakeup(self) -> Wakeup:
        """Where to wait for the log to grow."""
        return self.store.wakeup

    def close(self) -> None:
        """Append what is queued, then close the store."""
        self._writer.close()
        self.store.close()
