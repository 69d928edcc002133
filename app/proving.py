"""What makes proofs while Hilo runs: the tree grows, is signed, and its checkpoints go out.

Beside the views, in the process that follows. Nothing of it is waited for by an append; what
fails is written down where `/v1/audit/state`, `hilo doctor` and the metrics show it.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from audit.room import SIGNER, TREE
from domain.errors import HiloError, StoreUnavailable
from storage.follower import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.places import Place
    from audit.room import Proofs
    from audit.signer import Signer
    from domain.ports import Clock, Entropy
    from storage.follower import Follower
    from storage.tree_store import KeptCheckpoint, PlaceRow

LOOK_EVERY_S: Final = 1.0
"""How often it is looked whether a checkpoint is due."""

PREPARE_EVERY_S: Final = 10.0
"""How often a host that is not the signer looks whether it has become it."""

AGAIN_US: Final = 10_000_000
"""How long a place that failed is left alone."""

log = logging.getLogger("hilo.proofs")


class Rhythm(Struct, frozen=True):
    """When a checkpoint is due: after so many events, or so long (µs) after the last."""

    events: int
    every_us: int


class Proving:
    """The tree, the signer and the places of one ledger, in threads or step by step."""

    def __init__(
        self,
        proofs: Proofs,
        follower: Follower,
        signer: Signer,
        *,
        rhythm: Rhythm,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._proofs = proofs
        self.follower = follower
        self.signer = signer
        self.places: Sequence[Place] = ()
        self._rhythm = rhythm
        self._clock = clock
        self._entropy = entropy
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._prepared_at: float | None = None
        self._is_signer = False
        self._tree_failed = False

    # ---------------------------------------------------------------- by thread

    def start(self) -> None:
        """Grow the tree and sign it, until `close`."""
        self.follower.start()
        self._thread = threading.Thread(target=self._run, name="hilo-signer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; what was appended until now is signed first, where this process signs."""
        self._stopping.set()
        started, self._thread = self._thread, None
        if started is not None:
            started.join()
            self.follower.stop()
            self.now()
        self.follower.release()
        self.signer.files.lock.release()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self._watch_tree()
                self.turn()
            except StoreUnavailable:
                continue  # a store that does not answer now may do so in a second
            except Exception:
                log.exception("the signer met something unexpected")

    # ------------------------------------------------------------- step by step

    def grow(self) -> None:
        """Bring the tree to the log's end, unless another process does. Raises Damaged."""
        self.follower.catch_up()
        self.follower.release()

    def now(self) -> KeptCheckpoint | None:
        """Bring the tree to the log's end, sign and publish it; the newest checkpoint.

        Where another process grows the tree, or signs it, that one's is taken.
        """
        try:
            self.grow()
            self.turn(at_once=True)
        except StoreUnavailable:
            log.warning("a store does not answer: the last events are signed at the next start")
        except HiloError as error:
            self._fail(TREE, error)
        return self._proofs.store.last_checkpoint()

    def turn(self, *, at_once: bool = False) -> None:
        """Sign where a checkpoint is due, and publish the newest where it is not yet."""
        if not self._signs(at_once=at_once):
            return
        if at_once or self._due():
            try:
                kept = self.signer.sign()
            except StoreUnavailable:
                raise
            except HiloError as error:
                self._fail(SIGNER, error)
                return
            if kept is not None:
                self._proofs.store.reached(SIGNER, kept.size, self._clock())
        self._publish()

    def _signs(self, *, at_once: bool) -> bool:
        """Whether this process signs; looked at now and then, since a host may take over."""
        files = self.signer.files
        waited = time.monotonic() - (self._prepared_at or 0.0) >= PREPARE_EVERY_S
        if self._prepared_at is None or at_once or (waited and not self._is_signer):
            self._prepared_at = time.monotonic()
            try:
                files.folder()
                self._is_signer = files.lock.acquire() and self.signer.prepare(self._entropy)
            except StoreUnavailable:
                raise
            except HiloError as error:
                self._fail(SIGNER, error)
                self._is_signer = False
        return self._is_signer and files.lock.acquire()

    def _due(self) -> bool:
        last = self._proofs.store.last_checkpoint()
        new = self._proofs.size() - (last.size if last else 0)
        if new == 0:
            return False
        waited = self._clock() - last.at >= self._rhythm.every_us if last else True
        return waited or new < 0 or new >= self._rhythm.events

    # ---------------------------------------------------------------- publishing

    def _publish(self) -> None:
        last = self._proofs.store.last_checkpoint()
        if last is None or not self.places:
            return
        known = {row.place: row for row in self._proofs.store.places()}
        for place in self.places:
            row = known.get(place.name)
            if not _waits(row, last.size) or self._left_alone(row):
                continue
            last = self._published(place, row, last)

    def _published(
        self, place: Place, row: PlaceRow | None, last: KeptCheckpoint
    ) -> KeptCheckpoint:
        """Give a place the newest checkpoint; the checkpoint with what the place adds."""
        store = self._proofs.store
        try:
            note = place.publish(last.note, row.size or 0 if row else 0)
        except HiloError as error:
            self._fail(place.name, error)
            return last
        if note != last.note:
            last = type(last)(last.size, last.root, last.at, note)
            store.keep(last)
        store.reached(place.name, last.size, self._clock())
        return last

    def _left_alone(self, row: PlaceRow | None) -> bool:
        if row is None or row.error is None or row.failed_at is None:
            return False
        return self._clock() - row.failed_at < AGAIN_US

    def _watch_tree(self) -> None:
        state = self.follower.state
        if state.phase is Phase.FAILED and not self._tree_failed:
            self._tree_failed = True
            self._proofs.store.failed(TREE, state.error or "it stopped", self._clock())
        elif state.phase is Phase.FOLLOWING and self._prepared_at is None:
            rows = [row for row in self._proofs.store.places() if row.place == TREE and row.error]
            if rows:
                self._proofs.store.reached(TREE, state.position, self._clock())

    def _fail(self, place: str, error: HiloError) -> None:
        log.warning("%s: %s", place, error.detail)
        self._proofs.store.failed(place, error.detail, self._clock())


def _waits(row: PlaceRow | None, size: int) -> bool:
    return row is None or row.size is None or row.size < size or row.error is not None
