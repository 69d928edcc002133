"""Which interactions Activity lists: all of it stands in the address bar, and can be sent on."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from msgspec import Struct, structs

from api.parameters import POSITION_MAX, Query
from api.read_activity import Asked, asked_for, behind
from domain.times import zone_of
from projections import activity as views
from projections import timeline_pages
from projections.dictionary import CAMPAIGN, DEPARTMENT, SOURCE, USER
from projections.timeline import KIND_INTERACTION
from projections.timeline_pages import Filters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

    from api.auth import Caller
    from api.reads import Look
    from api.services import Services
    from projections.paging import Fetch, SortKey
    from projections.timeline_pages import Ref

ROWS: Final = 40
"""Rows of a stretch where the address names no other number: two screens, so that the next ones
are asked for as one scrolls, and not as one comes."""

NEWS_MAX: Final = 40
"""Rows that a page asks for by their ids at once: what came while it drew breath."""

PLACES: Final = frozenset({"cursor", "around", "at", "side", "ids"})
"""What says where in the list one is, and not which list it is."""

DAYS_OF: Final = {"today": 0, "week": 6, "month": 29}
"""The spans that are one press away: how many days before today they begin."""

_US_PER_S: Final = 1_000_000


class Listing(Struct, frozen=True):
    """What a page of Activity was asked for; `kept` are the filters, as the address has them."""

    asked: Asked
    kept: tuple[tuple[str, str], ...]
    zone: str

    def values(self, name: str) -> list[str]:
        """The values of a filter."""
        return [held for one, held in self.kept if one == name]

    def value(self, name: str) -> str:
        """The value of what stands once; empty where it does not stand."""
        return next(iter(self.values(name)), "")

    def address(self, path: str = "/activity", /, **changes: str | None) -> str:
        """The list under the same filters, with changes; None takes one away."""
        kept = [(name, value) for name, value in self.kept if name not in changes]
        kept += [(name, value) for name, value in changes.items() if value is not None]
        return f"{path}?{urlencode(kept)}" if kept else path

    def without(self, name: str, value: str) -> str:
        """The list without one value of a filter."""
        kept = [pair for pair in self.kept if pair != (name, value)]
        return f"/activity?{urlencode(kept)}" if kept else "/activity"

    def spanning(self, first: str | None, after: str | None = None) -> str:
        """The list of the days from the first one on, up to another; None is no bound."""
        changes: dict[str, str | None] = {"from": first, "to": after}
        return self.address("/activity", **changes)

    @property
    def is_recorded(self) -> bool:
        """Whether it is listed by when it was recorded, rather than by when it happened."""
        return self.asked.page.sort == "recorded"

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        asked = self.asked
        return bool(asked.contacts or asked.figure) or asked.page.filters != Filters()

    @property
    def is_placed(self) -> bool:
        """Whether it was opened somewhere else than at its beginning."""
        page = self.asked.page
        return bool(page.cursor) or page.around is not None or page.at is not None


def listing(request: Request, query: Query, caller: Caller, services: Services) -> Listing:
    """The list that a query means. The caller closes the query."""
    kept = tuple(
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in PLACES and (name, value) not in {("sort", "occurred"), ("order", "desc")}
    )
    zone = request.query_params.get("tz") or caller.zone or services.locale.zone
    asked = asked_for(query, services, caller)
    if "limit" not in request.query_params:
        asked = structs.replace(asked, page=structs.replace(asked.page, limit=ROWS))
    return Listing(asked, kept, zone)


def tidy(request: Request) -> str | None:
    """The address without the fields that a form left empty; None where it is so already."""
    pairs = request.query_params.multi_items()
    filled = [(name, value) for name, value in pairs if value]
    if len(filled) == len(pairs):
        return None
    return f"{request.url.path}?{urlencode(filled)}" if filled else request.url.path


def numbers(query: Query) -> list[int]:
    """The ids that `ids` lists, with commas between."""
    parts = (query.text("ids") or "").split(",")
    fit = [one for one in parts if one.isascii() and one.isdigit() and len(one) <= len("9" * 18)]
    if len(parts) > NEWS_MAX or len(fit) < len([one for one in parts if one]):
        query.refuse("ids", "bad_format", f"at most {NEWS_MAX} ids with commas between")
        return []
    return [int(one) for one in fit if 0 < int(one) <= POSITION_MAX]


def listed(look: Look, asked: Asked, ids: list[int]) -> list[Ref]:
    """Those of some interactions that the list has, as it is now."""
    fetch = _fetch(look, asked)
    found: list[Ref] = []
    for id in ids:
        ref = timeline_pages.one(look.reading, id)
        if ref is None or not _in_time(asked.page.filters, ref.occurred_at):
            continue
        low, high = (ref.occurred_at, id - 1), (ref.occurred_at, id + 1)
        found += fetch(low, high, descending=True, count=1)
    return found


def _fetch(look: Look, asked: Asked) -> Fetch[Ref]:
    filters = asked.page.filters
    if asked.figure is not None:
        return behind(look, asked)
    if filters.kind and KIND_INTERACTION not in filters.kind:
        return _Nothing()
    plain = structs.replace(filters, kind=(KIND_INTERACTION,))
    if asked.contacts:
        members = tuple(look.members_of(asked.contacts))
        return timeline_pages.Ranges(look.reading, members, plain)
    return views.Recent(look.reading, structs.replace(filters, kind=()), look.visible)


class _Nothing:
    """Fetches from a list of notes alone: Activity has none."""

    def __call__(
        self,
        low: SortKey,  # noqa: ARG002 - it is one of the fetches
        high: SortKey,  # noqa: ARG002 - as above
        *,
        descending: bool,  # noqa: ARG002 - as above
        count: int,  # noqa: ARG002 - as above
    ) -> Sequence[Ref]:
        """No rows."""
        return []


def _in_time(filters: Filters, occurred_at: int) -> bool:
    since, until = filters.since, filters.until
    return (since is None or occurred_at >= since) and (until is None or occurred_at < until)


# ----------------------------------------------------------------------------- choices


def choices(look: Look) -> dict[str, list[tuple[str, str]]]:
    """What may be chosen of the dictionaries: filter → key and name, by name."""
    kinds = {
        "attended_by": USER,
        "department": DEPARTMENT,
        "campaign": CAMPAIGN,
        "source": SOURCE,
    }
    return {
        name: sorted(((one.key, one.name) for one in look.names.all(kind)), key=lambda it: it[1])
        for name, kind in kinds.items()
    }


def spans(listing: Listing, look: Look) -> dict[str, str]:
    """The first days of the spans that are one press away: name → date."""
    now = datetime.fromtimestamp(look.services.clock() / _US_PER_S, zone_of(listing.zone))
    return {name: _back(now.date(), days) for name, days in DAYS_OF.items()}


def _back(day: date, days: int) -> str:
    return (day - timedelta(days=days)).isoformat()
