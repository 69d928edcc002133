"""The follower: pages into views, one at a time, and only over the log that they were made of."""

from __future__ import annotations

import gc
import threading
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from domain.errors import Damaged, KeyMissing, NotYet, StoreUnavailable
from domain.ports import Entry, StoredEntry
from storage.exclusive import AdvisoryLock, Exclusive, FileLock, exclusive_for
from storage.follower import Follower, Phase
from storage.source import COLLECT_EVERY, seldom_collected
from storage.wakeup import Wakeup
from tests.backends import Backend
from tests.patience import PATIENCE_S
from tests.projections.desk import Desk, desk
from tests.projections.shelf import LEDGER, Shelf
from tests.projections.tally import Tally
from tests.projections.test_group import counts, story_of

OTHER_LEDGER = UUID(int=99)


def lock_of(backend: Backend, name: str = "follower.lock") -> Exclusive:
    """The lock that followers of this ledger share."""
    return exclusive_for(backend.log_url, backend.folder / name)


def follower_of(backend: Backend, at: Desk, shelf: Shelf, ledger: UUID = LEDGER) -> Follower:
    """A follower of that shelf for that desk."""
    return Follower(shelf.source(ledger), at.group, wakeup=Wakeup(), exclusive=lock_of(backend))


def test_a_follower_builds_what_is_missing_and_follows(backend: Backend) -> None:
    """On an empty database it builds first, then takes page after page to the log's end."""
    shelf = Shelf(story_of("a", "b").entries)
    with desk(backend.views_url, [Tally()]) as at:
        follower = follower_of(backend, at, shelf)
        follower.catch_up()
        assert counts(at) == {"a": 1, "b": 1}
        shelf.entries = story_of("a", "b", "a", "c").entries
        assert follower.step() == 2
        assert follower.step() == 0
        assert counts(at) == {"a": 2, "b": 1, "c": 1}
        assert follower.state.phase is Phase.FOLLOWING
        assert follower.state.position == 4
        follower.release()


def test_the_collector_looks_seldom_while_pages_are_in_work() -> None:
    """Pages may overlap; after the last one the collector is as it was before the first."""
    usual = gc.get_threshold()
    with seldom_collected():
        with seldom_collected():
            assert gc.get_threshold()[0] == COLLECT_EVERY
        assert gc.get_threshold()[0] == COLLECT_EVERY
    assert gc.get_threshold() == usual


