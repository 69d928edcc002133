"""The table of commands, and what all of them have in common."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest

from app.cli import COMMANDS, main, run
from app.cli.frame import look
from domain.errors import NotYet
from tests.app.ledgers import opened
from tests.app.ledgers import run as run_one
from tests.backends import Backend
from tests.domain.commands import BY_TOKEN, said
from tests.patience import PATIENCE_S


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_stands_where_the_table_says(name: str) -> None:
    """Each name of the table leads to the command that is called so."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name


def test_a_process_reads_what_it_needs() -> None:
    """The list of commands needs no database and no view; who follows on SQLite no web framework.

    Nor do most commands: a second of each start, and twenty megabytes, hang on it.
    """
    script = (
        "import sys; from app.cli import run; run(['--help']);"
        "print(*{'sqlalchemy', 'fastapi', 'app.compose'} & set(sys.modules));"
        "import app.cli.companion, app.compose;"
        "print(*{'fastapi', 'pydantic', 'httpx', 'psycopg', 'jinja2'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["", ""]


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that does something, with the words that lead to it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("words", list(commands(main)), ids=" ".join)
def test_every_command_takes_a_folder_and_speaks_json(words: tuple[str, ...]) -> None:
    """`--data` and `--json` are options of each command, whatever it does."""
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    options = {option for one in command.params for option in one.opts}
    assert {"--data", "--json"} <= options


Hilo = Callable[..., tuple[int, str, str]]


@pytest.fixture
def hilo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Hilo:
    """Runs a command on a ledger of the test's own: exit code, stdout, stderr."""
    monkeypatch.setenv("HILO_DATA", str(tmp_path / "data"))

    def typed(*words: str) -> tuple[int, str, str]:
        code = run(words)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return typed


def test_data_as_json_stands_alone_on_stdout(hilo: Hilo, tmp_path: Path) -> None:
    """With --json each line of stdout is an object, and says what the words would have said."""
    lines = tmp_path / "old.ndjson"
    lines.write_text("{\n")
    code, out, _ = hilo("token", "create", "--name", "crm", "--scope", "append", "--json")
    assert (code, set(json.loads(out))) == (0, {"name", "token"})
    code, out, _ = hilo("token", "revoke", "crm", "--json")
    assert (code, json.loads(out)) == (0, {"name": "crm", "revoked": True})
    code, out, _ = hilo("import", str(lines), "--json")
    counts = {"lines": 1, "recorded": 0, "duplicate": 0, "conflict": 0, "refused": 1}
    assert (code, json.loads(out)) == (1, counts)
    code, out, _ = hilo("verify", "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["events"], told["checkpoints"]) == (0, True, 2, 0)
    code, out, _ = hilo("rebuild", "--json")
    rebuilt = [json.loads(line) for line in out.splitlines()]
    assert (code, [one["view"] for one in rebuilt]) == (0, ["core", "search", "reports"])
    assert all(one["differing"] == [] and not one["checked"] for one in rebuilt)
    code, out, _ = hilo("rebuild", "search", "--check", "--json")
    assert (code, json.loads(out)) == (0, {"view": "search", "checked": True, "differing": []})


def test_a_wrong_value_is_named(hilo: Hilo) -> None:
    """What a command cannot read is told by name, with what to write instead."""
    code, out, err = hilo("serve", "--port", "http")
    assert (code, out) == (2, "")
    assert err == "hilo: HILO_PORT: write a port number, such as 8000\n"


@pytest.mark.parametrize("words", [("verify",), ("rebuild",), ("rebuild", "--check")], ids=" ".join)
def test_what_examines_a_ledger_makes_none(
    hilo: Hilo, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A folder without a ledger is not found, rather than made and found to be in order."""
    code, out, err = hilo(*words)
    assert (code, out) == (3, "")
    assert "There is no ledger in" in err
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_said(hilo: Hilo, tmp_path: Path) -> None:
    """Where a file stands in its place, the store cannot be reached: 5, in one line."""
    (tmp_path / "data").write_text("not a folder")
    code, out, err = hilo("token", "list")
    assert (code, out) == (5, "")
    assert err.count("\n") == 1
    assert "cannot be used" in err


def test_a_command_waits_for_the_views_of_a_server(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process follows, it makes; who has waited long enough is told so."""
    with opened(backend) as server, opened(backend) as composition:
        run_one(server.ledger.record(said(), BY_TOKEN))
        assert server.follower._exclusive.acquire()
        monkeypatch.setattr("app.cli.frame.LOOK_S_MAX", 0.0)
        with pytest.raises(NotYet, match="core"):
            look(composition)
        monkeypatch.setattr("app.cli.frame.LOOK_S_MAX", PATIENCE_S)
        with ThreadPoolExecutor(1) as beside:
            looking = beside.submit(look, composition)
            server.follower.catch_up()
            looking.result(PATIENCE_S)
        assert composition.views.position() == composition.log.head()
