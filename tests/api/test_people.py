"""Users over HTTP, and what is everybody's own; one administrator always remains."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest

from api.auth import SYSTEM
from api.stream import Pace
from app.compose import Composition
from domain.commands import By
from domain.errors import WrongState
from domain.user import ROLES, NewUser, UserChange
from tests.api.browser import PASSWORD, Browser, entered, invited, patch, with_key
from tests.api.listener import Listener
from tests.api.station import Station
from tests.app.ledgers import opened, run
from tests.backends import Backend

MAIL = "rosa@example.mx"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hashing costs is not the matter here."""
    monkeypatch.setattr("storage.passwords.MEMORY_KIB", 64)
    monkeypatch.setattr("storage.passwords.PASSES", 1)


# -------------------------------------------------------------------------------- users


def test_a_user_is_invited_once(each_station: Station) -> None:
    """201 with the link; the same key again 200 without it; the same address otherwise 409."""
    body = {"email": "Rosa@Example.MX", "name": " Rosa  Díaz ", "role": "manager"}
    made = each_station.post("/v1/users", json=body, headers=with_key(each_station, "one"))
    assert made.status_code == 201
    row = made.json()
    assert (row["email"], row["name"], row["role"], row["state"]) == (
        "Rosa@example.mx",
        "Rosa Díaz",
        "manager",
        "invited",
    )
    assert "/invitation/" in row["invitation"]
    assert made.headers["etag"] == '"1"'
    again = each_station.post("/v1/users", json=body, headers=with_key(each_station, "one"))
    assert (again.status_code, again.headers["hilo-duplicate"]) == (200, "true")
    assert "invitation" not in again.json()
    assert again.json()["id"] == row["id"]
    other = {**body, "email": "ROSA@example.mx"}
    refused = each_station.post("/v1/users", json=other)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:hilo:problem:state")
    reused = each_station.post("/v1/users", json=other, headers=with_key(each_station, "one"))
    assert reused.json()["type"] == "urn:hilo:problem:key-reused"
    renewed = each_station.post(
        f"/v1/users/{row['id']}/invitation", headers=with_key(each_station, "link")
    )
    assert renewed.status_code == 201
    twice = each_station.post(
        f"/v1/users/{row['id']}/invitation", headers=with_key(each_station, "link")
    )
    assert twice.status_code == 409


def test_a_user_of_former_times_is_not_invited_twice(station: Station) -> None:
    """Who stands in the log from before the key store knew addresses is found all the same."""
    user = station.user("Rosa")
    station.ask("/v1/users")
    body = {"email": "rosa@example.mx", "name": "Rosa", "role": "agent"}
    assert station.post("/v1/users", json=body).status_code == 409
    link = station.post(f"/v1/users/{user}/invitation").json()["invitation"]
    assert Browser(station).accept(link) == 303


def test_an_address_that_was_claimed_in_vain_is_free(station: Station) -> None:
    """A maker who died before the log knew of the user leaves nothing in the way."""
    services = station.services
    gate = station.application.state.gate
    for email in (MAIL, "luis@example.mx"):
        services.credentials.passwords.claim(services.new_id(), gate.email_code(email), 1)
    id = invited(station, MAIL)["id"]
    assert patch(station, f"/v1/users/{id}", {"email": "luis@example.mx"}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"email": "rosa"}, "email", "bad_address"),
        ({"name": "  "}, "name", "too_short"),
        ({"role": "boss"}, "role", "bad_enum"),
        ({"admin": True}, "admin", "unknown_field"),
    ],
)
def test_a_wrong_invitation_is_refused(
    station: Station, changes: dict[str, object], field: str, code: str
) -> None:
    """Each field is checked, and named."""
    body = {"email": MAIL, "name": "Rosa", "role": "agent", **changes}
    answer = station.post("/v1/users", json=body)
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


