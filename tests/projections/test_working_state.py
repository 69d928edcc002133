"""The working state of conversations in the inbox: a plain model beside it, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.events import Event
from domain.values import Auto, Origin
from projections import inbox_pages, rebuild
from projections.inbox import NOT_WAITING
from projections.inbox_pages import InboxFilters
from tests.backends import Backend
from tests.projections import working
from tests.projections.reading import Desk, desk_of
from tests.projections.shelf import Shelf
from tests.projections.story import Story, by_user, moment, subject_of, user_of

ANA = "tel:+525511111111"
ANA_META = "whatsapp:106540352242922/ana"
BETO = "tel:+525522222222"


@pytest.fixture
def desk(backend: Backend) -> Iterator[Desk]:
    """Core views, empty."""
    with desk_of(backend) as opened:
        yield opened


def status(desk: Desk, story: Story, address: str = ANA) -> str:
    """Open, snoozed or resolved, after the whole story."""
    desk.tell(story)
    found: str = desk.conversation(address).row.status
    return found


def test_an_assignment_shows_and_filters(desk: Desk) -> None:
    """Person, team and department are in the row, in the filters, in the numbers."""
    story = Story()
    story.user("Rosa")
    for address in (ANA, BETO):
        story.inbound(address, "hola", department="taller")
    working.assigned(story, ANA, "Rosa", department="ventas")
    desk.tell(story)
    row = desk.conversation(ANA).row
    rosa, team = user_of("Rosa").bytes, working.team_of("Rosa").bytes
    assert (row.assignee, row.team, row.department, row.version) == (rosa, team, "ventas", 1)
    for filters, wanted in (
        (InboxFilters(assignee=(rosa,)), [ANA]),
        (InboxFilters(assignee=(None,)), [BETO]),
        (InboxFilters(team=(team,)), [ANA]),
        (InboxFilters(department=("taller",)), [BETO]),
    ):
        found = [one.row.contact for one in desk.inbox(filters=filters)]
        assert found == [subject_of(one).bytes for one in wanted], filters
    assert (desk.counts("Rosa").mine, desk.counts("Rosa").unassigned) == (1, 1)
    working.assigned(story, ANA)
    desk.tell(story)
    assert desk.conversation(ANA).row.department == "taller"
    assert (desk.counts("Rosa").mine, desk.counts("Rosa").unassigned) == (0, 2)


def test_what_reopens_and_what_does_not(desk: Desk) -> None:
    """New inbound content does, automatic or by hand; nothing else that may come in does."""
    story = Story()
    first = story.inbound(ANA, "hola").event.originator_id
    sent = story.outbound(ANA, "dígame").event.originator_id
    working.resolved(story, ANA)
    assert status(desk, story) == "resolved"
    story.status(sent, "read")
    story.watermark(ANA, "read", through=story.at)
    story.reaction(sent, ANA, "👍")
    story.edited(first, ANA, "hola!")
    story.revoked(first, ANA)
    story.outbound(ANA, "¿sigue ahí?")
    story.inbound(ANA, "estoy fuera", auto=Auto.AUTO_REPLY)
    story.inbound(ANA, "no existe", auto=Auto.BOUNCE)
    story.inbound(ANA, "de antes", origin=Origin.IMPORTED, source="import:viejo")
    working.noted(story, ANA, "no molestar")
    assert status(desk, story) == "resolved"
    assert desk.conversation(ANA).row.waits_from == NOT_WAITING
    story.inbound(ANA, "vino en persona", origin=Origin.MANUAL, source="manual", at=5)
    assert status(desk, story) == "open"
    working.resolved(story, ANA)
    assert status(desk, story) == "resolved"
    story.inbound(ANA, "otra cosa")
    assert status(desk, story) == "open"


def test_what_was_retracted_reopens_nothing(desk: Desk) -> None:
    """The message that reopened it was recorded by mistake: it is resolved as before."""
    story = Story()
    story.inbound(ANA, "hola")
    working.resolved(story, ANA)
    wrong = story.inbound(ANA, "por error").event.originator_id
    assert status(desk, story) == "open"
    story.retracted(wrong, ANA)
    assert status(desk, story) == "resolved"
    assert (desk.counts().open, desk.counts().resolved) == (0, 1)


def test_what_is_said_while_muted_reopens_nothing(desk: Desk) -> None:
    """Not even later; what was said before it was muted, or after, does. Nobody waits meanwhile."""
    story = Story()
    story.inbound(ANA, "hola")
    working.resolved(story, ANA)
    working.muted(story, ANA)
    story.inbound(ANA, "gana dinero")
    assert status(desk, story) == "resolved"
    working.unmuted(story, ANA)
    assert status(desk, story) == "resolved"
    story.inbound(ANA, "perdón")
    assert status(desk, story) == "open"
    assert desk.conversation(ANA).row.waits_from != NOT_WAITING
    working.muted(story, ANA)
    assert status(desk, story) == "open"
    row = desk.conversation(ANA).row
    assert (row.muted, row.waits_from) == (1, NOT_WAITING)
    assert desk.counts().waiting == 0
    working.unmuted(story, ANA)
    assert status(desk, story) == "open"


def test_a_snooze_rests_until_something_is_said(desk: Desk) -> None:
    """It is listed as snoozed with its time; a message or a decision ends it."""
    story = Story()
    story.inbound(ANA, "hola", at=10)
    working.snoozed(story, ANA, 900)
    assert status(desk, story) == "snoozed"
    row = desk.conversation(ANA).row
    assert (row.snoozed_until, row.waits_from) == (moment(900), moment(10))
    assert [one.row.contact for one in desk.inbox(status="snoozed")] == [subject_of(ANA).bytes]
    assert (desk.counts().open, desk.counts().snoozed) == (0, 1)
    story.inbound(ANA, "¿y?")
    assert status(desk, story) == "open"
    assert desk.conversation(ANA).row.snoozed_until is None
    working.snoozed(story, ANA, 900)
    working.reopened(story, ANA, "snooze")
    assert status(desk, story) == "open"


def test_what_is_overdue_is_found(desk: Desk) -> None:
    """The snoozes whose time has come, the longest over first, and no other conversation."""
    story = Story()
    for number, until in enumerate((300, 100, 200)):
        story.inbound(f"tel:+5255{number:08d}", "hola")
        working.snoozed(story, f"tel:+5255{number:08d}", until)
    story.inbound(ANA, "hola")
    working.snoozed(story, ANA, 100)
    story.inbound(ANA, "ya")
    desk.tell(story)
    with desk.views.reading() as reading:
        found = inbox_pages.overdue(reading, moment(200), 10)
        first = inbox_pages.overdue(reading, moment(200), 1)
    assert [row.snoozed_until for row in found] == [moment(100), moment(200)]
    assert [row.contact for row in first] == [found[0].contact]


def test_imported_history_can_be_reopened_and_resolved(desk: Desk) -> None:
    """Where nobody decided it is resolved; a decision holds from then on."""
    story = Story()
    story.inbound(ANA, "hace años", origin=Origin.IMPORTED, source="import:viejo")
    assert status(desk, story) == "resolved"
    working.reopened(story, ANA)
    assert status(desk, story) == "open"
    working.resolved(story, ANA)
    assert status(desk, story) == "resolved"


def test_the_latest_assignment_of_any_part_holds(desk: Desk) -> None:
    """Addresses that come together keep whose they were; the version is that of their own id."""
    story = Story()
    story.user("Rosa")
    story.inbound(ANA, "1")
    story.inbound(ANA_META, "2")
    working.assigned(story, ANA_META, "Rosa")
    working.resolved(story, ANA)
    story.linked(subject_of(ANA), ANA_META)
    desk.tell(story)
    row = desk.conversation(ANA).row
    assert (row.assignee, row.version) == (user_of("Rosa").bytes, 1)
    assert desk.conversation(ANA_META) is None
    working.assigned(story, ANA)
    desk.tell(story)
    assert desk.conversation(ANA).row.assignee is None


def test_coming_together_buries_nothing(desk: Desk) -> None:
    """Who was open stays open beside one who was resolved; a decision on both is for both."""
    story = Story()
    story.inbound(ANA, "resuelto")
    story.inbound(ANA_META, "¿me ayudan?")
    working.resolved(story, ANA)
    story.linked(subject_of(ANA), ANA_META)
    assert status(desk, story) == "open"
    working.snoozed(story, ANA, 900)
    assert status(desk, story) == "snoozed"
    working.resolved(story, ANA)
    assert status(desk, story) == "resolved"
    story.inbound(ANA_META, "otra cosa")
    assert status(desk, story) == "open"


def test_two_at_rest_stay_at_rest_together(desk: Desk) -> None:
    """A snoozed one and a resolved one are snoozed; an outbound on a new address wakes nobody."""
    story = Story()
    story.inbound(ANA, "1")
    story.inbound(ANA_META, "2")
    working.snoozed(story, ANA, 900)
    working.resolved(story, ANA_META)
    story.linked(subject_of(ANA), ANA_META)
    assert status(desk, story) == "snoozed"
    assert desk.conversation(ANA).row.snoozed_until == moment(900)
    story.outbound("mailto:ana@example.mx", "adjunto")
    story.linked(subject_of(ANA), "mailto:ana@example.mx")
    assert status(desk, story) == "snoozed"


def test_a_decision_waits_for_its_conversation(desk: Desk) -> None:
    """What was decided on a contact before its first interaction holds when that comes."""
    story = Story()
    working.assigned(story, ANA, "Rosa")
    working.resolved(story, ANA)
    story.outbound(ANA, "buenas")
    desk.tell(story)
    row = desk.conversation(ANA).row
    assert (row.assignee, row.status) == (user_of("Rosa").bytes, "resolved")


# ------------------------------------------------------------------------------- unread


def test_marked_unread_is_unread_again(desk: Desk) -> None:
    """From the named one on, for that person alone; seeing it again, or answering, ends it."""
    story = Story()
    for name in ("Rosa", "Luis"):
        story.user(name)
    story.inbound(ANA, "3")
    story.inbound(ANA, "4")
    story.seen(subject_of(ANA), "Rosa", 4)
    story.seen(subject_of(ANA), "Luis", 4)
    working.unread(story, ANA, "Rosa", 4)
    desk.tell(story)
    assert (desk.conversation(ANA, "Rosa").unread, desk.conversation(ANA, "Luis").unread) == (1, 0)
    assert desk.conversation(ANA, "Rosa").seen_through == 3
    assert [one.unread for one in desk.inbox("Rosa", unread=True)] == [1]
    working.unread(story, ANA, "Rosa", 1)
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == 2
    story.seen(subject_of(ANA), "Rosa", 3)
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").seen_through == 3
    story.outbound(ANA, "va", actor=by_user("Rosa"))
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == 0
    assert desk.inbox("Rosa", unread=True) == []


def test_what_came_before_a_person_can_be_marked_unread(desk: Desk) -> None:
    """Unread begins when a person was added, unless they say otherwise themselves."""
    story = Story()
    story.inbound(ANA, "1")
    story.user("Rosa")
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == 0
    working.unread(story, ANA, "Rosa", 1)
    desk.tell(story)
    found = desk.conversation(ANA, "Rosa")
    assert (found.unread, found.seen_through) == (1, None)
    assert [one.unread for one in desk.inbox("Rosa", unread=True)] == [1]
    assert desk.counts("Rosa").unread == 1


def test_unread_holds_for_all_addresses_of_a_contact(desk: Desk) -> None:
    """Marks on every part are set back, also one that was set on a part of its own."""
    story = Story()
    story.user("Rosa")
    story.inbound(ANA, "2")
    story.inbound(ANA_META, "3")
    story.outbound(ANA_META, "4", actor=by_user("Rosa"))
    story.linked(subject_of(ANA), ANA_META)
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == 0
    working.unread(story, ANA, "Rosa", 2)
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == 2
    assert rebuild.check(desk.group, Shelf(story.entries).source()) == []


def test_facts_in_any_order_between_two_decisions_give_the_same_state(desk: Desk) -> None:
    """What reopens goes by what was recorded behind a decision, in whatever order."""
    story = Story()
    story.inbound(ANA, "1", at=10)
    story.inbound(BETO, "2", at=20)
    working.resolved(story, ANA)
    working.snoozed(story, BETO, 900)
    story.inbound(BETO, "5", at=5)
    story.outbound(ANA, "6", at=60)
    story.inbound(ANA, "7", at=30, auto=Auto.BULK)
    desk.tell(story)
    expected = [desk.conversation(one).row for one in (ANA, BETO)]
    shuffled = Story()
    for number in (1, 0, 2, 3, 6, 5, 4):
        event = story.entries[number].event
        assert isinstance(event, Event)
        shuffled.add(event)
    desk.rebuild(shuffled)
    for before, address in zip(expected, (ANA, BETO), strict=True):
        now = desk.conversation(address).row
        assert (now.status, now.snoozed_until) == (before.status, before.snoozed_until)
        assert now.waits_from == before.waits_from


def test_the_rows_do_not_forget_who_mutes_and_unmutes(desk: Desk) -> None:
    """A contact that was muted a hundred times is still as it was left."""
    story = Story()
    story.inbound(ANA, "hola")
    working.resolved(story, ANA)
    for _ in range(50):
        working.muted(story, ANA)
        working.unmuted(story, ANA)
    assert status(desk, story) == "resolved"
    story.inbound(ANA, "sí")
    assert status(desk, story) == "open"
    working.muted(story, ANA)
    desk.tell(story)
    assert desk.conversation(ANA).row.muted == 1
