"""The inbox over HTTP: rows, tabs, filters, and what a person has seen."""

from __future__ import annotations

from typing import Any

from tests.api.station import Station

CONVERSATION_FIELDS = [
    "id", "contact", "status", "snoozed_until", "assignee", "team", "department", "unread",
    "seen_through", "waiting_since", "last_at", "last", "channels", "interactions", "first_at",
    "muted", "restricted", "version",
]  # fmt: skip

EVA = "tel:+525577778888"


def seen_by(station: Station, headers: dict[str, str], contact: str) -> tuple[int, int | None]:
    """Unread and seen_through, as somebody sees a conversation."""
    row = station.get(f"/v1/conversations/{contact}", headers=headers).json()
    return row["unread"], row["seen_through"]


def test_a_conversation_has_every_field_of_the_contract(each_station: Station) -> None:
    """The row holds the last interaction whole, and a token of nobody's has nothing unread."""
    made = each_station.append(contact_name="Ana", department="Ventas")
    answer = each_station.get(f"/v1/conversations/{made['contact']}")
    body = answer.json()
    assert list(body) == CONVERSATION_FIELDS
    assert answer.headers["etag"] == '"0"'
    assert body["contact"] == {"id": made["contact"], "name": "Ana", "label": "Ana"}
    assert (body["status"], body["unread"], body["seen_through"]) == ("open", 0, None)
    assert (body["last"]["id"], body["interactions"]) == (made["id"], 1)
    assert body["department"] == {"key": "ventas", "name": "Ventas"}
    assert body["waiting_since"] == body["first_at"] == "2026-11-22T11:15:02.000000Z"
    assert each_station.ask("/v1/conversations")["items"] == [body]


def test_the_tabs_count_what_the_list_shows(each_station: Station) -> None:
    """Counts have the contract's fields; imported history alone is resolved."""
    rosa = each_station.user("Rosa")
    browser = each_station.session(rosa)
    each_station.append()
    each_station.post(
        "/v1/interactions?origin=imported",
        json={
            "channel": "call",
            "direction": "inbound",
            "source": "import:old",
            "external_id": "1",
            "resource": EVA,
            "destination": "tel:+525598765432",
            "occurred_at": "2020-01-01T00:00:00Z",
        },
    )
    counts = each_station.get("/v1/conversations/counts", headers=browser).json()
    assert counts == {
        "open": 1,
        "mine": 0,
        "unassigned": 1,
        "snoozed": 0,
        "resolved": 1,
        "all": 2,
        "unread": 1,
        "waiting": 1,
        "position": each_station.head,
    }
    for status, number in (("open", 1), ("snoozed", 0), ("resolved", 1), ("all", 2)):
        assert len(each_station.ask("/v1/conversations", status=status)["items"]) == number


def fill(station: Station) -> tuple[str, str]:
    """Two conversations: Ana waits, Eva was answered; gives their ids."""
    ana = station.append(department="Ventas", campaign="Feria")["contact"]
    station.append(resource=EVA, channel="call", occurred_at="2026-11-22T05:20:00-06:00")
    eva = station.append(
        resource="tel:+525598765432",
        destination=EVA,
        direction="outbound",
        occurred_at="2026-11-22T05:30:00-06:00",
    )["contact"]
    return ana, eva


def test_filters(each_station: Station) -> None:
    """Each filter narrows the list, and its counts, in the same way."""
    ana, eva = fill(each_station)
    each_station.ask("/v1/conversations")
    cases: list[tuple[str, list[str]]] = [
        ("", [eva, ana]),
        ("channel=call", [eva]),
        ("channel=call&channel=whatsapp", [eva, ana]),
        ("department=ventas", [ana]),
        ("department=none", [eva]),
        ("campaign=feria", [ana]),
        ("assignee=none", [eva, ana]),
        ("assignee=00000000-0000-4000-8000-000000000000", []),
        ("team=none", [eva, ana]),
        ("waiting=true", [ana]),
        ("sort=waiting&waiting=true", [ana]),
        ("unread=true", []),
    ]
    for query, expected in cases:
        found = each_station.get(f"/v1/conversations?{query}", fresh=False).json()
        assert (query, [row["id"] for row in found["items"]]) == (query, expected)
    counts = each_station.ask("/v1/conversations/counts", department="ventas")
    assert (counts["open"], counts["all"]) == (1, 1)
    for narrowed in ("unread", "waiting"):
        counts = each_station.ask("/v1/conversations/counts", **{narrowed: "true"})
        listed = each_station.ask("/v1/conversations", **{narrowed: "true"})["items"]
        assert (counts["open"], counts[narrowed]) == (len(listed), len(listed)), narrowed


