"""Fetching what providers only point to: each errand is a job that is tried until it is done.

What comes is sealed on its way in, kept, and named by an event (`attachment.stored`); what cannot
be had after all tries is said by one too (`attachment.failed`). Several servers may work at the
same list. A job that was cut off is done again: what it had kept is let go later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from channels.keeping import FETCH, Errand, Shelf
from channels.media import NOT_ALLOWED, NOTHING, Access, CannotFetch, Get, Json
from channels.registry import CHANNELS
from domain import filing
from domain.commands import By
from domain.errors import Erased, NotFound
from domain.events import Actor, DeliveryReported, InteractionEdited, InteractionRecorded
from domain.filing import Fetched, Pointer
from storage.blobs import Owner

if TYPE_CHECKING:
    from uuid import UUID

    from channels.connections import Connections
    from channels.media import MediaSource, Target
    from domain.ledger import Ledger
    from storage.blobs import Writing
    from storage.trade import Job

AT_ONCE: Final = 4
"""Files that one server fetches together: a slow provider keeps few others waiting."""

MEDIA_MAX_BYTES: Final = 100 * 1024 * 1024
"""Size of a file that is fetched: WhatsApp's documents are the largest."""

JSON_MAX_BYTES: Final = 1024 * 1024
"""Size of what a provider says about a file: a few hundred bytes."""

FETCH_S_MAX: Final = 100.0
"""How long one try may take: less than the lease of its job, so that no two try at one time."""

AGAIN_S: Final = (10, 60, 300, 900, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600)
"""Pauses between tries: two days in all, for a provider's bad day and a forgotten token."""

TRIES_MAX: Final = len(AGAIN_S) + 1
"""Tries of one file; then it has failed, and its row says why."""

LOST_TRIES_MAX: Final = 4
"""Tries of an errand whose event is not in the log: a delivery that was cut off leaves such."""

TOO_LARGE: Final = "too_large"
REMOVED: Final = "connection_removed"
UNREADABLE: Final = "unreadable"
SLOW: Final = "too_slow"

_FINAL: Final = frozenset({NOT_ALLOWED, TOO_LARGE, NOTHING, REMOVED})
"""What no further try would change."""

GIVEN_UP_MAX: Final = 10_000
"""Files that failed that are shown or tried anew at once; the next time the rest."""

US_PER_S: Final = 1_000_000

Pointing = InteractionRecorded | InteractionEdited | DeliveryReported
"""Events that point to a file."""


