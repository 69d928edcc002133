"""Made-up histories: a rich one that never changes, and random ones for properties.

A history is a list of epochs. Inside an epoch stand external facts, which may reach the log in
any order and more than once; each epoch ends with decisions, which people made when all that
came before stood in the log.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.events import Event, TeamAdded, TeamJoined, TeamLeft, UserMapped
from domain.ports import Entry
from domain.values import Auto, Channel, Origin, Role
from tests.projections import kin, pairing, working
from tests.projections.company import team_event, user_event
from tests.projections.story import (
    Story,
    by_user,
    derived,
    moment,
    party,
    subject_of,
    user_of,
)

PHONES = tuple(f"tel:+5255100000{number:02d}" for number in range(4))
IDS = tuple(f"whatsapp:106540352242922/MX.{number}" for number in range(4))
MAIL = "mailto:ana@example.mx"
ADDRESSES = (*PHONES, *IDS, MAIL)
STATES = ("sent", "delivered", "read", "failed", "queued", "odd-word")


@dataclass
class Epoch:
    """Facts in any order, then decisions in theirs."""

    facts: list[Event] = field(default_factory=list)
    decisions: list[Event] = field(default_factory=list)


class Teller:
    """Makes histories from dice; no two facts happen at the same time."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._story = Story()
        self._times = list(range(1, 5_000))
        self._dice.shuffle(self._times)
        self._messages: list[Entry] = []
        self._merges: list[UUID] = []
        self._pairing = random.Random(seed)
        self._pairs: dict[int, tuple[Entry, Entry]] = {}
        self._doubting = random.Random(seed)

    def epochs(self, count: int, facts: int) -> list[Epoch]:
        """So many epochs with so many facts each."""
        return [self._epoch(facts) for _ in range(count)]

    def _at(self) -> int:
        return self._times.pop()

    def _epoch(self, facts: int) -> Epoch:
        told = Epoch()
        before = len(self._story.entries)
        for _ in range(facts):
            self._fact()
        told.facts = [_event(entry) for entry in self._story.entries[before:]]
        before = len(self._story.entries)
        for _ in range(self._dice.randint(1, 3)):
            self._decision()
        for _ in range(self._dice.randint(0, 3)):
            self._work()
        for _ in range(self._pairing.randint(0, 3)):
            self._twins()
        if self._doubting.random() < 0.5:
            self._doubt()
        told.decisions = [_event(entry) for entry in self._story.entries[before:]]
        return told

    def _doubt(self) -> None:
        one, other = self._doubting.sample(PHONES, 2)
        why = self._doubting.sample(("alias", "conflict", "name"), self._doubting.randint(1, 2))
        again = self._doubting.random() < 0.3
        kin.dismissed(self._story, one, other, *why, again=again)

    def _fact(self) -> None:
        dice = self._dice
        if not self._messages or dice.random() < 0.6:
            self._message()
            return
        about = dice.choice(self._messages)
        stream, address = about.event.originator_id, self._address_of(about)
        match dice.randint(0, 5):
            case 0 | 1:
                self._story.status(stream, dice.choice(STATES), at=self._at())
            case 2:
                self._story.edited(stream, address, f"cambio {dice.random():.6f}", at=self._at())
            case 3:
                emoji = dice.choice(("👍", "❤", None))
                self._story.reaction(stream, address, emoji, at=self._at())
            case 4:
                self._story.watermark(
                    address, dice.choice(("delivered", "read")), through=self._at(), at=self._at()
                )
            case _:
                self._story.revoked(stream, address, at=self._at())

    def _message(self) -> None:
        dice = self._dice
        address = dice.choice(ADDRESSES)
        told = [
            party(other, name=dice.choice((None, "Ana", "Luis")))
            for other in dice.sample(ADDRESSES, dice.choice((0, 0, 0, 1, 1, 2)))
            if other != address
        ]
        if dice.random() < 0.1:
            told.append(party("mailto:otra@example.com", asserted=False))
        if dice.random() < 0.2:
            told.append(party("mailto:copia@example.com", Role.CC, asserted=False, name="Copia"))
        more: dict[str, object] = {
            "with_parties": told,
            "contact_name": dice.choice((None, None, "Ana", "Ana Núñez", "Luis")),
            "department": dice.choice((None, "ventas", "postventa")),
            "campaign": dice.choice((None, "suv")),
            "source": dice.choice(("whatsapp:106540352242922", "email:ventas")),
            "channel": dice.choice((Channel.WHATSAPP, Channel.CALL, Channel.EMAIL)),
            "origin": dice.choice((Origin.AUTOMATIC, Origin.MANUAL, Origin.IMPORTED)),
            "auto": dice.choice((None, None, None, Auto.AUTO_REPLY)),
        }
        tell = self._story.inbound if dice.random() < 0.6 else self._story.outbound
        self._messages.append(tell(address, f"texto {dice.random():.6f}", at=self._at(), **more))

    def _decision(self) -> None:
        dice = self._dice
        contact = subject_of(dice.choice(ADDRESSES))
        about = dice.choice(self._messages) if self._messages else None
        match dice.randint(0, 9):
            case 7:
                self._merges.append(kin.merged(self._story, *dice.sample(ADDRESSES, 2)))
            case 8 if self._merges:
                kin.undone(self._story, dice.choice(self._merges))
            case 9:
                kin.unlinked(self._story, *dice.sample(ADDRESSES, 2))
            case 0 | 1:
                self._story.named(contact, name=dice.choice(("Ana N.", "Luis L.", None)))
            case 2:
                self._story.linked(contact, dice.choice(ADDRESSES))
            case 3 if about is not None:
                changes: tuple[dict[str, object], ...] = (
                    {"department": "taller"},
                    {"campaign": None},
                    {"occurred_at": moment(self._at())},
                )
                change = dice.choice(changes)
                stream = about.event.originator_id
                self._story.corrected(stream, self._address_of(about), "Rosa", **change)
            case 4 if about is not None:
                self._story.retracted(about.event.originator_id, self._address_of(about))
            case 5:
                self._story.user(dice.choice(("Rosa", "Beto", "Eva")))
            case _:
                self._story.department("ventas", f"Ventas {dice.randint(1, 9)}")

    def _work(self) -> None:
        """Something that people do with a conversation."""
        dice, story = self._dice, self._story
        address, who = dice.choice(ADDRESSES), dice.choice(("Rosa", "Beto", None))
        match dice.randint(0, 8):
            case 0:
                working.assigned(story, address, who, department=dice.choice((None, "taller")))
            case 1 | 2:
                working.resolved(story, address)
            case 3:
                working.snoozed(story, address, dice.randint(1, 5_000))
            case 4:
                working.reopened(story, address)
            case 5:
                working.muted(story, address)
            case 6:
                working.unmuted(story, address)
            case 7:
                note = working.noted(story, address, f"nota {dice.random():.6f}")
                if dice.random() < 0.5:
                    working.struck(story, note)
            case _:
                working.unread(story, address, "Rosa", dice.randint(1, len(story.entries)))

    def _twins(self) -> None:
        """Link two records, let the other one be shown, or take the link back."""
        dice = self._pairing
        linked = sorted(self._pairs)
        if linked and dice.random() < 0.4:
            one, other = self._pairs.pop(dice.choice(linked))
            if dice.random() < 0.5:
                pairing.parted(self._story, one, other)
                return
            one, other = other, one
        else:
            held = {entry.position for pair in self._pairs.values() for entry in pair}
            free = [entry for entry in self._messages if entry.position not in held]
            if len(free) < 2:
                return
            one, other = dice.sample(free, 2)
        pairing.linked(self._story, one, other)
        self._pairs[one.position] = (one, other)

    def _address_of(self, entry: Entry) -> str:
        subject = getattr(entry.event, "subject", None)
        return next(address for address in ADDRESSES if subject_of(address) == subject)


