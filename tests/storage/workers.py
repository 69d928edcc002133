"""What other processes do in the log's tests: they start together, write, tail, and are killed."""

from __future__ import annotations

import asyncio
import hmac
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.events import Actor, InteractionRecorded
from domain.ports import Appended, Clash, Clock, Pending, Repeated, Seeker, Unit
from domain.topics import layouts
from domain.values import Channel, Direction, Origin, TimeSource
from storage.codec import Codec
from storage.keyring import Keyring
from storage.log import EventLog, Parts, open_store
from storage.mapper import SealedMapper
from storage.subjects import SubjectBook
from tests.backends import Backend
from tests.storage.keys import a_keyring, close_stores, repeating
from tests.storage.kit import Refused, stream_id, ticking

PATIENCE_S = 120.0
"""How long processes may take to be there, and to be done: they take a second or two."""

SPAWN = multiprocessing.get_context("spawn")
"""Processes that share nothing but the database, as on a real machine."""

PROCESSES = 4
WRITERS = 8
SHARED = 15
"""Messages that every process receives: each stands once, and all agree where."""

OWN = 5
"""Messages of one writer alone."""

COUNTS = 2
"""Decisions of each writer on one stream, with an expected version."""


class Answer(Struct, array_like=True):
    """What a writer was told about one unit."""

    name: str
    kind: str
    position: int


class Group:
    """Some processes that run one function each, all from the same moment on."""

    def __init__(self, work: Callable[..., None], *arguments: object, count: int) -> None:
        self._barrier = SPAWN.Barrier(count, timeout=PATIENCE_S)
        self._ends: list[Connection] = []
        self._processes = []
        for number in range(count):
            mine, its = SPAWN.Pipe(duplex=False)
            process = SPAWN.Process(
                target=_run, args=(work, self._barrier, its, number, arguments), daemon=True
            )
            process.start()
            its.close()
            self._ends.append(mine)
            self._processes.append(process)

    def results(self) -> list[bytes]:
        """What each sent, by number; raises EOFError where one failed."""
        assert all(end.poll(PATIENCE_S) for end in self._ends), "a process says nothing"
        sent: list[bytes] = [end.recv_bytes() for end in self._ends]
        for process, end in zip(self._processes, self._ends, strict=True):
            process.join(PATIENCE_S)
            process.close()
            end.close()
        return sent


def _run(
    work: Callable[..., None],
    barrier: threading.Barrier,
    end: Connection,
    number: int,
    arguments: tuple[object, ...],
) -> None:
    barrier.wait()
    work(end, number, *arguments)


@contextmanager
def sealing_log(backend: Backend, number: int = 0) -> Iterator[EventLog]:
    """A log as Hilo makes it: real keys, real subjects, real sealing."""
    ring: Keyring = a_keyring(backend.keys_url, seed=1_000 + number)
    identity = ring.identity
    entropy = repeating(2_000 + number)
    codec = Codec(layouts(), ring, identity.id, entropy)

    def mac(address: str) -> bytes:
        return hmac.digest(identity.secret, address.encode(), "sha256")

    book = SubjectBook(ring._store, ring, mac, entropy)

    def forget() -> None:
        ring.forget()
        book.forget()

    parts = Parts(codec=codec, mapper=SealedMapper(codec), subjects=book, forget=forget)
    log = EventLog(open_store(backend.log_url, clock()), parts)
    try:
        yield log
    finally:
        log.close()
        close_stores()


def clock() -> Clock:
    """A clock of this process; those of others may be ahead of it."""
    return ticking(1_700_000_000_000_000 + os.getpid())


def received(name: str, address: str, version: int = 1, text: str = "hola") -> Unit:
    """A message from an address, as an event of its own stream."""
    stream = stream_id(name)

    def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
        event = InteractionRecorded(
            originator_id=stream,
            originator_version=version,
            actor=Actor("channel", "whatsapp/main"),
            channel=Channel.WHATSAPP,
            direction=Direction.INBOUND,
            origin=Origin.AUTOMATIC,
            source="whatsapp:1",
            subject=subjects[0],
            scheme="tel",
            occurred_at=1_700_000_000_000_000,
            time_source=TimeSource.PROVIDER,
            resource=address,
            text=text,
        )
        return (Pending(event),)

    return Unit(key=stream, build=build, seekers=(Seeker(address, 0),))


def broken(name: str) -> Unit:
    """A unit that cannot be built."""

    def build(_: object) -> tuple[Pending, ...]:
        raise Refused(name)

    return Unit(key=stream_id(name), build=build)


# ----------------------------------------------------------------- what they do


def start(end: Connection, _: int, url: str) -> None:
    """Open a store, which migrates it, and say which version it has."""
    store = open_store(url, ticking())
    end.send_bytes(str(store.head().position).encode())
    store.close()


def write(end: Connection, number: int, backend: Backend) -> None:
    """Eight writers with duplicates, conflicts and bad units; sends every answer."""
    with sealing_log(backend, number) as log:
        answers = asyncio.run(_write_all(log, number))
    end.send_bytes(msgspec.msgpack.encode(answers))


async def _write_all(log: EventLog, number: int) -> list[Answer]:
    writers = (_writer(log, f"{number}.{writer}") for writer in range(WRITERS))
    return [answer for answers in await asyncio.gather(*writers) for answer in answers]


async def _writer(log: EventLog, me: str) -> list[Answer]:
    answers = []
    for i in range(SHARED):
        answers.append(await _told(log, f"shared {i}", received(f"shared {i}", f"tel:+5{i}")))
        if i % (SHARED // OWN) == 0:
            own = f"own {me} {i}"
            answers.append(await _told(log, own, received(own, f"tel:+6{i}")))
            answers.append(await _told(log, "bad", broken("bad")))
            refused = received(f"bad {me} {i}", "tel:+7", version=0)
            answers.append(await _told(log, "bad", refused))
    return answers + [await _count(log) for _ in range(COUNTS)]


async def _count(log: EventLog) -> Answer:
    """One more on a stream that all fight for: load, decide, append, again on a clash."""
    while True:
        version = len(await asyncio.to_thread(log.store.stream, stream_id("count"))) + 1
        told = await _told(log, f"count {version}", received("count", "tel:+8", version))
        if told.kind == "Appended":
            return told


async def _told(log: EventLog, name: str, unit: Unit) -> Answer:
    try:
        verdict = await log.append(unit)
    except Exception as error:  # noqa: BLE001 - which one it was is the answer
        return Answer(name, type(error).__name__, 0)
    match verdict:
        case Appended(positions=(position,)):
            return Answer(name, "Appended", position)
        case Clash(position=position) | Repeated(position=position):
            return Answer(name, type(verdict).__name__, position)
        case _:
            return Answer(name, "?", 0)


def write_until_killed(end: Connection, _: int, backend: Backend, first: int) -> None:
    """Append numbered messages for ever, and say each number once it is acknowledged."""
    with sealing_log(backend, first) as log:
        asyncio.run(_endlessly(log, end, first))


async def _endlessly(log: EventLog, end: Connection, first: int) -> None:
    async def one_writer(offset: int) -> None:
        number = first + offset
        while True:
            await log.append(received(f"n{number}", f"tel:+{number % 7}"))
            end.send_bytes(str(number).encode())
            number += WRITERS

    await asyncio.gather(*(one_writer(offset) for offset in range(WRITERS)))
