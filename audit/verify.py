"""Whether a log is what it says, and what was signed about it; else, the first bad position.

Every event is looked at once, in order: its position follows the one before, its time is not
before the one before, its topic is known, its leaf is the one that the tree was made of. The tree
must have no more events than the log, each tile must be the hashes of those below, and every
checkpoint that was ever signed, or that an auditor kept, must be the root over the same events.
Two roots over one stream of events are consistent, so no proof between them is needed.

What no tile covers yet is opened instead, where the keys are at hand: its seals bind its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from msgspec import Struct

from audit.blocks import BLOCK_EVENTS, Ask, Bad, Block
from audit.merkle import HASH_BYTES, Frontier, fold, peaks_of
from audit.notes import BadNote, Checkpoint, Verifier, opened, read_checkpoint, read_note
from audit.tree import LEVELS_MAX, TILE_HASHES, TileReader, nodes_of, tile_root
from domain.errors import Damaged, HiloError
from domain.ports import Entry, StoredEntry
from storage.appending import BrokenLog

__all__ = ["Bad", "Material", "Opening", "Verified", "Witnessed", "opened_from", "verify"]

PAGE_EVENTS: Final = 1_000
"""Events that are opened together: one look-up of keys for all of them."""

PAGE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of one page: memory stays constant, however large the events are."""


class Verified(Struct, frozen=True):
    """The log is whole: its events, and the root of their tree (32 bytes).

    `checkpoints`: at how many sizes something that was signed agrees with it.
    """

    events: int
    root: bytes
    checkpoints: int = 0


class Witnessed(Struct, frozen=True):
    """A checkpoint that the log must agree with: its note, and where it comes from.

    `trusted`: the auditor brought it, so its signature is not asked for.
    """

    size: int
    note: str
    whence: str
    trusted: bool = False


class Looking(Protocol):
    """What looks at blocks, in order: in this process or in several."""

    def __call__(self, asks: Iterable[Ask]) -> Iterator[Block]:
        """The blocks that were asked for, in that order."""


class Material(Struct, frozen=True, kw_only=True):
    """What is verified, and what it is held against.

    `events`: how many the log has; `covered`: how many the tree has. `checkpoints(after, upto)`
    gives those over so many events, by size. `open_tail(after, upto)` opens events; those after
    `open_after` are.
    """

    origin: str
    events: int
    covered: int
    tiles: TileReader
    checkpoints: Callable[[int, int], Iterable[Witnessed]]
    verifiers: Sequence[Verifier]
    look: Looking
    open_tail: Callable[[int, int], Bad | None] | None = None
    open_after: int = 0
    block_events: int = BLOCK_EVENTS


ENDLESS: Final = 1 << 63
"""Above every size."""


def verify(
    material: Material, progress: Callable[[int, int], None], start: int = 1
) -> Verified | Bad:
    """Look at every event from `start` on; `progress` is told (how many were good, of all).

    What lies before `start` is taken from the tree, for which its checkpoints vouch; the begin
    is moved back to that of a block.
    """
    try:
        return _Verification(material).run(progress, start)
    except Damaged as error:
        return Bad(error.position, error.what)


