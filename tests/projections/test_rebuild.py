"""Rebuilds and checks: the next generation beside the one that serves, and the flip."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import psycopg
import pytest
import sqlalchemy as sa

from domain.errors import Busy, NotYet
from domain.ports import Entry, StoredEntry
from projections.rebuild import check, rebuild
from tests.backends import Backend
from tests.projections.desk import Desk, desk
from tests.projections.shelf import Shelf
from tests.projections.story import Story
from tests.projections.tally import COUNTS, Tally
from tests.projections.test_group import counts, page_of, story_of


def tables(at: Desk) -> set[str]:
    """The names of all tables of generations."""
    found = sa.inspect(at.views.database.engine).get_table_names()
    return {name for name in found if name.startswith("counts_g")}


class Watched(Shelf):
    """A shelf that lets a test look each time that a page is opened."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__(entries)
        self.opened = 0

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """As in Shelf; `look` comes first."""
        self.opened += 1
        self.look()
        return super().open_page(entries)

    def look(self) -> None:
        """What the test wants to do."""


def test_the_old_views_serve_until_the_flip(backend: Backend) -> None:
    """During a rebuild readers see the old rows, followers go on, and progress is shown."""
    story = story_of("a", "b", "c")
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story.entries[:2])
        old = at.views.state(head=3)[0].generation

        class Look(Watched):
            def look(self) -> None:
                if self.opened == 1:
                    assert at.group.apply(page_of(story, after=2))
                state = at.views.state(head=3)[0]
                assert (state.generation, state.serving) == (old, True)
                assert state.rebuilding is not None
                assert state.rebuilding.total == 3
                assert counts(at) == {"a": 1, "b": 1, "c": 1}

        told: list[tuple[int, int]] = []
        shelf = Look(story.entries)
        mark = rebuild(at.group, shelf.source(), lambda *done: told.append(done))
        state = at.views.state(head=3)[0]
        assert state.generation != old
        assert (state.position, state.rebuilding, state.lag) == (3, None, 0)
        assert mark == at.group.mark()
        assert told == [(0, 3), (3, 3)]
        assert counts(at) == {"a": 1, "b": 1, "c": 1}
        assert len(tables(at)) == 1


def test_a_flip_never_goes_back(backend: Backend) -> None:
    """What was followed live while the rebuild was on its way is in the new views too."""
    story = story_of("a", "b", "c", "d")
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story.entries[:1])

        class Look(Watched):
            def look(self) -> None:
                if self.opened == 1:
                    # The log grows, and who follows live sees it before the rebuild does.
                    self.entries = list(story.entries)
                    assert at.group.apply(page_of(story, after=1))

        shelf = Look(story.entries[:1])
        rebuild(at.group, shelf.source())
        assert at.views.position() == 4
        assert counts(at) == {"a": 1, "b": 1, "c": 1, "d": 1}


def test_who_follows_goes_on_after_a_flip(backend: Backend) -> None:
    """A group that held the old generation finds the new one and continues there."""
    story = story_of("a", "b")
    with desk(backend.views_url, [Tally()]) as one, desk(backend.views_url, [Tally()]) as two:
        one.feed(story.entries[:1])
        two.rebuild(story.entries[:1])
        assert not one.group.apply(page_of(story, after=1))
        assert one.group.apply(page_of(story, after=1))
        assert counts(two) == {"a": 1, "b": 1}


def test_one_rebuild_at_a_time(backend: Backend) -> None:
    """A second rebuild of the group is told that one is going on, and changes nothing."""
    story = story_of("a")
    with desk(backend.views_url, [Tally()]) as at:

        class Look(Watched):
            def look(self) -> None:
                with pytest.raises(Busy):
                    rebuild(at.group, Shelf().source())

        shelf = Look(story.entries)
        rebuild(at.group, shelf.source())
        assert shelf.opened == 1
        assert counts(at) == {"a": 1}


