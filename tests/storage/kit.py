"""What the log's tests are made of: a codec without keys, a book of subjects, small units."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from msgspec import Struct

from domain.ports import Clock, Counted, Entry, EventLike, Pending, Seeker, StoredEntry, Unit
from storage.appending import Batch, LogStore, SealedEvent, SealedUnit
from storage.log import EventLog, Parts, open_store
from storage.preparing import Preparer
from storage.writer import GroupCommit

TOPIC = "test.happened"
NAMESPACE = UUID("6f0c1c1e-3a51-4f0e-9d3f-3f3a3c1f0b11")


class Happened(Struct, frozen=True):
    """Something happened; `subjects` are those of the unit's seekers."""

    originator_id: UUID
    originator_version: int
    text: str = ""
    subjects: tuple[UUID, ...] = ()


class Refused(ValueError):
    """The unit cannot be built, whatever its neighbours are."""


def ticking(start: int = 1_700_000_000_000_000) -> Clock:
    """A clock that moves a microsecond a look."""
    return itertools.count(start).__next__


def stream_id(name: str) -> UUID:
    """The stream of a name, the same in every process."""
    return uuid.uuid5(NAMESPACE, name)


class PlainCodec:
    """Events as msgpack; `broken` streams cannot be sealed."""

    def __init__(self) -> None:
        self.broken: set[UUID] = set()
        self.sealed = 0

    def seal(self, event: EventLike) -> tuple[str, bytes]:
        """Topic and msgpack."""
        if event.originator_id in self.broken:
            raise Refused("cannot be sealed")
        self.sealed += 1
        return TOPIC, msgspec.msgpack.encode(event)

    def open(self, entry: StoredEntry) -> Entry:
        """The event again."""
        event = msgspec.msgpack.decode(entry.state, type=Happened)
        return Entry(entry.position, entry.recorded_at, entry.topic, event)

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """The events again."""
        return [self.open(entry) for entry in entries]


class PlainMapper(Mapper[UUID]):
    """The library's mapper over PlainCodec."""

    def __init__(self, codec: PlainCodec | None = None) -> None:
        super().__init__(JSONTranscoder())
        self._codec = codec or PlainCodec()

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Sealed."""
        topic, state = self._codec.seal(domain_event)
        return StoredEvent(
            domain_event.originator_id, domain_event.originator_version, topic, state
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        """Opened."""
        return msgspec.msgpack.decode(stored_event.state, type=Happened)


class PlainSubjects:
    """Addresses and their subjects, in memory; remembers which it was asked to create."""

    def __init__(self) -> None:
        self.known: dict[str, UUID] = {}
        self.created: list[str] = []
        self.forgotten = 0

    def resolve(self, seekers: Sequence[Seeker], *, create: bool) -> list[UUID | None]:
        """As the subject book; an address `bad:` cannot be resolved."""
        for seeker in seekers:
            if seeker.address.startswith("bad:"):
                raise Refused(seeker.address)
            if create and seeker.address not in self.known:
                self.known[seeker.address] = stream_id(seeker.address)
                self.created.append(seeker.address)
        return [self.known.get(seeker.address) for seeker in seekers]

    def forget(self) -> None:
        """Counts how often it was told that an erasure came between."""
        self.forgotten += 1


def happened(name: str, version: int = 1, text: str = "", *, if_absent: bool = False) -> Pending:
    """An event on its way."""
    return Pending(Happened(stream_id(name), version, text), if_absent)


def unit(
    *pendings: Pending,
    command: str | None = None,
    counted: Counted | None = None,
    size_hint: int = 512,
) -> Unit:
    """A unit of ready events."""
    return Unit(
        key=pendings[0].event.originator_id,
        build=lambda _: pendings,
        command_id=stream_id(f"command {command}") if command is not None else None,
        counted=counted,
        size_hint=size_hint,
    )


def fact(name: str, version: int = 1, text: str = "") -> Unit:
    """A unit of one event."""
    return unit(happened(name, version, text))


def message(name: str, *addresses: str, size: int = 0) -> Unit:
    """A unit of one event with seekers, which the event repeats as subjects."""

    def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
        return (Pending(Happened(stream_id(name), 1, "x" * size, tuple(subjects))),)

    return Unit(
        key=stream_id(name),
        build=build,
        seekers=tuple(Seeker(address, 0) for address in addresses),
        size_hint=512 + size,
    )


def failing(name: str) -> Unit:
    """A unit that cannot be built."""

    def build(_: Sequence[UUID]) -> Sequence[Pending]:
        raise Refused(name)

    return Unit(key=stream_id(name), build=build)


def sealed(*units: Unit) -> list[SealedUnit]:
    """Units as the recorder gets them, their events in msgpack."""
    codec = PlainCodec()
    return [
        SealedUnit(
            one,
            tuple(
                SealedEvent(
                    *(codec.seal(p.event)[:1]),
                    p.event.originator_id.bytes,
                    p.event.originator_version,
                    codec.seal(p.event)[1],
                    p.if_absent,
                )
                for p in one.build(())
            ),
        )
        for one in units
    ]


def batch(*units: Unit, fence: int | None = None) -> Batch:
    """A batch for a store's `append`."""
    return Batch(sealed(*units), fence)


@contextmanager
def opened_store(url: str, clock: Clock | None = None) -> Iterator[LogStore]:
    """A log's store, closed afterwards."""
    store = open_store(url, clock or ticking())
    try:
        yield store
    finally:
        store.close()


class OpenLog(Struct):
    """A log and what it was made of."""

    log: EventLog
    codec: PlainCodec
    subjects: PlainSubjects


@contextmanager
def opened_log(url: str, clock: Clock | None = None) -> Iterator[OpenLog]:
    """A log with the plain codec, closed afterwards."""
    codec, subjects = PlainCodec(), PlainSubjects()
    store = open_store(url, clock or ticking())
    parts = Parts(codec=codec, mapper=PlainMapper(codec), subjects=subjects, forget=subjects.forget)
    log = EventLog(store, parts)
    try:
        yield OpenLog(log, codec, subjects)
    finally:
        log.close()


class OpenWriter(Struct):
    """A group commit and what it was made of."""

    writer: GroupCommit
    store: LogStore
    codec: PlainCodec
    subjects: PlainSubjects


@contextmanager
def opened_writer(url: str, *, polite: bool = False) -> Iterator[OpenWriter]:
    """A group commit over a store, both closed afterwards."""
    codec, subjects = PlainCodec(), PlainSubjects()
    with opened_store(url) as store:
        writer = GroupCommit(
            store, Preparer(store, codec, subjects, subjects.forget), polite=polite
        )
        try:
            yield OpenWriter(writer, store, codec, subjects)
        finally:
            writer.close()


def texts(entries: Iterable[Entry]) -> list[str]:
    """What the events say."""
    return [entry.event.text for entry in entries if isinstance(entry.event, Happened)]


def started(*threads: threading.Thread) -> None:
    """Start threads and wait until all have ended."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
