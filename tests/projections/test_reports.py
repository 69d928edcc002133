"""Reports: the same figures as counting one by one, whatever happened to the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from domain import events
from domain.errors import InvalidInput
from domain.ports import Entry
from domain.values import Channel
from projections import activity, report_deck, report_figures, report_loading, report_segment
from projections.access import EVERYTHING, Reader
from projections.reports import FACTS, FURTHER, KINDS, Reports
from projections.timeline_pages import Filters, PageQuery
from projections.views import REPORTS
from projections.week_hours import week_hours
from tests.backends import Backend
from tests.projections import kin, pairing, working
from tests.projections.counting import (
    ZONES,
    Counting,
    as_dict,
    attended,
    counting,
    slowly,
    value,
)
from tests.projections.desk import Desk, desk
from tests.projections.erasing import erased, without_keys
from tests.projections.story import Story, moment, party, subject_of
from tests.projections.tales import (
    PHONES,
    Epoch,
    Teller,
    rich_story,
    told_in_order,
    told_shuffled,
)

random_history = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

COMBINATIONS = (
    (),
    ("channel",),
    ("user",),
    ("department", "campaign"),
    ("source", "origin", "direction"),
    ("hour",),
    ("day", "channel"),
    ("week",),
    ("user", "month"),
    ("weekday", "hour_of_day"),
    ("hour_of_day", "channel"),
    ("month", "day", "weekday"),
)


def holds(at: Counting, tz: str) -> None:
    """Every combination equals the slow way, and adds up to the same total."""
    rows = at.seen()
    for groups in COMBINATIONS:
        figures, total = at.count(*groups, tz=tz)
        assert as_dict(figures) == slowly(rows, groups, tz), groups
        assert sum(figure.interactions for figure in figures) == total.interactions == len(rows)
        assert total.contacts == len({row.contact for row in rows})


@random_history
@given(seed=st.integers(0, 2**32), page=st.integers(1, 60), tz=st.sampled_from(ZONES))
def test_every_combination_equals_a_replay(backend: Backend, seed: int, page: int, tz: str) -> None:
    """After merges, undo, twins, corrections, retractions, imports, an erasure: as one by one.

    In a deck that followed all of it, in one that was made at the end, and in one that was made
    without the keys of who was erased in the midst of it.
    """
    gone = subject_of(PHONES[seed % len(PHONES)])
    entries = attended(_with_erasure(Teller(seed).epochs(3, 20), gone).entries)
    with counting(backend.views_url) as at:
        at.build(entries[: len(entries) // 3])
        holds(at, tz)
        at.feed(entries[: 2 * len(entries) // 3], page)
        holds(at, tz)
        at.feed(entries, page)
        holds(at, tz)
        at.decks = report_deck.Decks()
        holds(at, tz)
        before = at.count("channel")
        at.build(without_keys(entries, [gone]))
        holds(at, tz)
        recorded = sum(isinstance(one.event, events.InteractionRecorded) for one in entries)
        assert at.count("channel")[1].interactions == recorded - _hidden(entries)
        assert at.count("channel") == before


def _with_erasure(epochs: list[Epoch], gone: UUID) -> Story:
    """The history; before the last epoch, which that address has no part in, it was erased."""
    story = told_in_order(epochs[:-1])
    theirs = {
        entry.event.originator_id
        for entry in told_in_order(epochs).entries
        if gone in _subjects(entry.event)
    }
    assert theirs
    erased(story, gone, [gone])
    for event in (*epochs[-1].facts, *epochs[-1].decisions):
        if event.originator_id not in theirs and getattr(event, "about", None) not in theirs:
            story.add(event, moment(20_000 + len(story.entries)))
    return story


def _subjects(event: object) -> set[UUID]:
    parties = getattr(event, "parties", ())
    return {getattr(event, "subject", None), *(party.subject for party in parties)} - {None}


def _hidden(entries: list[Entry]) -> int:
    """How many records are the hidden one of a link that stands."""
    shown = {}
    for entry in entries:
        if isinstance(entry.event, events.TwinLinked):
            shown[entry.event.about] = entry.event.shown
        elif isinstance(entry.event, events.TwinUnlinked):
            shown[entry.event.about] = True
    return list(shown.values()).count(False)


def test_segments_of_any_size_say_the_same(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However facts were cut into segments, and tails into them, the figures are the same."""
    monkeypatch.setattr(report_segment, "SLICE_FACTS", 5)
    monkeypatch.setattr(report_segment, "TAIL_FACTS", 3)
    entries = attended(rich_story().entries)
    with counting(backend.views_url) as at:
        for end in range(0, len(entries) + 5, 5):
            at.feed(entries[:end], 5)
            at.count("channel")
        holds(at, "Asia/Kolkata")


# ------------------------------------------------------------------------ contract


