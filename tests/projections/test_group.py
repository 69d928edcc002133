"""A group of views: one transaction a page, poison set aside, listeners told."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from domain.ports import Entry
from projections.base import Rows
from projections.rebuild import RebuildFailed
from storage.source import Page
from tests.backends import Backend
from tests.projections.desk import Desk, desk
from tests.projections.shelf import Shelf
from tests.projections.story import Story
from tests.projections.tally import COUNTS, POISON, POISON_AT_THE_END, Tally

PHONE = "tel:+525512345678"
SECRET = "una palabra que nadie escribe en un registro"


def story_of(*texts: str) -> Story:
    """A message for each text."""
    story = Story()
    for text in texts:
        story.inbound(PHONE, text)
    return story


def counts(at: Desk) -> dict[str, int]:
    """Text → how often it was counted."""
    return {row.text: row.times for row in at.rows(COUNTS)}


def page_of(story: Story, after: int = 0, limit: int = 1_000) -> Page:
    """A page of a story, as a follower hands it over."""
    page = Shelf(story.entries).source().read(after, limit)
    assert page is not None
    return page


def test_a_page_is_applied_with_its_checkpoint(backend: Backend) -> None:
    """Rows and mark move together, and a reading sees both at one position."""
    with desk(backend.views_url, [Tally()]) as at:
        at.rebuild()
        page = page_of(story_of("a", "b", "a"))
        assert at.group.apply(page)
        assert at.group.mark() == page.mark
        assert counts(at) == {"a": 2, "b": 1}
        assert at.views.position() == 3


def test_a_page_that_does_not_follow_changes_nothing(backend: Backend) -> None:
    """A page that was applied already, or that leaves a gap, is refused and leaves no trace."""
    story = story_of("a", "b", "c")
    with desk(backend.views_url, [Tally()]) as at:
        at.rebuild()
        assert at.group.apply(page_of(story, limit=1))
        assert not at.group.apply(page_of(story, limit=1))
        assert not at.group.apply(page_of(story, after=2))
        assert counts(at) == {"a": 1}
        assert at.group.apply(page_of(story, after=1))
        assert counts(at) == {"a": 1, "b": 1, "c": 1}


def test_of_two_groups_on_one_database_each_event_counts_once(backend: Backend) -> None:
    """Two programs that follow at once never apply a page twice: the checkpoint decides."""
    story = story_of("a", "a", "a", "a")
    with desk(backend.views_url, [Tally()]) as one, desk(backend.views_url, [Tally()]) as two:
        one.rebuild()
        assert one.group.apply(page_of(story, limit=1))
        assert two.group.apply(page_of(story, after=1, limit=1))
        assert not one.group.apply(page_of(story, after=1, limit=1))
        assert one.group.apply(page_of(story, after=2, limit=1))
        assert not two.group.apply(page_of(story, after=2, limit=1))
        assert two.group.apply(page_of(story, after=3))
        assert counts(one) == counts(two) == {"a": 4}


@pytest.mark.parametrize("poison", [POISON, POISON_AT_THE_END])
@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_poison_event_is_parked_and_the_rest_goes_on(
    backend: Backend, poison: str, size: int
) -> None:
    """Only the event that cannot be applied is left out; it is shown, and nothing is half done."""
    story = story_of("a", "b", poison, "a", "c", poison)
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story.entries, page=size)
        assert counts(at) == {"a": 2, "b": 1, "c": 1}
        (state,) = at.views.state(head=6)
        assert [parked.position for parked in state.parked] == [3, 6]
        assert state.parked[0].topic == "interaction.recorded"
        assert "ValueError" in state.parked[0].error
        assert at.group.mark() == page_of(story).mark


def test_what_is_parked_tells_no_content(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the log of the program nor the parked error repeats a word of the event."""

    class Leaky(Tally):
        def apply(self, entry: Entry, rows: Rows) -> None:
            super().apply(entry, rows)
            raise ValueError(SECRET)

    with desk(backend.views_url, [Leaky()]) as at, caplog.at_level(logging.DEBUG):
        at.feed(story_of(SECRET).entries)
        (state,) = at.views.state(head=1)
    assert len(state.parked) == 1
    assert SECRET not in caplog.text
    assert SECRET not in state.parked[0].error


def test_a_rebuild_of_poison_fails_loudly_and_what_served_still_serves(backend: Backend) -> None:
    """A rebuild names the event and leaves the old views; a healed one parks nothing."""
    story = story_of("a", POISON)
    tally = Tally()
    with desk(backend.views_url, [tally]) as at:
        at.feed(story.entries)
        with pytest.raises(RebuildFailed, match="Event 2 "):
            at.rebuild(story.entries)
        assert counts(at) == {"a": 1}
        (state,) = at.views.state(head=2)
        assert (state.serving, len(state.parked), state.rebuilding) == (True, 1, None)
        tally.healed = True
        at.rebuild(story.entries)
        assert counts(at) == {"a": 1, POISON: 1}
        assert at.views.state(head=2)[0].parked == ()


def test_listeners_hear_of_each_commit_and_cannot_stop_it(backend: Backend) -> None:
    """A listener gets position and entries after the commit; one that raises harms nobody."""
    story = story_of("a", "b", "c")
    heard: list[tuple[int, int]] = []

    def listen(position: int, entries: Sequence[Entry]) -> None:
        heard.append((position, len(entries)))
        assert at.views.position() == position

    def fail(_position: int, _entries: Sequence[Entry]) -> None:
        raise RuntimeError

    with desk(backend.views_url, [Tally()]) as at:
        at.rebuild()
        at.group.subscribe(fail)
        end = at.group.subscribe(listen)
        at.feed(story.entries, page=2)
        end()
        at.feed(story_of("a", "b", "c", "d").entries)
    assert heard == [(2, 2), (3, 1)]


def test_an_epoch_begins_with_the_page_that_touched_it(backend: Backend) -> None:
    """What caches ask for is the position of the last page that changed what they keep."""
    story = story_of("a", "b")
    story.department("ventas", "Ventas")
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story.entries, page=1)
        with at.views.reading() as reading:
            assert (reading.epoch("counted"), reading.epoch("other")) == (2, 0)
        at.rebuild(story.entries)
        with at.views.reading() as reading:
            assert reading.epoch("counted") == 3


def test_a_reading_stays_at_its_position(backend: Backend) -> None:
    """A page that is committed during a reading is not seen by it, but by the next one."""
    story = story_of("a", "a", "a")
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story.entries[:1])
        with at.views.reading() as reading:
            at.feed(story.entries)
            found = reading.fetch(f"SELECT times FROM {reading.name(COUNTS)}")
            assert (reading.position, found) == (1, [(1,)])
            table = reading.table(COUNTS)
            assert reading.select(table.select())[0].times == 1
        assert counts(at) == {"a": 3}
