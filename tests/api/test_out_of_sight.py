"""What one may not see stays out of sight, whichever way one tries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.api.station import Station, open_station
from tests.backends import Backend

OURS: Final = "tel:+525598765432"
OPEN: Final = "tel:+525511110001"
CLOSED: Final = "tel:+525511110002"
SECOND: Final = "tel:+525511110003"


@dataclass
class Room:
    """An open contact, one that only Rosa sees, and what they speak with."""

    station: Station
    open: str
    closed: str
    secret: int
    rosa: dict[str, str]
    luis: dict[str, str]


@pytest.fixture
def room(backend: Backend) -> Iterator[Room]:
    """Two contacts, and two agents: Luis does not see the second one."""
    with open_station(backend) as station:
        rosa, luis = station.user("Rosa"), station.user("Luis")
        seen = station.append(resource=OPEN, destination=OURS)
        hidden = station.append(resource=CLOSED, destination=OURS, text="entre nosotros")
        room = Room(
            station,
            seen["contact"],
            hidden["contact"],
            hidden["id"],
            station.bearer("manage", user=rosa),
            station.bearer("manage", user=luis),
        )
        _restrict(station, room.closed, users=["rosa@example.mx"])
        yield room


def test_an_address_of_a_hidden_contact_cannot_be_taken(room: Room) -> None:
    """Who may not see a contact takes no address of it: what was said over it would come along."""
    room.station.post(
        f"/v1/contacts/{room.closed}/addresses", json={"address": SECOND}, headers=room.rosa
    )
    room.station.append(resource=SECOND, destination=OURS, text="entre nosotros")
    for more in ({}, {"move": True}, {"move": True, "from": "2026-11-01T00:00:00Z"}):
        refused = room.station.post(
            f"/v1/contacts/{room.open}/addresses",
            json={"address": SECOND, **more},
            headers=room.luis,
        )
        assert refused.status_code == 409, refused.text
        assert refused.json()["type"] == "urn:hilo:problem:address-taken"
        assert refused.json()["contact"] is None
    listed = room.station.get(f"/v1/contacts/{room.open}/timeline", headers=room.luis)
    assert "entre nosotros" not in listed.text


def test_acting_for_somebody_opens_no_eyes(room: Room) -> None:
    """A person who acts for another sees what both may see; a program sees what the other does."""
    for who, status in ((room.luis, 404), (room.station.bearer("manage"), 200)):
        acting = {**who, "Hilo-Acting-As": "rosa@example.mx"}
        assert room.station.get(f"/v1/contacts/{room.closed}", headers=acting).status_code == status
        listed = room.station.get("/v1/activity", headers=acting)
        assert ("entre nosotros" in listed.text) == (status == 200)
    acting = {**room.rosa, "Hilo-Acting-As": "luis@example.mx"}
    assert room.station.get(f"/v1/contacts/{room.closed}", headers=acting).status_code == 404


def test_a_page_around_what_is_hidden_is_a_page_around_nothing(room: Room) -> None:
    """Activity around an interaction out of access answers as around none at all."""
    for sort in ("occurred", "recorded"):
        answers = [
            room.station.get(
                "/v1/activity", params={"around": number, "sort": sort}, headers=room.luis
            )
            for number in (room.secret, 1)
        ]
        assert [one.status_code for one in answers] == [404, 404]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_a_conversation_says_that_it_is_restricted(room: Room) -> None:
    """The row of a conversation tells whether all may see it, also once it was opened again."""
    row = room.station.ask(f"/v1/conversations/{room.closed}")
    assert row["restricted"] is True
    assert room.station.ask(f"/v1/conversations/{room.open}")["restricted"] is False
    opened = room.station.post(
        f"/v1/contacts/{room.closed}/access", json={"mode": "open", "reason": "ya no"}
    )
    assert opened.status_code == 200, opened.text
    assert room.station.ask(f"/v1/conversations/{room.closed}")["restricted"] is False


def test_closing_a_contact_to_oneself_is_answered(room: Room) -> None:
    """Who closes a contact to themselves is told that it is done; from then on it is absent."""
    done = room.station.post(
        f"/v1/contacts/{room.open}/access",
        json={"mode": "restricted", "users": ["rosa@example.mx"], "reason": "suyo"},
        headers=room.luis,
    )
    assert done.status_code == 200, done.text
    assert done.json()["access"]["users"][0]["name"] == "Rosa"
    assert room.station.get(f"/v1/contacts/{room.open}", headers=room.luis).status_code == 404


def test_undoing_a_merge_into_hiding_is_answered(room: Room) -> None:
    """A part that is out of sight again after an undoing is null in its answer."""
    station = room.station
    merged = station.post(f"/v1/contacts/{room.open}/merge", json={"other": room.closed}).json()
    station.post(f"/v1/contacts/{room.open}/access", json={"mode": "open", "reason": "todo"})
    station.get(f"/v1/contacts/{room.open}", headers=room.luis).raise_for_status()
    undone = station.post(
        f"/v1/contacts/{room.open}/merges/{merged['merge']}/undo", json={}, headers=room.luis
    )
    assert undone.status_code == 200, undone.text
    assert undone.json()["contact"]["id"] == room.open
    assert undone.json()["other"] is None


def test_what_leaves_a_restricted_contact_stays_restricted(room: Room) -> None:
    """An address that is taken off, or moved away, is seen by nobody more than before."""
    station = room.station
    addresses = f"/v1/contacts/{room.closed}/addresses"
    linked = station.post(addresses, json={"address": SECOND}, headers=room.rosa)
    secret = station.append(resource=SECOND, destination=OURS, text="por el segundo")
    subject = linked.json()["addresses"][-1]["subject"]
    assert station.request("DELETE", f"{addresses}/{subject}", headers=room.rosa).status_code == 204
    for who, status in ((room.rosa, 200), (room.luis, 404)):
        alone = station.get(f"/v1/contacts/{subject}", headers=who)
        assert alone.status_code == status, alone.text
        card = station.get(f"/v1/interactions/{secret['id']}", headers=who)
        assert card.status_code == status, card.text
    moved = station.post(
        f"/v1/contacts/{room.open}/addresses",
        json={"address": SECOND, "move": True},
        headers=room.rosa,
    )
    assert moved.status_code == 200, moved.text
    assert [one["id"] for one in moved.json()["access"]["users"]]
    assert "por el segundo" not in station.get("/v1/activity", headers=room.luis).text


def test_undoing_a_merge_that_was_restricted_opens_neither_part(room: Room) -> None:
    """Who may see the whole is who may see each part after; again answers the same."""
    station = room.station
    third = station.append(resource=SECOND, destination=OURS, text="del tercero")
    merged = station.post(
        f"/v1/contacts/{room.open}/merge", json={"other": third["contact"]}
    ).json()
    _restrict(station, room.open, users=["rosa@example.mx"])
    path = f"/v1/contacts/{room.open}/merges/{merged['merge']}/undo"
    key = {"Idempotency-Key": "aparte"}
    undone = station.post(path, json={}, headers=room.rosa | key)
    assert undone.status_code == 200, undone.text
    assert undone.json()["other"]["access"]["mode"] == "restricted"
    assert station.get(f"/v1/contacts/{third['contact']}", headers=room.luis).status_code == 404
    history = station.ask(f"/v1/contacts/{third['contact']}/access")["history"]
    assert [one["reason"] for one in history] == ["It was part of a restricted contact."]
    _restrict(station, third["contact"], users=["luis@example.mx"])
    again = station.post(path, json={}, headers=room.rosa | key)
    assert (again.status_code, again.headers.get("Hilo-Duplicate")) == (200, "true"), again.text
    assert again.json()["other"] is None


def _restrict(station: Station, contact: str, **named: list[str]) -> None:
    body = {"mode": "restricted", "reason": "reservado", **named}
    done = station.post(f"/v1/contacts/{contact}/access", json=body)
    assert done.status_code == 200, done.text
