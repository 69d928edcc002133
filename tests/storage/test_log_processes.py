"""Several processes on one log, and what is left of one that is killed."""

from __future__ import annotations

import threading
from collections import defaultdict

import msgspec

from domain.events import InteractionRecorded
from storage.appending import LogStore
from tests.backends import Backend
from tests.storage.kit import opened_store, stream_id
from tests.storage.workers import (
    COUNTS,
    OWN,
    PROCESSES,
    SHARED,
    SPAWN,
    WRITERS,
    Answer,
    sealing_log,
    write,
    write_until_killed,
)
from tests.storage.workers import Group as ProcessGroup

KILLS = 3
ACKNOWLEDGED_BEFORE_KILL = 40


class Tail(threading.Thread):
    """Reads at the head of the log, as a follower does, until it is told the last position."""

    def __init__(self, store: LogStore) -> None:
        super().__init__(daemon=True)
        self._store = store
        self.last: int | None = None
        self.seen: list[int] = []

    def run(self) -> None:
        """Pages, and waits where there are none."""
        position = 0
        while self.last is None or position < self.last:
            page = self._store.page(position, 7, 1_000_000)
            self.seen += [entry.position for entry in page]
            position = self.seen[-1] if self.seen else 0
            if not page:
                self._store.wakeup.wait(position, 0.2)


def test_processes_share_one_log_without_a_gap(backend: Backend) -> None:
    """Four processes of eight writers: positions 1 to n, one id a key, a verdict for each."""
    with sealing_log(backend, number=99) as log:
        tail = Tail(log.store)
        tail.start()
        sent = ProcessGroup(write, backend, count=PROCESSES).results()
        tail.last = log.head()
        tail.join()
        _judge(
            [answer for one in sent for answer in msgspec.msgpack.decode(one, type=list[Answer])]
        )
        entries = log.open_page(log.page(0, 10_000))
    head = SHARED + PROCESSES * WRITERS * (OWN + COUNTS)
    assert [entry.position for entry in entries] == list(range(1, head + 1))
    assert tail.seen == list(range(1, head + 1))
    times = [entry.recorded_at for entry in entries]
    assert times == sorted(times)
    events = [entry.event for entry in entries]
    by_address = defaultdict(set)
    for event in events:
        assert isinstance(event, InteractionRecorded)
        assert event.text == "hola"
        by_address[event.resource].add(event.subject)
    assert {len(subjects) for subjects in by_address.values()} == {1}


def _judge(answers: list[Answer]) -> None:
    """Every unit was answered; who shares a key was told one position; bad ones stood alone."""
    assert len(answers) == PROCESSES * WRITERS * (SHARED + 3 * OWN + COUNTS)
    by_name: defaultdict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_name[answer.name].append(answer)
    bad = by_name.pop("bad")
    assert len(bad) == PROCESSES * WRITERS * OWN * 2
    assert not {"Appended", "Clash", "StoreUnavailable"} & {answer.kind for answer in bad}
    for name, told in by_name.items():
        assert len({answer.position for answer in told}) == 1, name
        assert sum(answer.kind == "Appended" for answer in told) == 1, name
        assert {answer.kind for answer in told} <= {"Appended", "Clash"}, name
    counted = sorted(int(name[6:]) for name in by_name if name.startswith("count "))
    assert counted == list(range(1, PROCESSES * WRITERS * COUNTS + 1))


def test_a_killed_writer_loses_nothing_that_it_acknowledged(backend: Backend) -> None:
    """After kill -9 every acknowledged append stands, once, and positions are contiguous."""
    acknowledged: list[int] = []
    for kill in range(KILLS):
        mine, its = SPAWN.Pipe(duplex=False)
        first = kill * 1_000_000
        process = SPAWN.Process(
            target=write_until_killed, args=(its, 0, backend, first), daemon=True
        )
        process.start()
        its.close()
        acknowledged += [int(mine.recv_bytes()) for _ in range(ACKNOWLEDGED_BEFORE_KILL)]
        process.kill()
        process.join()
        process.close()
        while mine.poll():
            try:
                acknowledged.append(int(mine.recv_bytes()))
            except EOFError:
                break
        mine.close()
    with opened_store(backend.log_url) as store:
        entries = store.page(0, 100_000, 100_000_000)
        assert [entry.position for entry in entries] == list(range(1, store.head().position + 1))
        standing = [entry.originator_id for entry in entries]
        assert len(set(standing)) == len(standing)
        assert {stream_id(f"n{number}") for number in acknowledged} <= set(standing)
    assert len(acknowledged) >= KILLS * ACKNOWLEDGED_BEFORE_KILL
