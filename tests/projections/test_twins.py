"""Twins in the views: one of the two is shown and counts, and without the link all is as before.

Beside a plain model, corrections, retractions and links in any order keep every count right.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import events
from domain.ports import Entry
from domain.values import Channel, Direction, Origin
from projections import twins
from projections.core import core_projections
from projections.inbox import NOT_WAITING
from projections.threads import COUNTS
from projections.timeline import INTERACTIONS
from projections.twins import Probe, TwinsQuery
from tests.backends import Backend
from tests.projections import pairing
from tests.projections.desk import desk
from tests.projections.reading import desk_of
from tests.projections.story import SECOND, Story, moment, party, subject_of

ANA: Final = "tel:+525512345678"
LUIS: Final = "tel:+525587654321"
BY_HAND: Final[dict[str, Any]] = {"origin": Origin.MANUAL, "source": "manual"}
WINDOW_US: Final = 900 * SECOND


def test_a_link_that_is_taken_back_leaves_the_rows_of_before(backend: Backend) -> None:
    """Byte by byte: every table but the history is as if nobody had ever linked."""
    story = Story()
    one = story.inbound(ANA, "hola", at=60)
    other = story.inbound(ANA, "llamó", at=120, **BY_HAND)
    story.outbound(ANA, "contesto", at=90)
    story.corrected(other.event.originator_id, ANA, department="ventas")
    with desk(backend.views_url, core_projections()) as at:
        at.feed(story.entries)
        before = at.checksums()
        pairing.linked(story, one, other)
        at.feed(story.entries)
        linked = at.checksums()
        pairing.parted(story, one, other)
        at.feed(story.entries)
        after = at.checksums()
    assert {name for name in before if before[name] != after[name]} == {"history"}
    assert {"interactions", "threads", "conversations"} <= {
        name for name in before if before[name] != linked[name]
    }


def test_one_of_two_twins_waits_and_is_unread(backend: Backend) -> None:
    """The hidden one asks for nothing; shown again, it does."""
    story = Story()
    story.user("Rosa")
    one = story.inbound(ANA, "hola", at=60)
    story.outbound(ANA, "contesto", at=90)
    other = story.inbound(ANA, "llamó", at=120, **BY_HAND)
    with desk_of(backend) as at:
        at.tell(story)
        assert at.conversation(ANA, "Rosa").unread == 2
        pairing.linked(story, one, other)
        at.tell(story)
        talk = at.conversation(ANA, "Rosa")
        assert (talk.unread, talk.row.waits_from, talk.row.interactions) == (1, NOT_WAITING, 2)
        assert at.timeline(ANA) == [3, 2] == at.activity()
        assert at.timeline(ANA, around=other.position) == [3, 2]
        rows = at.rows([one.position, other.position])
        assert [row["twin"] for row in rows] == [
            {"id": other.position, "role": "shown"},
            {"id": one.position, "role": "hidden"},
        ]
        pairing.linked(story, other, one)
        at.tell(story)
        assert at.conversation(ANA, "Rosa").row.waits_from == moment(120)
        assert at.row(one.position)["twin"] == {"id": other.position, "role": "hidden"}


def test_a_hidden_row_is_no_participants_either(backend: Backend) -> None:
    """Who only took part sees the shown one of two twins alone."""
    story = Story()
    more = {"with_parties": [party(LUIS, asserted=False)]}
    one = story.inbound(ANA, "uno", at=60, **more)
    other = story.inbound(ANA, "dos", at=61, **BY_HAND, **more)
    pairing.linked(story, one, other)
    with desk_of(backend) as at:
        at.tell(story)
        assert at.timeline(LUIS) == [one.position]


def near(at: Any, entry: Entry) -> list[int]:  # noqa: ANN401 - either desk
    """What may be the twin of a record, as the views say it."""
    event = entry.event
    assert isinstance(event, events.InteractionRecorded)
    probe = Probe(event.origin, event.channel, event.direction, event.occurred_at)
    with at.views.reading() as reading:
        found = twins.near(reading, [event.subject.bytes], probe, WINDOW_US)
    return [one.ref.position for one in found]


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({}, True),
        ({"at": 60 + 900}, True),
        ({"at": 61 + 900}, False),
        ({"channel": Channel.CALL}, False),
        ({"origin": Origin.IMPORTED}, False),
        ({"origin": Origin.MANUAL}, False),
        ({"auto": "auto_reply"}, False),
    ],
)
def test_a_twin_fits_in_channel_direction_and_time(
    backend: Backend, more: dict[str, Any], *, fits: bool
) -> None:
    """The window's edge counts; what a machine wrote, and history, does not."""
    story = Story()
    hand = story.inbound(ANA, "llamó", at=60, **BY_HAND)
    other = story.inbound(ANA, "hola", **{"at": 30, **more})
    story.outbound(ANA, "hola", at=60)
    story.inbound(LUIS, "hola", at=60)
    with desk_of(backend) as at:
        at.tell(story)
        assert near(at, hand) == ([other.position] if fits else [])


