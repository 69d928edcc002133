"""The end of a snooze: an event by the system, once, when its time has come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest

from app.compose import open_ledger
from app.waking import Waker
from domain.conversation import conversation_stream
from domain.events import ConversationReopened, ConversationSnoozed
from domain.times import format_utc
from tests.api.station import NOON, Station, open_station
from tests.backends import Backend
from tests.patience import PATIENCE_S

HOUR = 3_600_000_000


@pytest.fixture
def station(backend: Backend) -> Iterator[Station]:
    """A ledger on each database; its clock stands at noon."""
    with open_station(backend) as opened:
        yield opened


def snoozed(station: Station, until: int, **changes: object) -> str:
    """A conversation that rests until a time; its id."""
    contact: str = station.append(**changes)["contact"]
    path = f"/v1/conversations/{contact}/snooze"
    answer = station.post(path, json={"until": format_utc(until)})
    assert answer.status_code == 200, answer.text
    return contact


def turn(station: Station) -> int:
    """Let the job look at what is overdue, the views holding all that was written."""
    assert station.run(station.composition.tide.wait_for(station.head, PATIENCE_S))
    return station.run(Waker(station.services).turn())


def told(station: Station, contact: str) -> list[object]:
    """The decisions about a conversation."""
    stream = conversation_stream(station.services.ledger.derive, UUID(contact))
    return [entry.event for entry in station.services.log.stream(stream)]


def test_a_snooze_ends_when_its_time_has_come(station: Station) -> None:
    """Not before; then by the system, with its reason, and only once."""
    contact = snoozed(station, NOON + HOUR)
    later = snoozed(station, NOON + 2 * HOUR, resource="tel:+525577778888")
    assert turn(station) == 0
    station.now[0] = NOON + HOUR
    turn(station)
    assert turn(station) == 0
    row = station.ask(f"/v1/conversations/{contact}")
    assert (row["status"], row["snoozed_until"], row["version"]) == ("open", None, 2)
    assert station.ask(f"/v1/conversations/{later}")["status"] == "snoozed"
    last = told(station, contact)[-1]
    assert isinstance(last, ConversationReopened)
    assert (last.reason, last.actor.kind) == ("snooze", "system")


def test_a_reply_ends_a_snooze_before(station: Station) -> None:
    """Then its time brings no event: there is nothing to end."""
    contact = snoozed(station, NOON + HOUR)
    station.append(text="ya contesté")
    assert station.ask(f"/v1/conversations/{contact}")["status"] == "open"
    station.now[0] = NOON + HOUR
    assert turn(station) == 0
    assert len(told(station, contact)) == 1


def test_a_later_decision_counts(station: Station) -> None:
    """Snoozed anew for longer, or resolved meanwhile: the first time ends nothing."""
    contact = snoozed(station, NOON + HOUR)
    resolved = snoozed(station, NOON + HOUR, resource="tel:+525577778888")
    body = {"until": format_utc(NOON + 3 * HOUR)}
    assert station.post(f"/v1/conversations/{contact}/snooze", json=body).status_code == 200
    assert station.post(f"/v1/conversations/{resolved}/resolve", json={}).status_code == 200
    station.now[0] = NOON + 2 * HOUR
    assert turn(station) == 0
    assert station.ask(f"/v1/conversations/{contact}")["status"] == "snoozed"
    assert station.ask(f"/v1/conversations/{resolved}")["status"] == "resolved"


def test_two_servers_end_it_once(station: Station) -> None:
    """Two that look at the same time write one event between them."""
    contact = snoozed(station, NOON + HOUR)
    station.now[0] = NOON + HOUR
    assert station.run(station.composition.tide.wait_for(station.head, PATIENCE_S))
    clock = station.composition.clock
    other = open_ledger(station.composition.settings, follow=False, clock=clock)
    try:

        async def both() -> list[int]:
            wakers = (Waker(station.services), Waker(other.services))
            return list(await asyncio.gather(*(waker.turn() for waker in wakers)))

        assert sum(station.run(both())) <= 1
    finally:
        other.close()
    kinds = [type(event) for event in told(station, contact)]
    assert kinds == [ConversationSnoozed, ConversationReopened]


def test_the_server_takes_turns_by_itself(station: Station) -> None:
    """While the application lives nobody need ask: the views show the end soon."""
    contact = snoozed(station, NOON + HOUR)
    before = station.head
    station.now[0] = NOON + HOUR
    assert station.run(station.composition.tide.wait_for(before + 1, PATIENCE_S))
    assert station.ask(f"/v1/conversations/{contact}")["status"] == "open"
