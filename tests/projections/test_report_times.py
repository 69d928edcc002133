"""Response times and campaigns: the same as following each contact's history by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.values import Auto, Origin
from projections import folding, report_lists, report_segment
from projections.access import Reader
from projections.report_answers import Asked, of_waiting
from projections.report_lists import Behind
from projections.report_times import Response, Waits, campaigns, response_times
from projections.timeline_pages import PageQuery, page_of
from tests.backends import Backend
from tests.projections import kin, working
from tests.projections.counting import Counting, Seen, attended, counting, question, value
from tests.projections.story import START, Story, user_of
from tests.projections.tales import PHONES, Teller, told_in_order

SECOND = 1_000_000


def kind_of(row: Seen) -> str:
    """Whether an interaction asks, answers, or neither."""
    if folding.read_state(row.state).retraction is not None or row.auto:
        return ""
    return "ask" if row.direction == "inbound" else "answer"


Ask = tuple[Seen, Seen | None, bool]


def asks_of(rows: Sequence[Seen]) -> list[Ask]:
    """Each ask with its answer, and whether it is the first since the last answer."""
    found: list[Ask] = []
    for number, row in enumerate(rows):
        if kind_of(row) != "ask":
            continue
        theirs = [(n, one) for n, one in enumerate(rows) if one.contact == row.contact]
        later = (one for n, one in theirs if n > number and kind_of(one) == "answer")
        before = [kind_of(one) for n, one in theirs if n < number and kind_of(one)]
        found.append((row, next(later, None), before[-1:] != ["ask"]))
    return found


def waits(asks: Sequence[Ask]) -> Waits:
    """Answered, unanswered, median, 90th percentile and longest of some asks."""
    times = sorted(
        (reply.occurred_at - ask.occurred_at) // 1_000 for ask, reply, _ in asks if reply
    )
    open_ = len(asks) - len(times)
    if not times:
        return Waits(0, open_, None, None, None)

    def share(part: float) -> float:
        place = part * (len(times) - 1)
        low = int(place)
        high = min(low + 1, len(times) - 1)
        return round((times[low] + (times[high] - times[low]) * (place - low)) / 1_000, 3)

    return Waits(len(times), open_, share(0.5), share(0.9), times[-1] / 1_000)


def word(ask: Ask, group: str, tz: str) -> object:
    """What an ask with its answer is in a group."""
    row, reply, _ = ask
    if group == "user":
        return reply.user if reply else None
    if group == "department":
        return row.department or (reply.department if reply else None)
    return value(row, group, tz)


GROUPS = ((), ("user",), ("department", "channel"), ("hour_of_day",), ("day", "user"), ("month",))


@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_response_times_equal_those_by_hand(backend: Backend, seed: int) -> None:
    """By any groups and in any range; merges, corrections, retractions and twins included."""
    entries = attended(told_in_order(Teller(seed).epochs(3, 25)).entries)
    tz = "America/Mexico_City"
    with counting(backend.views_url) as at:
        at.build(entries)
        rows = at.seen()
        middle = rows[len(rows) // 3].occurred_at
        for since in (None, middle):
            asks = [ask for ask in asks_of(rows) if since is None or ask[0].occurred_at >= since]
            for groups in GROUPS:
                found, total = times(at, *groups, tz=tz, since=since)
                by_value: dict[tuple[object, ...], list[Ask]] = {}
                for ask in asks:
                    key = tuple(word(ask, group, tz) for group in groups)
                    by_value.setdefault(key, []).append(ask)
                expected = {
                    key: (waits([ask for ask in some if ask[2]]), waits(some))
                    for key, some in by_value.items()
                }
                assert {row.values: (row.first, row.every) for row in found} == expected
                assert total.every == waits(asks)
                assert total.first == waits([ask for ask in asks if ask[2]])


@pytest.mark.parametrize("since", [None, 40], ids=["ever", "late"])
def test_the_list_behind_a_figure_has_what_was_counted(
    backend: Backend, since: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked, answered and not, first touches and replies: page by page, each row once, in order."""
    monkeypatch.setattr(report_lists, "LOOKED_AT_US", 60_000_000)
    monkeypatch.setattr(report_segment, "SLICE_FACTS", 7)
    entries = attended(told_in_order(Teller(7).epochs(3, 25)).entries)
    with counting(backend.views_url) as at:
        at.build(entries)
        rows = at.seen()
        low = None if since is None else rows[since % len(rows)].occurred_at
        asks = [ask for ask in asks_of(rows) if ask[2] and ask[0].occurred_at >= (low or 0)]
        expected = {
            "asked": [ask.position for ask, _, _ in asks],
            "answered": [ask.position for ask, reply, _ in asks if reply],
            "unanswered": [ask.position for ask, reply, _ in asks if not reply],
        }
        assert all(expected.values())
        for figure, positions in expected.items():
            assert behind(at, figure, since=low) == positions[::-1], figure
        with at.view() as view:
            _, total, _ = campaigns(view, question("campaign", since=low))
            first = {row.contact: row.position for row in reversed(rows)}
        assert len(behind(at, "reply", since=low)) == total.replies
        touches = behind(at, "first_touch", since=low)
        assert len(touches) == total.first_touches
        assert set(touches) <= set(first.values())
        assert behind(at, "unanswered", since=low, channel=("call",)) == [
            ask.position for ask, reply, _ in asks[::-1] if not reply and ask.channel == "call"
        ]