def told_in_order(epochs: Sequence[Epoch]) -> Story:
    """The history as it was made."""
    return _story([(epoch.facts, epoch.decisions) for epoch in epochs])


def told_shuffled(epochs: Sequence[Epoch], seed: int) -> Story:
    """The same history with each epoch's facts in another order, each up to three times."""
    dice = random.Random(seed)
    shuffled = []
    for epoch in epochs:
        facts = [event for event in epoch.facts for _ in range(dice.randint(1, 3))]
        dice.shuffle(facts)
        shuffled.append((facts, epoch.decisions))
    return _story(shuffled)


def rich_story() -> Story:
    """A history with something of everything, always the same."""
    story = told_in_order(Teller(11).epochs(6, 25))
    at = 10_000
    story.user("Marta", sign_in=False)
    team_event(story, TeamAdded, "Taller", name="Taller")
    for moved in (TeamJoined, TeamLeft, TeamJoined):
        team_event(story, moved, "Taller", user=user_of("Rosa"))
    user_event(story, UserMapped, "Marta", into=user_of("Rosa"))
    story.campaign("suv", "Venta SUV")
    story.source("email:ventas", "Correo · Ventas", department="ventas")
    story.token_issued("crm")
    story.token_revoked("crm")
    story.outbound(PHONES[0], "contesto", at=at, actor=by_user("Rosa"), channel=Channel.CALL)
    story.seen(subject_of(PHONES[0]), "Rosa", len(story.entries))
    story.named(subject_of("tel:+525599999999"), created="user", address="tel:+525599999999")
    merge = kin.merged(story, PHONES[0], PHONES[2], reason="la misma")
    kin.unlinked(story, PHONES[0], PHONES[2])
    kin.merged(story, PHONES[3], MAIL)
    kin.undone(story, merge)
    kin.reassigned(story, PHONES[3], PHONES[3], at=at + 50)
    kin.dismissed(story, PHONES[0], PHONES[1], "name", "alias")
    kin.dismissed(story, PHONES[1], PHONES[0], "name", again=True)
    tie = [story.inbound(PHONES[1], f"a la vez {n}", at=at + 1) for n in range(3)]
    story.inbound(MAIL, "correo", at=at + 3, message_id=derived("message-id", "a@example.mx"))
    working.assigned(story, PHONES[1], "Rosa")
    working.resolved(story, PHONES[1])
    working.struck(story, working.noted(story, PHONES[1], "llamar mañana"))
    working.snoozed(story, PHONES[2], at)
    working.muted(story, PHONES[3])
    working.restricted(story, PHONES[3], "Rosa")
    working.unread(story, PHONES[0], "Rosa", 3)
    story.status(tie[0].event.originator_id, "read", at=at + 2)
    return story


def _story(epochs: Sequence[tuple[Sequence[Event], Sequence[Event]]]) -> Story:
    story = Story()
    for facts, decisions in epochs:
        for event in (*facts, *decisions):
            # The time of recording follows from the place in the log: decisions keep theirs.
            story.add(event, moment(20_000 + len(story.entries)))
    return story


def _event(entry: Entry) -> Event:
    assert isinstance(entry.event, Event)
    return entry.event
