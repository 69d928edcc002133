"""The door: invitations, passwords, sessions, and what keeps strangers and guessers out."""

from __future__ import annotations

import pytest

from api import gate
from api.gate import Gate, Tries
from domain.events import PasswordSet, UserInvited, UserNamed
from storage.credentials import SESSION_IDLE_US, Link
from tests.api.browser import PASSWORD, Browser, entered, invited
from tests.api.station import Station

MAIL = "rosa@example.mx"
DAY_US = 24 * 3_600 * 1_000_000


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hashing costs is not the matter here."""
    monkeypatch.setattr("storage.passwords.MEMORY_KIB", 64)
    monkeypatch.setattr("storage.passwords.PASSES", 1)


def first(station: Station) -> Browser:
    """The first administrator's browser, right after their link."""
    link = Link("sign-in", None, station.now[0] + DAY_US)
    browser = Browser(station)
    secret = station.services.credentials.links.make(link)
    assert browser.get(f"/welcome/{secret}").headers["location"] == "/account"
    return browser


def test_an_invitation_is_used_once(each_station: Station) -> None:
    """It shows who is meant, asks for name and password, signs in, and is gone."""
    made = invited(each_station, MAIL)
    path = "/" + made["invitation"].split("/", 3)[3]
    browser = Browser(each_station)
    page = browser.get(path, headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert MAIL in page.text
    assert browser.accept(made["invitation"], name="Rosa  Díaz") == 303
    me = browser.get("/v1/me").json()
    assert (me["user"]["id"], me["user"]["name"], me["user"]["role"]) == (
        made["id"],
        "Rosa Díaz",
        "agent",
    )
    assert browser.get("/").status_code == 200
    assert Browser(each_station).get(path).status_code == 404
    assert Browser(each_station).fill(
        path, "/sign-in", name="X", password=PASSWORD
    ).status_code == (404)
    log = each_station.services.log
    entries = [log.entry(n) for n in range(1, log.head() + 1)]
    kinds = {type(entry.event) for entry in entries if entry}
    assert {UserInvited, UserNamed, PasswordSet} <= kinds
    assert PASSWORD not in repr(entries)


def test_an_invitation_ends(station: Station) -> None:
    """After a week it is too old; a newer one ends it at once; a suspension too."""
    made = invited(station, MAIL)
    again = station.post(f"/v1/users/{made['id']}/invitation").json()
    assert Browser(station).accept(made["invitation"]) == 404
    station.post(f"/v1/users/{made['id']}/suspend")
    assert Browser(station).accept(again["invitation"]) == 404
    assert station.post(f"/v1/users/{made['id']}/invitation").status_code == 409
    station.post(f"/v1/users/{made['id']}/restore")
    assert Browser(station).accept(again["invitation"]) == 404
    last = station.post(f"/v1/users/{made['id']}/invitation").json()
    station.now[0] += 7 * DAY_US
    assert Browser(station).accept(last["invitation"]) == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": " "}, "Write your name"),
        ({"password": "short", "again": "short"}, "too short"),
        ({"password": "x" * 300, "again": "x" * 300}, "too long"),
        ({"password": "abababababab", "again": "abababababab"}, "guessed at once"),
        ({"password": MAIL, "again": MAIL}, "guessed at once"),
        ({"again": "something else"}, "not the same"),
    ],
)
def test_a_form_says_what_is_wrong(station: Station, fields: dict[str, str], said: str) -> None:
    """The form comes back with a sentence, and the invitation still works."""
    made = invited(station, MAIL)
    path = "/" + made["invitation"].split("/", 3)[3]
    browser = Browser(station)
    good = {"name": "Rosa", "password": PASSWORD, "again": PASSWORD}
    token = browser.fill(path, **{**good, **fields})
    assert token.status_code == 422
    page = browser.request(
        "POST",
        path,
        data={"csrf": _token(token.text), **good, **fields},
        headers={"Accept-Language": "en"},
    )
    assert said in page.text
    assert browser.accept(made["invitation"]) == 303


