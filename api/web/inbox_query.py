"""Which conversations the list shows: all of it stands in the address bar, and can be sent on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from msgspec import Struct, structs

from api.parameters import Query
from api.read_conversations import inbox_filters
from projections.inbox_pages import InboxFilters, InboxQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

    from api.auth import Caller
    from projections.inbox_counts import Counts

ROWS: Final = 40
"""Rows of a stretch of the list: three screens; the next ones come as one scrolls."""

STATUSES: Final = ("open", "snoozed", "resolved", "all")

_KEPT: Final = (
    "status",
    "assignee",
    "team",
    "department",
    "campaign",
    "channel",
    "unread",
    "waiting",
    "sort",
)
"""What the address keeps from one conversation to the next."""


class TabView(Struct, frozen=True):
    """A tab over the list: its name, where it leads, its number, and whether one is on it."""

    name: str
    query: str
    count: int
    here: bool


class Asked(Struct, frozen=True):
    """What a page of the inbox was asked for; `kept` are the filters, as the address has them."""

    query: InboxQuery
    kept: tuple[tuple[str, str], ...]

    def has(self, name: str, value: str | None = None) -> bool:
        """Whether a filter stands, with this value or with any."""
        return any(one == name and value in {None, held} for one, held in self.kept)

    def value(self, name: str) -> str:
        """The value of a filter that stands once."""
        return next((held for one, held in self.kept if one == name), "")

    def address(self, **changes: str | None) -> str:
        """The filters as a query, with changes; None takes one away. Begins with ? or is empty."""
        kept = [(name, value) for name, value in self.kept if name not in changes]
        kept += [(name, value) for name, value in changes.items() if value is not None]
        return f"?{urlencode(kept)}" if kept else ""

    @property
    def narrowed(self) -> int:
        """How many of the filters behind the menu stand."""
        return sum(name in {"team", "department", "campaign", "sort"} for name, _ in self.kept)

    @property
    def tab(self) -> str:
        """The tab that the list stands under."""
        if self.query.status != "open":
            return self.query.status
        return {"me": "mine", "none": "unassigned"}.get(self.value("assignee"), "open")

    def tabs(self, counts: Counts) -> list[TabView]:
        """The tabs, under the filters that stand."""
        places: Mapping[str, dict[str, str | None]] = {
            "open": {"status": None, "assignee": None},
            "mine": {"status": None, "assignee": "me"},
            "unassigned": {"status": None, "assignee": "none"},
            "snoozed": {"status": "snoozed", "assignee": None},
            "resolved": {"status": "resolved", "assignee": None},
            "all": {"status": "all", "assignee": None},
        }
        return [
            TabView(name, self.address(**changes) or "?", getattr(counts, name), self.tab == name)
            for name, changes in places.items()
        ]


def asked_for(request: Request, query: Query, caller: Caller) -> Asked:
    """The filters of a list, and which stretch of it. The caller closes the query."""
    kept = tuple(
        (name, value)
        for name, value in request.query_params.multi_items()
        if name in _KEPT and value and (name, value) not in {("status", "open"), ("sort", "recent")}
    )
    filters: InboxFilters = inbox_filters(query, caller)
    asked = InboxQuery(
        scope=f"inbox:{caller.user}",
        status=query.choice("status", STATUSES, "open"),
        filters=filters,
        unread=query.flag("unread") is True,
        waiting=query.flag("waiting") is True,
        sort="waiting"
        if query.choice("sort", ("recent", "waiting"), "recent") == "waiting"
        else "recent",
        limit=ROWS,
        cursor=query.text("cursor"),
    )
    return Asked(asked, kept)


def counted(query: InboxQuery) -> InboxQuery:
    """What tabs are counted under: all but whose a conversation is, which is a tab of its own."""
    filters = structs.replace(query.filters, assignee=())
    return InboxQuery(filters=filters, unread=query.unread, waiting=query.waiting)
