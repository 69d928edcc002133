"""The README's own words: its first interaction works, and says what the README says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import httpx

from tests.app.processes import hilo, served
from tests.backends import sqlite_backend
from tests.patience import PATIENCE_S, until
from tests.source_tree import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def block_with(text: str) -> str:
    """The README's first code block that holds the text."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return str(next(block for block in blocks if text in block))


def words_after(text: str, command: str) -> list[str]:
    """The words of a command in a code block, without what the shell adds."""
    line = re.search(re.escape(command) + r"([^\n)]*)", text)
    assert line
    return shlex.split(line[1], comments=True)


def test_the_first_interaction_works_as_the_readme_says(tmp_path: Path) -> None:
    """The README's token and curl give 201, then 200 with `duplicate`, then 409."""
    backend = sqlite_backend(tmp_path)
    block = block_with("curl")
    body = json.loads(re.search(r"-d '(.*?)'", block, re.DOTALL)[1])  # type: ignore[index]  # it is there
    token = hilo(backend, *words_after(block, ".venv/bin/hilo ")).stdout.decode().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with (
        served(backend) as server,
        httpx.Client(base_url=server.address, timeout=PATIENCE_S) as client,
    ):
        first = client.post("/v1/interactions", json=body, headers=headers)
        again = client.post("/v1/interactions", json=body, headers=headers)
        other = {**body, "text": "otra cosa"}
        changed = client.post("/v1/interactions", json=other, headers=headers)
        assert (first.status_code, first.json()["duplicate"]) == (201, False)
        assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
        assert changed.status_code == httpx.codes.CONFLICT
        assert client.get(server.link).status_code == httpx.codes.SEE_OTHER
        until(lambda: body["text"] in client.get("/").text)


def test_the_channel_of_the_readme_is_made(tmp_path: Path) -> None:
    """The README's `hilo channel add` prints a URL, alone."""
    words = words_after(block_with("channel add"), ".venv/bin/hilo ")
    printed = hilo(sqlite_backend(tmp_path), *words).stdout.decode()
    assert printed.splitlines() == ["http://127.0.0.1:8000/channels/whatsapp/main"]


def test_the_make_targets_of_the_readme_exist() -> None:
    """Every `make` word in the README is a target."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"`?make ([a-z]+)", README)) - {"gives"}
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert named <= targets, named - targets