def test_users_are_listed_by_what_they_are(each_station: Station) -> None:
    """Pages have everybody once, the first come first; filters choose."""
    made = [invited(each_station, f"u{n}@example.mx", name=f"U{n}")["id"] for n in range(5)]
    each_station.append(attended_by="Marta de antes")
    each_station.post(f"/v1/users/{made[1]}/suspend")
    found: list[str] = []
    cursor: dict[str, str] = {}
    page: dict[str, Any] = {}
    for _ in range(3):
        page = each_station.ask("/v1/users", limit="2", sign_in="true", **cursor)
        found += [row["id"] for row in page["items"]]
        cursor = {"cursor": page["next"]}
    assert (found, page["next"]) == (made, None)
    (person,) = each_station.ask("/v1/users", sign_in="false")["items"]
    assert (person["name"], person["state"]) == ("Marta de antes", "person")
    (out,) = each_station.ask("/v1/users", active="false")["items"]
    assert (out["id"], out["state"]) == (made[1], "suspended")
    assert each_station.ask("/v1/users", role="admin")["items"] == []
    answer = each_station.get("/v1/users", params={"limit": "2", "cursor": "nonsense"})
    assert answer.json()["type"] == "urn:hilo:problem:bad-cursor"


def test_a_user_changes(each_station: Station) -> None:
    """Name, e-mail and role change with their version; an older one is 412 with the user now."""
    id = invited(each_station, MAIL)["id"]
    each_station.post("/v1/departments", json={"name": "Ventas"})
    body = {"name": "Rosa D.", "email": "rd@example.mx", "role": "admin", "department": "Ventas"}
    row = patch(each_station, f"/v1/users/{id}", body, **{"If-Match": '"1"'})
    assert row.status_code == 200
    shown = row.json()
    assert {name: shown[name] for name in ("name", "email", "role")} == {
        name: body[name] for name in ("name", "email", "role")
    }
    assert shown["department"] == {"key": "ventas", "name": "Ventas"}
    assert row.headers["etag"] == f'"{shown["version"]}"'
    late = patch(each_station, f"/v1/users/{id}", {"name": "X"}, **{"If-Match": '"1"'})
    assert late.status_code == 412
    assert late.json()["current"]["name"] == "Rosa D."
    head = each_station.head
    assert patch(each_station, f"/v1/users/{id}", body).status_code == 200
    assert each_station.head == head
    invited(each_station, "luis@example.mx")
    taken = patch(each_station, f"/v1/users/{id}", {"email": "luis@example.mx"})
    assert taken.status_code == 409
    assert patch(each_station, f"/v1/users/{id}", {}).status_code == 422
    assert patch(each_station, f"/v1/users/{UUID(int=9)}", {"name": "X"}).status_code == 404
    wrong = patch(each_station, f"/v1/users/{id}", {"department": "Nada"})
    assert wrong.json()["errors"][0]["code"] == "unknown"


def test_a_suspended_user_is_out(each_station: Station) -> None:
    """Sessions end and stay ended, tokens that act as them open nothing until they are restored."""
    id, browser = entered(each_station, MAIL)
    bearer = each_station.bearer("read", user=UUID(id))
    acting = {**each_station.headers, "Hilo-Acting-As": MAIL}
    assert each_station.get("/v1/users", headers=bearer).status_code == 200
    assert each_station.get("/v1/me", headers=acting).json()["user"]["id"] == id
    assert each_station.post(f"/v1/users/{id}/suspend").json()["state"] == "suspended"
    assert browser.get("/v1/me").status_code == 401
    assert browser.sign_in(MAIL) == 401
    assert each_station.get("/v1/users", headers=bearer).status_code == 401
    (error,) = each_station.get("/v1/me", headers=acting).json()["errors"]
    assert (error["field"], error["code"]) == ("header.Hilo-Acting-As", "suspended")
    head = each_station.head
    assert each_station.post(f"/v1/users/{id}/suspend").status_code == 200
    assert each_station.head == head
    assert each_station.post(f"/v1/users/{id}/restore").json()["state"] == "active"
    assert browser.get("/v1/me").status_code == 401
    assert browser.sign_in(MAIL) == 303
    assert each_station.get("/v1/users", headers=bearer).status_code == 200


def test_a_suspended_users_streams_end(station: Station) -> None:
    """The stream of their browser and that of a token that acts as them are closed."""
    station.application.state.pace = Pace(tick_s=15, check_s=0.05)
    id, browser = entered(station, MAIL)
    at_home = Listener(station, Cookie=f"hilo_session={browser.cookie()}")
    at_home._headers.pop("Authorization", None)
    program = Listener(station, **station.bearer("read", user=UUID(id)))
    for one in (at_home, program):
        one.open()
    station.post(f"/v1/users/{id}/suspend")
    assert at_home.ended()
    assert program.ended()


