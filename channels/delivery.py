"""One delivery: verified, parsed, and every atom settled before it is answered.

Atoms are appended first: the log's transaction counts what it records. All else that a delivery
comes to is one more transaction. Where a store fails in between, the provider is told to come
again; what was recorded is a duplicate then, and nothing is counted twice or lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct, structs

from channels.contract import (
    Arrival,
    Atom,
    Commands,
    Ignored,
    Incoming,
    Reading,
    Rejected,
    Unreadable,
    Verified,
)
from channels.settling import Settling
from domain.commands import By, RecordInteraction
from domain.errors import (
    Conflict,
    Damaged,
    HiloError,
    KeyMissing,
    NotSignedIn,
    TooLarge,
    Unavailable,
)
from domain.events import Actor, InteractionEdited, ReactionSet
from domain.ports import Appended, Counted, Pending, Unit, Verdict
from storage.arrivals import End, Settlement
from storage.connections import PAUSED
from storage.lru import ExpiringLru
from storage.trade import Kind

if TYPE_CHECKING:
    from uuid import UUID

    from channels.connections import Opened
    from channels.fetching import Fetch
    from channels.keeping import Keeping
    from channels.quarantine import Ward
    from domain.commands import Fact
    from domain.ledger import Ledger
    from storage.connections import Connection

AT_ONCE: Final = 256
"""Atoms of one delivery in the write queue: a history of thousands leaves room for others."""

TOO_LARGE: Final = "too_large"

TOKENS_MAX: Final = 10_000
"""Tokens of signatures that are remembered: more than come in while one is good."""

TOKEN_S: Final = 15 * 60.0
"""How long a token is remembered: three times as long as its signature's time is good."""

CERTIFICATES_MAX: Final = 16
"""Certificates that are remembered: a provider has one or two in use."""

CERTIFICATE_S: Final = 24 * 3_600.0
"""How long one is remembered: its URL is another when it changes."""

PAUSED_RETRY_S: Final = 60
"""When a provider may try a paused connection again; they keep trying for hours or days."""


Given = TypeVar("Given")
Made = TypeVar("Made")

Judgement = Verdict | BaseException | None
"""What the log says of an atom's unit; an error of its own; None for one without commands."""


class Placed(Struct, frozen=True):
    """Where an atom ended: counted as such, or to be put into quarantine with reason and error."""

    atom: Atom
    kind: Kind
    reason: str = ""
    error: str = ""


