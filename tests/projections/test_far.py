"""Far behind the log's end: large pages, which another process may open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from storage import follower as following
from storage import source as reading
from storage.follower import Follower
from storage.source import Page, Reach, Source
from storage.wakeup import Wakeup
from tests.backends import Backend
from tests.projections.desk import desk
from tests.projections.shelf import Shelf
from tests.projections.tally import Tally
from tests.projections.test_follower import lock_of
from tests.projections.test_group import counts, story_of


class Beside:
    """Implements source.Ahead over a shelf: begins behind two events, and ends before the log."""

    def __init__(self, shelf: Shelf, reach: Reach, end: int) -> None:
        self._source = shelf.source()
        self._end = end
        self.begins = reach.after + 2
        self.given: list[int] = []

    def page(self, after: int, limit: int) -> Page | None:
        """The page, up to the end of what it has."""
        if after >= self._end:
            return None
        self.given.append(after)
        return self._source.read(after, min(limit, self._end - after))


def test_a_log_that_is_far_ahead_is_opened_by_another(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the other has opened is taken, what it has not is read; at the end it is let go."""
    monkeypatch.setattr(reading, "AHEAD_EVENTS_MIN", 5)
    monkeypatch.setattr(following, "GATHER_EVENTS", 0)
    monkeypatch.setattr(following, "FAR_EVENTS", 3)
    shelf = Shelf(story_of("a").entries)
    begun: list[Beside] = []
    ended: list[Beside] = []

    @contextmanager
    def helper(reach: Reach) -> Iterator[Beside]:
        begun.append(Beside(shelf, reach, 18))
        yield begun[-1]
        ended.append(begun[-1])

    source = shelf.source()
    source.helper = helper
    with desk(backend.views_url, [Tally()]) as at:
        follower = Follower(source, at.group, wakeup=Wakeup(), exclusive=lock_of(backend))
        follower.catch_up()
        assert not begun  # a short log is read by oneself
        shelf.entries = story_of(*"ab" * 12).entries
        monkeypatch.setattr(Source.read, "__defaults__", (2, reading.PAGE_BYTES))
        follower.catch_up()
        assert begun[0].given == [5, 8, 11, 14, 17]
        assert begun == ended
        assert counts(at) == {"a": 12, "b": 12}
        follower.release()
