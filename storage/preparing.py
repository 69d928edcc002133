"""From units to sealed units: subjects resolved, events built and sealed, before the lock.

All of it may be thrown away and done again: when the lock is taken and an erasure came between
(the fence differs), what was cached of subjects and keys is forgotten first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final, Protocol
from uuid import UUID

from msgspec import Struct

from domain.errors import Erased, Unavailable
from domain.ports import (
    MAX_UNIT_EVENTS,
    Clash,
    EventLike,
    Pending,
    Repeated,
    Seeker,
    Unit,
)
from storage.appending import LogStore, Place, ReadyUnit, SealedEvent, SealedUnit, Taken

Answer = Clash | Repeated
"""What the log says of a unit that it has already."""

_NOBODY: Final = UUID(int=0)
"""Stands for a subject that is not known yet, in a build that only tells the places."""


class Sealer(Protocol):
    """Makes the stored form of an event: the codec."""

    def seal(self, event: EventLike) -> tuple[str, bytes]:
        """Topic and state of an event."""


class SubjectResolver(Protocol):
    """Knows who is behind an address: the subject book."""

    def resolve(self, seekers: Sequence[Seeker], *, create: bool) -> Sequence[UUID | None]:
        """The subject of each seeker; None where it was never seen and `create` is false."""


class Prepared(Struct):
    """Units ready to append under a fence, and those that cannot be sealed, by index."""

    fence: int
    sealed: list[tuple[int, SealedUnit]]
    refused: list[tuple[int, Exception]]


class Preparer:
    """Resolves, builds and seals. `forget` drops whatever is cached of subjects and keys."""

    def __init__(
        self,
        store: LogStore,
        sealer: Sealer,
        subjects: SubjectResolver,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._seal = sealer.seal
        self._resolve = subjects.resolve
        self._forget = forget
        self._fence: int | None = None

    def fence_moved(self, fence: int) -> None:
        """An erasure raised the fence: nothing that was known before it may be used."""
        self._fence = fence
        self._forget()

    def prepare(self, units: Sequence[Unit]) -> Prepared:
        """Seal what can be sealed. Raises StoreUnavailable; a unit's own error is its result."""
        if self._fence is None:
            self.fence_moved(self._store.head().fence)
        fence = self._fence or 0
        ready = [
            (index, SealedUnit(unit, unit.events, unit.subjects, unit.answer))
            for index, unit in enumerate(units)
            if isinstance(unit, ReadyUnit) and unit.fence == fence
        ]
        if not ready:
            return self._prepare(units)
        taken = {index for index, _ in ready}
        rest = [index for index in range(len(units)) if index not in taken]
        if not rest:
            return Prepared(fence, ready, [])
        mine = self._prepare([units[index] for index in rest])
        if mine.fence != fence:  # an erasure came to light: what was sealed before it is void
            return self.prepare(units)
        sealed = ready + [(rest[at], one) for at, one in mine.sealed]
        refused = [(rest[at], error) for at, error in mine.refused]
        return Prepared(fence, sorted(sealed, key=itemgetter(0)), refused)

    def prepare_now(self, units: Sequence[Unit]) -> Prepared:
        """As `prepare`, under the fence that the log has now: for who never meets its lock."""
        fence = self._store.head().fence
        if fence != self._fence:
            self.fence_moved(fence)
        return self.prepare(units)

    def _prepare(self, units: Sequence[Unit]) -> Prepared:
        prepared = Prepared(self._fence or 0, [], [])
        try:
            known = self._subjects(units)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one of them asks for what cannot be resolved
            if len(units) == 1:
                prepared.refused.append((0, error))
            else:
                self._prepare_each(units, prepared)
            return prepared
        self._seal_each(units, known, prepared)
        # A destroyed key where a subject was still remembered: the erasure is news here.
        if any(isinstance(error, Erased) for _, error in prepared.refused):
            fence = self._store.head().fence
            if fence != self._fence:
                self.fence_moved(fence)
                return self.prepare(units)
        return prepared

    def _seal_each(
        self, units: Sequence[Unit], known: Sequence[tuple[UUID, ...] | Answer], into: Prepared
    ) -> None:
        for index, (unit, subjects) in enumerate(zip(units, known, strict=True)):
            try:
                sealed = (
                    self._sealed(unit, subjects)
                    if isinstance(subjects, tuple)
                    else SealedUnit(unit, (), answer=subjects)
                )
            except Exception as error:  # noqa: BLE001 - this unit's answer, not its neighbours'
                into.refused.append((index, error))
            else:
                into.sealed.append((index, sealed))

    def _prepare_each(self, units: Sequence[Unit], into: Prepared) -> None:
        for index, unit in enumerate(units):
            alone = self.prepare((unit,))
            into.sealed += [(index, sealed) for _, sealed in alone.sealed]
            into.refused += [(index, error) for _, error in alone.refused]

    def _sealed(self, unit: Unit, subjects: tuple[UUID, ...]) -> SealedUnit:
        events = []
        for pending in unit.build(subjects):
            event = pending.event
            topic, state = self._seal(event)
            events.append(
                SealedEvent(
                    topic,
                    event.originator_id.bytes,
                    event.originator_version,
                    state,
                    pending.if_absent,
                )
            )
        if not 1 <= len(events) <= MAX_UNIT_EVENTS:
            message = f"A unit holds 1 to {MAX_UNIT_EVENTS} events, this one {len(events)}."
            raise ValueError(message)
        if len(events) > 1 and len({(e.originator, e.version) for e in events}) < len(events):
            raise ValueError("A unit asks twice for one place in a stream.")
        return SealedUnit(unit, tuple(events), subjects)

    # ----------------------------------------------------------------- subjects

    def _subjects(self, units: Sequence[Unit]) -> list[tuple[UUID, ...] | Answer]:
        """The subjects of each unit's seekers, or its answer where it came before."""
        seekers = [seeker for unit in units for seeker in unit.seekers]
        found = list(self._resolve(seekers, create=False)) if seekers else []
        # `in` would call UUID's own comparison with each of them.
        incomplete = any(subject is None for subject in found)
        answers = self._create(units, found) if incomplete else {}
        known: list[tuple[UUID, ...] | Answer] = []
        start = 0
        for index, unit in enumerate(units):
            stop = start + len(unit.seekers)
            subjects = tuple([subject for subject in found[start:stop] if subject is not None])
            known.append(answers.get(index, subjects))
            start = stop
        return known

    def _create(self, units: Sequence[Unit], found: list[UUID | None]) -> dict[int, Answer]:
        """Make the missing subjects, but never for a redelivery: it gets its answer instead."""
        spans, start = [], 0
        for index, unit in enumerate(units):
            stop = start + len(unit.seekers)
            if any(subject is None for subject in found[start:stop]):
                spans.append((index, start))
            start = stop
        answers = self._look_up(units, [index for index, _ in spans])
        missing = [
            (start + i, seeker)
            for index, start in spans
            if index not in answers
            for i, seeker in enumerate(units[index].seekers)
            if found[start + i] is None
        ]
        if missing:
            made = self._resolve([seeker for _, seeker in missing], create=True)
            for (at, _), subject in zip(missing, made, strict=True):
                found[at] = subject
        return answers

    def _look_up(self, units: Sequence[Unit], indexes: Sequence[int]) -> dict[int, Answer]:
        """What the log says already of some units, by their unique events and command ids."""
        places = {index: _place(units[index]) for index in indexes}
        commands = [c.bytes for i in indexes if (c := units[i].command_id) is not None]
        taken = self._store.taken([place for place in places.values() if place], commands)
        answers = {index: _answer(units[index], places[index], taken) for index in indexes}
        return {index: answer for index, answer in answers.items() if answer is not None}


def _place(unit: Unit) -> Place | None:
    """Where the event stands that makes the unit unique; None where it may stand already.

    Asked before the subjects are known, so the unit is built with a stand-in for them.
    """
    try:
        pendings: Sequence[Pending] = unit.build((_NOBODY,) * len(unit.seekers))
    except Exception:  # noqa: BLE001 - it will say so again, when it is built in earnest
        return None
    for pending in pendings:
        if pending.event.originator_id == unit.key:
            version = pending.event.originator_version
            return None if pending.if_absent else (unit.key.bytes, version)
    return None


def _answer(unit: Unit, place: Place | None, taken: Taken) -> Answer | None:
    if unit.command_id is not None:
        first = taken.commands.get(unit.command_id.bytes)
        if first is not None:
            return Repeated(first)
    at = taken.places.get(place) if place is not None else None
    return Clash(unit.key, place[1], at) if place is not None and at is not None else None