def test_the_nearest_comes_first_and_few_come(backend: Backend) -> None:
    """Of many that may be it, the nearest in time; the later one of two equally near."""
    story = Story()
    hand = story.inbound(ANA, "llamó", at=600, **BY_HAND)
    for second in (500, 640, 560, 599, 700, 900):
        story.inbound(ANA, f"{second}", at=second)
    with desk_of(backend) as at:
        at.tell(story)
        assert near(at, hand) == [5, 3, 4, 2, 6]


def test_open_proposals_name_the_records_by_hand(backend: Backend) -> None:
    """Over all addresses of a contact; a correction of channel or time moves them in and out."""
    story = Story()
    hand = story.inbound(ANA, "llamó", at=60, **BY_HAND)
    late = story.inbound(LUIS, "hola", at=90)
    story.linked(subject_of(ANA), LUIS)
    members = [subject_of(ANA).bytes, subject_of(LUIS).bytes]
    query = TwinsQuery(scope="t", window_us=WINDOW_US)

    def proposed(at: Any) -> dict[int, list[int]]:  # noqa: ANN401 - the desk
        with at.views.reading() as reading:
            rows = twins.page(reading, members, query).rows
            found = twins.of_records(reading, members, rows, WINDOW_US)
        return {of: [one.ref.position for one in listed] for of, listed in found.items()}

    with desk_of(backend) as at:
        at.tell(story)
        assert proposed(at) == {hand.position: [late.position]}
        story.corrected(hand.event.originator_id, ANA, channel=Channel.CALL)
        at.tell(story)
        assert proposed(at) == {}
        story.corrected(hand.event.originator_id, ANA, channel=Channel.WHATSAPP)
        story.corrected(hand.event.originator_id, ANA, occurred_at=moment(95))
        at.tell(story)
        assert proposed(at) == {hand.position: [late.position]}
        pairing.linked(story, late, hand)
        at.tell(story)
        assert proposed(at) == {}


# ------------------------------------------------------------------ a plain model


@dataclass
class Told:
    """A record, as the model keeps it."""

    entry: Entry
    address: str
    at: int
    channel: str
    inbound: bool
    retracted: bool = False
    twin: int | None = None
    hidden: bool = False


