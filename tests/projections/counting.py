"""Core and reports beside each other, and figures counted the slow way: what reports are held to.

The slow way reads the rows of the list of all interactions, with the contacts of the directory,
and counts them one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct, structs

from domain import events
from domain.ports import Entry
from domain.values import Direction
from projections.access import EVERYTHING, Access, Reader, Visible
from projections.content import read_content
from projections.core import core_group
from projections.dictionary import Dictionary
from projections.directory_rows import SUBJECTS
from projections.group import Group
from projections.rebuild import rebuild
from projections.report_deck import Decks
from projections.report_figures import Figure, Question, View, count
from projections.reports import reports_group
from projections.timeline import INTERACTIONS, LISTED
from projections.timeline_pages import Filters
from projections.views import REPORTS, Views
from storage.source import Page
from tests.projections.shelf import Shelf
from tests.projections.story import user_of

ZONES = ("UTC", "America/Mexico_City", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York")


class Seen(Struct, frozen=True):
    """An interaction as the list of all interactions has it, and its contact."""

    occurred_at: int
    position: int
    contact: bytes
    channel: str
    direction: str
    origin: str
    source: str
    user: str | None
    department: str | None
    campaign: str | None
    auto: bool
    state: bytes | None


class Counting:
    """Views of core and reports over one log."""

    def __init__(self, url: str) -> None:
        self.views = Views(url)
        self.core = core_group(self.views)
        self.reports = reports_group(self.views)
        self.decks = Decks()
        self.access = Access()
        self.dictionary = Dictionary(self.views)

    def build(self, entries: Sequence[Entry]) -> None:
        """Both groups anew from these entries."""
        for group in (self.core, self.reports):
            rebuild(group, Shelf(entries).source())

    def feed(self, entries: Sequence[Entry], page: int = 1_000) -> None:
        """Both groups follow what is new in these entries, in pages of that size."""
        for group in (self.core, self.reports):
            _feed(group, entries, page)

    @contextmanager
    def view(self, reader: Reader | None = None) -> Iterator[View]:
        """What figures are read from."""
        with self.views.reading() as reading:
            visible: Visible = EVERYTHING
            if reader is not None:
                visible = self.access.visible(reader, reading)
            names = self.dictionary.names(reading)
            yield View(reading, reading.beside(REPORTS), self.decks, names, visible)

    def count(
        self,
        *groups: str,
        tz: str = "UTC",
        reader: Reader | None = None,
        **filters: Any,  # noqa: ANN401 - filters by name
    ) -> tuple[list[Figure], Figure]:
        """The figures of a question."""
        with self.view(reader) as view:
            return count(view, question(*groups, tz=tz, **filters))

    def seen(self) -> list[Seen]:
        """Every interaction that the list of all shows, with its contact."""
        columns = (
            "occurred_at, position, s.contact, channel, direction, origin, source, attended_by,"
            " department, campaign, content, state"
        )
        with self.views.reading() as reading:
            rows = reading.fetch(
                f"SELECT {columns} FROM {reading.name(INTERACTIONS)} i"
                f" JOIN {reading.name(SUBJECTS)} s ON s.subject = i.subject"
                f" WHERE {LISTED} AND position IS NOT NULL ORDER BY occurred_at, position"
            )
            names = self.dictionary.names(reading)
            return [Seen(*_told(row, names.user(row[7]).id if row[7] else None)) for row in rows]

    def close(self) -> None:
        """Close the connections."""
        self.views.close()


def _told(row: tuple[Any, ...], user: str | None) -> tuple[Any, ...]:
    """The values of a row of the list, the content's word on machines among them."""
    auto = read_content(row[10]).auto is not None
    return (*row[:7], user, *row[8:10], auto, row[11])


@contextmanager
def counting(url: str) -> Iterator[Counting]:
    """Views of core and reports, closed at the end."""
    opened = Counting(url)
    try:
        yield opened
    finally:
        opened.close()


def question(*groups: str, tz: str = "UTC", **filters: Any) -> Question:  # noqa: ANN401 - filters
    """A question about all contacts."""
    return Question(filters=Filters(**filters), contacts=None, groups=groups, tz=tz)


def _feed(group: Group, entries: Sequence[Entry], page: int) -> None:
    mark = group.mark()
    if mark is None:
        rebuild(group, Shelf().source())
        mark = group.mark()
    assert mark is not None
    source, position = Shelf(entries).source(), mark.position
    while (taken := source.read(position, page)) is not None:
        assert group.apply(Page(taken.entries, taken.mark))
        position = taken.mark.position


def attended(entries: Sequence[Entry]) -> list[Entry]:
    """The same log; Rosa, Beto and nobody in turn attended what was recorded."""
    people = (user_of("Rosa"), user_of("Beto"), None)
    found = []
    for entry in entries:
        event = entry.event
        if isinstance(event, events.InteractionRecorded) and event.direction is Direction.OUTBOUND:
            event = structs.replace(event, attended_by=people[entry.position % 3])
        found.append(structs.replace(entry, event=event))
    return found


def slowly(
    rows: Sequence[Seen], groups: Sequence[str], tz: str
) -> dict[tuple[object, ...], tuple[int, int]]:
    """Interactions and contacts by group, counted one by one."""
    found: dict[tuple[object, ...], list[bytes]] = {}
    for row in rows:
        found.setdefault(tuple(value(row, group, tz) for group in groups), []).append(row.contact)
    return {values: (len(held), len(set(held))) for values, held in found.items()}


def value(row: Seen, group: str, tz: str) -> object:
    """What a row is in a group, asked of the zone itself."""
    if hasattr(row, group):
        return getattr(row, group)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row.occurred_at)
    local = at.astimezone(ZoneInfo(tz))
    match group:
        case "hour":
            fixed = at.astimezone(timezone(local.utcoffset() or timedelta()))
            return fixed.replace(minute=0, second=0, microsecond=0).isoformat(timespec="seconds")
        case "day":
            return local.date().isoformat()
        case "week":
            return "{}-W{:02d}".format(*local.isocalendar()[:2])
        case "month":
            return f"{local:%Y-%m}"
        case "weekday":
            return local.isoweekday()
    return local.hour


def as_dict(figures: Sequence[Figure]) -> dict[tuple[object, ...], tuple[int, int]]:
    """Figures by their values."""
    return {figure.values: (figure.interactions, figure.contacts) for figure in figures}
