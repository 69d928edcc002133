"""Imports by a map: columns become fields, what is wrong is named, and again changes nothing."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import run
from app.cli.importing_map import Map, map_of
from app.cli.importing_rows import Rows
from domain.errors import InvalidInput

Hilo = Callable[..., tuple[int, str, str]]

MAP = """
tz = "America/Mexico_City"
[fields]
channel = {column = "Tipo", values = {"Llamada" = "call", "Correo" = "email"}}
direction = {column = "Sentido", values = {"Entrante" = "inbound", "Saliente" = "outbound"}}
occurred_at = {template = "{Fecha} {Hora}", format = ["%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"]}
theirs = {template = "tel:{Tel}"}
ours = {const = "tel:+525598765432"}
text = "Notas"
call.seconds = "Duracion"
aliases = [{template = "mailto:{Correo}"}]
details.placas = "Placas"
"""

HEADER = "Tipo;Sentido;Fecha;Hora;Tel;Notas;Duracion;Correo;Placas;Color"
ROWS = [
    'llamada;Entrante;22/11/2020;09:15;+52 55 1234 5678;"Pidió\ncita";0:02:05;a@b.mx;ABC;Rojo',
    "Llamada;Saliente;22/11/2020;09:20:30;+52 55 1234 5678;;;;;",
    "Llamada;Saliente;22/11/2020;09:20:30;+52 55 1234 5678;;;;;",
]


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


def written(folder: Path, *rows: str, encoding: str = "utf-8") -> tuple[str, str]:
    """A file with these rows, and the map."""
    file, map_ = folder / "crm.csv", folder / "map.toml"
    file.write_bytes("\r\n".join((HEADER, *rows, "")).encode(encoding))
    map_.write_text(MAP, "utf-8")
    return str(file), str(map_)


def made(plan: Map | None, raw: bytes) -> list[dict[str, object]]:
    """The append requests of a CSV file."""
    rows = Rows(io.BytesIO(raw), plan, seekable=True)
    return [json.loads(line) for line in b"".join(rows.csv()).splitlines() if line]


def test_a_file_is_imported_once(hilo: Hilo, tmp_path: Path) -> None:
    """Equal rows count as two, a second run as repeats, and columns nobody reads are named."""
    file, map_ = written(tmp_path, *ROWS)
    code, out, err = hilo("import", file, "--map", map_)
    assert (code, out) == (0, "lines=3 recorded=3 duplicate=0 conflict=0 refused=0\n"), err
    assert "Not imported: Color." in err
    assert hilo("import", file, "--map", map_)[1] == (
        "lines=3 recorded=0 duplicate=3 conflict=0 refused=0\n"
    )


def test_a_row_becomes_an_append_request() -> None:
    """Words, time with its zone, sides by direction, seconds, lists and objects; empty is left."""
    plan = map_of(tomllib.loads(MAP), "UTC")
    first, second, _ = made(plan, "\n".join((HEADER, *ROWS)).encode())
    assert first.pop("external_id") != second.pop("external_id")
    assert first == {
        "channel": "call",
        "direction": "inbound",
        "occurred_at": "2020-11-22T09:15:00-06:00",
        "resource": "tel:+52 55 1234 5678",
        "destination": "tel:+525598765432",
        "text": "Pidió\ncita",
        "call": {"seconds": 125},
        "aliases": ["mailto:a@b.mx"],
        "details": {"placas": "ABC"},
    }
    assert (second["resource"], "call" in second) == ("tel:+525598765432", False)


def test_a_bad_row_is_named_by_its_column(hilo: Hilo, tmp_path: Path) -> None:
    """An unknown word, a day that is none, a cell too many: the row and its column, and 1."""
    bad = [
        "Fax;Entrante;22/11/2020;09:15;+525512345678;;;;;",
        "Llamada;Entrante;31/02/2020;09:15;+525512345678;;;;;",
        "Llamada;Entrante;22/11/2020;09:15;+525512345678;;;;;;;sobra",
    ]
    file, map_ = written(tmp_path, ROWS[0], *bad)
    report = tmp_path / "report.ndjson"
    code, out, err = hilo("import", file, "--map", map_, "--report", str(report))
    assert (code, out) == (1, "lines=4 recorded=1 duplicate=0 conflict=0 refused=3\n")
    assert "line 3: channel: column Tipo: Fax is not among its values" in err
    assert "line 4: occurred_at: column Fecha and column Hora: 31/02/2020" in err
    assert "line 5: row: the row has 12 cells, the header 10" in err
    assert [json.loads(one)["line"] for one in report.read_text().splitlines()] == [2, 3, 4, 5]


def test_a_dry_run_writes_nothing(hilo: Hilo, tmp_path: Path) -> None:
    """It tells what would be, and afterwards everything is new."""
    file, map_ = written(tmp_path, *ROWS)
    dry = hilo("import", file, "--map", map_, "--dry-run")[1]
    assert dry == hilo("import", file, "--map", map_)[1]


def test_a_column_that_is_not_there_ends_it(hilo: Hilo, tmp_path: Path) -> None:
    """A map that names a column which the file lacks is refused whole, with what the file has."""
    file, map_ = written(tmp_path, *ROWS)
    Path(map_).write_text(MAP.replace('"Notas"', '"Nota"'), "utf-8")
    code, _, err = hilo("import", file, "--map", map_)
    assert code == 2
    assert "column Nota: the file has: Tipo, Sentido" in err


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("fields.chanel = 'x'", "fields.chanel"),
        ("fields.text = {colum = 'x'}", "fields.text"),
        ("fields.text = {column = 'x', const = 'y'}", "fields.text"),
        ("fields.text = {column = 'x', formt = 'y'}", "fields.text.formt"),
        ("fields.occurred_at = {column = 'x', tz = 'Mars'}", "fields.occurred_at.tz"),
        ("colour = 1\nfields.text = 'x'", "colour"),
        ("tz = 'UTC'", "fields"),
    ],
)
def test_a_wrong_map_says_where(text: str, field: str) -> None:
    """Whatever is wrong with a map is told by its place."""
    with pytest.raises(InvalidInput) as caught:
        map_of(tomllib.loads(text), "UTC")
    assert any(one.field.startswith(field) for one in caught.value.errors), caught.value.errors


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_file_is_read_as_it_is_written(encoding: str, delimiter: str) -> None:
    """Encodings by their mark or their bytes, delimiters by the header."""
    names = ("channel", "text", "direction")
    text = "\r\n".join((delimiter.join(names), delimiter.join(("call", "Pidió", "inbound"))))
    (found,) = made(None, text.encode(encoding))
    assert (found["channel"], found["text"], found["direction"]) == ("call", "Pidió", "inbound")


def test_excel_may_say_its_delimiter() -> None:
    """A first line `sep=;` is no header."""
    (found,) = made(None, b"sep=;\nchannel;text\ncall;a,b,c\n")
    assert found["text"] == "a,b,c"


def test_ndjson_of_another_shape_is_mapped() -> None:
    """Objects in objects are columns with dots; lines that are no object are refused by name."""
    fields = {"text": {"column": "msg.body"}, "channel": {"const": "sms"}}
    raw = b'{"msg": {"body": "Hola"}}\n\nnope\n'
    rows = Rows(io.BytesIO(raw), map_of({"fields": fields}, "UTC"), seekable=True)
    lines = b"".join(rows.ndjson()).split(b"\n")
    assert json.loads(lines[0])["text"] == "Hola"
    assert (lines[1], lines[2]) == (b"", b"{}")
    assert list(rows.errors) == [3]
