"""The golden file is complete: what it does not name would be lost, or lie in clear."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from uuid import UUID

import msgspec
import pytest

from domain import events, upcasters
from domain.events import Event
from domain.ports import UNDER_COMPANY, Layout, StoredEntry
from domain.topics import TOPICS, layouts, parse_golden
from storage.codec import Codec
from tests.storage.keys import MemoryKeys, repeating

LAYOUTS = layouts()
IN_COLUMNS = {"originator_id", "originator_version"}


def every_event_class() -> Iterator[type[Event]]:
    """Every class of domain/events/ that is an event."""
    for _, found in inspect.getmembers(events, inspect.isclass):
        if issubclass(found, Event) and found is not Event:
            yield found


def fields_of(layout: Layout) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields of an event class by name."""
    return {field.name: field for field in msgspec.structs.fields(layout.event_class)}


def test_every_event_class_has_one_topic() -> None:
    """Each event class stands under exactly one topic, and nothing else does."""
    assert sorted(TOPICS.values(), key=repr) == sorted(every_event_class(), key=repr)


def test_every_topic_has_a_layout() -> None:
    """The golden file and the registry name the same topics."""
    assert LAYOUTS.keys() == TOPICS.keys()


@pytest.mark.parametrize("topic", TOPICS)
def test_every_field_is_listed_once(topic: str) -> None:
    """Each field is in clear, sealed, or sealed item by item: one of them, and none is made up."""
    layout = LAYOUTS[topic]
    items = [layout.each[0]] if layout.each else []
    listed = [*layout.clear, *layout.sealed, *items]
    assert sorted(listed) == sorted(fields_of(layout).keys() - IN_COLUMNS)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_sealed_field_has_a_default_that_is_nothing(topic: str) -> None:
    """What is sealed may be erased, and then None or an empty tuple is left of it."""
    layout = LAYOUTS[topic]
    items = [layout.each[0]] if layout.each else []
    fields = fields_of(layout)
    assert [
        name for name in [*layout.sealed, *items] if fields[name].default not in (None, ())
    ] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_the_key_of_a_section_is_named_in_clear(topic: str) -> None:
    """Whose key seals a section can be known before anything is opened."""
    layout = LAYOUTS[topic]
    assert layout.under == UNDER_COMPANY or layout.under in layout.clear
    assert layout.each is None or layout.each[1] in layout.clear


@pytest.mark.parametrize("topic", TOPICS)
def test_who_wrote_it_down_lies_in_clear(topic: str) -> None:
    """An auditor sees the actor of every event without a key."""
    assert {"actor", "on_behalf_of", "digest"} <= set(LAYOUTS[topic].clear)


def test_a_block_of_the_golden_file_is_read() -> None:
    """A layout has sorted names, the section's owner, and the pair of item lists."""
    topic = "interaction.recorded"
    text = f"# why\n\n{topic}\n  under subject\n  clear b a\n  sealed\n  each y x\n"
    layout = parse_golden(text)[topic]
    assert layout.clear == ("a", "b")
    assert layout.sealed == ()
    assert layout.each == ("y", "x")
    assert layout.under == "subject"
    assert layout.version == 1


def _with_role(fields: dict[str, object]) -> dict[str, object]:
    return {**fields, "role": fields.get("role", "agent")}


def test_an_upcaster_has_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upcaster under a topic raises its version, and an event written before it goes through."""
    keys = MemoryKeys()
    ledger = UUID(int=1)
    added = events.UserAdded(
        originator_id=UUID(int=2),
        originator_version=1,
        actor=events.Actor("user", "rosa"),
        user=UUID(int=3),
        name="Luis",
    )
    topic, state = Codec(layouts(), keys, ledger, repeating(1)).seal(added)
    monkeypatch.setitem(upcasters.UPCASTERS, topic, (_with_role,))
    today = Codec(layouts(), keys, ledger, repeating(2))
    assert layouts()[topic].version == 2
    opened = today.open(StoredEntry(1, UUID(int=2), 1, topic, 0, None, state)).event
    assert opened == msgspec.structs.replace(added, role="agent")
