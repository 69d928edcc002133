"""Who may do what: tokens, sessions, scopes, and acting for somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Request, Response

from api import auth
from api.answers import json_answer
from api.application import build
from api.auth import CSRF_HEADER, SCOPES, SESSION_COOKIE, admit
from domain.events import TokenIssued, TokenRevoked, UserAdded
from storage.credentials import Link, Token
from tests.api.house import NOON, Client, House

DAY_US = 24 * 3_600 * 1_000_000
ROSA = UUID(int=5)

probe = APIRouter()


@probe.api_route("/probe/{scope}", methods=["GET", "POST"])
async def look(request: Request, scope: str) -> Response:
    """Say who is calling."""
    caller = await admit(request, scope)
    by = caller.by()
    return json_answer(
        {
            "actor": [by.actor.kind, by.actor.id],
            "on_behalf_of": by.on_behalf_of,
            "user": caller.user,
            "person": by.user,
            "csrf": caller.csrf,
        }
    )


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    """A client of an application that says who is calling."""
    made = Client(build(house.services, routers=[probe]), house.runner)
    yield made
    made.close()


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_what_it_implies(house: House, client: Client, scope: str) -> None:
    """Manage reads, admin may do everything; every other scope opens itself only."""
    opens = {"manage": {"manage", "read"}, "admin": set(SCOPES)}.get(scope, {scope})
    headers = house.bearer(scope)
    for wanted in SCOPES:
        answer = client.get(f"/probe/{wanted}", headers=headers)
        assert answer.status_code == (200 if wanted in opens else 403), wanted


@pytest.mark.parametrize(
    "shown", ["", "Basic abc", "Bearer", "Bearer ", "Bearer hilo_wrong", f"Bearer {'x' * 5000}"]
)
def test_a_wrong_token_opens_nothing(client: Client, shown: str) -> None:
    """Whatever is no token of ours is 401, with the way to do it right."""
    headers = {"Authorization": shown} if shown else {}
    answer = client.get("/probe/read", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:hilo:problem:not-signed-in"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_ends_within_a_second(each_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revoked or expired token is remembered for less than a second, then it opens nothing."""
    assert auth.REMEMBERED_S < 1
    monotonic = [100.0]
    monkeypatch.setattr("api.auth.time.monotonic", lambda: monotonic[0])
    client, tokens = each_house.client, each_house.services.credentials.tokens
    headers = each_house.bearer("admin")
    assert client.get("/v1/tokens", headers=headers).status_code == 200
    (row,) = tokens.all()
    tokens.revoke(row.token_id, NOON)  # as another process would
    assert client.get("/v1/tokens", headers=headers).status_code == 200
    monotonic[0] += auth.REMEMBERED_S
    assert client.get("/v1/tokens", headers=headers).status_code == 401


