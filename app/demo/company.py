"""The demo ledger's content: a year of a car dealer group, the same for everybody.

`interactions` yields append requests (contract 2.2) in order of occurrence, `statuses` the
bodies for `POST /v1/statuses` (2.11), `contacts` those for `POST /v1/contacts/batch`, and
`arrivals` the first two, and what the house did beside talking, in the order in which a ledger
would have learned of them, so that a loader with its own clock shows what was logged late.
Nothing here reads a clock: the year is the one before `now_us`, and the same `(now_us, seed)`
gives the same bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.demo import hours, plot
from app.demo.deeds import deeds
from app.demo.dice import Dice
from app.demo.group import (
    BRANCHES,
    CAMPAIGNS,
    COMPANY,
    DEPARTMENTS,
    IMPORT_SOURCE,
    SOURCES,
    STAFF,
)
from app.demo.hours import HOUR_US, MINUTE_US, SECOND_US
from app.demo.people import Person, addresses_of, people
from app.demo.stories import stories
from app.demo.teller import Teller, Told

__all__ = [
    "BRANCHES",
    "CAMPAIGNS",
    "COMPANY",
    "DEPARTMENTS",
    "SOURCES",
    "STAFF",
    "Arrival",
    "arrivals",
    "contacts",
    "interactions",
    "statuses",
]

# What is older than this came from the company's former system, by one import.
GO_LIVE_DAYS = 330
# A story begins at the earliest so long after the one before it.
PAUSE_US = 5 * HOUR_US
# Whoever waits for an answer now has had no other business for so long.
QUIET_US = 10 * HOUR_US
LATE_PERCENT = 22
SMS_FAILS_PERCENT = 7
UNREAD_PERCENT = 18
FAILURES = {
    "whatsapp": ("131026", "Message undeliverable"),
    "sms": ("30003", "Unreachable destination handset"),
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A body, and when the ledger learns of it.

    `kind` is "interaction", "status", or that of a deed (deeds.py).
    """

    at_us: int
    kind: str
    body: dict[str, object]


