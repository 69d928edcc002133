"""A log in memory, made of a story's entries, as followers and rebuilds read one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

from domain.errors import KeyMissing
from domain.ports import Entry, StoredEntry
from storage.source import Source

LEDGER = UUID("018f0000-0000-7000-8000-000000000001")


class Shelf:
    """What a log and a codec give to a follower, over entries that stand in a list.

    `missing` are positions whose key is gone without a tombstone.
    """

    def __init__(self, entries: Iterable[Entry] = (), *, flavour: bytes = b"") -> None:
        self.entries = list(entries)
        self.flavour = flavour
        self.missing: set[int] = set()

    def head(self) -> int:
        """The last position."""
        return len(self.entries)

    def page(self, after: int, limit: int, max_bytes: int) -> list[StoredEntry]:
        """Events after a position; every event counts as 100 bytes."""
        count = max(1, min(limit, max_bytes // 100))
        return [stored(entry) for entry in self.entries[after : after + count]]

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """The entries themselves. Raises KeyMissing for those in `missing`."""
        for entry in entries:
            if entry.position in self.missing:
                raise KeyMissing(f"The key of event {entry.position} is gone.")
        return [self.entries[entry.position - 1] for entry in entries]

    def leaf(self, entry: StoredEntry) -> bytes:
        """A hash that follows from the event's identity and the shelf's flavour."""
        text = f"{entry.position}/{entry.originator_id}/{entry.originator_version}"
        return hashlib.sha256(text.encode() + self.flavour).digest()

    def source(self, ledger: UUID = LEDGER) -> Source:
        """The shelf as a follower's source."""
        return Source(ledger.bytes, self, self, self.leaf)


def stored(entry: Entry) -> StoredEntry:
    """A row of the log for an entry; nothing is sealed in it."""
    return StoredEntry(
        position=entry.position,
        originator_id=entry.event.originator_id,
        originator_version=entry.event.originator_version,
        topic=entry.topic,
        recorded_at=entry.recorded_at,
        command_id=None,
        state=b"",
    )
