"""The rows of RESULTS.md: what was measured, beside what, against which budget."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")

HEAD = "| what | measured | beside | budget | command | when |\n|---|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Row:
    """One figure: what, the absolute value, the ratio to its reference, the budget."""

    what: str
    measured: str
    beside: str
    budget: str


def write(name: str, rows: Iterable[Row]) -> None:
    """Put rows into RESULTS.md; a row of the same name replaces the one before."""
    text = RESULTS.read_text("utf-8")
    before, _, table = text.partition(HEAD)
    kept = {line.split("|")[1].strip(): line for line in table.splitlines() if line}
    when = f"{datetime.now(UTC):%Y-%m-%d}, {_commit()}, {_machine()}"
    for row in rows:
        line = (
            f"| {row.what} | {row.measured} | {row.beside} | {row.budget} "
            f"| `python -m benchmarks {name}` | {when} |"
        )
        print(line, flush=True)
        kept[row.what] = line
        RESULTS.write_text(before + HEAD + "\n".join(kept.values()) + "\n", "utf-8")


def _commit() -> str:
    program = shutil.which("git")
    if program is None:
        return "unknown commit"
    command = [program, "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown commit"


def _machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"
