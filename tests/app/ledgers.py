"""A whole ledger for a test, on either database, with a clock that the test turns."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from app.compose import Composition, open_ledger
from app.settings import Settings, read_settings
from tests.backends import Backend
from tests.domain.commands import NOON

T = TypeVar("T")


class TurnedClock:
    """A clock that stands until the test turns it; µs."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        """The time that it shows."""
        return self.now


def settings_of(backend: Backend) -> Settings:
    """The settings of a ledger that lies where the backend says."""
    url = "" if backend.kind == "sqlite" else backend.log_url
    return read_settings({}, data=str(backend.folder), database_url=url)


@contextmanager
def opened(backend: Backend, clock: TurnedClock | None = None) -> Iterator[Composition]:
    """A ledger whose views follow when the test says so: `composition.follower.catch_up()`."""
    composition = open_ledger(settings_of(backend), follow=False, clock=clock or TurnedClock())
    try:
        yield composition
    finally:
        composition.close()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, in a loop of its own."""
    return asyncio.run(coroutine)
