"""Reports over HTTP: the contract's shape, CSV, access, freshness; the same figures everywhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from projections.views import REPORTS
from tests.api.station import Station, open_station
from tests.backends import Backend

SHOP = "tel:+525598765432"
ANA, LUIS = "tel:+525512345678", "tel:+525511110002"


@pytest.fixture
def told(backend: Backend) -> Iterator[Station]:
    """Five interactions of two contacts, on two days of Mexico, one of them answered by Rosa."""
    with open_station(backend) as station:
        station.user("Rosa")
        station.ask("/v1/views")  # until the views know her, a name is a person without sign-in
        rows: list[dict[str, object]] = [
            {"department": "Ventas", "campaign": "=Feria", "occurred_at": at("20T23:30")},
            {"channel": "call", "occurred_at": at("21T00:10")},
            {
                "direction": "outbound",
                "resource": SHOP,
                "destination": ANA,
                "attended_by": "Rosa",
                "occurred_at": at("21T00:20"),
            },
            {"resource": LUIS, "department": "Taller", "occurred_at": at("21T09:00")},
            {
                "source": "manual",
                "channel": "walk_in",
                "destination": "place:main",
                "occurred_at": at("21T10:00"),
            },
        ]
        for row in rows:
            station.append(**row)
        yield station


def at(moment: str) -> str:
    """A time in November 2026, in Mexico."""
    return f"2026-11-{moment}:00-06:00"


def report(station: Station, name: str, **params: object) -> Any:  # noqa: ANN401 - JSON
    """A report's body; it holds all that was written."""
    answer = station.get(f"/v1/reports/{name}", params=params)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["hilo-position"]) >= station.head
    return answer.json()


def test_interactions_have_the_shape_of_the_contract(told: Station) -> None:
    """Objects with names, days of the reader's zone, both counts, the total and the position."""
    body = report(told, "interactions", group_by="channel,day")
    assert list(body) == ["from", "to", "tz", "group_by", "rows", "total", "position"]
    assert (body["from"], body["tz"]) == (None, "America/Mexico_City")
    assert body["group_by"] == ["channel", "day"]
    assert body["rows"] == [
        {"channel": "call", "day": "2026-11-21", "interactions": 1, "contacts": 1},
        {"channel": "walk_in", "day": "2026-11-21", "interactions": 1, "contacts": 1},
        {"channel": "whatsapp", "day": "2026-11-20", "interactions": 1, "contacts": 1},
        {"channel": "whatsapp", "day": "2026-11-21", "interactions": 2, "contacts": 2},
    ]
    assert body["total"] == {"interactions": 5, "contacts": 2}
    by_word = report(told, "interactions", group_by=["department", "attended_by"], tz="UTC")
    assert by_word["group_by"] == ["department", "attended_by"]
    named = [(row["department"], row["attended_by"]) for row in by_word["rows"]]
    assert named[:2] == [
        ({"key": "taller", "name": "Taller"}, None),
        ({"key": "ventas", "name": "Ventas"}, None),
    ]
    assert named[2][0] is None
    assert (named[2][1]["name"], named[2][1]["user"], named[3]) == ("Rosa", True, (None, None))


def test_figures_are_lists_that_activity_opens(told: Station) -> None:
    """With the same filters the list of all interactions has as many rows; also of a contact."""
    contact = told.append()["contact"]
    for filters in (
        {},
        {"channel": "whatsapp", "direction": "inbound"},
        {"department": "none"},
        {"attended_by": "Rosa"},
        {"from": "2026-11-21", "to": "2026-11-22"},
        {"from": "2026-11-21", "tz": "Asia/Kolkata"},
        {"contact": contact},
        {"weekday": 6, "hour_of_day": ["0", "9"]},
        {"weekday": 6, "tz": "Asia/Kolkata", "channel": "whatsapp"},
    ):
        body = report(told, "interactions", **filters)
        listed = told.ask("/v1/activity", **filters)["items"]
        assert body["total"]["interactions"] == len(listed), filters
        assert sum(row["interactions"] for row in body["rows"]) == len(listed)


def test_computed_figures_have_lists_too(told: Station) -> None:
    """`figure` lists what was answered, what still waits, what came first and what brought more."""
    total = report(told, "response-times")["total"]["first"]
    for figure, count in (("answered", total["answered"]), ("unanswered", total["unanswered"])):
        assert len(told.ask("/v1/activity", figure=figure)["items"]) == count
    assert (total["answered"], total["unanswered"]) == (1, 2)
    asked = told.ask("/v1/activity", figure="asked", limit=2)
    assert [row["channel"] for row in asked["items"]] == ["walk_in", "whatsapp"]
    rest = told.ask("/v1/activity", figure="asked", limit=2, cursor=asked["next"])
    assert (len(rest["items"]), rest["next"]) == (1, None)
    contact = rest["items"][0]["contact"]["id"]
    assert len(told.ask("/v1/activity", figure="first_touch", contact=contact)["items"]) == 1
    assert len(told.ask("/v1/activity", figure="first_touch")["items"]) == 2
    replies = told.ask("/v1/activity", figure="reply")["items"]
    assert [row["direction"] for row in replies] == ["outbound"]
    assert told.ask("/v1/activity", figure="answered", department="taller")["items"] == []
    assert report(told, "waiting", department="taller")["total"]["waiting"] == 1


