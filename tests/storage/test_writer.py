"""Group commit: who queues together commits together, and each gets a verdict of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest

from domain.errors import Busy, OutcomeUnknown, StoreUnavailable
from domain.ports import Appended, Clash, Pending, Repeated, Seeker, Unit, Verdict
from storage import writer as writer_module
from storage.appending import Batch, FenceMoved, LogStore
from storage.preparing import Preparer
from storage.writer import (
    BATCH_BYTES_MAX,
    BATCH_EVENTS_MAX,
    BULK_BESIDE_MAX,
    QUEUE_UNITS_MAX,
    GroupCommit,
)
from tests.backends import Backend
from tests.patience import PATIENCE_S
from tests.storage.kit import (
    Happened,
    OpenWriter,
    PlainCodec,
    PlainSubjects,
    Refused,
    fact,
    failing,
    happened,
    message,
    opened_writer,
    sealed,
    stream_id,
    unit,
)


@pytest.fixture
def opened(backend: Backend) -> Iterator[OpenWriter]:
    """An empty log with a group commit."""
    with opened_writer(backend.log_url) as made:
        yield made


class Watched:
    """A store whose appends wait for a gate, and are remembered with what they raised."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[UUID]] = []
        self.raises: list[Exception] = []
        self.clock = store.clock
        self.wakeup = store.wakeup
        self.head = store.head
        self.taken = store.taken
        self.page, self.rows = store.page, store.rows
        self.stream = store.stream
        self.ledger_row = store.ledger_row
        self.create_ledger = store.create_ledger
        self.close = store.close

    def append(self, batch: Batch) -> list[Verdict]:
        """As the store, behind the gate."""
        self.entered.release()
        self.gate.wait()
        self.batches.append([unit.unit.key for unit in batch.units])
        if self.raises:
            raise self.raises.pop(0)
        return self._store.append(batch)


class Held:
    """A group commit over a watched store, whose first batch waits in the append."""

    def __init__(self, opened: OpenWriter) -> None:
        self.store = Watched(opened.store)
        self.codec, self.subjects = opened.codec, opened.subjects
        preparer = Preparer(self.store, self.codec, self.subjects, self.subjects.forget)
        self.writer = GroupCommit(self.store, preparer)

    async def hold(self) -> asyncio.Task[Verdict]:
        """Start an append that stays in its transaction until the gate opens."""
        self.store.gate.clear()
        task = asyncio.ensure_future(self.writer.append(fact("held")))
        assert await asyncio.to_thread(self.store.entered.acquire, timeout=PATIENCE_S)
        return task

    def let_go(self) -> None:
        """Open the gate."""
        self.store.gate.set()


@pytest.fixture
def held(opened: OpenWriter) -> Iterator[Held]:
    """A group commit whose transactions can be held up."""
    yield (made := Held(opened))
    made.let_go()
    made.writer.close()


# ---------------------------------------------------------------------- batches


def _queue(writer: GroupCommit, units: Sequence[Unit]) -> list[asyncio.Future[Verdict]]:
    """Put all units into the queue, before anything else happens."""
    return [asyncio.wrap_future(writer.submit(one)) for one in units]


def test_who_queues_during_a_commit_shares_the_next(held: Held) -> None:
    """Everything that queued while a transaction ran is one transaction."""

    async def run() -> None:
        first = await held.hold()
        rest = _queue(held.writer, [fact(f"n{i}") for i in range(100)])
        held.let_go()
        await asyncio.gather(first, *rest)

    asyncio.run(run())
    assert [len(batch) for batch in held.store.batches] == [1, 100]


def test_a_transaction_is_capped_by_events(held: Held) -> None:
    """No transaction has more than its cap of events."""

    async def run() -> None:
        first = await held.hold()
        rest = _queue(held.writer, [fact(f"n{i}") for i in range(1_100)])
        held.let_go()
        await asyncio.gather(first, *rest)

    asyncio.run(run())
    assert sum(len(batch) for batch in held.store.batches) == 1_101
    assert max(len(batch) for batch in held.store.batches) <= BATCH_EVENTS_MAX