def behind(at: Counting, figure: str, **asked: object) -> list[int]:
    """The interactions that are listed for a figure, read in pages of 3."""
    found: list[int] = []
    cursor = None
    with at.view() as view:
        wanted = question(**asked)  # type: ignore[arg-type] # filters
        listed = Behind(view, wanted, figure)  # type: ignore[arg-type] # one of the words
        while True:
            query = PageQuery(scope="test", filters=wanted.filters, limit=3, cursor=cursor)
            page = page_of(view.core, listed, query)
            found += [ref.position for ref in page.rows]
            cursor = page.next
            if cursor is None:
                return found


def times(at: Counting, *groups: str, **asked: object) -> tuple[list[Response], Response]:
    """The response times of a question."""
    with at.view() as view:
        return response_times(view, question(*groups, **asked))  # type: ignore[arg-type] # filters


def conversation() -> Story:
    """Two ask, one is answered twice, a machine answers in between, and a person over mail."""
    story = Story()
    story.inbound(PHONES[0], "hola", at=0, department="ventas", campaign="suv")
    story.inbound(PHONES[0], "¿hay alguien?", at=60, campaign="suv")
    story.outbound(PHONES[0], "ausente", at=61, auto=Auto.AUTO_REPLY)
    story.outbound(PHONES[0], "diga", at=300, attended_by=user_of("Rosa"), campaign="suv")
    story.inbound(PHONES[0], "gracias", at=360)
    story.inbound(PHONES[1], "buenas", at=400, origin=Origin.AUTOMATIC)
    return story


def test_the_first_ask_waits_and_machines_do_not_answer(backend: Backend) -> None:
    """Of two asks in a row both wait, one of them is first; an automatic reply ends no wait."""
    with counting(backend.views_url) as at:
        at.build(conversation().entries)
        found, total = times(at, "user")
        rosa = Waits(1, 0, 300.0, 300.0, 300.0), Waits(2, 0, 270.0, 294.0, 300.0)
        none = Waits(0, 2, None, None, None)
        assert [(row.values, row.first, row.every) for row in found] == [
            ((str(user_of("Rosa")),), *rosa),
            ((None,), none, none),
        ]
        assert total.every.unanswered == 2
        assert times(at, "user", attended_by=(user_of("Rosa").bytes,))[0] == found[:1]
        assert times(at, channel=("call",)) == (
            [],
            Response((), Waits(0, 0, None, None, None), Waits(0, 0, None, None, None)),
        )


