"""The Reports page: what happened, how much, how fast; every figure opens the list behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from msgspec import Struct, structs

from api.auth import services_of
from api.parameters import Query
from api.read_reports import view_of
from api.web.ground import open_page
from api.web.making import Shown
from api.web.report_plots import COLUMNS_MAX, shade, stacked
from domain.times import DAY_US, parse_filter_time, zone_of
from projections import report_answers
from projections.report_answers import Asked, Row
from projections.report_figures import Question, View
from projections.timeline_pages import Filters

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.ground import Work

router = APIRouter(include_in_schema=False)

DAYS_SHOWN: Final = 30
"""Days of the page where nobody says: a month and its beginning."""

US_A_S: Final = 1_000_000

BREAKDOWNS: Final = ("user", "department", "campaign", "source", "direction", "origin")
"""What is shown line by line, beside the channels."""

FILTER_OF: Final = {"user": "attended_by"}
"""What the filter of a group is called on lists, where that is another word."""


class Range(Struct, frozen=True):
    """The days shown, the last one included, and their zone; times in µs, the last exclusive."""

    first: date
    last: date
    tz: str
    since: int
    until: int

    @property
    def query(self) -> dict[str, str]:
        """The range as lists and reports take it."""
        after = self.last + timedelta(days=1)
        return {"from": self.first.isoformat(), "to": after.isoformat(), "tz": self.tz}


@router.get("/reports")
async def reports(request: Request) -> Response:
    """Figures of some days, each with its table, its CSV and its list."""
    return await open_page(request, _reports)


def _reports(request: Request, caller: Caller) -> Work:
    span = _range(request, caller)

    def work(look: Look) -> Shown:
        view = view_of(request, look)
        now = services_of(request).clock()
        return Shown("reports.html", _values(view, span, now), "reports")

    return work


def _range(request: Request, caller: Caller) -> Range:
    """The days that a query asks for. Raises InvalidInput."""
    query, services = Query(request), services_of(request)
    tz = query.zone(caller.zone or services.locale.zone)
    now = datetime.fromtimestamp(services.clock() / US_A_S, UTC)
    last = _day(query, "through", tz, now.astimezone(zone_of(tz)).date())
    first = _day(query, "from", tz, last - timedelta(days=DAYS_SHOWN - 1))
    query.close()
    last = max(first, last)
    since = parse_filter_time(first.isoformat(), tz)
    until = parse_filter_time((last + timedelta(days=1)).isoformat(), tz)
    return Range(first, last, tz, since, until)


def _day(query: Query, name: str, tz: str, default: date) -> date:
    text = query.text(name)
    if not text:
        return default
    found = query.as_time(name, text, tz)
    if found is None:
        return default
    return datetime.fromtimestamp(found // US_A_S, zone_of(tz)).date()


# ---------------------------------------------------------------------------- figures


def _values(view: View, span: Range, now: int) -> dict[str, Any]:
    filters = Filters(since=span.since, until=span.until)
    whole = Question(filters=filters, contacts=None, groups=(), tz=span.tz)

    def rows(*groups: str) -> list[Row]:
        asked = Asked(structs.replace(whole, groups=groups), groups)
        return report_answers.interactions(view, asked).rows

    by_way = rows("channel", "direction")
    total = report_answers.interactions(view, Asked(whole, ())).total
    days = (span.until - span.since) // DAY_US
    unit = "day" if days <= COLUMNS_MAX else "week" if days <= COLUMNS_MAX * 7 else "month"
    channels = _channels(by_way)
    departments = report_answers.times(
        view, Asked(structs.replace(whole, groups=("department",)), ("department",))
    )
    waits = report_answers.of_waiting(view, Asked(structs.replace(whole, groups=()), ()), now)
    by_time = rows(unit, "channel")
    return {
        "span": span,
        "total": total,
        "inbound": sum(row["interactions"] for row in by_way if row["direction"] == "inbound"),
        "times": departments,
        "waiting": waits.total,
        "channels": channels,
        "unit": unit,
        "stack": stacked(by_time, unit, [row["channel"] for row in channels]),
        "by_time": _by_time(by_time, unit, span),
        "breakdowns": [_breakdown(rows(group), group) for group in BREAKDOWNS],
        "campaigns": report_answers.of_campaigns(
            view, Asked(structs.replace(whole, groups=("campaign",)), ("campaign",))
        ),
        "week": _week(report_answers.heat_map(view, whole).rows),
        "list_of": lambda **filters: _address("/activity", span, filters),
        "csv_of": lambda name, *groups: _csv(name, span, groups),
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


def _by_time(rows: list[Row], unit: str, span: Range) -> list[tuple[str, int, str]]:
    """The sums of the columns, for the plot's table, with the address of the list behind each."""
    found: dict[str, int] = {}
    for row in rows:
        found[row[unit]] = found.get(row[unit], 0) + row["interactions"]
    return [
        (label, count, _address("/activity", _part(label, unit, span), {}))
        for label, count in found.items()
    ]


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


def _key(value: Any) -> str:  # noqa: ANN401 - an object, a word or None
    """What a list is filtered by to show what is behind a value."""
    if value is None:
        return "none"
    return str(getattr(value, "key", None) or getattr(value, "id", None) or value)


def _week(rows: list[Row]) -> dict[str, Any]:
    """The hours in which anything happens, and for each day how dark each of them is."""
    most = max((row["interactions"] for row in rows), default=0)
    busy = [row["hour"] for row in rows if row["interactions"]] or [8, 18]
    hours = range(min(busy), max(busy) + 1)
    cells = {(row["weekday"], row["hour"]): row["interactions"] for row in rows}
    days = [
        (day, [(cells[day, hour], shade(cells[day, hour], most)) for hour in hours])
        for day in report_answers.WEEKDAYS
    ]
    return {"hours": list(hours), "days": days, "most": most}


def _address(path: str, span: Range, filters: dict[str, str]) -> str:
    named = {FILTER_OF.get(name, name): value for name, value in filters.items()}
    return f"{path}?{urlencode({**span.query, **named})}"


def _csv(name: str, span: Range, groups: tuple[str, ...]) -> str:
    query = {**span.query, "format": "csv"}
    if groups:
        query["group_by"] = ",".join(groups)
    return f"/v1/reports/{name}?{urlencode(query)}"
