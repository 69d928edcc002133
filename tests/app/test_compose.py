"""Putting a ledger together: its stores must be of one ledger, and it must be its own."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from msgspec import structs

from app.compose import DRAWN_BYTES, Randomness, open_ledger
from app.settings import read_settings
from domain.errors import KeyMissing, StoresDiffer
from tests.app.ledgers import opened, run, settings_of
from tests.backends import Backend
from tests.domain.commands import BY_TOKEN, said


def test_randomness_is_given_out_once() -> None:
    """What was drawn is cut into pieces that do not overlap, whatever their sizes."""
    random = Randomness()
    sizes = [12, 16, DRAWN_BYTES - 20, 44, DRAWN_BYTES + 1, *([12] * 1_000)]
    pieces = [random(size) for size in sizes]
    assert [len(piece) for piece in pieces] == sizes
    assert len(set(pieces)) == len(pieces)


def test_a_forked_process_draws_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fork nothing is given out that the parent may give out too."""
    random = Randomness()
    random(1)
    left = random._drawn
    monkeypatch.setattr("app.compose.os.getpid", lambda: 0)
    assert random(12) not in left


def test_a_ledger_is_found_again(backend: Backend) -> None:
    """Opened a second time, the ledger has its id and its events."""
    with opened(backend) as composition:
        first = composition.keys.identity.id
        run(composition.ledger.record(said(), BY_TOKEN))
    with opened(backend) as composition:
        assert composition.keys.identity.id == first
        assert composition.log.head() == 1


def test_a_new_ledger_is_empty(backend: Backend) -> None:
    """Making a ledger appends nothing."""
    with opened(backend) as composition:
        assert composition.log.head() == 0


def test_a_log_without_its_keys_is_refused(backend: Backend, tmp_path: Path) -> None:
    """With the key store gone, nothing is made in its place."""
    with opened(backend) as composition:
        run(composition.ledger.record(said(), BY_TOKEN))
    settings = read_settings(
        {},
        data=str(backend.folder),
        database_url="" if backend.kind == "sqlite" else backend.log_url,
        keys_url=f"sqlite:///{tmp_path / 'other.db'}",
    )
    with pytest.raises(StoresDiffer, match="key store is empty"):
        open_ledger(settings, follow=False)


def test_keys_without_their_log_are_refused(tmp_path: Path) -> None:
    """With the log gone, a new one is not begun under the old keys."""
    settings = read_settings({}, data=str(tmp_path / "data"))
    composition = open_ledger(settings, follow=False)
    run(composition.ledger.record(said(), BY_TOKEN))
    composition.close()
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (tmp_path / "data" / name).unlink(missing_ok=True)
    with pytest.raises(StoresDiffer, match="log is empty"):
        open_ledger(settings, follow=False)


def test_two_ledgers_live_in_one_process(tmp_path: Path) -> None:
    """Nothing is global: two compositions know nothing of each other."""
    one = open_ledger(read_settings({}, data=str(tmp_path / "one")), follow=False)
    two = open_ledger(read_settings({}, data=str(tmp_path / "two")), follow=False)
    run(one.ledger.record(said(), BY_TOKEN))
    assert (one.log.head(), two.log.head()) == (1, 0)
    assert one.keys.identity.id != two.keys.identity.id
    one.close()
    two.close()


def test_a_wrong_key_is_told(backend: Backend) -> None:
    """A ledger does not open with another key-encryption key."""
    with opened(backend):
        pass
    settings = structs.replace(settings_of(backend), kek=b64encode(bytes(32)).decode())
    with pytest.raises(KeyMissing):
        open_ledger(settings, follow=False)
