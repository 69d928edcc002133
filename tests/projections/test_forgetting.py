"""What the views forget: purged, they are the same as made anew without the keys."""

from __future__ import annotations

import random
from collections.abc import Iterator
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.values import Role
from projections.directory_rows import CONTACTS, HINTS, SUBJECTS, card_of, split_ids
from projections.timeline import INTERACTIONS
from tests.backends import Backend
from tests.projections import kin, pairing, working
from tests.projections.desk import Desk, desk
from tests.projections.erasing import erased, held, lifted, without_keys
from tests.projections.story import Story, contact_stream, derived, party, subject_of
from tests.projections.tales import ADDRESSES, PHONES, Teller, rich_story, told_in_order
from tests.projections.test_contract import every_projection

EXAMPLES = 4
"""Random histories a database; each costs three passes over a rich log."""

random_history = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def members_of(at: Desk, subject: UUID) -> tuple[UUID, list[UUID]]:
    """The contact of a subject, and all its subjects."""
    row = next(row for row in at.rows(CONTACTS) if subject.bytes in split_ids(row.members))
    return UUID(bytes=row.contact), [UUID(bytes=one) for one in split_ids(row.members)]


def some_known(at: Desk, dice: random.Random) -> UUID:
    """A subject that the story told of."""
    known = {row.subject for row in at.rows(SUBJECTS)}
    return dice.choice([one for one in map(subject_of, ADDRESSES) if one.bytes in known])


def go_on(story: Story, seed: int) -> None:
    """What others do after the erasure; nothing more is sealed for who was erased."""
    number = seed % 97
    story.inbound("tel:+525577777777", f"hola {number}", at=30_000)
    story.outbound("tel:+525577777777", "diga", at=30_001)
    story.seen(subject_of("tel:+525577777777"), "Rosa", len(story.entries))


@random_history
@given(seed=st.integers(0, 2**32), page=st.integers(5, 60))
def test_purged_equals_rebuilt_without_the_keys(backend: Backend, seed: int, page: int) -> None:
    """Live views that an erasure went through have the bytes of a replay without the keys, twice.

    A replay that read the first part of the log before the keys were destroyed has them too.
    """
    dice = random.Random(seed)
    story = told_in_order(Teller(seed).epochs(3, 20))
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild()
        at.feed(story.entries, page=page)
        gone: set[UUID] = set()
        for _ in range(2):
            contact, subjects = members_of(at, some_known(at, dice))
            if not gone.isdisjoint(subjects):
                continue
            gone |= set(subjects)
            erased(story, contact, subjects)
            go_on(story, seed)
            at.feed(story.entries, page=page)
        purged = at.checksums()
        at.rebuild(without_keys(story.entries, gone))
        assert at.checksums() == purged
        at.rebuild(story.entries)
        assert at.checksums() == purged


def everything(at: Desk) -> Iterator[bytes]:
    """Every value of every row, as bytes."""
    for table in at.group.tables:
        for row in at.rows(table):
            for name in row.__struct_fields__:
                value = getattr(row, name)
                yield value if isinstance(value, bytes) else str(value).encode()


def told_of_ana() -> tuple[Story, str, str]:
    """A story in which all that may lie sealed says MARKER somewhere, and whose contact it is."""
    story = Story()
    ana, other, luis = PHONES[0], "whatsapp:106540352242922/MARKER", PHONES[1]
    story.user("Rosa")
    told = [party(other, name="MARKER Ana")]
    first = story.inbound(ana, "MARKER hola", contact_name="MARKER", with_parties=told, thread="M")
    about = first.event.originator_id
    story.edited(about, ana, "MARKER cambio")
    story.reaction(about, ana, "MARKER")
    story.status(about, "failed", message="MARKER no existe", subject=subject_of(ana))
    story.corrected(about, ana, text="MARKER corregido", reason="MARKER")
    story.retracted(about, ana, reason="MARKER")
    copy = party(ana, Role.CC, asserted=False, name="MARKER Ana")
    with_her = story.inbound(luis, "con copia", with_parties=[copy])
    story.reaction(with_her.event.originator_id, ana, "MARKER")
    story.named(subject_of(ana), name="MARKER Núñez", company="MARKER SA")
    working.struck(story, working.noted(story, ana, "MARKER nota"), reason="MARKER")
    one, two = story.outbound(ana, "MARKER uno"), story.outbound(ana, "MARKER dos")
    pairing.linked(story, one, two)
    kin.merged(story, ana, PHONES[2], reason="MARKER")
    kin.unlinked(story, ana, other)
    held(story, subject_of(ana), derived("hold", 1), reason="MARKER")
    return story, ana, luis


