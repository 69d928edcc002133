"""The commands of docs/erasure.md and docs/keys.md run as they stand there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from app.cli import run as hilo
from tests.source_tree import ROOT

BLOCKS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)

LINE = {
    "channel": "whatsapp",
    "direction": "inbound",
    "external_id": "1",
    "resource": "tel:+525512345678",
    "destination": "tel:+525598765432",
    "occurred_at": "2026-11-01T10:00:00-06:00",
    "text": "hola",
}


def commands(document: str) -> list[list[str]]:
    """The commands of a document, in words."""
    text = (ROOT / "docs" / document).read_text("utf-8")
    return [shlex.split(line) for block in BLOCKS.findall(text) for line in block.splitlines()]


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """An empty folder to work in, with a ledger in `data` that one message is in."""
    for name in ("HILO_DATA", "HILO_DATABASE_URL", "HILO_KEK", "HILO_KEK_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.ndjson").write_text(json.dumps(LINE) + "\n")
    assert hilo(["import", "in.ndjson"]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.mark.usefixtures("place")
def test_a_person_is_erased_as_the_document_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Plan, then confirm with the id that it printed; the certificate lies where it says."""
    plan, confirm = commands("erasure.md")
    assert hilo(plan[1:]) == 0
    found = re.search(r"^plan +(\S+)$", capsys.readouterr().out, re.MULTILINE)
    assert found is not None
    assert hilo([found[1] if word == "PLAN" else word for word in confirm[1:]]) == 0
    certificate = Path(capsys.readouterr().out.strip())
    assert certificate.parent.name == "erasures"
    assert json.loads(certificate.read_text("utf-8"))["outstanding"] == []


def test_keys_are_cared_for_as_the_document_says(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key moves away from its data, is replaced; the ledger is copied and comes back."""
    etc = place / "etc"
    etc.mkdir()
    for first, *rest in commands("keys.md"):
        words = [word.replace("/etc/hilo", str(etc)) for word in rest]
        if first == "mv":
            shutil.move(words[0], words[1])
        elif first == "export":
            name, _, value = words[0].partition("=")
            monkeypatch.setenv(name, value)
        else:
            assert first == "hilo"
            assert hilo(words) == 0, words
    assert hilo(["verify", "--data", "restored"]) == 0
    assert min(one.name for one in etc.iterdir()) == "kek"
    assert len(list(etc.iterdir())) == 2
