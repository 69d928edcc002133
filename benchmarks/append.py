"""Durable appends over HTTP, 64 connections, 90 % known numbers (design 12, rows 1 and 2).

Rounds are interleaved: Hilo with its followers apart, Hilo with the core views live, the same
endpoint over a ledger that stores nothing, and one stock `Application.save` a request.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.load import KNOWN_PHONES, first_bodies
from benchmarks.results import Row
from benchmarks.servers import Place, cpu_ms, new_token, serving
from tests import postgres

ROUNDS = 3
SECONDS = 5.0
PORT = 8907

BUFFERS = "1GB"
"""Memory of the measured PostgreSQL: its manual advises a quarter of the machine's or less; with
the 64 MB of the tests a hundred thousand contacts are read from its files again and again."""

WAL = "1GB"
"""Its default: the tests' smaller one would have a load wait for checkpoints."""

KINDS = ("apart", "live", "null", "stock")


@dataclass
class Measured:
    """By kind, one a round: requests a second, and processor time in ms a request.

    Of Hilo with its views live also the p99 in ms.
    """

    per_s: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    cpu_ms: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    p99_ms: list[float] = field(default_factory=list)

    def cpu(self, kind: str) -> str:
        """Processor time of one kind, in words."""
        return f"{statistics.median(self.cpu_ms[kind]):.2f} ms of processor time a request"

    def ratio(self, kind: str, reference: str) -> float:
        """The median over the rounds of one kind against another, round by round."""
        pairs = zip(self.per_s[kind], self.per_s[reference], strict=True)
        return statistics.median(one / other for one, other in pairs)


@contextmanager
def places() -> Iterator[dict[str, Place]]:
    """A fresh ledger on each database."""
    with (
        tempfile.TemporaryDirectory() as folder,
        # On a disk: what is durable is measured too.
        postgres.running(tempfile.gettempdir(), shared_buffers=BUFFERS, max_wal_size=WAL) as server,
    ):
        yield {
            "SQLite": Place(Path(folder) / "sqlite", ""),
            "PostgreSQL": Place(Path(folder) / "postgresql", server.create("bench")),
        }


def load_apart(**asked: object) -> Any:  # noqa: ANN401 - JSON
    """What benchmarks/load.py says, in a process of its own, when it is asked for this."""
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")
    words = json.dumps({"at": at, "path": "/v1/interactions", **asked})
    command = [sys.executable, "-m", "benchmarks.load", words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def load(port: int, token: str, *, run: str) -> dict[str, float]:
    """One load from a process of its own; raises where an answer was not a success."""
    outcome: dict[str, Any] = load_apart(port=port, token=token, run=run, seconds=SECONDS)
    statuses = outcome["statuses"]
    if set(statuses) - {"200", "201"}:
        message = f"not every answer was a success: {statuses}"
        raise RuntimeError(message)
    return outcome


def introduce(port: int, token: str, *, run: str) -> None:
    """Have every known number write once, so that the load begins with 90 % known ones."""
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/interactions/batch?verdicts=errors",
        data=b"\n".join(first_bodies(f"{run}-first", at)),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"},
    )
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 - our own address
        summary = json.loads(answer.read())["summary"]
    if summary["recorded"] != KNOWN_PHONES:
        message = f"the known numbers were not recorded: {summary}"
        raise RuntimeError(message)


def measure(place: Place) -> Measured:
    """All rounds on one database."""
    measured = Measured()
    token = new_token(place, "append")
    for number in range(ROUNDS):
        for kind in KINDS:
            server = "hilo" if kind in {"apart", "live"} else kind
            more = ("--no-follow",) if kind == "apart" else ()
            with serving(server, place, PORT, *more) as process:
                if server == "hilo":
                    introduce(PORT, token, run=f"{kind}{number}")
                before = sum(cpu_ms(process).values())
                outcome = load(PORT, token, run=f"{kind}{number}")
                spent = sum(cpu_ms(process).values()) - before
            measured.cpu_ms[kind].append(spent / outcome["requests"])
            measured.per_s[kind].append(outcome["per_s"])
            if kind == "live":
                measured.p99_ms.append(outcome["p99_ms"])
    return measured


def rows() -> Iterator[Row]:
    """The rows of RESULTS.md."""
    budgets = {"SQLite": ("0.80", "0.60"), "PostgreSQL": ("0.60", "0.45")}
    with places() as found:
        for database, place in found.items():
            measured = measure(place)
            per_s = {kind: statistics.median(values) for kind, values in measured.per_s.items()}
            apart, live = budgets[database]
            yield Row(
                f"HTTP appends, {database}, followers apart",
                f"{per_s['apart']:.0f}/s",
                f"{measured.ratio('apart', 'null'):.2f} of the endpoint storing nothing; "
                f"{measured.cpu('apart')}, beside {measured.cpu('null')}",
                f">= {apart}",
            )
            yield Row(
                f"HTTP appends, {database}, core views live",
                f"{per_s['live']:.0f}/s, p99 {statistics.median(measured.p99_ms):.0f} ms",
                f"{measured.ratio('live', 'null'):.2f} of the endpoint storing nothing; "
                f"{measured.cpu('live')}, the follower's with it",
                f">= {live}",
            )
            yield Row(
                f"HTTP appends, {database}, against stock save",
                f"{per_s['apart']:.0f}/s beside {per_s['stock']:.0f}/s",
                f"{measured.ratio('apart', 'stock'):.1f} x",
                ">= 6 x",
            )
