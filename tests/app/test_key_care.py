"""The key-encryption key is replaced, and foreseen to be lost; ledgers are copied and come back."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from app.cli import run as hilo
from app.compose import entropy, system_clock
from domain.errors import KeyMissing
from domain.events import LedgerRestored
from storage.kek import Kek, KekPlaces, add_key, find_kek
from storage.rotating import all_anew
from tests.app.erasing import LUIS, erase, follow, quick_scrub, shown, tell
from tests.app.ledgers import TurnedClock, opened
from tests.backends import Backend, sqlite_backend

__all__ = ["quick_scrub"]

pytestmark = pytest.mark.usefixtures("quick_scrub")


def words(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, folder: Path | None = None
) -> list[str]:
    """The options that name a ledger on a command line."""
    for name in ("HILO_KEK", "HILO_KEK_FILE", "HILO_KEYS_URL", "HILO_VIEWS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HILO_DATABASE_URL", "" if backend.kind == "sqlite" else backend.log_url)
    return ["--data", str(folder or backend.folder), "--json"]


def findings(options: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What the doctor says."""
    capsys.readouterr()
    hilo(["doctor", *options])
    return capsys.readouterr().out


def test_the_key_is_replaced_beside_a_server_that_runs(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process that was there before opens and seals on; cut off, it goes on where it was."""
    options = words(backend, monkeypatch)
    with opened(backend) as at:
        ana = tell(at, "one", "antes")
        at.keys.credentials.secrets.put("form/web", "secret", b"abc", at.clock())
        old = at.keys.kek.id
        path = at.keys.kek.file
        assert path is not None
        add_key(path, entropy)  # as far as a run came that was cut off
        assert "was cut off" in findings(options, capsys)
        at.keys.forget()
        tell(at, "two", "entretanto", resource=LUIS)  # wrapped by the new one already
        assert hilo(["keys", "rotate", *options]) == 0
        done = json.loads(capsys.readouterr().out)
        assert done["rewrapped"] >= 4
        at.keys.forget()
        assert all_anew(at.keys.store, at.keys.kek)
        assert at.keys.kek.id.hex() == done["kek"]
        assert path.read_text().count("\n") == 1
        assert path.with_name(f"{path.name}.{old.hex()}").exists()
        assert tell(at, "one", "antes") == ana
        assert tell(at, "three", "después", resource="tel:+525500000003") != ana
        follow(at)
        assert shown(at, ana).interactions == 1
        assert at.keys.credentials.secrets.of("form/web")["secret"] == [b"abc"]
    assert hilo(["keys", "rotate", *options]) == 0
    with opened(backend) as at:
        assert at.keys.kek.id not in {old, bytes.fromhex(done["kek"])}
        follow(at)
        assert shown(at, ana).interactions == 1


def test_a_key_in_the_environment_is_replaced_by_hand(tmp_path: Path) -> None:
    """Several keys with commas between them: the first wraps, all unwrap."""
    (tmp_path / "one").mkdir()
    first = find_kek(KekPlaces(None, None, tmp_path / "one"), entropy, may_make=True)
    assert first.file is not None
    old = first.file.read_text().strip()
    wrapped = first.wrap(b"k" * 32, b"aad", entropy)
    add_key(first.file, entropy)
    new = first.file.read_text().split()[0]
    both = find_kek(KekPlaces(f"{new},{old}", None, tmp_path), entropy, may_make=False)
    assert both.older == 1
    assert both.unwrap(wrapped, b"aad") == b"k" * 32
    assert both.id != first.id
    with pytest.raises(KeyMissing):
        find_kek(KekPlaces(new, None, tmp_path), entropy, may_make=False).unwrap(wrapped, b"aad")
    assert first.unwrap(both.wrap(b"z" * 32, b"aad", entropy), b"aad") == b"z" * 32
    assert Kek(bytes(32), "a test").older == 0


def test_the_doctor_foresees_that_a_key_is_lost(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key beside its data, readable by others, without a copy; a lost or another one."""
    options = words(backend, monkeypatch)
    with opened(backend) as at:
        tell(at, "one")
        path = at.keys.kek.file
        assert path is not None
    path.chmod(0o644)
    said = findings(options, capsys)
    assert "lies beside the data" in said
    assert "Others on this machine may read the key-encryption key" in said
    assert "There is no copy of the log and the keys." in said
    kept = path.read_text()
    path.unlink()
    assert "there is no" in findings(options, capsys)
    path.write_text("A" * 43 + "=\n")
    assert "were wrapped by the key-encryption key" in findings(options, capsys)
    path.write_text(kept)
    assert "put the right key back" not in findings(options, capsys)


def test_a_ledger_is_copied_and_comes_back(
    backend: Backend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Log and keys in folders of their own; restored elsewhere it reads, verifies and goes on."""
    options = words(backend, monkeypatch)
    copy = tmp_path / "copy"
    soon = TurnedClock(system_clock() + 60_000_000)  # the commands have the real time
    with opened(backend, soon) as at:
        ana = tell(at, "one", "MARKER hola", contact_name="Ana")
        luis = tell(at, "two", "hola", resource=LUIS)
        erase(at, luis)
        assert hilo(["backup", str(copy), *options]) == 0
        assert hilo(["backup", str(copy), *options]) == 4
        tell(at, "three", "después")
        head = at.log.head()
        certificate = erase(at, ana)
        assert certificate["keys_until"] is not None
    kek = (backend.folder / "kek").read_text()
    assert sorted(one.name for one in copy.iterdir()) == ["backup.json", "files", "keys", "log"]
    assert not any(b"MARKER" in one.read_bytes() for one in copy.rglob("*") if one.is_file())
    manifest = json.loads((copy / "backup.json").read_text())
    assert manifest["position"] == head - 1
    assert hilo(["restore", str(copy), *options]) == 4
    assert hilo(["restore", str(tmp_path / "none"), *options]) == 3
    there = _emptied(backend, tmp_path)
    elsewhere = words(there, monkeypatch)
    assert hilo(["restore", str(copy), *elsewhere]) == 5  # there is no key
    there.folder.mkdir(exist_ok=True)
    (there.folder / "kek").write_text(kek)
    assert hilo(["restore", str(copy), *elsewhere]) == 0
    assert hilo(["verify", *elsewhere]) == 0
    capsys.readouterr()
    with opened(there) as at:
        follow(at)
        assert shown(at, ana).name == "Ana"
        assert shown(at, luis).erased_at is not None
        last = at.log.entry(at.log.head())
        assert last is not None
        assert isinstance(last.event, LedgerRestored)
        assert last.event.position == manifest["position"]
        assert tell(at, "three", "después") == ana
        assert len(list((there.folder / "erasures").iterdir())) == 1


def _emptied(backend: Backend, tmp_path: Path) -> Backend:
    """A place of the same kind where no ledger is."""
    if backend.kind == "sqlite":
        return sqlite_backend(tmp_path / "there")
    with psycopg.connect(backend.log_url) as connection:
        for schema in ("hilo_log", "hilo_keys", "hilo_views"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    shutil.rmtree(backend.folder)
    return replace(backend, folder=tmp_path / "there")
