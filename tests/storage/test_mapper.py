"""The library's own parts work on our sealed events."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import pytest
from eventsourcing.application import AggregateNotFoundError, Application, Repository
from eventsourcing.persistence import EventStore, IntegrityError, Mapper, StoredEvent
from eventsourcing.popo import POPOAggregateRecorder

from domain.events import Actor, DepartmentSet
from domain.ports import EventLike
from domain.topics import layouts
from storage.codec import Codec
from storage.mapper import SealedMapper
from tests.storage.keys import MemoryKeys, repeating

LEDGER = UUID("6a1b2c3d-0000-4000-8000-000000000001")
STREAM = UUID("33333333-3333-8333-8333-333333333333")


def a_mapper() -> SealedMapper:
    """A mapper over keys in memory."""
    return SealedMapper(Codec(layouts(), MemoryKeys(), LEDGER, repeating(2)))


def a_department(version: int, name: str) -> DepartmentSet:
    """The department of the stream gets a name."""
    return DepartmentSet(
        originator_id=STREAM,
        originator_version=version,
        actor=Actor("user", "rosa"),
        key="ventas",
        name=name,
    )


class Named:
    """A smallest aggregate: the last name, and how many there were."""

    def __init__(self, names: tuple[str | None, ...]) -> None:
        self.names = names
        self.id = STREAM
        self.version = len(names)


def fold(named: Named | None, events: Iterable[EventLike]) -> Named | None:
    """Read the names."""
    for event in events:
        assert isinstance(event, DepartmentSet)
        named = Named((*(named.names if named else ()), event.name))
    return named


def test_a_stored_event_is_sealed_and_comes_back() -> None:
    """The library's StoredEvent has our topic and sealed bytes, and becomes the same event."""
    mapper = a_mapper()
    event = a_department(1, "Ventas CDMX")
    kept = mapper.to_stored_event(event)
    assert isinstance(kept, StoredEvent)
    assert kept.topic == "department.set"
    assert b"CDMX" not in kept.state
    assert mapper.to_domain_event(kept) == event


def test_a_stream_named_by_text_is_read() -> None:
    """A recorder that hands over the originator as text is understood."""
    mapper = a_mapper()
    event = a_department(1, "Ventas")
    kept = mapper.to_stored_event(event)
    as_text = StoredEvent(str(STREAM), 1, kept.topic, kept.state)
    assert mapper.to_domain_event(as_text) == event


def test_the_librarys_repository_reads_our_streams() -> None:
    """EventStore and Repository fold a stream of sealed events, and refuse a taken version."""
    store: EventStore[UUID] = EventStore(a_mapper(), POPOAggregateRecorder())
    repository = Repository(store)
    with pytest.raises(AggregateNotFoundError):
        repository.get(STREAM, projector_func=fold)
    store.put([a_department(1, "Ventas"), a_department(2, "Ventas CDMX")])
    assert repository.get(STREAM, projector_func=fold).names == ("Ventas", "Ventas CDMX")
    with pytest.raises(IntegrityError):
        store.put([a_department(2, "Otra")])


class Departments(Application[UUID]):
    """The library's application, with our mapper."""

    def construct_mapper(self) -> Mapper[UUID]:
        """Seal what is saved."""
        return a_mapper()


def test_the_librarys_application_saves_our_events() -> None:
    """Application.save stores sealed events, and its repository reads them."""
    application = Departments()
    application.save(a_department(1, "Ventas"), a_department(2, "Postventa"))
    found = application.repository.get(STREAM, projector_func=fold)
    assert found.names == ("Ventas", "Postventa")
    assert b"Postventa" not in application.notification_log.select(1, 10)[1].state
    application.close()
