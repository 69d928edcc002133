"""Teams, departments, campaigns and sources over HTTP; who was in a team on a day."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.api.browser import invited, patch, with_key
from tests.api.station import Station

MAIL = "rosa@example.mx"

# -------------------------------------------------------------------------------- teams


def test_who_was_in_a_team_on_that_day(each_station: Station) -> None:
    """Members now from the views; at a time or position from the log; the history says by whom."""
    rosa = invited(each_station, MAIL, name="Rosa")["id"]
    luis = invited(each_station, "luis@example.mx", name="Luis")["id"]
    made = each_station.post(
        "/v1/teams", json={"name": "Taller"}, headers=with_key(each_station, "t")
    )
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    team = made.json()["id"]
    again = each_station.post(
        "/v1/teams", json={"name": "Taller"}, headers=with_key(each_station, "t")
    )
    assert (again.status_code, again.json()["id"]) == (200, team)
    path, hour = f"/v1/teams/{team}", 3_600_000_000
    each_station.now[0] += hour
    each_station.post(f"{path}/members", json={"user": MAIL})
    position = each_station.head
    each_station.now[0] += hour
    row = each_station.post(f"{path}/members", json={"user": luis}).json()
    assert [one["name"] for one in row["members"]] == ["Luis", "Rosa"]
    each_station.now[0] += hour
    assert each_station.request("DELETE", f"{path}/members/{rosa}").status_code == 204
    assert each_station.request("DELETE", f"{path}/members/{rosa}").status_code == 204
    assert [one["id"] for one in each_station.ask(path)["members"]] == [luis]
    assert each_station.ask(path)["version"] == 4

    def then(as_of: object) -> list[str]:
        return [one["name"] for one in each_station.ask(path, as_of=as_of)["members"]]

    assert then(position) == ["Rosa"]
    assert then("2026-11-22T12:30:00Z") == []
    assert then("2026-11-22T14:59:59Z") == ["Luis", "Rosa"]
    assert then("2026-11-22T15:00:00Z") == ["Luis"]
    early = each_station.get(path, params={"as_of": "2026-11-22T11:00:00Z"})
    assert early.status_code == 404
    history = each_station.ask(f"{path}/history")["items"]
    assert [(one["event"], (one["user"] or {}).get("name")) for one in history] == [
        ("team.added", None),
        ("team.joined", "Rosa"),
        ("team.joined", "Luis"),
        ("team.left", "Rosa"),
    ]
    assert each_station.ask(f"/v1/users/{luis}")["teams"] == [{"id": team, "name": "Taller"}]


def test_a_team_is_renamed_and_retired(station: Station) -> None:
    """Its name changes, `active=false` takes it out of forms; an older version is 412."""
    team = station.post("/v1/teams", json={"name": "Taller"}).json()["id"]
    path = f"/v1/teams/{team}"
    row = patch(station, path, {"name": "Taller norte"}, **{"If-Match": '"1"'}).json()
    assert (row["name"], row["version"]) == ("Taller norte", 2)
    late = patch(station, path, {"active": False}, **{"If-Match": '"1"'})
    assert (late.status_code, late.json()["current"]["version"]) == (412, 2)
    assert patch(station, path, {"active": False}).json()["active"] is False
    assert station.ask("/v1/teams", active="true")["items"] == []
    assert len(station.ask("/v1/teams")["items"]) == 1
    assert patch(station, path, {}).status_code == 422
    missing = f"/v1/teams/{UUID(int=9)}"
    assert patch(station, missing, {"name": "X"}).status_code == 404
    assert station.get(missing).status_code == 404
    assert station.get(f"{missing}/history").status_code == 404
    member = station.post(f"{path}/members", json={"user": "Rosa"})
    assert member.json()["errors"][0]["field"] == "user"


# -------------------------------------------------------------------------------- words


@pytest.mark.parametrize("kind", ["departments", "campaigns"])
def test_a_word_keeps_its_key_when_its_name_changes(each_station: Station, kind: str) -> None:
    """Rows show the new name under the old key; retired ones are not offered, and still shown."""
    path = f"/v1/{kind}"
    made = each_station.post(path, json={"name": "Venta SUV 2025"})
    assert (made.status_code, made.json()["key"]) == (201, "venta-suv-2025")
    assert made.headers["location"] == f"{path}/venta-suv-2025"
    assert each_station.post(path, json={"name": "venta suv 2025"}).status_code == 409
    one = f"{path}/venta-suv-2025"
    field = kind[:-1]
    each_station.append(**{field: "VENTA SUV 2025"})
    row = patch(each_station, one, {"name": "SUV", "active": False}, **{"If-Match": '"1"'})
    assert row.json() == {"key": "venta-suv-2025", "name": "SUV", "active": False, "version": 2}
    assert patch(each_station, one, {"name": "X"}, **{"If-Match": '"1"'}).status_code == 412
    (shown,) = each_station.ask("/v1/activity")["items"]
    assert shown[field] == {"key": "venta-suv-2025", "name": "SUV"}
    assert each_station.ask(path, active="true")["items"] == []
    assert each_station.ask(one)["active"] is False
    assert each_station.get(f"{path}/nada").status_code == 404
    assert patch(each_station, f"{path}/nada", {"name": "X"}).status_code == 404
    assert patch(each_station, one, {"name": " "}).status_code == 422
    wrong = each_station.post(path, json={"name": "X", "key": "Not A Key"})
    assert wrong.json()["errors"][0]["field"] == "key"
    given = each_station.post(path, json={"name": "Otra", "key": "otra-2"})
    assert given.json()["key"] == "otra-2"


def test_a_source_gets_its_name(each_station: Station) -> None:
    """A discovered source is named over HTTP, and rows show it; one may be named beforehand."""
    each_station.append()
    (row,) = each_station.ask("/v1/sources")["items"]
    assert (row["key"], row["state"]) == ("whatsapp:1065", "discovered")
    each_station.post("/v1/departments", json={"name": "Ventas"})
    body = {"name": "WhatsApp Ventas", "department": "Ventas", "address": "tel:+52 55 9876 5432"}
    named = patch(each_station, "/v1/sources/whatsapp:1065", body).json()
    assert named == {
        "key": "whatsapp:1065",
        "name": "WhatsApp Ventas",
        "state": "named",
        "department": {"key": "ventas", "name": "Ventas"},
        "address": "tel:+525598765432",
        "version": 1,
    }
    (shown,) = each_station.ask("/v1/activity")["items"]
    assert shown["source"]["name"] == "WhatsApp Ventas"
    again = patch(each_station, "/v1/sources/whatsapp:1065", {"department": None}).json()
    assert (again["name"], again["department"], again["version"]) == ("WhatsApp Ventas", None, 2)
    early = patch(each_station, "/v1/sources/form:web/contact", {"name": "Web"}).json()
    assert early["key"] == "form:web/contact"
    assert each_station.ask("/v1/sources/form:web/contact")["name"] == "Web"
    assert each_station.get("/v1/sources/form:none").status_code == 404
    assert patch(each_station, "/v1/sources/No", {"name": "X"}).status_code == 404
    wrong = patch(each_station, "/v1/sources/whatsapp:1065", {"address": "tel:abc"})
    assert wrong.json()["errors"][0]["field"] == "address"
