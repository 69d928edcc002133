"""Text search over a million messages: what people look for, and how long a page takes.

The views are made of a log in memory, which opens nothing: what is measured is the search. A
page is 50 items with excerpts and marks as the API makes them, without HTTP; beside it stands
the same page without a search, the list of all interactions. `HILO_BENCH_MESSAGES` asks for
another number of messages, `HILO_BENCH_DATABASE` for one database alone.
"""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from uuid import UUID

from app.cli.frame import settle_memory
from benchmarks.append import places
from benchmarks.results import Row
from benchmarks.servers import Place
from domain.events import Actor, InteractionRecorded
from domain.ports import Entry, StoredEntry
from domain.values import Channel, Direction, Origin, TimeSource
from projections import activity, search_items, search_pages
from projections.access import EVERYTHING
from projections.core import core_group
from projections.dictionary import Dictionary
from projections.group import Group
from projections.rendering import Renderer, encode
from projections.search import search_group
from projections.search_pages import SearchQuery
from projections.timeline_pages import Filters, PageQuery
from projections.views import SEARCH, Views
from projections.words import Marker, terms_of
from storage.source import Source

MESSAGES = int(os.environ.get("HILO_BENCH_MESSAGES", "1000000"))
CONTACTS = MESSAGES // 40
BUSY_SHARE = 0.1
"""One contact has so much of it all: a hundred thousand of a million."""

PAGES = 120
"""Pages of each kind of search."""

RARE_WORDS = 60_000
START = 1_700_000_000_000_000
SPAN_US = 3 * 365 * 86_400 * 1_000_000
SALE = (0.40, 0.43)
"""When everybody spoke of the sale, as a share of the whole time: long ago, and only then."""

_COMMON = """
de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ya
sí porque esta entre cuando muy sin sobre me hasta hay donde quien desde todo nos hola gracias
precio disponible buenos días señor señora cotización factura entrega mañana favor pedido envío
llamada cita horario sucursal auto camión llanta servicio refacción garantía pago tarjeta crédito
"""
_SYLLABLES = "ba ce di fo gu ja le mi no pu ra se ti vo xu za che lli ño tra pre clo bru gri"

FAIR = 1_001
"""One message in so many is of the campaign of a fair."""

VISITS = 5_003
"""And one interaction in so many is somebody at the door."""

LATE_SHARE = 0.02
"""Messages that were recorded long after they happened."""

TALK_SHARE = 0.8
"""Messages of that time that speak of the sale."""


@lru_cache(maxsize=1)
def vocabulary() -> tuple[list[str], list[float]]:
    """Words with their cumulated weights: a word's weight is one through its rank."""
    dice, syllables = random.Random(3), _SYLLABLES.split()
    made: dict[str, None] = dict.fromkeys(_COMMON.split())
    while len(made) < RARE_WORDS:
        made["".join(dice.choices(syllables, k=dice.randint(2, 5)))] = None
    return list(made), list(accumulate(1 / (rank + 2) for rank in range(len(made))))


def entry(position: int) -> Entry:
    """The event at a position: the same whenever it is asked for."""
    dice = random.Random(position)
    words, weights = vocabulary()
    said = dice.choices(words, cum_weights=weights, k=dice.randint(3, 22))
    share = position / MESSAGES
    if SALE[0] < share < SALE[1] and dice.random() < TALK_SHARE:
        said.append("remate")
    busy = dice.random() < BUSY_SHARE
    contact = 0 if busy else 1 + int(dice.random() ** 2 * CONTACTS)
    late = dice.random() < LATE_SHARE
    at = START + int((dice.random() if late else share) * SPAN_US)
    channel = dice.choice((Channel.WHATSAPP, Channel.WHATSAPP, Channel.SMS, Channel.EMAIL))
    direction = dice.choice((Direction.INBOUND, Direction.OUTBOUND))
    campaign = dice.choice((None, None, None, "suv", "verano"))
    event = InteractionRecorded(
        originator_id=UUID(bytes=hashlib.md5(b"m%d" % position, usedforsecurity=False).digest()),
        originator_version=1,
        actor=Actor("channel", "meta"),
        channel=Channel.WALK_IN if position % VISITS == 0 else channel,
        direction=direction,
        origin=Origin.AUTOMATIC,
        source="whatsapp:1065",
        subject=subject(contact),
        scheme="tel",
        occurred_at=at,
        time_source=TimeSource.PROVIDER,
        campaign="feria" if position % FAIR == 0 else campaign,
        resource=f"tel:+5255{contact:08d}",
        destination="tel:+525598765432",
        external_id=f"m{position}",
        text=" ".join(said),
    )
    return Entry(position, START + position * 100, "interaction.recorded", event)


