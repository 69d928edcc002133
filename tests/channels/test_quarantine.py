"""The quarantine: sealed, shown to whoever may, retried, discarded, and never for ever."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from channels import whatsapp
from channels.quarantine import KEPT_US
from storage.arrivals import Kindred
from tests.channels.shop import KEY, Shop, change, messages, parsed, request, text
from tests.channels.told import told

NEW = "brand_new_field"
CURIOUS = text("wamid.A", "Hola, ¿sigue disponible?")


def poisoned(shop: Shop) -> dict[str, Any]:
    """The one atom in quarantine, after a delivery of a field that nobody knows."""
    assert shop.deliver(request(change(NEW, messages=[CURIOUS]))).status_code == 200
    (item,) = listed(shop)
    return item


def listed(shop: Shop, query: str = "") -> list[dict[str, Any]]:
    """The items of the list."""
    answer = shop.house.client.get(f"/v1/quarantine{query}", headers=shop.admin)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def act(shop: Shop, id_: str, action: str, **more: Any) -> Any:  # noqa: ANN401 - httpx's own
    """One of the two commands."""
    headers = {**shop.admin, **more.pop("headers", {})}
    return shop.house.client.post(f"/v1/quarantine/{id_}/{action}", headers=headers, **more)


def test_an_atom_waits_sealed(shop: Shop) -> None:
    """An atom is listed without its content, and what lies in the table tells nothing."""
    item = poisoned(shop)
    assert (item["reason"], item["atom"], item["attempts"]) == ("unknown_kind", 0, 1)
    assert (item["connection"], item["raw"]) == (KEY, None)
    atom = shop.house.services.channels.arrivals.quarantined_atom(
        shop.house.services.channels.ward.open_ids()[0]
    )
    assert atom.body is not None
    assert b"disponible" not in atom.body
    assert shop.balance()["quarantined"] == 1


def test_only_an_administrator_sees_what_came(small_shop: Shop) -> None:
    """The single call shows the raw request to an administrator, and to nobody else."""
    id_ = poisoned(small_shop)["id"]
    client = small_shop.house.client
    raw = client.get(f"/v1/quarantine/{id_}", headers=small_shop.admin).json()["raw"]
    (line,) = told(parsed(base64.b64decode(raw["body_base64"])))
    assert line == "quarantine: unknown_kind (the field is unknown)"
    assert "x-hub-signature-256" not in raw["headers"]
    manager = small_shop.house.bearer("manage")
    assert client.get(f"/v1/quarantine/{id_}", headers=manager).json()["raw"] is None
    for scope in ("read", "append", "audit"):
        nobody = small_shop.house.bearer(scope)
        assert client.get(f"/v1/quarantine/{id_}", headers=nobody).status_code == 403


def test_all_of_a_kind_are_retried_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Atoms are counted by connection and reason, and one kind is delivered without the others."""
    poisoned(shop)
    for number in range(3):
        assert shop.deliver(b"no JSON %d" % number).status_code == 200
    channels = shop.house.services.channels
    new, unread = Kindred(KEY, "unknown_kind"), Kindred(KEY, "unparsable")
    assert channels.arrivals.quarantined_kinds() == [(new, 1), (unread, 3)]
    monkeypatch.setitem(whatsapp._FIELDS, NEW, whatsapp._ANYWHERE)
    assert shop.house.run(channels.retrying.retry_all(unread, 2)) == (0, 2)
    assert shop.house.run(channels.retrying.retry_all(new)) == (1, 0)
    assert channels.arrivals.quarantined_kinds() == [(unread, 3)]
    assert sorted(item["attempts"] for item in listed(shop)) == [1, 2, 2]
    assert shop.balance()["recorded"] == 1


