"""Exports: whole or about one contact, resumable, checkable alone, and written down first."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import msgspec
import pytest

from app.cli.proofs import verify_bundle
from app.compose import Composition
from app.exporting import ExportWish, export
from app.verifying import Wish
from audit.bundle import FolderSink, Manifest, Part, TarSink
from audit.verify import Bad, Verified
from domain.errors import InvalidInput, NotFound, WrongState
from domain.events import Exported
from domain.ports import Gone
from tests.app.ledgers import TurnedClock, opened, run
from tests.audit.attacks import fill, signed
from tests.backends import Backend
from tests.domain.commands import BY_TOKEN, said

EVENTS = 300


def checked(folder: Path) -> Verified | Bad:
    """What `hilo verify --bundle` says."""
    return verify_bundle(folder, Wish(), 1, lambda *_: None)


def exported(
    composition: Composition, folder: Path, wish: ExportWish | None = None, *, resume: bool = False
) -> Manifest:
    """An export into a folder."""
    sink = FolderSink(folder, resume=resume)
    return export(composition, wish or ExportWish(), sink, BY_TOKEN, lambda *_: None)


def test_a_bundle_verifies_alone(backend: Backend, tmp_path: Path) -> None:
    """Whole or from a position on; each byte of a line, and what people read in it, is checked."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        fill(composition, clock, EVENTS)
        folder = tmp_path / "whole"
        manifest = exported(composition, folder)
        root = composition.proofs.last().root
        assert checked(folder) == Verified(EVENTS, root, 1)
        assert "sealed" in (folder / "README.md").read_text("utf-8")
        told = composition.log.entry(EVENTS + 1)
        assert told is not None
        assert isinstance(told.event, Exported)
        assert (told.event.first, told.event.last, told.event.with_keys) == (1, EVENTS, False)
        file = folder / manifest.parts[0].file
        lines = file.read_text("utf-8").splitlines()
        for number, old, new in (
            (4, '"version":1', '"version":2'),
            (4, '"direction":"inbound"', '"direction":"outbound"'),
            (4, '"recorded_at":"20', '"recorded_at":"19'),
            (4, lines[4][-30:-20], lines[5][-30:-20]),
            (4, lines[4], ""),
        ):
            bent = [*lines[:number], lines[number].replace(old, new), *lines[number + 1 :]]
            file.write_text("\n".join(filter(None, bent)) + "\n", "utf-8")
            found = checked(folder)
            assert isinstance(found, Bad)
            assert found.position == number + 1, (old, found)
        file.write_text("\n".join(lines) + "\n", "utf-8")
        assert isinstance(checked(folder), Verified)
        signed(composition)
        part = tmp_path / "part"
        assert exported(composition, part, ExportWish(first=290)).first == 257
        assert isinstance(checked(part), Verified)
        upper = part / "tile" / "1" / "000.p" / "1"
        upper.write_bytes(bytes(32))
        assert isinstance(checked(part), Bad)


def test_an_export_that_was_cut_off_goes_on(backend: Backend, tmp_path: Path) -> None:
    """`--resume` writes what is missing, up to the same checkpoint, and says it once in the log."""
    clock = TurnedClock()
    folder = tmp_path / "export"
    with opened(backend, clock) as composition:
        fill(composition, clock, 20)
        whole = exported(composition, folder)
        head = composition.log.head()
        (folder / "manifest.json").unlink()
        half = msgspec.structs.replace(whole, parts=(Part(whole.parts[0].file, 1, 10),))
        (folder / "unfinished.json").write_bytes(msgspec.json.encode(half))
        lines = (folder / whole.parts[0].file).read_bytes().splitlines(keepends=True)
        (folder / whole.parts[0].file).write_bytes(b"".join(lines[:10]))
        with pytest.raises(NotFound, match="cut off"):
            checked(folder)
        with pytest.raises(WrongState):
            exported(composition, folder)
        fill(composition, clock, 5, start=21)
        again = exported(composition, folder, resume=True)
        assert (again.events, [part.last for part in again.parts]) == (20, [10, 20])
        assert isinstance(checked(folder), Verified)
        assert composition.log.head() == head + 5
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "mine.txt").write_text("x", "utf-8")
        with pytest.raises(WrongState, match="something else"):
            exported(composition, tmp_path / "other", resume=True)


