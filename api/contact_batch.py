"""Many contacts in one request: NDJSON in, a verdict for each line out, as for interactions.

A line makes a contact, or, where somebody has one of its addresses already, describes that one.
Each line is a command with a key of its own, from the line itself: the same body again finds
what became of it, and changes nothing that people wrote down since. Lines are taken some at a
time, so that their commits are shared; before a line that speaks of an address again, the views
are waited for, since they say whose it is.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api import problems
from api.auth import Caller, admit, services_of
from api.batch import BatchAnswer
from api.bodies import Shape
from api.lines import LINE_MAX_BYTES, Line, Occurrences, Splitter
from api.openapi import body_of
from api.parameters import NDJSON_TYPES, Query, require_type
from api.read_contacts import ContactRequest, fields_of
from domain.commands import ContactFields, FactReceipt, Repeatable
from domain.errors import AddressTaken, HiloError, NotYet, TooLarge
from projections import contact_pages
from projections.directory import ROOTS_AGE_S

if TYPE_CHECKING:
    from api.services import Services
    from api.spool import Spool
    from domain.commands import By

router = APIRouter()

CHUNK_LINES: Final = 100
"""Lines that are taken at one time: they share their commits, and few wait for one verdict."""

VIEWS_WAIT_S: Final = 2.0
"""How long the views are waited for between two chunks; ten times what they need."""

_FAILED: Final = 500
"""From this status on it is not the line that is wrong: the rest would fare no better."""

_CREATED: Final = 201
_CHANGED: Final = 200

Wait = Callable[[int, float], Awaitable[bool]]
"""Waits until the views hold a position, at most so many seconds."""

_CONTACT: Final = Shape(ContactRequest)


class ContactOptions(Struct, frozen=True):
    """What is asked for: only the bad verdicts; to check the lines and write nothing."""

    errors_only: bool = False
    dry_run: bool = False


class _Item(Struct, frozen=True):
    """A line: what it says of whom, and by which command; or what is wrong with it."""

    number: int
    fields: ContactFields | None = None
    by: By | None = None
    error: HiloError | None = None


class _Outcome(Struct, frozen=True):
    """What became of a line: 201 a new contact, 200 one that was there; or why not."""

    status: int = 0
    contact: UUID | None = None
    receipt: FactReceipt | None = None
    error: HiloError | None = None

    @property
    def duplicate(self) -> bool:
        """Whether nothing was written for it, since it says nothing new."""
        return self.receipt is None or self.receipt.duplicate


class _Summary(Struct):
    """The last line of the answer."""

    lines: int = 0
    recorded: int = 0
    duplicate: int = 0
    conflict: int = 0
    refused: int = 0
    first_position: int | None = None
    last_position: int | None = None


@router.post(
    "/v1/contacts/batch",
    summary="Make or describe many contacts",
    openapi_extra=body_of(ContactRequest, "application/x-ndjson"),
)
async def take_batch(request: Request) -> Response:
    """Make or describe one contact a line; a verdict a line, then a summary.

    Not transactional. An answer without its summary was cut off: send all again.
    """
    services = services_of(request)
    caller = await admit(request, "manage")
    require_type(dict(request.scope["headers"]), NDJSON_TYPES)
    query = Query(request)
    options = ContactOptions(
        errors_only=query.choice("verdicts", ("all", "errors"), "all") == "errors"
    )
    query.close()
    work = ContactBatch(services, caller, options, services.wait_for)
    return BatchAnswer(work, request.stream(), request.scope["hilo.request_id"])


class ContactBatch:
    """Lines in, verdicts out: the part that knows nothing of HTTP. For one body."""

    def __init__(
        self, services: Services, caller: Caller, options: ContactOptions, wait: Wait
    ) -> None:
        self._services = services
        self._caller = caller
        self._options = options
        self._wait = wait
        self._summary = _Summary()

    async def run(self, parts: AsyncIterator[bytes], spool: Spool) -> None:
        """Take every line and spool its verdict, then the summary.

        Raises what a store failed with; the verdicts up to there are spooled, the rest is read
        all the same, and dropped.
        """
        await self._wait(0, VIEWS_WAIT_S)  # a ledger that was just made has none for a moment
        splitter = Splitter()
        failed: Exception | None = None
        with closing(Occurrences()) as occurrences:
            async for part in parts:
                if failed is None:
                    failed = await self._take(list(splitter.feed(part)), occurrences, spool)
            if failed is None:
                failed = await self._take(list(splitter.end()), occurrences, spool)
        if failed is not None:
            raise failed
        spool.write(msgspec.json.encode({"summary": self._summary}) + b"\n")

    async def _take(
        self, lines: Sequence[Line], occurrences: Occurrences, spool: Spool
    ) -> Exception | None:
        """Take some lines, chunk by chunk; what a store failed with."""
        items = [self._item(line, occurrences) for line in lines]
        try:
            for chunk in _chunks(items):
                outcomes = await asyncio.gather(*(self._outcome(item) for item in chunk))
                for item, outcome in zip(chunk, outcomes, strict=True):
                    spool.write(self._verdict(item.number, outcome))
                    _refuse_failure(outcome)
                await self._follow(outcomes)
        except Exception as error:  # noqa: BLE001 - kept, and raised by `run`
            return error
        return None

    def _item(self, line: Line, occurrences: Occurrences) -> _Item:
        try:
            if line.raw is None:
                raise TooLarge(LINE_MAX_BYTES)
            fields = fields_of(self._services, _CONTACT.read(line.raw))
        except HiloError as error:
            return _Item(line.number, error=error)
        actor = self._caller.actor
        key = occurrences.key_of(line.raw)
        derive = self._services.ledger.derive
        command_id = derive.id("contact-line", actor.kind, actor.id, key)
        digest = hashlib.sha256(line.raw).digest()
        return _Item(line.number, fields, self._caller.by(Repeatable(command_id, digest)))

    # ------------------------------------------------------------------ one line

    async def _outcome(self, item: _Item) -> _Outcome:
        if item.fields is None or item.by is None:
            return _Outcome(error=item.error)
        if self._options.dry_run:
            return _Outcome(_CREATED, receipt=_NOTHING)
        try:
            try:
                return await self._made(item.fields, item.by)
            except AddressTaken:
                # Whose an address is, is a hint that may be a moment old.
                await asyncio.sleep(ROOTS_AGE_S)
                return await self._made(item.fields, item.by)
        except HiloError as error:
            return _Outcome(error=error)

    async def _made(self, fields: ContactFields, by: By) -> _Outcome:
        """A contact, made or described. Raises AddressTaken where it would be two people's."""
        book = self._services.ledger.contacts
        try:
            contact, receipt = await book.create(fields, by)
        except AddressTaken as taken:
            owner = await run_in_threadpool(self._in_sight, taken)
            described = await book.describe(owner, fields, by)
            return _Outcome(_CHANGED, owner, described)
        return _Outcome(_CHANGED if receipt.duplicate else _CREATED, contact, receipt)

    def _in_sight(self, taken: AddressTaken) -> UUID:
        """The contact that has an address, as it is now; AddressTaken where it is hidden."""
        services = self._services
        with services.views.reading() as reading:
            owner = UUID(taken.contact).bytes if taken.contact else b""
            root = contact_pages.contact_of(reading, owner) or owner
            visible = services.access.visible(self._caller.reader, reading)
            if not visible.may_see_one([root]):
                raise AddressTaken(None)
        return UUID(bytes=root)

    async def _follow(self, outcomes: Sequence[_Outcome]) -> None:
        """Have the views know of these lines before the next ones ask whose an address is."""
        written = [one.receipt.last for one in outcomes if one.receipt]
        if written and not self._options.dry_run:
            with suppress(NotYet):
                await self._wait(max(written), VIEWS_WAIT_S)

    # ------------------------------------------------------------------ verdicts

    def _verdict(self, number: int, outcome: _Outcome) -> bytes:
        """The verdict on a line, counted; nothing where only errors are wanted."""
        summary = self._summary
        summary.lines += 1
        if outcome.error is not None:
            return self._refusal(number, outcome.error)
        if outcome.duplicate or outcome.receipt is None:
            summary.duplicate += 1
        else:
            summary.recorded += 1
            if outcome.receipt.position:
                summary.first_position = summary.first_position or outcome.receipt.position
                summary.last_position = outcome.receipt.last
        if self._options.errors_only:
            return b""
        told = {
            "line": number,
            "status": outcome.status,
            "contact": outcome.contact,
            "duplicate": outcome.duplicate,
        }
        return msgspec.json.encode(told) + b"\n"

    def _refusal(self, number: int, error: HiloError) -> bytes:
        summary = self._summary
        problem = problems.members(error)
        line: dict[str, object] = {"line": number, "status": problem["status"]}
        if isinstance(error, AddressTaken):
            summary.conflict += 1
            line["contact"] = error.contact
        else:
            summary.refused += 1
        return msgspec.json.encode({**line, "problem": problem}) + b"\n"


_NOTHING: Final = FactReceipt(0, 0)
"""What a line would have got, had it been written."""


def _refuse_failure(outcome: _Outcome) -> None:
    """Raise what is no fault of the line."""
    if outcome.error is not None and problems.problem_of(outcome.error).status >= _FAILED:
        raise outcome.error


def _chunks(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    """Items that are taken at one time: no two of a chunk speak of one address."""
    chunk: list[_Item] = []
    spoken: set[str] = set()
    for item in items:
        addresses = item.fields.addresses if item.fields else ()
        if len(chunk) == CHUNK_LINES or not spoken.isdisjoint(addresses):
            yield chunk
            chunk, spoken = [], set()
        chunk.append(item)
        spoken.update(addresses)
    if chunk:
        yield chunk
