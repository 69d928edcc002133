"""Connections over the API: added, shown without their secrets, changed, removed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.channels.shop import KEY, NAME, SECRET, TOKEN, Shop, messages, text

WHERE = f"/v1/channels/{KEY}"
OTHER: dict[str, Any] = {
    "channel": "whatsapp",
    "name": "sur",
    "title": "Sucursal Sur",
    "department": "Ventas",
    "secrets": {"app_secret": ["alpha", "beta"], "verify_token": "gamma"},
}


def post(shop: Shop, body: object, **headers: str) -> Any:  # noqa: ANN401 - httpx's own
    """Ask for a connection."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return shop.house.client.post("/v1/channels", json=body, headers={**shop.admin, **named})


def test_a_connection_is_shown_as_the_contract_has_it(shop: Shop) -> None:
    """Every field of the contract is there, before anything was delivered too."""
    shown = shop.connection()
    url = f"http://localhost:8000/channels/{KEY}"
    assert {name: shown[name] for name in ("key", "channel", "name", "title", "state", "url")} == {
        "key": KEY,
        "channel": "whatsapp",
        "name": NAME,
        "title": "Meta principal",
        "state": "active",
        "url": url,
    }
    assert set(shown["secrets"]) == {"app_secret", "verify_token"}
    assert (shown["sources"], shown["department"]) == ([], None)
    assert (shown["last_delivery_at"], shown["last_error"]) == (None, None)
    assert shown["balance"] == {
        "since": "2026-11-22T12:00:00.000000Z",
        "deliveries": 0,
        "rejected": {"bad_signature": 0, "no_signature": 0, "too_large": 0},
        "received": 0,
        "recorded": 0,
        "duplicate": 0,
        "ignored": {},
        "quarantined": 0,
    }


def test_a_connection_is_added_once(shop: Shop) -> None:
    """A new one is 201 with its URL; the same name again is refused, whoever asks."""
    answer = post(shop, OTHER)
    assert answer.status_code == 201, answer.text
    assert answer.json()["url"].endswith("/channels/whatsapp/sur")
    assert answer.json()["secrets"]["app_secret"]["count"] == 2
    assert answer.json()["department"] == {"key": "ventas", "name": "Ventas"}
    assert post(shop, OTHER).json()["type"].endswith(":state")


