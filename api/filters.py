"""The filters of timeline and activity, from a query to what the views are asked for (2.1)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import structs

from api.parameters import POSITION_MAX, uuid_of
from domain.values import Channel, Direction, Origin, dictionary_key, echo, staff_name
from projections.report_zones import HOURS_A_DAY
from projections.timeline import KIND_INTERACTION, KIND_NOTE
from projections.timeline_pages import Filters, PageQuery
from projections.week_hours import DAYS_A_WEEK, week_hours

if TYPE_CHECKING:
    from api.parameters import Query
    from api.services import Services

NONE: Final = "none"
"""The word for rows without a value."""

VALUES_MAX: Final = 50
"""Values of one filter: more than anybody ticks, fewer than a database's parameters."""

_KINDS: Final = {"interaction": KIND_INTERACTION, "note": KIND_NOTE}


def page_query(
    query: Query, services: Services, scope: str, own_zone: str | None = None
) -> PageQuery:
    """Which page of a list by time a query asks for; `scope` names the list.

    Dates are read in `tz`, else in the reader's own zone, else in that of the house.
    """
    zone = query.zone(own_zone or services.locale.zone)
    order = query.choice("order", ("desc", "asc"), "desc")
    around = query.number("around", 0, 1, POSITION_MAX)
    return PageQuery(
        scope=scope,
        filters=filters(query, services, zone),
        order="asc" if order == "asc" else "desc",
        limit=query.limit(),
        cursor=query.text("cursor"),
        around=around or None,
        at=query.time("at", zone),
    )


def is_quick(asked: PageQuery) -> bool:
    """Whether a page is a stretch of an index: without filters that may match next to nothing."""
    return structs.replace(asked.filters, since=None, until=None) == Filters()


def filters(query: Query, services: Services, zone: str) -> Filters:
    """What rows must be."""
    return Filters(
        channel=words(query, "channel", Channel),
        direction=words(query, "direction", Direction),
        origin=words(query, "origin", Origin),
        source=tuple(None if text == NONE else text for text in several(query, "source")),
        attended_by=tuple(
            one for text in several(query, "attended_by") for one in _staff(services, text)
        ),
        department=keys(query, "department"),
        campaign=keys(query, "campaign"),
        kind=_kinds(query),
        since=query.time("from", zone),
        until=query.time("to", zone),
        hours=week_hours(
            _numbers(query, "weekday", 1, DAYS_A_WEEK),
            _numbers(query, "hour_of_day", 0, HOURS_A_DAY - 1),
            zone,
        ),
    )


def several(query: Query, name: str) -> list[str]:
    """The values of a filter, each once."""
    values = list(dict.fromkeys(query.many(name)))
    if len(values) > VALUES_MAX:
        query.refuse(name, "too_many", f"at most {VALUES_MAX} values")
        return []
    return values


def _numbers(query: Query, name: str, low: int, high: int) -> list[int]:
    """The values of a filter that are whole numbers between two bounds."""
    found: list[int] = []
    for text in several(query, name):
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= len("00") else -1
        if not low <= number <= high:
            query.refuse(name, "out_of_range", f"{echo(text)} is not from {low} to {high}")
        found.append(number)
    return found


def words(query: Query, name: str, enum: type[StrEnum]) -> tuple[str | None, ...]:
    """The values of a filter that knows its words, and `none`."""
    known = [str(one) for one in enum]
    found: list[str | None] = []
    for text in several(query, name):
        if text not in known and text != NONE:
            query.refuse(name, "bad_enum", f"{echo(text)} is none of {', '.join(known)}, none")
        found.append(None if text == NONE else text)
    return tuple(found)


def keys(query: Query, name: str) -> tuple[str | None, ...]:
    """The values of a filter by dictionary keys; a name stands for its key."""
    found = several(query, name)
    return tuple(None if text == NONE else dictionary_key(text) for text in found)


def ids(query: Query, name: str) -> list[UUID]:
    """The values of a filter by ids."""
    found: list[UUID] = []
    for text in several(query, name):
        id = uuid_of(text)
        if id is None:
            query.refuse(name, "bad_format", f"{echo(text)} is not a UUID")
        else:
            found.append(id)
    return found


def ids_or_none(query: Query, name: str, texts: list[str]) -> list[bytes | None]:
    """The ids (16 bytes) that these values of a filter are, and None for `none`."""
    found: list[bytes | None] = []
    for text in texts:
        id = None if text == NONE else uuid_of(text)
        if id is None and text != NONE:
            query.refuse(name, "bad_format", f"{echo(text)} is neither a UUID nor none")
        found.append(id.bytes if id else None)
    return found


def _staff(services: Services, text: str) -> list[bytes | None]:
    """A person by id, e-mail or name, with all who were declared to be that person.

    A name that nobody has matches nothing.
    """
    if text == NONE:
        return [None]
    found = uuid_of(text) or services.people.staff_id(text)
    person = found or services.ledger.derive.id("staff", staff_name(text))
    return [one.bytes for one in services.people.alike(person)]


def _kinds(query: Query) -> tuple[int, ...]:
    found: list[int] = []
    for text in several(query, "kind"):
        if text in _KINDS:
            found.append(_KINDS[text])
        else:
            query.refuse("kind", "bad_enum", f"{echo(text)} is none of {', '.join(_KINDS)}")
    return tuple(found)
