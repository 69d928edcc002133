"""Who may do what: every role against the calls about people, settings and the log."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.api.browser import Browser, entered
from tests.api.house import interaction
from tests.api.station import Station

ROLES = ("admin", "manager", "agent", "auditor", None)

NOBODY = UUID(int=9)

EVERYBODY: set[str | None] = {"admin", "manager", "agent", "auditor", None}
READERS: set[str | None] = {"admin", "manager", "agent"}
LEADERS: set[str | None] = {"admin", "manager"}
ADMINS: set[str | None] = {"admin"}
AUDITORS: set[str | None] = {"admin", "manager", "auditor"}

MAY: dict[str, set[str | None]] = {
    "GET /v1/me": EVERYBODY,
    "PATCH /v1/me": EVERYBODY,
    "DELETE /v1/me/sessions": EVERYBODY,
    "GET /v1/users": READERS,
    f"GET /v1/users/{NOBODY}": READERS,
    "POST /v1/users": ADMINS,
    f"PATCH /v1/users/{NOBODY}": ADMINS,
    f"POST /v1/users/{NOBODY}/suspend": ADMINS,
    f"POST /v1/users/{NOBODY}/restore": ADMINS,
    f"POST /v1/users/{NOBODY}/invitation": ADMINS,
    f"DELETE /v1/users/{NOBODY}/sessions": ADMINS,
    "GET /v1/teams": READERS,
    f"GET /v1/teams/{NOBODY}": READERS,
    f"GET /v1/teams/{NOBODY}/history": READERS,
    "POST /v1/teams": LEADERS,
    f"PATCH /v1/teams/{NOBODY}": LEADERS,
    f"POST /v1/teams/{NOBODY}/members": LEADERS,
    f"DELETE /v1/teams/{NOBODY}/members/{NOBODY}": LEADERS,
    "GET /v1/departments": READERS,
    "GET /v1/departments/x": READERS,
    "POST /v1/departments": LEADERS,
    "PATCH /v1/departments/x": LEADERS,
    "GET /v1/campaigns": READERS,
    "GET /v1/campaigns/x": READERS,
    "POST /v1/campaigns": LEADERS,
    "PATCH /v1/campaigns/x": LEADERS,
    "GET /v1/sources": READERS,
    "GET /v1/sources/form:x": READERS,
    "PATCH /v1/sources/form:x": LEADERS,
    "GET /v1/tokens": ADMINS,
    "POST /v1/tokens": ADMINS,
    f"DELETE /v1/tokens/{NOBODY}": ADMINS,
    "POST /v1/interactions": READERS,
    "POST /v1/attachments": READERS,
    f"GET /v1/attachments/{NOBODY}": READERS,
    "GET /v1/activity": READERS,
    "GET /v1/search?q=hola": READERS,
    "GET /v1/reports/interactions": READERS,
    "GET /v1/reports/response-times": READERS,
    "GET /v1/reports/campaigns": READERS,
    "GET /v1/reports/heatmap": READERS,
    "GET /v1/reports/waiting": READERS,
    "GET /v1/contacts": READERS,
    "POST /v1/contacts": READERS,
    "GET /v1/conversations": READERS,
    f"POST /v1/conversations/{NOBODY}/assign": READERS,
    f"POST /v1/conversations/{NOBODY}/resolve": READERS,
    f"POST /v1/conversations/{NOBODY}/reopen": READERS,
    f"POST /v1/conversations/{NOBODY}/snooze": READERS,
    f"POST /v1/conversations/{NOBODY}/seen": READERS,
    f"POST /v1/conversations/{NOBODY}/unread": READERS,
    f"POST /v1/conversations/{NOBODY}/notes": READERS,
    f"POST /v1/conversations/{NOBODY}/notes/1/retraction": READERS,
    "POST /v1/conversations/bulk": READERS,
    f"POST /v1/contacts/{NOBODY}/mute": READERS,
    f"POST /v1/contacts/{NOBODY}/holds": ADMINS,
    f"POST /v1/contacts/{NOBODY}/holds/{NOBODY}/lift": ADMINS,
    f"POST /v1/contacts/{NOBODY}/erasure": ADMINS,
    "GET /v1/erasures": ADMINS,
    f"GET /v1/erasures/{NOBODY}": ADMINS,
    "GET /v1/log": AUDITORS,
    "GET /v1/log/checkpoint": AUDITORS,
    "GET /v1/log/checkpoints": AUDITORS,
    "GET /v1/log/key": AUDITORS,
    "GET /v1/log/tile/0/000": AUDITORS,
    "GET /v1/log/tile/entries/000": AUDITORS,
    "GET /v1/log/proofs/inclusion": AUDITORS,
    "GET /v1/log/proofs/consistency": AUDITORS,
    "GET /v1/log/receipts/1": AUDITORS,
    "GET /v1/interactions/1/receipt": READERS | AUDITORS,
    "GET /v1/audit/state": AUDITORS,
    "POST /v1/audit/verifications": AUDITORS,
    "GET /v1/audit/verifications": AUDITORS,
    f"GET /v1/audit/verifications/{NOBODY}": AUDITORS,
    "POST /v1/exports": AUDITORS,
    "GET /v1/exports": AUDITORS,
    f"GET /v1/exports/{NOBODY}": AUDITORS,
    f"GET /v1/exports/{NOBODY}/download": AUDITORS,
    "POST /v1/channels": ADMINS,
}
"""Each call, and the roles that may; None is a user whose role was taken."""

BODIES: dict[str, object] = {
    "POST /v1/interactions": interaction(source="manual"),
    "PATCH /v1/me": {"shortcuts": True},
}


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hashing costs is not the matter here."""
    monkeypatch.setattr("storage.passwords.MEMORY_KIB", 64)
    monkeypatch.setattr("storage.passwords.PASSES", 1)


