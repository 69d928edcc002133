"""The Reports page: figures, plots with their tables, lists behind them, both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from playwright.sync_api import expect

from api.web.moments import Moments
from api.web.report_plots import shade, stacked
from tests.api.house import NOON
from tests.web.window import Ledger, Window, no_barriers

Browse = Callable[..., Window]


def test_figures_open_the_lists_behind_them(ledger: Ledger, browse: Browse) -> None:
    """Of the days asked for, each number leads to as many rows; tables, CSV, both languages."""
    for number in range(3):
        ledger.append(text=f"Hola {number}", occurred_at=f"2026-11-1{number}T10:00:00-06:00")
    ledger.append(channel="call", text=None, occurred_at="2026-08-01T10:00:00-06:00")
    head = ledger.composition.log.head()
    ledger.ask("GET", f"/v1/reports/waiting?min_position={head}")
    window = browse("Rosa", "es")
    page = window.go("/reports")
    window.see("h1", "Informes")
    expect(page.locator(".kpi b").nth(0)).to_have_text("3")
    expect(page.locator("svg.plot a")).to_have_count(3)
    expect(page.locator("td.ch5")).to_have_count(3)
    no_barriers(page)
    page.locator("tbody a", has_text="WhatsApp").first.click()
    window.see("h1", "Actividad")
    expect(page.locator("table.act tbody.ent")).to_have_count(3)
    page = window.go("/reports?from=2026-08-01&through=2026-08-01&tz=UTC")
    expect(page.locator(".kpi b").nth(0)).to_have_text("1")
    page.locator(".kpi a").first.click()
    window.see("h1", "Actividad")
    expect(page.locator("table.act tbody.ent")).to_have_count(1)
    page = window.go("/reports?from=2026-07-01&through=2026-11-30&tz=UTC")  # a column is a week
    page.locator("details.mt summary").first.click()
    page.locator("details.mt tbody a").first.click()
    window.see("h1", "Actividad")
    expect(page.locator("table.act tbody.ent")).to_have_count(1)
    page = window.go("/reports")
    page.locator(".kpi").last.locator("a").click()
    page.wait_for_url("**/?waiting=true&sort=waiting")
    english = browse("Rosa", "en")
    english.go("/reports")
    english.see("h2", "Time to the first response")
    no_barriers(english.page)


def test_filters_stand_in_the_address_and_go_one_by_one(ledger: Ledger, browse: Browse) -> None:
    """All figures are under them, so are the lists; an hour of the week and who waits as well."""
    ledger.append(text="hola", department="Ventas", occurred_at="2026-11-16T10:00:00-06:00")
    answer = {"resource": "tel:+525598765432", "destination": "tel:+525512345678"}
    ledger.append(
        direction="outbound", text="va", occurred_at="2026-11-16T10:30:00-06:00", **answer
    )
    ledger.append(text="sigo", department="Taller", occurred_at="2026-11-17T10:00:00-06:00")
    head = ledger.composition.log.head()
    ledger.ask("GET", f"/v1/reports/waiting?min_position={head}")
    window = browse("Rosa", "en", java_script_enabled=False)
    page = window.go("/reports")
    page.locator("#chip-department").click()
    page.locator("input[name=department][value=ventas]").check()
    page.locator("details[open] button").click()
    figures = page.locator(".kpi b")
    expect(figures).to_have_text(["1", "1", "30 min", "0"])
    window.see(".chips a", "Department: Ventas").click()
    expect(figures).to_have_text(["3", "2", "30 min", "1"])
    expect(page).not_to_have_url(re.compile("department"))
    page.locator("td.ch5 a").first.click()
    window.see("h1", "Activity")
    expect(page.locator("table.act tbody.ent")).to_have_count(2)
    window.see(".filters a.chip", "Mon")
    page = window.go("/reports?by=channel")
    page.locator("table.resp tbody a", has_text="1").last.click()
    expect(page.locator("table.act tbody.ent .tx [data-text]")).to_have_text(["sigo"])
    window.see(".filters a.chip", "Not answered").click()
    expect(page.locator("table.act tbody.ent")).to_have_count(3)


def test_plots_are_numbers_before_they_are_shapes() -> None:
    """Columns add up to their height, the rest is one series, and shades go from 0 to 5."""
    rows = [
        {"day": "2026-11-01", "channel": channel, "interactions": count}
        for channel, count in (("a", 50), ("b", 20), ("c", 15), ("d", 10), ("e", 3), ("f", 2))
    ]
    found = stacked(rows, "day", list("abcdef"))
    assert found.series == ("a", "b", "c", "d", "")
    (column,) = found.columns
    assert [part.series for part in column.slices] == [1, 2, 3, 4, 5]
    height = sum(part.height for part in column.slices)
    assert (round(height), found.ticks[4]) == (round(200 * 100 / 120), (0, 120))
    assert stacked([], "day", []).columns == ()
    assert [shade(count, 10) for count in (0, 1, 5, 10)] == [0, 1, 3, 5]


def test_lengths_of_time_have_two_units_at_most() -> None:
    """45 s, 4 min, 1 h 12 min, 3 d 2 h; nothing is a dash; days and weekdays by language."""
    when = Moments("es", "UTC", lambda: NOON, lambda text: text)
    spans = [when.span(seconds) for seconds in (None, 45, 240.4, 4_320, 266_400)]
    assert spans == ["–", "45 s", "4 min", "1 h 12 min", "3 d 2 h"]
    assert when.weekday(1) == "lun"
    assert when.days(date(2026, 10, 24), date(2026, 11, 2)) == "24 oct 2026 – 2 nov 2026"
