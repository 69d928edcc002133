"""Erasures and legal holds over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from api.signals import Teller, Wanted
from app.cli import run as hilo
from projections import contact_pages
from projections.access import Reader
from tests.api.station import Station
from tests.patience import PATIENCE_S

REASON = {"reason": "lo pidió por escrito"}


def test_a_contact_is_erased_by_its_plan(each_station: Station) -> None:
    """First the plan, then its id with a reason: the certificate, and a skeleton that counts."""
    ana = each_station.append(contact_name="Ana", text="secreto")["contact"]
    each_station.append(
        direction="outbound",
        resource="tel:+525598765432",
        destination="tel:+525512345678",
        text="también",
    )
    other = each_station.append(resource="tel:+525500000001", contact_name="Luis")["contact"]
    path = f"/v1/contacts/{ana}/erasure"
    plan = each_station.post(path, json={"dry_run": True}).json()
    assert (plan["label"], plan["interactions"], plan["subjects"]) == ("Ana", 2, 1)
    assert plan["addresses"] == ["tel:+525512345678"]
    assert each_station.ask(f"/v1/contacts/{ana}")["name"] == "Ana"
    wrong = each_station.post(path, json={"confirm": "x", **REASON})
    assert (wrong.status_code, wrong.json()["type"]) == (409, "urn:hilo:problem:state")
    done = each_station.post(path, json={"confirm": plan["plan"], **REASON})
    assert done.status_code == 200, done.text
    view = done.json()
    assert (view["state"], view["outstanding"], view["contact"]) == ("done", [], ana)
    assert view["certificate"]["reason"] == REASON["reason"]
    body = each_station.ask(f"/v1/contacts/{ana}")
    assert (body["name"], body["label"], body["interactions"]) == (None, "#2", 2)
    assert body["erased_at"] is not None
    [address] = body["addresses"]
    assert (address["address"], address["label"]) == (None, None)
    for row in each_station.ask(f"/v1/contacts/{ana}/timeline")["items"]:
        assert row["erased"]
        assert (row["text"], row["resource"]["address"], row["attachments"]) == (None, None, None)
    assert each_station.ask(f"/v1/contacts/{other}")["name"] == "Luis"
    assert each_station.ask("/v1/contacts", q="Ana")["items"] == []
    again = each_station.post(path, json={"confirm": plan["plan"], **REASON})
    assert again.json()["type"] == "urn:hilo:problem:state"
    [listed] = each_station.ask("/v1/erasures")["items"]
    assert listed == view
    assert each_station.ask(f"/v1/erasures/{view['erasure']}") == view
    assert each_station.get(f"/v1/erasures/{ana}").status_code == 404
    named = each_station.request("PATCH", f"/v1/contacts/{ana}", json={"name": "Ana"})
    assert (named.status_code, named.json()["type"]) == (410, "urn:hilo:problem:erased")


def test_a_legal_hold_forbids_it(station: Station) -> None:
    """A hold is shown with its reason, forbids plan and deed, and ends when it is lifted."""
    ana = station.append()["contact"]
    held = station.post(f"/v1/contacts/{ana}/holds", json={"reason": "juicio 12/2026"})
    assert held.status_code == 200, held.text
    [hold] = held.json()["holds"]
    assert hold["reason"] == "juicio 12/2026"
    refused = station.post(f"/v1/contacts/{ana}/erasure", json={"dry_run": True})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:hilo:problem:held")
    lift = f"/v1/contacts/{ana}/holds/{hold['id']}/lift"
    lifted = station.post(lift, json={"reason": "terminó"})
    assert lifted.json()["holds"] == []
    assert station.post(lift, json={"reason": "terminó"}).status_code == 404
    assert station.post(f"/v1/contacts/{ana}/erasure", json={"dry_run": True}).status_code == 200


def test_every_hold_that_stands_is_listed(each_station: Station) -> None:
    """The contacts that are held, the latest first, as many as asked for, and how many in all."""
    held = [
        each_station.append(resource=f"tel:+52551234567{number}")["contact"] for number in range(3)
    ]
    holds = [
        each_station.post(f"/v1/contacts/{contact}/holds", json={"reason": "juicio"}).json()
        for contact in (*held[:2], held[1])
    ]
    hold = holds[-1]["holds"][0]["id"]

    def listed(limit: int) -> tuple[list[str], int]:
        with each_station.composition.views.reading() as reading:
            rows, count = contact_pages.held(reading, limit)
        return [str(UUID(bytes=row.contact)) for row in rows], count

    assert (set(listed(9)[0]), listed(1)[1]) == (set(held[:2]), 2)
    assert len(listed(1)[0]) == 1
    each_station.post(f"/v1/contacts/{held[1]}/holds/{hold}/lift", json={"reason": "terminó"})
    assert listed(9)[1] == 2  # another one stands there


def test_an_erasure_asks_for_one_thing(station: Station) -> None:
    """A plan or a deed, and a deed has a reason."""
    ana = station.append()["contact"]
    for body, field in (
        ({}, "confirm"),
        ({"dry_run": True, "confirm": "x", "reason": "y"}, "dry_run"),
        ({"confirm": "x"}, "reason"),
    ):
        answer = station.post(f"/v1/contacts/{ana}/erasure", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field


def test_a_stream_hears_that_a_contact_is_gone(station: Station) -> None:
    """Instead of the event itself readers get `gone`, which says that nothing is left to show."""
    ana = station.append(text="secreto")["contact"]
    path = f"/v1/contacts/{ana}/erasure"
    plan = station.post(path, json={"dry_run": True}).json()["plan"]
    station.post(path, json={"confirm": plan, **REASON})
    [erased] = [entry for entry in station.services.log.page(0) if entry.topic == "contact.erased"]
    entries = station.services.log.open_page([erased])
    teller = Teller(station.services, station.composition.renderer)
    reader = Reader(everything=True)
    assert station.run(station.composition.tide.wait_for(station.head, PATIENCE_S))
    batch = teller.tell(entries, Wanted(frozenset({reader}), frozenset()))
    [frame] = batch.frames[reader]
    assert frame.body.startswith(b"event: gone")
    assert json.loads(frame.body.split(b"data: ")[1]) == {"contact": ana}


def test_the_command_plans_and_erases(station: Station, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside a running server: the plan alone does nothing, 3 for nobody, 4 for another plan."""
    station.append(contact_name="Ana")
    data = ["--data", str(station.composition.settings.data), "--json"]
    assert hilo(["erase", "+525512345678", *data]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["label"] == "Ana"
    assert hilo(["erase", "nadie@example.com", *data]) == 3
    assert hilo(["erase", plan["contact"], "--confirm", "x", "--reason", "y", *data]) == 4
    assert hilo(["erase", plan["contact"], "--confirm", plan["plan"], *data]) == 2
    capsys.readouterr()
    words = ["erase", plan["contact"], "--confirm", plan["plan"], "--reason", "lo pidió"]
    assert hilo([*words, *data]) == 0
    path = Path(json.loads(capsys.readouterr().out)["certificate"])
    assert json.loads(path.read_text("utf-8"))["contact"] == plan["contact"]
    assert hilo(["erase", plan["contact"], *data]) == 4
    assert station.ask(f"/v1/contacts/{plan['contact']}")["erased_at"] is not None


def test_a_timeline_is_told_as_it_was_known(each_station: Station) -> None:
    """Of before a correction and before later messages; the place of each row is that of today."""
    ana = each_station.append(text="uno")
    head = each_station.head
    path = f"/v1/interactions/{ana['id']}/corrections"
    fixed = {"changes": {"department": "ventas"}, "reason": "área"}
    assert each_station.post(path, json=fixed).status_code == 200
    each_station.append(text="dos")
    timeline = f"/v1/contacts/{ana['contact']}/timeline"
    now = each_station.ask(timeline)["items"]
    assert [row["text"] for row in now] == ["dos", "uno"]
    assert now[1]["department"]["key"] == "ventas"
    [then] = each_station.ask(timeline, as_of=head)["items"]
    assert (then["text"], then["department"]) == ("uno", None)
    assert each_station.ask(timeline, as_of="2020-01-01")["items"] == []
    assert each_station.get(timeline, params={"as_of": "ayer"}).status_code == 422