def subject(contact: int) -> UUID:
    """The subject of a contact."""
    return UUID(bytes=hashlib.md5(b"s%d" % contact, usedforsecurity=False).digest())


class Told:
    """The log in memory, as followers and rebuilds read one."""

    def head(self) -> int:
        """The last position."""
        return MESSAGES

    def page(self, after: int, limit: int, _: int) -> list[StoredEntry]:
        """Rows in which nothing is sealed."""
        nobody = UUID(int=0)
        last = min(after + limit, MESSAGES)
        return [
            StoredEntry(position, nobody, 1, "interaction.recorded", 0, None, b"")
            for position in range(after + 1, last + 1)
        ]

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """The events."""
        return [entry(one.position) for one in entries]

    def source(self) -> Source:
        """As a follower's source."""
        return Source(bytes(16), self, self, lambda one: b"%032d" % one.position)


def kinds() -> dict[str, Callable[[random.Random], tuple[str, dict[str, object]]]]:
    """What people look for, and with which filters."""
    words, _ = vocabulary()
    busy = (subject(0).bytes,)

    def ranked(low: int, high: int) -> Callable[[random.Random], str]:
        return lambda dice: words[dice.randrange(low, high)]

    common, usual, rare = ranked(0, 30), ranked(40, 400), ranked(2_000, 60_000)
    suv = Filters(campaign=("suv",), channel=("email",))
    fair, door = Filters(campaign=("feria",)), Filters(channel=("walk_in",))
    inbound = Filters(campaign=("feria",), direction=("inbound",))
    early = Filters(since=START, until=START + SPAN_US // 10)
    return {
        "a very common word": lambda dice: (common(dice), {}),
        "a common word": lambda dice: (f'"{usual(dice)}"', {}),
        "a word as one types": lambda dice: (usual(dice)[: dice.randint(2, 5)], {}),
        "a rare word": lambda dice: (rare(dice), {}),
        "two common words": lambda dice: (f"{usual(dice)} {common(dice)}", {}),
        "a common and a rare one": lambda dice: (f"{common(dice)} {rare(dice)}", {}),
        "a phrase": lambda dice: (f'"{common(dice)} {usual(dice)}"', {}),
        "nothing that is there": lambda dice: (f"{usual(dice)} zzz{dice.randrange(99)}", {}),
        "a word of long ago": lambda _: ("remate", {}),
        "of long ago, and common": lambda dice: (f"remate {common(dice)}", {}),
        "one busy contact, common": lambda dice: (common(dice), {"subjects": busy}),
        "one busy contact, usual": lambda dice: (usual(dice), {"subjects": busy}),
        "one busy contact, rare": lambda dice: (rare(dice), {"subjects": busy}),
        "one busy contact, long ago": lambda _: ("remate", {"subjects": busy}),
        "filters": lambda dice: (usual(dice), {"filters": suv}),
        "filters, rare": lambda dice: (rare(dice), {"filters": suv}),
        "a small campaign, very common": lambda dice: (common(dice), {"filters": fair}),
        "a small campaign, common": lambda dice: (usual(dice), {"filters": fair}),
        "a small campaign, one way": lambda dice: (usual(dice), {"filters": inbound}),
        "a rare channel": lambda dice: (usual(dice), {"filters": door}),
        "the first months, common": lambda dice: (usual(dice), {"filters": early}),
        "one busy contact, filters": lambda dice: (
            usual(dice),
            {"subjects": busy, "filters": fair},
        ),
    }


class Bench:
    """Views with a million messages."""

    def __init__(self, place: Place) -> None:
        place.folder.mkdir(parents=True, exist_ok=True)
        self.views = Views(place.url or f"sqlite:///{place.folder / 'views.db'}")
        self.core, self.search = core_group(self.views), search_group(self.views)
        self.renderer = Renderer("http://localhost", Dictionary(self.views))

    def filled(self, group: Group) -> float:
        """Make the views of a group; events a second."""
        began = time.perf_counter()
        group.rebuild(Told().source())
        return MESSAGES / (time.perf_counter() - began)

    def found_ms(self, text: str, more: dict[str, object]) -> tuple[float, int]:
        """A page as the API makes it: milliseconds, and how many items are on it."""
        began = time.perf_counter()
        terms = tuple(terms_of(text))
        query = SearchQuery(scope="bench", text=text, terms=terms, **more)  # type: ignore[arg-type]  # its own fields
        with self.views.reading() as reading:
            page = search_pages.page(reading, reading.beside(SEARCH), query, EVERYTHING)
            bodies = self.renderer.rows(reading, page.rows, EVERYTHING)
            marker = Marker(terms)
            items = [encode(search_items.message(body, marker, lambda: None)) for body in bodies]
        return (time.perf_counter() - began) * 1_000, len(items)

    def listed_ms(self) -> float:
        """The first page of all interactions."""
        began = time.perf_counter()
        with self.views.reading() as reading:
            page = activity.page(reading, PageQuery(scope="bench"), EVERYTHING)
            self.renderer.rows(reading, page.rows, EVERYTHING)
        return (time.perf_counter() - began) * 1_000

    def close(self) -> None:
        """Close the connections."""
        self.views.close()


def rows() -> Iterator[Row]:
    """The rows of RESULTS.md."""
    with places() as found:
        only = os.environ.get("HILO_BENCH_DATABASE")
        for database, place in found.items():
            if only not in (None, database):
                continue
            bench = Bench(place)
            try:
                core, search = bench.filled(bench.core), bench.filled(bench.search)
                place.tidy()
                print(f"{database}: core {core:,.0f}/s, search {search:,.0f}/s", flush=True)
                yield from _rows(bench, database)
                yield Row(
                    f"words of interactions rebuilt, {database}",
                    f"{search:,.0f} events/s",
                    f"the core views of the same log in memory: {core:,.0f}/s",
                    "-",
                )
            finally:
                bench.close()


def _rows(bench: Bench, database: str) -> Iterator[Row]:
    dice = random.Random(11)
    settle_memory()  # as `hilo serve` does before it answers
    plain = sorted(bench.listed_ms() for _ in range(PAGES))
    for label, more in (("newest first", {}), ("by relevance", {"weigh": True})):
        spent: list[float] = []
        for kind, ask in kinds().items():
            asked = [ask(dice) for _ in range(PAGES)]
            timed = [bench.found_ms(text, {**filters, **more}) for text, filters in asked]
            times = sorted(took for took, _ in timed)
            hits = statistics.mean(hits for _, hits in timed)
            median, p99 = statistics.median(times), times[len(times) * 99 // 100]
            print(
                f"{database}, {label}, {kind}: p50 {median:.1f}, p99 {p99:.1f} ms, {hits:.0f}",
                flush=True,
            )
            spent += times
        spent.sort()
        yield Row(
            f"text search, {label}, {MESSAGES:,} messages, {database}",
            f"p50 {statistics.median(spent):.1f} ms, p99 {spent[len(spent) * 99 // 100]:.1f} ms",
            f"the list without a search: p50 {statistics.median(plain):.1f} ms,"
            f" p99 {plain[len(plain) * 99 // 100]:.1f} ms",
            "p99 <= 50 ms" if not more else "-",
        )