def test_keys_leave_with_a_reason_only(backend: Backend, tmp_path: Path) -> None:
    """With keys every section opens; without a reason nothing is written, not even a file."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        fill(composition, clock, 2)
        with pytest.raises(InvalidInput):
            exported(composition, tmp_path / "no", ExportWish(with_keys=True))
        assert composition.log.head() == 2
        wish = ExportWish(with_keys=True, reason="auditoría anual")
        exported(composition, tmp_path / "keys", wish)
        lines = (tmp_path / "keys" / "keys.ndjson").read_text("utf-8").splitlines()
        assert {len(json.loads(line)["key"]) for line in lines} == {44}
        plain = tmp_path / "plain"
        exported(composition, plain)
        assert not (plain / "keys.ndjson").exists()
        told = composition.log.entry(3)
        assert told is not None
        assert isinstance(told.event, Exported)
        assert (told.event.with_keys, told.event.reason) == (True, "auditoría anual")


def test_everything_about_one_contact(backend: Backend, tmp_path: Path) -> None:
    """Their events, readable and each with its receipt; nothing of anybody else."""
    clock = TurnedClock()
    ana, eva = "tel:+525511112222", "tel:+525533334444"
    with opened(backend, clock) as composition:
        found = [
            run(composition.ledger.record(said(text, key=text, resource=who), BY_TOKEN))
            for who, text in ((ana, "de Ana"), (eva, "de Eva"), (ana, "otra de Ana"))
        ]
        folder = tmp_path / "ana"
        contact = found[0].contact
        manifest = exported(composition, folder, ExportWish(contact=contact))
        assert manifest.contact == str(contact)
        assert checked(folder) == Verified(2, composition.proofs.last().root, 1)
        files = {file.name: file.read_text("utf-8") for file in folder.rglob("*") if file.is_file()}
        assert {"1.tlog-proof", "3.tlog-proof", "README.md", "000001.ndjson"} <= set(files)
        assert "otra de Ana" in files["000001.ndjson"]
        assert "otra de Ana" in files["000000000001.ndjson"]
        for text in files.values():
            assert "Eva" not in text
            assert "3334444" not in text
        (folder / "receipts" / "3.tlog-proof").write_text(files["1.tlog-proof"], "utf-8")
        bad = checked(folder)
        assert isinstance(bad, Bad)
        assert bad.position == 3
        with pytest.raises(NotFound):
            exported(composition, tmp_path / "x", ExportWish(contact=composition.keys.identity.id))


def test_a_tar_archive_is_the_same_bundle(backend: Backend, tmp_path: Path) -> None:
    """What goes through a pipe unpacks to a bundle that verifies."""
    clock = TurnedClock()
    stream = io.BytesIO()
    with opened(backend, clock) as composition:
        fill(composition, clock, 5)
        export(composition, ExportWish(), TarSink(stream, 0), BY_TOKEN, lambda *_: None)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        archive.extractall(tmp_path, filter="data")
    found = checked(tmp_path / "hilo-export")
    assert isinstance(found, Verified)
    assert found.events == 5


def test_archives_that_wait_go_with_an_erasure(backend: Backend) -> None:
    """Whoever is erased may be in any export: none of those that can be fetched is kept."""
    with opened(backend) as composition:
        folder = composition.proofs.exports
        folder.mkdir()
        (folder / "one.tar").write_bytes(b"x")
        gone = Gone(subjects=(), keys=(), addresses=(), position=1)
        assert composition.proofs in composition.purges
        assert not list(composition.proofs.purge(gone))
        assert not list(folder.iterdir())
