"""The Reports page: what happened, how much, how fast; every figure opens the list behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from msgspec import Struct, structs

from api.auth import services_of
from api.read_activity import narrowed, view_of
from api.web.activity_query import choices, tidy
from api.web.addresses import Pages
from api.web.ground import open_page, redirect
from api.web.making import Shown
from api.web.report_plots import COLUMNS_MAX, shade, stacked
from api.web.report_query import Asked, Range, asked_for
from domain.times import DAY_US
from projections import cards, contact_pages, report_answers
from projections.inbox_pages import InboxFilters
from projections.report_answers import Report, Row
from projections.report_figures import Question, View

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.ground import Work

router = Pages()

BREAKDOWNS: Final = ("user", "department", "campaign", "source", "direction", "origin")
"""What is shown line by line, beside the channels."""

DAYS_FILLED_MAX: Final = 3_660
"""Of ten years a plot has its empty columns too; longer, and there are more than anybody reads."""

HOURS_OF_WORK: Final = (8, 18)
"""The hours that the week shows where nothing happened at all."""


@router.get("/reports")
async def reports(request: Request) -> Response:
    """Figures of some days, each with its table, its CSV and its list."""
    return await open_page(request, _reports)


def _reports(request: Request, caller: Caller) -> Work:
    cleaner = tidy(request)
    if cleaner is not None:
        return lambda _: redirect(cleaner, 302)
    asked = asked_for(request, caller)

    def work(look: Look) -> Shown:
        figures = Figures(look, asked)
        now = services_of(request).clock()
        values = {
            "asked": asked,
            "listing": asked,
            "span": asked.span,
            "choices": choices(look),
            "contacts": _labels(look, asked),
        }
        return Shown("reports.html", {**values, **_values(figures, now)}, "reports")

    return work


def _labels(look: Look, asked: Asked) -> dict[str, str | None]:
    """What the contacts are called that the page is narrowed to, as far as they may be seen."""
    found: dict[str, str | None] = dict.fromkeys(map(str, asked.contacts))
    roots = contact_pages.contacts_of(look.reading, [one.bytes for one in asked.contacts])
    seen = look.visible.may_see(roots.values())
    known = cards.of_contacts(look.reading, set(seen))
    for one in asked.contacts:
        card = known.get(roots.get(one.bytes, b""))
        found[str(one)] = card.ref().label if card else None
    return found


# ---------------------------------------------------------------------------- figures


class Figures:
    """The reports of one page, under its filters."""

    def __init__(self, look: Look, asked: Asked) -> None:
        self.asked = asked
        self.view: View = view_of(look)
        whole = Question(filters=asked.only, contacts=None, groups=(), tz=asked.span.tz)
        self.whole = narrowed(look, whole, [contact.bytes for contact in asked.contacts])

    def of(self, *groups: str) -> report_answers.Asked:
        """The page's question, by some groups."""
        return report_answers.Asked(structs.replace(self.whole, groups=groups), groups)

    def rows(self, *groups: str) -> list[Row]:
        """Interactions and contacts by some groups."""
        return report_answers.interactions(self.view, self.of(*groups)).rows

    def times(self, *groups: str) -> Report:
        """Response times by some groups."""
        return report_answers.times(self.view, self.of(*groups))

    @property
    def earlier(self) -> tuple[int, float | None]:
        """Of as many days before: interactions, and the median of first responses (s)."""
        span = self.asked.span.before
        filters = structs.replace(self.whole.filters, since=span.since, until=span.until)
        asked = structs.replace(self.of(), question=structs.replace(self.whole, filters=filters))
        counted = report_answers.interactions(self.view, asked).total
        waited = report_answers.times(self.view, asked).total
        return counted["interactions"], waited["first"]["median_s"]

    def waiting(self, now: int) -> Row:
        """Who waits now, under those filters that conversations have too."""
        filters = self.whole.filters
        narrow = InboxFilters(
            assignee=filters.attended_by,
            department=filters.department,
            campaign=filters.campaign,
            channel=tuple(one for one in filters.channel if one),
        )
        return report_answers.of_waiting(self.view, self.of(), now, narrow).total


