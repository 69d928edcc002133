"""Subjects and contacts: names, links, lists, and the hints for those who append."""

from __future__ import annotations

from domain.values import Role
from projections.base import Projection
from projections.contact_pages import contact_of, members_of, row_of
from projections.directory import DirectoryProjection, Roots, split_ids
from projections.directory_rows import CONTACTS, SUBJECTS, ContactRow, SubjectRow
from projections.views import Reading
from tests.backends import Backend
from tests.projections.desk import Desk, desk
from tests.projections.story import Story, moment, party, subject_of

ANA = "tel:+525512345678"
ANA_ID = "whatsapp:106540352242922/MX.1001"
LUIS = "tel:+525587654321"
PROJECTIONS: tuple[Projection, ...] = (DirectoryProjection(),)


def _contact(at: Desk, address: str) -> ContactRow:
    with at.views.reading() as reading:
        found = contact(reading, subject_of(address).bytes)
    assert found is not None
    return found


def contact(reading: Reading, id: bytes) -> ContactRow | None:
    """The contact that a subject belongs to."""
    return row_of(reading, contact_of(reading, id) or b"")


def subjects(reading: Reading, id: bytes) -> list[SubjectRow]:
    """The rows of a contact's addresses, in their order."""
    listed = ", ".join(SUBJECTS.columns)
    sql = f"SELECT {listed} FROM {reading.name(SUBJECTS)} WHERE subject = ?"
    return [
        SubjectRow(*reading.fetch(sql, (member,))[0])
        for member in members_of(reading, contact_of(reading, id) or b"")
    ]


def test_an_unseen_address_is_a_contact(backend: Backend) -> None:
    """The first message of an address makes a contact whose id is its subject."""
    story = Story()
    story.inbound(ANA, "hola", at=10, contact_name="Ana Núñez")
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        (row,) = at.rows(CONTACTS)
        (subject,) = at.rows(SUBJECTS)
    assert row.contact == subject.subject == subject_of(ANA).bytes
    assert (row.name, row.folded, row.created, row.version) == (
        "Ana Núñez",
        "ana nunez",
        "observed",
        0,
    )
    assert (row.since, row.last_at) == (moment(10), moment(10))
    assert (subject.address, subject.number, subject.channels) == (ANA, 0, "whatsapp")


def test_the_latest_message_names_the_contact_until_a_person_does(backend: Backend) -> None:
    """A late old name changes nothing; a name by hand wins and is cleared by hand."""
    story = Story()
    story.inbound(ANA, at=100, contact_name="Ana")
    story.inbound(ANA, at=50, contact_name="Anita")
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        assert _contact(at, ANA).name == "Ana"
        story.named(subject_of(ANA), name="Ana Núñez", company="Autos SA", language="es")
        at.feed(story.entries)
        row = _contact(at, ANA)
        assert (row.name, row.company, row.language, row.version) == (
            "Ana Núñez",
            "Autos SA",
            "es",
            1,
        )
        story.inbound(ANA, at=900, contact_name="Anita N")
        story.named(subject_of(ANA), name=None)
        at.feed(story.entries)
        row = _contact(at, ANA)
        assert (row.name, row.company, row.version) == ("Anita N", "Autos SA", 2)


def test_an_asserted_pair_is_one_contact_and_an_alias_is_not(backend: Backend) -> None:
    """Phone and user id of one message are one contact; what a sender typed is a suggestion."""
    story = Story()
    typed = party("mailto:ana@example.mx", asserted=False)
    story.inbound(ANA, at=1, with_parties=[party(ANA_ID), typed])
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        assert split_ids(_contact(at, ANA).members) == [
            subject_of(ANA).bytes,
            subject_of(ANA_ID).bytes,
        ]
        assert _contact(at, ANA_ID).contact == subject_of(ANA).bytes
        assert (
            _contact(at, "mailto:ana@example.mx").contact
            == subject_of("mailto:ana@example.mx").bytes
        )


def test_a_pair_that_is_seen_later_brings_two_contacts_together(backend: Backend) -> None:
    """Two contacts become one, under the older id, with the older's row and no other."""
    story = Story()
    story.inbound(ANA_ID, at=1, contact_name="ana")
    story.inbound(ANA, at=2)
    story.inbound(ANA, at=3, with_parties=[party(ANA_ID)])
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries, page=1)
        (row,) = at.rows(CONTACTS)
    assert row.contact == subject_of(ANA_ID).bytes
    assert (row.name, len(row.members)) == ("ana", 32)


