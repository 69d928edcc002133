"""The inbox: what opens, waits and is unread, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from domain.values import Auto, Channel
from projections import inbox_pages, rebuild
from projections.access import EVERYTHING
from projections.inbox import NOT_WAITING
from projections.inbox_pages import UNREAD_MAX, InboxFilters, InboxQuery, numbers
from tests.backends import Backend
from tests.projections.inbox_model import IMPORTED, Model, happen, interact, model_says
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


def _waits(desk: Desk, address: str) -> int | None:
    """Seconds after the start of the story since when somebody waits."""
    waits: int = desk.conversation(address).row.waits_from
    return None if waits == NOT_WAITING else (waits - moment(0)) // 1_000_000


def test_imported_history_is_resolved_and_read(desk: Desk) -> None:
    """History that was imported opens nothing, makes nothing unread, and nobody waits."""
    story = Story()
    story.user("Rosa")
    for number in range(3):
        story.inbound(ANA, f"hace años {number}", at=number, **IMPORTED)
    desk.tell(story)
    assert desk.inbox("Rosa") == []
    found = desk.inbox("Rosa", status="resolved")
    assert [(one.row.interactions, one.unread) for one in found] == [(3, 0)]
    assert _waits(desk, ANA) is None
    counts = desk.counts("Rosa")
    assert (counts.open, counts.resolved, counts.all, counts.unread, counts.waiting) == (
        *(0, 1, 1),
        *(0, 0),
    )
    story.inbound(ANA, "hola", at=50)
    desk.tell(story)
    assert [one.unread for one in desk.inbox("Rosa")] == [1]
    assert desk.counts("Rosa").resolved == 0


def test_unread_begins_when_a_person_was_added(desk: Desk) -> None:
    """What came before somebody was added is not unread to them; a token reads nothing."""
    story = Story()
    story.inbound(ANA, "1")
    story.user("Rosa")
    story.inbound(ANA, "2")
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == 1
    assert desk.conversation(ANA, "Rosa").seen_through == 2
    assert desk.conversation(ANA, "Somebody").unread == 2
    nobody = desk.conversation(ANA)
    assert (nobody.unread, nobody.seen_through) == (0, None)
    assert desk.inbox(None, unread=True) == []


def test_seeing_and_answering_make_it_read(desk: Desk) -> None:
    """A look at it, or an outbound record of one's own, moves what one has seen."""
    story = Story()
    for name in ("Rosa", "Luis"):
        story.user(name)
    story.inbound(ANA, "1")
    story.inbound(ANA, "2")
    contact = subject_of(ANA)
    story.seen(contact, "Rosa", 3)
    desk.tell(story)
    assert [desk.conversation(ANA, name).unread for name in ("Rosa", "Luis")] == [1, 2]
    story.outbound(ANA, "va", actor=by_user("Luis"))
    desk.tell(story)
    assert [desk.conversation(ANA, name).unread for name in ("Rosa", "Luis")] == [1, 0]
    story.outbound(ANA, "va", on_behalf_of=user_of("Rosa"))
    story.seen(contact, "Rosa", 3)
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == 0
    assert desk.conversation(ANA, "Rosa").seen_through == 7
    assert desk.counts("Rosa").unread == 0


def test_only_content_that_asks_for_attention_is_unread(desk: Desk) -> None:
    """Automatic replies, outbound and retracted interactions, statuses and reactions are not."""
    story = Story()
    story.user("Rosa")
    gone = story.inbound(ANA, "por error")
    story.inbound(ANA, "estoy fuera", auto=Auto.AUTO_REPLY)
    sent = story.outbound(ANA, "hola")
    story.status(sent.event.originator_id, "read")
    story.reaction(sent.event.originator_id, ANA, "👍")
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == 1
    story.retracted(gone.event.originator_id, ANA)
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == 0
    assert desk.inbox("Rosa", unread=True) == []
    assert desk.conversation(ANA).row.interactions == 3


def test_unread_counts_to_a_hundred(desk: Desk) -> None:
    """A hundred means that many or more, also over several addresses."""
    story = Story()
    story.user("Rosa")
    for number in range(UNREAD_MAX + 20):
        story.inbound((ANA, ANA_META)[number % 2], f"{number}", at=number)
    story.linked(subject_of(ANA), ANA_META)
    desk.tell(story)
    assert desk.conversation(ANA, "Rosa").unread == UNREAD_MAX


