"""Import, views and delay (design 12): into the log, from the log into core, to the reader.

The reference of both rates is the database itself: the very rows that were written, inserted
once more by `executemany` (SQLite) or COPY (PostgreSQL) into a bare table.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

import psycopg

from app.cli.frame import settle_memory
from app.cli.importing import PART_BYTES, Import
from app.compose import Composition, open_ledger
from app.import_processes import Author, ImportProcesses
from app.settings import read_settings
from benchmarks.append import introduce, load_apart, places
from benchmarks.load import KNOWN_PHONES, append_bodies
from benchmarks.results import Row
from benchmarks.servers import Place, cpu_ms, new_token, serving
from projections.rebuild import rebuild
from storage.appending import Row as LogRow
from storage.source import seldom_collected

EVENTS = 150_000
"""Events of a run: a file that `hilo import` reads with several processes, their start in it."""

PAGE = 1_000
"""Rows that the reference inserts in one transaction: as many as a page of the follower."""

PORT = 8908
RATE_PER_S = 500
DELAYS = 2_500


def import_lines(composition: Composition, run: str) -> float:
    """Import NDJSON as `hilo import` does a large file, without a report; events a second."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    lines = b"\n".join(islice(append_bodies(run, at), EVENTS))

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(lines), PART_BYTES):
            yield lines[start : start + PART_BYTES]

    settle_memory()
    work = Import("import:bench")
    began = time.perf_counter()
    with ImportProcesses(composition.settings, Author(work.by, work.source)) as work.helpers:
        with seldom_collected():
            found = asyncio.run(work.run(composition.services, parts(), None))
        took_s = time.perf_counter() - began
    if found["recorded"] != EVENTS:
        message = f"not every line was recorded: {found}"
        raise RuntimeError(message)
    return EVENTS / took_s


def bare_rate(place: Place, rows: Sequence[LogRow]) -> float:
    """The same rows into a bare table of the same database; events a second."""
    if place.url:
        with psycopg.connect(place.url, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS bare")
            connection.execute(
                "CREATE TABLE bare (position bigint PRIMARY KEY, originator bytea, version int,"
                " topic text, recorded_at bigint, command_id bytea, state bytea,"
                " UNIQUE (originator, version))"
            )
            began = time.perf_counter()
            for start in range(0, len(rows), PAGE):
                with connection.transaction(), connection.cursor() as cursor:
                    copy = "COPY bare FROM STDIN (FORMAT BINARY)"
                    with cursor.copy(copy) as sink:
                        types = ["int8", "bytea", "int4", "text", "int8", "bytea", "bytea"]
                        sink.set_types(types)
                        for row in rows[start : start + PAGE]:
                            sink.write_row(row)
            return len(rows) / (time.perf_counter() - began)
    path = place.folder / "bare.db"
    path.unlink(missing_ok=True)
    bare = sqlite3.connect(path, isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute(
        "CREATE TABLE bare (position INTEGER PRIMARY KEY, originator BLOB, version INTEGER,"
        " topic TEXT, recorded_at INTEGER, command_id BLOB, state BLOB,"
        " UNIQUE (originator, version))"
    )
    began = time.perf_counter()
    for start in range(0, len(rows), PAGE):
        bare.execute("BEGIN IMMEDIATE")
        bare.executemany("INSERT INTO bare VALUES (?,?,?,?,?,?,?)", rows[start : start + PAGE])
        bare.execute("COMMIT")
    rate = len(rows) / (time.perf_counter() - began)
    bare.close()
    return rate


def stored_rows(composition: Composition) -> list[LogRow]:
    """The log's rows, as they lie in the table."""
    rows: list[LogRow] = []
    while page := composition.log.page(len(rows)):
        rows += [
            (
                e.position,
                e.originator_id.bytes,
                e.originator_version,
                e.topic,
                e.recorded_at,
                None,
                e.state,
            )
            for e in page
        ]
    return rows


def rates(place: Place) -> dict[str, float]:
    """Events a second on one database: import, bare, live, rebuilt."""
    os.environ["HILO_DATA"], os.environ["HILO_DATABASE_URL"] = str(place.folder), place.url
    composition = open_ledger(read_settings(os.environ), follow=False)
    try:
        follower = composition.follower
        follower.catch_up()  # builds the views of an empty log
        found = {"import": import_lines(composition, "import")}
        found["bare"] = bare_rate(place, stored_rows(composition))
        began = time.perf_counter()
        followed = follower.catch_up()
        found["live"] = followed / (time.perf_counter() - began)
        began = time.perf_counter()
        rebuild(composition.core, composition.source)
        found["rebuilt"] = composition.log.head() / (time.perf_counter() - began)
        follower.release()
    finally:
        composition.close()
    return found


def wait_for(position: int, token: str) -> None:
    """Wait until the core views of the server hold a position."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/v1/activity?limit=1&wait_ms=10000&min_position={position}",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 - our own address
        answer.read()


def delay_row(database: str, place: Place) -> Row:
    """The row about the delay on one database, from the moment when an append was due."""
    token = new_token(place, "append", "read")
    with serving("hilo", place, PORT) as process:
        introduce(PORT, token, run="delay")
        wait_for(KNOWN_PHONES, token)
        before = cpu_ms(process)
        found = load_apart(port=PORT, token=token, run="delay", count=DELAYS, rate_per_s=RATE_PER_S)
        spent = {kind: ms - before[kind] for kind, ms in cpu_ms(process).items()}
    each = " and ".join(f"{ms / DELAYS:.2f} ms in the {kind}" for kind, ms in spent.items())
    return Row(
        f"append to stream at {RATE_PER_S}/s, {database}",
        f"p50 {found['p50_ms']:.0f} ms, p99 {found['p99_ms']:.0f} ms",
        f"{DELAYS} appends, answered within {found['answered_p99_ms']:.0f} ms (p99); "
        f"{each} of processor time each",
        "p99 <= 50 ms",
    )


def rows() -> Iterator[Row]:
    """The rows of RESULTS.md."""
    budgets = {"SQLite": ("12,000", "20,000"), "PostgreSQL": ("6,000", "10,000")}
    with places() as found:
        for database, place in found.items():
            place.folder.mkdir(parents=True, exist_ok=True)
            rate = rates(place)
            live, rebuilt = budgets[database]
            bare = f"of inserting the same log rows bare ({rate['bare']:,.0f}/s)"
            yield Row(
                f"import of NDJSON, {database}",
                f"{rate['import']:,.0f}/s",
                f"{rate['import'] / rate['bare']:.2f} {bare}",
                ">= 20,000/s or 0.40",
            )
            yield Row(
                f"core views live, {database}",
                f"{rate['live']:,.0f} events/s",
                f"{rate['live'] / rate['bare']:.2f} {bare}",
                f">= {live}/s",
            )
            yield Row(
                f"core views rebuilt, {database}",
                f"{rate['rebuilt']:,.0f} events/s",
                f"{rate['rebuilt'] / rate['bare']:.2f} {bare}",
                f">= {rebuilt}/s",
            )
            yield delay_row(database, place)