@pytest.mark.parametrize("change", ["another event", "another ledger", "ahead"])
def test_views_of_another_history_refuse_and_are_built_again(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """A wrong leaf, a wrong ledger, or a position beyond the log's end: refused, rebuilt."""
    with desk(backend.views_url, [Tally()]) as at:
        first = follower_of(backend, at, Shelf(story_of("a", "b", "c").entries))
        first.catch_up()
        first.release()
        refused: list[str] = []
        refuse = at.group.refuse

        def note(reason: str) -> None:
            refuse(reason)
            state = at.views.state(head=3)[0]
            assert (state.serving, state.reason) == (False, reason)
            refused.append(reason)

        monkeypatch.setattr(at.group, "refuse", note)
        texts = ("x", "y") if change == "ahead" else ("x", "y", "z")
        flavour = b"other" if change == "another event" else b""
        shelf = Shelf(story_of(*texts).entries, flavour=flavour)
        ledger = OTHER_LEDGER if change == "another ledger" else LEDGER
        second = follower_of(backend, at, shelf, ledger)
        second.catch_up()
        second.release()
        assert len(refused) == 1
        assert counts(at) == dict.fromkeys(texts, 1)
        assert at.views.state(head=len(texts))[0].serving


def test_views_that_match_their_log_are_not_touched(backend: Backend) -> None:
    """After a restart the same generation goes on."""
    shelf = Shelf(story_of("a", "b").entries)
    with desk(backend.views_url, [Tally()]) as at:
        first = follower_of(backend, at, shelf)
        first.catch_up()
        first.release()
        generation = at.views.state(head=2)[0].generation
        second = follower_of(backend, at, shelf)
        assert second.catch_up() == 0
        second.release()
        assert at.views.state(head=2)[0].generation == generation


def test_of_two_followers_one_works_until_it_lets_go(backend: Backend) -> None:
    """The second waits for the lock; when the first is gone, it takes over where that ended."""
    shelf = Shelf(story_of("a").entries)
    with desk(backend.views_url, [Tally()]) as one, desk(backend.views_url, [Tally()]) as two:
        first = follower_of(backend, one, shelf)
        second = follower_of(backend, two, shelf)
        first.catch_up()
        shelf.entries = story_of("a", "b").entries
        assert second.catch_up() == 0
        assert second.state.phase is Phase.WAITING
        first.release()
        assert second.catch_up() == 1
        assert first.catch_up() == 0
        assert first.state.phase is Phase.WAITING
        second.release()
        assert counts(one) == {"a": 1, "b": 1}


def test_a_page_that_another_took_is_not_taken_twice(backend: Backend) -> None:
    """Who lost its lock unawares finds the checkpoint elsewhere, looks again and goes on."""
    shelf = Shelf(story_of("a", "b").entries)
    with desk(backend.views_url, [Tally()]) as at:
        follower = follower_of(backend, at, shelf)
        follower.catch_up()
        story = story_of("a", "b", "c", "d")
        shelf.entries = story.entries
        at.feed(story.entries[:3])
        follower.catch_up()
        follower.release()
        assert counts(at) == {"a": 1, "b": 1, "c": 1, "d": 1}


class Loose:
    """A lock whose connection can be lost, like a session's in PostgreSQL."""

    def __init__(self) -> None:
        self.taken = 0
        self.lost = True

    def acquire(self) -> bool:
        """Connects again where the connection was lost."""
        self.taken += self.lost
        self.lost = False
        return True

    def held(self) -> bool:
        """Whether the connection is there."""
        return not self.lost

    def release(self) -> None:
        """Nothing to do."""


@pytest.mark.parametrize("texts", [("a", "x"), ("a", "x", "y", "z")])
def test_a_reconnect_may_meet_another_log(backend: Backend, texts: tuple[str, ...]) -> None:
    """After a lost connection the mark is checked anew, before a page of the log is taken."""
    shelf = Shelf(story_of("a", "b", "c").entries)
    lock = Loose()
    with desk(backend.views_url, [Tally()]) as at:
        follower = Follower(shelf.source(), at.group, wakeup=Wakeup(), exclusive=lock)
        follower.catch_up()
        shelf.entries, shelf.flavour = story_of(*texts).entries, b"other"
        lock.lost = True
        follower.catch_up()
        follower.release()
        assert lock.taken == 2
        assert counts(at) == dict.fromkeys(texts, 1)


def test_a_damaged_event_stops_the_follower_and_is_named(backend: Backend) -> None:
    """Bytes that are not what was written end the following, with their position."""

    class Torn(Shelf):
        def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
            raise Damaged(entries[0].position, "its state is not of a known format")

    with desk(backend.views_url, [Tally()]) as at:
        at.rebuild(story_of("a").entries)
        follower = follower_of(backend, at, Torn(story_of("a", "b").entries))
        follower.start()
        thread = follower._thread
        assert thread is not None
        thread.join(PATIENCE_S)
        assert follower.state.phase is Phase.FAILED
        assert "position 2" in str(follower.state.error)
        follower.stop()


def test_a_missing_key_stops_the_follower_and_says_so(backend: Backend) -> None:
    """A key that is gone without a tombstone ends the following: visible, and before the event."""
    shelf = Shelf(story_of("a", "b").entries)
    with desk(backend.views_url, [Tally()]) as at:
        follower = follower_of(backend, at, shelf)
        follower.catch_up()
        shelf.entries = story_of("a", "b", "c").entries
        shelf.missing = {3}
        with pytest.raises(KeyMissing):
            follower.step()
        follower.start()
        thread = follower._thread
        assert thread is not None
        thread.join(PATIENCE_S)
        assert follower.state.phase is Phase.FAILED
        assert "KeyMissing: The key of event 3 is gone." in str(follower.state.error)
        assert at.views.position() == 2
        follower.stop()


def test_a_follower_in_a_thread_is_woken_and_stopped(backend: Backend) -> None:
    """A thread follows what a wake-up announces, and `stop` returns when it is gone."""
    shelf = Shelf(story_of("a").entries)
    wakeup = Wakeup()
    reached = threading.Event()
    with desk(backend.views_url, [Tally()]) as at:
        at.rebuild(shelf.entries)
        at.group.subscribe(lambda position, _: reached.set() if position == 3 else None)
        follower = Follower(shelf.source(), at.group, wakeup=wakeup, exclusive=lock_of(backend))
        follower.start()
        shelf.entries = story_of("a", "b", "c").entries
        wakeup.publish(3)
        assert reached.wait(PATIENCE_S)
        follower.stop()
        assert follower.state.phase is Phase.STOPPED
        lock = lock_of(backend)
        assert lock.acquire()
        lock.release()


def test_a_log_that_does_not_answer_is_asked_again(backend: Backend) -> None:
    """An unavailable store is an operating error: the follower says so, and goes on later."""
    asked = threading.Event()

    class Shaky(Shelf):
        def page(self, after: int, limit: int, max_bytes: int) -> list[StoredEntry]:
            if not asked.is_set():
                asked.set()
                raise StoreUnavailable
            return super().page(after, limit, max_bytes)

    shelf = Shaky(story_of("a", "b").entries)
    reached = threading.Event()
    with desk(backend.views_url, [Tally()]) as at:
        at.rebuild(story_of("a").entries)
        at.group.subscribe(lambda *_: reached.set())
        follower = follower_of(backend, at, shelf)
        follower.start()
        assert reached.wait(PATIENCE_S)
        follower.stop()
        assert counts(at) == {"a": 1, "b": 1}


def test_a_lock_has_one_holder_and_is_free_after_it(backend: Backend) -> None:
    """Two objects of one name exclude each other; other names do not."""
    one, two, other = lock_of(backend), lock_of(backend), lock_of(backend, "another.lock")
    assert one.acquire()
    assert one.acquire()
    assert not two.acquire()
    assert other.acquire()
    one.release()
    assert not one.held()
    assert two.acquire()
    assert two.held()
    two.release()
    other.release()


def test_a_lost_connection_loses_the_lock(postgres_url: str) -> None:
    """The lock of a session that the server ended is free, and its holder notices."""
    one, two = AdvisoryLock(postgres_url, "x"), AdvisoryLock(postgres_url, "x")
    assert one.acquire()
    assert one._connection is not None
    one._connection.close()
    assert not one.held()
    assert two.acquire()
    two.release()


def test_a_lock_without_its_folder_says_that_it_cannot(tmp_path: Path) -> None:
    """A lock file that cannot be made, or a server that is away, is an operating error."""
    with pytest.raises(StoreUnavailable):
        FileLock(tmp_path / "missing" / "x.lock").acquire()
    with pytest.raises(StoreUnavailable):
        AdvisoryLock("postgresql://nobody@127.0.0.1:1/none", "x").acquire()


def test_a_rebuild_ends_when_its_follower_stops(backend: Backend) -> None:
    """Stopping does not wait for a rebuild's end; nothing of it is left, and it begins anew."""
    reading = threading.Event()

    class Long(Shelf):
        def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
            reading.set()
            assert stopping.wait(PATIENCE_S)
            return super().open_page(entries)

        def head(self) -> int:
            return super().head() + 1  # never reached: only stopping ends it

    shelf = Long(story_of("a", "b").entries)
    with desk(backend.views_url, [Tally()]) as at:
        follower = follower_of(backend, at, shelf)
        stopping = follower._stopping
        follower.start()
        assert reading.wait(PATIENCE_S)
        follower.stop()
        assert follower.state.phase is Phase.STOPPED
        assert at.views.state(head=2)[0].generation is None


def test_every_change_of_a_follower_is_told(backend: Backend) -> None:
    """Who observes a follower hears how it is, each state once."""
    shelf = Shelf(story_of("a").entries)
    told: list[tuple[Phase, int]] = []
    with desk(backend.views_url, [Tally()]) as at:
        follower = follower_of(backend, at, shelf)
        follower.observer = lambda state: told.append((state.phase, state.position))
        follower.catch_up()
        follower.step()
        follower.release()
    assert told == [(Phase.REBUILDING, 0), (Phase.FOLLOWING, 1)]


@pytest.mark.parametrize("change", ["another event", "ahead", "none"])
def test_who_serves_without_following_examines_too(backend: Backend, change: str) -> None:
    """Views that are beside or ahead of their log serve no more, before any follower came."""
    shelf = Shelf(story_of("a", "b", "c").entries)
    with desk(backend.views_url, [Tally()]) as at:
        at.group.examine(shelf.source())  # nothing serves: nothing is refused
        at.rebuild(shelf.entries)
        if change == "ahead":
            shelf.entries = shelf.entries[:2]
        elif change == "another event":
            shelf.flavour = b"other"
        at.group.examine(shelf.source())
        state = at.views.state(head=3)[0]
        assert state.serving == (change == "none")
        if change != "none":
            assert "its log" in str(state.reason) or "another one" in str(state.reason)
            with pytest.raises(NotYet):
                at.views.position()
