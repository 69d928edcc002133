"""Finding contacts: a hundred thousand of them, what people type, and how long an answer takes.

Server time of a page of 50 rendered contacts, without HTTP. Beside it stands the same page
without a search: the list by recency. The kinds of text are asked in turn, each with texts of
its own from the contacts' own words, so that rare ones, common ones and none at all take part.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

from app.cli.frame import settle_memory
from app.cli.importing import Import
from app.compose import Composition, open_ledger
from app.settings import read_settings
from benchmarks.append import places
from benchmarks.results import Row
from benchmarks.servers import Place
from projections import contact_pages
from projections.access import Reader
from projections.contact_pages import ContactQuery
from projections.rendering import encode

CONTACTS = 100_000
"""As many as the budget names."""

SEARCHES = 300
"""Searches of each kind: enough that their p99 is more than one slow moment."""

LINES_AT_ONCE = 500

_FIRST = """
María José Luis Juan Guadalupe Ana Carlos Francisco Alejandra Miguel Sofía Fernando Núria Jesús
Martín Verónica Íñigo Zoé Raúl Begoña Óscar Ximena Héctor Noemí Ángel
"""
_LAST = """
Hernández García Martínez López González Pérez Rodríguez Sánchez Ramírez Cruz Flores Gómez Núñez
Peña Ibáñez Muñoz Zúñiga Ávila Ordóñez Cañedo Echeverría Villaseñor Tlapanco Xolalpa
"""
_DOMAINS = "gmail.com hotmail.com yahoo.com.mx transportes-norte.mx clinicasol.example"

FIRST, LAST, DOMAINS = _FIRST.split(), _LAST.split(), _DOMAINS.split()


def lines() -> Iterator[bytes]:
    """An interaction of each contact; three of four write from a phone, the others by mail."""
    dice = random.Random(7)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    for number in range(CONTACTS):
        first, last = dice.choice(FIRST), _rare(dice)
        at = start + timedelta(seconds=dice.randrange(50_000_000))
        mail = number % 4 == 0
        address = f"tel:+5255{10_000_000 + number * 7 % 90_000_000:08d}"
        if mail:
            address = f"mailto:{first}.{last}.{number}@{dice.choice(DOMAINS)}".lower()
        fields = {
            "channel": "email" if mail else "whatsapp",
            "direction": "inbound",
            "external_id": f"<{number}@bench>",
            "resource": _plain(address),
            "destination": "mailto:ventas@colibri.mx" if mail else "tel:+525598765432",
            "occurred_at": at.isoformat(),
            "contact_name": f"{first} {last} {_rare(dice)}",
        }
        yield json.dumps(fields).encode() + b"\n"


def _rare(dice: random.Random) -> str:
    """A family name; the first ones are many people's, the last ones few people's."""
    return LAST[min(int(dice.expovariate(0.25)), len(LAST) - 1)]


def _plain(address: str) -> str:
    return address.translate(str.maketrans("áéíóúñü", "aeiounu"))


def kinds() -> dict[str, Callable[[random.Random], str]]:
    """What people type."""
    return {
        "a name": lambda dice: f"{dice.choice(FIRST)} {_rare(dice)}",
        "part of a name": lambda dice: _piece(dice, _plain(_rare(dice).lower())),
        "two letters": lambda dice: _rare(dice)[:2],
        "one letter": lambda dice: dice.choice("abcdefghijklmnoprstuvz"),
        "four digits": lambda dice: f"{dice.randrange(10_000):04d}",
        "a number": lambda dice: f"55 {1000 + dice.randrange(9000)} {dice.randrange(10_000):04d}",
        "a prefix that nearly all have": lambda _: "+52 55",
        "a mailbox": lambda dice: f"{dice.choice(FIRST)}.{_rare(dice)}.{dice.randrange(9)}".lower(),
        "a domain": lambda dice: dice.choice(DOMAINS),
        "a name and digits": lambda dice: f"{_rare(dice)} {dice.randrange(1_000):03d}",
        "nothing that is there": lambda dice: f"{dice.choice(FIRST)} {dice.choice('wk')}xq",
        "an interaction": lambda dice: f"#{1 + dice.randrange(CONTACTS)}",
    }


def _piece(dice: random.Random, word: str) -> str:
    start = dice.randrange(max(1, len(word) - 3))
    return word[start : start + 3]


def page_ms(composition: Composition, text: str | None) -> tuple[float, int]:
    """One page as the API makes it: milliseconds, and how many contacts are on it."""
    began = time.perf_counter()
    with composition.views.reading() as reading:
        visible = composition.services.access.visible(Reader(), reading)
        query = ContactQuery(text=text, country="MX")
        page = contact_pages.page(reading, query, visible)
        found = composition.reads.renderer.contacts(reading, page.rows)
        b"".join(map(encode, found))
    return (time.perf_counter() - began) * 1_000, len(page.rows)


def filled(place: Place) -> Composition:
    """A ledger there with all contacts in its views."""
    os.environ["HILO_DATA"], os.environ["HILO_DATABASE_URL"] = str(place.folder), place.url
    composition = open_ledger(read_settings(os.environ), follow=False)
    composition.follower.catch_up()  # builds the views of an empty log

    async def parts() -> AsyncIterator[bytes]:
        some: list[bytes] = []
        for line in lines():
            some.append(line)
            if len(some) == LINES_AT_ONCE:
                yield b"".join(some)
                some.clear()
        yield b"".join(some)

    found = asyncio.run(Import("import:bench").run(composition.services, parts(), None))
    if found["recorded"] != CONTACTS:
        message = f"not every line was recorded: {found}"
        raise RuntimeError(message)
    began = time.perf_counter()
    composition.follower.catch_up()
    print(f"views: {CONTACTS / (time.perf_counter() - began):,.0f} new contacts/s", flush=True)
    composition.follower.release()
    settle_memory()  # as `hilo serve` does before it answers
    place.tidy()
    return composition


def rows() -> Iterator[Row]:
    """The rows of RESULTS.md."""
    only = os.environ.get("HILO_BENCH_DATABASE", "")
    with places() as found:
        for database, place in found.items():
            if only not in {"", database}:
                continue
            place.folder.mkdir(parents=True, exist_ok=True)
            composition = filled(place)
            try:
                yield _row(composition, database)
            finally:
                composition.close()


def _row(composition: Composition, database: str) -> Row:
    dice = random.Random(11)
    plain = sorted(page_ms(composition, None)[0] for _ in range(SEARCHES))
    spent: list[float] = []
    for kind, text_of in kinds().items():
        asked = [page_ms(composition, text_of(dice)) for _ in range(SEARCHES)]
        times = sorted(took for took, _ in asked)
        hits = statistics.mean(hits for _, hits in asked)
        p99 = times[len(times) * 99 // 100]
        median = statistics.median(times)
        print(f"{database}, {kind}: p50 {median:.1f}, p99 {p99:.1f} ms, {hits:.0f} a page")
        spent += times
    spent.sort()
    return Row(
        f"contact search, {CONTACTS:,} contacts, {database}",
        f"p50 {statistics.median(spent):.1f} ms, p99 {spent[len(spent) * 99 // 100]:.1f} ms",
        f"the list without a search: p50 {statistics.median(plain):.1f} ms,"
        f" p99 {plain[len(plain) * 99 // 100]:.1f} ms",
        "p99 <= 20 ms",
    )
