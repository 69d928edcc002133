"""Whose blocks are looked at: a database's, a bundle's, a server's; in one process or several.

A reader is plain data, so that it can go to another process; what it opens, it opens there.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final, Self
from uuid import UUID

import httpx
import msgspec
from msgspec import Struct

from audit.blocks import Ask, Block, Seen, look, rows_taken, seen_taken
from audit.tree import TILE_HASHES, TileReader, tile_path, widths
from domain.errors import Damaged, NotAllowed, NotFound, StoreUnavailable
from domain.times import format_utc
from storage.codec import clear_fields
from storage.leaf import Row, read_entry
from storage.scanning import scanned
from storage.tree_store import TreeStore

AHEAD: Final = 2
"""Blocks that each process may be ahead of the one that is joined: memory for a few MiB."""

ANSWER_S_MAX: Final = 30.0
"""How long a server may take for one tile or bundle of entries."""

Reader = Callable[[Ask], Block]
"""Looks at one block."""


class Looker:
    """Looks at blocks in order, in so many processes; the tests of one block need one."""

    def __init__(self, reader: Reader, processes: int = 1) -> None:
        self._reader = reader
        self._processes = processes

    def __call__(self, asks: Iterable[Ask]) -> Iterator[Block]:
        """As Looking in audit/verify.py."""
        waiting = iter(asks)
        first = list(islice(waiting, 2))
        if self._processes == 1 or len(first) == 1:
            for ask in (*first, *waiting):
                yield self._reader(ask)
            return
        # A process of its own begins anew: a fork would take over locks that nobody lets go.
        spawning = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self._processes, mp_context=spawning) as pool:
            running: list[Future[Block]] = [pool.submit(self._reader, ask) for ask in first]
            try:
                while running:
                    room = AHEAD * self._processes - len(running)
                    running += [pool.submit(self._reader, ask) for ask in islice(waiting, room)]
                    yield running.pop(0).result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


# ----------------------------------------------------------------------------------- database


class DatabaseReader(Struct, frozen=True):
    """Reads the log of a database; `covered` tiles from its tree."""

    url: str
    origin: str
    topics: frozenset[str]

    def __call__(self, ask: Ask) -> Block:
        """Look at one block. Raises StoreUnavailable."""
        store = TreeStore(self.url)
        numbers = range(ask.after // TILE_HASHES, -(-min(ask.upto, ask.covered) // TILE_HASHES))
        try:
            tiles = store.tiles(0, numbers)
        finally:
            store.close()
        rows = scanned(self.url, ask.after, ask.upto)
        take = rows_taken(rows, self.origin)
        return look(take, ask, lambda _, number: tiles.get(number), self.topics)


# ------------------------------------------------------------------------------------- bundle


class BundleEvent(Struct):
    """A line of a bundle's events: what stands in the log, and more for people to read."""

    position: int
    originator: UUID
    version: int
    topic: str
    recorded_us: int
    recorded_at: str
    clear: dict[str, object]
    state: bytes


_decode: Final = msgspec.json.Decoder(BundleEvent).decode


class BundleReader(Struct, frozen=True):
    """Reads the events of a bundle: `parts` are its files, each with its first position."""

    folder: str
    parts: tuple[tuple[int, str], ...]
    origin: str
    topics: frozenset[str]

    def __call__(self, ask: Ask) -> Block:
        """Look at one block. Raises NotFound where a file is gone."""
        tiles = folder_tiles(Path(self.folder), ask.covered)
        return look(rows_taken(self._rows(ask), self.origin), ask, tiles, self.topics)

    def _rows(self, ask: Ask) -> Iterator[Row]:
        for number, (first, name) in enumerate(self.parts):
            later = self.parts[number + 1][0] if number + 1 < len(self.parts) else ask.upto + 1
            if later <= ask.after + 1 or first > ask.upto:
                continue
            for row in bundle_rows(Path(self.folder) / name):
                if row[0] > ask.upto:
                    return
                if row[0] > ask.after:
                    yield row


