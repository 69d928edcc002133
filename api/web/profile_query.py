"""Which rows a contact's timeline shows, and where it opens: all of it stands in the address."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from msgspec import Struct

from api.auth import services_of
from api.filters import filters
from api.parameters import POSITION_MAX, Query
from projections.timeline_pages import Filters, PageQuery

if TYPE_CHECKING:
    from uuid import UUID

    from fastapi import Request

    from api.auth import Caller

ROWS: Final = 30
"""Rows of the first stretch: what is seen at once, and as much again; more comes as one reads."""

FILTERS: Final = (
    "channel",
    "direction",
    "attended_by",
    "department",
    "campaign",
    "source",
    "origin",
    "kind",
    "from",
    "to",
)
"""What narrows the list; the address keeps these from one page to the next."""

_KEPT: Final = (*FILTERS, "tz", "order")

_BEHIND: Final = ("department", "source", "origin", "kind", "from", "to")
"""The filters behind the menu of the rest."""

_DATE_CHARS: Final = 10
"""Length of a date without an hour, 2026-11-22."""


class Asked(Struct, frozen=True):
    """What a page of a timeline was asked for; `kept` are filters and order, as in the address.

    `around` is the interaction that a link led to, `place` the row that one had come to; `day` the
    date to which one jumped. `zone`: in which days are told apart. `months`: they are wanted with
    the page, however many there are to count.
    """

    query: PageQuery
    kept: tuple[tuple[str, str], ...]
    zone: str
    around: int | None = None
    place: int | None = None
    day: str = ""
    months: bool = False

    @property
    def descending(self) -> bool:
        """Whether the newest row comes first."""
        return self.query.order == "desc"

    @property
    def filtered(self) -> bool:
        """Whether any filter stands."""
        return self.query.filters != Filters()

    @property
    def behind(self) -> int:
        """How many of the filters behind the menu stand."""
        return sum(name in _BEHIND for name, _ in self.kept)

    def has(self, name: str, value: str | None = None) -> bool:
        """Whether a filter stands, with this value or with any."""
        return any(one == name and value in {None, held} for one, held in self.kept)

    def values(self, name: str) -> list[str]:
        """The values of a filter."""
        return [held for one, held in self.kept if one == name]

    def without(self, *names: str) -> list[tuple[str, str]]:
        """What a form keeps that sets these filters anew."""
        return [(name, value) for name, value in self.kept if name not in names]

    def address(self, **changes: str | None) -> str:
        """Filters and order as a query, with changes; None takes one away. Begins with ?."""
        kept = self.without(*changes)
        kept += [(name, value) for name, value in changes.items() if value is not None]
        return f"?{urlencode(kept)}"

    def toggled(self, name: str, value: str) -> str:
        """The same with one value of a filter added, or taken away where it stands."""
        kept = [pair for pair in self.kept if pair != (name, value)]
        if len(kept) == len(self.kept):
            kept.append((name, value))
        return f"?{urlencode(kept)}"

    @property
    def bare(self) -> str:
        """The same list without any filter, in its order."""
        return self.address(**dict.fromkeys((*FILTERS, "tz")))


def asked_for(request: Request, query: Query, caller: Caller, id: UUID) -> Asked:
    """The filters of a timeline, and where it opens. The caller closes the query."""
    services = services_of(request)
    kept = tuple(
        (name, value)
        for name, value in request.query_params.multi_items()
        if name in _KEPT and (name, value) != ("order", "desc")
    )
    zone = query.zone(caller.zone or services.locale.zone)
    order = query.choice("order", ("desc", "asc"), "desc")
    around, place = (query.number(name, 0, 1, POSITION_MAX) for name in ("around", "place"))
    asked = PageQuery(
        scope=f"profile:{id}",
        filters=filters(query, services, zone),
        order="asc" if order == "asc" else "desc",
        limit=ROWS,
        cursor=query.text("cursor"),
        at=_moment(query, zone, descending=order != "asc"),
    )
    return Asked(
        asked,
        kept,
        zone,
        around or None,
        place or None,
        request.query_params.get("at", "")[:_DATE_CHARS],
        query.flag("months") is True,
    )


def _moment(query: Query, zone: str, *, descending: bool) -> int | None:
    """Where `at` leads: to the beginning of that day, to its end where one reads backwards."""
    text = query.text("at")
    if text is None:
        return None
    moment = query.as_time("at", text, zone)
    if moment is None or not descending or len(text) != _DATE_CHARS:
        return moment
    following = (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    later = query.as_time("at", following, zone)
    return moment if later is None else later - 1


def tidied(request: Request) -> str | None:
    """The address without what a form left empty; None where nothing is empty."""
    pairs = request.query_params.multi_items()
    full = [(name, value) for name, value in pairs if value]
    if len(full) == len(pairs):
        return None
    return f"{request.url.path}?{urlencode(full)}" if full else request.url.path
