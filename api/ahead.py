"""Lines made into sealed units ahead of their turn, by another process.

A request is lines with the keys of those that have none of their own; the answer is what each
will append, or nothing where the line is to be read by who asks: it is wrong, it lacks a key, or
its subject cannot be sealed. So whatever is out of the ordinary is judged in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from api.shapes import Terms, append_command
from domain.errors import HiloError
from domain.ports import Clash, Pending, Seeker
from storage.appending import ReadyUnit, SealedEvent, SealedUnit

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.commands import By, RecordInteraction
    from domain.ledger import Ledger
    from domain.ports import Unit
    from storage.log import EventLog

_EXTERNAL_ID: Final = b'"external_id"'

Keyed = tuple[bytes, str | None]
"""A line, and its key where it has no external id."""


class _Made(Struct, frozen=True, array_like=True):
    """What a line will append. `taken` is the version and position that stand there already."""

    key: UUID
    seekers: tuple[Seeker, ...]
    events: tuple[SealedEvent, ...]
    subjects: tuple[UUID, ...]
    taken: tuple[int, int] | None


class _Answer(Struct, frozen=True, array_like=True):
    """What was made of each line, under a fence."""

    fence: int
    made: list[_Made | None]


_encode: Final = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_asked: Final = msgspec.msgpack.Decoder(list[Keyed]).decode
_answer: Final = msgspec.msgpack.Decoder(_Answer).decode


class Helpers(Protocol):
    """Other processes that make units of lines."""

    async def make(self, request: bytes) -> bytes:
        """The answer to a request. Raises StoreUnavailable where its process ended."""


def lacks_key(line: bytes) -> bool:
    """Whether a line has no external id, and needs its key before another process reads it.

    One that has these bytes elsewhere, or no text behind them, gets its key when it is read again.
    """
    return _EXTERNAL_ID not in line


def keyed(terms: Terms, key: str | None) -> Terms:
    """The terms for a line that has got its key already, if it has."""
    return terms if key is None else msgspec.structs.replace(terms, key_of=lambda _: key)


def request_of(lines: Sequence[Keyed]) -> bytes:
    """The request for these lines."""
    return _encode(lines)


def units_of(
    answer: bytes, reads: Sequence[Callable[[], RecordInteraction]], made: Callable[..., Unit]
) -> list[ReadyUnit | None]:
    """The units of an answer, in the order of the lines; None for each that is to be read here.

    `reads` reads each line again, and `made` makes a command's unit: for an erasure that comes
    between, and voids what was sealed.
    """
    found = _answer(answer)
    return [
        None if one is None else _unit(one, found.fence, read, made)
        for one, read in zip(found.made, reads, strict=True)
    ]


def _unit(
    one: _Made, fence: int, read: Callable[[], RecordInteraction], made: Callable[..., Unit]
) -> ReadyUnit:
    return ReadyUnit(
        key=one.key,
        build=partial(_built, read, made),
        seekers=one.seekers,
        size_hint=sum([len(event.state) for event in one.events]),
        events=one.events,
        subjects=one.subjects,
        fence=fence,
        answer=Clash(one.key, *one.taken) if one.taken else None,
    )


def _built(
    read: Callable[[], RecordInteraction], made: Callable[..., Unit], subjects: Sequence[UUID]
) -> Sequence[Pending]:
    return made(read()).build(subjects)


class Maker:
    """The side that makes: for one author, on a ledger that it opened for itself."""

    def __init__(self, ledger: Ledger, log: EventLog, by: By, terms: Callable[[], Terms]) -> None:
        self._ledger = ledger
        self._log = log
        self._by = by
        self._terms = terms
        self._key: str | None = None

    def answer(self, request: bytes) -> bytes:
        """The answer to a request; new subjects are durable by then. Never raises HiloError."""
        lines = _asked(request)
        terms = msgspec.structs.replace(self._terms(), key_of=lambda _: self._key)
        units = [self._read(line, terms) for line in lines]
        places = [place for place, unit in enumerate(units) if unit is not None]
        made: list[_Made | None] = [None] * len(lines)
        try:
            prepared = self._log.prepare([unit for unit in units if unit is not None])
        except HiloError:  # a store does not answer: who asks will meet that itself
            return _encode(_Answer(0, made))
        for index, sealed in prepared.sealed:
            made[places[index]] = _made(sealed)
        return _encode(_Answer(prepared.fence, made))

    def _read(self, line: Keyed, terms: Terms) -> Unit | None:
        raw, self._key = line
        try:
            return self._ledger.unit(append_command(raw, terms), self._by)
        except HiloError:
            return None


def _made(sealed: SealedUnit) -> _Made | None:
    unit = sealed.unit
    taken = sealed.answer
    if taken is not None and not isinstance(taken, Clash):
        return None
    return _Made(
        unit.key,
        unit.seekers,
        sealed.events,
        sealed.subjects,
        (taken.originator_version, taken.position) if taken else None,
    )
