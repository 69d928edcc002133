"""What every read has in common: fresh enough, one consistent look, off the event loop.

A `Look` is one read by one caller: a snapshot of the views, its names, and what that caller may
see in it. Whatever an endpoint shows comes from one look, and carries its position.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.answers import Json
from api.auth import services_of
from api.parameters import Freshness, freshness, reached, read_headers
from domain.errors import InvalidInput, NotFound, NotYet
from projections import contact_pages, history
from projections.report_deck import Decks

if TYPE_CHECKING:
    from fastapi import Request

    from api.auth import Caller, Doorkeeper
    from api.metrics import Metrics
    from api.parameters import Query
    from api.services import Services
    from api.shelf import Shelf
    from api.tide import Tide
    from domain.ports import StoredEntry
    from projections.access import Visible
    from projections.dictionary import Dictionary, Names
    from projections.rendering import Renderer
    from projections.timeline_pages import Ref
    from projections.views import Beside, Reading
    from storage.follower import FollowerState

ResultT = TypeVar("ResultT")

AFTER_COMMAND_MS: Final = 2_000
"""How long a command waits for the views; ten times what they need."""

SUBJECTS_MAX: Final = 100
"""Addresses behind a `contact` filter: a contact has 64 at most, and each has its own range."""

AGAIN_S: Final = 0.02
"""Pause before views that do not serve yet are asked again: a first start takes moments."""


class Reads(Struct, frozen=True):
    """What reading needs beside the services that writing needs too.

    `leaf` gives the 32 bytes that stand for a row of the log in its tree; `follower` says how
    the follower of this server is. `embedded`: the log lies in a file of this machine.
    `decks` are the facts that figures are made of, as this process keeps them.
    """

    renderer: Renderer
    names: Dictionary
    tide: Tide
    leaf: Callable[[StoredEntry], bytes]
    follower: Callable[[], FollowerState]
    metrics: Metrics
    embedded: bool = False
    decks: Decks = msgspec.field(default_factory=Decks)


class Found(Struct, frozen=True):
    """A contact that the caller may see: its id, its subjects, and whether another id led here."""

    id: UUID
    members: list[bytes]
    moved: bool


class Look:
    """One read of the core views by one caller."""

    def __init__(self, services: Services, reads: Reads, caller: Caller, reading: Reading) -> None:
        self.services = services
        self.renderer = reads.renderer
        self.caller = caller
        self.reading = reading
        self.beside: Beside | None = None
        self.decks = reads.decks
        self._book = reads.names

    @property
    def position(self) -> int:
        """The position of everything that this look shows."""
        if self.beside is not None:
            return min(self.reading.position, self.beside.position)
        return self.reading.position

    def join(self, group: str, min_position: int) -> Beside:
        """Look at another group as well, in the same snapshot. Raises NotYet."""
        self.beside = beside = self.reading.beside(group)
        if beside.position < min_position:
            raise NotYet(f"The views of `{group}` are at position {beside.position}.")
        return beside

    @property
    def viewer(self) -> bytes | None:
        """The person who looks; None for a token of nobody's."""
        return self.caller.user.bytes if self.caller.user else None

    @cached_property
    def names(self) -> Names:
        """The names of staff, departments and the rest."""
        return self._book.names(self.reading)

    @cached_property
    def visible(self) -> Visible:
        """What the caller may see."""
        return self.services.access.visible(self.caller.reader, self.reading)

    def contact(self, id: UUID) -> Found:
        """A contact by its id, or by that of a subject of it. Raises NotFound."""
        whole = contact_pages.whole_of(self.reading, id.bytes)
        if whole is None or not self.visible.may_see_one([whole[0]]):
            raise NotFound("There is no such contact.")
        root, members = whole
        return Found(UUID(bytes=root), members, moved=root != id.bytes)

    def members_of(self, contacts: Sequence[UUID]) -> list[bytes]:
        """The addresses of those of some contacts that the caller may see; none of others.

        Raises InvalidInput where there are more than a filter may have.
        """
        found = contact_pages.contacts_of(self.reading, [contact.bytes for contact in contacts])
        members: list[bytes] = []
        for root in sorted(self.visible.may_see(found.values())):
            members += contact_pages.members_of(self.reading, root)
        if len(members) > SUBJECTS_MAX:
            message = (
                f"these contacts have {len(members)} addresses together, {SUBJECTS_MAX} at most"
            )
            raise InvalidInput.one("query.contact", "too_many", message)
        return members

    def allowed(self, refs: Sequence[Ref]) -> list[Ref]:
        """Those of some interactions that the caller may see, in the same order."""
        if self.visible.everything:
            return list(refs)
        others = history.subjects_of(self.reading, [ref.originator for ref in refs])
        parties = {ref.originator: [ref.subject, *others.get(ref.originator, ())] for ref in refs}
        known = contact_pages.contacts_of(
            self.reading, {subject for listed in parties.values() for subject in listed}
        )
        return [
            ref
            for ref in refs
            if self.visible.may_see_one([known.get(one, one) for one in parties[ref.originator]])
        ]


