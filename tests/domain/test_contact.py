"""What people may write down of a contact: given events, when a decision, then events."""

from __future__ import annotations

from uuid import UUID

from domain.commands import By, ContactFields
from domain.contact import Contact, contact_stream, create, link, name, project
from domain.events import Actor
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
