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

from benchmarks.load import KNOWN_PHONES, first_bodies
from benchmarks.results import Row
from benchmarks.servers import Place, new_token, serving
from tests import postgres

ROUNDS = 3
SECONDS = 5.0
PORT = 8907

KINDS = ("apart", "live", "null", "stock")


@dataclass
class Measured:
    """Requests a second, by kind, one a round; the p99 of Hilo's own in milliseconds."""

    per_s: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    p99_ms: list[float] = field(default_factory=list)

    def ratio(self, kind: str, reference: str) -> float:
        """The median over the rounds of one kind against another, round by round."""
        pairs = zip(self.per_s[kind], self.per_s[reference], strict=True)
        return statistics.median(one / other for one, other in pairs)


@contextmanager
def places() -> Iterator[dict[str, Place]]:
    """A fresh ledger on each database."""
    with tempfile.TemporaryDirectory() as folder, postgres.running() as server:
        yield {
            "SQLite": Place(Path(folder) / "sqlite", ""),
            "PostgreSQL": Place(Path(folder) / "postgresql", server.create("bench")),
        }


def load(port: int, token: str, *, run: str, path: str = "/v1/interactions") -> dict[str, float]:
    """One load from a process of its own; raises where an answer was not a success."""
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="seconds")
    asked = {"port": port, "token": token, "run": run, "at": at, "path": path, "seconds": SECONDS}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", json.dumps(asked)],
        check=True,
        capture_output=True,
        text=True,
    )
    outcome: dict[str, float] = json.loads(done.stdout)
    statuses = json.loads(done.stdout)["statuses"]
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
            with serving(server, place, PORT, *more):
                if server == "hilo":
                    introduce(PORT, token, run=f"{kind}{number}")
                outcome = load(PORT, token, run=f"{kind}{number}")
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
                f"{measured.ratio('apart', 'null'):.2f} of the endpoint storing nothing",
                f">= {apart}",
            )
            yield Row(
                f"HTTP appends, {database}, core views live",
                f"{per_s['live']:.0f}/s, p99 {statistics.median(measured.p99_ms):.0f} ms",
                f"{measured.ratio('live', 'null'):.2f} of the endpoint storing nothing",
                f">= {live}",
            )
            yield Row(
                f"HTTP appends, {database}, against stock save",
                f"{per_s['apart']:.0f}/s beside {per_s['stock']:.0f}/s",
                f"{measured.ratio('apart', 'stock'):.1f} x",
                ">= 6 x",
            )
