"""Go's own packages accept our checkpoints, proofs and tiles, and refuse what was tampered with.

Collected only where there is a `go` on the PATH (tests/conftest.py says so at the top of a run);
tests/audit/test_merkle.py holds the same proofs against a second implementation everywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.exporting import ExportWish, export
from audit.bundle import FolderSink
from audit.receipts import hash_lines
from tests.app.ledgers import TurnedClock, opened
from tests.audit.attacks import fill, signed
from tests.backends import Backend
from tests.domain.commands import BY_TOKEN

PROGRAM = Path(__file__).with_name("verifier.go")

PACKAGES = "/usr/share/gocode"
"""Where Debian's golang-golang-x-mod-dev puts what the program imports."""


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built; two seconds."""
    built = tmp_path_factory.mktemp("go") / "verifier"
    settings = {"GO111MODULE": "off", "GOPATH": PACKAGES, "GOFLAGS": "", "CGO_ENABLED": "0"}
    settings["GOCACHE"] = str(built.parent / "cache")
    done = subprocess.run(
        ["go", "build", "-o", str(built), str(PROGRAM)],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return built


def cases(backend: Backend, folder: Path) -> Iterator[tuple[dict[str, object], bool]]:
    """Requests to the program, each with whether it must be accepted."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        proofs = composition.proofs
        fill(composition, clock, 200)
        signed(composition)
        old = proofs.last()
        fill(composition, clock, 400, start=201)
        export(composition, ExportWish(), FolderSink(folder), BY_TOKEN, lambda *_: None)
        new, key = proofs.store.checkpoints(old.size, 1)[0], str(proofs.key())
        base: dict[str, object] = {"key": key, "note": new.note, "folder": str(folder)}
        yield base | {"kind": "checkpoint"}, True
        yield base | {"kind": "checkpoint", "note": old.note}, True
        yield base | {"kind": "checkpoint", "note": new.note.replace("\n600\n", "\n601\n")}, False
        yield base | {"kind": "checkpoint", "key": key.replace("hilo/", "hilx/")}, False
        grown = hash_lines(proofs.consistency(old.size, new.size))
        growth = base | {"kind": "consistency", "old": old.note, "hashes": grown}
        yield growth, True
        yield growth | {"hashes": [flipped(grown[0]), *grown[1:]]}, False
        yield growth | {"hashes": grown[:-1]}, False
        for position in (1, 200, 257, 512, 600):
            path = hash_lines(proofs.inclusion(position, new.size))
            leaf = b64encode(proofs.tile(0, (position - 1) // 256, (position - 1) % 256 + 1)[-32:])
            place = base | {"index": position - 1, "leaf": leaf.decode(), "hashes": path}
            yield place | {"kind": "inclusion"}, True
            yield place | {"kind": "inclusion", "index": position % 600}, False
            yield place | {"kind": "inclusion", "leaf": flipped(leaf.decode())}, False
            yield place | {"kind": "inclusion", "hashes": [*path[:-1], flipped(path[-1])]}, False
            yield place | {"kind": "tiles"}, True
            yield place | {"kind": "tiles", "leaf": flipped(leaf.decode())}, False


def flipped(text: str) -> str:
    """A hash in base64 with one bit changed."""
    raw = b64decode(text)
    return b64encode(bytes((raw[0] ^ 1,)) + raw[1:]).decode()


def test_go_accepts_ours_and_refuses_what_is_not(
    backend: Backend, tmp_path: Path, verifier: Path
) -> None:
    """Checkpoints, growth, inclusion and tiles of an export; a changed tile is refused too."""
    folder = tmp_path / "export"
    asked = list(cases(backend, folder))
    answers = said(verifier, [case for case, _ in asked])
    for (case, accepted), answer in zip(asked, answers, strict=True):
        assert (answer == "ok") == accepted, (case, answer)
    tile = folder / "tile" / "0" / "000"
    raw = tile.read_bytes()
    # The neighbour of the first leaf: some releases of Go take a tile's other hashes as they are.
    tile.write_bytes(raw[:32] + bytes((raw[32] ^ 1,)) + raw[33:])
    place = next(case for case, _ in asked if case["kind"] == "tiles")
    assert said(verifier, [place]) != ["ok"]


def said(verifier: Path, asked: list[dict[str, object]]) -> list[str]:
    """The program's answers."""
    lines = "".join(json.dumps(case) + "\n" for case in asked)
    done = subprocess.run([str(verifier)], input=lines, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
