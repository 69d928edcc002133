"""Group commit: one writer thread a process, and a durable verdict for every unit.

Whatever queued while the last commit ran goes into the next transaction; there is no timer, so
a lone unit does not wait and a crowd shares its fsync. A unit goes through queue → subjects
resolved → built and sealed → appended → verdict. What is wrong with one unit is that unit's
verdict; its neighbours do not notice.

Two lanes: `append` is somebody waiting, `append_all` is an import. The first is taken first,
and while it is in use the second gets little of each transaction.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Final

from msgspec import Struct

from domain.errors import Busy, OutcomeUnknown, StoreUnavailable
from domain.ports import Unit, Verdict
from storage.appending import Batch, FenceMoved, LogStore, SealedUnit
from storage.preparing import Preparer

Result = Verdict | Exception

BATCH_EVENTS_MAX: Final = 500
"""Beyond that a transaction gets longer and no cheaper an event, while others wait for it."""

BATCH_BYTES_MAX: Final = 256 * 1024
"""A batch stays below what sockets and write-ahead buffers take in one go."""

QUEUE_UNITS_MAX: Final = 4_096
"""Some eight full transactions, a fraction of a second; who comes then had better come later."""

BULK_UNITS_MAX: Final = 1_024
"""Of an import, two transactions: enough that the writer never waits for its next lines."""

BULK_BESIDE_MAX: Final = 64
"""Units of an import that ride along while somebody waits: a person's append stays quick."""

QUIET_BATCHES: Final = 4
"""Batches without anybody waiting, after which an import gets whole transactions again."""

DEADLINE_S: Final = 5.0
"""How long `append` waits for its commit; the request behind it will not wait much longer."""

FENCE_TRIES_MAX: Final = 5
"""Erasures that may come between sealing and the lock before the batch is refused."""

CLOSE_S_MAX: Final = 15.0
"""What is queued needs less; a commit that hangs (no standby answers) is left behind."""


class _Job(Struct, eq=False):
    """A unit in the queue, and where its result goes: place `index` of a sink."""

    unit: Unit
    sink: _Sink
    index: int = 0
    raises_fence: bool = False


class _Sink(Struct, eq=False):
    """Collects the results of the units that one caller submitted together."""

    results: list[Result | None]
    missing: int
    done: Callable[[], None]
    loop: asyncio.AbstractEventLoop | None = None


