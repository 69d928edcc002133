"""From a command to the events of an interaction."""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec import structs

from domain.commands import Alias, Participant, RecordInteraction
from domain.events import DepartmentSet, InteractionRecorded
from domain.ports import Pending
from domain.recording import Resolved, interaction_stream, recording_unit, same_content
from domain.values import Channel, Direction, Role, TimeSource
from tests.domain.commands import BY_TOKEN, DERIVE, NOON, ROSA, said

SUBJECTS = tuple(UUID(int=number) for number in range(1, 9))


def recorded(command: RecordInteraction, *domains: str) -> InteractionRecorded:
    """The event that a command becomes, with made-up subjects."""
    resolved = Resolved(BY_TOKEN, own_domains=frozenset(domains))
    unit = recording_unit(command, resolved, DERIVE)
    event = unit.build(SUBJECTS[: len(unit.seekers)])[0].event
    assert isinstance(event, InteractionRecorded)
    return event


def test_counterpart_is_who_began_or_received() -> None:
    """Inbound, the sender is the subject; outbound, the receiver is."""
    sent = said(direction=Direction.OUTBOUND)
    assert recording_unit(said(), Resolved(BY_TOKEN), DERIVE).seekers[0].address == said().resource
    assert recording_unit(sent, Resolved(BY_TOKEN), DERIVE).seekers[0].address == sent.destination


def test_without_an_address_the_contact_itself_is_the_counterpart() -> None:
    """A walk-in of a known contact needs no address: its subject is the contact."""
    command = said(channel=Channel.WALK_IN, resource=None, contact=ROSA)
    seekers = recording_unit(command, Resolved(BY_TOKEN), DERIVE).seekers
    assert [seeker.address for seeker in seekers] == [f"contact:{ROSA}"]


def test_stream_is_derived_from_source_and_key() -> None:
    """The same key of the same source is one stream, of another source another."""
    first = recorded(said()).originator_id
    assert first == interaction_stream(DERIVE, "whatsapp:1", "wamid.1")
    assert recorded(said(namespace="whatsapp:2")).originator_id != first


def test_aliases_are_parties_with_their_scheme_in_clear() -> None:
    """An asserted alias stands in clear as subject, scheme and scope; its address is sealed."""
    alias = Alias("whatsapp:77/US.13", asserted=True)
    event = recorded(said(aliases=(alias,)))
    party = event.parties[0]
    assert (party.subject, party.scheme, party.scope) == (SUBJECTS[1], "whatsapp", "77")
    assert party.asserted
    assert party.role is Role.ALIAS
    assert event.identities[0].address == alias.address


def test_participants_of_our_own_side_are_never_subjects() -> None:
    """Our address, an own domain and company schemes are sealed with the content."""
    people = (
        Participant("mailto:ana@example.com", Role.FROM),
        Participant("mailto:ventas@hilo.example", Role.TO),
        Participant("mailto:jefe@casa.example", Role.CC),
        Participant("mailto:luis@example.com", Role.CC, "Luis"),
    )
    command = said(
        channel=Channel.EMAIL,
        namespace="email",
        resource="mailto:ana@example.com",
        destination="mailto:ventas@hilo.example",
        participants=people,
    )
    event = recorded(command, "casa.example")
    assert [person.address for person in event.own_participants] == [
        "mailto:ventas@hilo.example",
        "mailto:jefe@casa.example",
    ]
    assert [(i.address, i.name) for i in event.identities] == [("mailto:luis@example.com", "Luis")]
    assert event.participant_count == len(people)


def test_the_counterpart_keeps_its_seat() -> None:
    """Whoever is at the other end stands in the record with role, place and name as well."""
    people = (
        Participant("mailto:ventas@hilo.example", Role.TO),
        Participant("mailto:ANA@example.com", Role.FROM, "Ana"),
    )
    command = said(
        channel=Channel.EMAIL,
        namespace="email",
        resource="mailto:ana@example.com",
        destination="mailto:ventas@hilo.example",
        contact_name=None,
        participants=people,
    )
    event = recorded(command)
    assert event.seat is not None
    assert (event.seat.role, event.seat.place, event.contact_name) == (Role.FROM, 1, "Ana")
    assert (event.parties, event.own_participants[0].place) == ((), 0)


def test_an_alias_that_took_part_is_both() -> None:
    """A further address of the counterpart that was named among the participants keeps its role."""
    alias = Alias("mailto:luis@example.com", asserted=True)
    person = Participant("mailto:luis@example.com", Role.CC)
    event = recorded(said(aliases=(alias,), participants=(person,)))
    party = event.parties[0]
    assert (party.role, party.asserted, party.place) == (Role.CC, True, 0)


def test_first_mentions_follow_the_interaction() -> None:
    """The interaction is the unit's first event, so its position is the unit's first."""
    mention = DepartmentSet(
        originator_id=UUID(int=99), originator_version=1, actor=BY_TOKEN.actor, key="ventas"
    )
    resolved = Resolved(BY_TOKEN, dictionary=(Pending(mention, if_absent=True),))
    unit = recording_unit(said(department="Ventas"), resolved, DERIVE)
    first, second = unit.build(SUBJECTS[:1])
    assert isinstance(first.event, InteractionRecorded)
    assert first.event.department == "ventas"
    assert second.event is mention


def test_answers_are_streams_except_in_mail() -> None:
    """A reply names the stream of what it answers; an e-mail the message-id, without brackets."""
    event = recorded(said(in_reply_to="wamid.0"))
    assert event.in_reply_to == interaction_stream(DERIVE, "whatsapp:1", "wamid.0")
    mail = recorded(said(namespace="email", in_reply_to="<a@b>", message_id="<c@d>"))
    assert mail.in_reply_to == DERIVE.id("message-id", "a@b")
    assert mail.message_id == DERIVE.id("message-id", "c@d")
    bare = recorded(said(namespace="email", in_reply_to="a@b"))
    assert bare.in_reply_to == mail.in_reply_to


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "otro"),
        ("subject_line", "Re: precio"),
        ("direction", Direction.OUTBOUND),
        ("channel", Channel.SMS),
        ("destination", "tel:+525500000000"),
        ("occurred_at", NOON + 1),
    ],
)
def test_other_content_under_the_same_key_differs(field: str, value: object) -> None:
    """Every field that the contract compares tells two contents apart."""
    assert not same_content(recorded(said()), structs.replace(said(), **{field: value}))


def test_what_may_change_between_deliveries_does_not_count() -> None:
    """Names, aliases, the original and a time that nobody gave leave the content the same."""
    again = said(
        contact_name="Ana",
        aliases=(Alias("whatsapp:77/US.13"),),
        original=b"{}",
        occurred_at=NOON + 5,
        time_source=TimeSource.RECEIVED,
    )
    assert same_content(recorded(said()), again)


def test_one_address_in_two_spellings_is_the_same_content() -> None:
    """A mail server that changes the case of a local part between deliveries makes no conflict."""
    mail = said(resource="mailto:Ana@example.com", destination="mailto:ventas@example.mx")
    again = structs.replace(mail, resource="mailto:ana@example.com")
    other = structs.replace(mail, resource="mailto:ana@example.org")
    assert same_content(recorded(mail), again)
    assert not same_content(recorded(mail), other)
    assert not same_content(recorded(mail), structs.replace(mail, resource=None))