class Receiver:
    """Takes deliveries in, for one ledger."""

    def __init__(
        self,
        ledger: Ledger,
        ward: Ward,
        keeping: Keeping,
        reading: Reading,
        fetch: Fetch,
    ) -> None:
        self._ledger = ledger
        self._keeping = keeping
        self._arrivals = ward.arrivals
        self._reading = reading
        self._ward = ward
        self._clock = keeping.clock
        self.fetch = fetch
        self._settling = Settling(ward.arrivals)
        self._certificates = ExpiringLru[str, bytes](
            CERTIFICATES_MAX, CERTIFICATE_S, time.monotonic
        )
        self._tokens = ExpiringLru[str, bytes](TOKENS_MAX, TOKEN_S, time.monotonic)

    async def deliver(self, opened: Opened, incoming: Incoming) -> list[Placed]:
        """Take one delivery in; durable, whole, when this returns.

        Raises NotSignedIn for a signature that is missing or wrong (counted), TooLarge
        (counted), and Unavailable where the connection is paused or a store failed: then it
        must come again.
        """
        connection, module = opened.connection, opened.module
        if len(incoming.body) > module.body_max_bytes:
            await self.refuse_size(opened)
        incoming = await self._certified(opened, incoming)
        verified = await _elsewhere(opened, module.verify, incoming, opened.secrets)
        reason = self._refusal(opened, verified)
        if reason is not None:
            await asyncio.to_thread(self._arrivals.reject, connection.key, reason)
            raise NotSignedIn("The signature is missing or wrong.")
        if module.confirms is not None and (url := module.confirms(incoming)) is not None:
            await self.fetch(url)
        return await self.take(opened, incoming)

    async def _certified(self, opened: Opened, incoming: Incoming) -> Incoming:
        """The request with the certificate that its channel needs to verify it."""
        name = opened.module.certificate
        url = name(incoming, opened.connection.options) if name is not None else None
        if url is None:
            return incoming
        epoch = self._certificates.epoch
        certificate = self._certificates.get(url)
        if certificate is None:
            certificate = await self.fetch(url)
            self._certificates.put(url, certificate, epoch)
        return structs.replace(incoming, certificate=certificate)

    async def take(self, opened: Opened, incoming: Incoming) -> list[Placed]:
        """Take in what came from a provider for sure; durable, whole, when this returns.

        Raises Unavailable where the connection is paused or a store failed.
        """
        connection, module = opened.connection, opened.module
        if connection.state == PAUSED:
            raise _paused()
        arrival = self.arrival(connection, self._clock())
        atoms = await _elsewhere(opened, module.parse, incoming, arrival)
        placed = await self.place(connection, atoms, counted=True)
        settled = (opened, incoming, arrival.received_at, placed)
        if any(one.kind is Kind.QUARANTINED for one in placed):  # that is sealed: it takes a while
            come_to = await asyncio.to_thread(self._settlement, *settled)
            await self._settling.settle(come_to)
            self._ward.look_again()
        else:
            await self._settling.settle(self._settlement(*settled))
        return placed

    def _refusal(self, opened: Opened, verified: Verified | Rejected) -> str | None:
        """Why a request is refused, if it is; a token that said something else is no signature."""
        if isinstance(verified, Rejected):
            return verified.reason
        if verified.token:
            key = f"{opened.connection.key} {verified.token}"
            said = self._tokens.get(key)
            if said is not None and said != verified.says:
                return "bad_signature"
            self._tokens.put(key, verified.says, self._tokens.epoch)
        return None

    async def refuse_size(self, opened: Opened) -> None:
        """Count a body that is too large, and raise TooLarge."""
        await asyncio.to_thread(self._arrivals.reject, opened.connection.key, TOO_LARGE)
        raise TooLarge(opened.module.body_max_bytes)

    def arrival(self, connection: Connection, received_at: int) -> Arrival:
        """What a channel's module needs to know of where something arrived."""
        return Arrival(
            connection=connection.key,
            received_at=received_at,
            derive=self._ledger.derive,
            department=connection.department,
            options=connection.options,
            own_domains=self._ledger.own_domains,
            reading=self._reading,
        )

    async def place(
        self, connection: Connection, atoms: Sequence[Atom], *, counted: bool
    ) -> list[Placed]:
        """Append what can be appended, and say of each atom where it ended.

        `counted`: what is recorded is counted by the append; a retry counts it itself. Raises
        Unavailable where a store failed; atoms that were recorded stay recorded.
        """
        by = By(Actor("channel", connection.key))
        placed: list[Placed] = []
        for start in range(0, len(atoms), AT_ONCE):
            some = await self._keeping.ready(connection, atoms[start : start + AT_ONCE], by)
            units = [self._unit(connection, atom, by, counted=counted) for atom in some]
            verdicts = await self._append(units)
            if all(isinstance(verdict, Appended | None) for verdict in verdicts):
                placed += self._placed_all(some, verdicts)
            else:  # repeats are opened and compared: that takes a while
                placed += await asyncio.to_thread(self._placed_all, some, verdicts)
        return placed

    # ---------------------------------------------------------------- appending

    def _unit(
        self, connection: Connection, atom: Atom, by: By, *, counted: bool
    ) -> Unit | Exception | None:
        """The unit of an atom that has commands."""
        if not isinstance(atom.outcome, Commands):
            return None
        try:
            unit = joined([self._ledger.unit(one, by) for one in atom.outcome.commands])
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the answer of this atom, not of its siblings
            return error
        return structs.replace(
            unit, counted=Counted(connection.key, atom.source) if counted else None
        )

    async def _append(self, units: Sequence[Unit | Exception | None]) -> list[Judgement]:
        """The verdicts, in order. Raises Unavailable and KeyMissing: the stores' own troubles."""
        waiting = [self._ledger.log.append(unit) for unit in units if isinstance(unit, Unit)]
        results = iter(await asyncio.gather(*waiting, return_exceptions=True))
        verdicts: list[Judgement] = []
        for unit in units:
            verdict = next(results) if isinstance(unit, Unit) else unit
            if isinstance(verdict, BaseException) and not _is_its_own(verdict):
                raise verdict
            verdicts.append(verdict)
        return verdicts

    def _placed_all(self, atoms: Sequence[Atom], verdicts: Sequence[Judgement]) -> list[Placed]:
        return list(map(self._placed, atoms, verdicts))

    def _placed(self, atom: Atom, verdict: Judgement) -> Placed:
        match atom.outcome:
            case Ignored(reason):
                return Placed(atom, Kind.IGNORED, reason)
            case Unreadable(error, reason):
                return Placed(atom, Kind.QUARANTINED, reason, error)
            case Commands(commands, copy):
                return self._judged(atom, None if copy else commands[-1], verdict)

    def _judged(self, atom: Atom, last: Fact | None, verdict: Judgement) -> Placed:
        """Where an atom with commands ended; `last` is compared with what stands already."""
        if isinstance(verdict, Appended):
            return Placed(atom, Kind.RECORDED)
        if verdict is None or isinstance(verdict, BaseException):
            # Its message may repeat content; its name does not.
            error = verdict.detail if isinstance(verdict, HiloError) else type(verdict).__name__
            return Placed(atom, Kind.QUARANTINED, "refused", error)
        try:
            if isinstance(last, RecordInteraction):
                erased = self._ledger.duplicate(last, verdict.position).erased
            else:
                erased = self._same_fact(last, verdict.position)
        except Conflict as conflict:
            error = f"interaction {conflict.position} has this key and other content"
            return Placed(atom, Kind.QUARANTINED, "conflict", error)
        return Placed(atom, Kind.IGNORED, "erased") if erased else Placed(atom, Kind.DUPLICATE)

    def _same_fact(self, last: Fact | None, position: int) -> bool:
        """Whether the fact that stands was erased. Raises Conflict where it says something else."""
        entry = self._ledger.log.entry(position)
        if entry is None or entry.erased or last is None:
            return entry is not None and entry.erased
        match entry.event:
            case InteractionEdited(text=text) if text != getattr(last, "text", None):
                raise Conflict(position)
            case ReactionSet(emoji=emoji) if emoji != getattr(last, "emoji", None):
                raise Conflict(position)
        return False

    # ----------------------------------------------------------------- settling

    def _settlement(
        self, opened: Opened, incoming: Incoming, at: int, placed: Sequence[Placed]
    ) -> Settlement:
        kept = opened.module.kept_headers
        headers = {name: incoming.headers[name] for name in kept if name in incoming.headers}
        return Settlement(
            connection=opened.connection.key,
            at=at,
            ends=[
                End(one.atom.source, one.kind, one.reason)
                for one in placed
                if one.kind in {Kind.DUPLICATE, Kind.IGNORED}
            ],
            quarantined=[
                self._ward.admitted(opened.connection, one, at, headers)
                for one in placed
                if one.kind is Kind.QUARANTINED
            ],
            seen={one.atom.source: one.atom.our_address for one in placed if one.atom.source},
        )