class World:
    """Records that dice make, correct, retract and link; beside the story, plain lists."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.story = Story()
        self.told: dict[int, Told] = {}

    def happen(self) -> None:
        """One more thing."""
        ways = (self._record, self._record, self._correct, self._retract, self._twins, self._part)
        self.dice.choice(ways if self.told else (self._record,))()

    def _record(self) -> None:
        dice = self.dice
        address, at, inbound = dice.choice((ANA, LUIS)), dice.randrange(50), dice.random() < 0.7
        channel = dice.choice((Channel.CALL, Channel.WHATSAPP))
        tell = self.story.inbound if inbound else self.story.outbound
        more = BY_HAND if dice.random() < 0.5 else {}
        text = f"{len(self.story.entries)}"
        entry = tell(address, text, at=at, channel=channel, **more)
        self.told[entry.position] = Told(entry, address, at, str(channel), inbound)

    def _any(self) -> Told:
        return self.told[self.dice.choice(sorted(self.told))]

    def _correct(self) -> None:
        told, dice = self._any(), self.dice
        stream = told.entry.event.originator_id
        match dice.randrange(3):
            case 0:
                told.at = dice.randrange(50)
                self.story.corrected(stream, told.address, occurred_at=moment(told.at))
            case 1:
                told.inbound = not told.inbound
                way = Direction.INBOUND if told.inbound else Direction.OUTBOUND
                self.story.corrected(stream, told.address, direction=way)
            case _:
                told.channel = str(dice.choice((Channel.SMS, Channel.WALK_IN)))
                self.story.corrected(stream, told.address, channel=Channel(told.channel))

    def _retract(self) -> None:
        told = self._any()
        if not told.retracted:
            told.retracted = True
            self.story.retracted(told.entry.event.originator_id, told.address)
            if told.twin is not None and not told.hidden:
                self._unlink(told)

    def _twins(self) -> None:
        one, other = self._any(), self._any()
        free = one.twin is None and other.twin is None
        if one is other or one.address != other.address or one.retracted or not free:
            return
        pairing.linked(self.story, one.entry, other.entry)
        one.twin, other.twin = other.entry.position, one.entry.position
        other.hidden = True

    def _part(self) -> None:
        told = self._any()
        if told.twin is not None:
            self._unlink(told)

    def _unlink(self, told: Told) -> None:
        other = self.told[told.twin or 0]
        pairing.parted(self.story, told.entry, other.entry)
        for one in (told, other):
            one.twin, one.hidden = None, False

    def says(self, address: str) -> dict[str, Any]:
        """What the views must say of a contact."""
        seen = [one for one in self.told.values() if one.address == address and not one.hidden]
        seen.sort(key=lambda one: (one.at, one.entry.position))
        keys = [(one.at, one.entry.position) for one in seen]
        out = [key for one, key in zip(seen, keys, strict=True) if _asks(one, inbound=False)]
        last = max(out, default=(-1, 0))
        waits = [
            key[0]
            for one, key in zip(seen, keys, strict=True)
            if _asks(one, inbound=True) and key > last
        ]
        return {
            "timeline": [position for _, position in reversed(keys)],
            "count": len(seen),
            "channels": dict(Counter(one.channel for one in seen)),
            "first": moment(keys[0][0]) if keys else None,
            "last": keys[-1][1] if keys else None,
            "waits": moment(waits[0]) if waits else NOT_WAITING,
            "unread": sum(_asks(one, inbound=True) for one in seen),
        }


def _asks(one: Told, *, inbound: bool) -> bool:
    return one.inbound is inbound and not one.retracted


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32), page=st.integers(1, 20))
def test_counts_are_those_of_a_plain_model(backend: Backend, seed: int, page: int) -> None:
    """Links, corrections and retractions in any order: lists and counts are a plain model's."""
    world = World(seed)
    world.story.user("Rosa")
    for _ in range(40):
        world.happen()
    with desk_of(backend) as at:
        at.tell(world.story, page=page)
        for address in (ANA, LUIS):
            wanted = world.says(address)
            assert at.timeline(address, limit=200) == wanted["timeline"]
            talk = at.conversation(address, "Rosa")
            if not wanted["count"]:
                assert talk is None
                continue
            row = talk.row
            assert {
                "timeline": wanted["timeline"],
                "count": row.interactions,
                "channels": COUNTS.decode(row.by_channel),
                "first": row.first_at,
                "last": row.last_position,
                "waits": row.waits_from,
                "unread": talk.unread,
            } == wanted
        listed = [*world.says(ANA)["timeline"], *world.says(LUIS)["timeline"]]
        assert sorted(at.activity(limit=200)) == sorted(listed)


def test_the_hidden_column_follows_the_link(backend: Backend) -> None:
    """Both rows name each other, one of them hidden; the rest of the rows stays."""
    story = Story()
    one, other = story.inbound(ANA, "a", at=1), story.inbound(ANA, "b", at=2, **BY_HAND)
    pairing.linked(story, one, other)
    with desk(backend.views_url, core_projections()) as at:
        at.feed(story.entries)
        rows = {row.position: row for row in at.rows(INTERACTIONS)}
    assert [(rows[n].twin, rows[n].hidden, rows[n].stirs) for n in (1, 2)] == [
        (other.event.originator_id.bytes, 0, 1),
        (one.event.originator_id.bytes, 1, 0),
    ]
