"""What an auditor asks for, from the stored tree: checkpoints, tiles, entries, proofs, receipts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from audit.merkle import HASH_BYTES, consistency_proof, inclusion_proof
from audit.notes import BadNote, Verifier, read_note, read_verifier
from audit.receipts import Receipt
from audit.tree import LEVELS_MAX, TILE_HASHES, Tiles, nodes_of
from audit.verify import Witnessed
from domain.errors import InvalidInput, NotFound, NotYetSigned

if TYPE_CHECKING:
    from domain.ports import Gone, StoredEntry
    from storage.runs import Run, Runs
    from storage.source import Pages
    from storage.tree_store import KeptCheckpoint, PlaceRow, SignerRow, TreeStore

BUNDLE_BYTES_MAX: Final = 256 * 65_537
"""Stored bytes read for a bundle of entries at a time."""

NOTES_AT_ONCE: Final = 1_000
"""Checkpoints read by one statement."""

TILES_AT_HAND: Final = 1_024
"""Tiles (8 KiB each) remembered while the receipts of one contact are made."""

TREE: Final = "tree"
SIGNER: Final = "signer"
"""The places that are no places: how the tree and the signer are stands among them."""

UNSIGNED: Final = "No signed checkpoint covers this event yet; try again in a moment."


class State(Struct, frozen=True):
    """How the proofs of a ledger are: positions, the last checkpoint, signers, places."""

    origin: str
    head: int
    tree: int
    last: KeptCheckpoint | None
    checkpoints: int
    signers: list[SignerRow]
    places: list[PlaceRow]


class Source(Struct, frozen=True):
    """The log that the proofs are about: its origin, its rows, and what a leaf is made of."""

    origin: str
    pages: Pages
    entry: Callable[[StoredEntry], bytes]


class Proofs:
    """The proofs of one ledger; safe between threads.

    `runs` are verifications and exports, and `exports` the folder of the latter's files; `launch`
    has one done in a process of its own. `erasures` says how many there were, and where the last.
    """

    def __init__(self, source: Source, store: TreeStore, runs: Runs, exports: Path) -> None:
        self.exports = exports
        self.source = source
        self.store = store
        self.tiles = Tiles(store)
        self.runs = runs
        self.launch: Callable[[Run], None] = lambda _: None
        self.erasures: Callable[[], tuple[int, int]] = lambda: (0, 0)
        self._nodes = nodes_of(self.tiles)
        self._covered = 0

    # -------------------------------------------------------------- checkpoints

    def last(self) -> KeptCheckpoint:
        """The newest checkpoint. Raises NotYetSigned."""
        found = self.store.last_checkpoint()
        if found is None:
            raise NotYetSigned("No checkpoint was signed yet.")
        return found

    def covering(self, position: int) -> int | None:
        """How many events the newest checkpoint has that covers a position; None without one."""
        if position > self._covered:
            found = self.store.last_checkpoint()
            self._covered = found.size if found else 0
        return self._covered if position <= self._covered else None

    def verifiers(self) -> list[Verifier]:
        """The keys that ever signed for this ledger, the present one last."""
        return [read_verifier(row.verifier) for row in self.store.signers()]

    def key(self) -> Verifier:
        """The key that signs. Raises NotYetSigned."""
        known = self.verifiers()
        if not known:
            raise NotYetSigned("No key was made yet: hilo serve makes it.")
        return known[-1]

    def kept(self, after: int, upto: int, more: Sequence[Witnessed] = ()) -> Iterator[Witnessed]:
        """Every kept checkpoint over so many events, by size, those brought along among them."""
        brought = [one for one in more if after < one.size <= upto]
        for one in self._stored(after, upto):
            while brought and brought[0].size < one.size:
                yield brought.pop(0)
            yield Witnessed(one.size, one.note, "a kept checkpoint")
        yield from brought

    def _stored(self, after: int, upto: int) -> Iterator[KeptCheckpoint]:
        while True:
            some = self.store.checkpoints(after, NOTES_AT_ONCE)
            for one in some:
                if one.size > upto:
                    return
                yield one
            if len(some) < NOTES_AT_ONCE:
                return
            after = some[-1].size

    def state(self) -> State:
        """How all of it is."""
        return State(
            origin=self.source.origin,
            head=self.source.pages.head(),
            tree=self.size(),
            last=self.store.last_checkpoint(),
            checkpoints=self.store.count(),
            signers=self.store.signers(),
            places=self.store.places(),
        )

    def purge(self, gone: Gone) -> Sequence[str]:  # noqa: ARG002 - whoever it is, they may be in any
        """As in Purgeable: archives that wait to be fetched go; they are made without them."""
        if self.exports.is_dir():
            for file in self.exports.iterdir():
                file.unlink(missing_ok=True)
        return ()

    # ------------------------------------------------------------------- proofs

    def size(self) -> int:
        """How many events the tree has."""
        mark = self.store.mark()
        return mark.position if mark else 0

    def inclusion(self, position: int, size: int) -> list[bytes]:
        """The proof that the event at a position is in the tree of `size`. Raises InvalidInput."""
        self._require_size("size", size)
        if not 0 < position <= size:
            raise InvalidInput.one("query.position", "out_of_range", f"write 1 to {size}")
        return inclusion_proof(self._nodes, position - 1, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `new` begins with that of `old`. Raises InvalidInput."""
        self._require_size("to", new)
        if not 0 <= old <= new:
            raise InvalidInput.one("query.from", "out_of_range", f"write 0 to {new}")
        return consistency_proof(self._nodes, old, new)

    def receipt(self, position: int, *, with_entry: bool = False) -> Receipt:
        """The receipt of an event under the newest checkpoint. Raises NotYetSigned, NotFound."""
        last = self.last()
        if position > last.size:
            raise NotYetSigned(UNSIGNED)
        proof = tuple(inclusion_proof(self._nodes, position - 1, last.size))
        entry = self._entry(position) if with_entry else None
        return Receipt(position - 1, proof, last.note, entry)

    def receipts(self, checkpoint: KeptCheckpoint) -> Callable[[StoredEntry], Receipt]:
        """What makes receipts of many events under one checkpoint; tiles are read once."""
        nodes = nodes_of(lru_cache(TILES_AT_HAND)(self.tiles))

        def made(stored: StoredEntry) -> Receipt:
            index = stored.position - 1
            proof = tuple(inclusion_proof(nodes, index, checkpoint.size))
            return Receipt(index, proof, checkpoint.note, self.source.entry(stored))

        return made

    def _entry(self, position: int) -> bytes:
        rows = self.source.pages.page(position - 1, 1, 1)
        if not rows:
            raise NotFound("The log ends before that position.")
        return self.source.entry(rows[0])

    def _require_size(self, name: str, size: int) -> None:
        covered = self.size()
        if not 0 <= size <= covered:
            message = f"the tree has {covered} events"
            raise InvalidInput.one(f"query.{name}", "out_of_range", message)

    # -------------------------------------------------------------------- tiles

    def tile(self, level: int, number: int, width: int) -> bytes:
        """The first `width` hashes of a tile. Raises NotFound where there are not so many."""
        tile = self.tiles(level, number) if level < LEVELS_MAX else None
        if tile is None or len(tile) < width * HASH_BYTES:
            raise NotFound("The tree has no such tile yet.")
        return tile[: width * HASH_BYTES]

    def entries(self, number: int, width: int) -> bytes:
        """The first `width` entries of a bundle, each after its length. Raises NotFound."""
        first, upto = number * TILE_HASHES, number * TILE_HASHES + width
        if upto > self.size():
            raise NotFound("The tree has no such entries yet.")
        return b"".join(
            len(entry).to_bytes(2, "big") + entry
            for entry in map(self.source.entry, self._rows(first, upto))
        )

    def _rows(self, after: int, upto: int) -> Iterable[StoredEntry]:
        while after < upto:
            page = self.source.pages.page(after, upto - after, BUNDLE_BYTES_MAX)
            if not page:
                raise NotFound("The log ends before these entries.")
            yield from page
            after = page[-1].position


def cosigners(note: str) -> list[str]:
    """Who signed a note beside the log, by name; the signatures are not checked."""
    try:
        return [name for name, _, _ in read_note(note).signatures[1:]]
    except BadNote:
        return []
