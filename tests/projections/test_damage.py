"""Views whose file is not what was written are made again, whoever finds it out."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import StoreUnavailable
from projections.views import Views
from storage.exclusive import FileLock
from storage.follower import Follower
from storage.wakeup import Wakeup
from tests.projections.desk import Desk, desk
from tests.projections.shelf import Shelf
from tests.projections.tally import Tally
from tests.projections.test_group import counts, story_of

PAGE_BYTES = 4_096
"""SQLite's pages: the first holds the names of the tables."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Views in a file, that hold enough for a few pages."""
    url = f"sqlite:///{tmp_path / 'views.db'}"
    with desk(url, [Tally()]) as at:
        at.rebuild(story_of(*(f"word {number}" for number in range(500))).entries)
    return url


@pytest.fixture
def shelf() -> Shelf:
    """The log that they are made of, with a new event for a word that is known."""
    return Shelf(story_of(*(f"word {number}" for number in range(500)), "word 250").entries)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[FileLock]:
    """The lock of the follower."""
    lock = FileLock(tmp_path / "follower.lock")
    yield lock
    lock.release()


def scrawl(url: str, first: int) -> Path:
    """Write nonsense over every page of the file from one on."""
    path = Path(url.removeprefix("sqlite:///"))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(first)
        file.write(os.urandom(size - first))
    return path


def follow(at: Desk, shelf: Shelf, lock: FileLock) -> None:
    """Catch up, as a follower does that asks again where a database did not answer."""
    follower = Follower(shelf.source(), at.group, wakeup=Wakeup(), exclusive=lock)
    for _ in range(3):
        try:
            follower.catch_up()
        except StoreUnavailable:
            follower.release()
        else:
            break
    follower.release()


def test_a_file_that_is_no_database_is_set_aside_at_once(
    url: str, shelf: Shelf, lock: FileLock, caplog: pytest.LogCaptureFixture
) -> None:
    """Opening it makes another file, says so, and the follower fills that."""
    path = scrawl(url, 0)
    with caplog.at_level(logging.ERROR), desk(url, [Tally()]) as at:
        follow(at, shelf, lock)
        assert counts(at)["word 250"] == 2
    assert path.with_name("views.db.damaged").is_file()
    assert "is damaged" in caplog.text


def test_damage_that_the_follower_meets_is_no_poison(
    url: str, shelf: Shelf, lock: FileLock
) -> None:
    """Pages that cannot be read park no event: the file is set aside, and built anew."""
    path = scrawl(url, PAGE_BYTES)
    with desk(url, [Tally()]) as at:
        follow(at, shelf, lock)
        assert counts(at)["word 250"] == 2
        assert at.views.state(head=501)[0].parked == ()
    assert path.with_name("views.db.damaged").is_file()


def test_damage_that_a_reader_meets_is_mended_by_the_follower(
    url: str, shelf: Shelf, lock: FileLock
) -> None:
    """The reader hears `unavailable`; the follower, in another process, makes the views anew."""
    with desk(url, [Tally()]) as reading, desk(url, [Tally()]) as following:
        follow(following, shelf, lock)
        reading.views.close()
        following.views.close()
        scrawl(url, PAGE_BYTES)
        with pytest.raises(StoreUnavailable):
            counts(reading)
        follow(following, shelf, lock)
        assert counts(reading)["word 250"] == 2


def test_a_file_that_was_taken_away_is_made_again(url: str, shelf: Shelf, lock: FileLock) -> None:
    """Who removes the file of the views while they are in use gets new ones, and soon."""
    with desk(url, [Tally()]) as at:
        follow(at, shelf, lock)
        Path(url.removeprefix("sqlite:///")).unlink()
        follow(at, shelf, lock)
        assert counts(at)["word 250"] == 2


def test_a_server_that_does_not_answer_is_not_damage() -> None:
    """Only what says so is taken for damage: nothing else is set aside."""
    with pytest.raises(StoreUnavailable):
        Views("postgresql://nobody@127.0.0.1:1/none")