def _token(page: str) -> str:
    return page.split('name="csrf" value="')[1].split('"', maxsplit=1)[0]


def test_a_form_from_elsewhere_is_refused(station: Station) -> None:
    """Without our cookie, with another's token, or sent by another site, a form does nothing."""
    made = invited(station, MAIL)
    path = "/" + made["invitation"].split("/", 3)[3]
    fields = {"name": "Rosa", "password": PASSWORD, "again": PASSWORD}
    browser, other = Browser(station), Browser(station)
    token, foreign = _token(browser.get(path).text), _token(other.get(path).text)
    bare = Browser(station)
    assert bare.request("POST", path, data={**fields, "csrf": token}).status_code == 403
    for shown in ("", foreign):
        data = {**fields, "csrf": shown}
        assert browser.request("POST", path, data=data).status_code == 403
    data = {**fields, "csrf": token}
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert browser.request("POST", path, data=data, headers=cross).status_code == 403
    assert browser.request("POST", path, json=data).status_code == 403
    assert browser.request("POST", path, data=data).status_code == 303
    data = {"name": "Mallory", "csrf": "x"}
    assert browser.request("POST", "/account", data=data).status_code == 403
    assert browser.request("POST", "/sign-out", data={}).status_code == 403


def test_sign_in_leads_back(each_station: Station) -> None:
    """A stranger at a page meets the form, signs in, and is where they wanted to be."""
    entered(each_station, MAIL)
    browser = Browser(each_station)
    page = browser.get("/activity?direction=inbound")
    assert page.status_code == 401
    answer = browser.fill(
        "/sign-in", "/activity?direction=inbound", email=MAIL.upper(), password=PASSWORD
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/activity?direction=inbound"
    assert browser.get("/activity").status_code == 200
    assert browser.get("/sign-in?next=/activity").headers["location"] == "/activity"
    for wicked in ("//evil.example", "https://evil.example", "/\\evil.example", "/a\nb"):
        assert browser.get("/sign-in", params={"next": wicked}).headers["location"] == "/"


def test_every_mistake_has_one_answer(station: Station) -> None:
    """Wrong password, unknown account, no password yet, suspended: the same page and status."""
    id, _ = entered(station, MAIL)
    invited(station, "nadie@example.mx")
    bodies = set()
    station_browser = Browser(station)
    for email, password in (
        (MAIL, "not the password"),
        ("unknown@example.mx", PASSWORD),
        ("nadie@example.mx", PASSWORD),
        ("not an address", PASSWORD),
    ):
        answer = station_browser.fill("/sign-in", email=email, password=password)
        bodies.add((answer.status_code, answer.text.replace(email, "")))
    station.post(f"/v1/users/{id}/suspend")
    answer = station_browser.fill("/sign-in", email=MAIL, password=PASSWORD)
    bodies.add((answer.status_code, answer.text.replace(MAIL, "")))
    assert len(bodies) == 1
    assert next(iter(bodies))[0] == 401


def test_a_guesser_is_stopped_by_account(station: Station) -> None:
    """After ten wrong tries 429 with Retry-After, also for the right one, from anywhere."""
    entered(station, MAIL)
    known = [Browser(station, f"192.0.2.{n}").sign_in(MAIL, "wrong password") for n in range(11)]
    unknown = [Browser(station, f"198.51.100.{n}").sign_in("nobody@example.mx") for n in range(11)]
    assert known == unknown == [401] * 10 + [429]
    answer = Browser(station).fill("/sign-in", email=MAIL, password=PASSWORD)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    station.now[0] += gate.WINDOW_US - 1
    assert Browser(station).sign_in(MAIL) == 429
    station.now[0] += 1
    assert Browser(station).sign_in(MAIL) == 303


def test_a_guesser_is_stopped_by_address(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """One network may try some accounts only; signing in to one's own takes nothing back."""
    monkeypatch.setattr("api.gate.ADDRESS_TRIES_MAX", 4)
    station.application.state.gate = Gate(station.services)
    entered(station, MAIL)
    network = [Browser(station, f"2001:db8:1:2::{n}") for n in range(8)]
    tried = [network[n].sign_in(f"user{n}@example.mx") for n in range(3)]
    tried += [network[3].sign_in(MAIL), network[4].sign_in("user4@example.mx")]
    tried += [network[5].sign_in(MAIL)]
    assert tried == [401, 401, 401, 303, 401, 429]
    assert Browser(station, "2001:db8:1:3::1").sign_in(MAIL) == 303


def test_right_tries_are_forgotten() -> None:
    """A right try takes itself back, or with `forget` all before it; the window begins anew."""
    tries, code = Tries(2), b"code" * 8
    tries.count(code, 0)
    tries.right(code, forget=False)
    tries.count(code, 0)
    assert tries.wait_s(code, 0) == 0
    tries.count(code, 10)
    assert tries.wait_s(code, 10) == 900
    assert tries.wait_s(code, gate.WINDOW_US) == 0
    tries.count(code, gate.WINDOW_US)
    assert tries.wait_s(code, gate.WINDOW_US) == 0
    tries.count(code, gate.WINDOW_US)
    tries.right(code, forget=True)
    assert tries.wait_s(code, gate.WINDOW_US) == 0


def test_too_many_at_the_door_are_told_so(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passwords that would wait too long for their hashing are 503, and nothing was tried."""
    monkeypatch.setattr("api.gate.HASHINGS_WAITING_MAX", 0)
    entered_before = Browser(station)
    assert entered_before.sign_in("nobody@example.mx") == 503


def test_the_first_administrator_chooses_a_password(each_station: Station) -> None:
    """Their link leads to name, e-mail and password; with these they come back without it."""
    browser = first(each_station)
    page = browser.get("/account", headers={"Accept-Language": "en"})
    assert "You are in" in page.text
    fields = {"name": "Ada", "email": "Ada@Example.MX", "password": PASSWORD, "again": PASSWORD}
    before = browser.cookie()
    assert browser.fill("/account", **fields).headers["location"] == "/"
    assert browser.cookie() not in {before, None}
    me = browser.get("/v1/me").json()
    assert (me["user"]["name"], me["user"]["email"]) == ("Ada", "Ada@example.mx")
    again = Browser(each_station)
    assert again.sign_in("ada@example.mx") == 303
    assert again.get("/v1/users").status_code == 200
    secret = each_station.services.credentials.links.make(
        Link("sign-in", None, each_station.now[0] + DAY_US)
    )
    assert Browser(each_station).get(f"/welcome/{secret}").headers["location"] == "/"


def test_a_password_is_changed_by_who_knows_it(station: Station) -> None:
    """The settings ask for the password until now; with another one, others are signed out."""
    _, browser = entered(station, MAIL)
    other = Browser(station)
    other.sign_in(MAIL)
    new = {"password": "otra muy larga", "again": "otra muy larga"}
    path, page = "/settings/me/password", "/settings/me"
    assert browser.fill(path, page, form="password", current="guess", **new).status_code == 422
    assert other.get("/v1/me").status_code == 200
    assert browser.fill(path, page, form="password", current=PASSWORD, **new).status_code == 303
    assert browser.get("/v1/me").status_code == 200
    assert other.get("/v1/me").status_code == 401
    assert Browser(station).sign_in(MAIL) == 401
    assert Browser(station).sign_in(MAIL, "otra muy larga") == 303
    assert browser.get("/account").headers["location"] == "/settings/me"
    assert browser.fill("/account", page, name="X").headers["location"] == "/settings/me"


def test_an_address_belongs_to_one_account(station: Station) -> None:
    """The first administrator cannot take the address of somebody who is there."""
    invited(station, MAIL)
    fields = {"name": "Ada", "email": MAIL, "password": PASSWORD, "again": PASSWORD}
    browser = first(station)
    assert browser.fill("/account", **fields).status_code == 409
    assert browser.fill("/account", **{**fields, "email": "not one"}).status_code == 422


def test_a_link_of_an_administrator_sets_a_new_password(station: Station) -> None:
    """Whoever forgot theirs gets a link; the old password and all browsers are out."""
    id, browser = entered(station, MAIL)
    link = station.post(f"/v1/users/{id}/invitation").json()["invitation"]
    assert browser.get("/v1/me").status_code == 200
    again = Browser(station)
    assert again.accept(link, password="una contraseña nueva") == 303
    assert browser.get("/v1/me").status_code == 401
    assert Browser(station).sign_in(MAIL) == 401
    assert Browser(station).sign_in(MAIL, "una contraseña nueva") == 303


def test_a_session_is_new_at_each_sign_in(station: Station) -> None:
    """Whoever signs in again has another cookie, and the one from before opens nothing."""
    _, browser = entered(station, MAIL)
    before = browser.cookie() or ""
    page = browser.get("/settings/me").text
    browser.request("POST", "/sign-out", data={"csrf": "x"})
    assert browser.cookie() == before
    form = Browser(station).get("/sign-in")
    token, cookie = _token(form.text), form.cookies["hilo_form"]
    assert _token(page) != token
    answer = browser.request(
        "POST",
        "/sign-in",
        data={"csrf": token, "email": MAIL, "password": PASSWORD},
        headers={"Cookie": f"hilo_form={cookie}; hilo_session={before}"},
    )
    assert answer.status_code == 303
    assert answer.cookies["hilo_session"] != before
    sessions = station.services.credentials.sessions
    assert sessions.find(before, station.now[0]) is None


def test_an_idle_browser_is_signed_out(station: Station) -> None:
    """A week unused it is out; used now and then it lasts for its month, and no longer."""
    _, browser = entered(station, MAIL)
    idle = Browser(station)
    idle.sign_in(MAIL)
    begun = station.now[0]
    for _ in range(4):
        station.now[0] += SESSION_IDLE_US - 1
        station.application.state.doorkeeper.forget()
        assert browser.get("/v1/me").status_code == 200
    assert idle.get("/v1/me").status_code == 401
    station.now[0] = begun + 30 * DAY_US
    station.application.state.doorkeeper.forget()
    assert browser.get("/v1/me").status_code == 401


def test_signing_out(station: Station) -> None:
    """This browser alone, or everywhere: from the settings and over the interface."""
    _, one = entered(station, MAIL)
    two, three = Browser(station), Browser(station)
    for browser in (two, three):
        assert browser.sign_in(MAIL) == 303
    assert one.fill("/sign-out", "/settings/me").status_code == 303
    assert [browser.get("/v1/me").status_code for browser in (one, two, three)] == [401, 200, 200]
    assert two.fill("/sign-out", "/settings/me", everywhere="1").status_code == 303
    assert [browser.get("/v1/me").status_code for browser in (two, three)] == [401, 401]
    assert two.sign_in(MAIL) == three.sign_in(MAIL) == 303
    assert two.command("DELETE", "/v1/me/sessions").status_code == 204
    assert three.get("/v1/me").status_code == 401


def test_pages_speak_the_chosen_language(station: Station) -> None:
    """What a person chose beats what their browser asks for, and times are in their zone."""
    _, browser = entered(station, MAIL)
    german = {"Accept-Language": "en"}
    assert "Conversations" in browser.get("/", headers=german).text
    assert browser.command("PATCH", "/v1/me", {"language": "es"}).status_code == 200
    assert "Conversaciones" in browser.get("/", headers=german).text