class GroupCommit:
    """The only writer of a process. Every method may be called from any thread or loop.

    `polite`: after each transaction the database stays free for at least as long as the
    transaction took, so that an import in a process of its own leaves room for the others.
    """

    def __init__(
        self,
        store: LogStore,
        preparer: Preparer,
        *,
        polite: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._preparer = preparer
        self._polite = polite
        self._monotonic = monotonic
        self._pause = pause
        self._urgent: deque[_Job] = deque()
        self._bulk: deque[_Job] = deque()
        self._quiet = QUIET_BATCHES
        self._changed = threading.Condition()
        self._delivering = threading.Lock()
        self._room: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._closed = False
        self._under_way: Sequence[_Job] = ()
        self._thread: threading.Thread | None = None
        self._free_at = 0.0
        self.observer: Callable[[int, float], None] | None = None

    @property
    def queued(self) -> int:
        """How many units wait."""
        return len(self._urgent) + len(self._bulk)

    # --------------------------------------------------------------- submitting

    async def append(self, unit: Unit, *, raises_fence: bool = False) -> Verdict:
        """Append one unit; returns when its commit is durable.

        Raises Busy (queue full), StoreUnavailable, OutcomeUnknown (repeat with the same key),
        and whatever the unit's own `build` raises.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        sink = _Sink([None], 1, lambda: _settle(future), loop)
        self._submit(_Job(unit, sink, 0, raises_fence))
        timer = loop.call_later(DEADLINE_S, _expire, future)
        try:
            await future
        finally:
            timer.cancel()
        return _verdict(sink.results[0])

    def submit(self, unit: Unit, *, raises_fence: bool = False) -> Future[Verdict]:
        """As `append`, for threads without a loop; raises Busy or StoreUnavailable at once."""
        future: Future[Verdict] = Future()
        sink = _Sink([None], 1, lambda: _resolve(future, sink.results[0]))
        self._submit(_Job(unit, sink, 0, raises_fence))
        return future

    async def append_all(self, units: Sequence[Unit]) -> list[Result]:
        """Append units in order, each for itself; waits while the queue is full."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        sink = _Sink([None] * len(units), len(units), lambda: _settle(future), loop)
        jobs = [_Job(unit, sink, index) for index, unit in enumerate(units)]
        start = 0
        while start < len(jobs):
            wait = loop.create_future()
            try:
                start += self._submit_bulk(jobs, start, (loop, wait))
            except StoreUnavailable as error:
                self._deliver([(job, error) for job in jobs[start:]])
                break
            if start < len(jobs):
                await wait
        if jobs:
            await future
        return [result for result in sink.results if result is not None]

    def _submit(self, job: _Job) -> None:
        with self._changed:
            if len(self._urgent) >= QUEUE_UNITS_MAX:
                raise Busy("The write queue is full.")
            self._start()
            self._urgent.append(job)
            self._changed.notify()

    def _submit_bulk(
        self,
        jobs: Sequence[_Job],
        start: int,
        waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]],
    ) -> int:
        with self._changed:
            self._start()
            taken = jobs[start : start + BULK_UNITS_MAX - len(self._bulk)]
            self._bulk.extend(taken)
            if start + len(taken) < len(jobs):
                self._room.append(waiter)
            self._changed.notify()
            return len(taken)

    def _start(self) -> None:
        if self._closed:
            raise StoreUnavailable("The log is closing.")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hilo-writer", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Append what is queued and stop; units that come now get StoreUnavailable.

        Where the commit at work hangs, whoever awaits its units in a loop gets OutcomeUnknown: a
        loop cannot end before them. A thread's future keeps waiting for its own verdict.
        """
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(CLOSE_S_MAX)
            with self._changed:
                left = [*self._urgent, *self._bulk]
                self._urgent.clear()
                self._bulk.clear()
                under_way = [job for job in self._under_way if job.sink.loop is not None]
            self._deliver([(job, StoreUnavailable("The log was closed.")) for job in left])
            unknown = OutcomeUnknown("The log was closed; repeat with the same key.")
            self._deliver([(job, unknown) for job in under_way])
            self._make_room()

    # ------------------------------------------------------------------ writing

    def _run(self) -> None:
        while jobs := self._take():
            self._under_way = jobs
            self._deliver(self._commit(jobs))
            self._make_room()
        self._under_way = []
        self._make_room()

    def _take(self) -> list[_Job]:
        """The next batch by hints of size; empty when the writer is to stop."""
        with self._changed:
            while not (self._urgent or self._bulk or self._closed):
                self._changed.wait()
            batch: list[_Job] = []
            size = _fill(batch, self._urgent, BATCH_EVENTS_MAX, 0)
            self._quiet = 0 if batch else self._quiet + 1
            beside = BATCH_EVENTS_MAX if self._quiet > QUIET_BATCHES else BULK_BESIDE_MAX
            _fill(batch, self._bulk, min(BATCH_EVENTS_MAX, len(batch) + beside), size)
            return batch

    def _make_room(self) -> None:
        with self._changed:
            if not self._room or (len(self._bulk) > BULK_UNITS_MAX // 2 and not self._closed):
                return
            waiters, self._room = self._room, []
        for loop, future in waiters:
            _call(loop, [partial(_settle, future)])

    def _deliver(self, results: Sequence[tuple[_Job, Result]]) -> None:
        """Hand results back: one call into each event loop, however many units are its."""
        by_loop: dict[asyncio.AbstractEventLoop | None, list[Callable[[], None]]] = {}
        with self._delivering:
            for job, result in results:
                sink = job.sink
                if sink.results[job.index] is not None:
                    continue  # it was told already that its outcome is unknown
                sink.results[job.index] = result
                sink.missing -= 1
                if sink.missing == 0:
                    by_loop.setdefault(sink.loop, []).append(sink.done)
        for loop, calls in by_loop.items():
            _call(loop, calls)

    def _commit(self, jobs: Sequence[_Job]) -> list[tuple[_Job, Result]]:
        """The jobs' results, in any order; never raises."""
        results: list[tuple[_Job, Result]] = []
        todo = list(jobs)
        for _ in range(FENCE_TRIES_MAX):
            try:
                prepared = self._preparer.prepare([job.unit for job in todo])
            except Exception as error:  # noqa: BLE001 - whatever it is, it is their answer
                return results + [(job, error) for job in todo]
            results += [(todo[i], result) for i, result in prepared.refused]
            ready = [(todo[i], sealed) for i, sealed in prepared.sealed]
            todo = self._append(ready, prepared.fence, results)
            if not todo:
                return results
        return results + [(job, Busy("Erasures came between.")) for job in todo]

    def _append(
        self,
        ready: list[tuple[_Job, SealedUnit]],
        fence: int,
        results: list[tuple[_Job, Result]],
    ) -> list[_Job]:
        """Append in chunks of the real size; returns the jobs to be sealed again."""
        for start, stop in _chunks(ready):
            chunk = ready[start:stop]
            try:
                results += self._transact(chunk, fence)
            except FenceMoved as moved:
                self._preparer.fence_moved(moved.fence)
                return [job for job, _ in ready[start:]]
        return []

    def _transact(
        self, chunk: list[tuple[_Job, SealedUnit]], fence: int
    ) -> list[tuple[_Job, Result]]:
        raises_fence = any(job.raises_fence for job, _ in chunk)
        batch = Batch([sealed for _, sealed in chunk], fence, raises_fence)
        if self._polite and (pause_s := self._free_at - self._monotonic()) > 0:
            self._pause(pause_s)
        began = self._monotonic()
        try:
            verdicts = self._store.append(batch)
        except (FenceMoved, StoreUnavailable) as error:
            if isinstance(error, FenceMoved):
                raise
            return [(job, error) for job, _ in chunk]
        except Exception as error:  # noqa: BLE001 - it becomes the answer of whoever caused it
            if len(chunk) == 1:
                return [(chunk[0][0], error)]
            # Rolled back: the one that the database refuses is found by asking for each alone.
            return [one for pair in chunk for one in self._transact([pair], fence)]
        ended = self._monotonic()
        self._free_at = ended + (ended - began)
        if self.observer is not None:
            self.observer(len(chunk), ended - began)
        return [(job, verdict) for (job, _), verdict in zip(chunk, verdicts, strict=True)]