def test_a_link_by_hand_moves_an_address(backend: Backend) -> None:
    """An address comes to the contact it was linked to, and leaves it with the next link."""
    story = Story()
    story.inbound(ANA, at=1)
    story.inbound(LUIS, at=2)
    story.inbound("tel:+525500000001", at=3)
    story.linked(subject_of(ANA), LUIS)
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        assert _contact(at, LUIS).contact == subject_of(ANA).bytes
        assert _contact(at, ANA).version == 1
        with at.views.reading() as reading:
            held = subjects(reading, subject_of(ANA).bytes)
        assert [(row.address, row.parent_by) for row in held] == [(ANA, None), (LUIS, "user")]
        story.linked(subject_of("tel:+525500000001"), LUIS)
        at.feed(story.entries)
        assert _contact(at, LUIS).contact == subject_of("tel:+525500000001").bytes
        assert split_ids(_contact(at, ANA).members) == [subject_of(ANA).bytes]


def test_a_contact_made_by_hand_says_so(backend: Backend) -> None:
    """A contact without any interaction has its name, its address and how it was made."""
    story = Story()
    story.named(subject_of(LUIS), name="Luis", created="user", address=LUIS)
    story.linked(subject_of(LUIS), "mailto:Luis@example.mx")
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        row = _contact(at, LUIS)
        assert (row.name, row.created, row.version, len(row.members)) == ("Luis", "user", 2, 32)


def test_participants_are_contacts_too(backend: Backend) -> None:
    """Every outside participant stands in the directory, under the name the message gave."""
    story = Story()
    copied = party("mailto:jefe@example.com", Role.CC, asserted=False, name="El jefe")
    story.inbound("mailto:ana@example.mx", at=1, with_parties=[copied])
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        assert _contact(at, "mailto:jefe@example.com").name == "El jefe"


def test_an_appender_knows_whose_address_it_is(backend: Backend) -> None:
    """Roots answers with the contact, with the subject itself where nothing is known or serves."""
    story = Story()
    story.inbound(ANA, at=1)
    story.inbound(ANA_ID, at=2)
    with desk(backend.views_url, PROJECTIONS) as at:
        roots = Roots(at.views, age_s=0)
        assert roots.contact_of(subject_of(ANA_ID)) == subject_of(ANA_ID)
        at.feed(story.entries)
        assert roots.contact_of(subject_of(ANA_ID)) == subject_of(ANA_ID)
        story.inbound(ANA, at=3, with_parties=[party(ANA_ID)])
        at.feed(story.entries)
        assert roots.contact_of(subject_of(ANA_ID)) == subject_of(ANA)
        at.rebuild(story.entries[:2])
        assert roots.contact_of(subject_of(ANA_ID)) == subject_of(ANA_ID)


def test_one_who_was_just_made_is_not_looked_up(backend: Backend) -> None:
    """A subject that was just made is its own contact, until the views say that it moved."""
    story = Story()
    story.inbound(ANA, at=1)
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        roots = Roots(at.views, age_s=0)
        assert roots.contact_of(subject_of(ANA)) == subject_of(ANA)
        roots.made([subject_of(ANA_ID).bytes])
        assert not roots.knows(subject_of(ANA_ID))
        assert roots.contact_of(subject_of(ANA_ID)) == subject_of(ANA_ID)
        story.inbound(ANA_ID, at=2)
        story.inbound(ANA, at=3, with_parties=[party(ANA_ID)])
        at.feed(story.entries)
        assert roots.contact_of(subject_of(ANA_ID)) == subject_of(ANA)
        assert roots.knows(subject_of(ANA_ID))


def test_an_old_name_of_one_address_may_be_the_latest_of_the_contact(backend: Backend) -> None:
    """Of several addresses' names the one that was used last counts, also where it is no news."""
    story = Story()
    story.inbound(ANA, at=1, contact_name="Ana", with_parties=[party(ANA_ID)])
    story.inbound(ANA_ID, at=2, contact_name="Anita")
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        assert _contact(at, ANA).name == "Anita"
        story.inbound(ANA, at=3, contact_name="Ana")
        at.feed(story.entries)
        assert _contact(at, ANA).name == "Ana"
