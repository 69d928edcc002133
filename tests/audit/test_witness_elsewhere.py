"""A ledger and its witness as two processes, as somebody would run them."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from api import tokens
from api.auth import SYSTEM
from audit.notes import read_note, read_verifier
from domain.commands import By
from tests import postgres
from tests.api.house import interaction
from tests.app.ledgers import opened, run
from tests.app.processes import begun, said_by, served
from tests.backends import sqlite_backend
from tests.patience import PATIENCE_S, until
from tests.source_tree import ROOT


class Witness(NamedTuple):
    """A witness that runs: its process, and its verifier key."""

    process: subprocess.Popen[str]
    key: str


@contextmanager
def witnessing(folder: Path, log: str, port: int) -> Iterator[Witness]:
    """`hilo witness serve`, ended with the block."""
    text = (ROOT / "docs" / "auditing.md").read_text("utf-8")
    [line] = [line for line in text.splitlines() if line.startswith("hilo witness serve ")]
    words = dict(zip(*[iter(shlex.split(line)[3:])] * 2, strict=True))  # as the document says it
    words |= {"--data": str(folder), "--log": log, "--port": str(port)}
    given = [word for pair in words.items() for word in pair]
    with begun(["witness", "serve", *given], os.environ) as process:
        yield Witness(process, said_by(process).strip())


def test_a_ledger_and_its_witness(tmp_path: Path) -> None:
    """Every checkpoint carries the witness's signature; while it is away, nothing else waits."""
    backend = sqlite_backend(tmp_path / "data")
    backend.folder.mkdir()
    with opened(backend) as composition:
        wanted = tokens.NewToken("admin", ("admin",), None, None)
        secret, _ = run(tokens.issue(composition.services, wanted, By(SYSTEM)))
        composition.proving.now()
        log = str(composition.proofs.key())
    port, admin = postgres._free_port(), {"Authorization": f"Bearer {secret}"}
    with witnessing(tmp_path / "witness", log, port) as witness:
        place = f"http://127.0.0.1:{port} {witness.key}"
        around = {"HILO_WITNESSES": place, "HILO_CHECKPOINT_EVERY": "1s"}
        with (
            served(backend, around=around) as server,
            httpx.Client(base_url=server.address, headers=admin, timeout=PATIENCE_S) as client,
        ):

            def append(key: str) -> None:
                body = interaction(external_id=key)
                assert client.post("/v1/interactions", json=body).status_code == 201

            def state() -> dict[str, Any]:
                found: dict[str, Any] = client.get("/v1/audit/state").json()
                return found

            append("wamid.1")
            until(lambda: (now := state())["checkpoint"]["size"] == now["head"], state)
            until(lambda: state()["checkpoint"]["cosigned_by"] == ["example.org/witness"], state)
            assert state()["healthy"]
            note = read_note(client.get("/v1/log/checkpoint").text)
            assert note.signed_by(read_verifier(witness.key))
            witness.process.kill()
            append("wamid.2")
            until(lambda: not state()["healthy"], state)
            now = state()
            assert [row["kind"] for row in now["places"] if row["error"]] == ["witness"]
            assert now["checkpoint"]["size"] == now["head"]  # it is signed all the same
