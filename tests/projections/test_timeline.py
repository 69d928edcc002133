"""The timeline: rows, their order, and pages of them, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from domain import events
from domain.errors import BadCursor, NotFound
from domain.values import Auto, Channel, Direction, Origin, Role, TimeSource
from projections import timeline_months
from projections.timeline_pages import Filters
from tests.backends import Backend
from tests.projections.reading import Desk, desk_of
from tests.projections.story import Story, moment, party, subject_of, user_of

ANA = "tel:+525511111111"
ANA_META = "whatsapp:106540352242922/ana"
BETO = "mailto:beto@example.com"


@pytest.fixture
def desk(backend: Backend) -> Iterator[Desk]:
    """Core views, empty."""
    with desk_of(backend) as opened:
        yield opened


def test_rows_are_ordered_by_time_and_then_by_position(desk: Desk) -> None:
    """Interactions of one moment are all there, in the order of their ids; late ones by time."""
    story = Story()
    for number in range(5):
        story.inbound(ANA, f"hola {number}", at=100)
    story.inbound(ANA, "antes", at=50)
    story.inbound(BETO, "otro", at=100)
    desk.tell(story)
    assert desk.timeline(ANA) == [5, 4, 3, 2, 1, 6]
    assert desk.timeline(ANA, order="asc") == [6, 1, 2, 3, 4, 5]


def test_ties_survive_every_cut(desk: Desk) -> None:
    """Paging through rows of one moment, by any page size and order, drops and repeats none."""
    story = Story()
    for number in range(9):
        story.inbound((ANA, ANA_META)[number % 2], f"hola {number}", at=100)
    desk.tell(story)
    for limit in (1, 2, 4, 5):
        for order in ("asc", "desc"):
            found: list[int] = []
            page = desk.timeline_page(ANA, ANA_META, limit=limit, order=order)
            found += [ref.position for ref in page.rows]
            while page.next:
                page = desk.timeline_page(ANA, ANA_META, limit=limit, order=order, cursor=page.next)
                found += [ref.position for ref in page.rows]
            assert found == sorted(range(1, 10), reverse=order == "desc"), (limit, order)


def test_spans_are_counted_by_direction_under_the_filters(desk: Desk) -> None:
    """Each span has what began in it, both ways; another contact does not count."""
    story = Story()
    for number in range(9):
        story.inbound((ANA, ANA_META)[number % 2], f"hola {number}", at=100 + 10 * number)
    story.inbound(BETO, "otro", at=120)
    story.outbound(ANA, "respuesta", at=120)
    desk.tell(story)
    subjects = [subject_of(ANA).bytes, subject_of(ANA_META).bytes]
    spans = [(moment(first), moment(first + 50)) for first in (50, 100, 150, 200)]

    def counted(**filters: Any) -> list[dict[str, int]]:  # noqa: ANN401 - filter fields
        with desk.views.reading() as reading:
            return timeline_months.counts(reading, subjects, Filters(**filters), spans)

    assert counted() == [{}, {"inbound": 5, "outbound": 1}, {"inbound": 4}, {}]
    assert counted(since=moment(120), until=moment(160))[1:3] == [
        {"inbound": 3, "outbound": 1},
        {"inbound": 1},
    ]
    assert counted(direction=("outbound",)) == [{}, {"outbound": 1}, {}, {}]
    assert counted(kind=(1,)) == [{}, {}, {}, {}]


def test_a_status_before_its_message_is_invisible(desk: Desk) -> None:
    """What is known of a message that never came shows nowhere; when it comes, it is there."""
    told = Story()
    sent = told.outbound(ANA, "hola").event
    assert isinstance(sent, events.InteractionRecorded)
    stream = sent.originator_id
    story = Story()
    story.status(stream, "read", at=90)
    story.status(stream, "sent", at=80)
    desk.tell(story)
    assert desk.timeline(ANA) == []
    assert desk.activity() == []
    story.add(sent)
    desk.tell(story)
    assert desk.timeline(ANA) == [3]
    assert desk.row(3)["status"]["state"] == "read"


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_around_and_at_place_the_page(desk: Desk, order: str) -> None:
    """A deep link and a jump to a date stand in the middle of their page, in both orders."""
    story = Story()
    for number in range(1, 21):
        story.inbound(ANA, f"hola {number}", at=number)
    desk.tell(story)
    around = desk.timeline(ANA, order=order, around=10, limit=5)
    assert sorted(around) == [8, 9, 10, 11, 12]
    assert around[2] == 10
    at = desk.timeline(ANA, order=order, at=moment(10), limit=4)
    assert at[2] == 10
    assert desk.timeline(ANA, order=order, at=moment(500), limit=3)[-1 if order == "asc" else 0]
    page = desk.timeline_page(ANA, order=order, around=10, limit=5)
    assert page.next is not None
    assert page.prev is not None


def test_around_somebody_elses_interaction_is_not_found(desk: Desk) -> None:
    """A deep link into another contact's history is refused like one to nothing."""
    story = Story()
    story.inbound(ANA, "hola")
    story.inbound(BETO, "hola")
    desk.tell(story)
    for position in (2, 99):
        with pytest.raises(NotFound):
            desk.timeline(ANA, around=position)


