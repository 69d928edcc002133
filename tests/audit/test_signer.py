"""The signer: one host, a memory of its own, and a tree that only grows."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, cast

import pytest

from app.compose import Composition, entropy
from audit.notes import BadNote, opened, read_note, read_verifier
from audit.places import Folder
from audit.signer import KeyFiles, NotSigning, Signer
from audit.tree import Tiles
from domain.errors import WrongState
from storage import standby
from storage.standby import flushed
from tests.app.ledgers import TurnedClock
from tests.app.ledgers import opened as opened_ledger
from tests.audit.attacks import fill, signed
from tests.backends import Backend
from tests.patience import PATIENCE_S


def host(composition: Composition, folder: Path) -> Signer:
    """Another host over the same databases, with files of its own."""
    store = composition.proofs.store
    files = KeyFiles(folder / "key")
    origin = composition.proofs.source.origin
    return Signer(files, store, Tiles(store), origin, clock=TurnedClock())


def test_checkpoints_are_signed_when_they_are_due(backend: Backend) -> None:
    """The first at once, then after so long or so many events; published, and shown as such."""
    clock = TurnedClock()
    published = backend.folder / "published"
    with opened_ledger(backend, clock) as composition:
        proving, store = composition.proving, composition.proofs.store
        proving.places = [Folder(published)]
        proving.turn()
        assert store.last_checkpoint() is None  # an empty log needs none
        fill(composition, clock, 2)
        proving.grow()
        proving.turn()
        assert store.count() == 1
        fill(composition, clock, 1, start=3)
        clock.now = store.checkpoints(0, 1)[0].at + 1
        proving.grow()
        proving.turn()
        assert store.count() == 1  # not due yet
        clock.now += 10_000_000
        proving.turn()
        last = store.last_checkpoint()
        assert last is not None
        assert last.size == 3
        key = composition.proofs.key()
        found = opened(last.note, [key], composition.proofs.source.origin)
        assert (found.size, found.root) == (3, last.root)
        assert [size for size, _ in Folder(published).notes()] == [2, 3]
        assert [one.size for one in store.latest_checkpoints(9)] == [2, 3]
        assert store.latest_checkpoints(1) == [last]
        assert (published / "checkpoint").read_text("utf-8") == last.note
        assert {row.place: row.size for row in store.places()} == {
            "signer": 3,
            f"folder {published}": 3,
        }
        path = composition.settings.signer_file
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert composition.proofs.covering(3) == 3
        assert composition.proofs.covering(4) is None


def test_a_place_that_fails_is_shown_and_tried_again(backend: Backend) -> None:
    """A folder that cannot be written costs nothing but a line in the state."""
    clock = TurnedClock()
    wall = backend.folder / "wall"
    wall.write_text("no folder", "utf-8")
    with opened_ledger(backend, clock) as composition:
        composition.proving.places = [Folder(wall / "published")]
        fill(composition, clock, 1)
        signed(composition)
        [row] = [row for row in composition.proofs.store.places() if row.error]
        assert row.place.startswith("folder")
        assert row.failures == 1
        wall.unlink()
        composition.proving.turn()
        assert composition.proofs.store.places()[0].error is not None  # left alone for a while
        clock.now += 60_000_000
        composition.proving.turn()
        assert not [row for row in composition.proofs.store.places() if row.error]


def test_another_host_signs_only_after_it_was_told(backend: Backend, tmp_path: Path) -> None:
    """Who has no key makes none; `adopt` names the last checkpoint, and the first host stops."""
    clock = TurnedClock()
    with opened_ledger(backend, clock) as composition:
        fill(composition, clock, 3)
        signed(composition)
        first = composition.proofs.last().note
        fill(composition, clock, 1, start=4)
        signed(composition)
        last = composition.proofs.last().note
        second = host(composition, tmp_path / "second")
        assert not second.prepare(entropy)
        assert not second.files.path.exists()
        with pytest.raises(NotSigning):
            second.sign()
        with pytest.raises(WrongState, match="later one"):
            second.adopt(first, entropy)
        with pytest.raises(WrongState, match="No signer"):
            second.adopt(last.replace("hilo/", "hilo/x"), entropy)
        with pytest.raises(BadNote):
            second.adopt("nothing", entropy)
        assert second.adopt(last, entropy).size == 4
        old = [read_verifier(row.verifier) for row in composition.proofs.store.signers()]
        assert len(old) == 2
        fill(composition, clock, 1, start=5)
        assert signed(composition) == 4  # the first host finds that it was replaced
        kept = second.sign()
        assert kept is not None
        assert read_note(kept.note).signed_by(old[1])
        assert not read_note(kept.note).signed_by(old[0])


def test_nothing_is_signed_before_a_standby_has_it(backend: Backend) -> None:
    """Where the standby lags, nothing is signed, and it is shown; without one, nobody waits."""
    clock = TurnedClock()
    with opened_ledger(backend, clock) as composition:
        assert flushed(backend.log_url)
        composition.proving.signer.flushed = lambda: False
        fill(composition, clock, 1)
        composition.proving.now()
        assert composition.proofs.store.last_checkpoint() is None
        [row] = composition.proofs.store.places()
        assert "standby" in (row.error or "")
        composition.proving.signer.flushed = lambda: True
        assert signed(composition) == 1
        assert composition.proofs.store.places()[0].error is None


def test_the_signer_gives_its_last_note_again(backend: Backend) -> None:
    """A checkpoint that the database lost is kept again from the signer's memory."""
    clock = TurnedClock()
    with opened_ledger(backend, clock) as composition:
        fill(composition, clock, 2)
        signed(composition)
        note = composition.proofs.last().note
        table = composition.proofs.store.metadata.tables
        name = next(name for name in table if name.endswith("checkpoints"))
        with composition.proofs.store.writing() as transaction:
            transaction.execute(table[name].delete())
        assert signed(composition) == 2
        assert composition.proofs.last().note == note


class Standby:
    """Stands for a connection to a primary whose standby flushes after some looks."""

    def __init__(self, names: str, looks: int) -> None:
        self._names = names
        self.looks = looks

    def execute(self, query: str, values: tuple[str, ...] = ()) -> Standby:
        """Take a query."""
        self._asked = (query, values)
        return self

    def fetchall(self) -> list[tuple[object, ...]]:
        """The row that such a server would give."""
        query, values = self._asked
        if "pg_stat_replication" not in query:
            return [(self._names, "0/10")]
        assert values == ("0/10",)
        self.looks -= 1
        return [(int(self.looks < 0),)]


@pytest.mark.parametrize(
    ("names", "looks", "answer"), [("", 99, True), ("one", 2, True), ("one", 9_999, False)]
)
def test_what_is_signed_lies_on_a_standby(
    monkeypatch: pytest.MonkeyPatch, names: str, looks: int, *, answer: bool
) -> None:
    """Where a synchronous standby is configured, one must have flushed; else nobody is asked."""
    monkeypatch.setattr(standby, "FLUSHED_S_MAX", PATIENCE_S if answer else 0.01)
    monkeypatch.setattr(standby, "POLL_S", 0.001)
    assert standby._flushed(cast("Any", Standby(names, looks))) is answer
