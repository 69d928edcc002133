"""Deliveries, from the request to the log and the balance, on both databases."""

from __future__ import annotations

import asyncio
import itertools
import json
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from channels import meta
from channels.contract import Incoming
from domain.errors import StoreUnavailable
from domain.events import Actor, InteractionRecorded
from domain.ports import Unit, Verdict
from tests.channels.examples import EXAMPLES
from tests.channels.shop import (
    KEY,
    NUMBER,
    SECRET,
    SENT_S,
    SOURCE,
    Shop,
    change,
    messages,
    payload,
    payload_names,
    request,
    text,
)


def counts(shop: Shop) -> tuple[int, int, int, int]:
    """Recorded, duplicate, ignored, quarantined."""
    balance = shop.balance()
    ignored = sum(balance["ignored"].values())
    return balance["recorded"], balance["duplicate"], ignored, balance["quarantined"]


def calls() -> list[dict[str, object]]:
    """What Meta tells of one call, an event a delivery."""
    base = {
        "id": "wacid.A",
        "from": "525512345678",
        "to": "525598765432",
        "direction": "USER_INITIATED",
    }
    connect = {**base, "event": "connect", "timestamp": str(SENT_S)}
    end = {**base, "event": "terminate", "timestamp": str(SENT_S + 50)}
    end |= {"status": "COMPLETED", "duration": "42", "start_time": str(SENT_S + 8)}
    return [request(change("calls", calls=[one])) for one in (connect, end)]


# ------------------------------------------------------------------------- settling


def test_a_delivery_is_settled_atom_by_atom(shop: Shop) -> None:
    """Several entries with several changes, a poisoned atom among them: each ends as it is."""
    first = change(messages=[text("wamid.A"), {"id": "wamid.X", "type": "edit"}, text("wamid.B")])
    second = change(statuses=[{"id": "wamid.OUT", "status": "read", "timestamp": str(SENT_S)}])
    template = {"field": "message_template_status_update", "value": {"event": "APPROVED"}}
    body: dict[str, Any] = request(first, second)
    body["entry"].append({"id": "2", "changes": [template, {"field": "brand_new", "value": {}}]})
    assert shop.deliver(body).status_code == 200
    assert counts(shop) == (3, 0, 1, 2)
    assert shop.topics() == ["interaction.recorded", "interaction.recorded", "delivery.reported"]
    assert shop.balance()["deliveries"] == 1


def test_what_is_recorded_says_by_which_connection_and_source(small_shop: Shop) -> None:
    """The actor is the connection, the source the number; content lies sealed, ids too."""
    small_shop.deliver(messages(text("wamid.HBgNNTI1NTEy", "Hola, ¿sigue disponible?")))
    (entry,) = small_shop.entries()
    event = entry.event
    assert isinstance(event, InteractionRecorded)
    assert event.actor == Actor("channel", KEY)
    assert (event.source, event.external_id) == (SOURCE, "wamid.HBgNNTI1NTEy")
    (stored,) = small_shop.house.services.log.page(entry.position - 1)
    for secret in (b"wamid", b"disponible", b"525512345678", "Núñez".encode()):
        assert secret not in stored.state


def test_the_same_delivery_again_changes_nothing(shop: Shop) -> None:
    """Delivered three times, it is recorded once and counted each time."""
    for _ in range(3):
        assert shop.deliver(messages(text("wamid.A"), text("wamid.B"))).status_code == 200
    assert counts(shop) == (2, 4, 0, 0)
    assert len(shop.entries()) == 2


def test_one_message_twice_in_one_delivery_is_one(small_shop: Shop) -> None:
    """A repeat within a delivery is a duplicate of the first."""
    small_shop.deliver(messages(text("wamid.A"), text("wamid.A")))
    assert counts(small_shop) == (1, 1, 0, 0)


def test_deliveries_at_the_same_time_are_recorded_once(shop: Shop) -> None:
    """Eight copies that arrive together make one interaction and seven duplicates."""
    channels = shop.house.services.channels
    name = KEY.partition("/")[2]
    raw = json.dumps(messages(text("wamid.A"))).encode()
    incoming = Incoming(body=raw, headers=meta.sign(raw, {"app_secret": [SECRET]}))
    opened = channels.connections.open("whatsapp", name)

    async def together() -> None:
        await asyncio.gather(*(channels.receiver.deliver(opened, incoming) for _ in range(8)))

    shop.house.run(together())
    assert counts(shop) == (1, 7, 0, 0)


