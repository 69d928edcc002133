"""How fast `hilo verify` looks at a log, on one processor and on two, and what the tree costs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

import psycopg

from app.compose import Composition, open_ledger
from app.settings import read_settings
from app.verifying import Wish, of_database
from audit.verify import Verified, verify
from benchmarks.append import places
from benchmarks.results import Row
from benchmarks.servers import Place
from domain.commands import By, RecordInteraction
from domain.events import Actor
from domain.ports import Unit
from domain.values import Channel, Direction, Origin, TimeSource
from storage.appending import Batch, SealedEvent, SealedUnit

EVENTS = int(os.environ.get("BENCH_VERIFY_EVENTS", "600000"))
"""Events of the log: seconds of work on either number of processes."""

REAL = 500
"""Interactions that were really recorded; the others have their states, and streams of their own:
what is in a state is nothing to a verification."""

BY = By(Actor("system", "bench"))


def fill(composition: Composition) -> None:
    """Have the log hold so many events."""

    async def record() -> None:
        for number in range(REAL):
            await composition.ledger.record(interaction(number), BY)

    asyncio.run(record())
    rows = composition.log.page(0, REAL)
    position = len(rows)
    while position < EVENTS:
        units = []
        for row in rows[: EVENTS - position]:
            position += 1
            stream = UUID(int=position)
            event = SealedEvent(row.topic, stream.bytes, 1, row.state)
            units.append(SealedUnit(Unit(key=stream, build=lambda _: ()), (event,)))
        composition.store.append(Batch(tuple(units), fence=None))


def rest(url: str) -> None:
    """Have a server do at once what it owes after so many inserts, as it has on any other day.

    Else it does so beside what is measured, for minutes, and takes a processor for it.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def interaction(number: int) -> RecordInteraction:
    """A message of a usual length."""
    return RecordInteraction(
        channel=Channel.WHATSAPP,
        direction=Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source="whatsapp:1",
        namespace="whatsapp:1",
        key=f"wamid.{number}",
        external_id=f"wamid.{number}",
        resource=f"tel:+5255{number:08}",
        destination="tel:+525598765432",
        occurred_at=1_795_348_800_000_000,
        offset_min=-360,
        time_source=TimeSource.PROVIDER,
        text="Hola, ¿sigue disponible la camioneta? Puedo pasar mañana por la tarde." * 2,
    )


def hashing_rate() -> float:
    """SHA-256 of 200 bytes, twice, and of two nodes, by nothing but hashlib; events a second."""
    body, count = bytes(200), 200_000
    began = time.perf_counter()
    for _ in range(count):
        sha256(body).digest()
        sha256(body).digest()
        sha256(body[:65]).digest()
    return count / (time.perf_counter() - began)


def rate(composition: Composition, processes: int) -> float:
    """Events a second that a verification looks at."""
    began = time.perf_counter()
    found = verify(of_database(composition, Wish(processes=processes)), lambda *_: None)
    spent = time.perf_counter() - began
    assert isinstance(found, Verified), found
    return found.events / spent


def measured(database: str, place: Place) -> Iterator[Row]:
    """The rows of one database."""
    os.environ["HILO_DATA"], os.environ["HILO_DATABASE_URL"] = str(place.folder), place.url
    composition = open_ledger(read_settings(os.environ), follow=False)
    try:
        fill(composition)
        if place.url:
            rest(place.url)
        began = time.perf_counter()
        composition.proving.now()
        tree = (time.perf_counter() - began) / EVENTS * 1_000_000
        for processes, budget in ((1, "120,000"), (2, "200,000")):
            bare = hashing_rate()
            speed = rate(composition, processes)
            yield Row(
                f"`hilo verify`, {database}, {processes} process{'es' * (processes - 1)}",
                f"{speed:,.0f} events/s",
                f"{speed / bare:.2f} of three bare SHA-256 an event ({bare:,.0f}/s)",
                f">= {budget}/s",
            )
        yield Row(
            f"the tree, {database}",
            f"{tree:.1f} µs an event",
            "reading the log, leaves, tiles and a checkpoint",
            "with sealing <= 12 µs",
        )
    finally:
        composition.close()


def rows() -> Iterator[Row]:
    """The rows of RESULTS.md."""
    with places() as found:
        for database, place in found.items():
            place.folder.mkdir(parents=True, exist_ok=True)
            yield from measured(database, place)