class _Verification:
    """One run: the frontier of full tiles so far, and what was told last."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._tiles = Frontier()
        self._checkpoints = 0
        self._counted = 0
        self._good = 0
        self._last_at = 0

    def run(self, progress: Callable[[int, int], None], start: int) -> Verified | Bad:
        material = self._material
        first = max(0, min(start - 1, material.covered, material.events)) // TILE_HASHES
        if first:
            nodes = nodes_of(material.tiles)
            self._tiles = Frontier(first, peaks_of(nodes, first * TILE_HASHES))
        self._good = first * TILE_HASHES
        root = self._tiles.root()
        for block in material.look(self._asks(self._good)):
            bad = self._joined(block)
            if bad is not None:
                return bad
            root = fold([*self._tiles.peaks, *block.rest])
            progress(self._good, material.events)
        return self._beyond() or Verified(material.events, root, self._checkpoints)

    def _asks(self, after: int) -> Iterator[Ask]:
        material, size = self._material, self._material.block_events
        while after < material.events:
            upto = min(after - after % size + size, material.events)
            kept = material.checkpoints(after, upto)
            yield Ask(after, upto, tuple({one.size: 0 for one in kept}), material.covered)
            after = upto

    def _joined(self, block: Block) -> Bad | None:
        """What is wrong with a block that follows on the ones before; None where nothing is."""
        material = self._material
        size = material.block_events
        upto = min(block.after - block.after % size + size, material.events)
        bad = block.bad
        if bad is None and block.after + block.events < upto:
            bad = Bad(block.after + block.events + 1, "missing: the log ends before it", "missing")
        if block.events and block.first_at < self._last_at:
            bad = Bad(block.after + 1, "recorded before the event in front of it", "time")
        if bad is None:
            bad = self._tiles_above(block)
        found = self._signed(block, upto if bad is None else bad.position - 1)
        if found is not None or bad is not None:
            return found or bad
        self._last_at = block.last_at
        self._good = block.after + block.events
        if material.open_tail is not None and self._good > material.open_after:
            return material.open_tail(max(block.after, material.open_after), self._good)
        return None

    def _signed(self, block: Block, upto: int) -> Bad | None:
        """Join a block's tiles; the first checkpoint in it that is over other events."""
        added = 0
        for kept in self._material.checkpoints(block.after, upto):
            wanted = (kept.size - block.after) // TILE_HASHES
            for tile in block.tiles[added:wanted]:
                self._tiles.add(tile)
            added = max(added, wanted)
            root = fold([*self._tiles.peaks, *block.prefixes.get(kept.size, ())])
            bad = self._over_others(kept, root)
            if bad is not None:
                return bad
            self._checkpoints += kept.size != self._counted
            self._good = self._counted = kept.size
        for tile in block.tiles[added:]:
            self._tiles.add(tile)
        return None

    def _over_others(self, kept: Witnessed, root: bytes) -> Bad | None:
        try:
            checkpoint = self._opened(kept)
        except BadNote as error:
            return Bad(kept.size, f"{kept.whence}: {error.detail}", "note")
        if checkpoint.size == kept.size and checkpoint.root == root:
            return None
        what = (
            f"{kept.whence} over {kept.size} events is over others: "
            f"something from here to {kept.size} was changed after it was signed"
        )
        return Bad(min(self._good + 1, kept.size), what, "checkpoint")

    def _opened(self, kept: Witnessed) -> Checkpoint:
        material = self._material
        if not kept.trusted:
            return opened(kept.note, material.verifiers, material.origin)
        found = read_checkpoint(read_note(kept.note).text)
        if found.origin != material.origin:
            raise BadNote(f"The checkpoint is of another log: {found.origin[:80]}")
        return found

    def _tiles_above(self, block: Block) -> Bad | None:
        """Hold the tiles above the leaves against the hashes of those below."""
        covered = self._material.covered
        whole = [
            root
            for at, root in enumerate(block.tiles)
            if block.after + (at + 1) * TILE_HASHES <= covered
        ]
        return self._rows_above(1, block.after // TILE_HASHES, whole)

    def _rows_above(self, level: int, first: int, hashes: Sequence[bytes]) -> Bad | None:
        for at, one in enumerate(hashes):
            number, place = divmod(first + at, TILE_HASHES)
            tile = self._material.tiles(level, number) or b""
            if tile[place * HASH_BYTES : (place + 1) * HASH_BYTES] != one:
                position = ((first + at) << (8 * level)) + 1
                what = f"the tree's tile {level}/{number} is not over those below"
                return Bad(position, what, "tree")
            if place == TILE_HASHES - 1 and level < LEVELS_MAX:
                bad = self._rows_above(level + 1, number, [tile_root(tile)])
                if bad is not None:
                    return bad
        return None

    def _beyond(self) -> Bad | None:
        """What stands beyond the log's end: it was cut, or is an old one."""
        material = self._material
        over = next(iter(material.checkpoints(material.events, ENDLESS)), None)
        if over is not None:
            what = f"missing: {over.whence} is over {over.size} events, the log ends before"
            return Bad(material.events + 1, what, "missing")
        if material.covered > material.events:
            what = f"missing: the tree has {material.covered} events, the log ends before"
            return Bad(material.events + 1, what, "missing")
        return None


class Opening(Struct, frozen=True):
    """How events are opened: pages after a position, and their content.

    `page` raises BrokenLog where positions are missing.
    """

    page: Callable[[int, int, int], Sequence[StoredEntry]]
    open_page: Callable[[Sequence[StoredEntry]], Sequence[Entry]]


def opened_from(opening: Opening, after: int, upto: int) -> Bad | None:
    """Open events; the first that does not open, or None where all do."""
    while after < upto:
        try:
            page = opening.page(after, min(PAGE_EVENTS, upto - after), PAGE_BYTES)
        except BrokenLog as error:
            return Bad(after + 1, str(error), "missing")
        if not page:
            return None
        bad = _bad_content(page, opening)
        if bad:
            return bad
        after = page[-1].position
    return None


def _bad_content(page: Sequence[StoredEntry], opening: Opening) -> Bad | None:
    """Open a page at once; only where that fails, row by row, to name the first."""
    try:
        opening.open_page(page)
    except HiloError:
        for stored in page:
            try:
                opening.open_page((stored,))
            except HiloError as error:
                return Bad(stored.position, error.detail)
    return None
