"""Internal notes over HTTP: in the timeline for the team, and counted nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.station import Station

NOBODY = "00000000-0000-4000-8000-000000000000"
FIELDS = ["kind", "id", "contact", "text", "by", "occurred_at", "recorded_at", "retracted"]


def note(station: Station, contact: str, text: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own
    """A note that was written; its row."""
    answer = station.post(f"/v1/conversations/{contact}/notes", json={"text": text}, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_note_is_a_row_of_the_timeline(each_station: Station) -> None:
    """With its author, whole, and only where notes are asked for or nothing is."""
    rosa = each_station.user("Rosa")
    hers = each_station.bearer("manage", user=rosa)
    contact = each_station.append(contact_name="Ana")["contact"]
    each_station.ask("/v1/conversations")
    text = "No llamar antes de las diez. " * 120
    row = note(each_station, contact, text, headers=hers)
    assert list(row) == FIELDS
    assert (row["kind"], row["text"], row["retracted"]) == ("note", text.strip(), None)
    assert row["by"] == {"id": str(rosa), "name": "Rosa"}
    assert row["contact"] == {"id": contact, "name": "Ana", "label": "Ana"}
    assert row["occurred_at"] == row["recorded_at"]
    path = f"/v1/contacts/{contact}/timeline"
    kinds = [one["kind"] for one in each_station.ask(path)["items"]]
    assert kinds == ["note", "interaction"]
    assert each_station.ask(path, kind="note")["items"] == [row]
    assert [one["kind"] for one in each_station.ask(path, kind="interaction")["items"]] == [
        "interaction"
    ]
    assert each_station.ask(path, channel="whatsapp", kind="note")["items"] == []


def test_notes_are_paged_with_the_rest(each_station: Station) -> None:
    """By time and position, both ways, each once."""
    made = each_station.append()
    contact = made["contact"]
    written = [note(each_station, contact, f"nota {number}")["id"] for number in range(3)]
    made_later = each_station.append(text="y después", occurred_at="2026-11-22T12:00:00Z")["id"]
    path = f"/v1/contacts/{contact}/timeline"
    found: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = each_station.ask(path, limit=2, **cursor)
        found += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert found == [made_later, *reversed(written), made["id"]]
    assert [row["id"] for row in each_station.ask(path, order="asc")["items"]] == found[::-1]


def test_a_note_counts_nowhere(each_station: Station) -> None:
    """Neither in the conversation nor in Activity, nor as unread, nor as a card."""
    hers = each_station.bearer("manage", user=each_station.user("Rosa"))
    contact = each_station.append()["contact"]
    path = f"/v1/conversations/{contact}"
    before = each_station.get(path, headers=hers).json()
    row = note(each_station, contact, "nota")
    assert each_station.get(path, headers=hers).json() == before
    assert [one["kind"] for one in each_station.ask("/v1/activity")["items"]] == ["interaction"]
    assert each_station.ask("/v1/activity", contact=contact, sort="recorded")["items"] == [
        before["last"]
    ]
    assert each_station.ask("/v1/activity", kind="note")["items"] == []
    assert each_station.get(f"/v1/interactions/{row['id']}").status_code == 404
    shown = each_station.ask(f"/v1/contacts/{contact}")
    assert (shown["interactions"], shown["by_channel"]) == (1, {"whatsapp": 1})
    correction = f"/v1/interactions/{before['last']['id']}/corrections"
    body = {"changes": {"department": "taller"}, "reason": "área"}
    assert each_station.post(correction, json=body).status_code == 200
    now = each_station.ask(path)
    assert (now["interactions"], now["channels"]) == (1, ["whatsapp"])


def test_a_note_may_be_void(each_station: Station) -> None:
    """It stays, marked with who and why; saying so twice leaves one event."""
    hers = each_station.bearer("manage", user=each_station.user("Rosa"))
    contact = each_station.append()["contact"]
    row = note(each_station, contact, "otra persona")
    path = f"/v1/conversations/{contact}/notes/{row['id']}/retraction"
    answer = each_station.post(path, json={"reason": "era de otro"}, headers=hers)
    assert answer.status_code == 200, answer.text
    void = answer.json()
    assert void["text"] == "otra persona"
    assert void["retracted"]["by"]["name"] == "Rosa"
    assert void["retracted"]["reason"] == "era de otro"
    assert each_station.ask(f"/v1/contacts/{contact}/timeline", kind="note")["items"] == [void]
    before = each_station.head
    assert each_station.post(path, json={"reason": "otra vez"}).json() == void
    assert each_station.head == before


def test_a_note_may_come_again(station: Station) -> None:
    """The same key gives the same note; without one, two equal notes are two."""
    contact = station.append()["contact"]
    station.ask("/v1/conversations")
    path = f"/v1/conversations/{contact}/notes"
    keyed = {**station.headers, "Idempotency-Key": "n-1"}
    first = station.post(path, json={"text": "nota"}, headers=keyed)
    again = station.post(path, json={"text": "nota"}, headers=keyed)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json(), again.headers["hilo-duplicate"]) == (first.json(), "true")
    other = station.post(path, json={"text": "otra"}, headers=keyed)
    assert other.json()["type"] == "urn:hilo:problem:key-reused"
    assert note(station, contact, "nota")["id"] != note(station, contact, "nota")["id"]


def test_a_contact_without_interactions_can_have_notes(station: Station) -> None:
    """The note is there before the first message is; there is no conversation for it yet."""
    contact = station.post("/v1/contacts", json={"name": "Eva"}).json()["id"]
    row = note(station, contact, "recomendada por Ana")
    assert row["contact"]["name"] == "Eva"
    assert [one["id"] for one in station.ask(f"/v1/contacts/{contact}/timeline")["items"]] == [
        row["id"]
    ]
    assert station.get(f"/v1/conversations/{contact}").status_code == 404


def test_a_note_of_a_token_has_its_name(station: Station) -> None:
    """A program's note says which program; acting for somebody, it is theirs."""
    contact = station.append()["contact"]
    by_program = note(station, contact, "desde el CRM")
    assert by_program["by"]["name"].startswith("token ")
    rosa = station.user("Rosa")
    acting = {**station.headers, "Hilo-Acting-As": str(rosa)}
    station.ask("/v1/conversations")
    assert note(station, contact, "por ella", headers=acting)["by"]["name"] == "Rosa"


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "  "}, {"text": "x" * 10_001}])
def test_a_note_says_something(station: Station, body: dict[str, str]) -> None:
    """Nothing, only spaces, or a whole book are refused, by name."""
    contact = station.append()["contact"]
    answer = station.post(f"/v1/conversations/{contact}/notes", json=body)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["text"]


def test_notes_are_found_under_their_contact_alone(station: Station) -> None:
    """Another contact's note, an interaction, and nothing at all are not found."""
    made = station.append()
    other = station.append(resource="tel:+525577778888")["contact"]
    row = note(station, made["contact"], "nota")
    for contact, id in ((other, row["id"]), (made["contact"], made["id"]), (NOBODY, row["id"])):
        path = f"/v1/conversations/{contact}/notes/{id}/retraction"
        assert station.post(path, json={"reason": "x"}).status_code == 404
    path = f"/v1/conversations/{NOBODY}/notes"
    assert station.post(path, json={"text": "x"}).status_code == 404
    reader = station.bearer("read")
    path = f"/v1/conversations/{made['contact']}/notes"
    assert station.post(path, json={"text": "x"}, headers=reader).status_code == 403
