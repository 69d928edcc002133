"""Timeline and activity: filters, orders, pages around a place, cursors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.station import Station
from tests.api.test_read_interactions import ROW_FIELDS, hide


def fill(station: Station) -> str:
    """Six interactions of one contact, a minute apart; gives the contact."""
    rows: list[dict[str, object]] = [
        {"text": "1", "department": "Ventas", "campaign": "Feria"},
        {"text": "2", "direction": "outbound", "attended_by": "Rosa"},
        {"text": "3", "channel": "call", "call": {"outcome": "missed"}},
        {"text": "4", "department": "Taller"},
        {"text": "5", "source": "manual"},
        {"text": "6"},
    ]
    contact = ""
    for number, row in enumerate(rows):
        us = "tel:+525598765432"
        if row.get("direction") == "outbound":
            row |= {"resource": us, "destination": "tel:+525512345678"}
        at = f"2026-11-21T23:0{number}:00-06:00"
        contact = station.append(occurred_at=at, **row)["contact"]
    return contact


def texts(body: dict[str, Any]) -> str:
    """The texts of a page, one after the other."""
    return "".join(row["text"] for row in body["items"])


def test_a_timeline_is_rows_newest_first(each_station: Station) -> None:
    """Rows have the contract's fields in its order; `order=asc` turns them round."""
    contact = fill(each_station)
    answer = each_station.get(f"/v1/contacts/{contact}/timeline")
    body = answer.json()
    assert list(body) == ["items", "next", "prev"]
    assert [list(row) for row in body["items"]] == [ROW_FIELDS] * 6
    assert (texts(body), body["next"], body["prev"]) == ("654321", None, None)
    assert int(answer.headers["hilo-position"]) == each_station.head
    ascending = each_station.ask(f"/v1/contacts/{contact}/timeline", order="asc")
    assert texts(ascending) == "123456"


FILTERS = [
    ("channel=call", "3"),
    ("channel=call&channel=whatsapp&direction=inbound", "65431"),
    ("direction=outbound", "2"),
    ("origin=manual", "5"),
    ("source=manual", "5"),
    ("source=manual&source=whatsapp:1065", "654321"),
    ("attended_by=Rosa", "2"),
    ("attended_by=none", "65431"),
    ("attended_by=Nobody", ""),
    ("department=ventas&department=Taller", "41"),
    ("department=none", "6532"),
    ("department=none&department=ventas", "65321"),
    ("campaign=feria", "1"),
    ("kind=interaction", "654321"),
    ("kind=note", ""),
    ("from=2026-11-22T05:02:00Z&to=2026-11-22T05:04:00Z", "43"),
    ("from=2026-11-21&to=2026-11-22", "654321"),
    ("from=2026-11-21&to=2026-11-22&tz=UTC", ""),
    ("from=2026-11-22&tz=UTC", "654321"),
    ("department=ventas&direction=outbound", ""),
]
"""Queries, and the texts of what they find, newest first."""


def test_filters(each_station: Station) -> None:
    """One filter's values are alternatives, different filters hold together, none means null."""
    contact = fill(each_station)
    for path in (f"/v1/contacts/{contact}/timeline", "/v1/activity"):
        each_station.ask(path)
        for query, expected in FILTERS:
            answer = each_station.get(f"{path}?{query}", fresh=False)
            assert (query, texts(answer.json())) == (query, expected)


def test_pages_follow_on_each_other(each_station: Station) -> None:
    """Onwards and back over cursors every row comes once, in both orders."""
    contact = fill(each_station)
    for path in ("/v1/activity", f"/v1/contacts/{contact}/timeline"):
        assert walk(each_station, path, "desc") == ["65", "43", "21", "43", "65"]
        assert walk(each_station, path, "asc") == ["12", "34", "56", "34", "12"]


def walk(station: Station, path: str, order: str) -> list[str]:
    """The texts of each page, to the end and back again."""
    body = station.ask(path, limit=2, order=order)
    seen = [texts(body)]
    for way in ("next", "prev"):
        while body[way] is not None:
            body = station.ask(path, limit=2, order=order, cursor=body[way])
            seen.append(texts(body))
    return seen


def test_a_page_stands_around_an_interaction_or_a_time(each_station: Station) -> None:
    """`around` and `at` centre a page, and it can be left in both directions."""
    contact = fill(each_station)
    for path in ("/v1/activity", f"/v1/contacts/{contact}/timeline"):
        centred(each_station, path)


