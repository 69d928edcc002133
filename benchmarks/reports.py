"""Reports over a million interactions: any combination, distinct contacts beside, how long.

The facts are made of a log in memory, which opens nothing; the core is told each contact's first
message, so that it knows whose they are. Talk comes in bursts of one contact over one channel,
as it does. Measured is the answer as the API makes it, without HTTP. Beside it stands the same
figure by the database alone, GROUP BY over the rows. `HILO_BENCH_EVENTS` asks for another
number of interactions, `HILO_BENCH_DATABASE` for one database alone.
"""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from uuid import UUID

import msgspec

from benchmarks.append import places
from benchmarks.results import Row
from benchmarks.servers import Place
from domain.events import Actor, InteractionRecorded
from domain.ports import Entry, StoredEntry
from domain.values import Channel, Direction, Origin, TimeSource
from projections import report_answers
from projections.access import EVERYTHING
from projections.core import core_group
from projections.dictionary import Dictionary
from projections.report_answers import Asked
from projections.report_deck import Decks
from projections.report_figures import Question, View
from projections.reports import FACTS, KINDS, reports_group
from projections.timeline_pages import Filters
from projections.views import REPORTS, Views
from storage.source import Source

EVENTS = int(os.environ.get("HILO_BENCH_EVENTS", "1000000"))
CONTACTS = EVENTS // 10
USERS = 40
ROUNDS = 12
START = 1_700_000_000_000_000
SPAN_US = 2 * 365 * 86_400 * 1_000_000
MONTH_US = 30 * 86_400 * 1_000_000

ZONES = ("America/Mexico_City", "America/New_York", "Asia/Kolkata", "UTC")

COMBINATIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("channel",),
    ("direction", "channel"),
    ("user",),
    ("department", "campaign"),
    ("source", "origin"),
    ("day",),
    ("week",),
    ("month", "channel"),
    ("weekday", "hour_of_day"),
    ("user", "month"),
)
"""What people look at; `day` over the whole history is 730 rows."""