def test_a_retry_records_what_can_be_read_now(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its cause is gone, an atom moves from quarantined to recorded, in one step."""
    id_ = poisoned(shop)["id"]
    failed = act(shop, id_, "retry").json()
    assert (failed["state"], failed["attempts"]) == ("open", 2)
    monkeypatch.setitem(whatsapp._FIELDS, NEW, whatsapp._ANYWHERE)
    done = act(shop, id_, "retry").json()
    assert (done["state"], done["raw"]) == ("retried", None)
    assert listed(shop) == []
    balance = shop.balance()
    assert (balance["recorded"], balance["quarantined"], balance["received"]) == (1, 0, 1)
    assert [getattr(entry.event, "text", None) for entry in shop.entries()] == [
        "Hola, ¿sigue disponible?"
    ]
    assert act(shop, id_, "retry").status_code == 409


def test_a_retry_of_what_was_recorded_meanwhile_is_a_duplicate(
    small_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An atom whose message came another way moves to the duplicates."""
    id_ = poisoned(small_shop)["id"]
    small_shop.deliver(messages(CURIOUS))
    monkeypatch.setitem(whatsapp._FIELDS, NEW, whatsapp._ANYWHERE)
    assert act(small_shop, id_, "retry").json()["state"] == "retried"
    balance = small_shop.balance()
    assert (balance["recorded"], balance["duplicate"], balance["quarantined"]) == (1, 1, 0)


def test_an_atom_in_quarantine_is_known_when_it_comes_again(shop: Shop) -> None:
    """The same bytes again are a duplicate, also after they were discarded."""
    id_ = poisoned(shop)["id"]
    body = request(change(NEW, messages=[CURIOUS]))
    shop.deliver(body)
    assert shop.balance()["duplicate"] == 1
    act(shop, id_, "discard", json={"reason": "nothing"})
    shop.deliver(body)
    balance = shop.balance()
    assert (balance["duplicate"], balance["quarantined"]) == (2, 0)
    assert listed(shop) == []


def test_discarding_counts_as_ignored_and_deletes(shop: Shop) -> None:
    """A discarded atom counts as ignored, says why, and its content is gone."""
    id_ = poisoned(shop)["id"]
    gone = act(shop, id_, "discard", json={"reason": "a test of Meta's"})
    assert (gone.json()["state"], gone.json()["error"]) == (
        "discarded",
        "discarded: a test of Meta's",
    )
    assert shop.balance()["ignored"] == {"discarded": 1}
    shown = shop.house.client.get(f"/v1/quarantine/{id_}", headers=shop.admin).json()
    assert shown["raw"] is None
    assert act(shop, id_, "discard", json={"reason": "again"}).status_code == 409


def test_a_repeated_command_is_done_once(small_shop: Shop) -> None:
    """Under one Idempotency-Key a discard is done once; with another body it is refused."""
    id_ = poisoned(small_shop)["id"]
    key = {"Idempotency-Key": "k1"}
    first = act(small_shop, id_, "discard", json={"reason": "x"}, headers=key)
    again = act(small_shop, id_, "discard", json={"reason": "x"}, headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["hilo-duplicate"] == "true"
    other = act(small_shop, id_, "discard", json={"reason": "y"}, headers=key)
    assert other.json()["type"].endswith("key-reused")


def test_nothing_waits_for_ever(small_shop: Shop) -> None:
    """After 90 days an atom is discarded by itself; a day earlier it still waits."""
    poisoned(small_shop)
    ward, now = small_shop.house.services.channels.ward, small_shop.house.now[0]
    assert ward.expire(now + KEPT_US - 1) == 0
    assert ward.expire(now + KEPT_US + 1) == 1
    assert small_shop.balance()["ignored"] == {"discarded": 1}


def test_the_list_is_paged_without_gaps(shop: Shop) -> None:
    """Page by page, forwards and back, each atom is listed once, the latest first."""
    for number in range(5):
        shop.house.now[0] += number // 2  # two of one moment among them
        shop.deliver(request(change(f"{NEW}_{number}")))
    everything = [item["id"] for item in listed(shop)]
    assert len(everything) == 5
    client, found, cursor = shop.house.client, list[str](), ""
    while True:
        answer = client.get(f"/v1/quarantine?limit=2{cursor}", headers=shop.admin).json()
        found += [item["id"] for item in answer["items"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert found == everything
    back = client.get(f"/v1/quarantine?limit=2&cursor={answer['prev']}", headers=shop.admin)
    assert [item["id"] for item in back.json()["items"]] == everything[2:4]


def test_an_unreadable_delivery_is_one_atom_until_it_can_be_read(
    small_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What turns out to be several atoms ends in as many counters."""
    body = json.dumps(messages(text("wamid.A"), text("wamid.B"))).encode()
    with monkeypatch.context() as broken:

        def unable(_: bytes) -> object:
            raise ValueError("a parser of former times")

        broken.setattr(whatsapp, "loads", unable)
        small_shop.deliver(body)
    (item,) = listed(small_shop)
    assert small_shop.balance()["received"] == 1
    assert act(small_shop, item["id"], "retry").json()["state"] == "retried"
    balance = small_shop.balance()
    assert (balance["recorded"], balance["quarantined"]) == (2, 0)


def test_what_is_not_there_is_not_found(small_shop: Shop) -> None:
    """An unknown id and one that cannot be one are 404."""
    for id_ in ("00000000-0000-8000-8000-000000000000", "nothing"):
        for action in ("retry", "discard"):
            assert act(small_shop, id_, action, json={"reason": "x"}).status_code == 404