def test_waiting_is_the_first_after_the_last_answer(desk: Desk) -> None:
    """An answer ends the wait; what came after it begins one; automatic ones do neither."""
    story = Story()
    story.inbound(ANA, "1", at=10)
    story.inbound(ANA, "2", at=20)
    desk.tell(story)
    assert _waits(desk, ANA) == 10
    story.outbound(ANA, "fuera de horario", at=25, auto=Auto.AUTO_REPLY)
    desk.tell(story)
    assert _waits(desk, ANA) == 10
    late = story.outbound(ANA, "te llamé", at=15)
    desk.tell(story)
    assert _waits(desk, ANA) == 20
    story.inbound(ANA, "3", at=22)
    desk.tell(story)
    assert _waits(desk, ANA) == 20
    assert [one.row.waits_from for one in desk.inbox(waiting=True)] == [moment(20)]
    story.retracted(late.event.originator_id, ANA)
    desk.tell(story)
    assert _waits(desk, ANA) == 10
    story.outbound(ANA, "voy", at=30)
    desk.tell(story)
    assert _waits(desk, ANA) is None
    assert desk.inbox(waiting=True) == []


def test_an_answer_over_another_address_ends_the_wait(desk: Desk) -> None:
    """Conversations are the contact's: addresses that are linked answer for each other."""
    story = Story()
    story.inbound(ANA, "1", at=10)
    story.inbound(ANA, "2", at=30)
    story.outbound(ANA_META, "hola", at=20)
    desk.tell(story)
    assert _waits(desk, ANA) == 10
    story.linked(subject_of(ANA), ANA_META)
    desk.tell(story)
    assert _waits(desk, ANA) == 30
    assert desk.conversation(ANA_META) is None
    assert [one.row.interactions for one in desk.inbox()] == [3]
    assert desk.counts().all == 1


def test_what_was_seen_holds_for_linked_addresses(desk: Desk) -> None:
    """Linking makes of two conversations one, with the further of what a person saw in each."""
    story = Story()
    story.user("Rosa")
    story.inbound(ANA, "1")
    story.inbound(ANA_META, "2")
    story.seen(subject_of(ANA_META), "Rosa", 3)
    story.linked(subject_of(ANA), ANA_META)
    story.inbound(ANA, "6")
    desk.tell(story)
    found = desk.conversation(ANA, "Rosa")
    assert (found.unread, found.seen_through) == (1, 3)


def test_the_list_is_sorted_and_filtered(desk: Desk) -> None:
    """By the last interaction or the longest wait; by what the last one and the channels say."""
    story = Story()
    story.inbound(ANA, "1", at=10, department="ventas", channel=Channel.SMS)
    story.inbound(BETO, "2", at=20, campaign="suv")
    story.inbound(ANA, "3", at=30, department="taller")
    story.inbound("mailto:carla@example.com", "4", at=5, **IMPORTED)
    desk.tell(story)
    ana, beto = subject_of(ANA).bytes, subject_of(BETO).bytes
    carla = subject_of("mailto:carla@example.com").bytes
    found = [one.row.contact for one in desk.inbox()]
    assert found == [ana, beto]
    assert [one.row.contact for one in desk.inbox(status="all")] == [ana, beto, carla]
    assert [one.row.contact for one in desk.inbox(status="all", sort="waiting")] == [
        *(ana, beto, carla),
    ]
    story.outbound(ANA, "5", at=31)
    desk.tell(story)
    assert [one.row.contact for one in desk.inbox(sort="waiting")] == [beto, ana]

    cases = [
        (InboxFilters(department=("taller",)), []),
        (InboxFilters(department=(None,)), [ana, beto]),
        (InboxFilters(campaign=("suv",)), [beto]),
        (InboxFilters(channel=("sms",)), [ana]),
        (InboxFilters(channel=("sms", "whatsapp")), [ana, beto]),
        (InboxFilters(channel=("carrier pigeon",)), []),
        (InboxFilters(assignee=(None,), team=(None,)), [ana, beto]),
        (InboxFilters(assignee=(user_of("Rosa").bytes,)), []),
    ]
    for filters, wanted in cases:
        assert [one.row.contact for one in desk.inbox(filters=filters)] == wanted, filters


