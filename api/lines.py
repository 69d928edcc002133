"""Lines out of a stream of bytes, and the keys of lines that bring none.

Memory does not grow with the stream: a line that is too long is passed over while it comes,
and how often a line came before is counted in a temporary database that spills to disk.
"""

from __future__ import annotations

import hashlib
import sqlite3
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_MAX_BYTES: Final = 1 << 20
"""A line (contract 2.8): as long as a request that comes alone may be."""


class Line(Struct, frozen=True):
    """A line without its end, and its number, from 1; None for one that is too long."""

    number: int
    raw: bytes | None


class Splitter:
    """Splits what comes in parts; blank lines are numbered and left out."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0
        self._number = 0
        self._is_over = False

    def feed(self, part: bytes) -> Iterator[Line]:
        """The lines that this part ends."""
        first, *others = part.split(b"\n")
        self._keep(first)
        for piece in others:
            line = self._end()
            if line is not None:
                yield line
            self._keep(piece)

    def end(self) -> Iterator[Line]:
        """The last line, where it came without its end."""
        if self._size:
            line = self._end()
            if line is not None:
                yield line

    def _keep(self, piece: bytes) -> None:
        """Remember the beginning of a line; of one that is too long, only that it is."""
        if not piece:
            return
        self._size += len(piece)
        if self._size > LINE_MAX_BYTES + 1:  # one for a carriage return
            self._is_over = True
            self._rest.clear()
        elif not self._is_over:
            self._rest.append(piece)

    def _end(self) -> Line | None:
        self._number += 1
        raw = self._rest[0] if len(self._rest) == 1 else b"".join(self._rest)
        raw = raw.removesuffix(b"\r")
        is_over = self._is_over or len(raw) > LINE_MAX_BYTES
        self._rest.clear()
        self._size, self._is_over = 0, False
        if is_over:
            return Line(self._number, None)
        return Line(self._number, raw) if raw.strip() else None


class Occurrences:
    """How often each line of one body came before; exact, in constant memory.

    An SQLite database without a name: pages beyond its cache of 2 MB go to a temporary file.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE seen (line BLOB PRIMARY KEY, n INT) WITHOUT ROWID")

    def key_of(self, line: bytes) -> str:
        """The key of a line without external id: its SHA-256 and its number among its equals.

        So the same body again gives the same keys, and two equal lines count as two.
        """
        digest = hashlib.sha256(line).digest()
        counting = "INSERT INTO seen VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n"
        (number,) = self._database.execute(counting, (digest,)).fetchone()
        return f"sha256:{digest.hex()}:{number}"

    def close(self) -> None:
        """Drop the counts."""
        self._database.close()