def test_a_transaction_is_capped_by_bytes_and_a_larger_unit_goes_alone(held: Held) -> None:
    """By the real size too, when the hint said less; a unit above the cap is still appended."""
    small = [unit(happened(f"s{i}", text="x" * 100_000), size_hint=1) for i in range(6)]
    huge = message("huge", size=BATCH_BYTES_MAX * 2)

    async def run() -> None:
        first = await held.hold()
        rest = _queue(held.writer, [*small[:3], huge, *small[3:]])
        held.let_go()
        await asyncio.gather(first, *rest)

    asyncio.run(run())
    assert [stream_id("huge")] in held.store.batches
    assert max(len(batch) for batch in held.store.batches) == 2


def test_each_unit_gets_its_own_verdict(opened: OpenWriter) -> None:
    """Of one batch: appended, clash, repeated, and the error of a unit that cannot be built."""
    units = [
        unit(happened("a"), command="k"),
        fact("a", text="again"),
        unit(happened("b"), command="k"),
        failing("c"),
        fact("d"),
    ]
    results = asyncio.run(opened.writer.append_all(units))
    assert [type(result) for result in results] == [Appended, Clash, Repeated, Refused, Appended]
    assert [r.positions for r in results if isinstance(r, Appended)] == [(1,), (2,)]


def test_neighbours_of_a_bad_unit_are_unharmed(opened: OpenWriter) -> None:
    """What cannot be built, sealed or resolved, or is no unit at all, fails alone."""
    opened.codec.broken.add(stream_id("broken"))
    nine = unit(*[happened(f"p{i}") for i in range(9)])
    twice = unit(happened("t"), happened("t"))
    empty = Unit(key=stream_id("e"), build=lambda _: ())
    bad = [failing("f"), fact("broken"), message("m", "bad:address"), nine, twice, empty]
    units = [one for i, unit_ in enumerate(bad) for one in (fact(f"good{i}"), unit_)]
    results = asyncio.run(opened.writer.append_all(units))
    good, refused = results[::2], results[1::2]
    assert [r.positions for r in good if isinstance(r, Appended)] == [(i + 1,) for i in range(6)]
    assert all(isinstance(result, ValueError) for result in refused)


def test_what_the_database_refuses_is_found_alone(opened: OpenWriter) -> None:
    """A row that breaks a rule of the table rolls back, and only its unit hears of it."""
    results = asyncio.run(opened.writer.append_all([fact("a"), fact("bad", version=0), fact("b")]))
    assert [type(r) for r in (results[0], results[2])] == [Appended, Appended]
    assert isinstance(results[1], Exception)
    assert opened.store.head().position == 2


def test_threads_without_a_loop_get_their_verdicts(opened: OpenWriter) -> None:
    """`submit` answers through a future of threads, with verdicts and errors alike."""
    futures = [opened.writer.submit(fact(f"n{i}")) for i in range(10)]
    positions = {v.positions for f in futures if isinstance(v := f.result(PATIENCE_S), Appended)}
    assert positions == {(i,) for i in range(1, 11)}
    with pytest.raises(Refused):
        opened.writer.submit(failing("bad")).result(PATIENCE_S)


def test_an_import_keeps_its_order(opened: OpenWriter) -> None:
    """append_all gives results in the order of its units, and positions in that order too."""
    results = asyncio.run(opened.writer.append_all([fact(f"n{i}") for i in range(2_500)]))
    positions = [result.positions[0] for result in results if isinstance(result, Appended)]
    assert positions == list(range(1, 2_501))
    assert asyncio.run(opened.writer.append_all([])) == []