def test_a_repeated_request_is_answered_as_before(small_shop: Shop) -> None:
    """Under one Idempotency-Key a connection is added once; another body is refused."""
    assert post(small_shop, OTHER, Idempotency_Key="k").status_code == 201
    again = post(small_shop, OTHER, Idempotency_Key="k")
    assert (again.status_code, again.headers["hilo-duplicate"]) == (200, "true")
    other = post(small_shop, {**OTHER, "title": "Norte"}, Idempotency_Key="k")
    assert other.json()["type"].endswith("key-reused")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"channel": "pigeon"}, "channel", "unknown"),
        ({"name": "Sur!"}, "name", "bad_format"),
        ({"secrets": {"app_secret": "a"}}, "secrets.verify_token", "missing"),
        ({"secrets": {**OTHER["secrets"], "pin": "1"}}, "secrets.pin", "unknown_field"),
        ({"secrets": {**OTHER["secrets"], "app_secret": ""}}, "secrets.app_secret", "bad_format"),
        ({"secrets": {**OTHER["secrets"], "app_secret": 7}}, "secrets.app_secret", "bad_type"),
        ({"options": {"topic": "x"}}, "options.topic", "unknown_field"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_a_wrong_request_names_its_field(
    small_shop: Shop, change: dict[str, object], field: str, code: str
) -> None:
    """What is missing, unknown or of another type is named, with what is allowed."""
    answer = post(small_shop, {**OTHER, **change})
    assert answer.status_code == 422
    assert (field, code) in [(one["field"], one["code"]) for one in answer.json()["errors"]]


def test_an_unknown_secret_is_answered_with_the_known_ones(small_shop: Shop) -> None:
    """The refusal of an unknown name says which names there are."""
    answer = post(small_shop, {**OTHER, "secrets": {**OTHER["secrets"], "pin": "1"}})
    assert "app_secret, verify_token, access_token" in answer.text


def test_no_answer_shows_a_secret(small_shop: Shop) -> None:
    """Secrets come in and never out: not when added, shown, listed, changed or refused."""
    client = small_shop.house.client
    texts = [
        post(small_shop, OTHER).text,
        post(small_shop, OTHER).text,
        json.dumps(small_shop.connection()),
        client.get("/v1/channels", headers=small_shop.admin).text,
        client.request(
            "PATCH", WHERE, json={"secrets": {"app_secret": "delta"}}, headers=small_shop.admin
        ).text,
    ]
    for secret in ("alpha", "beta", "gamma", "delta", SECRET.decode(), TOKEN):
        assert not [text for text in texts if secret in text]


def test_a_change_changes_what_it_names(small_shop: Shop) -> None:
    """What is not named stays; an empty department takes it away."""
    client, admin = small_shop.house.client, small_shop.admin

    def patch(**body: object) -> dict[str, Any]:
        return dict(client.request("PATCH", WHERE, json=body, headers=admin).json())

    first = patch(title="Meta", department="Posventa")
    assert (first["title"], first["state"]) == ("Meta", "active")
    assert first["department"] == {"key": "posventa", "name": "Posventa"}
    assert patch(department="")["department"] is None
    assert patch(state="removed")["status"] == 422
    assert patch(secrets={"pin": "1"})["status"] == 422


def test_a_department_goes_with_what_comes_through(small_shop: Shop) -> None:
    """What is recorded belongs to the connection's department, whose first mention it is."""
    client = small_shop.house.client
    client.request("PATCH", WHERE, json={"department": "Ventas"}, headers=small_shop.admin)
    small_shop.deliver(messages(text("wamid.A")))
    recorded, mentioned = (entry.event for entry in small_shop.entries())
    assert getattr(recorded, "department", None) == "ventas"
    assert getattr(mentioned, "name", None) == "Ventas"
    assert small_shop.connection()["department"] == {"key": "ventas", "name": "Ventas"}


def test_a_removed_name_can_be_added_anew(small_shop: Shop) -> None:
    """Removed, its secrets are gone; added anew, its balance goes on."""
    client, admin = small_shop.house.client, small_shop.admin
    small_shop.deliver(messages(text("wamid.A")))
    assert client.request("DELETE", WHERE, headers=admin).status_code == 204
    assert small_shop.connection()["secrets"]["app_secret"]["set"] is False
    assert client.request("PATCH", WHERE, json={"title": "x"}, headers=admin).status_code == 409
    again = {"channel": "whatsapp", "name": NAME, "secrets": OTHER["secrets"]}
    assert post(small_shop, again).status_code == 201
    assert small_shop.deliver(b"{}", secret=b"beta").status_code == 200
    assert small_shop.balance()["recorded"] == 1


def test_connections_are_listed_and_paged(small_shop: Shop) -> None:
    """The newest first, a page at a time."""
    for name in ("a", "b", "c"):
        small_shop.house.now[0] += 1
        assert post(small_shop, {**OTHER, "name": name}).status_code == 201
    client, admin = small_shop.house.client, small_shop.admin
    page = client.get("/v1/channels?limit=2", headers=admin).json()
    assert [item["name"] for item in page["items"]] == ["c", "b"]
    rest = client.get(f"/v1/channels?limit=2&cursor={page['next']}", headers=admin).json()
    assert [item["name"] for item in rest["items"]] == ["a", NAME]
    assert rest["next"] is None


def test_what_is_not_in_the_views_says_how_far_they_are_too(small_shop: Shop) -> None:
    """Connections, quarantine and tokens carry the position and may be waited for, as all reads."""
    client, admin = small_shop.house.client, small_shop.admin
    for path in ("/v1/channels", WHERE, "/v1/quarantine", "/v1/tokens"):
        assert client.get(path, headers=admin).headers["hilo-position"].isdecimal()
        late = client.get(f"{path}?min_position=1000000&wait_ms=0", headers=admin)
        assert (late.status_code, late.json()["type"]) == (503, "urn:hilo:problem:not-yet")


def test_only_administrators_change_connections(small_shop: Shop) -> None:
    """Others may look at most."""
    client = small_shop.house.client
    manager, reader = small_shop.house.bearer("manage"), small_shop.house.bearer("read")
    assert client.get(WHERE, headers=manager).status_code == 200
    assert client.get(WHERE, headers=reader).status_code == 403
    for headers in (manager, reader):
        assert client.post("/v1/channels", json=OTHER, headers=headers).status_code == 403
        assert client.request("DELETE", WHERE, headers=headers).status_code == 403
    assert client.get(WHERE).status_code == 401


def test_an_unknown_connection_is_not_found(small_shop: Shop) -> None:
    """Shown, changed or removed: a name that was never given is 404."""
    client, admin = small_shop.house.client, small_shop.admin
    for method in ("GET", "PATCH", "DELETE"):
        body: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
        path = "/v1/channels/whatsapp/nobody"
        assert client.request(method, path, headers=admin, **body).status_code == 404