def test_a_cursor_belongs_to_its_list(desk: Desk) -> None:
    """With other filters or another order a cursor is BadCursor."""
    story = Story()
    for number in range(4):
        story.inbound(ANA, f"hola {number}")
    desk.tell(story)
    cursor = desk.timeline_page(ANA, limit=2).next
    assert desk.timeline(ANA, limit=2, cursor=cursor) == [2, 1]
    with pytest.raises(BadCursor):
        desk.timeline(ANA, cursor=cursor, order="asc")
    with pytest.raises(BadCursor):
        desk.timeline(ANA, cursor=cursor, filters=Filters(channel=("sms",)))


def test_filters_pick_rows(desk: Desk) -> None:
    """Values of one filter are alternatives, filters add up, None means without, times bound."""
    story = Story()
    rosa = user_of("Rosa")
    story.inbound(ANA, "1", at=10, channel=Channel.SMS, department="ventas", attended_by=rosa)
    story.inbound(ANA, "2", at=20, department="taller", campaign="suv")
    story.outbound(ANA, "3", at=30, department="ventas")
    story.inbound(ANA, "4", at=40, origin=Origin.IMPORTED, source="import:viejo")
    desk.tell(story)
    cases: list[tuple[Filters, list[int]]] = [
        (Filters(channel=("sms",)), [1]),
        (Filters(channel=("sms", "whatsapp")), [4, 3, 2, 1]),
        (Filters(direction=("outbound",)), [3]),
        (Filters(origin=("imported",)), [4]),
        (Filters(source=("import:viejo", "manual")), [4]),
        (Filters(department=("ventas", None)), [4, 3, 1]),
        (Filters(department=(None,)), [4]),
        (Filters(department=("ventas",), direction=("inbound",)), [1]),
        (Filters(attended_by=(rosa.bytes,)), [1]),
        (Filters(attended_by=(None,)), [4, 3, 2]),
        (Filters(campaign=(None,), channel=("whatsapp",)), [4, 3]),
        (Filters(since=moment(20), until=moment(40)), [3, 2]),
        (Filters(kind=(0,)), [4, 3, 2, 1]),
        (Filters(kind=(1,)), []),
    ]
    for filters, wanted in cases:
        assert desk.timeline(ANA, filters=filters) == wanted, filters


def test_a_correction_moves_the_row(desk: Desk) -> None:
    """Corrected time, department, channel, person and direction hold in order and filters."""
    story = Story()
    first = story.inbound(ANA, "1", at=10, source="manual", origin=Origin.MANUAL)
    story.inbound(ANA, "2", at=20)
    about = first.event.originator_id
    story.corrected(
        about, ANA, occurred_at=moment(30), offset_min=-360, department="taller", text="uno"
    )
    story.corrected(about, ANA, channel=Channel.CALL, direction=Direction.OUTBOUND)
    story.corrected(about, ANA, attended_by=user_of("Rosa"), call_seconds=61)
    desk.tell(story)
    assert desk.timeline(ANA) == [1, 2]
    assert desk.timeline(ANA, filters=Filters(department=("taller",))) == [1]
    assert desk.timeline(ANA, filters=Filters(channel=("call",), direction=("outbound",))) == [1]
    row = desk.row(1)
    assert row["corrected"] == [
        *("attended_by", "call.seconds", "channel", "department", "direction"),
        *("occurred_at", "text"),
    ]
    assert (row["text"], row["call"]["seconds"]) == ("uno", 61)
    assert row["occurred_offset_min"] == -360
    assert row["destination"]["contact"] == row["contact"]["id"]
    assert row["resource"]["contact"] is None


