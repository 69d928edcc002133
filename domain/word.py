"""A word of the dictionary: a department, a campaign, or a source's name.

Invariants: one stream a word; its key never changes, whatever its name becomes. A department or
campaign comes to be by its first mention or by hand; one that is not active is no longer
offered. A source has a stream once somebody gave it a name. What changes nothing leaves no
trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct

from domain.events import CampaignSet, DepartmentSet, Event, SourceSet
from domain.series import UNNUMBERED, series
from domain.staff import campaign_stream, department_stream, source_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.commands import By
    from domain.ports import EventLike
    from domain.values import Deriver

DEPARTMENT: Final = "department"
CAMPAIGN: Final = "campaign"
SOURCE: Final = "source"


class Word(Struct, frozen=True):
    """A word as the log has it; `department` and `address` are a source's."""

    kind: str
    key: str
    version: int = 0
    name: str | None = None
    active: bool = True
    department: str | None = None
    address: str | None = None


class WordChange(Struct, frozen=True, kw_only=True):
    """What is changed of a word; `fields` names what is set, a named None clears."""

    fields: frozenset[str]
    name: str | None = None
    active: bool = True
    department: str | None = None
    address: str | None = None


def word_stream(derive: Deriver, kind: str, key: str) -> UUID:
    """The stream of a word."""
    streams = {DEPARTMENT: department_stream, CAMPAIGN: campaign_stream, SOURCE: source_stream}
    return streams[kind](derive, key)


# ------------------------------------------------------------------- decisions


def set_word(stream: UUID, now: Word, wanted: WordChange, by: By) -> list[Event]:
    """Write down what is different; a word that has no stream yet gets its first event."""
    new = Word(
        kind=now.kind,
        key=now.key,
        version=now.version,
        name=wanted.name if "name" in wanted.fields else now.name,
        active=wanted.active if "active" in wanted.fields else now.active,
        department=wanted.department if "department" in wanted.fields else now.department,
        address=wanted.address if "address" in wanted.fields else now.address,
    )
    return [] if new == now and now.version else series([_event(stream, new, by)], now.version, by)


def _event(stream: UUID, word: Word, by: By) -> Event:
    if word.kind == SOURCE:
        return SourceSet(
            originator_id=stream,
            originator_version=UNNUMBERED,
            actor=by.actor,
            key=word.key,
            name=word.name,
            department=word.department,
            address=word.address,
        )
    kind = DepartmentSet if word.kind == DEPARTMENT else CampaignSet
    return kind(
        originator_id=stream,
        originator_version=UNNUMBERED,
        actor=by.actor,
        key=word.key,
        name=word.name,
        active=word.active,
    )


# ----------------------------------------------------------------------- apply


def project(word: Word | None, events: Iterable[EventLike]) -> Word | None:
    """A word after the events of its stream."""
    for event in events:
        version = event.originator_version
        match event:
            case DepartmentSet() | CampaignSet():
                kind = DEPARTMENT if isinstance(event, DepartmentSet) else CAMPAIGN
                word = Word(kind, event.key, version, event.name, event.active)
            case SourceSet():
                word = Word(
                    kind=SOURCE,
                    key=event.key,
                    version=version,
                    name=event.name,
                    department=event.department,
                    address=event.address,
                )
            case _:
                pass
    return word