def test_other_reports_answer_in_their_shapes(told: Station) -> None:
    """Response times, campaigns with first sources, the 168 hours of a week, who waits."""
    times = report(told, "response-times", group_by="user")
    rosa, nobody = times["rows"]
    assert rosa["user"]["name"] == "Rosa"
    assert rosa["first"] == rosa["every"] | {"answered": 1, "median_s": 3000.0, "p90_s": 3000.0}
    assert rosa["every"]["answered"] == 2
    assert nobody["user"] is None
    brought = report(told, "campaigns")
    assert brought["rows"][0] == {
        "campaign": {"key": "feria", "name": "=Feria"},
        "interactions": 1,
        "contacts": 1,
        "first_touches": 1,
        "replies": 0,
    }
    assert brought["sources"][0]["contacts"] == 2
    week = report(told, "heatmap")
    assert len(week["rows"]) == 168
    assert sum(row["interactions"] for row in week["rows"]) == 5
    assert week["rows"][4 * 24 + 23] == {
        "weekday": 5,
        "hour": 23,
        "interactions": 1,
        "contacts": 1,
    }
    waits = report(told, "waiting", group_by="department")
    assert waits["total"]["waiting"] == told.ask("/v1/conversations/counts")["waiting"] == 2
    assert waits["total"]["since"] == "2026-11-21T15:00:00.000000Z"


def test_csv_is_asked_for_by_accept_or_in_the_link(told: Station) -> None:
    """A line of headings, keys beside names, and no cell that a spreadsheet would compute."""
    accept = told.headers | {"Accept": "text/csv"}
    path, asked = "/v1/reports/interactions", {"group_by": "campaign"}
    answer = told.get(path, headers=accept, params=asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="interactions.csv"' in answer.headers["content-disposition"]
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["campaign", "campaign_name", "interactions", "contacts"],
        ["feria", "'=Feria", "1", "1"],
        ["", "", "4", "2"],
    ]
    linked = {"format": "csv"}
    assert told.get(path, params=asked | linked).text == answer.text
    empty = told.get("/v1/reports/heatmap", params=linked | {"from": "2030-01-01"}).text
    assert empty.splitlines()[0] == "weekday,hour,interactions,contacts"
    nested = told.get("/v1/reports/response-times", params=linked | {"group_by": "user"}).text
    assert nested.splitlines()[0].startswith("user,user_name,first_answered,first_unanswered")
    nothing = told.get(path, params=linked | {"group_by": "day", "channel": "sms"}).text
    assert nothing.splitlines() == ["day,interactions,contacts"]


REFUSED = [
    ("interactions?group_by=color", "query.group_by"),
    ("interactions?tz=Mars/Olympus", "query.tz"),
    ("interactions?kind=note", "query.kind"),
    ("interactions?limit=5", "query.limit"),
    ("interactions?from=yesterday", "query.from"),
    ("interactions?format=xml", "query.format"),
    ("heatmap?group_by=day", "query.group_by"),
    ("waiting?group_by=day", "query.group_by"),
    ("waiting?channel=pigeon", "query.channel"),
    ("waiting?direction=inbound", "query.direction"),
    ("interactions?weekday=8", "query.weekday"),
    ("interactions?hour_of_day=x", "query.hour_of_day"),
]


def test_what_reports_do_not_know_is_refused(station: Station) -> None:
    """Unknown groups, zones and parameters are 422 and named."""
    for path, field in REFUSED:
        answer = station.request("GET", f"/v1/reports/{path}")
        assert answer.status_code == 422, path
        assert [error["field"] for error in answer.json()["errors"]] == [field]


NAMES = ("interactions", "response-times", "campaigns", "heatmap", "waiting")


def test_readers_get_what_they_may_see(told: Station) -> None:
    """Without `read` 403, without a token 401; restricted contacts are in nobody's figures."""
    program = told.bearer("read")
    before = {name: told.get(f"/v1/reports/{name}", headers=program).json() for name in NAMES}
    assert before["interactions"]["total"] == {"interactions": 5, "contacts": 2}
    luis = told.ask("/v1/contacts", q="11110002")["items"][0]["id"]
    rosa = str(told.services.people.staff_id("Rosa"))
    wall = {"mode": "restricted", "users": [rosa], "reason": "VIP"}
    hidden = told.post(f"/v1/contacts/{luis}/access", json=wall)
    assert hidden.status_code == 200, hidden.text
    after = {name: told.get(f"/v1/reports/{name}", headers=program).json() for name in NAMES}
    assert after["interactions"]["total"] == {"interactions": 4, "contacts": 1}
    assert after["heatmap"]["total"] == {"interactions": 4, "contacts": 1}
    assert after["campaigns"]["total"]["first_touches"] == 1
    assert after["waiting"]["total"]["waiting"] == before["waiting"]["total"]["waiting"] - 1
    assert after["response-times"]["total"]["every"]["unanswered"] == 1
    assert report(told, "interactions")["total"]["interactions"] == 5  # an administrator's
    for name in NAMES:
        for headers, status in ((told.bearer("append"), 403), ({}, 401)):
            answer = told.request("GET", f"/v1/reports/{name}", headers=headers)
            assert answer.status_code == status


def test_a_report_waits_for_its_own_group(backend: Backend) -> None:
    """`min_position` is 503 until the reports hold it, and /v1/views shows how far they are."""
    with open_station(backend, follow=False) as station:
        station.composition.follower.catch_up()
        station.append()
        station.composition.follower.catch_up()
        path, asked = "/v1/reports/interactions", {"wait_ms": "0"}
        answer = station.get(path, params=asked)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        beside = dict(
            zip(
                [group.name for group in station.composition.groups[1:]],
                station.composition.beside,
                strict=True,
            )
        )
        beside[REPORTS].catch_up()
        assert station.get(path, params=asked).json()["total"]["interactions"] == 1
        groups = {one["group"]: one for one in station.ask("/v1/views")["items"]}
        assert groups[REPORTS]["lag"] == 0
