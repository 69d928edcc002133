"""The door of a connection: signatures, sizes, handshakes, and connections that are shut."""

from __future__ import annotations

import pytest

from channels import meta
from channels.contract import WEBHOOK_BODY_MAX_BYTES
from tests.channels.shop import KEY, NAME, SECRET, TOKEN, URL, Shop, messages, text

# ------------------------------------------------------------------------- refusing


def test_what_nobody_signed_is_refused_and_counted(shop: Shop) -> None:
    """A wrong signature, none, and one for other bytes are 401; nothing of them is kept."""
    body = messages(text("wamid.A"))
    assert shop.deliver(body, secret=b"another").status_code == 401
    assert shop.deliver(body, secret=None).status_code == 401
    forged = meta.sign(b"{}", {"app_secret": [SECRET]})
    assert shop.deliver(body, secret=None, headers=forged).status_code == 401
    balance = shop.balance()
    assert balance["rejected"] == {"bad_signature": 2, "no_signature": 1, "too_large": 0}
    assert (balance["received"], balance["deliveries"]) == (0, 0)
    assert shop.entries() == []
    assert shop.connection()["last_error"] == "rejected: bad_signature"


def test_a_body_that_is_too_large_is_refused_and_counted(small_shop: Shop) -> None:
    """One byte above the limit is 413, signed or not; the limit itself is read."""
    full = b'{"entry": []}'.ljust(WEBHOOK_BODY_MAX_BYTES)
    assert small_shop.deliver(full).status_code == 200
    answer = small_shop.deliver(full + b" ")
    assert answer.status_code == 413
    assert answer.json()["limit_bytes"] == WEBHOOK_BODY_MAX_BYTES
    assert small_shop.balance()["rejected"]["too_large"] == 1


def test_a_paused_connection_has_the_provider_wait(small_shop: Shop) -> None:
    """Paused it answers 503 with a time to come again; resumed it takes what it kept."""
    body = messages(text("wamid.A"))
    where = f"/v1/channels/{KEY}"
    patch = small_shop.house.client.request
    patch("PATCH", where, json={"state": "paused"}, headers=small_shop.admin)
    answer = small_shop.deliver(body)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert small_shop.balance()["received"] == 0
    patch("PATCH", where, json={"state": "active"}, headers=small_shop.admin)
    assert small_shop.deliver(body).status_code == 200


def test_a_removed_connection_is_gone(small_shop: Shop) -> None:
    """Removed, its URL is 404 for deliveries and handshakes; its history stays."""
    small_shop.deliver(messages(text("wamid.A")))
    client = small_shop.house.client
    gone = client.request("DELETE", f"/v1/channels/{KEY}", headers=small_shop.admin)
    assert gone.status_code == 204
    assert small_shop.deliver(messages(text("wamid.B"))).status_code == 404
    assert client.get(f"{URL}?hub.mode=subscribe").status_code == 404
    assert small_shop.connection()["state"] == "removed"
    assert small_shop.balance()["recorded"] == 1


def test_an_unknown_connection_is_not_there(small_shop: Shop) -> None:
    """Neither an unknown name nor an unknown channel answers."""
    for path in ("/channels/whatsapp/nobody", f"/channels/pigeon/{NAME}"):
        assert small_shop.house.client.post(path, content=b"{}").status_code == 404


# ------------------------------------------------------------------------ handshake


def test_the_handshake_sends_the_challenge_back(small_shop: Shop) -> None:
    """Who knows the verify token gets the challenge as it is, as plain text."""
    asked = {"hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "<b>1158</b>"}
    answer = small_shop.house.client.get(URL, params=asked)
    assert (answer.status_code, answer.text) == (200, "<b>1158</b>")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "changed",
    [
        {"hub.verify_token": "guess"},
        {"hub.verify_token": ""},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": ""},
        {"hub.challenge": "x" * 2_000},
    ],
)
def test_the_handshake_refuses_whoever_does_not_know(
    small_shop: Shop, changed: dict[str, str]
) -> None:
    """A wrong token, another mode or no challenge is 403."""
    asked = {"hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "1158"}
    answer = small_shop.house.client.get(URL, params={**asked, **changed})
    assert answer.status_code == 403
    assert TOKEN not in answer.text


def test_two_secrets_are_good_during_a_rotation(small_shop: Shop) -> None:
    """A new secret is taken beside the one before it; a third pushes out the first."""
    client, where = small_shop.house.client, f"/v1/channels/{KEY}"
    for number, secret in enumerate(("second", "third"), 2):
        body = {"secrets": {"app_secret": secret}}
        assert client.request("PATCH", where, json=body, headers=small_shop.admin).is_success
        assert small_shop.deliver(b"{}", secret=secret.encode()).status_code == 200
        expected = 200 if number == 2 else 401
        assert small_shop.deliver(b"{}").status_code == expected
    assert small_shop.connection()["secrets"]["app_secret"]["count"] == 2