def test_a_further_participant_sees_it_too(desk: Desk) -> None:
    """A mail to two stands in both timelines, once in that of a contact who is both."""
    story = Story()
    others = [party(BETO, Role.CC, asserted=False), party(ANA_META, Role.CC, asserted=False)]
    mail = story.inbound(ANA, "a todos", at=10, channel=Channel.EMAIL, with_parties=others)
    story.inbound(BETO, "solo", at=20)
    desk.tell(story)
    assert desk.timeline(ANA) == [1]
    assert desk.timeline(BETO) == [2, 1]
    assert desk.timeline(BETO, around=1) == [2, 1]
    for limit in (1, 5):
        assert desk.timeline(BETO, ANA_META, ANA, limit=limit) == [2, 1][:limit]
        assert desk.timeline(BETO, ANA_META, limit=limit) == [2, 1][:limit]
    assert desk.timeline(BETO, filters=Filters(channel=("email",))) == [1]
    story.corrected(mail.event.originator_id, ANA, occurred_at=moment(90))
    desk.tell(story)
    assert desk.timeline(BETO) == [1, 2]


def test_a_participant_who_is_two_addresses_takes_one_place(desk: Desk) -> None:
    """Pages are full although each of their interactions stands under two subjects."""
    story = Story()
    both = [party(BETO, Role.CC, asserted=False), party(ANA_META, Role.CC, asserted=False)]
    for number in range(7):
        story.inbound(ANA, f"{number}", channel=Channel.EMAIL, with_parties=both)
    desk.tell(story)
    page = desk.timeline_page(BETO, ANA_META, limit=3)
    assert [ref.position for ref in page.rows] == [7, 6, 5]
    assert desk.timeline(BETO, ANA_META, limit=3, cursor=page.next) == [4, 3, 2]
    assert desk.timeline(BETO, ANA_META) == [7, 6, 5, 4, 3, 2, 1]


def test_a_retracted_row_stays(desk: Desk) -> None:
    """A retracted interaction is still in its place, marked with who and why."""
    story = Story()
    story.user("Rosa")
    entry = story.inbound(ANA, "hola")
    story.retracted(entry.event.originator_id, ANA, reason="era otra persona")
    desk.tell(story)
    assert desk.timeline(ANA) == [2]
    retracted = desk.row(2)["retracted"]
    assert retracted["by"] == {"kind": "user", "id": str(user_of("Rosa")), "name": "Rosa"}
    assert retracted["reason"] == "era otra persona"


def test_any_mixture_of_subjects_and_filters_agrees_with_a_scan(desk: Desk) -> None:
    """Pages over up to 8 subjects equal what sorting all rows by hand gives."""
    dice = random.Random(7)
    addresses = [f"tel:+5255{number:08d}" for number in range(8)]
    channels = (Channel.SMS, Channel.WHATSAPP)
    story, rows = Story(), []
    for number in range(150):
        address, channel = dice.choice(addresses), dice.choice(channels)
        at, department = dice.randrange(40), dice.choice((None, "ventas", "taller"))
        time_source = TimeSource.RECEIVED
        auto = dice.choice((None, Auto.BULK))
        more = {"channel": channel, "department": department, "time_source": time_source}
        entry = story.inbound(address, f"{number}", at=at, auto=auto, **more)
        rows.append((at, entry.position, address, str(channel), department))
    desk.tell(story)
    for _ in range(25):
        some = dice.sample(addresses, dice.randrange(1, 9))
        asked = dice.choice((None, "sms"))
        department = dice.choice(("any", None, "ventas"))
        filters = Filters(
            channel=(asked,) if asked else (),
            department=() if department == "any" else (department,),
            since=moment(dice.randrange(20)),
            until=moment(dice.randrange(20, 60)),
        )
        wanted = sorted(
            (
                row
                for row in rows
                if row[2] in some
                and asked in (None, row[3])
                and department in ("any", row[4])
                and (filters.since or 0) <= moment(row[0]) < (filters.until or 0)
            ),
            reverse=True,
        )
        assert desk.timeline(*some, filters=filters, limit=200) == [row[1] for row in wanted]
