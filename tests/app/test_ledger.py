"""The ledger over its real stores: facts once, decisions in order, contacts by address."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.commands import ContactFields, Correction, ReportChange, ReportDelivery
from domain.conversation_book import Look
from domain.errors import AddressTaken, ChangedMeanwhile, Conflict, KeyReused
from domain.events import InteractionRecorded
from domain.recording import interaction_stream
from domain.values import Origin
from tests.app.ledgers import opened, run
from tests.backends import Backend
from tests.domain.commands import BY_ROSA, BY_TOKEN, NOON, ROSA, keyed, said


def test_the_same_key_is_one_interaction(backend: Backend) -> None:
    """A repeat answers with the first id and writes nothing; other content is a conflict."""
    with opened(backend) as composition:
        ledger = composition.ledger
        first = run(ledger.record(said(), BY_TOKEN))
        again = run(ledger.record(said(), BY_TOKEN))
        assert (first.id, first.duplicate) == (1, False)
        assert (again.id, again.duplicate, again.contact) == (1, True, first.contact)
        with pytest.raises(Conflict) as caught:
            run(ledger.record(said("otro texto"), BY_TOKEN))
        assert caught.value.position == 1
        assert composition.log.head() == 1


def test_first_mentions_are_written_once(backend: Backend) -> None:
    """The first message of a department brings its name; the second does not."""
    with opened(backend) as composition:
        ledger = composition.ledger
        run(ledger.record(said(department="Ventas", attended_by="Rosa Díaz"), BY_TOKEN))
        assert [composition.log.entry(n).topic for n in (1, 2, 3)] == [  # type: ignore[union-attr]  # all three are there
            "interaction.recorded",
            "user.added",
            "department.set",
        ]
        again = said(key="wamid.2", department="ventas", attended_by="ROSA  díaz")
        run(ledger.record(again, BY_TOKEN))
        assert composition.log.head() == 4


def test_one_phone_is_one_subject_over_all_channels(backend: Backend) -> None:
    """A call, an SMS and a WhatsApp message of one number are one contact."""
    with opened(backend) as composition:
        receipts = [
            run(composition.ledger.record(said(key=f"k{n}", source=source), BY_TOKEN))
            for n, source in enumerate(("whatsapp:1", "sms:1", "call:1"))
        ]
        assert len({receipt.contact for receipt in receipts}) == 1


def test_facts_may_come_before_their_message_and_twice(backend: Backend) -> None:
    """A status of an unknown message is kept; told twice it is a duplicate."""
    with opened(backend) as composition:
        about = interaction_stream(composition.keys.derive, "whatsapp:1", "wamid.1")
        report = ReportDelivery(
            about=about, source="whatsapp:1", word="read", at=NOON, recipient="tel:+525512345678"
        )
        assert not run(composition.ledger.report(report, BY_TOKEN)).duplicate
        assert run(composition.ledger.report(report, BY_TOKEN)).duplicate
        change = ReportChange(
            kind="reaction",
            about=about,
            source="whatsapp:1",
            key="wamid.9",
            address="tel:+525512345678",
            at=NOON,
            emoji="👍",
        )
        assert run(composition.ledger.report(change, BY_TOKEN)).position == 2


def recorded(composition: object, position: int) -> InteractionRecorded:
    """The interaction at a position."""
    event = composition.log.entry(position).event  # type: ignore[attr-defined]  # a composition
    assert isinstance(event, InteractionRecorded)
    return event


def test_corrections_follow_each_other_and_repeat_by_key(backend: Backend) -> None:
    """A correction with a key is done once; the key with another body is refused."""
    with opened(backend) as composition:
        ledger = composition.ledger
        receipt = run(ledger.record(said(origin=Origin.MANUAL, source="manual"), BY_ROSA))
        event = recorded(composition, receipt.id)
        wanted = Correction(fields=("text",), reason="errata", text="Hola, Rosa")
        first = run(ledger.annotations.correct(event, wanted, keyed(BY_ROSA, 1)))
        assert first
        assert not first.duplicate
        again = run(ledger.annotations.correct(event, wanted, keyed(BY_ROSA, 1)))
        assert again
        assert (again.position, again.duplicate) == (first.position, True)
        other = keyed(BY_ROSA, 2)
        reused = type(other)(other.actor, None, type(other.repeatable)(UUID(int=1), b"x" * 32))  # type: ignore[misc]  # it is there
        with pytest.raises(KeyReused):
            run(ledger.annotations.correct(event, wanted, reused))
        assert run(ledger.annotations.correct(event, wanted, keyed(BY_ROSA, 3))) is None
        assert run(ledger.annotations.retract(event, "nunca pasó", BY_ROSA))
        assert run(ledger.annotations.retract(event, "nunca pasó", BY_ROSA)) is None


def test_a_contact_made_by_hand_owns_its_addresses(backend: Backend) -> None:
    """An address of a contact cannot be taken by a second one; a message finds its owner."""
    fields = ContactFields(
        fields=("name",),
        name="Ana Núñez",
        addresses=("tel:+525512345678", "mailto:ana@example.com"),
    )
    with opened(backend) as composition:
        ledger = composition.ledger
        contact, made = run(ledger.contacts.create(fields, BY_ROSA))
        assert not made.duplicate
        composition.follower.catch_up()
        with pytest.raises(AddressTaken) as caught:
            run(ledger.contacts.create(fields, BY_ROSA))
        assert caught.value.contact == str(contact)
        assert run(ledger.record(said(), BY_TOKEN)).contact == contact
        mail = said(key="m", resource="mailto:ana@example.com")
        assert run(ledger.record(mail, BY_TOKEN)).contact == contact


def test_describing_a_contact_expects_its_version(backend: Backend) -> None:
    """A change on an older version is refused; one that changes nothing leaves no trace."""
    with opened(backend) as composition:
        ledger = composition.ledger
        contact, _ = run(ledger.contacts.create(ContactFields(fields=()), BY_ROSA))
        named = ContactFields(fields=("name", "owner"), name="Ana", owner=ROSA)
        assert run(ledger.contacts.describe(contact, named, BY_ROSA, expected=1))
        assert run(ledger.contacts.describe(contact, named, BY_ROSA)) is None
        with pytest.raises(ChangedMeanwhile):
            run(ledger.contacts.describe(contact, named, BY_ROSA, expected=1))


def test_seeing_twice_is_once(backend: Backend) -> None:
    """The same reading mark is one event; after it was marked unread, another one."""
    with opened(backend) as composition:
        contact = run(composition.ledger.record(said(), BY_TOKEN)).contact
        see = composition.ledger.conversations.see
        assert not run(see(Look(contact, ROSA, 1), BY_ROSA)).duplicate
        assert run(see(Look(contact, ROSA, 1), BY_ROSA)).duplicate
        assert not run(see(Look(contact, ROSA, 1, after=9), BY_ROSA)).duplicate
