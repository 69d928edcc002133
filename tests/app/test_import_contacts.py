"""`hilo import --contacts`: people from NDJSON and CSV, on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import run
from app.compose import Composition, open_ledger
from app.settings import read_settings
from domain.events import AddressLinked, ContactNamed
from tests.backends import Backend

NDJSON = [
    {"name": "Ana Núñez", "addresses": ["tel:+525512345678", "mailto:ana@example.com"]},
    {"name": "Sin dirección", "company": "ACME"},
]
CSV = (
    "Nombre;Empresa;Teléfono;Correo;Phone 2\r\n"
    "Zoé Peña;ACME;55 9999 0001;zoe@example.com;\r\n"
    '"Luis ""Lucho"" Díaz";;55 9999 0002;;55 9999 0003\r\n'
)


@pytest.fixture
def here(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A ledger that the command finds by its environment."""
    monkeypatch.setenv("HILO_DATA", str(backend.folder))
    monkeypatch.setenv("HILO_COUNTRY", "MX")
    if backend.kind == "postgresql":
        monkeypatch.setenv("HILO_DATABASE_URL", backend.log_url)
    return backend


def opened(backend: Backend) -> Composition:
    """The ledger, nobody following."""
    postgres = {"HILO_DATABASE_URL": backend.log_url} if backend.kind == "postgresql" else {}
    return open_ledger(read_settings(postgres, data=str(backend.folder)), follow=False)


def people(backend: Backend) -> list[tuple[str | None, str | None, str | None, list[str | None]]]:
    """Name, company, how it was made and further addresses of each contact in the log."""
    composition = opened(backend)
    try:
        found: list[tuple[str | None, str | None, str | None, list[str | None]]] = []
        for position in range(1, composition.log.head() + 1):
            entry = composition.log.entry(position)
            event = entry.event if entry else None
            if isinstance(event, ContactNamed):
                assert event.actor.kind == "import"
                found.append((event.name, event.company, event.created, [event.address]))
            elif isinstance(event, AddressLinked):
                assert event.linked_by == "import"
                found[-1][3].append(event.address)
        return found
    finally:
        composition.close()


def test_people_are_imported_once(
    here: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """NDJSON makes contacts by `import`; a second run finds all of them there and writes none."""
    file = tmp_path / "clientes.ndjson"
    file.write_text("\n".join(json.dumps(one) for one in NDJSON), "utf-8")
    words = ["import", "--contacts", str(file)]
    assert run(words) == 0
    assert capsys.readouterr().out == "lines=2 recorded=2 duplicate=0 conflict=0 refused=0\n"
    first = people(here)
    assert [(name, company, made) for name, company, made, _ in first] == [
        ("Ana Núñez", None, "import"),
        ("Sin dirección", "ACME", "import"),
    ]
    assert first[0][3] == ["tel:+525512345678", "mailto:ana@example.com"]
    assert run(words) == 0
    assert capsys.readouterr().out == "lines=2 recorded=0 duplicate=2 conflict=0 refused=0\n"
    assert people(here) == first


def test_a_csv_file_names_its_columns(
    here: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any of three separators, names in both languages, several numbers, empty cells."""
    file = tmp_path / "agenda.csv"
    file.write_text(CSV, "utf-8-sig")
    report = tmp_path / "report.ndjson"
    assert run(["import", "--contacts", str(file), "--report", str(report)]) == 0
    assert capsys.readouterr().out.startswith("lines=2 recorded=2")
    verdicts = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    assert [(one["line"], one["status"]) for one in verdicts] == [(2, 201), (3, 201)]
    assert people(here) == [
        ("Zoé Peña", "ACME", "import", ["tel:+525599990001", "mailto:zoe@example.com"]),
        ('Luis "Lucho" Díaz', None, "import", ["tel:+525599990002", "tel:+525599990003"]),
    ]


def test_bad_lines_are_told_and_the_rest_is_taken(
    here: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, each bad line on stderr with what is wrong with it."""
    file = tmp_path / "clientes.ndjson"
    file.write_text('{"name":"Ana"}\n{"name":"x","addresses":["tel:abc"]}\n', "utf-8")
    assert run(["import", "--contacts", str(file), "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["refused"] == 1
    assert "line 2: addresses[0]" in told.err
    assert [one[0] for one in people(here)] == ["Ana"]


@pytest.mark.parametrize(
    ("name", "text", "more", "status"),
    [
        ("a.csv", "Nombre,Foo\na,b\n", [], 2),
        ("a.csv", b"Nombre\n\xff\n", [], 2),
        ("a.txt", "Nombre\nAna\n", ["--format", "csv", "--dry-run"], 0),
        ("a.ndjson", '{"name":"Ana"}', ["--source", "crm"], 2),
        ("none", None, [], 3),
    ],
)
def test_what_cannot_be_imported_has_its_exit_code(
    here: Backend,
    tmp_path: Path,
    name: str,
    text: str | bytes | None,
    more: list[str],
    *,
    status: int,
) -> None:
    """An unknown column, another encoding, no file: 2 or 3; a dry run checks and writes nothing."""
    file = tmp_path / name
    if text is not None:
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    assert run(["import", "--contacts", str(file), *more]) == status
    if status != 3:
        assert people(here) == []


def test_interactions_in_csv_need_columns_or_a_map(here: Backend, tmp_path: Path) -> None:
    """CSV without --contacts, whose columns are no fields, is a wrong use of the command: 2."""
    file = tmp_path / "a.csv"
    file.write_text("a\n", "utf-8")
    assert here.folder.is_dir()
    assert run(["import", str(file), "--format", "csv"]) == 2
