"""Pages that were made a moment ago: until the next event they are the same for who asks again.

A page is a function of the log up to a position, of the query and of the person who looks. So
while the core views stand at that position the page is handed out again. A second is the limit
all the same, since views can be exchanged for better ones at the same position.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from projections.access import Reader

if TYPE_CHECKING:
    from api.answers import Json

KEPT_S: Final = 1.0
"""How long a page is handed out again: the bursts in which a team's screens ask together."""

KEPT_BYTES: Final = 16 << 20
"""Memory for pages: some 250 of fifty rows, what a busy second asks for."""

Asked = tuple[str, bytes, Reader]
"""Path, query and the kind of reader: two who may see different things share no page."""


class _Kept(Struct, frozen=True):
    position: int
    until: float
    answer: Json


class Shelf:
    """The pages of one application; used on its event loop only."""

    def __init__(self) -> None:
        self._pages: OrderedDict[Asked, _Kept] = OrderedDict()
        self._bytes = 0

    def get(self, asked: Asked, position: int) -> Json | None:
        """The page as it was made at this very position, a moment ago."""
        kept = self._pages.get(asked)
        if kept is None or kept.position != position or time.monotonic() > kept.until:
            return None
        return kept.answer

    def put(self, asked: Asked, position: int, answer: Json) -> None:
        """Keep a page that was just made; the oldest make room."""
        self._drop(asked)
        self._pages[asked] = _Kept(position, time.monotonic() + KEPT_S, answer)
        self._bytes += len(answer.body)
        while self._bytes > KEPT_BYTES:
            self._drop(next(iter(self._pages)))

    @property
    def size_bytes(self) -> int:
        """The size of all pages that are kept."""
        return self._bytes

    def tidy(self) -> None:
        """Drop the pages that are too old to be handed out again."""
        now = time.monotonic()
        for asked in [asked for asked, kept in self._pages.items() if now > kept.until]:
            self._drop(asked)

    def forget(self) -> None:
        """Drop all pages; an erasure calls it in every process."""
        self._pages.clear()
        self._bytes = 0

    def _drop(self, asked: Asked) -> None:
        before = self._pages.pop(asked, None)
        if before is not None:
            self._bytes -= len(before.answer.body)
