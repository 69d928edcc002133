"""Every way to change the log behind Hilo's back is seen, by whoever has a checkpoint."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from app.compose import Composition
from audit.merkle import consistency_proof, consistent, leaf_hash
from audit.notes import read_checkpoint, read_note
from audit.signer import KeyFiles, NotSigning, Signer
from audit.tree import Tiles, grown, nodes_of
from audit.verify import Bad, Verified
from storage.leaf import Row, entry_maker
from storage.source import Mark
from storage.tree_store import TreeStore
from tests.app.ledgers import TurnedClock, opened
from tests.audit.attacks import Tampering, fill, looked_at, signed
from tests.backends import Backend

FIRST, EVENTS, TAIL = 9, 16, 3
"""Events under the first checkpoint, under the last, and after it."""

FEW = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Victim:
    """A ledger with two checkpoints and an unsigned tail, whose rows can be put back."""

    composition: Composition
    tampering: Tampering
    rows: list[Row]
    first_note: str
    last_note: str

    @property
    def origin(self) -> str:
        """The ledger's origin."""
        return self.composition.proofs.source.origin

    def put(self, rows: list[Row]) -> None:
        """Have the log hold these rows, and its head say so, past the triggers."""
        self.tampering.replace(rows)

    def put_tiles(self, rows: list[Row]) -> None:
        """Make the tree of these rows, as whoever rewrites both would."""
        store = self.composition.proofs.store
        self.tampering("DELETE FROM tiles", "DELETE FROM tree")
        entry = entry_maker(self.origin)
        leaves = [_leaf(entry, row) for row in rows]
        mark = Mark(self.composition.keys.identity.id.bytes, len(rows), leaves[-1])
        assert store.grow(0, mark, grown(store, 0, leaves))
        self.composition.proofs.tiles = Tiles(store)


def _leaf(entry: Callable[[Row], bytes], row: Row) -> bytes:
    return leaf_hash(entry(row))


