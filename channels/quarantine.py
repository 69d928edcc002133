"""Quarantine: atoms that could not be recorded, sealed and whole, until somebody decides.

What is kept is a request that holds the atom alone, so that a retry is nothing but the same
delivery once more, after the cause was removed. The same atom again is known by its bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from channels.contract import Incoming
from channels.registry import CHANNELS
from domain.errors import NotFound, WrongState
from storage.arrivals import End, Kindred
from storage.company_seal import Sealed
from storage.trade import Kind, Quarantined

if TYPE_CHECKING:
    from channels.connections import Connections
    from channels.delivery import Placed, Receiver
    from domain.values import Deriver
    from storage.arrivals import Arrivals
    from storage.company_seal import CompanySeal
    from storage.connections import Connection

KEPT_US: Final = 90 * 24 * 3_600 * 1_000_000
"""How long an atom waits for a decision (design 8): 90 days, then it is discarded."""

PAGE: Final = 500
"""Atoms that are read from the list at once; it is read to its end."""


WAITING_AGE_S: Final = 1.0
"""How old the number of what waits may be: it stands on every page, and is a hint there."""


class Raw(Struct, frozen=True):
    """What is sealed of an atom: the headers that tell something, and the body."""

    headers: dict[str, str]
    body: bytes


class Ward:
    """Takes atoms in, shows them, and lets go of them."""

    def __init__(self, arrivals: Arrivals, seal: CompanySeal, derive: Deriver) -> None:
        self.arrivals = arrivals
        self._seal = seal
        self._derive = derive
        self._counted = (0, 0.0)

    def waiting(self) -> int:
        """How many atoms wait for a decision; a second old at most."""
        count, until = self._counted
        if time.monotonic() >= until:
            count = self.arrivals.waiting()
            self._counted = (count, time.monotonic() + WAITING_AGE_S)
        return count

    def look_again(self) -> None:
        """Count anew when somebody asks: what waits has just changed."""
        self._counted = (0, 0.0)

    def admitted(
        self, connection: Connection, placed: Placed, at: int, headers: Mapping[str, str]
    ) -> Quarantined:
        """An atom as it is kept; its id follows from its bytes, so that a repeat is known."""
        body = placed.atom.raw()
        digest = hashlib.sha256(body).digest()
        id_ = self._derive.id("quarantine", connection.key, placed.reason, digest)
        sealed = self._seal.seal(msgspec.msgpack.encode(Raw(dict(headers), body)), id_.bytes)
        return Quarantined(
            id=id_,
            connection=connection.key,
            source=placed.atom.source,
            received_at=at,
            reason=placed.reason,
            error=placed.error,
            atom=placed.atom.number,
            body=sealed.body,
            key_id=sealed.key_id,
        )

    def show(self, id: UUID) -> tuple[Quarantined, Raw | None]:
        """One atom, and what was sealed of it; None once it was dealt with. Raises NotFound."""
        atom = self.arrivals.quarantined_atom(id)
        if atom.body is None or atom.key_id is None:
            return atom, None
        plain = self._seal.open(Sealed(atom.key_id, atom.body), id.bytes)
        return structs.replace(atom, body=None), msgspec.msgpack.decode(plain, type=Raw)

    def discard(self, id: UUID, reason: str) -> Quarantined:
        """Let an atom go, for good. Raises NotFound, WrongState."""
        atom = self.arrivals.quarantined_atom(id)
        self.arrivals.release_to(
            id, [End(atom.source, Kind.IGNORED, "discarded")], f"discarded: {reason}"
        )
        self.look_again()
        return self.arrivals.quarantined_atom(id)

    def expire(self, now: int) -> int:
        """Discard what waited too long; how many atoms."""
        return self.arrivals.expire(now - KEPT_US)

    def open_ids(self, of: Kindred | None = None, most: int | None = None) -> list[UUID]:
        """The atoms that wait, the oldest first: all, those of a kind, so many at most."""
        found: list[UUID] = []
        last = None
        while True:
            page = self.arrivals.quarantine_between(
                last, None, descending=False, count=PAGE, of=of or Kindred()
            )
            found += [atom.id for atom in page]
            if len(page) < PAGE or (most is not None and len(found) >= most):
                return found[:most]
            last = (page[-1].received_at, page[-1].id)


class Retrying:
    """Delivers atoms out of quarantine once more."""

    def __init__(self, ward: Ward, receiver: Receiver, connections: Connections) -> None:
        self._ward = ward
        self._receiver = receiver
        self._connections = connections

    async def retry(self, id: UUID) -> Quarantined:
        """The atom afterwards: `retried` where it ended somewhere, `open` where it failed again.

        Raises NotFound, WrongState for one that was dealt with, Unavailable.
        """
        atom, raw = await asyncio.to_thread(self._ward.show, id)
        if raw is None:
            raise WrongState("The atom was dealt with already.")
        placed = await self._placed(atom, raw)
        stuck = next((one for one in placed if one.kind is Kind.QUARANTINED), None)
        if stuck is not None or not placed:
            error = stuck.error if stuck else "it holds nothing any more"
            await asyncio.to_thread(self._ward.arrivals.tried, id, error)
        else:
            await asyncio.to_thread(self._ward.arrivals.release_to, id, _ends(placed))
            self._ward.look_again()
        return await asyncio.to_thread(self._ward.arrivals.quarantined_atom, id)

    async def _placed(self, atom: Quarantined, raw: Raw) -> Sequence[Placed]:
        channel, _, name = atom.connection.partition("/")
        connection = await asyncio.to_thread(self._connections.book.get, channel, name)
        module = CHANNELS.get(channel)
        if module is None:
            raise NotFound("There is no such channel any more.")
        arrival = self._receiver.arrival(connection, atom.received_at)
        incoming = Incoming(body=raw.body, headers=raw.headers)
        atoms = await asyncio.to_thread(module.parse, incoming, arrival)
        return await self._receiver.place(connection, atoms, counted=False)

    async def retry_all(
        self, of: Kindred | None = None, most: int | None = None
    ) -> tuple[int, int]:
        """Retry what waits; how many ended somewhere, and how many failed again.

        `of` are those of a kind alone; `most` the first so many.
        """
        ids = await asyncio.to_thread(self._ward.open_ids, of, most)
        done = 0
        for id_ in ids:
            try:
                done += (await self.retry(id_)).state != "open"
            except (NotFound, WrongState):  # somebody else was faster
                continue
        return done, len(ids) - done


def _ends(placed: Sequence[Placed]) -> list[End]:
    return [End(one.atom.source, one.kind, one.reason) for one in placed]