def test_pages_follow_on_each_other(station: Station) -> None:
    """A page leads to the next by its cursor."""
    ana, eva = fill(station)
    first = station.ask("/v1/conversations", limit=1)
    second = station.ask("/v1/conversations", limit=1, cursor=first["next"])
    assert [row["id"] for row in first["items"] + second["items"]] == [eva, ana]
    assert second["next"] is None


def test_what_a_query_gets_wrong_is_named(station: Station) -> None:
    """422 names the parameter; `me` needs a person behind the token."""
    station.append()
    station.ask("/v1/conversations")
    for query in ("status=old", "channel=fax", "assignee=me", "team=x", "sort=up", "unread=1"):
        answer = station.get(f"/v1/conversations?{query}", fresh=False)
        assert answer.status_code == 422
        name = query.partition("=")[0]
        assert [one["field"] for one in answer.json()["errors"]] == [f"query.{name}"]


def test_what_was_seen_is_read(each_station: Station) -> None:
    """Seen moves a person's own mark, for that person alone, and never back."""
    rosa, ivan = each_station.user("Rosa"), each_station.user("Ivan")
    hers = each_station.bearer("manage", user=rosa)
    his = each_station.bearer("read", user=ivan)
    made = each_station.append()
    last = each_station.append(text="Otra")
    contact = made["contact"]
    assert seen_by(each_station, hers, contact)[0] == 2
    path = f"/v1/conversations/{contact}/seen"
    answer = each_station.post(path, json={"through": last["id"]}, headers=hers)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == CONVERSATION_FIELDS
    assert (answer.json()["unread"], answer.json()["seen_through"]) == (0, last["id"])
    before = each_station.head
    again = each_station.post(path, json={"through": made["id"]}, headers=hers)
    assert (again.json()["seen_through"], each_station.head) == (last["id"], before)
    assert seen_by(each_station, his, contact)[0] == 2
    mine = each_station.get("/v1/conversations", params={"unread": "true"}, headers=his).json()
    assert [row["id"] for row in mine["items"]] == [contact]


def test_seen_is_repeatable(station: Station) -> None:
    """The same key again is a duplicate; with another body it is refused."""
    user = station.user("Rosa")
    headers = {**station.bearer("manage", user=user), "Idempotency-Key": "s-1"}
    made = station.append()
    station.ask("/v1/conversations")
    path = f"/v1/conversations/{made['contact']}/seen"
    assert station.post(path, json={"through": made["id"]}, headers=headers).is_success
    again = station.post(path, json={"through": made["id"]}, headers=headers)
    assert (again.status_code, again.headers["hilo-duplicate"]) == (200, "true")
    other = station.post(path, json={"through": 1}, headers=headers)
    assert other.json()["type"] == "urn:hilo:problem:key-reused"


def test_seen_refuses_what_makes_no_sense(station: Station) -> None:
    """Nobody behind the token, an id from the future, another version, no conversation."""
    made = station.append()
    station.ask("/v1/conversations")
    path = f"/v1/conversations/{made['contact']}/seen"
    hers = station.bearer("manage", user=station.user("Rosa"))

    def refused(path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, str]:
        answer = station.post(path, json=body, headers=headers)
        return answer.status_code, answer.json()["type"].rpartition(":")[2]

    assert refused(path, {"through": 1}, station.headers) == (409, "state")
    assert refused(path, {"through": 99_999}, hers) == (422, "invalid-input")
    assert refused(path, {"through": 0}, hers) == (422, "invalid-input")
    assert refused(path, {"through": 1}, station.bearer("read")) == (403, "not-allowed")
    older = {**hers, "If-Match": '"7"'}
    assert refused(path, {"through": 1}, older) == (412, "changed-meanwhile")
    nobody = "/v1/conversations/00000000-0000-4000-8000-000000000000/seen"
    assert refused(nobody, {"through": 1}, hers) == (404, "not-found")
    made_up = station.post("/v1/contacts", json={"name": "Sin mensajes"}).json()["id"]
    assert station.get(f"/v1/conversations/{made_up}").status_code == 404


def test_a_browser_needs_its_csrf_token(station: Station) -> None:
    """A session's command carries the token that `/v1/me` gave it."""
    browser = station.session(station.user("Rosa", role="manager"))
    made = station.append()
    path = f"/v1/conversations/{made['contact']}/seen"
    csrf = station.get("/v1/me", headers=browser).json()["csrf"]
    refused = station.post(path, json={"through": made["id"]}, headers=browser)
    assert refused.json()["type"] == "urn:hilo:problem:csrf"
    answer = station.post(
        path, json={"through": made["id"]}, headers={**browser, "X-CSRF-Token": csrf}
    )
    assert answer.status_code == 200