def test_an_answer_over_another_address_counts_once_they_are_one(backend: Backend) -> None:
    """Who was merged was answered, whichever address the answer went to."""
    story = conversation()
    story.outbound(PHONES[0], "de nada", at=500, attended_by=user_of("Beto"))
    with counting(backend.views_url) as at:
        at.feed(story.entries)
        assert times(at)[1].every.unanswered == 1
        merge = kin.merged(story, PHONES[0], PHONES[1])
        at.feed(story.entries)
        assert times(at)[1].every == Waits(4, 0, 190.0, 282.0, 300.0)
        kin.undone(story, merge)
        at.feed(story.entries)
        assert times(at)[1].every.unanswered == 1


def test_contacts_that_are_one_began_where_the_first_of_them_did(backend: Backend) -> None:
    """Of two addresses in a row the later one may have the earlier interaction."""
    story = Story()
    story.inbound(PHONES[0], "hola", at=1_000, campaign="suv")
    story.inbound(PHONES[1], "de antes", at=10, campaign="taller", origin=Origin.IMPORTED)
    kin.merged(story, PHONES[0], PHONES[1])
    with counting(backend.views_url) as at:
        at.build(story.entries)
        with at.view() as view:
            rows, total, _ = campaigns(view, question("campaign"))
        touches = {row.values: row.first_touches for row in rows}
        assert touches == {("suv",): 0, ("taller",): 1}
        assert (total.first_touches, total.contacts) == (1, 1)


def test_campaigns_tell_whom_they_reached_and_brought(backend: Backend) -> None:
    """Interactions, contacts, first touches and replies; and every contact's first source."""
    story = conversation()
    story.outbound(PHONES[2], "oferta", at=1_000, campaign="suv", auto=Auto.BULK)
    story.inbound(PHONES[2], "me interesa", at=1_100)
    with counting(backend.views_url) as at:
        at.build(story.entries)
        with at.view() as view:
            rows, total, sources = campaigns(view, question("campaign"))
        numbers = {
            row.values: (row.interactions, row.contacts, row.first_touches, row.replies)
            for row in rows
        }
        assert numbers == {("suv",): (4, 2, 2, 2), (None,): (4, 3, 1, 0)}
        assert (total.first_touches, total.replies, total.contacts) == (3, 2, 3)
        assert sources == {"whatsapp:106540352242922": 3}
        with at.view() as view:
            later = campaigns(view, question("campaign", since=START + 900 * SECOND))
        assert [(row.values, row.first_touches, row.replies) for row in later[0]] == [
            (("suv",), 1, 1),
            ((None,), 0, 0),
        ]
        with at.view() as view:
            empty = campaigns(view, question("campaign", channel=("form",)))
        assert (empty[0], empty[2]) == ([], {})


@pytest.mark.parametrize("group", ["user", "team", "department", "campaign"])
def test_who_waits_is_who_waits_in_the_inbox(backend: Backend, group: str) -> None:
    """Open conversations that wait, since when, by group, within the reader's sight."""
    story = conversation()
    working.assigned(story, PHONES[0], "Rosa", department="taller")
    now = START + 1_000 * SECOND
    with counting(backend.views_url) as at:
        at.build(story.entries)
        with at.view() as view:
            found = of_waiting(view, Asked(question(group), (group,)), now)
        assert found.total["waiting"] == sum(row["waiting"] for row in found.rows) == 2
        assert found.total["longest_s"] == 640
        assert found.total["since"] == found.rows[0]["since"]
        working.restricted(story, PHONES[0])
        at.feed(story.entries)
        with at.view(Reader()) as view:
            left = of_waiting(view, Asked(question(), ()), now)
        assert (left.total["waiting"], left.total["longest_s"]) == (1, 600)
