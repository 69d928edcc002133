"""Bytes that wait for a slow reader: some in memory, the rest in a temporary file."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import Final, Protocol

MEMORY_MAX_BYTES: Final = 1 << 20
"""What waits in memory: an answer to some 7,000 lines. Beyond it, a file of the system's."""

PART_BYTES: Final = 64 * 1024
"""What is handed on at once: a socket's buffer takes about as much."""


class Spool:
    """First in, first out. Writing never waits; reading waits until there is something.

    For one event loop, one writer and one reader.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=MEMORY_MAX_BYTES)  # noqa: SIM115 - closed by the reader, in `close`
        self._written = 0
        self._read = 0
        self._ended = False
        self._more = asyncio.Event()

    def write(self, part: bytes) -> None:
        """Put bytes at the end."""
        self._file.seek(self._written)
        self._file.write(part)
        self._written += len(part)
        self._more.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._more.set()

    async def read(self) -> bytes:
        """The next bytes; none once everything was read and the end has come."""
        while self._read == self._written:
            if self._ended:
                return b""
            self._more.clear()
            await self._more.wait()
        self._file.seek(self._read)
        part = self._file.read(PART_BYTES)
        self._read += len(part)
        if self._read == self._written:  # whoever reads as fast as we write needs no file
            self._file.seek(0)
            self._file.truncate()
            self._read = self._written = 0
        return part

    def close(self) -> None:
        """Drop what is left."""
        self._file.close()


class Work(Protocol):
    """What is done with the parts of a body, while the answers wait in a spool."""

    async def run(self, parts: AsyncIterator[bytes], spool: Spool) -> None:
        """Take everything and spool an answer to it; raises what a store failed with."""
