"""Events of older and of later versions: the first are read as today's, the second refused."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from domain import events as ev
from domain import values as v
from domain.errors import NewerData
from domain.events import Event
from domain.ports import Layout
from storage.codec import Codec
from tests.storage.keys import MemoryKeys, repeating
from tests.storage.sealed import ANA, LEDGER, LUIS, STREAM, stored


class Renamed(Event, frozen=True, kw_only=True):
    """A test event as it is today: `title` was called `name`, and `size` was not known."""

    subject: UUID
    size: int
    title: str | None = None
    items: tuple[ev.Identity, ...] = ()
    owners: tuple[ev.Party, ...] = ()


class Before(Event, frozen=True, kw_only=True):
    """The same event as it was first written."""

    subject: UUID
    name: str | None = None
    items: tuple[ev.Identity, ...] = ()
    owners: tuple[ev.Party, ...] = ()


def _to_2(fields: dict[str, object]) -> dict[str, object]:
    return {"title": fields.get("name"), **{k: x for k, x in fields.items() if k != "name"}}


def _to_3(fields: dict[str, object]) -> dict[str, object]:
    return {**fields, "size": 0}


FIRST = Layout(
    topic="test.renamed",
    event_class=Before,
    clear=("actor", "owners", "subject"),
    sealed=("name",),
    under="subject",
    each=("items", "owners"),
)
TODAY = Layout(
    topic="test.renamed",
    event_class=Renamed,
    clear=("actor", "owners", "size", "subject"),
    sealed=("title",),
    under="subject",
    each=("items", "owners"),
    version=3,
    upcasters=(_to_2, _to_3),
)


def test_an_older_version_is_read_as_todays() -> None:
    """Clear, sealed and item fields of a first version go through each upcaster in order."""
    keys = MemoryKeys()
    old = Before(
        originator_id=STREAM,
        originator_version=4,
        actor=ev.Actor("user", "rosa"),
        subject=ANA,
        name="Ana",
        items=(ev.Identity("tel:+525512345678"),),
        owners=(ev.Party(LUIS, "tel", v.Role.TO),),
    )
    entry = stored(Codec({"test.renamed": FIRST}, keys, LEDGER, repeating(2)), old)
    today = Codec({"test.renamed": TODAY}, keys, LEDGER, repeating(3))
    expected = Renamed(
        originator_id=STREAM,
        originator_version=4,
        actor=old.actor,
        subject=ANA,
        size=0,
        title="Ana",
        items=old.items,
        owners=old.owners,
    )
    assert today.open(entry).event == expected
    assert today.open(stored(today, expected)).event == expected
    assert today.clear_of(stored(today, expected))["_v"] == 3
    keys.destroy(ANA)
    assert today.open(entry).event == msgspec.structs.replace(expected, title=None)


def test_a_later_version_is_refused() -> None:
    """What a newer program wrote is not misread by an older one."""
    keys = MemoryKeys()
    event = Renamed(
        originator_id=STREAM,
        originator_version=1,
        actor=ev.Actor("user", "rosa"),
        subject=ANA,
        size=1,
    )
    entry = stored(Codec({"test.renamed": TODAY}, keys, LEDGER, repeating(2)), event)
    with pytest.raises(NewerData, match=r"test\.renamed"):
        Codec({"test.renamed": FIRST}, keys, LEDGER, repeating(3)).open(entry)


@pytest.mark.parametrize(
    ("layout", "what"),
    [
        (msgspec.structs.replace(FIRST, sealed=("subject",)), "default"),
        (msgspec.structs.replace(FIRST, sealed=()), "section 0"),
        (msgspec.structs.replace(FIRST, version=2), "upcasters"),
        (msgspec.structs.replace(FIRST, each=("name", "owners")), "no tuple"),
    ],
)
def test_a_layout_that_would_lose_something_is_refused(layout: Layout, what: str) -> None:
    """A wrong layout stops the program before anything is written."""
    with pytest.raises(ValueError, match=what):
        Codec({"test.renamed": layout}, MemoryKeys(), LEDGER, repeating(1))
