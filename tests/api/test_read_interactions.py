"""The card: all of one interaction, its history, and what was known of it on an earlier day."""

from __future__ import annotations

from base64 import b64encode

import pytest

from projections.access import Access, Reader, Visible
from projections.directory_rows import CONTACTS
from projections.views import Reading
from tests.api.station import Station

ROW_FIELDS = [
    "kind", "id", "interaction", "url", "contact", "contacts", "channel", "direction", "origin",
    "source", "resource", "destination", "occurred_at", "occurred_offset_min",
    "occurred_at_source", "recorded_at", "logged_late", "subject", "text", "text_truncated",
    "attended_by", "department", "campaign", "status", "call", "attachments", "participants",
    "thread", "in_reply_to", "reactions", "auto", "edited_at", "revoked_at", "corrected",
    "retracted", "twin", "erased",
]  # fmt: skip
"""The interaction row of the contract, in its order."""

CARD_FIELDS = {
    "external_id", "details", "actor", "on_behalf_of", "position", "html", "history", "proof",
    "twins",
}  # fmt: skip


def test_a_card_has_every_field_of_the_contract(each_station: Station) -> None:
    """The card is the row with its whole text, and what only the card has."""
    long = "x" * 3_000
    made = each_station.append(text=long, details={"a": [1]}, external_id="wamid.A")
    answer = each_station.get(f"/v1/interactions/{made['id']}")
    body = answer.json()
    assert set(body) == {*ROW_FIELDS, *CARD_FIELDS}
    assert answer.headers["hilo-position"] == str(each_station.head)
    assert answer.headers["cache-control"] == "no-store"
    assert (body["text"], body["text_truncated"]) == (long, False)
    assert (body["external_id"], body["details"], body["html"]) == ("wamid.A", {"a": [1]}, None)
    assert (body["position"], body["twins"], body["on_behalf_of"]) == (made["id"], [], None)
    assert body["actor"]["kind"] == "token"
    assert body["actor"]["name"] == "token 1"


def test_a_card_names_its_leaf(each_station: Station) -> None:
    """The proof is the leaf hash of the stored bytes, unsigned so far, with the receipt's link."""
    made = each_station.append()
    stored = each_station.composition.log.page(made["id"] - 1, 1)[0]
    assert each_station.ask(f"/v1/interactions/{made['id']}")["proof"] == {
        "leaf": b64encode(each_station.composition.leaf(stored)).decode(),
        "checkpoint_size": None,
        "receipt": f"/v1/interactions/{made['id']}/receipt",
    }


def test_the_history_tells_each_event(each_station: Station) -> None:
    """Record, delivery and correction stand one by one: who, when, from what to what, why."""
    made = each_station.append(direction="outbound", department="Ventas")
    path = f"/v1/interactions/{made['id']}"
    each_station.post(f"{path}/statuses", json={"status": "sent", "at": "2026-11-22T11:59:00Z"})
    each_station.post(
        f"{path}/corrections",
        json={"changes": {"department": "Posventa", "attended_by": "Rosa"}, "reason": "otra área"},
    )
    each_station.post(f"{path}/retraction", json={"reason": "duplicada"})
    found = each_station.ask(path)["history"]
    assert [one["event"] for one in found] == [
        "interaction.recorded",
        "delivery.reported",
        "interaction.corrected",
        "interaction.retracted",
    ]
    assert list(found[0]) == [
        "position", "event", "at", "recorded_at", "by", "changes", "reason",
    ]  # fmt: skip
    assert (found[0]["position"], found[0]["changes"]) == (made["id"], None)
    assert found[1]["at"] == "2026-11-22T11:59:00.000000Z"
    assert found[1]["changes"] == [{"field": "status", "from": None, "to": "sent"}]
    changes = {change["field"]: change for change in found[2]["changes"]}
    assert (changes["department"]["from"], changes["department"]["to"]) == ("ventas", "posventa")
    assert changes["attended_by"]["from"] is None
    assert (found[2]["reason"], found[3]["reason"]) == ("otra área", "duplicada")
    assert found[2]["by"]["kind"] == "token"


