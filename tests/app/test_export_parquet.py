"""The analyst's export: what stands in the table, what never does, and how it goes on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet  # type: ignore[import-untyped] # it has no stubs

from app.cli import exporting_parquet, run
from app.cli.exporting_parquet import FACTS, SUBJECTS
from projections.analysis import FactRow, SubjectFact
from tests.api.station import Station, open_station
from tests.backends import Backend
from tests.source_tree import ROOT

ANA = "tel:+525512345678"
LUIS = "tel:+525587654321"
MAIL = "mailto:secretisimo@example.com"

ASKING = """
import json, sys, duckdb
asked = duckdb.connect()
print(json.dumps([asked.execute(query).fetchall() for query in json.load(sys.stdin)]))
"""
"""A program that asks DuckDB queries one after the other."""

Export = Callable[..., tuple[int, str, str]]
Row = dict[str, Any]


@pytest.fixture
def station(backend: Backend) -> Iterator[Station]:
    """A ledger whose views follow."""
    with open_station(backend) as opened:
        yield opened


@pytest.fixture
def export(
    backend: Backend,
    station: Station,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Export:
    """`hilo export --parquet --to facts` in a folder that is the working one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HILO_DATABASE_URL", backend.log_url if backend.kind != "sqlite" else "")

    def typed(*words: str) -> tuple[int, str, str]:
        station.ask("/v1/activity")  # the views hold all that was written
        capsys.readouterr()
        places = ("--to", "facts", "--data", str(backend.folder))
        code = run(["export", "--parquet", *places, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


def rows_of(folder: Path) -> dict[int, Row]:
    """The rows of an export by id, the latest of each."""
    found: dict[int, Row] = {}
    for path in sorted(folder.glob("interactions/*/*.parquet")):
        for row in parquet.ParquetFile(path).read().to_pylist():
            if row["id"] not in found or found[row["id"]]["as_of"] <= row["as_of"]:
                found[row["id"]] = row
    return found


def told(station: Station) -> None:
    """A call, messages of two contacts in two months, one answered; and what became of them."""
    call = {"seconds": 61, "ring_seconds": 4, "outcome": "answered"}
    station.append(channel="call", call=call, text=None, attended_by="Rosa", department="Ventas")
    at = {"occurred_at": "2026-10-31T23:30:00-06:00"}
    station.append(resource=LUIS, text="secretisimo", subject="secretisimo", **at)
    reply = {"direction": "outbound", "resource": "tel:+525598765432", "destination": LUIS}
    station.append(**reply, text="secretisimo", occurred_at="2026-10-31T23:31:30-06:00")
    files = [{"name": "secretisimo.pdf", "media_type": "application/pdf", "bytes": 1}]
    station.append(channel="email", resource=MAIL, attachments=files, contact_name="Secretisimo")


def test_a_row_says_who_when_and_how_long_and_nothing_more(
    station: Station, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids, times, kinds, seconds of call and answer, by month; no text, name or address."""
    monkeypatch.setattr(exporting_parquet, "BUFFERED_ROWS_MAX", 1)
    told(station)
    code, out, err = export("--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert said == {"rows": 4, "position": station.head}
    call, asked, answer, mail = sorted(rows_of(tmp_path / "facts").values(), key=lambda r: r["id"])
    assert (call["call_seconds"], call["call_outcome"], call["department"]) == (
        61,
        "answered",
        "ventas",
    )
    assert call["answered_at"] is None
    assert asked["response_seconds"] == 90.0
    assert asked["answered_at"] == answer["occurred_at"]
    assert asked["contact"] == answer["contact"] != call["contact"]
    assert (mail["attachments"], mail["channel"]) == (1, "email")
    folders = sorted(path.name for path in (tmp_path / "facts/interactions").iterdir())
    assert folders == ["month=2026-11"]
    written = [path for path in (tmp_path / "facts").rglob("*") if path.is_file()]
    for path in written:
        table = parquet.ParquetFile(path)
        assert table.schema_arrow.names == (SUBJECTS if path.stem == "subjects" else FACTS).names
        text = repr(table.read().to_pylist()).lower()
        assert "secretisimo" not in text
        assert "5512345678" not in text
    assert export()[0] == 4
    assert export("--since", "99999999")[0] == 2


def test_what_changed_since_is_added(station: Station, export: Export, tmp_path: Path) -> None:
    """Answers, corrections, retractions and merges bring the rows that they change."""
    told(station)
    first = json.loads(export("--json")[1])["position"]
    before = rows_of(tmp_path / "facts")
    assert export("--since", str(first), "--json")[1] == f'{{"rows":0,"position":{first}}}\n'
    call, asked, _, mail = sorted(before)
    body = {"changes": {"campaign": "Verano"}, "reason": "faltaba"}
    station.post(f"/v1/interactions/{call}/corrections", json=body)
    merge = {"other": before[mail]["contact"], "reason": "es él"}
    merged = station.post(f"/v1/contacts/{before[asked]['contact']}/merge", json=merge)
    assert merged.status_code in {200, 201}
    code, out, _ = export("--since", str(first), "--json")
    assert (code, json.loads(out)["rows"]) == (0, 4)
    after = rows_of(tmp_path / "facts")
    assert after[call]["campaign"] == "verano"
    assert after[call]["corrected"]
    assert after[mail]["contact"] == after[asked]["contact"] == before[asked]["contact"]
    assert before[mail]["contact"] != after[mail]["contact"]
    table = parquet.ParquetFile(tmp_path / "facts/subjects.parquet").read().to_pylist()
    assert {row["contact"] for row in table} == {row["contact"] for row in after.values()}
    assert not list(tmp_path.rglob("*.unfinished"))


def test_the_examples_of_the_documents_run(station: Station, export: Export) -> None:
    """The commands and queries of docs/analysis.md work as they are written there."""
    told(station)
    assert export()[0] == 0
    text = (ROOT / "docs/analysis.md").read_text("utf-8")
    # In a process of its own, since the library says at its end what it did not tidy up.
    queries = json.dumps(re.findall(r"```sql\n(.*?)```", text, re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-c", ASKING], input=queries, capture_output=True, text=True, check=True
    )
    _, counted, waited = json.loads(done.stdout)
    assert counted == [
        ["call", "inbound", 1, 1],
        ["email", "inbound", 1, 1],
        ["whatsapp", "inbound", 1, 1],
        ["whatsapp", "outbound", 1, 1],
    ]
    assert [row for row in waited if row[2]] == [[23, 1, 1, 90.0, 90.0]]
    for words in re.findall(r"```sh\nhilo (.*?)\n```", text):
        assert words.startswith("export --parquet --to facts")


def test_the_table_is_as_documented() -> None:
    """Rows have the columns of the schema in their order, and each stands in the document."""
    text = (ROOT / "docs/analysis.md").read_text("utf-8")
    for schema, struct in ((FACTS, FactRow), (SUBJECTS, SubjectFact)):
        assert tuple(schema.names) == struct.__struct_fields__
        assert [name for name in schema.names if f"`{name}`" not in text] == []