@pytest.fixture
def victim(backend: Backend) -> Iterator[Victim]:
    """Nine events signed, sixteen signed, three more in the tree."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        fill(composition, clock, FIRST)
        signed(composition)
        first = composition.proofs.last().note
        fill(composition, clock, EVENTS - FIRST, start=FIRST + 1)
        signed(composition)
        fill(composition, clock, TAIL, start=EVENTS + 1)
        composition.proving.grow()
        tampering = Tampering(backend)
        last = composition.proofs.last().note
        yield Victim(composition, tampering, tampering.rows(), first, last)


# ------------------------------------------------------------------------------- the attacks

Attacked = tuple[list[Row], int]
"""The rows afterwards, and the first position that is not what it was."""


def edit_a_byte(rows: list[Row], data: DataObject) -> Attacked:
    """One byte of any stored event, clear or sealed."""
    at = data.draw(st.integers(0, len(rows) - 1))
    state = bytearray(rows[at][5])
    byte = data.draw(st.integers(0, len(state) - 1))
    state[byte] ^= data.draw(st.integers(1, 255))
    return _with(rows, at, (*rows[at][:5], bytes(state))), at + 1


def delete_in_the_middle(rows: list[Row], data: DataObject) -> Attacked:
    """A row that others follow."""
    at = data.draw(st.integers(0, len(rows) - 2))
    return rows[:at] + rows[at + 1 :], at + 1


def delete_and_close_ranks(rows: list[Row], data: DataObject) -> Attacked:
    """The same, and those that follow move up."""
    at = data.draw(st.integers(0, len(rows) - 2))
    moved = [(row[0] - 1, *row[1:]) for row in rows[at + 1 :]]
    return rows[:at] + moved, at + 1


def delete_at_the_tail(rows: list[Row], data: DataObject) -> Attacked:
    """The last rows."""
    left = data.draw(st.integers(0, len(rows) - 1))
    return rows[:left], left + 1


def insert_a_row(rows: list[Row], data: DataObject) -> Attacked:
    """A made-up row; those that follow move down."""
    at = data.draw(st.integers(0, len(rows) - 1))
    made = (at + 1, UUID(int=at + 1).bytes, 1, *rows[at][3:])
    moved = [(row[0] + 1, *row[1:]) for row in rows[at:]]
    return [*rows[:at], made, *moved], at + 1


def swap_two(rows: list[Row], data: DataObject) -> Attacked:
    """Two rows change places."""
    one = data.draw(st.integers(0, len(rows) - 2))
    other = data.draw(st.integers(one + 1, len(rows) - 1))
    swapped = _with(rows, one, (one + 1, *rows[other][1:]))
    return _with(swapped, other, (other + 1, *rows[one][1:])), one + 1


def change_a_time(rows: list[Row], data: DataObject) -> Attacked:
    """One event was recorded at another time."""
    at = data.draw(st.integers(0, len(rows) - 1))
    by = data.draw(st.integers(-(10**9), 10**9).filter(bool))
    return _with(rows, at, (*rows[at][:4], rows[at][4] + by, rows[at][5])), at + 1


def change_a_name(rows: list[Row], data: DataObject) -> Attacked:
    """Another stream, version or topic."""
    at = data.draw(st.integers(0, len(rows) - 1))
    row = rows[at]
    changed = data.draw(
        st.sampled_from(
            [
                (row[0], UUID(int=1).bytes, *row[2:]),
                (*row[:2], row[2] + 1, *row[3:]),
                (*row[:3], "delivery.reported", *row[4:]),
            ]
        )
    )
    return _with(rows, at, changed), at + 1


def _with(rows: list[Row], at: int, row: Row) -> list[Row]:
    return [*rows[:at], row, *rows[at + 1 :]]


ATTACKS = [
    edit_a_byte,
    delete_in_the_middle,
    delete_and_close_ranks,
    delete_at_the_tail,
    insert_a_row,
    swap_two,
    change_a_time,
    change_a_name,
]


# --------------------------------------------------------------------------------- the claims


@FEW
@given(data=st.data())
def test_a_changed_log_is_found_at_the_very_position(victim: Victim, data: DataObject) -> None:
    """Whatever is done to the rows, the first one that differs is named."""
    attack = data.draw(st.sampled_from(ATTACKS))
    rows, position = attack(victim.rows, data)
    victim.put(rows)
    try:
        found = looked_at(victim.composition)
        assert isinstance(found, Bad), attack.__name__
        # A time behind the next one's is seen there as well; the change itself is never passed.
        assert found.position == position, (attack.__name__, found)
    finally:
        victim.put(victim.rows)
    assert isinstance(looked_at(victim.composition), Verified)


@FEW
@given(data=st.data())
def test_whoever_rewrites_the_tree_as_well_has_no_signature(
    victim: Victim, data: DataObject
) -> None:
    """With rows and tiles rewritten the checkpoints still tell, and the signer signs no more."""
    attack = data.draw(st.sampled_from(ATTACKS))
    rows, position = attack(victim.rows, data)
    rows = [(number, *row[1:]) for number, row in enumerate(rows, 1)]
    if position > EVENTS or not rows or not _hashable(victim, rows):
        return  # what nobody signed can be rewritten: the checkpoint bounds it
    victim.put(rows)
    victim.put_tiles(rows)
    try:
        found = looked_at(victim.composition)
        assert isinstance(found, Bad), attack.__name__
        assert found.position <= EVENTS + 1
        fresh = _signer(victim)
        with pytest.raises(NotSigning):
            fresh.sign()
    finally:
        victim.put(victim.rows)
        victim.put_tiles(victim.rows)
    assert isinstance(looked_at(victim.composition), Verified)


def _hashable(victim: Victim, rows: list[Row]) -> bool:
    """Whether a forger could make a tree of these rows: a state that is none has no leaf."""
    entry = entry_maker(victim.origin)
    try:
        return bool([entry(row) for row in rows])
    except Exception:  # noqa: BLE001 - whatever it is, it is no event
        return False


def _signer(victim: Victim) -> Signer:
    """The configured signer, as after a new start."""
    composition = victim.composition
    files = KeyFiles(composition.settings.signer_file)
    store = composition.proofs.store
    signer = Signer(files, store, Tiles(store), victim.origin, clock=TurnedClock())
    assert signer.prepare(bytes)
    return signer


def test_an_old_state_under_a_newer_checkpoint_is_found(victim: Victim) -> None:
    """A rollback, kept checkpoints and all, contradicts the signer's memory and the auditor's."""
    old = victim.rows[:FIRST]
    victim.put(old)
    victim.put_tiles(old)
    victim.tampering(f"DELETE FROM checkpoints WHERE size > {FIRST}")
    found = looked_at(victim.composition)
    assert isinstance(found, Bad)
    assert found.position == FIRST + 1
    with pytest.raises(NotSigning):
        _signer(victim).sign()
    shutil.rmtree(victim.composition.settings.signer_file.parent)
    assert isinstance(looked_at(victim.composition), Verified)  # nothing is left to tell it by
    found = looked_at(victim.composition, victim.last_note)
    assert isinstance(found, Bad)
    assert found.position == FIRST + 1


def test_two_histories_for_two_readers_are_found(victim: Victim, tmp_path: Path) -> None:
    """Of a fork, signed with a copy of the key, neither side fits the checkpoint of the other."""
    files = KeyFiles(tmp_path / "copy" / "key")
    files.folder()
    shutil.copy(victim.composition.settings.signer_file, files.path)  # the key without its memory
    other = [*victim.rows]
    other[4] = (*other[4][:4], other[4][4] + 1, other[4][5])
    victim.put(other)
    victim.put_tiles(other)
    store = victim.composition.proofs.store
    forger = Signer(files, store, Tiles(store), victim.origin, clock=TurnedClock())
    assert forger.prepare(bytes)
    victim.tampering("DELETE FROM checkpoints")
    forged = forger.sign()
    assert forged is not None
    shutil.rmtree(victim.composition.settings.signer_file.parent)
    assert isinstance(looked_at(victim.composition, forged.note), Verified)
    for shown in (victim.first_note, victim.last_note):
        found = looked_at(victim.composition, shown)
        assert isinstance(found, Bad)
        seen = read_checkpoint(read_note(shown).text)
        proof = consistency_proof(nodes_of(Tiles(store)), seen.size, forged.size)
        assert not consistent((seen.size, seen.root), (forged.size, forged.root), proof)


def test_a_tile_that_was_changed_is_found(victim: Victim) -> None:
    """Where the tiles alone were touched, the event under the wrong hash is named."""
    store = victim.composition.proofs.store
    tile = bytearray(store.tiles(0, [0])[0])
    tile[5 * 32] ^= 1
    change = sa.text(f"UPDATE {_tiles(store)} SET hashes = :tile WHERE level = 0 AND n = 0")
    with store.writing() as transaction:
        transaction.execute(change, {"tile": bytes(tile)})
    found = looked_at(victim.composition)
    assert isinstance(found, Bad)
    assert found.position == 6


def _tiles(store: TreeStore) -> str:
    return "tiles" if store.on_sqlite else "hilo_log.tiles"


def test_views_and_keys_may_go(victim: Victim) -> None:
    """Views that are gone and a key that was destroyed change nothing about the proofs."""
    composition = victim.composition
    whole = looked_at(composition)
    _drop_views(victim.tampering.backend)
    ring = composition.keys.ring
    subject = composition.keys.subjects.find("tel:+525512345678", 2**62)
    assert subject is not None
    assert ring.destroy(ring.key_ids([subject]).values(), EVENTS, 1) == 1
    assert looked_at(composition) == whole
    composition.proving.grow()
    assert signed(composition) == EVENTS + TAIL
    assert composition.proofs.receipt(1).index == 0


def _drop_views(backend: Backend) -> None:
    """Remove every table of the views."""
    if backend.kind == "sqlite":
        (backend.folder / "views.db").unlink(missing_ok=True)
        return
    with psycopg.connect(backend.views_url) as server:
        server.execute("DROP SCHEMA IF EXISTS hilo_views CASCADE")
