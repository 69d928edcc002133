"""The real requests of every channel: a row each, and however often they come they stand once."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pytest

from app.compose import open_ledger
from app.server import application
from channels.connections import Draft, Opened
from channels.contract import Incoming
from channels.registry import CHANNELS
from tests.api.house import NOON, Client, House, settings_of
from tests.backends import Backend
from tests.channels.corpus import (
    DOCUMENT,
    MAIL,
    SWITCH,
    Real,
    atoms_of,
    names,
    real,
    renewed,
    row_of,
)
from tests.channels.mails import sendgrid
from tests.channels.test_contract import secrets_of
from tests.channels.test_ses import TOPIC
from tests.channels.vendors import OPTIONS

SEED: Final = 20_261_122
ROUNDS: Final = 3
AT_ONCE: Final = 24
"""Deliveries under way at one time: providers do not wait for each other."""

HOUR_US: Final = 3_600_000_000

FILES: Final = names()

pytestmark = pytest.mark.real_requests


def test_every_real_file_has_its_row() -> None:
    """The table in docs/channels/payloads.md says of every file what the code makes of it today."""
    text = DOCUMENT.read_text("utf-8")
    made = renewed(text, [row_of(real(name)) for name in FILES])
    if os.environ.get(SWITCH):
        DOCUMENT.write_text(made, "utf-8")
        text = made
    assert text == made, f"make it anew: {SWITCH}=1 pytest tests/channels/test_corpus.py"


# ------------------------------------------------------------------------- a ledger


@contextmanager
def everything(backend: Backend) -> Iterator[House]:
    """A ledger with a connection of every channel that takes requests."""
    now = [NOON]
    composition = open_ledger(settings_of(backend), follow=False, clock=lambda: now[0])
    try:
        for channel, module in CHANNELS.items():
            if module.is_hooked:
                known = {**OPTIONS.get(channel, {}), "topic_arn": TOPIC}
                made_up = {name: known.get(name, "x") for name in module.options}
                secrets = {} if module.is_open else secrets_of(module)
                draft = Draft(channel=channel, name="main", secrets=secrets, options=made_up)
                composition.channels.connections.add(draft)
        made = application(composition)
        with asyncio.Runner() as runner:
            client = Client(made, runner)
            yield House(composition, made, client, runner, now)
            client.close()
    finally:
        composition.close()


def delivery(one: Real) -> tuple[str, Incoming]:
    """A file as a request to a channel: a mail comes by way of a provider that sends it whole."""
    if one.channel != MAIL:
        return one.channel, one.incoming
    body, content_type = sendgrid(one.incoming.body)
    return "sendgrid", Incoming(body=body, headers={"content-type": content_type})


def take_all(house: House, requests: Sequence[tuple[str, Incoming]]) -> None:
    """Deliver requests, some at a time, as if their signatures had been good."""
    channels = house.composition.channels
    known: dict[str, Opened] = {
        name: channels.connections.open(name, "main") for name, _ in requests
    }

    async def all_of_them() -> None:
        for start in range(0, len(requests), AT_ONCE):
            some = requests[start : start + AT_ONCE]
            await asyncio.gather(*(channels.receiver.take(known[to], it) for to, it in some))

    house.run(all_of_them())


def balances(house: House, admin: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What each connection says came in; every balance adds up."""
    answer = house.client.get("/v1/channels", headers=admin)
    assert answer.status_code == 200, answer.text
    found = {one["channel"]: dict(one["balance"]) for one in answer.json()["items"]}
    for shown in found.values():
        ended = shown["recorded"] + shown["duplicate"] + shown["quarantined"]
        assert shown["received"] == ended + sum(shown["ignored"].values())
    return found


def rows(house: House, admin: dict[str, str]) -> list[dict[str, Any]]:
    """Every row of Activity."""
    house.catch_up()
    found: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "200"}
    while True:
        page = house.client.get("/v1/activity", params=query, headers=admin).json()
        found += page["items"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def deliver_round(house: House, found: Sequence[Real], number: int) -> None:
    """All of them once, in an order of this round, an hour after the round before.

    A browser's form without an id is told apart by the minute: forms come again at once.
    """
    order = random.Random(SEED + number).sample(found, len(found))
    forms = [delivery(one) for one in order if one.channel == "form"]
    others = [delivery(one) for one in order if one.channel != "form"]
    for requests, at in ((forms, NOON + number), (others, NOON + number * HOUR_US)):
        house.now[0] = at
        take_all(house, requests)


@pytest.mark.begins_early
def test_the_whole_corpus_three_times_is_the_corpus_once(backend: Backend) -> None:
    """Delivered three times in any order, hours apart, every request changes the ledger once.

    What comes in adds up each time; what was recorded or quarantined the first time is a
    duplicate from then on, and the rows that people see stay as they are.
    """
    counts = {one.name: (one, atoms_of(one)) for one in map(real, FILES)}
    found = [one for one, atoms in counts.values() if atoms is not None]
    sent = Counter[str]()
    for one in found:
        sent[delivery(one)[0]] += len(counts[one.name][1] or ())
    with everything(backend) as house:
        admin, log = house.bearer("admin"), house.services.log
        deliver_round(house, found, 1)
        first, once, head = balances(house, admin), rows(house, admin), log.head()
        assert {to: first[to]["received"] for to in sent} == sent
        assert len(once) > len(found) // 3
        for number in range(2, ROUNDS + 1):
            deliver_round(house, found, number)
            told = balances(house, admin)
            for to, balance in told.items():
                assert balance["received"] == number * sent[to]
                for end in ("recorded", "quarantined"):
                    assert balance[end] == first[to][end]
            assert log.head() == head
        assert rows(house, admin) == once
