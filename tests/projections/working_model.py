"""The working state of conversations in plain Python: all that happened, told again each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Said(NamedTuple):
    """An interaction, at its position in the log."""

    position: int
    at: int
    address: str
    inbound: bool
    imported: bool
    auto: bool
    by_rosa: bool


class Done(NamedTuple):
    """Something that people did with the conversation of an address; `value` by its kind."""

    position: int
    address: str
    kind: str
    value: object = None


class Turn(NamedTuple):
    """The value of a turn: what it is, until when, and the addresses that the contact had."""

    status: str
    until: object
    addresses: frozenset[str]


class Row(NamedTuple):
    """What the inbox shows of a conversation."""

    status: str
    snoozed_until: object
    assignee: object
    department: object
    muted: bool
    waits: int | None
    unread: int
    interactions: int


@dataclass
class Model:
    """Everything in the order of the log; addresses that were linked are one contact."""

    said: list[Said] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    retracted: set[int] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    start: int = 0

    def contacts(self) -> dict[str, list[str]]:
        """The addresses of each contact that has interactions, the first come first."""
        found: dict[str, list[str]] = {}
        for one in self.said:
            root = self._root(one.address)
            if one.address not in found.setdefault(root, []):
                found[root].append(one.address)
        return found

    def rows(self) -> dict[str, Row]:
        """What the inbox shows, by the address that each contact is named after."""
        return {root: self._row(root) for root in self.contacts()}

    def _root(self, address: str) -> str:
        if address not in self.linked:
            return address
        return next(one.address for one in self.said if one.address in self.linked)

    def _row(self, root: str) -> Row:
        said = [one for one in self.said if self._root(one.address) == root]
        done = [one for one in self.done if self._root(one.address) == root]
        given = _last(done, "assign")
        muted = _last(done, "mute")
        status, until = self._status(said, done)
        waits = None
        if status != "resolved" and not (muted and muted.value):
            waits = self._waits(said)
        who, department = given.value if given and isinstance(given.value, tuple) else (None, None)
        return Row(
            status=status,
            snoozed_until=until,
            assignee=who,
            department=department,
            muted=bool(muted and muted.value),
            waits=waits,
            unread=self._unread(said, done),
            interactions=len(said),
        )

    def _stirs(self, one: Said) -> bool:
        silent = one.imported or one.auto or one.position in self.retracted
        return one.inbound and not silent

    def _answers(self, one: Said) -> bool:
        return not (one.inbound or one.auto or one.position in self.retracted)

    def _status(self, said: list[Said], done: list[Done]) -> tuple[str, object]:
        """Open where any address is: where its last turn says so, or it was heard since."""
        turns = [one for one in done if one.kind == "turn"]
        if not turns:
            return ("resolved" if all(one.imported for one in said) else "open"), None
        resting: list[Turn] = []
        for address in {one.address for one in said}:
            turn = next((t for t in reversed(turns) if address in _turn(t).addresses), None)
            if turn is not None:
                resting.append(_turn(turn))
            since = turn.position if turn else 0
            if turn is not None and _turn(turn).status == "open":
                return "open", None
            for one in said:
                fresh = one.address == address and one.position > since
                if fresh and self._stirs(one) and self._heard(one, done):
                    return "open", None
        snoozed = [one for one in resting if one.status == "snoozed"]
        if snoozed:
            return "snoozed", next(_turn(t).until for t in reversed(turns) if _turn(t) in snoozed)
        return (resting[0].status if resting else _turn(turns[-1]).status), None

    def _heard(self, one: Said, done: list[Done]) -> bool:
        """Whether the contact was not muted when it said something."""
        muted = _last([d for d in done if d.position < one.position], "mute")
        return not (muted and muted.value)

    def _waits(self, said: list[Said]) -> int | None:
        out = max(((o.at, o.position) for o in said if self._answers(o)), default=(-1, 0))
        stirs = sorted((one.at, one.position) for one in said if self._stirs(one))
        return next((at for at, position in stirs if (at, position) > out), None)

    def _unread(self, said: list[Said], done: list[Done]) -> int:
        """How many Rosa has not seen: her looks and her own answers, in the order of the log."""
        looks = [(one.position, one.kind, one.value) for one in done if one.kind in _LOOKS]
        looks += [(one.position, "seen", one.position) for one in said if one.by_rosa]
        through = self.start
        for _, kind, value in sorted(looks, key=lambda look: look[0]):
            assert isinstance(value, int)
            through = max(through, value) if kind == "seen" else value - 1
        return sum(self._stirs(one) and one.position > through for one in said)


_LOOKS = ("seen", "unread")


def _turn(done: Done) -> Turn:
    assert isinstance(done.value, Turn)
    return done.value


def _last(done: list[Done], kind: str) -> Done | None:
    return next((one for one in reversed(done) if one.kind == kind), None)