def interactions(now_us: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield the append requests of the year before `now_us`, ascending by occurred_at."""
    for told in _year(now_us=now_us, seed=seed):
        yield told.body


def statuses(now_us: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield what became of outbound WhatsApp and SMS messages, ascending by `at`."""
    year = _year(now_us=now_us, seed=seed)
    for _, body in _status_times(year, now_us=now_us, seed=seed):
        yield body


def contacts() -> Iterator[dict[str, object]]:
    """Yield name, addresses and company of each contact whose name is known."""
    for person in people():
        if person.name:
            company = {"company": person.company} if person.company else {}
            yield {"name": person.name, "addresses": addresses_of(person), **company}


def arrivals(now_us: int, seed: int) -> Iterator[Arrival]:
    """Yield all that is told and done, in the order in which the ledger learns of it."""
    year = _year(now_us=now_us, seed=seed)
    live_us = now_us - GO_LIVE_DAYS * hours.DAY_US
    found = [
        Arrival(_recorded(told, live_us=live_us, seed=seed), "interaction", told.body)
        for told in year
    ]
    found += [
        Arrival(at_us + SECOND_US, "status", body)
        for at_us, body in _status_times(year, now_us=now_us, seed=seed)
    ]
    found += [Arrival(*deed) for deed in deeds(year, now_us=now_us, seed=seed)]
    yield from sorted(
        (replace(one, at_us=min(one.at_us, now_us)) for one in found), key=lambda one: one.at_us
    )


def _year(*, now_us: int, seed: int) -> list[Told]:
    """Return everything that was said in the year, ascending by occurred_at."""
    year = [told for person in people() for told in _life(person, now_us=now_us, seed=seed)]
    year.sort(key=lambda told: (told.at_us, told.person.key, told.serial))
    _make_neighbours_differ(year)
    live_us = now_us - GO_LIVE_DAYS * hours.DAY_US
    for told in year:
        if told.at_us < live_us:
            told.body["source"] = IMPORT_SOURCE
    return year


def _life(person: Person, *, now_us: int, seed: int) -> list[Told]:
    """Return what was said with one contact, in order."""
    dice = Dice(seed, "life", person.key)
    begin_us = now_us - person.since_days * hours.DAY_US
    teller = Teller(person, seed=seed, begin_us=begin_us)
    tail = stories().get(person.waits_for or "")
    # Counted back from when people were last up, so that those who wait do so for various times.
    end_us = hours.last_waking(hours.last_waking(now_us) - person.waits_min * MINUTE_US)
    end_us -= dice.below(40 * 60) * SECOND_US
    until_us = end_us - QUIET_US if tail else now_us - MINUTE_US
    starts = plot.spread(dice, days=person.since_days, runs=len(person.plan), now_us=now_us)
    life: list[Told] = []
    free_us = begin_us
    for word, start_us in zip(person.plan, starts, strict=True):
        name, _, chat = word.partition(":")
        story, from_us = stories()[name], max(start_us, free_us)
        beats = plot.forward(story, dice, start_us=from_us, until_us=until_us)
        life += teller.tell(story, beats, chat or person.chats[:1], assisted=True)
        free_us = life[-1].at_us + PAUSE_US if life else begin_us
    if tail is not None:
        beats = plot.backward(tail, end_us, dice)
        return life + teller.tell(tail, beats, person.chats[:1], assisted=False)
    return life if person.waits_for else _answered(life)


def _answered(life: list[Told]) -> list[Told]:
    """Return the life without what nobody has answered, for only some are to be waiting."""
    last = max((place for place, told in enumerate(life) if told.answers), default=-1)
    later = [told for told in life[last + 1 :] if told.body.get("auto") == "bulk"]
    return life[: last + 1] + later


def _make_neighbours_differ(year: list[Told]) -> None:
    """Change a short text that happens to follow an equal one, over all and per contact."""
    last: dict[str, object] = {}
    for told in year:
        text = told.body.get("text")
        if text is None:
            continue
        while text in (last.get(""), last.get(told.person.key)):
            text = f"{text} 🙏"
        told.body["text"] = last[""] = last[told.person.key] = text


def _recorded(told: Told, *, live_us: int, seed: int) -> int:
    """Return when the ledger learns of it: by machine at once, by hand later, sometimes late."""
    dice = Dice(seed, "recorded", told.person.key, told.serial)
    if told.at_us < live_us:
        return live_us
    if told.body["source"] != "manual":
        lag_us = dice.between(250, 2_600) * 1_000
    elif dice.chance(LATE_PERCENT):
        lag_us = dice.between(20, 380) * MINUTE_US
    else:
        lag_us = dice.between(70, 780) * SECOND_US
    return told.at_us + lag_us


def _status_times(year: list[Told], now_us: int, seed: int) -> list[tuple[int, dict[str, object]]]:
    """Return the statuses with their times, ascending."""
    found: list[tuple[int, dict[str, object]]] = []
    next_inbound: dict[tuple[str, str], int] = {}
    for told in reversed(year):
        key = (told.person.key, told.code)
        if not told.outbound:
            next_inbound[key] = told.at_us
        elif told.code in "wgsS" and told.body["source"] != IMPORT_SOURCE:
            found += _fate(told, next_inbound.get(key), seed)
    return sorted(
        (pair for pair in found if pair[0] <= now_us),
        key=lambda pair: (pair[0], str(pair[1]["external_id"])),
    )


def _fate(
    told: Told, answered_us: int | None, seed: int
) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield what became of one outbound message: failed, or delivered and perhaps read."""
    dice = Dice(seed, "fate", told.person.key, told.serial)
    channel = str(told.body["channel"])
    at_us = told.at_us + dice.between(900, 5_200) * 1_000
    unlucky = told.code == "S" and dice.chance(SMS_FAILS_PERCENT)
    if told.fails or unlucky:
        code, message = FAILURES[channel]
        yield at_us, _status(told, "failed", at_us) | {"code": code, "message": message}
        return
    yield at_us, _status(told, "delivered", at_us)
    if channel == "sms" or (answered_us is None and dice.chance(UNREAD_PERCENT)):
        return
    read_us = at_us + dice.between(4, dice.pick((90, 600, 9_000))) * SECOND_US
    if answered_us is not None:
        read_us = max(at_us + SECOND_US, min(read_us, answered_us - 4 * SECOND_US))
    yield read_us, _status(told, "read", read_us)


def _status(told: Told, state: str, at_us: int) -> dict[str, object]:
    """Return the body of one status."""
    return {
        "source": told.body["source"],
        "external_id": told.body["external_id"],
        "status": state,
        "at": hours.rfc3339(at_us),
    }
