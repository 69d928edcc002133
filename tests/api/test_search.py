"""Search over HTTP: items, excerpts and marks, kinds, filters, pages, refusals, freshness."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.station import Station

LUIS = "tel:+525587654321"


def said(answer: dict[str, Any]) -> list[str]:
    """What the messages of an answer say."""
    return [item["row"]["text"] for item in answer["items"] if item["kind"] == "message"]


@pytest.fixture
def told(each_station: Station) -> Station:
    """Some messages of two contacts."""
    station = each_station
    files = [{"name": "Lista_de_precios.pdf", "media_type": "application/pdf", "bytes": 9}]
    station.append(text="El coche rojo, ¿cuánto?", contact_name="Ana Rojas")
    station.append(text="Rojo: $250,000", resource=LUIS, contact_name="Luis", campaign="suv")
    station.append(text=None, attachments=files, occurred_at="2026-11-21T05:00:00-06:00")
    station.append(text=" ".join(["bla"] * 1_000) + " el final rojizo", channel="sms")
    return station


def test_messages_come_with_excerpt_and_marks(told: Station) -> None:
    """An item has the interaction row, the part that was found, and ranges of its characters."""
    found = told.ask("/v1/search", q="rojo")
    assert [item["kind"] for item in found["items"]] == ["message", "message"]
    rows = [item["row"] for item in found["items"]]
    listed = told.ask("/v1/activity")["items"]
    assert rows == [row for row in listed if "rojo" in (row["text"] or "").lower()]
    marked = [
        [item["excerpt"][start:end] for start, end in item["marks"]] for item in found["items"]
    ]
    assert marked == [["Rojo"], ["rojo"]]
    (file,) = told.ask("/v1/search", q="PRECIOS lista")["items"]
    assert (file["excerpt"], file["marks"]) == ("Lista_de_precios.pdf", [[0, 5], [9, 16]])
    late = told.ask("/v1/search", q="rojiz")["items"][0]
    assert late["row"]["text_truncated"]
    assert late["excerpt"].endswith("el final rojizo")


def test_contacts_stand_ahead_or_alone(told: Station) -> None:
    """Who is found by name or number says by what; `kind` asks for one kind, or for both."""
    both = told.ask("/v1/search", q="roja")["items"]
    assert [item["kind"] for item in both] == ["contact"]
    assert both[0]["matched"] == {"field": "name", "value": "Ana Rojas"}
    assert both[0]["contact"]["name"] == "Ana Rojas"
    luis = told.ask("/v1/search", q="8765", kind="contact,message")["items"][0]
    assert luis["matched"] == {"field": "address", "value": LUIS}
    assert [i["kind"] for i in told.ask("/v1/search", q="luis rojo")["items"]] == []
    assert told.ask("/v1/search", q="Rojas", kind="message")["items"] == []
    id = told.ask("/v1/activity", campaign="suv")["items"][0]["id"]
    (by_id,) = told.ask("/v1/search", q=f"#{id}", kind="contact")["items"]
    assert by_id["contact"] == luis["contact"]
    assert by_id["matched"] == {"field": "interaction", "value": f"#{id}"}


def test_filters_pages_and_relevance(told: Station) -> None:
    """The activity's filters hold; a cursor leads through, and is bound to its search."""
    assert said(told.ask("/v1/search", q="rojo", campaign="suv")) == ["Rojo: $250,000"]
    assert said(told.ask("/v1/search", q="rojo", **{"from": "2026-11-23"})) == []
    ana = told.ask("/v1/contacts", q="Ana")["items"][0]["id"]
    assert said(told.ask("/v1/search", q="rojo", contact=ana)) == ["El coche rojo, ¿cuánto?"]
    first = told.ask("/v1/search", q="rojo", kind="message", limit=1)
    second = told.ask("/v1/search", q="rojo", kind="message", limit=1, cursor=first["next"])
    assert [*said(first), *said(second)] == ["Rojo: $250,000", "El coche rojo, ¿cuánto?"]
    assert said(told.ask("/v1/search", q="rojo", sort="relevance"))[0] == "Rojo: $250,000"
    params = {"q": "coche", "kind": "message", "limit": 1, "cursor": first["next"]}
    assert told.get("/v1/search", params=params).json()["type"] == "urn:hilo:problem:bad-cursor"


def test_what_changes_is_found_as_it_is(told: Station) -> None:
    """A correction and a retraction reach the search; the position says how far it came."""
    id = told.append(source="manual", text="verde", channel="call")["id"]
    body = {"changes": {"text": "azul"}, "reason": "era azul"}
    assert told.post(f"/v1/interactions/{id}/corrections", json=body).status_code in {200, 201}
    answer = told.get("/v1/search", params={"q": "azul"})
    assert said(answer.json()) == ["azul"]
    assert int(answer.headers["hilo-position"]) >= told.head
    assert said(told.ask("/v1/search", q="verde")) == []
    told.post(f"/v1/interactions/{id}/retraction", json={"reason": "por error"})
    assert said(told.ask("/v1/search", q="azul")) == []


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("q=a", "query.q", "bad_length"),
        ("", "query.q", "bad_length"),
        ("q=" + "a" * 201, "query.q", "bad_length"),
        ("q=hola&kind=note", "query.kind", "bad_enum"),
        ("q=hola&sort=oldest", "query.sort", "bad_enum"),
        ("q=hola&channel=fax", "query.channel", "bad_enum"),
        ("q=hola&order=asc", "query.order", "unknown_field"),
        ("q=hola&limit=0", "query.limit", "out_of_range"),
    ],
)
def test_a_bad_search_names_its_field(station: Station, query: str, field: str, code: str) -> None:
    """422, with the parameter and why."""
    answer = station.get(f"/v1/search?{query}", fresh=False)
    assert answer.status_code == 422
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, code)]


def test_words_that_are_behind_are_not_passed_off_as_fresh(station: Station) -> None:
    """503 `not-yet` where the search is not at the position that was asked for."""
    station.append(text="hola")
    assert said(station.ask("/v1/search", q="hola")) == ["hola"]
    for follower in station.composition.beside:
        follower.stop()
        follower.release()
    station.append(text="hola otra vez")
    station.ask("/v1/activity")
    params = {"q": "hola", "min_position": station.head, "wait_ms": 50}
    answer = station.get("/v1/search", fresh=False, params=params)
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:hilo:problem:not-yet"
    stale = station.get("/v1/search", fresh=False, params={"q": "hola"})
    assert said(stale.json()) == ["hola"]
    assert int(stale.headers["hilo-position"]) < station.head
    views = {one["group"]: one for one in station.ask("/v1/views")["items"]}
    assert views["search"]["serving"]
    assert views["search"]["lag"] == 1