def _values(figures: Figures, now: int) -> dict[str, Any]:
    asked = figures.asked
    span = asked.span
    by_way = figures.rows("channel", "direction")
    days = (span.until - span.since) // DAY_US
    unit = "day" if days <= COLUMNS_MAX else "week" if days <= COLUMNS_MAX * 7 else "month"
    channels = _channels(by_way)
    by_time = figures.rows(unit, "channel")
    campaigns = report_answers.of_campaigns(figures.view, figures.of("campaign"))
    times = figures.times(asked.by)
    order = [row["channel"] for row in channels]
    stack = stacked(by_time, unit, order, _labels_of(span, unit) if by_time else ())
    return {
        "total": report_answers.interactions(figures.view, figures.of()).total,
        "earlier": figures.earlier,
        "inbound": sum(row["interactions"] for row in by_way if row["direction"] == "inbound"),
        "times": times,
        "waiting": figures.waiting(now),
        "channels": channels,
        "unit": unit,
        "stack": stack,
        "by_time": [_part(column.title, unit, span) for column in stack.columns],
        "breakdowns": [_breakdown(figures.rows(group), group) for group in BREAKDOWNS],
        "campaigns": campaigns,
        "week": _week(report_answers.heat_map(figures.view, figures.whole).rows),
        "key_of": _key,
    }


def _channels(rows: list[Row]) -> list[Row]:
    """Inbound and outbound of each channel, the busiest first."""
    found: dict[str, Row] = {}
    for row in rows:
        one = found.setdefault(
            row["channel"], {"channel": row["channel"], "inbound": 0, "outbound": 0}
        )
        one[row["direction"]] += row["interactions"]
    listed = [{**row, "sum": row["inbound"] + row["outbound"]} for row in found.values()]
    return sorted(listed, key=lambda row: (-row["sum"], row["channel"]))


def _labels_of(span: Range, unit: str) -> list[str]:
    """What the columns of a range are called, those of which nothing is known included."""
    count = (span.last - span.first).days + 1
    if count > DAYS_FILLED_MAX:
        return []
    days = (span.first + timedelta(days=number) for number in range(count))
    named = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}[unit]
    return list(dict.fromkeys(day.strftime(named) for day in days))


def _part(label: str, unit: str, span: Range) -> Range:
    """The days of a range that a column stands for."""
    if unit == "day":
        first = last = date.fromisoformat(label)
    elif unit == "week":
        first = datetime.strptime(f"{label}-1", "%G-W%V-%u").replace(tzinfo=UTC).date()
        last = first + timedelta(days=6)
    else:
        first = date.fromisoformat(f"{label}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return structs.replace(span, first=max(first, span.first), last=min(last, span.last))


class Breakdown(Struct, frozen=True):
    """A table of one group: its rows by how many, and the longest bar."""

    group: str
    rows: list[Row]
    most: int


def _breakdown(rows: list[Row], group: str) -> Breakdown:
    named = [{**row, "value": row[group], "key": _key(row[group])} for row in rows]
    named.sort(key=lambda row: -row["interactions"])
    return Breakdown(group, named, max((row["interactions"] for row in rows), default=0))


def _key(value: Any) -> str:  # noqa: ANN401 - an object, a word, a number or None
    """What a list is filtered by to show what is behind a value."""
    if value is None:
        return "none"
    return str(getattr(value, "key", None) or getattr(value, "id", None) or value)


def _week(rows: list[Row]) -> dict[str, Any]:
    """The hours in which anything happens, and for each day how dark each of them is."""
    most = max((row["interactions"] for row in rows), default=0)
    busy = [row["hour"] for row in rows if row["interactions"]] or HOURS_OF_WORK
    hours = range(min(busy), max(busy) + 1)
    cells = {(row["weekday"], row["hour"]): row["interactions"] for row in rows}
    days = [
        (day, [(hour, cells[day, hour], shade(cells[day, hour], most)) for hour in hours])
        for day in report_answers.WEEKDAYS
    ]
    return {"hours": list(hours), "days": days, "most": most}