def _fill(batch: list[_Job], lane: deque[_Job], events_max: int, size: int) -> int:
    """Move jobs from a lane into the batch; one that is too large by itself goes alone."""
    while lane and len(batch) < events_max:
        job = lane[0]
        size += job.unit.size_hint
        if batch and (size > BATCH_BYTES_MAX or job.raises_fence or batch[-1].raises_fence):
            return BATCH_BYTES_MAX
        batch.append(lane.popleft())
    return size


def _chunks(ready: Sequence[tuple[_Job, SealedUnit]]) -> list[tuple[int, int]]:
    """Where to cut what was sealed, so that no transaction is above the caps by real size.

    The cuts are even: where the hints were a little low, two halves and not a whole and a rest.
    """
    sizes = [sealed.size_bytes for _, sealed in ready]
    counts = [len(sealed.events) for _, sealed in ready]
    bytes_max = _even(sum(sizes), BATCH_BYTES_MAX)
    events_max = _even(sum(counts), BATCH_EVENTS_MAX)
    cuts, start, events, size = [], 0, 0, 0
    for index in range(len(ready)):
        more, bytes_more = counts[index], sizes[index]
        too_much = size + bytes_more > BATCH_BYTES_MAX or events + more > BATCH_EVENTS_MAX
        if index > start and (too_much or size >= bytes_max or events >= events_max):
            cuts.append((start, index))
            start, events, size = index, 0, 0
        events += more
        size += bytes_more
    return [*cuts, (start, len(ready))] if ready else []


def _even(total: int, cap: int) -> int:
    """The share of a total when it is cut into as few equal parts as the cap allows."""
    return -(-total // max(1, -(-total // cap)))


def _call(loop: asyncio.AbstractEventLoop | None, calls: Sequence[Callable[[], None]]) -> None:
    if loop is None:
        _call_each(calls)
        return
    # A loop that was closed has nobody left who waits.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_call_each, calls)


def _call_each(calls: Sequence[Callable[[], None]]) -> None:
    for call in calls:
        call()


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _expire(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(OutcomeUnknown("It takes too long; repeat with the same key."))


def _resolve(future: Future[Verdict], result: Result | None) -> None:
    # Who cancelled it waits no more; to set its result would raise, in the writer's thread.
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    elif result is not None:
        future.set_result(result)


def _verdict(result: Result | None) -> Verdict:
    if isinstance(result, Exception):
        raise result
    if result is None:
        raise OutcomeUnknown("No verdict came; repeat with the same key.")
    return result