def test_somebody_waiting_goes_before_an_import(held: Held) -> None:
    """A single append rides in the next transaction, and an import fills it only a little."""

    async def run() -> None:
        first = await held.hold()
        bulk = asyncio.ensure_future(held.writer.append_all([fact(f"n{i}") for i in range(1_000)]))
        await asyncio.sleep(0)
        one = asyncio.ensure_future(held.writer.append(fact("person")))
        await asyncio.sleep(0)
        held.let_go()
        await asyncio.gather(first, bulk, one)

    asyncio.run(run())
    second = held.store.batches[1]
    assert second[0] == stream_id("person")
    assert len(second) == 1 + BULK_BESIDE_MAX


# ------------------------------------------------------------------------ limits


def test_a_full_queue_answers_busy(held: Held) -> None:
    """Who comes to a full queue is told at once, and what is queued is still appended."""

    async def run() -> tuple[list[Verdict], Verdict]:
        first = await held.hold()
        queued = _queue(held.writer, [fact(f"n{i}") for i in range(QUEUE_UNITS_MAX)])
        with pytest.raises(Busy):
            await held.writer.append(fact("too late"))
        held.let_go()
        await first
        return await asyncio.gather(*queued), await held.writer.append(fact("later"))

    results, later = asyncio.run(run())
    assert sum(isinstance(result, Appended) for result in results) == QUEUE_UNITS_MAX
    assert isinstance(later, Appended)


