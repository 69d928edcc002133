"""A group of projections: one checkpoint, one transaction, so that no page is ever torn.

The group is what a follower feeds. It loads the rows that a page of events names, lets each
projection change them in order, writes them once and moves its checkpoint on, all in one
transaction. An event that cannot be applied is parked, with what went wrong and no content;
the group then promises nothing until it is rebuilt, and goes on.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import structs

from domain.errors import Unavailable
from domain.ports import Entry
from projections import checkpoints, fulltext
from projections.base import Projection, RowTable
from projections.checkpoints import Checkpoint, Parked
from projections.database import Slot, is_refusal, translated, writing
from projections.loom import Loom, Poison, where_it_failed
from projections.views import Views
from storage.source import Mark, Page, Source

Listener = Callable[[int, Sequence[Entry]], None]
"""Is told, after a commit, the position and the entries of a page; quick, and never raises."""

log = logging.getLogger("hilo.views")


class Group:
    """A consumer of the log (storage/follower.py): projections with one checkpoint.

    `rebuild` in projections/rebuild.py makes its generations; `code_version` names the code
    that made one, so that tables of another shape are never read.
    """

    def __init__(self, name: str, projections: Sequence[Projection], views: Views) -> None:
        self.name = name
        self.projections = tuple(projections)
        self.views = views
        self.code_version = code_version(projections)
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()
        self._slot: Slot | None = None
        self._loom: Loom | None = None
        self._epochs: dict[str, int] = {}
        views.expect(name, self.code_version)
        views.on_close(self.close)

    @property
    def tables(self) -> list[RowTable[Any]]:
        """All tables of the group."""
        return [table for projection in self.projections for table in projection.tables]

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every commit of this process; the answer ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # --------------------------------------------------------- storage.Consumer

    def mark(self) -> Mark | None:
        """How far the serving generation came; None where nothing of this code serves."""
        from projections.rebuild import sweep  # noqa: PLC0415 - the two call each other

        with self._lock, self._healing(), translated():
            checkpoint = self._serving()
            sweep(self)
            return checkpoint.mark if checkpoint else None

    def apply(self, page: Page) -> bool:
        """Take a page in one transaction; a poison event is parked, in one of its own.

        False where the page does not follow on the checkpoint. Raises StoreUnavailable.
        """
        with self._lock, self._healing():
            if self._loom is None and self._serving() is None:
                return False
            if not self._take(page):
                self._loom = None
                return False
        for listener in tuple(self._listeners):
            try:
                listener(page.mark.position, page.entries)
            except Exception as error:  # noqa: BLE001 - a listener's fault stops no view
                why = where_it_failed(error)
                log.error("a listener of %s failed: %s", self.name, why)  # noqa: TRY400 - content
        return True

    def refuse(self, reason: str) -> None:
        """Serve no more; the tables stay until a rebuild replaces them."""
        with self._lock, self._healing(), writing(self._writer()) as slot:
            checkpoint = checkpoints.serving(slot, self.name)
            if checkpoint:
                place = (self.name, checkpoint.generation)
                checkpoints.set_state(slot, place, "refused", reason)
            self._loom = None

    def examine(self, source: Source) -> None:
        """Refuse to serve, where what serves was made from another log than this one.

        For processes that serve without following; whoever follows builds it again. Raises
        StoreUnavailable.
        """
        found = self.views.serving(self.name)
        reason = source.difference(found.mark) if found else None
        if found is None or reason is None:
            return
        with self._lock, self._healing(), writing(self._writer()) as slot:
            now = checkpoints.serving(slot, self.name)
            if now is None or now.generation != found.generation:
                return
            checkpoints.set_state(slot, (self.name, now.generation), "refused", reason)
            self._loom = None
        log.warning("%s: %s; it serves no more", self.name, reason)

    def rebuild(self, source: Source) -> None:
        """Build a new generation from the log and serve it.

        Raises Busy, RebuildFailed, KeyMissing, StoreUnavailable.
        """
        from projections.rebuild import rebuild  # noqa: PLC0415 - the two call each other

        rebuild(self, source)

    def scrub(self) -> None:
        """Have indexes of words keep nothing of what was deleted. Raises StoreUnavailable."""
        with self._lock, self._healing(), writing(self._writer()) as slot:
            for checkpoint in checkpoints.all_of(slot, self.name):
                for table in self.tables:
                    fulltext.scrub(slot, table, checkpoint.generation)

    def close(self) -> None:
        """Give the writing connection back."""
        with self._lock:
            self._loom = None
            if self._slot is not None:
                self._slot.close()
                self._slot = None

    # ------------------------------------------------------------------ inside

    @contextmanager
    def _healing(self) -> Iterator[None]:
        """A connection that failed is not used again, and a file that is damaged neither."""
        try:
            yield
        except Unavailable as error:
            slot = self._slot
            self.close()
            if slot is not None:
                self.views.database.heal(error, slot.file)
            raise

    def _writer(self) -> Slot:
        database = self.views.database
        if self._slot is not None and self._slot.file != database.file:
            self.close()  # another file lies there now
        if self._slot is None:
            checkpoints.create_tables(database)  # it may be new
            self._slot = database.writer()
        return self._slot

    def _serving(self) -> Checkpoint | None:
        slot = self._writer()
        with translated():
            checkpoint = checkpoints.serving(slot, self.name)
        if checkpoint is None or checkpoint.code_version != self.code_version:
            self._loom = None
            return None
        place = (self.name, checkpoint.generation)
        self._loom = Loom(self.projections, slot, place)
        self._epochs = checkpoint.epochs
        return checkpoint

    def _take(self, page: Page) -> bool:
        """Apply a page in one transaction, as a whole; where that fails, piece by piece."""
        try:
            with writing(self._writer()) as slot:
                begun = self._woven().weave(page.entries, page.mark)
                if begun:
                    self._begin_epochs(slot, begun, page.mark.position)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - the pieces will show which event it was
            self._woven().forget()
            begun = self._take_pieces(page)
        if begun is None:
            return False
        self._woven().committed()
        return True

    def _take_pieces(self, page: Page) -> frozenset[str] | None:
        """Apply what can be applied and park the rest, in one transaction."""
        loom = self._woven()
        begun: frozenset[str] = frozenset()
        todo: list[Sequence[Entry]] = [page.entries]
        with writing(self._writer()) as slot:
            while todo:
                piece = todo.pop()
                mark = structs.replace(page.mark, position=piece[-1].position)
                slot.run("SAVEPOINT piece")
                try:
                    woven = loom.weave(piece, mark)
                except Exception as error:
                    if is_refusal(error):
                        raise
                    slot.run("ROLLBACK TO SAVEPOINT piece")
                    loom.forget()
                    todo += self._smaller(slot, piece, mark, error)
                    continue
                if woven is None:
                    return None
                begun |= woven
                loom.committed()
            self._begin_epochs(slot, begun, page.mark.position)
        return begun

    def _smaller(
        self, slot: Slot, piece: Sequence[Entry], mark: Mark, error: Exception
    ) -> list[Sequence[Entry]]:
        """The pieces of a piece that failed, last first; a single event is parked instead."""
        place = self._woven().place
        if len(piece) == 1:
            checkpoints.advance(slot, place, piece[0].position - 1, mark)
            why = where_it_failed(error)
            checkpoints.park(slot, place, Parked(piece[0].position, piece[0].topic, why))
            log.error("%s: event %d is parked: %s", self.name, piece[0].position, why)
            return []
        known = error.number if isinstance(error, Poison) else len(piece) // 2
        cut = max(known, 1)
        return [piece[cut:], piece[:cut]]

    def _begin_epochs(self, slot: Slot, begun: frozenset[str], position: int) -> None:
        epochs = {**self._epochs, **dict.fromkeys(begun, position)}
        checkpoints.set_epochs(slot, self._woven().place, epochs)
        self._epochs = epochs

    def _woven(self) -> Loom:
        if self._loom is None:
            message = f"the group {self.name} has no generation at hand"
            raise RuntimeError(message)
        return self._loom


def code_version(projections: Sequence[Projection]) -> str:
    """Names and versions of the projections, and a digest of their tables' shapes."""
    digest = hashlib.sha256()
    for projection in projections:
        for table in projection.tables:
            columns = {name: repr(kind) for name, kind in table.columns.items()}
            digest.update(repr((table.name, table.key, columns, table.indexes)).encode())
    names = " ".join(f"{p.name}.{p.version}" for p in projections)
    return f"{names} {digest.hexdigest()[:12]}"