class Web(Protocol):
    """Asks providers. Raises CannotFetch with a code that says why."""

    async def read(
        self, get: Get, hosts: Sequence[str], take: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Hand over what a request brings, part by part; redirects stay within the hosts."""


class _Work(Struct, frozen=True):
    """An errand, opened: what it fetches, for whom, how, and with what to show."""

    errand: Errand
    event: Pointing
    pointer: Pointer
    target: Target
    media: MediaSource
    access: Access


class GivenUp(Struct, frozen=True):
    """A file that could not be fetched: its job, whose connection it came by, its id, and why."""

    job: UUID
    connection: str
    attachment: UUID
    error: str


class Fetching:
    """Does the errands of one ledger. `observer` hears how each try ended."""

    def __init__(self, ledger: Ledger, connections: Connections, shelf: Shelf) -> None:
        self._ledger = ledger
        self._connections = connections
        self._shelf = shelf
        self.observer: Callable[[str], None] = lambda _outcome: None

    async def turn(self, web: Web) -> int:
        """Try what is due, some at a time; how many errands that were.

        Raises Unavailable where a store does not answer; the jobs come again then.
        """
        trade, now = self._shelf.trade, self._shelf.clock()
        if not await asyncio.to_thread(trade.is_due, FETCH, now):
            return 0
        jobs = await asyncio.to_thread(trade.claim, FETCH, now, AT_ONCE)
        await asyncio.gather(*(self._try(job, web) for job in jobs))
        return len(jobs)

    def given_up(self) -> list[GivenUp]:
        """The files that were tried for the last time, the oldest first, as many as are shown."""
        jobs = self._shelf.trade.jobs("failed", GIVEN_UP_MAX)
        found = []
        for job in jobs:
            if job.kind == FETCH:
                errand = msgspec.msgpack.decode(job.payload, type=Errand)
                found.append(GivenUp(job.id, errand.connection, errand.attachment, job.error or ""))
        return found

    def retry(self, attachment: UUID | None = None) -> int:
        """Have a file that failed fetched anew, or all of them; how many those are.

        Raises NotFound where none of that id failed. A file that erasure took is not fetched.
        """
        chosen = [one for one in self.given_up() if attachment in {None, one.attachment}]
        if attachment is not None and not chosen:
            raise NotFound("No file of that id could not be fetched.")
        return self._shelf.trade.again(self._shelf.clock(), *(one.job for one in chosen))

    async def _try(self, job: Job, web: Web) -> None:
        errand = msgspec.msgpack.decode(job.payload, type=Errand)
        work = None
        try:
            work = await asyncio.to_thread(self._opened, errand)
            if work is not None:
                async with asyncio.timeout(FETCH_S_MAX):
                    await self._fetch(work, web)
        except Erased:
            work = None  # whose file it was is not to be known any more
        except NotFound:
            await self._lost(job)
            return
        except TimeoutError:
            await self._again(job, work, SLOW)
            return
        except CannotFetch as refused:
            await self._again(job, work, refused.code)
            return
        await asyncio.to_thread(self._shelf.trade.done, job.id)
        self.observer("fetched" if work else "dropped")

    # --------------------------------------------------------------------- opening

    def _opened(self, errand: Errand) -> _Work | None:
        """What there is to do; None where it is done, or was erased.

        Raises NotFound where its event is not in the log (yet), CannotFetch.
        """
        log, derive = self._ledger.log, self._ledger.derive
        if log.stream(filing.stored_stream(derive, errand.attachment)):
            return None
        event = self._event(errand.fact)
        channel, _, name = errand.connection.partition("/")
        module = CHANNELS.get(channel)
        media = module.media.get(event.source.partition(":")[0]) if module else None
        target = media.target(event, errand.attachment) if media else None
        if media is None or target is None:
            return None
        about = event.originator_id if isinstance(event, InteractionRecorded) else event.about
        subject = event.subject or self._event(about).subject
        if subject is None:
            return None
        pointer = Pointer(
            about=about,
            source=event.source,
            subject=subject,
            attachment=errand.attachment,
            part=target.part,
        )
        return _Work(errand, event, pointer, target, media, self._access(channel, name))

    def _event(self, stream: UUID) -> Pointing:
        """The event that points to a file, or that is pointed to. Raises NotFound, Erased."""
        entries = self._ledger.log.stream(stream)
        event = entries[0].event if entries else None
        if not isinstance(event, Pointing):
            raise NotFound("The event is not in the log.")
        if entries[0].erased:
            raise Erased("What was to be fetched was erased.")
        return event

    def _access(self, channel: str, name: str) -> Access:
        """What the connection has to show; nothing, where it is gone."""
        try:
            opened = self._connections.open(channel, name)
        except NotFound:
            return Access({}, {})
        return Access(opened.secrets, opened.connection.options)

    # -------------------------------------------------------------------- fetching

    async def _fetch(self, work: _Work, web: Web) -> None:
        """Fetch it, keep it, and say so. Raises CannotFetch, Erased, Unavailable."""
        get = await self._where(work, web)
        if work.media.completes is None:
            await self._keep(work, get, web)
            return
        told = await _json(get, work.media.hosts, web)
        try:
            now = self._shelf.clock()
            fact = work.media.completes(self._ledger.derive, work.event, told, now)
        except ValueError:
            raise CannotFetch(UNREADABLE) from None
        await self._ledger.report(fact, _by(work.errand))

    async def _where(self, work: _Work, web: Web) -> Get:
        """The last request of the recipe, after those that lead to it."""
        steps = work.media.recipe(work.target, work.access)
        told: Json | None = None
        while True:
            try:
                get = next(steps) if told is None else steps.send(told)
            except StopIteration as end:
                last: Get = end.value
                return last
            told = await _json(get, work.media.hosts, web)

    async def _keep(self, work: _Work, get: Get, web: Web) -> None:
        blobs, pointer = self._shelf.blobs, work.pointer
        derive = self._ledger.derive
        fact = filing.stored_stream(derive, pointer.attachment)
        owner = Owner(pointer.subject, pointer.attachment, pointer.about, fact)
        writing = await asyncio.to_thread(blobs.writing, pointer.subject, pointer.attachment)
        with writing:
            await web.read(get, work.media.hosts, _taking(writing))
            made = await asyncio.to_thread(writing.finish)
            await asyncio.to_thread(blobs.place, writing, owner, made)
        file = Fetched(
            blob=made.blob.hex(),
            size_bytes=made.size_bytes,
            sha256=made.sha256,
            name=work.target.name,
            media_type=work.target.media_type,
        )
        by = _by(work.errand)
        event = filing.stored(pointer, file, self._shelf.clock(), by, derive)
        await self._ledger.state(event, by)

    # --------------------------------------------------------------------- failing

    async def _again(self, job: Job, work: _Work | None, code: str) -> None:
        """Try once more later; after the last try the file has failed, and that is a fact."""
        tries = job.attempts + 1
        is_over = tries >= TRIES_MAX or code in _FINAL
        if is_over and work is not None:
            by, now = _by(work.errand), self._shelf.clock()
            event = filing.failed(work.pointer, code, now, by, self._ledger.derive)
            with suppress(Erased):  # meanwhile: nobody is to know that there was a file
                await self._ledger.state(event, by)
        again = None if is_over else self._shelf.clock() + AGAIN_S[tries - 1] * US_PER_S
        await asyncio.to_thread(self._shelf.trade.failed, job.id, code, again)
        self.observer("failed" if is_over else "again")

    async def _lost(self, job: Job) -> None:
        """Its event is not there: it may still come; else there was nothing to be fetched."""
        trade, tries = self._shelf.trade, job.attempts + 1
        if tries >= LOST_TRIES_MAX:
            await asyncio.to_thread(trade.done, job.id)
            self.observer("dropped")
            return
        again = self._shelf.clock() + AGAIN_S[tries - 1] * US_PER_S
        await asyncio.to_thread(trade.failed, job.id, "not recorded", again)


def _by(errand: Errand) -> By:
    return By(Actor("channel", errand.connection))


def _taking(writing: Writing) -> Callable[[bytes], Awaitable[None]]:
    """What takes a file's parts; raises CannotFetch for one that is too large."""

    async def take(part: bytes) -> None:
        if writing.size_bytes + len(part) > MEDIA_MAX_BYTES:
            raise CannotFetch(TOO_LARGE)
        await asyncio.to_thread(writing.write, part)

    return take


async def _json(get: Get, hosts: Sequence[str], web: Web) -> Json:
    """What a provider says, as an object. Raises CannotFetch."""
    parts = bytearray()

    async def take(part: bytes) -> None:
        parts.extend(part)
        if len(parts) > JSON_MAX_BYTES:
            raise CannotFetch(UNREADABLE)

    await web.read(get, hosts, take)
    try:
        found: Any = msgspec.json.decode(bytes(parts))
    except msgspec.DecodeError:
        raise CannotFetch(UNREADABLE) from None
    if not isinstance(found, dict):
        raise CannotFetch(UNREADABLE)
    return found