def canonical(at: Desk, story: Story) -> dict[str, list[str]]:
    """The rows without what the order of arrival may change: numbers become what they mean."""
    streams = {row.number: row.originator for row in at.rows(FACTS) if row.number is not None}
    kinds = {row.number: structs.astuple(row)[1:] for row in at.rows(KINDS)}
    with at.views.reading() as reading:
        tables = {table.name: reading.name(table) for table in at.group.tables}
        callers = {n: s for s, n in reading.fetch(f"SELECT * FROM {tables['report_callers']}")}
    facts = [
        repr((r.originator, r.occurred_at, kinds[r.kind], callers[r.caller], r.shown, r.state))
        for r in at.rows(FACTS)
        if r.number is not None
    ]
    further = [repr((streams[row.fact], callers[row.caller])) for row in at.rows(FURTHER)]
    return {"facts": sorted(facts), "further": sorted(further), "log": [str(len(story.entries))]}


def test_a_rebuild_gives_the_same_bytes_however_it_is_cut(backend: Backend) -> None:
    """Twice rebuilt, followed in pages of 1 and 7, without keys: the same checksums."""
    entries = rich_story().entries
    with desk(backend.views_url, [Reports()]) as at:
        at.rebuild(entries)
        expected = at.checksums()
        assert [table.name for table in at.group.tables if not at.rows(table)] == []
        at.rebuild(entries)
        assert at.checksums() == expected
        for page in (1, 7):
            at.rebuild()
            at.feed(entries, page=page)
            assert at.checksums() == expected
        at.rebuild([_erased(entry) for entry in entries])
        assert at.checksums() == expected


def _erased(entry: Entry) -> Entry:
    """What is left of an entry without its keys, as far as a record goes."""
    event = entry.event
    if isinstance(event, events.InteractionRecorded):
        event = structs.replace(event, text=None, resource=None, destination=None, identities=())
    return structs.replace(entry, event=event, erased=True)


@random_history
@given(seed=st.integers(0, 2**32), order=st.integers(0, 2**32))
def test_the_order_of_arrival_changes_no_fact(backend: Backend, seed: int, order: int) -> None:
    """Facts between two decisions, in any order and up to three times, give the same rows."""
    epochs = Teller(seed).epochs(3, 20)
    straight, shuffled = told_in_order(epochs), told_shuffled(epochs, order)
    with desk(backend.views_url, [Reports()]) as at:
        at.rebuild(straight.entries)
        expected = canonical(at, straight)
        at.rebuild(shuffled.entries)
        assert canonical(at, shuffled) == expected


def test_both_databases_hold_the_same_facts(postgres_url: str, tmp_path: Path) -> None:
    """One log gives the same checksums on SQLite and on PostgreSQL."""
    found = []
    for url in (f"sqlite:///{tmp_path / 'views.db'}", postgres_url):
        with desk(url, [Reports()]) as at:
            at.rebuild(rich_story().entries)
            found.append(at.checksums())
    assert found[0] == found[1]


def test_a_decision_before_its_record_counts_when_that_comes(backend: Backend) -> None:
    """Corrected and retracted in advance, a record is counted as it was corrected."""
    story = Story()
    message = story.inbound(PHONES[0], "hola", at=1, department="ventas")
    about = message.event.originator_id
    story.corrected(about, PHONES[0], department="taller")
    told = Story()
    for entry in reversed(story.entries):
        assert isinstance(entry.event, events.Event)
        told.add(entry.event)
    with counting(backend.views_url) as at:
        at.build(told.entries)
        assert as_dict(at.count("department")[0]) == {("taller",): (1, 1)}


# --------------------------------------------------------------------------- claims


