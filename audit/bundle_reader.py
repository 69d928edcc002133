"""The blocks of a bundle's events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from audit.blocks import Ask, Block, look, rows_taken
from audit.looking import Look
from audit.tree import TILE_HASHES, TileReader, tile_path, widths
from domain.errors import Damaged, NotFound
from domain.times import format_utc
from storage.codec import clear_fields
from storage.leaf import LEAF_PREFIX, Row, entries_maker


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

    @contextmanager
    def opened(self) -> Iterator[Look]:
        """As in Reader. It raises NotFound, inside, where a file is gone."""
        entries = entries_maker(self.origin, LEAF_PREFIX)

        def look_at(ask: Ask) -> Block:
            tiles = folder_tiles(Path(self.folder), ask.covered)
            return look(rows_taken(self._rows(ask), entries), ask, tiles, self.topics)

        yield look_at

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
