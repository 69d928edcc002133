"""The leaf format is fixed for ever: other people's tools compute it too."""

from __future__ import annotations

from hashlib import sha256
from itertools import islice
from typing import cast
from uuid import UUID

import msgspec
import pytest

from domain.errors import Damaged
from domain.ports import StoredEntry
from storage import scanning_postgres
from storage.frame import MAX_HEADER_BYTES, MAX_SECTIONS, join, split
from storage.leaf import Row, entry_bytes, entry_maker, leaf_hash, read_entry
from storage.scanning import scanned, scanning
from tests.app.ledgers import TurnedClock, opened
from tests.audit.attacks import fill
from tests.backends import Backend

ORIGIN = "hilo/6a1b2c3d-0000-4000-8000-000000000001"
HEADER = bytes.fromhex("81a56163746f7292a475736572a141")
ENTRY = StoredEntry(
    position=7,
    originator_id=UUID("00112233-4455-6677-8899-aabbccddeeff"),
    originator_version=3,
    topic="note.added",
    recorded_at=1_760_000_000_000_000,
    command_id=UUID(int=5),
    state=join(HEADER, [(b"K" * 16, b"N" * 12 + b"C" * 20), (b"L" * 16, b"O" * 12 + b"D" * 16)]),
)
GOLDEN_ENTRY = (
    "010000002968696c6f2f36613162326333642d303030302d343030302d383030302d303030303030"
    "303030303031000000000000000700112233445566778899aabbccddeeff000000030000000a6e6f"
    "74652e6164646564000640b5eece00000000000f81a56163746f7292a475736572a141024b4b4b4b"
    "4b4b4b4b4b4b4b4b4b4b4b4b12cff76ffc53f23d80b5da16f7df452dcf7ebda4b5e96bb71d873ef2"
    "c6c7c71c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c8dea9e680efe69ae25c11a5ef8825d301ef72cd6"
    "1228b2dae9e4a8ef3f2e7bb3"
)
GOLDEN_LEAF = "2d12628c87f96edb784494d3d588cb04088af0e9c728afd2fd7b6fec9c41275a"
GOLDEN_STATE = (
    "01000f81a56163746f7292a475736572a141024b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b000000204e"
    "4e4e4e4e4e4e4e4e4e4e4e43434343434343434343434343434343434343434c4c4c4c4c4c4c4c4c"
    "4c4c4c4c4c4c4c0000001c4f4f4f4f4f4f4f4f4f4f4f4f44444444444444444444444444444444"
)


def test_the_entry_is_pinned() -> None:
    """The entry of a row of the log has exactly these bytes."""
    assert entry_bytes(ENTRY, ORIGIN).hex() == GOLDEN_ENTRY


def test_the_leaf_is_pinned() -> None:
    """The leaf is SHA-256 of a zero byte and the entry, and has exactly these bytes."""
    assert leaf_hash(ENTRY, ORIGIN).hex() == GOLDEN_LEAF
    assert leaf_hash(ENTRY, ORIGIN) == sha256(b"\x00" + bytes.fromhex(GOLDEN_ENTRY)).digest()


def test_the_state_is_pinned() -> None:
    """The frame of a state has exactly these bytes, and is taken apart into what it was made of."""
    assert ENTRY.state.hex() == GOLDEN_STATE
    header, sections = split(ENTRY)
    assert header == HEADER
    assert sections == [
        (b"K" * 16, b"N" * 12 + b"C" * 20),
        (b"L" * 16, b"O" * 12 + b"D" * 16),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"position": 8},
        {"originator_id": UUID(int=1)},
        {"originator_version": 4},
        {"topic": "note.adder"},
        {"recorded_at": 1_760_000_000_000_001},
        {"state": ENTRY.state[:-1] + b"X"},
        {"state": ENTRY.state.replace(b"K" * 16, b"J" * 16)},
        {"state": ENTRY.state.replace(HEADER, HEADER[:-1] + b"B")},
    ],
)
def test_whatever_changes_changes_the_leaf(change: dict[str, object]) -> None:
    """Each stored part of an event is in its leaf."""
    assert leaf_hash(msgspec.structs.replace(ENTRY, **change), ORIGIN) != leaf_hash(ENTRY, ORIGIN)