def test_a_status_may_come_before_its_message(small_shop: Shop) -> None:
    """Whichever comes first, the status is about the message's stream."""
    status = {"id": "wamid.A", "status": "read", "timestamp": str(SENT_S)}
    echo = {**text("wamid.A"), "from": "525598765432", "to": "525512345678"}
    small_shop.deliver(request(change(statuses=[status])))
    small_shop.deliver(request(change("smb_message_echoes", message_echoes=[echo])))
    about, recorded = (entry.event for entry in small_shop.entries())
    assert getattr(about, "about", None) == recorded.originator_id
    assert counts(small_shop) == (2, 0, 0, 0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_a_call_is_one_interaction_in_any_order(small_shop: Shop, order: tuple[int, ...]) -> None:
    """Its events in any order, and repeated, make one interaction and a report each."""
    deliveries = calls()
    for number in (*order, *order):
        assert small_shop.deliver(deliveries[number]).status_code == 200
    topics = small_shop.topics()
    assert topics.count("interaction.recorded") == 1
    assert topics.count("delivery.reported") == 2
    assert counts(small_shop) == (2, 2, 0, 0)


def test_a_conflict_overwrites_nothing(shop: Shop) -> None:
    """The same id with other content goes into quarantine, once; what stands stays."""
    shop.deliver(messages(text("wamid.A", "uno")))
    for _ in range(2):
        assert shop.deliver(messages(text("wamid.A", "dos"))).status_code == 200
    assert counts(shop) == (1, 1, 0, 1)
    (entry,) = shop.entries()
    assert getattr(entry.event, "text", None) == "uno"


@pytest.mark.parametrize("kind", ["edit", "reaction"])
def test_a_change_that_says_something_else_is_a_conflict(small_shop: Shop, kind: str) -> None:
    """An edit or reaction that comes again with other content goes into quarantine."""
    for word in ("uno", "dos"):
        edited = {"original_message_id": "wamid.0", "message": {"type": "text"}}
        edited["message"] = {"type": "text", "text": {"body": word}}
        content = edited if kind == "edit" else {"message_id": "wamid.0", "emoji": word}
        item = {**text("wamid.R"), "type": kind, kind: content}
        small_shop.deliver(messages(item))
    assert counts(small_shop) == (1, 0, 0, 1)


def test_history_of_a_known_message_changes_nothing(small_shop: Shop) -> None:
    """A message that was delivered live is not recorded again by a history that says less."""
    small_shop.deliver(messages(text("wamid.A")))
    placeholder = {**text("wamid.A"), "type": "media_placeholder"}
    thread = {"id": "525512345678", "messages": [placeholder, text("wamid.OLD")]}
    small_shop.deliver(request(change("history", history=[{"threads": [thread]}])))
    assert counts(small_shop) == (2, 1, 0, 0)


def test_a_long_history_is_taken_in_parts(small_shop: Shop) -> None:
    """A delivery of more atoms than are queued at once is recorded whole, in order."""
    items = [text(f"wamid.{number}") for number in range(600)]
    thread = {"id": "525512345678", "messages": items}
    small_shop.deliver(request(change("history", history=[{"threads": [thread]}])))
    assert counts(small_shop) == (600, 0, 0, 0)
    keys = [getattr(entry.event, "external_id", None) for entry in small_shop.entries()]
    assert keys == [f"wamid.{number}" for number in range(600)]


def test_a_message_of_somebody_erased_is_not_recorded_again(shop: Shop) -> None:
    """A redelivery after an erasure is ignored for that reason, and makes nobody anew."""
    shop.deliver(messages(text("wamid.A")))
    (entry,) = shop.entries()
    keys = shop.house.composition.keys
    assert isinstance(entry.event, InteractionRecorded)
    subject = entry.event.subject
    subjects = keys.store.tables.subjects
    with keys.store.write() as transaction:
        gone = sa.update(subjects).where(subjects.c.subject == subject.bytes)
        transaction.execute(gone.values(address_mac=None))
    keys.ring.destroy(keys.ring.key_ids([subject]).values(), 1, 1)
    keys.forget()
    shop.deliver(messages(text("wamid.A")))
    assert shop.balance()["ignored"] == {"erased": 1}
    assert len(shop.entries()) == 1


# ------------------------------------------------------------------ the whole corpus


@pytest.mark.real_requests
def test_real_requests_three_times_in_any_order_change_nothing(shop: Shop) -> None:
    """All real requests again, and again in other orders: log and quarantine stay as they are."""
    corpus = [payload(name) for name in payload_names()]
    _three_times(shop, corpus)


def test_every_kind_three_times_in_any_order_changes_nothing(shop: Shop) -> None:
    """One request of each kind again and again: log and quarantine stay as they are."""
    corpus = []
    for number, (_, body, _) in enumerate(EXAMPLES):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        corpus.append(raw.replace(b"wamid.", f"wamid.{number}.".encode()))
    _three_times(shop, corpus)


def _three_times(shop: Shop, corpus: list[bytes]) -> None:
    random = Random(20261122)
    sent = 0
    states = []
    for _ in range(3):
        for raw in corpus:
            assert shop.deliver(raw).status_code == 200
            sent += 1
        balance = shop.balance()
        assert balance["deliveries"] == sent
        held = (balance["recorded"], balance["quarantined"], sum(balance["ignored"].values()))
        states.append((shop.house.services.log.head(), held[0], held[1]))
        random.shuffle(corpus)
    assert states[0] == states[1] == states[2]


# -------------------------------------------------------------------- stores that fail


def test_a_store_that_fails_before_settling_loses_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off before it is settled, a delivery comes again, and nothing is counted twice."""
    body = request(change(messages=[text("wamid.A"), 7], errors=[{"code": 1}]))
    with monkeypatch.context() as broken:

        def fails(*_: object) -> None:
            raise StoreUnavailable("gone")

        broken.setattr(shop.house.services.channels.arrivals, "settle", fails)
        answer = shop.deliver(body)
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
    assert counts(shop) == (1, 0, 0, 0)
    assert shop.deliver(body).status_code == 200
    assert counts(shop) == (1, 1, 1, 1)
    assert len(shop.entries()) == 1


def test_a_log_that_fails_in_the_middle_loses_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one atom of three cannot be appended, all come again; the other two are known."""
    log = shop.house.services.ledger.log
    append = log.append
    numbers = itertools.count()

    async def sometimes(unit: Unit) -> Verdict:
        if next(numbers) == 1:
            raise StoreUnavailable("gone")
        return await append(unit)

    body = messages(text("wamid.A"), text("wamid.B"), text("wamid.C"))
    with monkeypatch.context() as broken:
        broken.setattr(log, "append", sometimes)
        assert shop.deliver(body).status_code == 503
    assert counts(shop) == (2, 0, 0, 0)
    assert shop.deliver(body).status_code == 200
    assert counts(shop) == (3, 2, 0, 0)


def test_an_atom_that_the_ledger_refuses_waits_in_quarantine(
    small_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong with one atom's unit is that atom's end, with no word of its content."""
    ledger = small_shop.house.services.ledger
    unit = ledger.unit

    def odd(command: Any, by: Any) -> Unit:  # noqa: ANN401 - as the ledger's own
        if getattr(command, "key", "") == "wamid.B":
            raise ValueError("Hola")
        return unit(command, by)

    monkeypatch.setattr(ledger, "unit", odd)
    small_shop.deliver(messages(text("wamid.A"), text("wamid.B"), text("wamid.C")))
    assert counts(small_shop) == (2, 0, 0, 1)
    (item,) = small_shop.house.services.channels.arrivals.quarantined()
    assert (item.reason, item.error, item.source) == ("refused", "ValueError", SOURCE)


# --------------------------------------------------------------------------- showing


def test_sources_are_discovered_with_their_address(small_shop: Shop) -> None:
    """Each number that something came from is listed with our address, time and balance."""
    small_shop.deliver(messages(text("wamid.A")))
    (source,) = small_shop.connection()["sources"]
    assert (source["key"], source["state"]) == (f"whatsapp:{NUMBER}", "discovered")
    assert source["address"] == "tel:+525598765432"
    assert source["last_at"] == small_shop.connection()["last_delivery_at"] is not None
    assert source["balance"]["recorded"] == 1
