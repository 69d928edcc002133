"""What the Reports page was asked for: days, zone, filters; all of it stands in the address."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from msgspec import Struct, structs

from api.auth import services_of
from api.filters import filters, ids
from api.parameters import Query
from domain.times import parse_filter_time, zone_of
from projections.timeline_pages import Filters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from fastapi import Request

    from api.auth import Caller

DAYS_SHOWN: Final = 30
"""Days of the page where nobody says: a month and its beginning."""

US_A_S: Final = 1_000_000

EARLIEST_US: Final = int(datetime(1900, 1, 2, tzinfo=UTC).timestamp()) * US_A_S
LATEST_US: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * US_A_S
"""Days that can be asked for lie between: others are mistyped, and have no days beside them."""

FILTERS: Final = (
    "channel",
    "direction",
    "department",
    "attended_by",
    "campaign",
    "origin",
    "source",
    "weekday",
    "hour_of_day",
    "contact",
)
"""The filters of the page, which are those of the lists behind its figures."""

WAITERS: Final = ("user", "department", "channel", "hour_of_day")
"""By what response times can be shown."""

FILTER_OF: Final = {"user": "attended_by"}
"""What the filter of a group is called on lists, where that is another word."""

INBOX: Final = {
    "department": "department",
    "campaign": "campaign",
    "channel": "channel",
    "attended_by": "assignee",
}
"""What of them conversations can be filtered by, and what that is called there."""


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

    @property
    def before(self) -> Range:
        """As many days just before."""
        days = (self.last - self.first).days + 1
        return range_of(self.first - timedelta(days=days), self.first - timedelta(days=1), self.tz)


def range_of(first: date, last: date, tz: str) -> Range:
    """The days from one through another in a zone."""
    since = parse_filter_time(first.isoformat(), tz)
    until = parse_filter_time((last + timedelta(days=1)).isoformat(), tz)
    return Range(first, last, tz, since, until)


class Asked(Struct, frozen=True):
    """What the page was asked for; `kept` are its filters, as the address has them."""

    span: Range
    filters: Filters
    contacts: tuple[UUID, ...]
    kept: tuple[tuple[str, str], ...]
    by: str
    named: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        """The values of a filter."""
        return [held for one, held in self.kept if one == name]

    @property
    def only(self) -> Filters:
        """The filters, with the range."""
        return structs.replace(self.filters, since=self.span.since, until=self.span.until)

    def address(self, name: str = "", value: str = "", **changes: str) -> str:
        """This page without one value of a filter, or with changes."""
        kept = [pair for pair in (*self.named, *self.kept) if pair != (name, value)]
        kept = [pair for pair in kept if pair[0] not in changes]
        kept += [pair for pair in changes.items() if pair[1]]
        return f"/reports?{urlencode(kept)}" if kept else "/reports"

    @property
    def bare(self) -> str:
        """This page without any filter."""
        return f"/reports?{urlencode(self.named)}" if self.named else "/reports"

    def list_of(self, span: Range | None = None, /, **changes: Any) -> str:  # noqa: ANN401 - words and numbers
        """The list behind a figure: the page's filters, those of a row instead of its own."""
        return self._elsewhere("/activity", span or self.span, changes)

    def csv_of(self, name: str, *groups: str) -> str:
        """A report's rows as CSV."""
        more = {"group_by": ",".join(groups)} if groups else {}
        return self._elsewhere(f"/v1/reports/{name}", self.span, {**more, "format": "csv"})

    @property
    def waiting(self) -> list[tuple[str, str]]:
        """The filters that conversations have too, as they call them."""
        return [(INBOX[name], value) for name, value in self.kept if name in INBOX]

    @property
    def inbox(self) -> str:
        """The list of who waits now."""
        return f"/?{urlencode([*self.waiting, ('waiting', 'true'), ('sort', 'waiting')])}"

    def _elsewhere(self, path: str, span: Range, changes: Mapping[str, Any]) -> str:
        named = {FILTER_OF.get(name, name): value for name, value in changes.items()}
        kept = [pair for pair in self.kept if pair[0] not in named]
        return f"{path}?{urlencode([*span.query.items(), *kept, *named.items()])}"


def asked_for(request: Request, caller: Caller) -> Asked:
    """What a query asks for. Raises InvalidInput."""
    query, services = Query(request), services_of(request)
    tz = query.zone(caller.zone or services.locale.zone)
    span = _range(query, tz, services.clock())
    contacts = tuple(ids(query, "contact"))
    by = query.choice("by", WAITERS, "department")
    found = filters(query, services, tz)
    query.close()
    pairs = [pair for pair in request.query_params.multi_items() if pair[1]]
    kept = tuple(pair for pair in pairs if pair[0] in FILTERS)
    named = tuple(pair for pair in pairs if pair[0] in {"from", "through", "tz", "by"})
    plain = structs.replace(found, kind=(), since=None, until=None)
    return Asked(span, plain, contacts, kept, by, named)


def _range(query: Query, tz: str, now: int) -> Range:
    today = datetime.fromtimestamp(now / US_A_S, UTC).astimezone(zone_of(tz)).date()
    last = _day(query, "through", tz, today)
    first = _day(query, "from", tz, last - timedelta(days=DAYS_SHOWN - 1))
    return range_of(first, max(first, last), tz)


def _day(query: Query, name: str, tz: str, default: date) -> date:
    text = query.text(name)
    if not text:
        return default
    found = query.as_time(name, text, tz)
    if found is None:
        return default
    if not EARLIEST_US <= found < LATEST_US:
        query.refuse(name, "out_of_range", "write a day of the years 1900 to 2099")
        return default
    return datetime.fromtimestamp(found // US_A_S, zone_of(tz)).date()
