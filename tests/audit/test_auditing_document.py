"""The steps of docs/auditing.md work as they are written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from domain.events import InteractionRecorded
from tests.app.ledgers import TurnedClock, opened
from tests.audit.attacks import fill, signed
from tests.backends import sqlite_backend
from tests.source_tree import ROOT

BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.begins_early
def test_an_auditor_can_do_what_the_document_says(tmp_path: Path) -> None:
    """Each command is run, in order; the script passes, and refuses a changed export."""
    text = (ROOT / "docs" / "auditing.md").read_text("utf-8")
    blocks = BLOCK.findall(text)
    [script] = [body for kind, body in blocks if kind == "python"]
    steps = "".join(body for kind, body in blocks if kind == "sh")
    [person] = [body for kind, body in blocks if kind == "text" and "--contact" in body]
    (tmp_path / "check.py").write_text(script, "utf-8")
    data = tmp_path / "data"
    data.mkdir()
    clock = TurnedClock()
    with opened(sqlite_backend(data), clock) as composition:
        fill(composition, clock, 300)
        signed(composition)
        told = composition.log.entry(1)
        assert told is not None
        assert isinstance(told.event, InteractionRecorded)
        steps += person.replace("5f1a…", str(told.event.subject))
    program = tmp_path / "bin" / "hilo"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m app "$@"\n', "utf-8")
    program.chmod(0o700)
    around = os.environ | {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HILO_DATA": str(data),
    }

    def shell(commands: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-ec", commands],
            cwd=tmp_path,
            env=around,
            capture_output=True,
            text=True,
            check=False,
        )

    done = shell(steps)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ok: ") == 3
    assert "Mensaje 300" in (tmp_path / "ana" / "interactions" / "000002.ndjson").read_text("utf-8")
    assert "300 events are those that were signed" in done.stdout
    [events] = (tmp_path / "export" / "events").iterdir()
    events.write_text(events.read_text("utf-8").replace('"version":1', '"version":2', 1), "utf-8")
    assert "the root is another one" in shell("python3 check.py export").stderr