def test_what_a_broken_rebuild_left_is_swept(backend: Backend) -> None:
    """Tables of a rebuild that was cut off go with the next one."""

    class Cut(Exception):
        pass

    class Look(Watched):
        def look(self) -> None:
            raise Cut

    with desk(backend.views_url, [Tally()]) as at:
        at.rebuild()
        with pytest.raises(Cut):
            rebuild(at.group, Look(story_of("a").entries).source())
        assert len(tables(at)) == 1
        slot = at.views.database.writer()
        slot.run(
            "INSERT INTO checkpoints SELECT group_name, 900, 'building', code_version,"
            " ledger_id, position, leaf, epochs, target, error FROM checkpoints"
        )
        slot.run("CREATE TABLE counts_g900 (text TEXT)")
        slot.close()
        at.rebuild(story_of("a").entries)
        assert len(tables(at)) == 1
        assert "counts_g900" not in tables(at)


def test_who_follows_sweeps_what_a_killed_rebuild_left(backend: Backend) -> None:
    """A rebuild that was killed is shown no more, and its tables go, once somebody follows."""
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story_of("a").entries)
        slot = at.views.database.writer()
        slot.run(
            "INSERT INTO checkpoints SELECT group_name, 900, 'building', code_version,"
            " ledger_id, position, leaf, epochs, target, error FROM checkpoints"
        )
        slot.run("CREATE TABLE counts_g900 (text TEXT)")
        slot.close()
        lock = at.views.database.exclusive("rebuild-core")
        assert lock.acquire()
        at.group.mark()
        assert at.views.state(head=1)[0].rebuilding is not None
        lock.release()
        at.group.mark()
        assert at.views.state(head=1)[0].rebuilding is None
        assert "counts_g900" not in tables(at)
        assert counts(at) == {"a": 1}


def test_other_code_reads_only_its_own_tables(backend: Backend) -> None:
    """A new version of the program does not read what the old one made: it builds its own."""

    class Newer(Tally):
        version = 2

    with desk(backend.views_url, [Tally()]) as old, desk(backend.views_url, [Newer()]) as new:
        old.feed(story_of("a").entries)
        assert new.group.mark() is None
        assert new.views.state(head=1)[0].reason == "made by another version of the program"
        with pytest.raises(NotYet), new.views.reading():
            pass
        new.rebuild(story_of("a").entries)
        assert counts(new) == {"a": 1}
        with pytest.raises(NotYet), old.views.reading():
            pass


def test_a_check_finds_nothing_in_sound_views(backend: Backend) -> None:
    """Views that were followed live equal a replay up to their position, and stay as they are."""
    story = story_of("a", "b", "a", "c")
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story.entries[:3], page=1)
        assert check(at.group, Shelf(story.entries).source()) == []
        assert at.views.position() == 3
        assert len(tables(at)) == 1


def test_a_check_names_a_table_that_differs(backend: Backend) -> None:
    """A row that no event made is found."""
    story = story_of("a", "b")
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story.entries)
        slot = at.views.database.writer()
        slot.run(f"UPDATE {tables(at).pop()} SET times = 7 WHERE text = 'b'")
        slot.close()
        assert check(at.group, Shelf(story.entries).source()) == ["counts"]
        assert counts(at) == {"a": 1, "b": 7}


def test_a_check_of_views_ahead_of_their_log_names_every_table(backend: Backend) -> None:
    """After a restore the log may end before the views: the check says so, and ends too."""
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story_of("a", "b").entries)
        assert check(at.group, Shelf(story_of("a").entries).source()) == ["counts"]
        assert len(tables(at)) == 1


def test_a_dropped_table_under_a_reading_is_not_yet(backend: Backend) -> None:
    """A reader that meets tables which a rebuild just dropped is told to come again."""
    with desk(backend.views_url, [Tally()]) as at:
        at.feed(story_of("a").entries)
        slot = at.views.database.writer()
        slot.run(f"DROP TABLE {tables(at).pop()}")
        slot.close()
        with pytest.raises(NotYet) as caught, at.views.reading() as reading:
            reading.fetch(f"SELECT * FROM {reading.name(COUNTS)}")
        assert isinstance(caught.value.__cause__, sqlite3.Error | psycopg.Error)


def test_nothing_serves_before_the_first_build(backend: Backend) -> None:
    """Empty views say that they were never built; a check of them has nothing to check."""
    with desk(backend.views_url, [Tally()]) as at:
        (state,) = at.views.state(head=9)
        assert (state.serving, state.reason, state.lag) == (False, "never built", None)
        assert at.group.mark() is None
        with pytest.raises(NotYet), at.views.reading():
            pass
        with pytest.raises(NotYet):
            check(at.group, Shelf(Story().entries).source())
        assert tables(at) == set()