async def _elsewhere(
    opened: Opened, work: Callable[[Incoming, Given], Made], incoming: Incoming, given: Given
) -> Made:
    """Work over a request; over a large one in a thread, so that others are answered meanwhile."""
    if len(incoming.body) > opened.module.parsed_here_max_bytes:
        return await asyncio.to_thread(work, incoming, given)
    return work(incoming, given)


def _is_its_own(error: BaseException) -> bool:
    """Whether an error is about one atom, and not about the stores or the program."""
    return isinstance(error, Exception) and not isinstance(
        error, Unavailable | KeyMissing | Damaged
    )


def _paused() -> Unavailable:
    """The provider keeps what it has, and comes again."""
    error = Unavailable("The connection is paused.")
    error.retry_after_s = PAUSED_RETRY_S
    return error


def joined(units: Sequence[Unit]) -> Unit:
    """One unit of several: what comes before the last is left out where it stands already.

    So a call that is known is not recorded again, and what became of it is. The last unit is
    the one that makes the whole unique.
    """
    if len(units) == 1:
        return units[0]
    last = units[-1]

    def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
        pendings: list[Pending] = []
        start = 0
        for unit in units:
            stop = start + len(unit.seekers)
            made = unit.build(subjects[start:stop])
            optional = unit is not last
            pendings += [structs.replace(p, if_absent=p.if_absent or optional) for p in made]
            start = stop
        return pendings

    return Unit(
        key=last.key,
        build=build,
        seekers=tuple(seeker for unit in units for seeker in unit.seekers),
        size_hint=sum(unit.size_hint for unit in units),
    )
