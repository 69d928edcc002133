"""One command about many conversations: a verdict for each."""

from __future__ import annotations

from typing import Any

import httpx

from domain.times import format_utc
from tests.api.station import NOON, Station

NOBODY = "00000000-0000-4000-8000-000000000000"
PHONES = [f"tel:+52557777{number:04d}" for number in range(3)]


def fill(station: Station) -> list[str]:
    """Three conversations; their ids."""
    made = [station.append(resource=phone)["contact"] for phone in PHONES]
    station.ask("/v1/conversations")
    return made


def bulk(
    station: Station,
    ids: list[str],
    action: str,
    headers: dict[str, str] | None = None,
    **more: object,
) -> httpx.Response:
    """The answer to a bulk command."""
    body = {"ids": ids, "action": action, **more}
    headers = headers or station.headers
    return station.post("/v1/conversations/bulk", json=body, headers=headers)


def test_each_has_a_verdict(each_station: Station) -> None:
    """Those that are there are resolved and shown; the one that is not has its problem."""
    ids = fill(each_station)
    asked = [ids[0], NOBODY, ids[1]]
    answer = bulk(each_station, asked, "resolve")
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [one["id"] for one in items] == asked
    assert [one["status"] for one in items] == [200, 404, 200]
    assert [one["conversation"]["status"] for one in items if one["status"] == 200] == [
        "resolved",
        "resolved",
    ]
    assert items[1]["problem"]["type"] == "urn:hilo:problem:not-found"
    assert "conversation" not in items[1]
    counts = each_station.ask("/v1/conversations/counts")
    assert (counts["open"], counts["resolved"]) == (1, 2)


def test_every_action(each_station: Station) -> None:
    """Assign, snooze, reopen, seen and unread do what they do to one."""
    rosa = each_station.user("Rosa")
    hers = each_station.bearer("manage", user=rosa)
    ids = fill(each_station)

    def rows(action: str, **more: object) -> list[dict[str, Any]]:
        answer = bulk(each_station, ids, action, hers, **more)
        assert answer.status_code == 200, answer.text
        return [one["conversation"] for one in answer.json()["items"]]

    assert {row["assignee"]["name"] for row in rows("assign", assignee=str(rosa))} == {"Rosa"}
    until = format_utc(NOON + 10**9)
    assert {row["snoozed_until"] for row in rows("snooze", until=until)} == {until}
    assert {row["status"] for row in rows("reopen")} == {"open"}
    assert [row["unread"] for row in rows("seen")] == [0, 0, 0]
    assert [row["unread"] for row in rows("unread")] == [1, 1, 1]
    assert [row["unread"] for row in rows("seen", through=each_station.head)] == [0, 0, 0]
    before = each_station.head
    rows("seen", through=1)
    assert each_station.head == before


def test_what_an_action_does_not_take_is_refused(station: Station) -> None:
    """Nothing is done at all where the request itself is wrong; each field is named."""
    ids = fill(station)

    def fields(action: str, of: list[str] = ids, **more: Any) -> list[str]:  # noqa: ANN401 - JSON
        answer = bulk(station, of, action, None, **more)
        assert answer.status_code == 422, answer.text
        return [one["field"] for one in answer.json()["errors"]]

    before = station.head
    assert fields("close") == ["action"]
    assert fields("resolve", until="2026-12-01T00:00:00Z") == ["until"]
    assert fields("seen", ids, **{"from": 3}) == ["from"]
    assert fields("snooze") == ["until"]
    assert fields("assign") == ["assignee"]
    assert fields("assign", assignee=NOBODY) == ["assignee"]
    assert fields("resolve", of=[]) == ["ids"]
    assert fields("resolve", of=[NOBODY] * 201) == ["ids"]
    assert fields("resolve", of=["x"]) == ["ids[0]"]
    assert station.head == before
    assert bulk(station, ids, "seen").status_code == 409
    reader = station.bearer("read")
    assert bulk(station, ids, "resolve", reader).status_code == 403


def test_a_bulk_command_may_come_again(each_station: Station) -> None:
    """The same key does nothing twice; with another body nothing is done at all."""
    ids = fill(each_station)
    keyed = {**each_station.headers, "Idempotency-Key": "b-1"}
    assert bulk(each_station, ids, "resolve", keyed).status_code == 200
    bulk(each_station, ids, "reopen")
    before = each_station.head
    again = bulk(each_station, ids, "resolve", keyed)
    assert (again.status_code, again.headers["hilo-duplicate"]) == (200, "true")
    assert {one["conversation"]["status"] for one in again.json()["items"]} == {"open"}
    other = bulk(each_station, ids[:1], "resolve", keyed)
    assert other.json()["type"] == "urn:hilo:problem:key-reused"
    elsewhere = each_station.post(f"/v1/conversations/{ids[0]}/resolve", json={}, headers=keyed)
    assert elsewhere.json()["type"] == "urn:hilo:problem:key-reused"
    assert each_station.head == before


def test_one_conversation_under_two_ids_is_done_once(station: Station) -> None:
    """The same id twice has two verdicts and one event."""
    ids = fill(station)
    before = station.head
    items = bulk(station, [ids[0], ids[0]], "resolve").json()["items"]
    assert [one["status"] for one in items] == [200, 200]
    assert station.head == before + 1
