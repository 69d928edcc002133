"""The inbox in a few lines: a plain model, and random stories that it can follow."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from domain import events
from domain.ports import Entry
from domain.values import Auto, Direction, Origin
from projections.inbox import NOT_WAITING
from tests.projections.story import Story, by_user, moment, subject_of

IMPORTED: Final[dict[str, Any]] = {"origin": Origin.IMPORTED, "source": "import:viejo"}


@dataclass
class Told:
    """One interaction, as the model keeps it."""

    at: int
    position: int
    address: str
    inbound: bool
    imported: bool
    auto: bool
    retracted: bool = False

    @property
    def stirs(self) -> bool:
        """Whether it asks for attention."""
        return self.inbound and not (self.imported or self.auto or self.retracted)

    @property
    def answers(self) -> bool:
        """Whether it is outbound content."""
        return not (self.inbound or self.auto or self.retracted)


@dataclass
class Model:
    """The inbox in a few lines, made from everything that was told, again and again."""

    told: dict[UUID, Told] = field(default_factory=dict)
    root: dict[str, str] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    start: int = 0

    def conversations(self) -> dict[str, list[Told]]:
        """Interactions by the address that a contact is named after, in order of time."""
        found: dict[str, list[Told]] = {}
        for one in sorted(self.told.values(), key=lambda told: (told.at, told.position)):
            found.setdefault(self.root.get(one.address, one.address), []).append(one)
        return found

    def seen(self, contact: str) -> int:
        """The position through which Rosa has seen a contact."""
        held = [mark for address, mark in self.marks.items() if self._is(address, contact)]
        return max([self.start, *held])

    def _is(self, address: str, contact: str) -> bool:
        return self.root.get(address, address) == contact


def model_says(model: Model) -> dict[bytes, tuple[Any, ...]]:
    """By contact: status, since when somebody waits, last id, interactions, unread of Rosa."""
    found: dict[bytes, tuple[Any, ...]] = {}
    for contact, told in model.conversations().items():
        out = max(((one.at, one.position) for one in told if one.answers), default=(-1, 0))
        waits = [one.at for one in told if one.stirs and (one.at, one.position) > out]
        unread = sum(one.stirs and one.position > model.seen(contact) for one in told)
        found[subject_of(contact).bytes] = (
            "resolved" if all(one.imported for one in told) else "open",
            moment(waits[0]) if waits else NOT_WAITING,
            told[-1].position,
            len(told),
            unread,
        )
    return found


ADDRESSES = [f"tel:+5255{number:08d}" for number in range(4)]


def happen(dice: random.Random, story: Story, model: Model) -> None:
    """One more event, in the story and in the model."""
    kind = dice.choice(("in", "in", "in", "out", "out", "retract", "move", "turn", "seen", "link"))
    if kind in {"in", "out"}:
        interact(dice, story, model, inbound=kind == "in")
    elif kind == "link":
        first, second = ADDRESSES[0], dice.choice(ADDRESSES[1:3])
        if second not in model.root and {first, second} <= {t.address for t in model.told.values()}:
            root, other = _older(model, first, second)
            story.linked(subject_of(root), other)
            _link(model, root, other)
    elif model.told:
        about = dice.choice(sorted(model.told))
        told = model.told[about]
        if kind == "retract":
            story.retracted(about, told.address)
            told.retracted = True
        elif kind == "move":
            told.at = dice.randrange(30)
            story.corrected(about, told.address, occurred_at=moment(told.at))
        elif kind == "turn":
            told.inbound = not told.inbound
            way = Direction.INBOUND if told.inbound else Direction.OUTBOUND
            story.corrected(about, told.address, direction=way)
        else:
            contact = model.root.get(told.address, told.address)
            through = dice.randrange(1, len(story.entries) + 1)
            story.seen(subject_of(contact), "Rosa", through)
            model.marks[contact] = max(model.marks.get(contact, 0), through)


def _older(model: Model, first: str, second: str) -> tuple[str, str]:
    """The address of a set that came first, which the contact is named after, and the other."""
    root = model.root.get(first, first)
    born = {told.address: told.position for told in reversed(list(model.told.values()))}
    return (root, second) if born[root] < born[second] else (second, root)


def _link(model: Model, root: str, other: str) -> None:
    for address in ADDRESSES[:3]:
        if model.root.get(address, address) in {root, other} and address != root:
            model.root[address] = root
    model.root[root] = root


def interact(dice: random.Random, story: Story, model: Model, *, inbound: bool) -> None:
    """One more interaction, in the story and in the model."""
    address, at = dice.choice(ADDRESSES), dice.randrange(30)
    imported, auto = dice.random() < 0.2, dice.random() < 0.15
    more: dict[str, Any] = dict(IMPORTED) if imported else {}
    more["auto"] = Auto.BULK if auto else None
    own = not inbound and dice.random() < 0.3
    if own:
        more["actor"] = by_user("Rosa")
    tell = story.inbound if inbound else story.outbound
    entry: Entry = tell(address, f"{len(story.entries)}", at=at, **more)
    assert isinstance(entry.event, events.InteractionRecorded)
    stream = entry.event.originator_id
    model.told[stream] = Told(at, entry.position, address, inbound, imported, auto)
    if own and not (auto or imported):
        model.marks[address] = max(model.marks.get(address, 0), entry.position)
