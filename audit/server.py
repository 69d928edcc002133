"""The blocks of a running server's log, and whatever else an auditor asks it for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Final, Self

import httpx
from msgspec import Struct

from audit.blocks import Ask, Block, Seen, look, seen_taken
from audit.looking import Look
from audit.tree import TILE_HASHES, TileReader, tile_path, widths
from domain.errors import Damaged, NotAllowed, NotFound, StoreUnavailable
from storage.leaf import read_entry

ANSWER_S_MAX: Final = 30.0
"""How long a server may take for one tile or bundle of entries."""


class ServerReader(Struct, frozen=True):
    """Reads a running server's log: bundles of entries, and tiles."""

    url: str
    token: str
    origin: str
    topics: frozenset[str]

    @contextmanager
    def opened(self) -> Iterator[Look]:
        """As in Reader. It raises StoreUnavailable, NotAllowed, NotFound, inside."""
        with Server(self.url, self.token) as server:

            def look_at(ask: Ask) -> Block:
                tiles = server.tiles(ask.covered)
                return look(seen_taken(self._seen(server, ask)), ask, tiles, self.topics)

            yield look_at

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
