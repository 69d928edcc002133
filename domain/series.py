"""Events that one decision adds to one stream: numbered on from its version, by one author."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import structs

from domain.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.commands import By

EventT = TypeVar("EventT", bound=Event)

UNNUMBERED: Final = 0
"""The version of an event that has not got its place yet."""


def series(events: Iterable[EventT], version: int, by: By) -> list[EventT]:
    """The events at the versions that follow; the first one carries the command's digest."""
    digest = by.repeatable.digest if by.repeatable else None
    return [
        structs.replace(
            event,
            originator_version=version + number,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=digest if number == 1 else None,
        )
        for number, event in enumerate(events, start=1)
    ]
