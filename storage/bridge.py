"""What both recorders need of the library's vocabulary: units from stored events, selections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from eventsourcing import persistence
from msgspec import Struct

from domain.ports import Unit
from storage.appending import SealedEvent, SealedUnit

LOG_URL: Final = "LOG_URL"
"""Key of the library's environment: where the log is."""

CLOCK_TOPIC: Final = "CLOCK_TOPIC"
"""Key of the library's environment: `module:name` of the clock, where nobody hands one over."""


class Selection(Struct, frozen=True, kw_only=True):
    """What the library asks of a stream or of the log, as SQL."""

    gt: int | None = None
    upto: int | None = None
    desc: bool = False
    limit: int | None = None
    topics: tuple[str, ...] = ()

    def clauses(self, column: str, mark: str) -> tuple[str, list[Any]]:
        """The text after WHERE and its values; `mark` is the database's placeholder."""
        text, values = "", list[Any]()
        if self.gt is not None:
            text += f" AND {column} > {mark}"
            values.append(self.gt)
        if self.upto is not None:
            text += f" AND {column} <= {mark}"
            values.append(self.upto)
        if self.topics:
            text += f" AND topic IN ({', '.join([mark] * len(self.topics))})"
            values += self.topics
        text += f" ORDER BY {column} {'DESC' if self.desc else 'ASC'}"
        if self.limit is not None:
            text += f" LIMIT {mark}"
            values.append(self.limit)
        return text, values


def unit_of(stored_events: Sequence[persistence.StoredEvent]) -> SealedUnit:
    """One unit of what the library saves together; raises IntegrityError on a repeated place."""
    events = tuple(
        SealedEvent(
            event.topic,
            as_uuid(event.originator_id).bytes,
            event.originator_version,
            event.state,
        )
        for event in stored_events
    )
    if len({(event.originator, event.version) for event in events}) < len(events):
        raise persistence.IntegrityError("One place in a stream is asked for twice.")
    key = UUID(bytes=events[0].originator) if events else UUID(int=0)
    return SealedUnit(Unit(key=key, build=lambda _: ()), events)


def as_uuid(originator_id: UUID | str) -> UUID:
    """The library allows text for ids; ours are UUIDs."""
    return originator_id if isinstance(originator_id, UUID) else UUID(originator_id)


def after(start: int | None, *, inclusive: bool) -> int | None:
    """The position after which the library's `start` begins."""
    return start - 1 if start is not None and inclusive else start