class Told:
    """A log in memory; `only_first` has each contact's first message alone."""

    def __init__(self, *, only_first: bool) -> None:
        self._only_first = only_first

    @cached_property
    def entries(self) -> list[Entry]:
        """The events, in bursts: a contact has a home of channels, a user and a campaign."""
        dice = random.Random(5)
        channels, seen = list(Channel), set()
        found: list[Entry] = []
        number = 0
        while number < EVENTS:
            contact = int(dice.random() ** 2 * CONTACTS)
            home = random.Random(contact)
            over = dice.choice((home.choice(channels), home.choice(channels)))
            user = home.randrange(USERS)
            words = (home.choice(("ventas", "taller", None)), home.choice((None, None, "suv")))
            for turn in range(dice.randint(1, 8)):
                if number == EVENTS:
                    break
                number += 1
                if self._only_first and contact in seen:
                    continue
                seen.add(contact)
                at = START + number * (SPAN_US // EVENTS) + turn * 60_000_000
                event = _event(number, contact, (over, turn % 2 == 0, user), words)
                event = msgspec.structs.replace(event, occurred_at=at)
                found.append(Entry(len(found) + 1, at, "interaction.recorded", event))
        return found

    def head(self) -> int:
        """The last position."""
        return len(self.entries)

    def page(self, after: int, limit: int, _: int) -> list[StoredEntry]:
        """Rows in which nothing is sealed."""
        nobody = UUID(int=0)
        return [
            StoredEntry(entry.position, nobody, 1, entry.topic, 0, None, b"")
            for entry in self.entries[after : after + limit]
        ]

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """The events."""
        return [self.entries[one.position - 1] for one in entries]

    def source(self) -> Source:
        """As a follower's source."""
        return Source(bytes(16), self, self, lambda one: b"%032d" % one.position)


def _event(
    number: int,
    contact: int,
    way: tuple[Channel, bool, int],
    words: tuple[str | None, str | None],
) -> InteractionRecorded:
    channel, inbound, user = way
    return InteractionRecorded(
        originator_id=UUID(bytes=hashlib.md5(b"m%d" % number, usedforsecurity=False).digest()),
        originator_version=1,
        actor=Actor("channel", "bench"),
        channel=channel,
        direction=Direction.INBOUND if inbound else Direction.OUTBOUND,
        origin=Origin.AUTOMATIC,
        source=f"{channel}:{user % 3}",
        subject=UUID(bytes=hashlib.md5(b"s%d" % contact, usedforsecurity=False).digest()),
        scheme="tel",
        occurred_at=0,
        time_source=TimeSource.PROVIDER,
        attended_by=None if inbound else UUID(int=1_000 + user),
        department=words[0],
        campaign=words[1],
    )


class Bench:
    """Views with a million facts."""

    def __init__(self, place: Place) -> None:
        place.folder.mkdir(parents=True, exist_ok=True)
        self.views = Views(place.url or f"sqlite:///{place.folder / 'views.db'}")
        core, reports = core_group(self.views), reports_group(self.views)
        core.rebuild(Told(only_first=True).source())
        source = Told(only_first=False).source()
        source.head()
        began = time.perf_counter()
        reports.rebuild(source)
        self.rate = EVENTS / (time.perf_counter() - began)
        self.decks, self.names = Decks(), Dictionary(self.views)

    def ms(self, made: Callable[[View], object]) -> float:
        """One answer: milliseconds."""
        began = time.perf_counter()
        with self.views.reading() as reading:
            names = self.names.names(reading)
            view = View(reading, reading.beside(REPORTS), self.decks, names, EVERYTHING)
            msgspec.json.encode(made(view))
        return (time.perf_counter() - began) * 1_000

    def grouped_ms(self) -> float:
        """Counts and contacts by channel, by the database alone: milliseconds."""
        began = time.perf_counter()
        with self.views.reading() as reading:
            reports = reading.beside(REPORTS)
            reports.fetch(
                f"SELECT k.channel, count(*), count(DISTINCT f.caller) FROM {reports.name(FACTS)} f"
                f" JOIN {reports.name(KINDS)} k ON k.number = f.kind"
                " WHERE f.shown = 1 GROUP BY k.channel"
            )
        return (time.perf_counter() - began) * 1_000


def asked(groups: tuple[str, ...], since: int | None, tz: str) -> Asked:
    """A question about everything since a time."""
    question = Question(filters=Filters(since=since), contacts=None, groups=groups, tz=tz)
    return Asked(question, groups)


def rows() -> Iterator[Row]:
    """The rows of RESULTS.md."""
    only = os.environ.get("HILO_BENCH_DATABASE", "")
    with places() as found:
        for database, place in found.items():
            if only in {"", database}:
                bench = Bench(place)
                try:
                    yield from _rows(bench, database)
                finally:
                    bench.views.close()


def _rows(bench: Bench, database: str) -> Iterator[Row]:
    title = f"reports, {EVENTS:,} interactions, {database}"
    first = bench.ms(lambda view: report_answers.interactions(view, asked((), None, "UTC")))
    grouped = min(bench.grouped_ms() for _ in range(3))
    month = START + SPAN_US - MONTH_US
    for name, since in (("a month of two years", month), ("the whole history", None)):
        times = _times(bench, since, report_answers.interactions, COMBINATIONS)
        yield Row(
            f"{title}: any combination, {name}",
            f"p50 {statistics.median(times):.0f} ms, p99 {times[len(times) * 99 // 100]:.0f} ms",
            f"GROUP BY channel over all by the database alone: {grouped:.0f} ms; the first figure"
            f" after a start {first:.0f} ms; rebuilt at {bench.rate:,.0f} events/s",
            "p99 <= 50 ms",
        )
        times = _times(bench, since, report_answers.times, ((), ("user",), ("hour_of_day",)))
        yield Row(
            f"{title}: response times, {name}",
            f"p50 {statistics.median(times):.0f} ms, p99 {times[len(times) * 99 // 100]:.0f} ms",
            f"the same GROUP BY: {grouped:.0f} ms",
            "none",
        )


def _times(
    bench: Bench,
    since: int | None,
    made: Callable[[View, Asked], object],
    combinations: Sequence[tuple[str, ...]],
) -> list[float]:
    """Milliseconds of each combination in each zone, sorted."""
    found: list[float] = []
    for groups in combinations:
        some = []
        for turn in range(ROUNDS):
            question = asked(groups, since, ZONES[turn % len(ZONES)])
            some.append(bench.ms(lambda view, question=question: made(view, question)))  # type: ignore[misc] # bound now
        print(f"{'+'.join(groups) or 'all'}: {min(some):.0f} to {max(some):.0f} ms", flush=True)
        found += some
    return sorted(found)
