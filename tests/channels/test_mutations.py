"""Requests that were changed on their way: what they say stays said, and nothing falls over."""

from __future__ import annotations

import random
from typing import Any, Final

from channels.contract import IGNORED, Arrival, Atom, Commands, Ignored, Incoming
from channels.registry import CHANNELS
from domain.commands import RecordInteraction
from domain.ports import MAX_UNIT_EVENTS
from domain.values import is_source
from tests.api.house import NOON
from tests.backends import Backend
from tests.channels.corpus import FORM_TYPE
from tests.channels.mutations import (
    EXTRA,
    Path,
    at,
    damaged,
    encoded,
    is_form,
    mutated,
    paths,
    put,
    samples,
    without,
)
from tests.channels.shop import DERIVE
from tests.channels.test_corpus import balances, everything, take_all
from tests.channels.told import told
from tests.channels.vendors import OPTIONS

SEED: Final = 20_261_122
TRIED: Final = 2_500
"""Places where something is taken away, of the many that there are: a seed chooses."""

DELIVERED: Final = 25
"""Changed requests that each channel of a ledger gets."""

SAMPLES: Final = samples()

Sample = tuple[str, dict[str, Any]]


def request(channel: str, body: bytes) -> Incoming:
    """A body as it comes to a channel."""
    media_type = FORM_TYPE if is_form(channel) else "application/json"
    return Incoming(body=body, headers={"content-type": media_type})


def atoms_of(channel: str, body: bytes) -> list[Atom]:
    """The atoms of a body."""
    options = OPTIONS.get(channel, {})
    arrival = Arrival(
        connection=f"{channel}/main", received_at=NOON, derive=DERIVE, options=options
    )
    return CHANNELS[channel].parse(request(channel, body), arrival)


def kept(channel: str, body: dict[str, Any]) -> list[str]:
    """What a request leaves in the log, in words."""
    lines = told(atoms_of(channel, encoded(channel, body)))
    return [line for line in lines if not line.startswith(("ignored", "quarantine"))]


def places() -> list[tuple[Sample, Path]]:
    """Everything with a name in any of the requests; some of it, chosen by the seed."""
    found = [
        ((channel, body), way)
        for channel, body in SAMPLES
        if not is_form(channel)
        for way in paths(body)
        if isinstance(way[-1], str)
    ]
    return random.Random(SEED).sample(found, min(TRIED, len(found)))


def test_null_is_as_good_as_nothing() -> None:
    """A name with null says what its absence says, wherever it stands among others."""
    for (channel, body), way in places():
        if len(at(body, way[:-1])) > 1:
            absent, null = without(body, way), put(body, way, None)
            assert kept(channel, absent) == kept(channel, null), (channel, way)


def test_what_a_provider_adds_changes_nothing() -> None:
    """A name that nobody knows yet, beside those that say something, is no reason to lose them."""
    for (channel, body), way in places():
        said = kept(channel, body)
        if said and isinstance(at(body, way), dict):
            more = put(body, (*way, EXTRA), {"a": [1]})
            assert kept(channel, more) == said, (channel, way)


def test_a_form_may_have_more_and_less() -> None:
    """Of Twilio's parameters any may be missing or added: a message with its ends is recorded."""
    ends = {"MessageSid", "SmsMessageSid", "SmsSid", "From", "To", "CallSid", "AccountSid"}
    for channel, body in SAMPLES:
        if not channel.startswith("twilio"):
            continue
        commands = _recorded(channel, body)
        for name in body.keys() - ends if commands else ():
            atoms = atoms_of(channel, encoded(channel, without(body, (name,))))
            assert all(isinstance(atom.outcome, Commands | Ignored) for atom in atoms), name
        assert _recorded(channel, {**body, EXTRA: "1"}) == commands


def _recorded(channel: str, body: dict[str, Any]) -> list[tuple[str | None, ...]]:
    """The ends and the text of what a request records."""
    outcomes = [atom.outcome for atom in atoms_of(channel, encoded(channel, body))]
    commands = [one for found in outcomes if isinstance(found, Commands) for one in found.commands]
    return [
        (one.direction, one.resource, one.destination, one.text)
        for one in commands
        if isinstance(one, RecordInteraction)
    ]


def test_the_way_it_is_written_does_not_matter() -> None:
    """A byte order mark, UTF-16 and blanks around it are the same request."""
    for channel, body in SAMPLES:
        if is_form(channel) or channel == "mailgun":
            continue
        raw = encoded(channel, body)
        plain = told(atoms_of(channel, raw))
        for other in (b"\xef\xbb\xbf" + raw, b"\r\n " + raw, raw.decode().encode("utf-16")):
            assert told(atoms_of(channel, other)) == plain, channel


def changed(dice: random.Random, channel: str, body: dict[str, Any]) -> bytes:
    """A request with things done to it, or to its bytes."""
    if dice.randrange(4) == 0:
        return damaged(dice, encoded(channel, body))
    return encoded(channel, mutated(dice, body))


def test_a_changed_request_is_atoms_of_the_contract() -> None:
    """Whatever is done to a request, parsing raises nothing, and an interaction has two ends."""
    dice = random.Random(SEED + 1)
    for channel, body in SAMPLES * 4:
        atoms = atoms_of(channel, changed(dice, channel, body))
        assert atoms
        for number, atom in enumerate(atoms):
            assert atom.number == number
            assert atom.source == "" or is_source(atom.source)
            match atom.outcome:
                case Ignored(reason):
                    assert reason in IGNORED
                case Commands(commands):
                    assert atom.source
                    assert 1 <= len(commands) <= MAX_UNIT_EVENTS
                    for one in commands:
                        if isinstance(one, RecordInteraction):
                            assert one.resource
                            assert one.destination
                            assert one.occurred_at > 0
                            f"{one}".encode()  # no half of a surrogate pair anywhere


def test_a_ledger_takes_whatever_comes(backend: Backend) -> None:
    """Changed requests at every door of a ledger: each delivery is settled, and all adds up."""
    dice = random.Random(SEED + 2)
    by_channel: dict[str, list[dict[str, Any]]] = {}
    for channel, body in SAMPLES:
        by_channel.setdefault(channel, []).append(body)
    sent = [
        (channel, request(channel, changed(dice, channel, dice.choice(bodies))))
        for channel, bodies in by_channel.items()
        for _ in range(DELIVERED)
    ]
    with everything(backend) as house:
        admin = house.bearer("admin")
        take_all(house, sent)
        first = balances(house, admin)
        assert all(first[channel]["received"] >= DELIVERED for channel in by_channel)
        take_all(house, sent)
        again = balances(house, admin)
        for channel in by_channel:
            for end in ("recorded", "quarantined"):
                assert again[channel][end] == first[channel][end]
            assert again[channel]["received"] == 2 * first[channel]["received"]