def test_pages_of_the_inbox_skip_nobody(desk: Desk) -> None:
    """Following cursors gives every conversation once, in both sorts."""
    story = Story()
    for number in range(7):
        story.inbound(f"tel:+5255{number:08d}", "hola", at=number // 3)
    desk.tell(story)
    for sort in ("recent", "waiting"):
        whole = [one.row.contact for one in desk.inbox(sort=sort)]
        assert len(whole) == 7
        assert [one.row.contact for one in _all_pages(desk, sort)] == whole


def _all_pages(desk: Desk, sort: Any) -> list[Any]:  # noqa: ANN401 - a literal of the query
    found: list[Any] = []
    cursor = None
    while True:
        with desk.views.reading() as reading:
            query = InboxQuery(sort=sort, limit=2, cursor=cursor)
            page = inbox_pages.page(reading, None, query, EVERYTHING)
        found += page.rows
        cursor = page.next
        if cursor is None:
            return found


def test_the_sums_of_a_contact(desk: Desk) -> None:
    """Interactions, channels, first and last time, and where the first one came from."""
    story = Story()
    story.inbound(ANA, "1", at=30)
    story.inbound(ANA_META, "2", at=10, **IMPORTED)
    story.outbound(ANA, "3", at=20, channel=Channel.CALL)
    desk.tell(story)
    with desk.views.reading() as reading:
        sums = numbers(reading, [subject_of(one).bytes for one in (ANA, ANA_META)])
        nothing = numbers(reading, [subject_of(BETO).bytes])
    assert list(sums.by_channel.items()) == [("whatsapp", 2), ("call", 1)]
    assert (sums.interactions, sums.first_at, sums.last_at) == (3, moment(10), moment(30))
    assert sums.first_source == "import:viejo"
    assert (nothing.interactions, nothing.first_at) == (0, None)


# ---------------------------------------------------------------- random stories


def _agrees(desk: Desk, model: Model) -> None:
    """List, single conversations, counts and filters all say what the model says."""
    expected = model_says(model)
    listed = desk.inbox("Rosa", status="all")
    assert {
        one.row.contact: (
            *(one.row.status, one.row.waits_from, one.row.last_position),
            *(one.row.interactions, one.unread),
        )
        for one in listed
    } == expected
    counts = desk.counts("Rosa")
    opened = [values for values in expected.values() if values[0] == "open"]
    assert counts.open == counts.unassigned == len(opened) == len(desk.inbox("Rosa"))
    assert counts.resolved == len(expected) - len(opened)
    assert counts.all == len(expected)
    unread = sum(values[4] > 0 for values in opened)
    assert counts.unread == unread == len(desk.inbox("Rosa", unread=True))
    waiting = sum(values[1] != NOT_WAITING for values in opened)
    assert counts.waiting == waiting == len(desk.inbox("Rosa", waiting=True))
    for channels in (("whatsapp",), ("call",), ("whatsapp", "call")):
        narrowed, filters = desk.counts("Rosa", channel=channels), InboxFilters(channel=channels)
        for status in ("open", "snoozed", "resolved", "all"):
            found = desk.inbox("Rosa", status=status, filters=filters)
            assert getattr(narrowed, status) == len(found), (channels, status)


@pytest.mark.parametrize("seed", range(3))
def test_counts_and_list_agree_after_every_event(desk: Desk, seed: int) -> None:
    """Over random stories list, counts and a plain model agree; live rows equal a replay's."""
    dice = random.Random(seed)
    story, model = Story(), Model()
    for _ in range(dice.randrange(4)):
        interact(dice, story, model, inbound=True)
    story.user("Rosa")
    model.start = len(story.entries)
    for number in range(45):
        happen(dice, story, model)
        if number % 15 == 14:
            for _ in range(4):
                happen(dice, story, model)
        desk.tell(story, page=dice.choice((1, 3, 50)))
        _agrees(desk, model)
    assert rebuild.check(desk.group, Shelf(story.entries).source()) == []
