"""`verify` finds the first bad position, whatever was done to the stored log."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from app.verifying import TOPIC_NAMES
from audit.blocks import Ask
from audit.looking import Helper, Looker
from audit.readers import DatabaseReader
from audit.verify import Bad, Verified, verify
from domain.errors import StoreUnavailable
from tests.app.ledgers import TurnedClock, opened
from tests.audit.attacks import Tampering, fill, looked_at, material, signed
from tests.audit.leaving import Leaving
from tests.backends import Backend

EVENTS = 6


def test_a_whole_log_is_ok_and_has_one_root(backend: Backend) -> None:
    """A log as it was written verifies; its root does not depend on when one looks."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        empty = looked_at(composition)
        fill(composition, clock, EVENTS)
        unsigned = looked_at(composition)
        assert isinstance(empty, Verified)
        assert isinstance(unsigned, Verified)
        assert (empty.events, unsigned.events) == (0, EVENTS)
        assert unsigned.root != empty.root
        signed(composition)
        whole = looked_at(composition)
        assert isinstance(whole, Verified)
        assert (whole.root, whole.checkpoints) == (unsigned.root, 1)


BYTE_EDIT = {
    "sqlite": "UPDATE events SET state = "
    "CAST(substr(state, 1, length(state) - 1) || x'00' AS BLOB) WHERE position = 3",
    "postgresql": "UPDATE events SET state = "
    "set_byte(state, length(state) - 1, (get_byte(state, length(state) - 1) + 1) % 256) "
    "WHERE position = 3",
}


@pytest.mark.parametrize(
    ("what", "position"),
    [
        ("DELETE FROM events WHERE position = 3", 3),
        ("UPDATE events SET recorded_at = 5 WHERE position = 4", 4),
        ("UPDATE events SET topic = 'contact.named' WHERE position = 2", 2),
        ("UPDATE events SET topic = 'no.such' WHERE position = 5", 5),
        ("UPDATE events SET version = 2 WHERE position = 6", 6),
        ("UPDATE events SET state = 'x' WHERE position = 4", 4),
        ("one byte", 3),
    ],
)
def test_the_first_bad_position_is_named(backend: Backend, what: str, position: int) -> None:
    """Also where no tree is over it yet: what does not open, or stands out of line, is found."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        fill(composition, clock, EVENTS)
        Tampering(backend)(BYTE_EDIT[backend.kind] if what == "one byte" else what)
        result = looked_at(composition)
        assert isinstance(result, Bad)
        assert result.position == position, result


def test_blocks_are_joined_whoever_looks_at_them(backend: Backend) -> None:
    """Small blocks, another begin and another process give the root of the whole, and progress."""
    clock = TurnedClock()
    told: list[tuple[int, int]] = []
    with opened(backend, clock) as composition:
        fill(composition, clock, 300)
        signed(composition)
        fill(composition, clock, 250, start=301)
        signed(composition)
        fill(composition, clock, 10, start=551)
        whole = looked_at(composition)
        looking = material(composition)
        parts = structs.replace(looking, block_events=256)
        assert verify(parts, lambda *now: told.append(now)) == whole
        assert told == [(256, 560), (512, 560), (560, 560)]
        assert verify(parts, lambda *_: None, 300) == whole
        reader = DatabaseReader(composition.settings.log_url, looking.origin, TOPIC_NAMES)
        shared = structs.replace(parts, look=Looker(reader, processes=2))
        assert verify(shared, lambda *_: None) == whole
        asks = [Ask(0, 256, (256,), 551), Ask(256, 512, (), 551), Ask(512, 560, (551,), 551)]
        with Helper(reader) as helper, reader.opened() as look:
            helper.wait()
            for ask in asks:
                helper.ask(ask)
            assert [helper.answer() for _ in asks] == [look(ask) for ask in asks]


def test_a_process_that_cannot_go_on_says_so_or_is_missed(tmp_path: Path) -> None:
    """A log that is not there and a process that ended are errors, and nobody waits."""
    nowhere = DatabaseReader(f"sqlite:///{tmp_path / 'no' / 'ledger.db'}", "hilo/x", TOPIC_NAMES)
    with Helper(nowhere) as helper, pytest.raises(StoreUnavailable, match="log does not answer"):
        helper.wait()
    with Helper(Leaving()) as helper, pytest.raises(StoreUnavailable, match="ended"):
        helper.wait()