def in_role(station: Station, role: str | None) -> Browser:
    """The browser of somebody with that role."""
    id, browser = entered(station, "rosa@example.mx", role or "agent")
    if role is None:
        answer = station.request("PATCH", f"/v1/users/{id}", json={"role": None})
        assert answer.status_code == 200
        station.application.state.doorkeeper.forget()
    return browser


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_the_table_says(station: Station, role: str | None) -> None:
    """403 `not-allowed` where it may not; anything else where it may, whatever it then finds."""
    browser = in_role(station, role)
    for call, roles in MAY.items():
        method, path = call.split(" ")
        if call == "DELETE /v1/me/sessions":
            continue  # it ends what the others need; below
        body = BODIES.get(call, None if method in {"GET", "DELETE"} else {})
        answer = browser.command(method, path, body)
        refused = answer.status_code == 403
        assert refused == (role not in roles), (call, role, answer.text)
        if refused:
            assert answer.json()["type"] == "urn:hilo:problem:not-allowed"
    assert browser.command("DELETE", "/v1/me/sessions").status_code == 204


def test_a_stranger_may_nothing(station: Station) -> None:
    """Without a session or token each of these calls is 401."""
    for call in MAY:
        method, path = call.split(" ")
        answer = station.request(method, path, headers={}, json={})
        assert answer.status_code == 401, call


def test_a_token_leads_by_its_scope(station: Station) -> None:
    """A program with `manage` may change teams; with less it may not."""
    for scope, status in (("manage", 201), ("read", 403), ("append", 403)):
        headers = station.bearer(scope)
        answer = station.post("/v1/teams", json={"name": scope}, headers=headers)
        assert answer.status_code == status, scope


def test_a_token_makes_no_more_of_a_person_than_their_role(station: Station) -> None:
    """A manager's own token with `manage` may change teams; an agent's may not."""
    for name, role, status in (("Rosa", "manager", 201), ("Luis", "agent", 403)):
        headers = station.bearer("manage", user=station.user(name, role))
        answer = station.post("/v1/teams", json={"name": name}, headers=headers)
        assert answer.status_code == status, role


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "restricted", "reason": "x"}, "users"),
        ({"mode": "restricted", "users": ["nadie"], "reason": "x"}, "users[0]"),
        ({"mode": "restricted", "teams": ["ninguno"], "reason": "x"}, "teams[0]"),
        ({"mode": "open", "users": ["rosa@example.mx"], "reason": "x"}, "mode"),
        ({"mode": "open", "reason": " "}, "reason"),
    ],
)
def test_a_decision_that_says_nothing_is_refused(
    each_station: Station, body: dict[str, object], field: str
) -> None:
    """Unknown users and teams, nobody at all, and no reason are refused, each with its field."""
    each_station.user("Rosa")
    contact = each_station.append()["contact"]
    answer = each_station.post(f"/v1/contacts/{contact}/access", json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
