"""`hilo report`: the figures of the reports at the terminal, with bars."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

import click

from app.cli.frame import OK, look, show, with_ledger
from domain.times import TimeError, parse_filter_time, zone_of
from projections import report_answers
from projections.access import EVERYTHING
from projections.report_answers import Asked, Report
from projections.report_codes import GROUPS
from projections.report_figures import Question, View
from projections.report_waiting import WAITING_GROUPS
from projections.timeline_pages import Filters
from projections.views import REPORTS

if TYPE_CHECKING:
    from app.compose import Composition

KINDS: Final = ("interactions", "response-times", "campaigns", "waiting", "heatmap")

ALIASES: Final = {"attended_by": "user"}

BAR_MAX: Final = 40
"""Characters of the longest bar: beside a few columns it fits on a usual terminal."""

BAR_MIN: Final = 8
"""And at least, however narrow the terminal: shorter ones say nothing."""

EIGHTHS: Final = " ▏▎▍▌▋▊▉"
"""Parts of a character, so that small differences show."""

NOTHING: Final = "–"
"""What stands where there is no value."""


@click.command()
@click.argument("groups", metavar="GROUP[,GROUP]", default="")
@click.option("--from", "since", metavar="TIME", help="Not before: a date, or RFC 3339.")
@click.option("--to", "until", metavar="TIME", help="Before: a date, or RFC 3339.")
@click.option("--tz", metavar="ZONE", help="Zone of dates and hours (else HILO_TZ).")
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], help="What is reported.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV instead of a table.")
@click.option("--json", "as_json", is_flag=True, help="Rows as JSON, one a line.")
@with_ledger(must_exist=True)
def report(composition: Composition, **given: Any) -> int:  # noqa: ANN401 - click's options
    """Count interactions by channel, direction, user, department, campaign, source, origin.

    Also by hour, day, week, month, weekday, hour_of_day; several groups with commas between.
    """
    kind = given["kind"]
    called = _groups(given["groups"], kind)
    question = _question(called, given, given["tz"] or composition.settings.zone)
    look(composition, REPORTS)
    made = _made(composition, Asked(question, called), kind)
    if given["as_csv"]:
        click.echo(report_answers.as_csv(made), nl=False)
    elif given["as_json"]:
        for row in report_answers.flat(made.rows):
            show(row)
    else:
        click.echo("\n".join(_table(made)))
    return OK


def _groups(text: str, kind: str) -> tuple[str, ...]:
    called = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    known = WAITING_GROUPS if kind == "waiting" else GROUPS
    for word in called:
        if ALIASES.get(word, word) not in known:
            raise click.UsageError(f"there is no group {word!r}; there are: {', '.join(known)}")
    return called or (("campaign",) if kind == "campaigns" else ())


def _question(called: tuple[str, ...], given: dict[str, Any], tz: str) -> Question:
    try:
        zone_of(tz)
        since, until = (
            parse_filter_time(given[name], tz) if given[name] else None for name in _TIMES
        )
    except TimeError as error:
        raise click.UsageError(error.message) from None
    groups = tuple(ALIASES.get(group, group) for group in called)
    filters = Filters(since=since, until=until)
    return Question(filters=filters, contacts=None, groups=groups, tz=tz)


_TIMES: Final = ("since", "until")


def _made(composition: Composition, asked: Asked, kind: str) -> Report:
    """The report, by whoever holds the ledger: nothing is hidden from them."""
    with composition.views.reading() as reading:
        names = composition.dictionary.names(reading)
        beside = reading.beside(REPORTS)
        view = View(reading, beside, composition.reads.decks, names, EVERYTHING)
        match kind:
            case "response-times":
                return report_answers.times(view, asked)
            case "campaigns":
                return report_answers.of_campaigns(view, asked)
            case "waiting":
                return report_answers.of_waiting(view, asked, composition.clock())
            case "heatmap":
                return report_answers.heat_map(view, asked.question)
        return report_answers.interactions(view, asked)


# ------------------------------------------------------------------------------- table


def _table(made: Report) -> list[str]:
    """Lines: headings, rows with their bars, and the row of everything."""
    names = [name for name in report_answers.columns(made) if not _is_key(made, name)]
    rows = report_answers.flat(made.rows)
    total = report_answers.flat([made.total])[0]
    measure = next((name for name in names if _counts(total.get(name))), None)
    lines = [names, *([_text(row.get(name)) for name in names] for row in rows)]
    lines.append([_text(total.get(name)) for name in names])
    if names and not lines[-1][0].strip(NOTHING):
        lines[-1][0] = "total"
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    room = shutil.get_terminal_size().columns - sum(widths) - 2 * len(widths)
    longest = max((_number(row.get(measure)) for row in rows), default=0) if measure else 0
    right = [_counts(total.get(name)) or name not in _grouped(made) for name in names]
    texts = [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        )
        for line in lines
    ]
    width = min(max(room, BAR_MIN), BAR_MAX)
    for place, row in enumerate(rows, 1):
        if measure and longest:
            texts[place] += "  " + bar(_number(row.get(measure)) / longest, width)
    return [text.rstrip() for text in texts]


def _is_key(made: Report, name: str) -> bool:
    """Whether a column is the key of something whose name stands beside it."""
    return any(f"{name}_name" in row for row in report_answers.flat(made.rows[:1]))


def _grouped(made: Report) -> set[str]:
    return {*made.group_by, *(f"{group}_name" for group in made.group_by)}


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _text(value: object) -> str:
    return NOTHING if value is None else str(value)


def bar(share: float, width: int) -> str:
    """A bar of so many characters for a share of 1, to an eighth of a character."""
    eighths = round(share * width * 8)
    whole, part = divmod(eighths, 8)
    return "█" * whole + EIGHTHS[part].strip()
