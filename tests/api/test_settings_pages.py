"""What the settings show to whom, and what they take, without a browser."""

from __future__ import annotations

import pytest

from tests.api.browser import PASSWORD, entered
from tests.api.station import Station
from tests.api.test_inbox_pages import Desk

SECTIONS = ("me", "people", "teams", "departments", "campaigns", "sources", "tokens")

SEEN = {
    "admin": SECTIONS,
    "manager": SECTIONS[:-1],
    "agent": SECTIONS[:1],
    "auditor": SECTIONS[:1],
}


class Somebody(Desk):
    """A person of this role, who is signed in and sends forms."""

    def __init__(self, station: Station, role: str) -> None:
        self.station = station
        self.user = station.user(role.title(), role)
        self.headers = {**station.session(self.user), "Accept-Language": "en"}


@pytest.mark.parametrize("role", SEEN)
def test_roles_decide_what_one_sees(station: Station, role: str) -> None:
    """Everybody themself, leaders what all share, administrators tokens; by the address as well."""
    desk = Somebody(station, role)
    for name in SECTIONS:
        answer = desk.get(f"/settings/{name}")
        assert answer.status_code == (200 if name in SEEN[role] else 403), name
        if answer.status_code == 200:
            links = [one for one in SECTIONS if f'<a href="/settings/{one}"' in answer.text]
            assert links == list(SEEN[role])
    assert station.get("/settings", headers={}).status_code == 401


def test_forms_are_for_whom_they_are_shown(station: Station) -> None:
    """Another role's form, one without its token, and one for nobody do nothing."""
    agent, manager = Somebody(station, "agent"), Somebody(station, "manager")
    admin, other = Somebody(station, "admin"), station.user("Luis", "agent")
    before = station.services.log.head()
    for path, fields in (
        ("/settings/people", {"form": "invite", "name": "X", "email": "x@example.mx"}),
        (f"/settings/people/{other}", {"form": "suspend"}),
        ("/settings/tokens", {"do": "issue", "name": "X", "scopes": "admin"}),
    ):
        assert agent.send(path, **fields).status_code == 403
        assert manager.send(path, **fields).status_code == 403
    assert agent.send("/settings/teams", do="add", name="X").status_code == 403
    bare = station.post("/settings/teams", headers=manager.headers, data={"do": "add", "name": "X"})
    assert bare.status_code == 403
    missing = "/settings/people/01920000-0000-7000-8000-000000000000"
    assert admin.send(missing, form="suspend").status_code == 404
    assert admin.send(f"/settings/people/{other}", form="promote").status_code == 422
    assert admin.send("/settings/sources", key="no good", name="X").status_code == 404
    assert station.services.log.head() == before


def test_old_records_people_are_declared_to_be_users(station: Station) -> None:
    """Somebody whom a record names becomes a user; what names nobody stands at its field."""
    station.append(attended_by="Itziar Zubizarreta")
    desk = Desk(station, "admin")
    listed = desk.get("/settings/people?who=staff").text
    id = listed.split('href="/settings/people/')[1].split('"')[0]
    path = f"/settings/people/{id}"
    assert desk.send(path, form="same", same_as="nobody@example.mx").status_code == 422
    assert desk.send(path, form="same", same_as=str(desk.user)).status_code == 303
    assert "is Rosa" in desk.get("/settings/people?who=staff").text
    assert desk.send(path, form="link").status_code == 409


def test_browsers_elsewhere_are_signed_out(station: Station) -> None:
    """All browsers are listed, this one marked; the others are signed out, this one stays in."""
    desk = Desk(station)
    elsewhere = station.session(desk.user)
    page = desk.get("/settings/me").text
    assert (page.count("Last used"), page.count(">this browser<")) == (2, 1)
    answer = desk.send("/settings/me/sessions", form="sessions")
    assert answer.headers["location"] == "/settings/me?done=signed-out"
    assert station.get("/settings/me", headers=elsewhere).status_code == 401


def test_what_is_no_longer_offered_stays_chosen(station: Station) -> None:
    """A department that was hidden meanwhile is not lost by whoever saves something else."""
    desk = Desk(station)
    for name in ("Taller", "Ventas"):
        assert (
            desk.send("/settings/departments", do="add", form="add", name=name).status_code == 303
        )
    fields = {"form": "me", "name": "Rosa", "shortcuts": "on"}
    assert desk.send("/settings/me", **fields, department="taller").status_code == 303
    for key in ("taller", "ventas"):
        hidden = desk.send("/settings/departments", do="hide", form="set:x", key=key)
        assert hidden.headers["location"] == "/settings/departments?done=saved"
    page = desk.get("/settings/me").text
    assert '<option value="taller" selected>' in page
    assert '<option value="ventas"' not in page


def test_guessing_ones_own_password_ends(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """After too many tries the form says so, and what is right is refused as well."""
    monkeypatch.setattr("storage.passwords.MEMORY_KIB", 64)
    monkeypatch.setattr("storage.passwords.PASSES", 1)
    _, browser = entered(station, "rosa@example.mx")
    new = {"password": "otra muy larga", "again": "otra muy larga", "form": "password"}
    path, page = "/settings/me/password", "/settings/me"
    tries = [browser.fill(path, page, current="guess", **new) for _ in range(11)]
    assert [one.status_code for one in tries] == [422] * 10 + [429]
    assert browser.fill(path, page, current=PASSWORD, **new).status_code == 429