def test_another_log_has_other_leaves() -> None:
    """An entry says of which log it is."""
    assert leaf_hash(ENTRY, ORIGIN + "x") != leaf_hash(ENTRY, ORIGIN)


def test_the_largest_entry_fits_into_a_bundle() -> None:
    """With the longest header and the most sections an entry stays below 65,535 bytes."""
    sections = [(b"K" * 16, b"N" * 28)] * MAX_SECTIONS
    state = join(b"h" * MAX_HEADER_BYTES, sections)
    assert len(entry_bytes(msgspec.structs.replace(ENTRY, state=state), ORIGIN)) < 65_535


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (b"", "format"),
        (b"\x02" + ENTRY.state[1:], "format"),
        (ENTRY.state[:2], "inside the header"),
        (ENTRY.state[:10], "inside the header"),
        (ENTRY.state[:30], "inside a section"),
        (ENTRY.state[:-1], "inside a section"),
        (ENTRY.state + b"x", "after the last section"),
        (join(HEADER, [(b"K" * 16, b"short")]), "inside a section"),
    ],
)
def test_a_state_that_cannot_be_taken_apart_is_named(state: bytes, what: str) -> None:
    """The error has the position and says what is wrong."""
    with pytest.raises(Damaged, match=what) as caught:
        split(msgspec.structs.replace(ENTRY, state=state))
    assert caught.value.position == 7


@pytest.mark.parametrize("sections", [0, 1, 2, 3])
def test_the_quick_maker_counts_sections(sections: int) -> None:
    """However many sections a state has, the quick entry is the slow one; nothing bent passes."""
    state = join(HEADER, [(bytes(16), bytes(28 + number)) for number in range(sections)])
    stored = msgspec.structs.replace(ENTRY, state=state)
    row = (7, stored.originator_id.bytes, 3, stored.topic, stored.recorded_at, state)
    quick = entry_maker(ORIGIN)
    assert quick(row) == entry_bytes(stored, ORIGIN)
    for bent in (state + b"x", state[:-1], state[:2], b"", "text", None):
        with pytest.raises(Damaged) as caught:
            quick((*row[:5], cast("bytes", bent)))
        assert caught.value.position == 7
    for place in ((7, b"short", 3), (7, row[1], -1), (7, row[1], None)):
        with pytest.raises(Damaged):
            quick(cast("Row", (*place, *row[3:])))


def test_the_quick_maker_gives_the_same_entries(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the whole log makes the very entries, and refuses the very states.

    However few rows come at a time, all come, in order; what is left unread stands in no way.
    """
    monkeypatch.setattr(scanning_postgres, "ROWS_AT_ONCE", 3)
    with opened(backend) as composition:
        fill(composition, TurnedClock(), 20)
        origin = composition.keys.identity.origin
        quick = entry_maker(origin)
        rows = list(scanned(composition.settings.log_url, 0, 20))
        with scanning(composition.settings.log_url) as scan:
            with scan.rows(0, 20) as some:
                assert list(islice(some, 4)) == rows[:4]
            with scan.rows(4, 99) as some:
                assert list(some) == rows[4:]
            with scan.rows(20, 99) as some:
                assert list(some) == []
        stored = composition.log.page(0, 20)
        assert [quick(row) for row in rows] == [entry_bytes(one, origin) for one in stored]
        for row, one in zip(rows, stored, strict=True):
            found = read_entry(quick(row), one.position)
            assert found == (one.position, one.topic, one.recorded_at, origin)
        state = rows[0][5]
        for bent in (b"", state[:2], state[:-1], state + b"x", b"\x02" + state[1:], state[:60]):
            with pytest.raises(Damaged):
                quick((*rows[0][:5], bent))
        for entry in (b"", b"\x02", quick(rows[0])[:40]):
            with pytest.raises(Damaged):
                read_entry(entry, 1)