def test_no_word_is_left_in_any_row(backend: Backend) -> None:
    """Of all that lay sealed nothing is in any column; others keep theirs, counts stay."""
    story, ana, luis = told_of_ana()
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild(story.entries)
        assert any(b"MARKER" in value for value in everything(at))
        before = len(at.rows(INTERACTIONS))
        contact, subjects = members_of(at, subject_of(ana))
        told_apart = subject_of("whatsapp:106540352242922/MARKER")
        lifted(story, subject_of(ana), derived("hold", 1), reason="MARKER")
        erased(story, contact, {*subjects, told_apart})
        at.feed(story.entries)
        assert [value for value in everything(at) if b"MARKER" in value] == []
        assert len(at.rows(INTERACTIONS)) == before
        assert any(b"con copia" in value for value in everything(at))
        rows = {row.subject: row for row in at.rows(SUBJECTS)}
        assert rows[subject_of(luis).bytes].address == luis
        card = card_of(rows[contact.bytes])
        assert card.erased is not None
        assert card.erased[0] == len(story.entries)
        version = at_version(story, contact)
        assert card.version == version


def at_version(story: Story, contact: UUID) -> int:
    """The last version of a contact's stream."""
    return story._next(contact_stream(contact)) - 1


def test_who_came_to_a_contact_meanwhile_is_no_part_of_its_erasure(backend: Backend) -> None:
    """An address that was linked after the plan was made is a contact of its own afterwards."""
    story = Story()
    told = [party(ADDRESSES[4], name="Ana")]
    story.inbound(PHONES[0], "hola", with_parties=told)
    story.linked(subject_of(PHONES[0]), PHONES[1])
    story.inbound(PHONES[2], "hola", with_parties=[party(PHONES[0], Role.ALIAS, asserted=False)])
    erased(story, subject_of(PHONES[0]), [subject_of(PHONES[0])])
    with desk(backend.views_url, every_projection()) as at:
        at.feed(story.entries)
        for alone in (PHONES[0], PHONES[1], ADDRESSES[4]):
            contact, members = members_of(at, subject_of(alone))
            assert (contact, members) == (subject_of(alone), [subject_of(alone)])
        assert at.rows(HINTS) == []
        story.inbound(PHONES[2], "otra", with_parties=[party(ADDRESSES[4], name="Ana")])
        at.feed(story.entries)
        assert len(members_of(at, subject_of(PHONES[2]))[1]) == 2


def test_an_erasure_of_everybody_leaves_a_skeleton(backend: Backend) -> None:
    """With every contact of a rich story erased, purged and rebuilt are still the same."""
    story = rich_story()
    with desk(backend.views_url, every_projection()) as at:
        at.rebuild(story.entries)
        contacts = at.rows(CONTACTS)
        gone: set[UUID] = set()
        for row in contacts:
            subjects = [UUID(bytes=one) for one in split_ids(row.members)]
            gone |= set(subjects)
            erased(story, UUID(bytes=row.contact), subjects)
        at.feed(story.entries)
        purged = at.checksums()
        at.rebuild(without_keys(story.entries, gone))
        assert at.checksums() == purged