def bundle_rows(path: Path) -> Iterator[Row]:
    """The events of one file of a bundle. Raises Damaged, NotFound."""
    before = 0
    try:
        with path.open("rb") as lines:
            for line in lines:
                event = _decode(line)
                before = event.position
                _require_readable(event)
                yield (
                    before,
                    event.originator.bytes,
                    event.version,
                    event.topic,
                    event.recorded_us,
                    event.state,
                )
    except FileNotFoundError as error:
        raise NotFound(f"The bundle lacks {path.name}.") from error
    except msgspec.DecodeError as error:
        raise Damaged(before + 1, f"its line in {path.name} cannot be read") from error


def _require_readable(event: BundleEvent) -> None:
    """Raise Damaged where what people read in a line is not what its stored bytes say."""
    state = event.state
    header = state[3 : 3 + int.from_bytes(state[1:3], "big")]
    if event.recorded_at != format_utc(event.recorded_us) or (
        event.clear != clear_fields(event.position, header)
    ):
        raise Damaged(event.position, "what its line says is not what its stored bytes say")


def folder_tiles(folder: Path, size: int) -> TileReader:
    """The tiles of a tree of that size from the files of a bundle."""

    def tile(level: int, number: int) -> bytes | None:
        full, width = widths(size, level)
        named = tile_path(level, number, TILE_HASHES if number < full else max(width, 1))
        path = folder / named
        return path.read_bytes() if path.is_file() else None

    return tile


# ------------------------------------------------------------------------------------- server


class ServerReader(Struct, frozen=True):
    """Reads a running server's log: bundles of entries, and tiles."""

    url: str
    token: str
    origin: str
    topics: frozenset[str]

    def __call__(self, ask: Ask) -> Block:
        """Look at one block. Raises StoreUnavailable, NotAllowed, NotFound."""
        with Server(self.url, self.token) as server:
            tiles = server.tiles(ask.covered)
            return look(seen_taken(self._seen(server, ask)), ask, tiles, self.topics)

    def _seen(self, server: Server, ask: Ask) -> Iterator[Seen]:
        for first in range(ask.after, ask.upto, TILE_HASHES):
            width = min(TILE_HASHES, ask.upto - first)
            raw = server.raw(tile_path("entries", first // TILE_HASHES, width))
            for number, entry in enumerate(unbundled(raw, first)):
                position, topic, at, origin = read_entry(entry, first + number + 1)
                if origin != self.origin:
                    raise Damaged(first + number + 1, "it is of another log")
                yield position, topic, at, sha256(b"\x00" + entry).digest()


def unbundled(raw: bytes, before: int) -> Iterator[bytes]:
    """The entries of a bundle, each after its length in two bytes. Raises Damaged."""
    at, position = 0, before
    while at < len(raw):
        position += 1
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        if end > len(raw):
            raise Damaged(position, "its bundle of entries ends inside it")
        yield raw[at + 2 : end]
        at = end


class Server:
    """Asks a running Hilo for what an auditor needs, with the token of one."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        base = url.rstrip("/") + "/v1/log/"
        self._client = httpx.Client(base_url=base, headers=headers, timeout=ANSWER_S_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def raw(self, path: str, **query: int) -> bytes:
        """The body of an answer. Raises StoreUnavailable, NotAllowed, NotFound."""
        try:
            answer = self._client.get(path, params=query)
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"The server does not answer: {error}") from error
        if answer.status_code in {401, 403}:
            raise NotAllowed("The server refuses: give a token with the scope audit in HILO_TOKEN.")
        if answer.status_code in {404, 409}:
            raise NotFound(f"The server has no {path}.")
        if not answer.is_success:
            raise StoreUnavailable(f"The server answers {answer.status_code} for {path}.")
        return answer.content

    def tiles(self, size: int) -> TileReader:
        """The tiles of the server's tree of that size."""
        known: dict[tuple[int, int], bytes | None] = {}

        def tile(level: int, number: int) -> bytes | None:
            full, width = widths(size, level)
            if (level, number) not in known:
                wide = TILE_HASHES if number < full else max(width, 1)
                try:
                    known[level, number] = self.raw(tile_path(level, number, wide))
                except NotFound:
                    known[level, number] = None
            return known[level, number]

        return tile