def test_an_append_that_takes_too_long_is_unknown(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its deadline an append answers OutcomeUnknown, and the log may have it or not."""
    monkeypatch.setattr(writer_module, "DEADLINE_S", 0.01)

    async def run() -> Verdict:
        first = await held.hold()
        with pytest.raises(OutcomeUnknown):
            await first
        held.let_go()
        monkeypatch.undo()
        return await held.writer.append(fact("held"))

    assert asyncio.run(run()) == Clash(stream_id("held"), 1, 1)


def test_closing_appends_what_is_queued(backend: Backend) -> None:
    """What is queued gets its verdict; a unit that comes later gets StoreUnavailable."""
    with opened_writer(backend.log_url) as opened:
        futures = [opened.writer.submit(fact(f"n{i}")) for i in range(700)]
        opened.writer.close()
        assert all(isinstance(future.result(0), Appended) for future in futures)
        with pytest.raises(StoreUnavailable):
            opened.writer.submit(fact("late"))
        results = asyncio.run(opened.writer.append_all([fact("late")]))
        assert [type(result) for result in results] == [StoreUnavailable]
        opened.writer.close()


def test_an_unavailable_store_is_everybodys_answer(held: Held) -> None:
    """StoreUnavailable and OutcomeUnknown go to each unit of the batch, and the writer lives."""
    held.store.raises += [StoreUnavailable("away"), OutcomeUnknown("lost")]

    async def run() -> list[object]:
        first = await asyncio.gather(held.writer.append(fact("a")), return_exceptions=True)
        second = await held.writer.append_all([fact("b"), fact("c")])
        return [*first, *second, await held.writer.append(fact("d"))]

    kinds = [type(result) for result in asyncio.run(run())]
    assert kinds == [StoreUnavailable, OutcomeUnknown, OutcomeUnknown, Appended]


def test_a_polite_writer_leaves_the_database_free(opened: OpenWriter) -> None:
    """Between transactions it stays away for as long as the last one took."""
    times = iter([100.0, 103.0, 106.0, 107.0, 108.0])
    pauses: list[float] = []
    writer = GroupCommit(
        opened.store,
        Preparer(opened.store, PlainCodec(), PlainSubjects()),
        polite=True,
        monotonic=lambda: next(times, 200.0),
        pause=pauses.append,
    )
    # Looks at the clock: pause before (100), began (103), ended (106); then before (107).
    asyncio.run(writer.append_all([fact("a")]))
    asyncio.run(writer.append_all([fact("b")]))
    writer.close()
    assert pauses == [2.0]


# ---------------------------------------------------------------------- subjects


def test_new_addresses_get_their_subjects_and_known_ones_keep_them(opened: OpenWriter) -> None:
    """Each address is made once, the verdict has the subjects, the event has them too."""
    units = [message("m1", "tel:+1", "tel:+2"), message("m2", "tel:+2"), message("m3")]
    results = asyncio.run(opened.writer.append_all(units))
    subjects = [result.subjects for result in results if isinstance(result, Appended)]
    one, two = stream_id("tel:+1"), stream_id("tel:+2")
    assert subjects == [(one, two), (two,), ()]
    assert opened.subjects.created == ["tel:+1", "tel:+2"]
    events = [opened.codec.open(entry).event for entry in opened.store.page(0, 10, 10_000)]
    assert [e.subjects for e in events if isinstance(e, Happened)] == subjects


def test_a_redelivery_never_makes_a_subject(opened: OpenWriter) -> None:
    """A unit that stands already, by its key or its command, is answered without a subject."""
    command = Unit(
        key=stream_id("c"),
        build=lambda _: (happened("c"),),
        seekers=(Seeker("tel:+3", 0),),
        command_id=stream_id("command k"),
    )
    asyncio.run(opened.writer.append_all([message("m", "tel:+1"), command]))
    opened.subjects.known.clear()
    opened.subjects.created.clear()
    again = asyncio.run(opened.writer.append_all([message("m", "tel:+1"), command]))
    assert again == [Clash(stream_id("m"), 1, 1), Repeated(2)]
    assert opened.subjects.created == []


def test_a_decision_with_a_new_address_is_looked_up_by_its_version(opened: OpenWriter) -> None:
    """The stream of a decision exists before; only its expected version makes a clash."""

    def linked(version: int) -> Unit:
        return Unit(
            key=stream_id("contact"),
            build=lambda subjects: (
                Pending(Happened(stream_id("contact"), version, "", tuple(subjects))),
            ),
            seekers=(Seeker(f"tel:+{version}", 0),),
        )

    first = asyncio.run(opened.writer.append_all([linked(1), linked(2)]))
    assert [type(result) for result in first] == [Appended, Appended]
    opened.subjects.known.clear()
    late = asyncio.run(opened.writer.append_all([linked(2), linked(3)]))
    assert late[0] == Clash(stream_id("contact"), 2, 2)
    assert isinstance(late[1], Appended)


def test_an_erasure_between_sealing_and_the_lock_seals_again(opened: OpenWriter) -> None:
    """When the fence moved, caches are dropped, units are built anew, and stand once."""
    asyncio.run(opened.writer.append(message("before", "tel:+1")))
    opened.subjects.known["tel:+1"] = stream_id("somebody new")
    opened.store.append(Batch(sealed(fact("erasure")), None, raises_fence=True))
    forgotten = opened.subjects.forgotten
    verdict = asyncio.run(opened.writer.append(message("after", "tel:+1")))
    assert isinstance(verdict, Appended)
    assert verdict.positions == (3,)
    assert opened.subjects.forgotten == forgotten + 1


def test_endless_erasures_end_in_busy(held: Held) -> None:
    """When the fence moves again and again the unit is refused in the end, not lost."""
    held.store.raises += [FenceMoved(n) for n in range(1, 6)]
    results = asyncio.run(held.writer.append_all([fact("a")]))
    assert [type(result) for result in results] == [Busy]


def test_an_erasing_unit_raises_the_fence_and_goes_alone(held: Held) -> None:
    """It shares its transaction with nobody, and its own writer drops its caches after it."""

    async def run() -> None:
        first = await held.hold()
        before = asyncio.ensure_future(held.writer.append(fact("a")))
        await asyncio.sleep(0)
        erasing = asyncio.ensure_future(held.writer.append(fact("e"), raises_fence=True))
        await asyncio.sleep(0)
        after = asyncio.ensure_future(held.writer.append(fact("b")))
        await asyncio.sleep(0)
        held.let_go()
        await asyncio.gather(first, before, erasing, after)

    forgotten = held.subjects.forgotten
    asyncio.run(run())
    assert [stream_id("e")] in held.store.batches
    assert held.store.head().fence == 1
    assert held.subjects.forgotten >= forgotten + 2
