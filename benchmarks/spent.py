"""How long requests took: the server's own time, which it says in `Server-Timing`, and a client's.

A client shares the machine with its server, and HTTP and the client's own work come on top; so
what a budget calls server time is the server's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPResponse
from typing import NamedTuple


class Spent(NamedTuple):
    """What one request took, in ms: of the server's time, and until its answer was read."""

    server: float
    whole: float


class Times(NamedTuple):
    """Median and 99th percentile, in ms."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms"


class Measured(NamedTuple):
    """Many requests: the server's times, and the client's."""

    server: Times
    whole: Times


def spent(send: Callable[[], HTTPResponse]) -> tuple[Spent, bytes]:
    """What a request took, and the body of its answer; raises where that is no success."""
    began = time.perf_counter()
    answer = send()
    body = answer.read()
    whole = (time.perf_counter() - began) * 1_000
    if answer.status != HTTPStatus.OK:
        message = f"{answer.status} {body[:200]!r}"
        raise RuntimeError(message)
    said = answer.headers.get("Server-Timing", "").partition("app;dur=")[2]
    return Spent(float(said), whole), body


def measured(found: list[Spent]) -> Measured:
    """Medians and percentiles of many."""
    return Measured(_times([one.server for one in found]), _times([one.whole for one in found]))


def _times(took: list[float]) -> Times:
    return Times(statistics.median(took), statistics.quantiles(took, n=100)[98])