def test_a_corrected_time_keeps_its_offset_and_calls_say_their_seconds(
    each_station: Station,
) -> None:
    """The offset stays where only the time moved, and fields have the names of the request."""
    made = each_station.append(
        source="manual",
        channel="call",
        occurred_at="2026-11-22T05:00:00-06:00",
        call={"seconds": 5, "outcome": "answered"},
    )
    path = f"/v1/interactions/{made['id']}"
    changes = {"occurred_at": "2026-11-22T04:00:00-06:00", "call.seconds": 9}
    each_station.post(f"{path}/corrections", json={"changes": changes, "reason": "typo"})
    card = each_station.ask(path)
    assert (card["occurred_at"], card["occurred_offset_min"]) == (
        "2026-11-22T10:00:00.000000Z",
        -360,
    )
    assert card["corrected"] == ["call.seconds", "occurred_at"]
    assert card["history"][1]["changes"] == [
        {"field": "call.seconds", "from": 5, "to": 9},
        {
            "field": "occurred_at",
            "from": "2026-11-22T11:00:00.000000Z",
            "to": "2026-11-22T10:00:00.000000Z",
        },
    ]
    moved = {"changes": {"occurred_at": "2026-11-22T04:00:00+01:00"}, "reason": "zone"}
    each_station.post(f"{path}/corrections", json=moved)
    card = each_station.ask(path)
    assert card["occurred_offset_min"] == 60
    assert [one["field"] for one in card["history"][2]["changes"]] == ["occurred_at"]


def test_facts_about_an_email_are_in_its_history(each_station: Station) -> None:
    """What names an e-mail's Message-ID is found by its card as well."""
    made = each_station.append(
        channel="email",
        direction="outbound",
        resource="mailto:ventas@colibri.mx",
        destination="mailto:ana@example.com",
        external_id="<a@colibri.mx>",
        source="email:ventas",
    )
    each_station.post(
        f"/v1/interactions/{made['id']}/statuses",
        json={"status": "delivered", "at": "2026-11-22T11:59:00Z"},
    )
    history = each_station.ask(f"/v1/interactions/{made['id']}")["history"]
    assert [one["event"] for one in history] == ["interaction.recorded", "delivery.reported"]


def test_a_card_as_of_an_earlier_moment(each_station: Station) -> None:
    """`as_of` a position or a time shows what was known then, and no later event."""
    made = each_station.append(department="Ventas")
    path = f"/v1/interactions/{made['id']}"
    each_station.now[0] += 3_600_000_000
    each_station.post(
        f"{path}/corrections", json={"changes": {"department": "Taller"}, "reason": "x"}
    )
    assert each_station.ask(path)["department"]["key"] == "taller"
    for moment in (str(made["id"]), "2026-11-22T12:30:00Z"):
        then = each_station.ask(path, as_of=moment)
        assert (then["department"]["key"], then["corrected"]) == ("ventas", [])
        assert [one["event"] for one in then["history"]] == ["interaction.recorded"]
    assert each_station.ask(path, as_of="2026-11-22T13:00:00Z")["corrected"] == ["department"]


def test_nothing_was_known_before_the_record(station: Station) -> None:
    """Before it was recorded an interaction is not there: 404."""
    station.append()
    made = station.append()
    path = f"/v1/interactions/{made['id']}"
    assert station.get(path, params={"as_of": str(made["id"] - 1)}).status_code == 404
    assert station.get(path, params={"as_of": "2020-01-01"}).status_code == 404


def test_no_interaction_is_not_found(station: Station) -> None:
    """A number that is no interaction's (another event's, none) is 404 with a problem."""
    station.append()
    for id in ("0", "99999", "1", "x", "-1", "9" * 30):
        answer = station.get(f"/v1/interactions/{id}")
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:hilo:problem:not-found"


def test_a_card_refuses_what_it_does_not_know(station: Station) -> None:
    """Unknown or unreadable parameters are named: 422."""
    made = station.append()
    for name, value in (("as_of", "soon"), ("as_off", "1"), ("wait_ms", "x")):
        answer = station.get(f"/v1/interactions/{made['id']}", params={name: value})
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["errors"]] == [f"query.{name}"]


def test_out_of_access_is_absence(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card of a contact that the reader may not see is the same 404 as none at all."""
    made = station.append()
    hide(monkeypatch)
    answer = station.get(f"/v1/interactions/{made['id']}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"There is no interaction {made['id']}."


def hide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody see anything from now on."""

    def nothing(_: Access, reader: Reader, reading: Reading) -> Visible:
        found = reading.fetch(f"SELECT contact FROM {reading.name(CONTACTS)}")
        return Visible(frozenset(row[0] for row in found), reader, reading, ())

    monkeypatch.setattr(Access, "visible", nothing)
    monkeypatch.setattr(Visible, "contacts", lambda *_: ("1 = 0", ()))
    monkeypatch.setattr(Visible, "interactions", lambda *_: ("1 = 0", ()))
