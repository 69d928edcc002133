"""The list of all interactions, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.errors import BadCursor, NotFound
from domain.values import Channel, Direction
from projections import activity
from projections.access import EVERYTHING
from projections.timeline_pages import Filters, PageQuery
from tests.backends import Backend
from tests.projections.reading import Desk, desk_of
from tests.projections.story import Story, moment, user_of

ANA = "tel:+525511111111"
BETO = "tel:+525522222222"


@pytest.fixture
def desk(backend: Backend) -> Iterator[Desk]:
    """Core views, empty."""
    with desk_of(backend) as opened:
        yield opened


def _story() -> Story:
    """Six interactions, 3 and 4 back-dated, among other events."""
    story = Story()
    rosa = user_of("Rosa")
    first = story.inbound(ANA, "1", at=100, campaign="suv", attended_by=rosa)
    story.status(first.event.originator_id, "read", at=101)
    story.inbound(BETO, "3", at=40, source="import:viejo")
    story.outbound(BETO, "4", at=40, channel=Channel.SMS)
    story.user("Rosa")
    story.outbound(ANA, "6", at=120, department="ventas")
    story.inbound(ANA, "7", at=130, campaign="suv")
    return story


def test_by_time_and_by_the_log(desk: Desk) -> None:
    """Sorted by when it happened, or by when the ledger learned of it, both ways."""
    desk.tell(_story())
    assert desk.activity() == [7, 6, 1, 4, 3]
    assert desk.activity(order="asc") == [3, 4, 1, 6, 7]
    assert desk.activity(sort="recorded") == [7, 6, 4, 3, 1]
    assert desk.activity(sort="recorded", order="asc") == [1, 3, 4, 6, 7]


@pytest.mark.parametrize("sort", ["occurred", "recorded"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_give_the_whole_list(desk: Desk, sort: str, order: str) -> None:
    """Following cursors gives every interaction once, and a cursor fits one order only."""
    desk.tell(_story())
    found: list[int] = []
    cursor = None
    while True:
        with desk.views.reading() as reading:
            query = PageQuery(scope="a", sort=sort, order=order, limit=2, cursor=cursor)  # type: ignore[arg-type] # the parameters are the literals
            page = activity.page(reading, query, EVERYTHING)
        found += [ref.position for ref in page.rows]
        if page.next is None:
            break
        cursor = page.next
        with pytest.raises(BadCursor):
            desk.activity(sort=sort, order="asc" if order == "desc" else "desc", cursor=cursor)
    assert found == desk.activity(sort=sort, order=order)


def test_filters_pick_rows(desk: Desk) -> None:
    """Single and several values, with and without null, and times, in both sorts."""
    desk.tell(_story())
    rosa = user_of("Rosa").bytes
    cases: list[tuple[Filters, set[int]]] = [
        (Filters(campaign=("suv",)), {1, 7}),
        (Filters(campaign=("suv", None)), {1, 3, 4, 6, 7}),
        (Filters(campaign=(None,)), {3, 4, 6}),
        (Filters(attended_by=(rosa,)), {1}),
        (Filters(attended_by=(None,)), {3, 4, 6, 7}),
        (Filters(source=("import:viejo",)), {3}),
        (Filters(source=("import:viejo", "manual")), {3}),
        (Filters(department=("ventas",)), {6}),
        (Filters(channel=("sms", "call")), {4}),
        (Filters(direction=("outbound",), channel=("whatsapp",)), {6}),
        (Filters(origin=("automatic",), since=moment(40), until=moment(120)), {1, 3, 4}),
    ]
    for filters, wanted in cases:
        assert set(desk.activity(filters=filters)) == wanted, filters
        assert set(desk.activity(filters=filters, sort="recorded")) == wanted, filters


def test_a_correction_moves_the_row(desk: Desk) -> None:
    """What a person corrected holds here as it does in the timeline."""
    story = _story()
    about = story.entries[0].event.originator_id
    story.corrected(about, ANA, occurred_at=moment(10), campaign=None)
    story.corrected(about, ANA, direction=Direction.OUTBOUND)
    desk.tell(story)
    assert desk.activity() == [7, 6, 4, 3, 1]
    assert desk.activity(filters=Filters(campaign=("suv",))) == [7]
    assert 1 in desk.activity(filters=Filters(direction=("outbound",)))


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_around_and_at_in_the_order_of_the_log(desk: Desk, order: str) -> None:
    """By the log, a page stands around an id or around what was recorded by a time."""
    story = _story()
    desk.tell(story)
    assert desk.activity(sort="recorded", order=order, around=4, limit=2)[1] == 4
    recorded = story.entries[3].recorded_at
    at = desk.activity(sort="recorded", order=order, at=recorded, limit=2)
    assert set(at) == {4, 6}
    with pytest.raises(NotFound):
        desk.activity(sort="recorded", order=order, around=99)
    with pytest.raises(NotFound):
        desk.activity(order=order, around=2)


def test_at_before_all_and_after_all(desk: Desk) -> None:
    """A time before the first or after the last record gives the nearest page."""
    desk.tell(_story())
    for at in (0, 2**60):
        assert len(desk.activity(sort="recorded", at=at, limit=3)) == 3
        assert len(desk.activity(at=at, limit=3)) == 3
