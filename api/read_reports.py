"""Reports: what happened, how much, how fast; as JSON, and as CSV where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct

from api.answers import Json
from api.auth import services_of
from api.filters import filters, ids
from api.openapi import answers
from api.parameters import Query, read_headers
from api.read_activity import narrowed, view_of
from api.read_conversations import inbox_filters
from api.reads import Look, Task, answer, page_answer
from domain.times import format_utc
from domain.values import echo
from projections import report_answers
from projections.report_answers import Asked, Report
from projections.report_codes import GROUPS
from projections.report_figures import Question, View
from projections.report_waiting import WAITING_GROUPS
from projections.timeline_pages import Filters
from projections.views import REPORTS

if TYPE_CHECKING:
    from api.auth import Caller

router = APIRouter()

CSV: Final = "text/csv"

ALIASES: Final = {"attended_by": "user"}
"""Further words for a group: the filter of the same thing has another name."""

GROUPS_MAX: Final = 8
"""Groups of one report: more columns than anybody reads."""

Made = Callable[[View, Asked], Report]


class Counted(Struct):
    """How many interactions, and of how many contacts; contacts do not add up."""

    interactions: int
    contacts: int


class InteractionReport(Struct):
    """Counts of interactions by group; each row has the groups' values and both counts."""

    rows: list[dict[str, object]]
    total: Counted
    group_by: list[str]
    tz: str
    position: int
    from_: str | None = msgspec.field(name="from")
    to: str | None


class FigureReport(Struct):
    """Any other report: rows by group, and the row of everything."""

    rows: list[dict[str, object]]
    total: dict[str, object]
    group_by: list[str]
    tz: str
    position: int
    from_: str | None = msgspec.field(name="from")
    to: str | None


STRUCTS: Final[tuple[type[Struct], ...]] = (InteractionReport, FigureReport)


@router.get(
    "/v1/reports/interactions",
    summary="How many interactions, by what they are",
    responses=answers("InteractionReport", 200),
)
async def interactions(request: Request) -> Response:
    """Interactions and distinct contacts by any groups, under the filters of activity."""
    return await _report(request, "interactions", report_answers.interactions)


@router.get(
    "/v1/reports/response-times",
    summary="How long contacts wait for an answer",
    responses=answers("FigureReport", 200),
)
async def response_times(request: Request) -> Response:
    """Median and 90th percentile of the times from an ask to its answer, by any groups."""
    return await _report(request, "response-times", report_answers.times)


@router.get(
    "/v1/reports/campaigns",
    summary="What campaigns bring",
    responses=answers("FigureReport", 200),
)
async def campaigns(request: Request) -> Response:
    """Interactions, contacts reached, first touches and replies, by campaign if nothing else."""
    return await _report(request, "campaigns", report_answers.of_campaigns, ("campaign",))


@router.get(
    "/v1/reports/heatmap",
    summary="The week, hour by hour",
    responses=answers("FigureReport", 200),
)
async def heatmap(request: Request) -> Response:
    """Interactions and contacts for each hour of each weekday in a zone; Monday is 1."""

    def made(view: View, asked: Asked) -> Report:
        return report_answers.heat_map(view, asked.question)

    return await _report(request, "heatmap", made, None)


@router.get(
    "/v1/reports/waiting",
    summary="Who waits for an answer now",
    responses=answers("FigureReport", 200),
)
async def waiting(request: Request) -> Response:
    """Open conversations that wait, and since when, by user, team, department or campaign.

    Under the filters of the inbox.
    """
    query = Query(request)
    services = services_of(request)

    def prepare(caller: Caller) -> Task:
        groups = grouped(query, (), WAITING_GROUPS)
        filters = inbox_filters(query, caller)
        zone = query.zone(caller.zone or services.locale.zone)
        as_csv = wants_csv(request, query)
        question = Question(filters=Filters(), contacts=None, groups=plain(groups), tz=zone)

        def work(look: Look) -> Response:
            view = view_of(look)
            now = services.clock()
            made = report_answers.of_waiting(view, Asked(question, groups), now, filters)
            return _shown(look, made, question, "waiting" if as_csv else None)

        return Task(_json(work), beside=REPORTS)

    return await answer(request, query, prepare)


# ------------------------------------------------------------------------------ inside


async def _report(
    request: Request, name: str, made: Made, default: tuple[str, ...] | None = ()
) -> Response:
    """A report over facts; without a default it has no groups to choose."""
    query = Query(request)

    def prepare(caller: Caller) -> Task:
        groups = () if default is None else grouped(query, default, GROUPS)
        question, contacts = question_of(request, query, caller, plain(groups))
        as_csv = wants_csv(request, query)

        def work(look: Look) -> Response:
            asked = Asked(narrowed(look, question, contacts), groups)
            report = made(view_of(look), asked)
            return _shown(look, report, question, name if as_csv else None)

        return Task(_json(work), beside=REPORTS)

    return await answer(request, query, prepare)


def _json(work: Callable[[Look], Response]) -> Callable[[Look], Json]:
    """The same work: what it answers is sent as it is."""
    return work  # type: ignore[return-value]  # CSV is not Json, and is never kept as a page


def question_of(
    request: Request, query: Query, caller: Caller, groups: tuple[str, ...]
) -> tuple[Question, list[bytes]]:
    """What a query asks of the facts, and of which contacts (none: of all)."""
    services = services_of(request)
    zone = query.zone(caller.zone or services.locale.zone)
    contacts = [contact.bytes for contact in ids(query, "contact")]
    found = filters(query, services, zone)
    if found.kind:
        query.refuse("kind", "unknown_field", "reports count interactions alone")
    return Question(filters=found, contacts=None, groups=groups, tz=zone), contacts


def grouped(query: Query, default: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """`group_by`, words behind one another or repeated; each once."""
    texts = [word for text in query.many("group_by") for word in text.split(",") if word]
    groups = tuple(dict.fromkeys(texts)) or default
    for word in groups:
        if ALIASES.get(word, word) not in known:
            listed = ", ".join(known)
            query.refuse("group_by", "bad_enum", f"{echo(word)} is none of {listed}")
            return default
    if len(groups) > GROUPS_MAX:
        query.refuse("group_by", "too_many", f"at most {GROUPS_MAX} groups")
        return default
    return groups


def plain(groups: tuple[str, ...]) -> tuple[str, ...]:
    """The groups by the words that the views have for them."""
    return tuple(ALIASES.get(group, group) for group in groups)


def wants_csv(request: Request, query: Query) -> bool:
    """Whether the answer is to be CSV: by `Accept`, or by `format=csv`, as links can say it."""
    text = query.choice("format", ("json", "csv", ""), "")
    if text:
        return text == "csv"
    accepted = request.headers.get("accept", "")
    kinds = [part.partition(";")[0].strip().lower() for part in accepted.split(",")]
    return CSV in kinds and "application/json" not in kinds


def _shown(look: Look, report: Report, question: Question, csv_name: str | None) -> Response:
    if csv_name is not None:
        headers = read_headers(look.position) | {
            "content-disposition": f'attachment; filename="{csv_name}.csv"',
            "cache-control": "no-store",
        }
        text = report_answers.as_csv(report)
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
    since, until = question.filters.since, question.filters.until
    body: dict[str, Any] = {
        "from": None if since is None else format_utc(since),
        "to": None if until is None else format_utc(until),
        "tz": question.tz,
        "group_by": report.group_by,
        "rows": report.rows,
        "total": report.total,
        "position": look.position,
    }
    if report.sources is not None:
        body["sources"] = report.sources
    return page_answer(msgspec.json.encode(body), look.position)
