"""Numbers for Prometheus, of one application: nothing is counted in a process-wide registry.

Requests are counted in a plain dictionary and read when somebody asks, since a request passes
here on its hottest way; positions are asked for at that moment too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

ROUTES_MAX: Final = 1_000
"""Kinds of requests that are told apart: routes, methods and statuses; strangers share one."""

ELSEWHERE: Final = ("-", "-", 0)
"""Where requests are counted that would be one kind too many."""

_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)

Kind = tuple[str, str, int]
"""Method, route and status of a request."""


class ProofNumbers(NamedTuple):
    """How the proofs are: the tree's and the newest checkpoint's size, failures by place.

    A place is 1 while its failure lasts, else 0.
    """

    tree: int
    signed: int
    failing: dict[str, int]


class Metrics:
    """The metrics of one application; `text` is what Prometheus reads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests: dict[Kind, list[float]] = {}
        self._appends = Counter(
            "hilo_appends_total", "Units that came to a commit", registry=self._registry
        )
        self._batch = Histogram(
            "hilo_batch_units",
            "Units that shared a transaction",
            buckets=_SIZES,
            registry=self._registry,
        )
        self._commit = Histogram(
            "hilo_commit_seconds",
            "From the lock to the durable commit",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._fetches = Counter(
            "hilo_fetches_total",
            "Tries to fetch a file from a provider",
            labelnames=("outcome",),
            registry=self._registry,
        )
        self._registry.register(_Requests(self._requests))

    def committed(self, units: int, seconds: float) -> None:
        """A transaction of the log came to its end; called by the thread that writes."""
        self._appends.inc(units)
        self._batch.observe(units)
        self._commit.observe(seconds)

    def fetched(self, outcome: str) -> None:
        """A try to fetch a file ended: `fetched`, `again`, `failed` or `dropped`."""
        self._fetches.labels(outcome).inc()

    def answered(self, kind: Kind, seconds: float) -> None:
        """A request was answered."""
        found = self._requests.get(kind)
        if found is None:
            if len(self._requests) >= ROUTES_MAX:
                kind = ELSEWHERE
            found = self._requests.setdefault(kind, [0, 0.0])
        found[0] += 1
        found[1] += seconds

    def watch_queue(self, length: Callable[[], int]) -> None:
        """Show how many units wait to be written."""
        gauge = Gauge("hilo_queue_units", "Units that wait to be written", registry=self._registry)
        gauge.set_function(length)

    def watch_streams(self, number: Callable[[], int]) -> None:
        """Show how many streams are open."""
        gauge = Gauge("hilo_streams", "Open streams", registry=self._registry)
        gauge.set_function(number)

    def watch_positions(self, places: Callable[[], tuple[int, int]]) -> None:
        """Show the positions of the log and of the core views, asked for together."""
        self._registry.register(_Positions(places))

    def watch_proofs(self, proofs: Callable[[], ProofNumbers]) -> None:
        """Show how the proofs are, asked for together."""
        self._registry.register(_Proofs(proofs))

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Requests(Collector):
    """Requests by method, route and status: how many, and their seconds."""

    def __init__(self, counted: dict[Kind, list[float]]) -> None:
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        family = SummaryMetricFamily(
            "hilo_request_seconds", "Requests", labels=("method", "route", "status")
        )
        for (method, route, status), (count, seconds) in sorted(self._counted.items()):
            family.add_metric((method, route, str(status)), int(count), seconds)
        yield family


class _Positions(Collector):
    """Where the log is, where the views are, and what lies between."""

    def __init__(self, places: Callable[[], tuple[int, int]]) -> None:
        self._places = places

    def collect(self) -> Iterator[Metric]:
        head, core = self._places()
        yield GaugeMetricFamily("hilo_log_position", "Last position of the log", head)
        yield GaugeMetricFamily("hilo_core_position", "Position of the core views", core)
        yield GaugeMetricFamily("hilo_core_lag", "Events not in the views yet", max(0, head - core))


class _Proofs(Collector):
    """How far the tree and its signatures are, and which places fail."""

    def __init__(self, proofs: Callable[[], ProofNumbers]) -> None:
        self._proofs = proofs

    def collect(self) -> Iterator[Metric]:
        found = self._proofs()
        yield GaugeMetricFamily("hilo_tree_position", "Events in the Merkle tree", found.tree)
        yield GaugeMetricFamily("hilo_signed_position", "Events under a signature", found.signed)
        family = GaugeMetricFamily(
            "hilo_proof_failing", "1 while a place of the proofs fails", labels=("place",)
        )
        for place, failing in sorted(found.failing.items()):
            family.add_metric((place,), failing)
        yield family
