"""What people may write down of a contact: given events, when a decision, then events."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest

from domain.commands import By, ContactFields
from domain.contact import (
    Contact,
    Handover,
    Tie,
    contact_stream,
    create,
    hand_over,
    link,
    merge,
    name,
    project,
    undo,
    unlink,
)
from domain.errors import WrongState
from domain.events import Actor, Event
from tests.domain.commands import BY_ROSA, DERIVE, ROSA

ANA = UUID(int=5)
FRESH = Contact(contact_stream(DERIVE, ANA))
NAMED = ContactFields(fields=("name", "owner"), name="Ana Núñez", owner=ROSA)


def test_making_a_contact_is_written_even_without_a_name() -> None:
    """A contact made by hand has its event, its first address sealed in it."""
    event = create(FRESH, ANA, "tel:+525512345678", ContactFields(fields=()), BY_ROSA)
    assert (event.created, event.fields, event.address) == ("user", (), "tel:+525512345678")
    imported = create(FRESH, ANA, "tel:+1", NAMED, By(Actor("import", "old")))
    assert imported.created == "import"


def test_name_says_only_what_changes() -> None:
    """Writing the same name again leaves no trace; a new owner alone is in the event."""
    first = name(FRESH, ANA, NAMED, BY_ROSA)
    known = project(None, [first] if first else [])
    assert known
    assert name(known, ANA, NAMED, BY_ROSA) is None
    fields = ContactFields(fields=("name", "owner"), name="Ana Núñez")
    again = name(known, ANA, fields, BY_ROSA)
    assert again
    assert (again.fields, again.owner, again.originator_version) == (("owner",), None, 2)


def test_addresses_follow_each_other_in_the_stream() -> None:
    """Each new address is an event at the next version; one that is there is left out."""
    phone, mail = UUID(int=6), UUID(int=7)
    events = link(FRESH, ANA, ["tel:+525512345678", "mailto:a@example.com"], [phone, mail], BY_ROSA)
    assert [(e.originator_version, e.subject, e.scheme) for e in events] == [
        (1, phone, "tel"),
        (2, mail, "mailto"),
    ]
    known = project(None, events)
    assert known
    assert link(known, ANA, ["mailto:a@example.com"], [mail], BY_ROSA) == []
    assert link(known, ANA, ["tel:+525500000000"], [ANA], BY_ROSA) == []


# ------------------------------------------------------------------------------ belonging

BETO = UUID(int=8)
OTHER = Contact(contact_stream(DERIVE, BETO))
TIE = Tie(UUID(int=90), ANA, BETO, "la misma")


def after(contact: Contact, events: Sequence[Event]) -> Contact:
    """A contact after those of the events that are of its stream."""
    mine = [event for event in events if event.originator_id == contact.id]
    return project(contact, mine) or contact


def test_a_merge_is_an_event_for_each_of_the_two() -> None:
    """Each stands in its contact's stream at its next version, and says the same."""
    events = merge(FRESH, Contact(OTHER.id, version=3), TIE, BY_ROSA)
    assert [(e.originator_id, e.originator_version, e.contact) for e in events] == [
        (FRESH.id, 1, ANA),
        (OTHER.id, 4, BETO),
    ]
    assert {(e.merge, e.survivor, e.absorbed, e.reason) for e in events} == {
        (TIE.merge, ANA, BETO, "la misma")
    }


def test_who_belongs_to_another_is_merged_no_more() -> None:
    """Neither into a third, nor a third into them; the survivor may go on."""
    events = merge(FRESH, OTHER, TIE, BY_ROSA)
    ana, beto = after(FRESH, events), after(OTHER, events)
    third = Contact(contact_stream(DERIVE, UUID(int=9)))
    for survivor, absorbed in ((third, beto), (beto, third), (ana, beto), (beto, ana)):
        with pytest.raises(WrongState):
            merge(survivor, absorbed, TIE, BY_ROSA)
    assert merge(third, ana, TIE, BY_ROSA)


def test_an_undoing_is_of_one_merge() -> None:
    """It takes back the merge that it names, once; afterwards both are free again."""
    events = merge(FRESH, OTHER, TIE, BY_ROSA)
    ana, beto = after(FRESH, events), after(OTHER, events)
    another = Tie(UUID(int=91), ANA, BETO)
    assert undo(ana, beto, another, BY_ROSA) == []
    undoings = undo(ana, beto, TIE, BY_ROSA)
    assert [e.originator_version for e in undoings] == [2, 2]
    ana, beto = after(ana, undoings), after(beto, undoings)
    assert undo(ana, beto, TIE, BY_ROSA) == []
    assert merge(beto, ana, Tie(UUID(int=92), BETO, ANA), BY_ROSA)


def test_an_address_is_linked_again_after_it_was_taken_off() -> None:
    """Taken off it is as if it had never been linked; on which a merge hangs it stays."""
    mail = UUID(int=7)
    linked = link(FRESH, ANA, ["mailto:a@example.com"], [mail], BY_ROSA)
    known = after(FRESH, linked)
    off = unlink(known, ANA, mail, BY_ROSA)
    assert (off.originator_version, off.subject) == (2, mail)
    assert link(after(known, [off]), ANA, ["mailto:a@example.com"], [mail], BY_ROSA)
    merged = after(FRESH, merge(FRESH, OTHER, TIE, BY_ROSA))
    with pytest.raises(WrongState):
        unlink(merged, ANA, ANA, BY_ROSA)


def test_a_number_is_handed_over_with_its_date() -> None:
    """The event says who had it, who has it, from when on; the address is the new one's to seal."""
    given = Handover(ANA, UUID(int=10), 1_000, "tel:+525512345678")
    event = hand_over(FRESH, ANA, given, BY_ROSA)
    assert (event.subject, event.successor, event.from_at) == (ANA, UUID(int=10), 1_000)
    assert (event.scheme, event.scope, event.address) == ("tel", None, "tel:+525512345678")
    assert after(FRESH, [event]).given == {ANA}