def reads_of(request: Request) -> Reads:
    """What the application that a request came to reads with."""
    reads: Reads = request.app.state.reads
    return reads


class Task(Struct, frozen=True):
    """What an endpoint will do with its look.

    `quick`: it reads a bounded number of rows by their index, whatever is in the views. On
    SQLite such a read is done where it stands: handing it to a thread and taking it back was
    measured to cost as much as the page itself, and waits for nothing meanwhile. `kept`: asked
    again at the same position, the answer is the same (api/shelf.py). `beside`: another group
    of views that it reads as well, and that must be as fresh.
    """

    work: Callable[[Look], Json]
    quick: bool = False
    kept: bool = False
    beside: str | None = None


def shelf_of(request: Request) -> Shelf:
    """The pages that the application keeps for a moment."""
    shelf: Shelf = request.app.state.shelf
    return shelf


async def look(
    request: Request,
    caller: Caller,
    wanted: Freshness,
    work: Callable[[Look], ResultT],
    *,
    quick: bool = False,
) -> ResultT:
    """Do some reading, in a thread unless it is `quick`, once the views are fresh enough.

    Views that do not serve just now are waited for as well, as long as for a position. Raises
    NotYet, StoreUnavailable, and whatever the work raises.
    """
    return await Desk(services_of(request), reads_of(request)).look(
        caller, wanted, work, quick=quick
    )


class Desk(Struct, frozen=True):
    """Where looks are taken: an application's, or that of a command at the terminal."""

    services: Services
    reads: Reads

    async def look(
        self,
        caller: Caller,
        wanted: Freshness,
        work: Callable[[Look], ResultT],
        *,
        quick: bool = False,
    ) -> ResultT:
        """As the function `look`."""
        await reached(self.services, wanted)
        inline = quick and self.services.views.database.kind == "sqlite"
        return await self._read(caller, work, wanted.wait_ms, inline=inline)

    async def _read(
        self, caller: Caller, work: Callable[[Look], ResultT], wait_ms: int, *, inline: bool
    ) -> ResultT:
        services, reads = self.services, self.reads

        def read() -> ResultT:
            with services.views.reading() as reading:
                return work(Look(services, reads, caller, reading))

        until = time.monotonic() + wait_ms / 1_000
        while True:
            try:
                return read() if inline else await run_in_threadpool(read)
            except NotYet:  # the views are being made, or were exchanged for newer ones just now
                if time.monotonic() >= until:
                    raise
            await asyncio.sleep(AGAIN_S)


async def settled(request: Request, caller: Caller, work: Callable[[Look], ResultT]) -> ResultT:
    """Do some reading for a command; what was appended just now counts, if the views are quick.

    Raises NotFound where it is not there even then.
    """
    try:
        return await look(request, caller, Freshness(), work)
    except NotFound:
        services = services_of(request)
        head = await run_in_threadpool(services.log.head)
        with suppress(NotYet):
            await reached(services, Freshness(head, AFTER_COMMAND_MS))
        return await look(request, caller, Freshness(), work)


async def written(services: Services, position: int) -> None:
    """Wait until the views hold what a command wrote; views that take too long are not."""
    with suppress(NotYet):
        await reached(services, Freshness(position, AFTER_COMMAND_MS))


async def answer(
    request: Request,
    query: Query,
    prepare: Callable[[Caller], Task],
    *,
    scope: str | None = "read",
) -> Json:
    """The answer of an endpoint that reads: who may, how fresh, nothing unknown in the query.

    `prepare` takes what it needs from the query, before that is closed, and gives what to do.
    Without a scope, whoever is signed in may.
    """
    keeper: Doorkeeper = request.app.state.doorkeeper
    caller = await (keeper.caller(request) if scope is None else keeper.admit(request, scope))
    services, shelf = services_of(request), shelf_of(request)
    asked = (request.scope["path"], request.scope["query_string"], caller.reader)
    found = shelf.get(asked, services.core_position())
    if found is not None:
        return found
    wanted = freshness(query)
    task = prepare(caller)
    query.close()

    def work(look: Look) -> Json:
        if task.beside is not None:
            look.join(task.beside, wanted.min_position)
        return task.work(look)

    made = await look(request, caller, wanted, work, quick=task.quick)
    position = services.core_position()
    if task.kept and isinstance(made, PageJson) and made.position == position:
        shelf.put(asked, position, made)
    return made


def page_answer(body: bytes, position: int, more: Mapping[str, str] | None = None) -> PageJson:
    """A rendered page as an answer; `more` are further headers."""
    return PageJson(body, position, more)


class PageJson(Json):
    """An answer that shows the views at a position."""

    def __init__(self, body: bytes, position: int, more: Mapping[str, str] | None = None) -> None:
        super().__init__(body, 200, read_headers(position) | dict(more or {}))
        self.position = position


def moved_to(found: Found, path: str) -> dict[str, str]:
    """The header that says under which id the object really stands, where another was asked."""
    return {"content-location": path.format(id=found.id)} if found.moved else {}