def test_an_administrator_signs_somebody_out(station: Station) -> None:
    """Every browser of theirs is out, and they may come in again."""
    id, browser = entered(station, MAIL)
    assert station.request("DELETE", f"/v1/users/{id}/sessions").status_code == 204
    assert browser.get("/v1/me").status_code == 401
    assert browser.sign_in(MAIL) == 303


def test_the_last_administrator_stays(each_station: Station) -> None:
    """They are neither suspended nor lose the role: 409 until there is another one."""
    one = invited(each_station, "one@example.mx", role="admin")["id"]
    for refused in (
        each_station.post(f"/v1/users/{one}/suspend"),
        patch(each_station, f"/v1/users/{one}", {"role": "agent"}),
        patch(each_station, f"/v1/users/{one}", {"role": None}),
    ):
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:hilo:problem:state")
    two = invited(each_station, "two@example.mx", role="admin")["id"]
    assert each_station.post(f"/v1/users/{two}/suspend").status_code == 200
    assert each_station.post(f"/v1/users/{one}/suspend").status_code == 409
    assert each_station.post(f"/v1/users/{two}/restore").status_code == 200
    assert patch(each_station, f"/v1/users/{one}", {"role": "agent"}).status_code == 200


def test_two_administrators_cannot_remove_each_other(each_station: Station) -> None:
    """Of two suspensions at one moment one is done, and the other finds the last one."""
    people = each_station.services.ledger.people
    ids = [
        UUID(invited(each_station, f"{name}@example.mx", role="admin")["id"])
        for name in ("one", "two")
    ]

    async def both() -> list[object]:
        work = [people.suspend(id, By(SYSTEM)) for id in ids]
        return list(await asyncio.gather(*work, return_exceptions=True))

    results = each_station.run(both())
    assert [type(one) for one in results if isinstance(one, Exception)] == [WrongState]
    users = [people.user(id) for id in ids]
    assert sum(user is not None and user.is_administrator for user in users) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_roles_and_suspension_follow_a_plain_model(backend: Backend, seed: int) -> None:
    """Any sequence of decisions ends as in two dicts, and an administrator always remains."""
    dice = random.Random(seed)
    roles: dict[UUID, str | None] = {}
    out: set[UUID] = set()

    def administrators() -> set[UUID]:
        return {id for id, role in roles.items() if role == "admin" and id not in out}

    def follow(composition: Composition) -> None:
        composition.follower.catch_up()

    with opened(backend) as composition:
        people = composition.ledger.people
        for number in range(4):
            role = "admin" if number < 2 else "agent"
            id = UUID(int=number + 1)
            new = NewUser(f"u{number}@example.mx", f"U{number}", role)
            run(people.add(id, new, By(SYSTEM)))
            roles[id] = role
        for _ in range(60):
            follow(composition)
            id = dice.choice(list(roles))
            wish = dice.choice([*ROLES, "admin", None])
            what = dice.choice(["suspend", "suspend", "restore", "role"])
            loses = what == "suspend" or (what == "role" and wish != "admin")
            refused = loses and administrators() == {id}
            try:
                if what == "role":
                    wanted = UserChange(fields=frozenset({"role"}), role=wish)
                    run(people.change(id, wanted, By(SYSTEM)))
                else:
                    run(getattr(people, what)(id, By(SYSTEM)))
            except WrongState:
                assert refused, (what, wish)
                continue
            assert not refused, (what, wish)
            if what == "role":
                roles[id] = wish
            else:
                (out.add if what == "suspend" else out.discard)(id)
        assert administrators()
        for id, expected in roles.items():
            user = people.user(id)
            assert user is not None
            assert (user.role, user.suspended) == (expected, id in out)
        follow(composition)
        assert set(composition.dictionary.administrators()) == administrators()


