"""Messenger, Instagram, leads and changed numbers, from the signed request to the timeline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from channels import meta
from channels.connections import Draft
from channels.lead_ads_forms import completion
from domain.commands import By
from domain.events import Actor
from tests.api.house import NOON, House, open_house
from tests.backends import Backend, sqlite_backend
from tests.channels.meta_examples import ALL
from tests.channels.meta_shop import (
    PAGE,
    PSID,
    SENT_MS,
    direct,
    echo,
    inbox,
    item,
    lead,
    said,
    shared,
)
from tests.channels.shop import BUSINESS, SECRET, SENT_S, change, request, text

CHANNELS = ("messenger", "instagram", "lead_ads")


class Family:
    """A house with a connection of each channel, and what may be asked of it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.admin = house.bearer("admin")
        secrets = {"app_secret": [SECRET], "verify_token": [b"t"]}
        connections = house.composition.channels.connections
        for channel in (*CHANNELS, "whatsapp"):
            connections.add(Draft(channel=channel, name="main", secrets=secrets))

    def deliver(self, channel: str, body: object) -> None:
        """One signed delivery, which is taken."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = meta.sign(raw, {"app_secret": [SECRET]})
        url = f"/channels/{channel}/main"
        answer = self.house.client.post(url, content=raw, headers=headers)
        assert answer.status_code == 200, answer.text

    def balance(self, channel: str) -> dict[str, Any]:
        """What a connection says came in; its sum is right."""
        found = self.get(f"/v1/channels/{channel}/main")["balance"]
        ended = found["recorded"] + found["duplicate"] + found["quarantined"]
        assert found["received"] == ended + sum(found["ignored"].values())
        return dict(found)

    def get(self, path: str) -> dict[str, Any]:
        """What the API says, once the views have caught up."""
        self.house.catch_up()
        answer = self.house.client.get(path, headers=self.admin)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rows(self) -> list[dict[str, Any]]:
        """Everything that was recorded, the latest first."""
        return list(self.get("/v1/activity")["items"])

    def timeline(self, contact: str) -> list[dict[str, Any]]:
        """The rows of a contact, the oldest first."""
        return list(self.get(f"/v1/contacts/{contact}/timeline?order=asc")["items"])


@pytest.fixture
def family(backend: Backend) -> Iterator[Family]:
    """The family on SQLite, then on PostgreSQL."""
    with open_house(backend) as house:
        yield Family(house)


@pytest.fixture
def small_family(tmp_path: Path) -> Iterator[Family]:
    """The family on SQLite; enough where the database is not the matter."""
    folder = tmp_path / "family"
    folder.mkdir()
    with open_house(sqlite_backend(folder)) as house:
        yield Family(house)


def test_a_conversation_is_told_whole(family: Family) -> None:
    """Message, answer, reaction, edit, deletion and receipts, in any order, make two rows."""
    told = [
        said(text="Hola", referral={"ref": "volante"}),
        echo(text="Con gusto"),
        inbox(item(reaction={"mid": "m_B", "action": "react", "emoji": "❤"})),
        inbox(item(message_edit={"mid": "m_A", "text": "Hola, ¿precio?", "num_edit": 1})),
        inbox(item(read={"watermark": SENT_MS + 5})),
        inbox(item(delivery={"watermark": SENT_MS + 3})),
    ]
    Random(5).shuffle(told)
    for body in told * 2:
        family.deliver("messenger", body)
    theirs, ours = sorted(family.rows(), key=lambda row: str(row["direction"]))
    assert (theirs["channel"], theirs["text"]) == ("messenger", "Hola, ¿precio?")
    assert theirs["resource"]["address"] == f"messenger:{PAGE}/{PSID}"
    assert theirs["destination"]["address"] == f"messenger:{PAGE}/{PAGE}"
    assert theirs["campaign"]["name"] == "volante"
    assert theirs["edited_at"] is not None
    assert (ours["direction"], ours["text"]) == ("outbound", "Con gusto")
    assert ours["status"]["state"] == "read"
    assert [one["emoji"] for one in ours["reactions"]] == ["❤"]
    assert ours["contact"] == theirs["contact"]
    balance = family.balance("messenger")
    assert (balance["recorded"], balance["duplicate"]) == (6, 6)


def test_instagram_takes_back_and_sees(family: Family) -> None:
    """What was unsent loses its words, and what was seen is read."""
    family.deliver("instagram", direct(shared(message={"mid": "a", "text": "Ups"})))
    sent = item("17841405309211844", "1254459154682919")
    sent["message"] = {"mid": "b", "text": "Hola", "is_echo": True}
    family.deliver("instagram", direct(sent))
    family.deliver("instagram", direct(shared(message={"mid": "a", "is_deleted": True})))
    family.deliver("instagram", direct(shared(read={"mid": "b"})))
    theirs, ours = sorted(family.rows(), key=lambda row: str(row["direction"]))
    assert theirs["text"] is None
    assert theirs["revoked_at"] is not None
    assert ours["status"]["state"] == "read"


def test_an_echo_meets_what_a_program_recorded(small_family: Family) -> None:
    """A message that our own program appended is one with its echo, whose time differs."""
    appended = small_family.house.append(
        small_family.admin,
        channel="messenger",
        direction="outbound",
        source=f"messenger:{PAGE}",
        external_id="m_B",
        resource=f"messenger:{PAGE}/{PAGE}",
        destination=f"messenger:{PAGE}/{PSID}",
        text="Con gusto",
    )
    assert appended.status_code == 201, appended.text
    small_family.deliver("messenger", echo(text="Con gusto"))
    assert len(small_family.rows()) == 1
    assert small_family.balance("messenger")["duplicate"] == 1


def test_a_lead_is_completed_by_its_answers(small_family: Family) -> None:
    """A lead stands at once; its answers, fetched later, complete the same interaction."""
    small_family.deliver("lead_ads", lead())
    small_family.deliver("messenger", lead())
    (row,) = small_family.rows()
    assert (row["channel"], row["text"]) == ("form", "[lead]")
    assert small_family.balance("messenger")["duplicate"] == 1
    fetched = {"field_data": [{"name": "full_name", "values": ["Ana Núñez"]}]}
    ledger = small_family.house.services.ledger
    fact = completion(ledger.derive, f"lead_ads:{PAGE}", "444444444444", fetched, NOON)
    for _ in range(2):
        small_family.house.run(ledger.report(fact, By(Actor("system", "leads"))))
    (row,) = small_family.rows()
    assert row["text"] == "full_name: Ana Núñez"


def test_every_kind_three_times_in_any_order_changes_nothing(small_family: Family) -> None:
    """Every example, three times in any order: what was recorded once stays, nothing is refused."""
    corpus = [(channel, body) for channel, _, body, _ in ALL]
    dice = Random(3)
    counted = []
    for _ in range(3):
        dice.shuffle(corpus)
        for channel, body in corpus:
            small_family.deliver(channel, body)
        counted.append({one: small_family.balance(one) for one in CHANNELS})
    first, _, last = counted
    for channel in CHANNELS:
        assert last[channel]["recorded"] == first[channel]["recorded"]
        assert last[channel]["received"] == 3 * first[channel]["received"]
    waiting = small_family.get("/v1/quarantine?limit=200")["items"]
    assert {one["reason"] for one in waiting} <= {"conflict", "unknown_kind", "unparsable"}


# ------------------------------------------------------------------- numbers change


def system(kind: str, sender: dict[str, str], **more: object) -> dict[str, object]:
    """A system message, which comes without a block of contacts."""
    plain = {"id": "wamid.S", "timestamp": str(SENT_S + 10), "type": "system"}
    told = {**plain, **sender, "system": {"type": kind, "body": "Ana cambió", **more}}
    return request(change(messages=[told], contacts=[]))


def message(wamid: str, at: int, sender: dict[str, str]) -> dict[str, object]:
    """A message with the names that its sender has then."""
    number, user = sender.get("from"), sender.get("from_user_id")
    block = {"profile": {"name": "Ana"}, **({"wa_id": number} if number else {})}
    item = {**text(wamid), "timestamp": str(SENT_S + at), "from_user_id": user}
    item.pop("from")
    return request(change(messages=[{**item, **sender}], contacts=[{**block, "user_id": user}]))


OLD = {"from": "525512345678", "from_user_id": "MX.1"}
NEW = {"from": "525500001111", "from_user_id": "MX.2"}


def test_a_changed_number_stays_one_person(family: Family) -> None:
    """Old and new number with their user ids are one contact, whose timeline says so."""
    told = [
        message("wamid.A", 0, OLD),
        system(
            "user_changed_number",
            {"from": OLD["from"]},
            wa_id=NEW["from"],
            user_id="MX.2",
            previous_user_id="MX.1",
        ),
        message("wamid.B", 20, NEW),
        message("wamid.C", 30, {"from_user_id": "MX.2"}),
    ]
    for body in (told[3], told[1], told[0], told[2]):
        family.deliver("whatsapp", body)
    rows = family.rows()
    assert len({row["contact"]["id"] for row in rows}) == 1
    contact = family.get(f"/v1/contacts/{rows[0]['contact']['id']}")
    assert {one["address"] for one in contact["addresses"]} == {
        "tel:+525512345678",
        "tel:+525500001111",
        f"whatsapp:{BUSINESS}/MX.1",
        f"whatsapp:{BUSINESS}/MX.2",
    }
    timeline = family.timeline(contact["id"])
    assert [row["text"] for row in timeline] == ["Hola", "Ana cambió", "Hola", "Hola"]
    assert timeline[1]["auto"] == "auto_reply"


def test_a_changed_user_id_without_a_number_stays_one_person(family: Family) -> None:
    """Where the number is hidden, the old user id and the new one are one contact."""
    ids = {"user_id": "MX.2", "previous_user_id": "MX.1"}
    for body in (
        message("wamid.A", 0, {"from_user_id": "MX.1"}),
        system("user_changed_user_id", {}, **ids),
        message("wamid.B", 20, {"from_user_id": "MX.2"}),
        message("wamid.C", 30, {"from_user_id": "MX.3"}),
    ):
        family.deliver("whatsapp", body)
    rows = family.rows()
    assert len(rows) == 4
    assert len({row["contact"]["id"] for row in rows}) == 2
    last = next(row for row in rows if row["resource"]["address"].endswith("/MX.3"))
    assert sum(row["contact"] == last["contact"] for row in rows) == 1


def test_a_change_that_says_only_what_is_new_is_recorded(small_family: Family) -> None:
    """A change without any old name is an interaction of whoever has the new one."""
    body = system("user_changed_user_id", {}, user_id="MX.2")
    small_family.deliver("whatsapp", body)
    (row,) = small_family.rows()
    assert row["resource"]["address"] == f"whatsapp:{BUSINESS}/MX.2"
