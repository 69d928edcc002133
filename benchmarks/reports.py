"""Reports over a million interactions: any combination, distinct contacts beside, how long.

The facts are made of a log that is made up as it is read, and opens nothing; the core is told each
contact's first message, so that it knows whose they are. Talk comes in bursts of one contact over
one channel, as it does. Measured is the answer as the API makes it, without HTTP. Beside it stands
the same figure by the database alone, GROUP BY over the rows. `HILO_BENCH_EVENTS` asks for another
number of interactions, `HILO_BENCH_DATABASE` for one database alone. More than a million are
copies of a million, row by row, each with contacts of its own: the followers have rows elsewhere.
What PostgreSQL has to do after so many rows at once is done before the clock runs.
"""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from uuid import UUID

import msgspec
import psycopg

from app.cli.frame import settle_memory
from benchmarks.append import places
from benchmarks.results import Row
from benchmarks.servers import Place
from domain.events import Actor, InteractionRecorded
from domain.ports import Entry, StoredEntry
from domain.values import Channel, Direction, Origin, TimeSource
from projections import report_answers
from projections.access import EVERYTHING
from projections.columns import arrow
from projections.core import core_group
from projections.database import writing
from projections.dictionary import Dictionary
from projections.directory_rows import SUBJECTS
from projections.report_answers import Asked
from projections.report_deck import Decks
from projections.report_figures import Question, View
from projections.reports import CALLERS, FACTS, KINDS, reports_group
from projections.timeline_pages import Filters
from projections.views import REPORTS, Views
from storage.source import Source

EVENTS = int(os.environ.get("HILO_BENCH_EVENTS", "1000000"))
TOLD = min(EVENTS, 1_000_000)
CONTACTS = TOLD // 10
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
    """A log that is told anew to whoever reads it, so that its length takes no memory.

    `only_first` has each contact's first message alone. `spent_s`: what telling took.
    """

    def __init__(self, *, only_first: bool) -> None:
        self._only_first = only_first
        self._coming = self._entries()
        self._next = 1
        self.spent_s = 0.0

    def _turns(self) -> Iterator[tuple[int, int, int]]:
        """Number, contact and place in its burst of each interaction."""
        dice = random.Random(5)
        seen = bytearray(CONTACTS)
        number = 0
        while number < TOLD:
            contact = int(dice.random() ** 2 * CONTACTS)
            for turn in range(dice.randint(1, 8)):
                number += 1
                if number > TOLD:
                    break
                if not (self._only_first and seen[contact]):
                    yield number, contact, turn
                seen[contact] = 1

    def _entries(self) -> Iterator[Entry]:
        """The events, in bursts: a contact has a home of channels, a user and a campaign."""
        channels = list(Channel)
        for place, (number, contact, turn) in enumerate(self._turns(), 1):
            home = random.Random(contact)
            user = home.randrange(USERS)
            both = (home.choice(channels), home.choice(channels))
            words = (home.choice(("ventas", "taller", None)), home.choice((None, None, "suv")))
            over = both[(number - turn) % 2]
            at = START + number * (SPAN_US // TOLD) + turn * 60_000_000
            event = _event(number, contact, (over, turn % 2 == 0, user), words)
            event = msgspec.structs.replace(event, occurred_at=at)
            yield Entry(place, at, "interaction.recorded", event)

    @cached_property
    def _count(self) -> int:
        return sum(1 for _ in self._turns()) if self._only_first else TOLD

    def head(self) -> int:
        """The last position."""
        return self._count

    def page(self, after: int, limit: int, _: int) -> list[StoredEntry]:
        """Rows in which nothing is sealed."""
        nobody = UUID(int=0)
        last = min(after + limit, self._count)
        return [
            StoredEntry(position, nobody, 1, "interaction.recorded", 0, None, b"")
            for position in range(after + 1, last + 1)
        ]

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """The events of the next page, or of the first one again."""
        if entries[0].position != self._next:
            self._coming = self._entries()
            self._next = 1
        began = time.perf_counter()
        found = list(islice(self._coming, len(entries)))
        self.spent_s += time.perf_counter() - began
        self._next += len(entries)
        return found

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
        told = Told(only_first=False)
        began = time.perf_counter()
        reports.rebuild(told.source())
        self.rate = TOLD / (time.perf_counter() - began - told.spent_s)
        for copy in range(1, EVENTS // TOLD):
            copied(self.views, copy)
        if place.url:
            settled(place.url)
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

    def disk_mb(self) -> float:
        """What the views take: core's contacts and all facts."""
        with self.views.reading() as reading:
            return float(reading.fetch(_DISK[reading.kind])[0][0]) / 1e6


def copied(views: Views, copy: int) -> None:
    """All that was told once more, a second later for each copy, and of other contacts."""
    with views.reading() as reading:
        reports, mark = reading.beside(REPORTS), _COPY[reading.kind].format(copy)
        facts, callers = reports.name(FACTS), reports.name(CALLERS)
        subjects = reading.name(SUBJECTS)
        ((count,),) = reports.fetch(f"SELECT MAX(number) / {copy} + 1 FROM {callers}")
    new = {name: mark.replace("ID", f"s.{name}") for name in ("subject", "contact")}
    columns = [new.get(name, f"s.{name}") for name in SUBJECTS.columns]
    first = f"number < {count}"
    with writing(views.database.writer()) as slot:
        slot.run(
            f"INSERT INTO {facts} (originator, number, changed, occurred_at, kind, caller, shown)"
            f" SELECT {mark.replace('ID', 'originator')}, number + {copy * TOLD}, changed,"
            f" occurred_at + {copy * 1_000_000}, kind, caller + {copy * count}, shown"
            f" FROM {facts} WHERE number < {TOLD} ORDER BY 1"
        )
        slot.run(
            f"INSERT INTO {subjects} ({', '.join(SUBJECTS.columns)}) SELECT {', '.join(columns)}"
            f" FROM {subjects} s JOIN {callers} c ON c.subject = s.subject WHERE c.{first}"
        )
        slot.run(
            f"INSERT INTO {callers} (subject, number) SELECT {mark.replace('ID', 'subject')},"
            f" number + {copy * count} FROM {callers} WHERE {first}"
        )


def settled(url: str) -> None:
    """Have PostgreSQL do now what it would do a minute later, beside the figures.

    It vacuums and writes down what was filled: of ten million rows that takes a processor.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


_COPY = {
    "sqlite": "CAST(substr(ID, 2) || x'{:02x}' AS BLOB)",
    "postgresql": "substr(ID, 2) || '\\x{:02x}'::bytea",
}
"""Another id, made of one."""

_DISK = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


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
    settle_memory()  # as `hilo serve` does
    first = bench.ms(lambda view: report_answers.interactions(view, asked((), None, "UTC")))
    held = arrow().total_allocated_bytes() / 1e6
    grouped = min(bench.grouped_ms() for _ in range(3))
    month = START + SPAN_US - MONTH_US
    for name, since in (("a month of two years", month), ("the whole history", None)):
        times = _times(bench, since, report_answers.interactions, COMBINATIONS)
        yield Row(
            f"{title}: any combination, {name}",
            f"p50 {statistics.median(times):.0f} ms, p99 {times[len(times) * 99 // 100]:.0f} ms",
            f"GROUP BY channel over all by the database alone: {grouped:.0f} ms; the first figure"
            f" after a start {first:.0f} ms; columns hold {held:.0f} MB, views"
            f" {bench.disk_mb():,.0f} MB on disk; rebuilt at {bench.rate:,.0f} events/s",
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