def test_a_person_of_old_records_becomes_a_user(each_station: Station) -> None:
    """Declared to be a user, they are shown, filtered and mentioned as that user; and back."""
    old = each_station.append(attended_by="Rosa de antes", text="antes")
    id = invited(each_station, MAIL, name="Rosa")["id"]
    each_station.append(attended_by=MAIL, text="ahora")
    (person,) = each_station.ask("/v1/users", sign_in="false")["items"]
    row = patch(each_station, f"/v1/users/{person['id']}", {"same_as": MAIL}).json()
    assert row["same_as"] == {"id": id, "name": "Rosa", "user": True}
    card = each_station.ask(f"/v1/interactions/{old['id']}")
    assert card["attended_by"] == {"id": id, "name": "Rosa", "user": True}
    for wanted in (id, MAIL, "Rosa de antes"):
        found = each_station.ask("/v1/activity", attended_by=wanted)["items"]
        assert {one["text"] for one in found} == {"antes", "ahora"}
    made = each_station.append(attended_by="rosa de  antes", text="otra vez")
    entry = each_station.services.log.entry(made["id"])
    assert entry is not None
    assert str(getattr(entry.event, "attended_by", None)) == id
    assert patch(each_station, f"/v1/users/{id}", {"same_as": id}).status_code == 409
    unknown = patch(each_station, f"/v1/users/{person['id']}", {"same_as": "Rosa"})
    assert unknown.json()["errors"][0]["code"] == "unknown"
    patch(each_station, f"/v1/users/{person['id']}", {"same_as": None})
    card = each_station.ask(f"/v1/interactions/{old['id']}")
    assert card["attended_by"]["name"] == "Rosa de antes"


# ------------------------------------------------------------------------------- my own


def test_a_person_chooses_how_hilo_speaks_to_them(each_station: Station) -> None:
    """Language, zone, shortcuts and department stay chosen; null gives the default back."""
    _, browser = entered(each_station, MAIL)
    each_station.post("/v1/departments", json={"name": "Ventas"})
    body = {
        "language": "es",
        "zone": "Europe/Madrid",
        "shortcuts": False,
        "department": "ventas",
        "name": "Rosa D.",
    }
    me = browser.command("PATCH", "/v1/me", body).json()
    assert (me["language"], me["zone"], me["shortcuts"]) == ("es", "Europe/Madrid", False)
    assert (me["user"]["name"], me["user"]["department"]["key"]) == ("Rosa D.", "ventas")
    nulls = dict.fromkeys(("language", "zone", "shortcuts", "department"))
    me = browser.command("PATCH", "/v1/me", nulls).json()
    assert (me["language"], me["zone"], me["shortcuts"]) == (None, "America/Mexico_City", True)
    assert me["user"]["department"] is None
    for wrong in ({"zone": "Mars/Base"}, {"language": "fr"}, {"department": "nada"}, {}):
        assert browser.command("PATCH", "/v1/me", wrong).status_code == 422
    none = each_station.request("PATCH", "/v1/me", json={"language": "es"})
    assert none.json()["type"] == "urn:hilo:problem:state"


def test_dates_are_read_in_the_persons_zone(station: Station) -> None:
    """A date in a filter means midnight where the person is, unless `tz` says otherwise."""
    id, browser = entered(station, MAIL)
    station.append(occurred_at="2026-11-22T02:00:00Z")
    bearer = station.bearer("read", user=UUID(id))
    day = {"from": "2026-11-22"}
    assert station.get("/v1/activity", params=day, headers=bearer).json()["items"] == []
    browser.command("PATCH", "/v1/me", {"zone": "Europe/Madrid"})
    station.application.state.doorkeeper.forget()
    assert len(station.get("/v1/activity", params=day, headers=bearer).json()["items"]) == 1
    asked = {**day, "tz": "America/Mexico_City"}
    assert station.get("/v1/activity", params=asked, headers=bearer).json()["items"] == []


def test_a_password_is_changed_over_the_interface(station: Station) -> None:
    """By the person alone, who knows the one until now; other browsers are out."""
    id, browser = entered(station, MAIL)
    other = Browser(station)
    other.sign_in(MAIL)
    new = "otra muy larga"
    wrong = browser.command("POST", "/v1/me/password", {"current": "no", "new": new})
    assert wrong.json()["errors"][0]["field"] == "current"
    weak = browser.command("POST", "/v1/me/password", {"current": PASSWORD, "new": "short"})
    assert weak.json()["errors"][0]["code"] == "too_short"
    done = browser.command("POST", "/v1/me/password", {"current": PASSWORD, "new": new})
    assert done.status_code == 204
    assert browser.get("/v1/me").status_code == 200
    assert other.get("/v1/me").status_code == 401
    assert other.sign_in(MAIL, new) == 303
    bearer = station.bearer("admin", user=UUID(id))
    body = {"current": new, "new": PASSWORD}
    answer = station.post("/v1/me/password", json=body, headers=bearer)
    assert answer.status_code == 403
    assert station.request("DELETE", "/v1/me/sessions", headers=bearer).status_code == 403
