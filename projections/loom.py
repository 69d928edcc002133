"""How pages of events become rows: loaded together, changed in order, written once.

A loom works on one generation of a group's tables, for the group that follows live and for its
rebuilds alike.
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from domain.ports import Entry
from projections import checkpoints
from projections.base import EPOCH, Key, Projection, Rows, RowTable
from projections.database import Slot, is_refusal
from projections.rowset import RowSet
from projections.sheets import Sheets
from storage.source import Mark

KNOWN_ROWS_MAX: Final = 20_000
"""Rows remembered from page to page: what a busy hour touches again, some 30 MB."""

Asked = Callable[[RowTable[Any]], None]
"""Is told a table before the first query over it, so that it may have its indexes made."""

_Keys = Callable[[Entry], Iterable[tuple[RowTable[Any], Key]]]
_Handler = Callable[[Entry, Rows], None]


class Poison(Exception):
    """An event could not be applied: its place in the page."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Loom:
    """Applies pages to one generation of a group's tables, over one connection.

    Used by the live group and by rebuilds. Nobody else writes a generation while its
    checkpoint moves, so rows stay known from page to page until a transaction fails.
    """

    def __init__(
        self,
        projections: Sequence[Projection],
        slot: Slot,
        place: tuple[str, int],
        asked: Asked | None = None,
    ) -> None:
        self._projections = projections
        self._asked = asked
        self._slot = slot
        self.place = place
        self._keys: dict[str, list[_Keys]] = {}
        self._handlers: dict[str, list[_Handler]] = {}
        for projection in projections:
            for topic in projection.topics:
                self._keys.setdefault(topic, []).append(projection.keys)
                self._handlers.setdefault(topic, []).append(projection.apply)
        self._rows = RowSet(slot, place[1], asked)

    def weave(self, entries: Sequence[Entry], mark: Mark) -> frozenset[str] | None:
        """Apply entries and settle inside the caller's transaction; the epochs that begin, by name.

        None where the checkpoint is elsewhere than before the first entry. Raises Poison for an
        event that a projection could not apply, and whatever writing raises.
        """
        if not checkpoints.advance(self._slot, self.place, entries[0].position - 1, mark):
            return None
        self._work_on(entries)
        return self.settle()

    def draft(self, entries: Sequence[Entry]) -> frozenset[str]:
        """Apply entries and write their rows, but for what `settle` makes; epochs as `weave`.

        The checkpoint is moved by whoever writes down what was drafted. Raises as `weave`.
        """
        self._work_on(entries)
        self._rows.flush()
        return self._begun()

    @contextmanager
    def over(self, store: Sheets) -> Iterator[None]:
        """Inside the block, rows come from these sheets and go there."""
        before, self._rows.store = self._rows.store, store
        try:
            yield
        finally:
            self._rows.store = before

    @property
    def unsettled(self) -> int:
        """How many things wait to be settled."""
        return self._rows.unsettled

    def settle(self) -> frozenset[str]:
        """Recompute what was touched, inside the caller's transaction; epochs as from `weave`."""
        rows = self._rows
        for projection in self._projections:
            projection.settle(rows)
        rows.flush()
        begun = self._begun()
        rows.settled()
        return begun

    def committed(self, *, written: bool = False) -> None:
        """The transaction stands: what is known stays known, within a limit.

        With `written`, but for that of the last page, whose rows stay known beside the others.
        """
        self._rows.trim(KNOWN_ROWS_MAX, written=written)

    def forget(self) -> None:
        """The transaction failed, or somebody else wrote: know nothing."""
        self._rows = RowSet(self._slot, self.place[1], self._asked)

    def _begun(self) -> frozenset[str]:
        return frozenset(str(key[0]) for key in self._rows.touched(EPOCH))

    def _work_on(self, entries: Sequence[Entry]) -> None:
        for table, keys in self._wanted(entries).items():
            self._rows.load(table, keys)
        self._apply(entries, self._rows)

    def _wanted(self, entries: Sequence[Entry]) -> dict[RowTable[Any], dict[Key, None]]:
        """The keys that the entries name, by table, each once."""
        wanted: dict[RowTable[Any], dict[Key, None]] = defaultdict(dict)
        number = 0
        try:
            for number, entry in enumerate(entries):  # noqa: B007 - the error names it
                for keys in self._keys.get(entry.topic, ()):
                    for table, key in keys(entry):
                        wanted[table][key] = None
        except Exception as error:
            raise Poison(number) from error
        return wanted

    def _apply(self, entries: Sequence[Entry], rows: RowSet) -> None:
        number = 0
        try:
            for number, entry in enumerate(entries):  # noqa: B007 - the error names it
                for apply in self._handlers.get(entry.topic, ()):
                    apply(entry, rows)
        except Exception as error:
            if is_refusal(error):
                raise
            raise Poison(number) from error


def where_it_failed(error: BaseException) -> str:
    """The kind of an error and the place in our code, without a word of content."""
    cause = error.__cause__ if isinstance(error, Poison) and error.__cause__ else error
    frames = traceback.extract_tb(cause.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).parent.name == "projections"]
    last = (ours or list(frames))[-1]
    return f"{type(cause).__name__} in {last.name} ({Path(last.filename).name}:{last.lineno})"
