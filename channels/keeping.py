"""Before an atom is recorded: its files are kept, and what it points to is noted for fetching.

Both come first, so that what the log names is there: a file whose event never comes is let go
after some days (storage/blobs.py), an errand without its event is dropped. Of an atom that
stands in the log already nothing is kept again, so that a repeat makes no subject anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from channels.contract import Commands
from channels.registry import CHANNELS
from domain.commands import RecordInteraction, ReportChange
from domain.errors import Erased, Unavailable
from storage.blobs import Owner
from storage.trade import Job

if TYPE_CHECKING:
    from channels.contract import Atom, Enclosed
    from domain.commands import By, Fact
    from domain.events import Attachment
    from domain.ledger import Ledger
    from domain.ports import Clock, Unit
    from storage.blob_index import Upload
    from storage.blob_seal import Made
    from storage.blobs import BlobStore
    from storage.connections import Connection
    from storage.subjects import SubjectBook
    from storage.trade import Trade

FETCH: Final = "fetch"
"""The kind of the jobs that fetch something from a provider."""

SETTLE_US: Final = 2_000_000
"""How long a fetch waits at first: until the event that it is about has surely been appended."""


class Errand(Struct, frozen=True, array_like=True):
    """What a job fetches: the connection, the stream of the event that points to it, and its id.

    Where it lies is in the event, sealed: a job holds nothing that an erasure would look for.
    """

    connection: str
    fact: UUID
    attachment: UUID


class Shelf(Struct, frozen=True):
    """Where files go: the store, who their subjects are, and the list of jobs."""

    blobs: BlobStore
    subjects: SubjectBook
    trade: Trade
    clock: Clock


class Keeping:
    """Keeps the files of atoms, and notes errands, for one ledger."""

    def __init__(self, ledger: Ledger, shelf: Shelf) -> None:
        self._ledger = ledger
        self._shelf = shelf
        self.clock = shelf.clock

    async def ready(self, connection: Connection, atoms: Sequence[Atom], by: By) -> Sequence[Atom]:
        """The atoms, ready to be recorded: their files kept and named, their errands noted.

        Raises StoreUnavailable.
        """
        if any(isinstance(atom.outcome, Commands) and atom.outcome.files for atom in atoms):
            atoms = [await self._kept(atom, by) for atom in atoms]
        jobs = [job for atom in atoms for job in self._jobs(connection, atom, by)]
        if jobs:
            await asyncio.to_thread(self._shelf.trade.put, *jobs)
        return atoms

    # ----------------------------------------------------------------------- files

    async def _kept(self, atom: Atom, by: By) -> Atom:
        outcome = atom.outcome
        if not isinstance(outcome, Commands) or not outcome.files:
            return atom
        unit = self._unit(outcome.commands[-1], by)
        if unit is None:
            return atom
        made = await asyncio.to_thread(self._keep_all, outcome.files, unit)
        if not made:
            return atom
        *before, last = outcome.commands
        filled = structs.replace(outcome, commands=(*before, _named(last, made)), files=())
        return structs.replace(atom, outcome=filled)

    def _keep_all(self, files: Sequence[Enclosed], unit: Unit) -> dict[UUID, Made]:
        """What was kept, by attachment; nothing of an interaction that is recorded already."""
        if self._ledger.log.stream(unit.key):
            return {}
        subject = self._shelf.subjects.resolve(unit.seekers[:1], create=True)[0]
        made: dict[UUID, Made] = {}
        if subject is None:  # nobody to keep them for; its recording will say why
            return made
        for file in files:
            owner = Owner(subject, file.id, unit.key, unit.key)
            try:
                made[file.id] = self._shelf.blobs.keep(owner, file.content())
            except Erased:  # just now: it is recorded under a new subject, without its files
                return {}
        return made

    def attach(self, unit: Unit, uploads: Sequence[Upload]) -> dict[UUID, Made]:
        """Keep what was uploaded for an interaction, under its counterpart's key.

        Raises StoreUnavailable, and Erased where that key was destroyed just now.
        """
        subject = self._shelf.subjects.resolve(unit.seekers[:1], create=True)[0]
        made: dict[UUID, Made] = {}
        for upload in uploads:
            if subject is not None:
                owner = Owner(subject, upload.id, unit.key, unit.key)
                opened = self._shelf.blobs.open_ours(upload.blob, upload.id)
                made[upload.id] = self._shelf.blobs.keep(owner, opened.read())
        return made

    # --------------------------------------------------------------------- errands

    def _jobs(self, connection: Connection, atom: Atom, by: By) -> list[Job]:
        module = CHANNELS.get(connection.channel)
        if module is None or not module.media or not isinstance(atom.outcome, Commands):
            return []
        found: list[Job] = []
        for fact in atom.outcome.commands:
            media = module.media.get(fact.source.partition(":")[0])
            ids = media.pointed(fact, self._ledger.derive) if media else ()
            unit = self._unit(fact, by) if ids else None
            if unit is not None:
                errands = [Errand(connection.key, unit.key, one) for one in ids]
                found += [self.job(errand) for errand in errands]
        return found

    def job(self, errand: Errand) -> Job:
        """The job of an errand; told twice, it is one."""
        return Job(
            id=self._ledger.derive.id("fetch", errand.attachment, errand.fact),
            kind=FETCH,
            payload=msgspec.msgpack.encode(errand),
            due_at=self._shelf.clock() + SETTLE_US,
        )

    def _unit(self, fact: Fact, by: By) -> Unit | None:
        """The unit of a fact; None where it cannot be one, which its recording will say."""
        try:
            return self._ledger.unit(fact, by)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - the answer of this atom, given by whoever records it
            return None


def _named(fact: Fact, made: dict[UUID, Made]) -> Fact:
    """The fact with what was kept of its attachments."""
    if not isinstance(fact, RecordInteraction | ReportChange):
        return fact
    return structs.replace(
        fact, attachments=tuple(filled(file, made.get(file.id)) for file in fact.attachments)
    )


def filled(file: Attachment, made: Made | None) -> Attachment:
    """An attachment with what was kept of it."""
    if made is None:
        return file
    return structs.replace(
        file, blob=made.blob.hex(), size_bytes=made.size_bytes, sha256=made.sha256
    )
