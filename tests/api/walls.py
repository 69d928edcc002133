"""Contacts of every kind of openness, and readers of every kind who ask for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.api.station import Station, open_station
from tests.backends import Backend, Kind

OURS: Final = "tel:+525598765432"
OPEN: Final = "tel:+525511110001"
CLOSED: Final = "tel:+525511110002"
TEAM_S: Final = "tel:+525511110003"
MERGED: Final = "tel:+525511110004"
PART: Final = "tel:+525511110005"


@dataclass
class House:
    """A station with contacts of every kind, by their address, and readers of every kind."""

    station: Station
    contacts: dict[str, str]
    ids: dict[str, int]
    readers: dict[str, dict[str, str]]
    sees: dict[str, set[str]]
    """What each reader may see: addresses."""


Houses = Callable[[Kind], House]
"""The house on a kind of database."""


@contextmanager
def furnished(backend: Backend) -> Iterator[House]:
    """Five contacts: open, restricted to Rosa, to a team, and a merge of open and restricted."""
    with open_station(backend) as station:
        rosa, luis = station.user("Rosa"), station.user("Luis")
        boss, clerk = station.user("Marta", "manager"), station.user("Aldo", "auditor")
        team = station.post("/v1/teams", json={"name": "Ventas"}).json()["id"]
        joined = station.post(f"/v1/teams/{team}/members", json={"user": str(luis)})
        assert joined.status_code in {200, 201}, joined.text
        contacts, ids = {}, {}
        for address in (OPEN, CLOSED, TEAM_S, MERGED, PART):
            made = station.append(resource=address, destination=OURS, text=f"hola {address}")
            contacts[address], ids[address] = made["contact"], made["id"]
        restrict(station, contacts[CLOSED], users=[str(rosa)])
        restrict(station, contacts[TEAM_S], teams=[team])
        restrict(station, contacts[PART], users=[str(rosa)])
        merged = station.post(
            f"/v1/contacts/{contacts[MERGED]}/merge",
            json={"other": contacts[PART], "reason": "la misma"},
        )
        assert merged.status_code in {200, 201}, merged.text
        contacts[PART] = contacts[MERGED]
        station.composition.proving.now()
        everybody = {OPEN, CLOSED, TEAM_S, MERGED, PART}
        readers = {
            "admin": station.headers,
            "rosa": station.bearer("manage", user=rosa),
            "luis": station.bearer("manage", user=luis),
            "marta": station.bearer("manage", user=boss),
            "aldo": station.bearer("audit", "read", user=clerk),
            "nobody": station.bearer("manage"),
        }
        sees = {
            "admin": everybody,
            "rosa": {OPEN, CLOSED, MERGED, PART},
            "luis": {OPEN, TEAM_S},
            "marta": {OPEN},
            "aldo": {OPEN},
            "nobody": {OPEN},
        }
        yield House(station, contacts, ids, readers, sees)


def restrict(station: Station, contact: str, **named: list[str]) -> None:
    """Restrict a contact to some users and teams."""
    body = {"mode": "restricted", "reason": "cuenta delicada", **named}
    station.get("/v1/contacts")
    answer = station.post(f"/v1/contacts/{contact}/access", json=body)
    assert answer.status_code == 200, answer.text
