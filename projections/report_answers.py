"""Reports as people and programs get them: rows of named values, the same at every door."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.times import format_utc
from projections.dictionary import Names
from projections.inbox_pages import InboxFilters
from projections.report_codes import Value
from projections.report_figures import Question, View, count
from projections.report_times import Campaign, campaigns, response_times
from projections.report_waiting import Waiting, waiting

Row = dict[str, Any]

HEAT_GROUPS: Final = ("weekday", "hour_of_day")
WEEKDAYS: Final = range(1, 8)
HOURS: Final = range(24)

US_A_S: Final = 1_000_000

_NO_FILTERS: Final = InboxFilters()

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute; names come from outside."""


class Report(Struct, kw_only=True):
    """A report: what was asked, its rows, and the row of everything.

    `sources` are, of campaigns, the contacts by their first source.
    """

    group_by: tuple[str, ...]
    rows: list[Row]
    total: Row
    sources: list[Row] | None = None


class Asked(Struct, frozen=True):
    """A question, and what its groups were called by whoever asked."""

    question: Question
    called: tuple[str, ...]


def interactions(view: View, asked: Asked) -> Report:
    """How many interactions and contacts. Raises InvalidInput, TimeError."""
    figures, total = count(view, asked.question)
    rows = named(view.names, asked, [figure.values for figure in figures])
    for row, figure in zip(rows, figures, strict=True):
        row["interactions"], row["contacts"] = figure.interactions, figure.contacts
    whole = {"interactions": total.interactions, "contacts": total.contacts}
    return Report(group_by=asked.called, rows=rows, total=whole)


def heat_map(view: View, question: Question) -> Report:
    """A row for each hour of the week, also where nothing happened. Raises TimeError."""
    asked = Asked(msgspec.structs.replace(question, groups=HEAT_GROUPS), ("weekday", "hour"))
    found = interactions(view, asked)
    known = {(row["weekday"], row["hour"]): row for row in found.rows}
    rows = [
        known.get((day, hour), {"weekday": day, "hour": hour, "interactions": 0, "contacts": 0})
        for day in WEEKDAYS
        for hour in HOURS
    ]
    return Report(group_by=asked.called, rows=rows, total=found.total)


def times(view: View, asked: Asked) -> Report:
    """How long contacts wait for an answer. Raises InvalidInput, TimeError."""
    found, total = response_times(view, asked.question)
    rows = named(view.names, asked, [response.values for response in found])
    for row, response in zip(rows, found, strict=True):
        row["first"] = msgspec.to_builtins(response.first)
        row["every"] = msgspec.to_builtins(response.every)
    whole = {"first": msgspec.to_builtins(total.first), "every": msgspec.to_builtins(total.every)}
    return Report(group_by=asked.called, rows=rows, total=whole)


def of_campaigns(view: View, asked: Asked) -> Report:
    """What campaigns (or other groups) bring. Raises InvalidInput, TimeError."""
    found, total, sources = campaigns(view, asked.question)
    rows = named(view.names, asked, [campaign.values for campaign in found])
    for row, campaign in zip(rows, found, strict=True):
        row.update(_counts(campaign))
    first = [
        {"source": _shown(view.names, "source", key), "contacts": contacts}
        for key, contacts in sources.items()
    ]
    return Report(group_by=asked.called, rows=rows, total=_counts(total), sources=first)


def _counts(row: Campaign) -> Row:
    names = ("interactions", "contacts", "first_touches", "replies")
    return {name: getattr(row, name) for name in names}


def of_waiting(view: View, asked: Asked, now: int, filters: InboxFilters = _NO_FILTERS) -> Report:
    """Who waits for an answer at a time (µs), and how long."""
    found, total = waiting(view.core, view.visible, asked.question.groups, filters)
    rows = []
    for row in found:
        values = dict(zip(asked.question.groups, row.values, strict=True))
        shown = [_shown(view.names, group, _key(value)) for group, value in values.items()]
        rows.append({**dict(zip(asked.called, shown, strict=True)), **_waits(row, now)})
    rows.sort(key=lambda row: [_order(row[name]) for name in asked.called])
    return Report(group_by=asked.called, rows=rows, total=_waits(total, now))


def _order(value: object) -> tuple[bool, str]:
    name = getattr(value, "key", None) or getattr(value, "id", None) or ""
    return value is None, name


def _key(value: object) -> str | None:
    if isinstance(value, bytes):
        return str(UUID(bytes=value))
    return value if isinstance(value, str) else None


def _waits(row: Waiting, now: int) -> Row:
    if not row.since:
        return {"waiting": 0, "since": None, "median_s": None, "longest_s": None}
    middle = row.since[len(row.since) // 2]
    return {
        "waiting": len(row.since),
        "since": format_utc(row.since[0]),
        "median_s": max(now - middle, 0) // US_A_S,
        "longest_s": max(now - row.since[0], 0) // US_A_S,
    }


def named(names: Names, asked: Asked, found: Sequence[Sequence[Value]]) -> list[Row]:
    """Rows with the value of each group as their readers get them; each is looked up once."""
    if not asked.called:
        return [{} for _ in found]
    columns = []
    for group, values in zip(asked.question.groups, zip(*found, strict=True), strict=False):
        shown = {value: _shown(names, group, value) for value in set(values)}
        columns.append([shown[value] for value in values])
    return [dict(zip(asked.called, row, strict=True)) for row in zip(*columns, strict=True)]


def _shown(names: Names, group: str, value: Value) -> object:
    """What a value is to whoever reads it: an object with its name, or itself."""
    if not isinstance(value, str):
        return value
    match group:
        case "user":
            return names.user(UUID(value))
        case "team":
            return names.team(UUID(value))
        case "department":
            return names.department(value)
        case "campaign":
            return names.campaign(value)
        case "source":
            return names.source(value)
    return value


# ------------------------------------------------------------------------------ tables


def flat(rows: Iterable[Row]) -> list[dict[str, object]]:
    """Rows with nothing nested in them: an object's key stands under its group, its name beside."""
    return [_flat(msgspec.to_builtins(row)) for row in rows]


def _flat(row: Row) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, dict) and "name" in value:
            found[name] = value.get("key", value.get("id"))
            found[f"{name}_name"] = value["name"]
        elif isinstance(value, dict):
            found |= {f"{name}_{inner}": one for inner, one in value.items()}
        else:
            found[name] = value
    return found


def columns(report: Report) -> list[str]:
    """The columns of a report's table, those of groups that have names included."""
    found: dict[str, None] = {}
    for row in flat(report.rows):
        found |= dict.fromkeys(row)
    if not found:
        found = dict.fromkeys([*report.group_by, *_flat(report.total)])
    order = {name: place for place, name in enumerate(report.group_by)}
    return sorted(found, key=lambda name: order.get(name.removesuffix("_name"), len(order)))


def as_csv(report: Report) -> str:
    """The rows as CSV (RFC 4180) with a line of headings; none is an empty cell."""
    out = io.StringIO(newline="")
    names = columns(report)
    writer = csv.DictWriter(out, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in flat(report.rows):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return out.getvalue()


def _cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return "" if value is None else value
