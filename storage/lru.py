"""A bounded memory that forgets what was used longest ago, and whatever is too old."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

FOR_EVER_S = float("inf")
"""The lifetime of what only the bound drops."""


class ExpiringLru(Generic[K, V]):
    """At most `size` values, each for at most `lifetime_s` seconds; safe between threads.

    `monotonic` gives seconds that never go back. None is not a value. Whoever reads a value
    elsewhere to put it here takes the `epoch` before reading: what was read before a `clear` is
    stale after it, and `put` drops it.
    """

    def __init__(
        self, size: int, lifetime_s: float = FOR_EVER_S, monotonic: Callable[[], float] = float
    ) -> None:
        self._size = size
        self._lifetime_s = lifetime_s
        self._monotonic = monotonic
        self._kept: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._lock = Lock()
        self._epoch = 0

    @property
    def epoch(self) -> int:
        """The number of times that all was forgotten."""
        return self._epoch

    def get(self, key: K) -> V | None:
        """The value, or None where it was never put, pushed out or too old."""
        now = self._monotonic()
        with self._lock:
            return self._get(key, now)

    def get_all(self, keys: Iterable[K]) -> list[V | None]:
        """The same of each key, in order."""
        now = self._monotonic()
        with self._lock:
            return [self._get(key, now) for key in keys]

    def _get(self, key: K, now: float) -> V | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[1] <= now:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def put(self, key: K, value: V, epoch: int) -> None:
        """Keep a value from now on; the one used longest ago goes where there is no room."""
        with self._lock:
            if epoch != self._epoch:
                return
            self._kept[key] = (value, self._monotonic() + self._lifetime_s)
            self._kept.move_to_end(key)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all, at once."""
        with self._lock:
            self._kept.clear()
            self._epoch += 1

    def __len__(self) -> int:
        return len(self._kept)