def centred(each_station: Station, path: str) -> None:
    """Look at one list from its middle."""
    third = next(row["id"] for row in each_station.ask(path)["items"] if row["text"] == "3")
    body = each_station.ask(path, around=third, limit=3)
    assert texts(body) == "432"
    assert body["next"] and body["prev"]  # noqa: PT018 - one thought: both ways are open
    assert texts(each_station.ask(path, around=third, limit=3, order="asc")) == "234"
    assert texts(each_station.ask(path, at="2026-11-22T05:03:00Z", limit=2)) == "54"
    missing = each_station.get(path, params={"around": "99999"})
    assert missing.status_code == 404


def test_a_cursor_belongs_to_its_list(station: Station) -> None:
    """With another filter, order, list or contact a cursor is 400 bad-cursor."""
    contact = fill(station)
    path = f"/v1/contacts/{contact}/timeline"
    cursor = station.ask(path, limit=2)["next"]
    for other in (
        f"{path}?direction=inbound&cursor={cursor}",
        f"{path}?order=asc&cursor={cursor}",
        f"/v1/activity?cursor={cursor}",
        f"{path}?cursor=nonsense",
    ):
        answer = station.get(other, fresh=False)
        assert answer.status_code == 400
        assert answer.json()["type"] == "urn:hilo:problem:bad-cursor"


def test_activity_in_the_order_of_the_log(each_station: Station) -> None:
    """`sort=recorded` goes by position: what is back-dated stands where it was recorded."""
    contact = fill(each_station)
    each_station.append(text="7", occurred_at="2026-11-01T00:00:00Z")
    other = each_station.append(text="8", resource="tel:+525511111111")["contact"]
    assert texts(each_station.ask("/v1/activity", sort="recorded", limit=3)) == "876"
    assert texts(each_station.ask("/v1/activity")) == "86543217"
    of_one = {"contact": contact}
    assert texts(each_station.ask("/v1/activity", sort="recorded", limit=2, **of_one)) == "76"
    assert texts(each_station.ask("/v1/activity", **of_one)) == "6543217"
    assert texts(each_station.ask("/v1/activity", contact=other)) == "8"
    unknown = "00000000-0000-4000-8000-000000000000"
    assert texts(each_station.ask("/v1/activity", contact=unknown)) == ""


WRONG = [
    ("limit=0", "query.limit"),
    ("limit=201", "query.limit"),
    ("channel=fax", "query.channel"),
    ("order=up", "query.order"),
    ("from=yesterday", "query.from"),
    ("tz=Mars/Base", "query.tz"),
    ("around=x", "query.around"),
    ("kind=letter", "query.kind"),
    ("unknown=1", "query.unknown"),
    ("order=asc&order=desc", "query.order"),
]
"""Queries with one thing wrong, and its name."""


def test_what_a_query_gets_wrong_is_named(station: Station) -> None:
    """422 with the parameter's name, also for one that nobody knows."""
    contact = station.append()["contact"]
    station.ask("/v1/activity")
    for path in (f"/v1/contacts/{contact}/timeline", "/v1/activity"):
        for query, field in WRONG:
            answer = station.get(f"{path}?{query}", fresh=False)
            assert (query, answer.status_code) == (query, 422)
            assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_reading_needs_its_scope(station: Station) -> None:
    """Without a token 401; a token that only appends or audits gets 403."""
    contact = station.append()["contact"]
    append, audit = station.bearer("append"), station.bearer("audit")
    for path in ("/v1/activity", "/v1/contacts", "/v1/conversations", f"/v1/contacts/{contact}"):
        assert station.get(path, headers={}).status_code == 401
        assert station.get(path, headers=append).status_code == 403
        assert station.get(path, headers=audit).status_code == 403
        assert station.get(path, headers=station.bearer("read")).status_code == 200


def test_a_read_may_wait_for_a_position(station: Station) -> None:
    """A position that never comes is 503 not-yet with Retry-After, not an older page."""
    station.append()
    wanted = {"min_position": str(station.head + 5), "wait_ms": "20"}
    answer = station.get("/v1/activity", fresh=False, params=wanted)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:hilo:problem:not-yet"
    assert answer.headers["retry-after"] == "1"


def test_out_of_access_leaves_every_list(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader may not see is in no list, and its timeline is not there."""
    contact = fill(station)
    hide(monkeypatch)
    assert station.ask("/v1/activity")["items"] == []
    assert station.ask("/v1/contacts")["items"] == []
    assert station.ask("/v1/conversations")["items"] == []
    assert station.get(f"/v1/contacts/{contact}/timeline").status_code == 404
    assert station.get(f"/v1/contacts/{contact}").status_code == 404
    assert station.get(f"/v1/conversations/{contact}").status_code == 404