def test_filters_narrow_as_they_do_on_the_list_of_all(backend: Backend) -> None:
    """Each filter alone, with none, and both ends of the range, to the microsecond."""
    entries = attended(rich_story().entries)
    with counting(backend.views_url) as at:
        at.build(entries)
        rows = at.seen()
        middle = rows[len(rows) // 2].occurred_at
        for name in ("channel", "direction", "origin", "source", "department", "campaign"):
            for wanted in {getattr(row, name) for row in rows}:
                filters: dict[str, Any] = {name: (wanted,)}
                _, total = at.count(**filters)
                assert total.interactions == sum(getattr(row, name) == wanted for row in rows)
        _, after = at.count("day", since=middle)
        _, before = at.count("hour", until=middle)
        assert after.interactions == sum(row.occurred_at >= middle for row in rows)
        assert before.interactions == len(rows) - after.interactions
        assert at.count("day", "channel", since=moment(10**6)) == at.count(until=moment(-(10**6)))


def test_hours_of_the_week_are_one_filter_everywhere(backend: Backend) -> None:
    """Of an hour of the heat map the list has as many rows as the figure says, in any zone."""
    with counting(backend.views_url) as at:
        at.build(attended(rich_story().entries))
        rows = at.seen()
        middle = rows[len(rows) // 2].occurred_at
        for tz in ZONES:
            of = {
                row.position: (value(row, "weekday", tz), value(row, "hour_of_day", tz))
                for row in rows
            }
            day, hour = of[rows[3].position]
            assert isinstance(day, int)
            assert isinstance(hour, int)
            for weekdays, hours, since in (
                ((day,), (hour,), None),
                ((day,), (), middle),
                ((), (hour, 0), None),
            ):
                filters = Filters(hours=week_hours(weekdays, hours, tz), since=since)
                expected = {
                    row.position
                    for row in rows
                    if of[row.position][0] in (weekdays or range(8))
                    and of[row.position][1] in (hours or range(24))
                    and row.occurred_at >= (since or 0)
                }
                with at.views.reading() as reading:
                    query = PageQuery(scope="test", filters=filters, limit=200)
                    listed = activity.page(reading, query, EVERYTHING).rows
                assert {ref.position for ref in listed} == expected
                _, total = at.count("channel", hours=filters.hours, since=since)
                assert total.interactions == len(expected)


def test_what_is_out_of_sight_is_in_no_figure(backend: Backend) -> None:
    """A restricted contact leaves every figure, but for what another participant may show.

    Such an interaction counts, as it is listed; its contact does not.
    """
    story = Story()
    for number in range(6):
        story.inbound(PHONES[number % 2], "hola", at=number * 4_000, department="ventas")
    story.inbound(PHONES[0], "a dos", at=30_000, with_parties=[party(PHONES[1], asserted=False)])
    working.restricted(story, PHONES[0])
    with counting(backend.views_url) as at:
        at.build(story.entries)
        assert at.count()[1] == report_figures.Figure((), 7, 2)
        figures, total = at.count("department", reader=Reader())
        assert as_dict(figures) == {("ventas",): (3, 1), (None,): (1, 0)}
        assert (total.interactions, total.contacts) == (4, 1)
        # Merged, the whole is as closed as its part.
        kin.merged(story, PHONES[1], PHONES[0])
        at.feed(story.entries)
        assert at.count(reader=Reader())[1].interactions == 0
        assert at.count()[1] == report_figures.Figure((), 7, 1)


def test_a_merge_moves_no_fact_and_can_be_undone(backend: Backend) -> None:
    """Contacts that are one count once; taken apart, they are two again; interactions stay."""
    story = Story()
    for number in range(4):
        story.inbound(PHONES[number % 2], "hola", at=number, channel=Channel.CALL)
    with counting(backend.views_url) as at:
        at.feed(story.entries)
        assert as_dict(at.count("channel")[0]) == {("call",): (4, 2)}
        merge = kin.merged(story, *PHONES[:2])
        at.feed(story.entries)
        assert as_dict(at.count("channel")[0]) == {("call",): (4, 1)}
        kin.undone(story, merge)
        at.feed(story.entries)
        assert as_dict(at.count("channel")[0]) == {("call",): (4, 2)}


def test_the_hidden_twin_counts_again_when_the_link_is_taken_back(backend: Backend) -> None:
    """Of two records of one event one counts."""
    story = Story()
    one, other = (story.inbound(PHONES[0], "hola", at=at) for at in (1, 2))
    with counting(backend.views_url) as at:
        pairing.linked(story, one, other)
        at.feed(story.entries)
        assert at.count()[1].interactions == 1
        pairing.parted(story, one, other)
        at.feed(story.entries)
        assert at.count()[1].interactions == 2


def test_too_long_an_answer_is_refused(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than the limit, and combinations beyond any number, are 422."""
    monkeypatch.setattr(report_figures, "ROWS_MAX", 2)
    with counting(backend.views_url) as at:
        at.build(rich_story().entries)
        with pytest.raises(InvalidInput, match=r".*"):
            at.count("hour")
        monkeypatch.setattr(report_figures, "KEY_BITS", 3)
        with pytest.raises(InvalidInput, match=r".*"):
            at.count("channel")


def test_reports_that_are_ahead_of_the_core_take_callers_for_contacts(backend: Backend) -> None:
    """A caller that the core has not seen is its own contact, until the core says otherwise."""
    story = Story()
    story.inbound(PHONES[0], "hola")
    story.inbound(PHONES[1], "hola")
    kin.merged(story, *PHONES[:2])
    story.inbound(PHONES[2], "hola")
    with counting(backend.views_url) as at:
        at.feed(story.entries[:1])
        late = at.core
        at.core = at.reports
        at.feed(story.entries)
        assert at.count()[1].contacts == 3
        at.core = late
        at.feed(story.entries)
        assert at.count()[1].contacts == 2
        with at.views.reading() as reading:
            assert reading.beside(REPORTS).position == reading.position


def test_facts_are_read_before_anybody_asks(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they are many; stretch by stretch they give the same; without views nothing happens."""
    with counting(backend.views_url) as at:
        assert not at.decks.warm(at.views)
        at.build(attended(rich_story().entries))
        assert not at.decks.warm(at.views)
        monkeypatch.setattr(report_deck, "WARM_FACTS_MIN", 10)
        monkeypatch.setattr(report_loading, "STRETCH", 7)
        assert at.decks.warm(at.views)
        monkeypatch.setattr(report_deck, "facts_of", None)
        holds(at, "Asia/Kolkata")