def test_an_unfinished_token_opens_nothing(house: House, client: Client) -> None:
    """A token of which the log knows nothing has no scope, and is no token."""
    secret = house.services.credentials.tokens.add(Token(UUID(int=1), "half", NOON))
    answer = client.get("/probe/read", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401


def test_a_tokens_use_is_written_down_now_and_then(house: House, client: Client) -> None:
    """The time of the last use is kept to the hour."""
    headers = house.bearer("read")
    tokens = house.services.credentials.tokens
    client.get("/probe/read", headers=headers)
    assert tokens.all()[0].last_used_at == NOON


def test_the_memory_of_callers_is_bounded(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More callers than the memory holds are looked up again, and let in all the same."""
    monkeypatch.setattr("api.auth.REMEMBERED_MAX", 1)
    one, other = house.bearer("read"), house.bearer("read")
    for headers in (one, other, one, other):
        assert client.get("/probe/read", headers=headers).status_code == 200


def test_acting_for_somebody_needs_manage(house: House, client: Client) -> None:
    """With the scope the named user is written down; without it 403; unknown 422."""
    rosa = str(house.user("rosa@example.com"))
    acting = {"Hilo-Acting-As": "rosa@example.com"}
    answer = client.get("/probe/read", headers={**house.bearer("manage"), **acting})
    assert answer.json()["on_behalf_of"] == rosa
    assert answer.json()["person"] == answer.json()["user"] == rosa
    answer = client.get("/probe/read", headers={**house.bearer("read"), **acting})
    assert answer.status_code == 403
    for text in ("nobody@example.com", "Rosa", str(UUID(int=9)), "ñ@"):
        headers = {**house.bearer("manage"), "Hilo-Acting-As": text.encode()}
        answer = client.get("/probe/read", headers=headers)
        (error,) = answer.json()["errors"]
        assert (error["field"], error["code"]) == ("header.Hilo-Acting-As", "unknown")


def test_a_token_of_a_person_acts_as_that_person(house: House, client: Client) -> None:
    """A token that was made for a user writes that user down behind itself."""
    answer = client.get("/probe/read", headers=house.bearer("read", user=ROSA))
    body = answer.json()
    assert (body["actor"][0], body["user"], body["person"]) == ("token", str(ROSA), str(ROSA))


# ------------------------------------------------------------------------- people


def signed_in(house: House, link: Link) -> tuple[str, httpx.Response]:
    """Use a one-time link: the cookie that it gives, and the answer."""
    secret = house.services.credentials.links.make(link)
    answer = house.client.get(f"/welcome/{secret}")
    return answer.cookies.get(SESSION_COOKIE) or "", answer


def test_the_first_link_makes_the_administrator(each_house: House) -> None:
    """Using it writes down the administrator, signs them in and leads to their password."""
    cookie, answer = signed_in(each_house, Link("sign-in", None, NOON + DAY_US))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    entry = each_house.services.log.entry(1)
    assert entry is not None
    assert isinstance(entry.event, UserAdded)
    event = entry.event
    assert (event.sign_in, event.role, event.name) == (True, "admin", "Administrator")
    assert event.actor.kind == "system"
    set_cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in set_cookie
    assert "samesite=lax" in set_cookie
    assert cookie
    signed_in(each_house, Link("sign-in", None, NOON + DAY_US))
    assert each_house.services.log.head() == 1


def test_a_link_works_once(house: House) -> None:
    """Used again, too late, or for another purpose, it is 404."""
    links = house.services.credentials.links
    secret = links.make(Link("sign-in", ROSA, NOON + DAY_US))
    assert house.client.get(f"/welcome/{secret}").status_code == 303
    assert house.client.get(f"/welcome/{secret}").status_code == 404
    late = links.make(Link("sign-in", ROSA, NOON))
    assert house.client.get(f"/welcome/{late}").status_code == 404
    other = links.make(Link("invitation", ROSA, NOON + DAY_US))
    assert house.client.get(f"/welcome/{other}").status_code == 404


def test_a_browser_shows_its_csrf_token(house: House, client: Client) -> None:
    """Reading needs the cookie alone; changing something needs the session's token too."""
    cookie, _ = signed_in(house, Link("sign-in", None, NOON + DAY_US))
    headers = {"Cookie": f"{SESSION_COOKIE}={cookie}"}
    seen = client.get("/probe/admin", headers=headers).json()
    assert seen["actor"][0] == "user"
    for wrong in ({}, {CSRF_HEADER: "x"}):
        answer = client.post("/probe/admin", headers={**headers, **wrong})
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:hilo:problem:csrf"
    answer = client.post("/probe/admin", headers={**headers, CSRF_HEADER: seen["csrf"]})
    assert answer.status_code == 200


def test_a_person_without_a_role_may_do_nothing(house: House, client: Client) -> None:
    """Somebody whom the log does not know is signed in and not allowed."""
    cookie, _ = signed_in(house, Link("sign-in", ROSA, NOON + DAY_US))
    answer = client.get("/probe/read", headers={"Cookie": f"{SESSION_COOKIE}={cookie}"})
    assert answer.status_code == 403


def test_signing_out_ends_the_session(house: House) -> None:
    """After it the cookie opens nothing, at once."""
    cookie, _ = signed_in(house, Link("sign-in", None, NOON + DAY_US))
    headers = {"Cookie": f"{SESSION_COOKIE}={cookie}"}
    assert house.client.post("/sign-out", headers=headers).status_code == 403
    session = house.services.credentials.sessions.find(cookie, NOON)
    assert session is not None
    headers[CSRF_HEADER] = session.csrf
    assert house.client.post("/sign-out", headers=headers).status_code == 303
    assert house.client.get("/v1/tokens", headers=headers).status_code == 401


# ------------------------------------------------------------------------- tokens


def test_a_token_is_shown_once(each_house: House) -> None:
    """Made over HTTP it works; its secret is in no list; a repeat is 409, not a second showing."""
    client = each_house.client
    headers = {**each_house.bearer("admin"), "Idempotency-Key": "once"}
    body = {"name": "crm", "scopes": ["append"], "source": "api:crm"}
    made = client.post("/v1/tokens", json=body, headers=headers)
    assert made.status_code == 201, made.text
    secret = made.json()["token"]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert each_house.append(bearer, source=...).status_code == 201
    again = client.post("/v1/tokens", json=body, headers=headers)
    assert (again.status_code, again.json()["type"]) == (409, "urn:hilo:problem:state")
    listed = client.get("/v1/tokens", headers=headers)
    assert secret not in listed.text
    row = next(row for row in listed.json()["items"] if row["name"] == "crm")
    assert (row["scopes"], row["source"], row["token"]) == (["append"], "api:crm", None)
    entries = [each_house.services.log.entry(n) for n in (1, 2)]
    assert all(entry and isinstance(entry.event, TokenIssued) for entry in entries)


def test_a_token_says_as_whom_it_acts(house: House) -> None:
    """Like everybody in an answer, by id and name: when it is made, and in the list."""
    rosa = {"id": str(house.user("rosa@colibri.mx")), "name": "Rosa", "user": True}
    body = {"name": "crm", "scopes": ["read"], "user": "rosa@colibri.mx"}
    headers = house.bearer("admin")
    assert house.client.post("/v1/tokens", json=body, headers=headers).json()["user"] == rosa
    listed = house.client.get("/v1/tokens", headers=headers).json()["items"]
    assert {row["name"]: row["user"] for row in listed} == {"crm": rosa, "token 1": None}


def test_a_revoked_token_is_gone_here_at_once(each_house: House) -> None:
    """DELETE answers 204 and is written down; doing it again changes nothing."""
    client, headers = each_house.client, each_house.bearer("admin")
    body = {"name": "crm", "scopes": ["read"], "expires_at": "2027-01-01T00:00:00Z"}
    made = client.post("/v1/tokens", json=body, headers=headers).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert client.get("/v1/tokens", headers=bearer).status_code == 403
    for _ in range(2):
        assert (
            client.request("DELETE", f"/v1/tokens/{made['id']}", headers=headers).status_code == 204
        )
    assert client.get("/v1/tokens", headers=bearer).status_code == 401
    entry = each_house.services.log.entry(each_house.services.log.head())
    assert entry is not None
    assert isinstance(entry.event, TokenRevoked)
    for name in (str(UUID(int=3)), "crm"):
        assert client.request("DELETE", f"/v1/tokens/{name}", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"name": ""}, "name", "too_short"),
        ({"scopes": []}, "scopes", "too_short"),
        ({"scopes": ["write"]}, "scopes[0]", "bad_enum"),
        ({"source": "No"}, "source", "bad_source"),
        ({"user": "nobody@example.com"}, "user", "unknown"),
        ({"expires_at": "soon"}, "expires_at", "bad_time"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at", "past"),
    ],
)
def test_a_wrong_token_request_is_refused(
    house: House, changes: dict[str, object], field: str, code: str
) -> None:
    """Each field of a new token is checked."""
    body = {"name": "crm", "scopes": ["append"], **changes}
    answer = house.client.post("/v1/tokens", json=body, headers=house.bearer("admin"))
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


def test_tokens_are_paged(house: House) -> None:
    """Every token comes once, the newest first."""
    headers = house.bearer("admin")
    for _ in range(4):
        house.now[0] += 1_000
        house.token("read")
    names: list[str] = []
    cursor = ""
    page: dict[str, Any] = {}
    for _ in range(3):
        page = house.client.get(f"/v1/tokens?limit=2{cursor}", headers=headers).json()
        names += [row["name"] for row in page["items"]]
        cursor = f"&cursor={page['next']}"
    assert page["next"] is None
    assert names == [f"token {number}" for number in (5, 4, 3, 2, 1)]
