"""`hilo report`: figures at the terminal, with bars; as CSV; what it refuses."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from app.cli import main
from app.cli.reporting import bar
from tests.app.ledgers import TurnedClock, opened, run, settings_of
from tests.backends import Backend
from tests.domain.commands import BY_TOKEN, said


def asked(backend: Backend, *words: str) -> str:
    """What the command prints; it must end well."""
    url = [] if backend.kind == "sqlite" else [("HILO_DATABASE_URL", backend.log_url)]
    found = CliRunner(env=dict(url)).invoke(
        main, ["report", *words, "--data", str(backend.folder)], standalone_mode=False
    )
    assert found.exception is None, found.output
    return found.output


def test_a_report_is_a_table_with_bars(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows with their names, counts, a bar in proportion, and the total; CSV and JSON as well."""
    monkeypatch.setenv("COLUMNS", "80")
    with opened(backend, TurnedClock()) as composition:
        for number in range(4):
            run(composition.ledger.record(said(f"Hola {number}", key=f"k{number}"), BY_TOKEN))
        composition.follower.catch_up()
        composition.follower.release()
    assert settings_of(backend).data == backend.folder
    lines = asked(backend, "channel,direction").splitlines()
    assert lines[0].split() == ["channel", "direction", "interactions", "contacts"]
    assert lines[1].split()[-2:] == ["1", "█" * 35]
    assert lines[-1].split()[0] == "total"
    assert asked(backend, "channel", "--csv").splitlines()[0] == "channel,interactions,contacts"
    (row,) = asked(backend, "channel", "--json").splitlines()
    assert json.loads(row)["interactions"] == 4
    assert asked(backend, "--from", "2030-01-01", "--tz", "Asia/Tokyo").split()[-2:] == ["0", "0"]
    for kind in ("response-times", "campaigns", "waiting", "heatmap"):
        assert asked(backend, "--kind", kind)


def test_a_bar_has_eighths_of_a_character() -> None:
    """Nothing is no bar, a whole is the width, and small differences show."""
    assert [bar(share, 2) for share in (0, 1, 0.5, 0.53)] == ["", "██", "█", "█"]
    assert bar(0.55, 10) == "█████▌"


@pytest.mark.parametrize(
    "words", [["color"], ["day", "--tz", "Mars/X"], ["day", "--from", "soon"], ["--kind", "x"]]
)
def test_what_it_does_not_know_is_a_usage_error(backend: Backend, words: list[str]) -> None:
    """Unknown groups, zones, times and kinds end with 2."""
    with opened(backend):
        pass
    url = {} if backend.kind == "sqlite" else {"HILO_DATABASE_URL": backend.log_url}
    found = CliRunner(env=url).invoke(main, ["report", *words, "--data", str(backend.folder)])
    assert found.exit_code == 2
