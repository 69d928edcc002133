"""Many interactions in one request (contract 2.8): NDJSON in, a verdict for each line out.

Three things go on at once: lines are read and made into units, units are appended, verdicts are
sent. Reading waits only for appending, never for sending: most clients read nothing before they
have sent everything, so verdicts wait in a spool. A verdict is written after its commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct, structs
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api import problems
from api.ahead import Helpers, keyed, lacks_key, request_of, units_of
from api.attaching import Attaching
from api.auth import Caller, admit, services_of
from api.lines import LINE_MAX_BYTES, Line, Occurrences, Splitter
from api.openapi import body_of
from api.parameters import NDJSON_TYPES, Query, require_type
from api.shapes import AppendRequest, Terms, append_command
from api.spool import Spool, Work
from api.terms import terms_of
from api.unexpected import log_unexpected
from domain.commands import Receipt, RecordInteraction
from domain.errors import Conflict, HiloError, TooLarge
from domain.ports import Appended, Unit, Verdict

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from api.services import Services

router = APIRouter()

CHUNK_LINES: Final = 500
"""Lines that are appended together: what the log takes into one transaction."""

CHUNKS_AHEAD: Final = 4
"""Chunks that are ready while one is appended; then reading waits, and the client with it."""

_FAILED: Final = 500
"""From this status on it is not the line that is wrong: the rest would fare no better."""


class Options(Struct, frozen=True):
    """What the query asks for; `fallback` is the source of lines that have none."""

    imported: bool
    errors_only: bool
    fallback: str | None = None


class _Item(Struct, frozen=True):
    """A line: its unit and how to read what it asks for, or what is wrong with it."""

    number: int
    unit: Unit | None = None
    read: Callable[[], RecordInteraction] | None = None
    error: HiloError | None = None


class _Chunk(Struct, frozen=True):
    """Lines that are appended together, with the keys that some of them got before they were read.

    `answer` is what other processes make of them.
    """

    lines: Sequence[Line]
    terms: Terms
    keys: Sequence[str | None] = ()
    answer: asyncio.Task[bytes] | None = None


class _Summary(Struct):
    """The last line of the answer."""

    lines: int = 0
    recorded: int = 0
    duplicate: int = 0
    conflict: int = 0
    refused: int = 0
    first_position: int | None = None
    last_position: int | None = None


class _Verdict(Struct, gc=False):
    """What became of a line."""

    line: int
    status: int
    id: int
    interaction: UUID
    contact: UUID
    duplicate: bool
    erased: bool


_encode: Final = msgspec.json.Encoder().encode


@router.post(
    "/v1/interactions/batch",
    summary="Append many interactions",
    openapi_extra=body_of(AppendRequest, "application/x-ndjson"),
)
async def append_batch(request: Request) -> Response:
    """Append one interaction a line; a verdict a line, then a summary.

    Not transactional. An answer without its summary was cut off: send all again.
    """
    services = services_of(request)
    caller = await admit(request, "append")
    require_type(dict(request.scope["headers"]), NDJSON_TYPES)
    query = Query(request)
    options = Options(
        imported=bool(query.choice("origin", ("imported", ""), "")),
        errors_only=query.choice("verdicts", ("all", "errors"), "all") == "errors",
    )
    query.close()
    work = BatchWork(services, caller, options)
    return BatchAnswer(work, request.stream(), request.scope["hilo.request_id"])


class BatchAnswer(Response):
    """An answer that is sent while its request is still being read."""

    media_type = "application/x-ndjson"

    def __init__(self, work: Work, body: AsyncIterator[bytes], request_id: str) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._work = work
        self._incoming = body
        self._request_id = request_id

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Read, append and send at the same time."""
        # The first part is awaited: a client that waits for `100 Continue` sends nothing before.
        first = await anext(self._incoming, b"")
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        spool = Spool()
        sending = asyncio.create_task(_send_all(spool, send))
        try:
            await self._work.run(_with_first(first, self._incoming), spool)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the answer has begun: all it can do is end early
            log_unexpected(error, self._request_id)
        finally:
            spool.end()
            await sending
            spool.close()
        await send({"type": "http.response.body", "body": b""})


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


async def _send_all(spool: Spool, send: Send) -> None:
    while part := await spool.read():
        await send({"type": "http.response.body", "body": part, "more_body": True})


class BatchWork:
    """Lines in, verdicts out: the part that knows nothing of HTTP. For one body."""

    def __init__(
        self,
        services: Services,
        caller: Caller,
        options: Options,
        helpers: Helpers | None = None,
    ) -> None:
        self._services = services
        self._caller = caller
        self._options = options
        self._helpers = helpers
        self._summary = _Summary()
        self._chunks: asyncio.Queue[list[_Item] | _Chunk | None] = asyncio.Queue(CHUNKS_AHEAD)
        self._failed: Exception | None = None

    async def run(self, parts: AsyncIterator[bytes], spool: Spool) -> None:
        """Append every line and spool its verdict, then the summary.

        Raises what a store failed with; the verdicts up to there are spooled.
        """
        with closing(Occurrences()) as occurrences:
            appending = asyncio.create_task(self._append_all(spool))
            try:
                await self._read(parts, occurrences)
            except BaseException:  # the client went away: nobody will hear of the rest
                appending.cancel()
                with suppress(asyncio.CancelledError):
                    await appending
                while not self._chunks.empty():
                    _drop(self._chunks.get_nowait() or [])
                raise
            await appending
        if self._failed is not None:
            raise self._failed
        spool.write(msgspec.json.encode({"summary": self._summary}) + b"\n")

    # ------------------------------------------------------------------ reading

    async def _read(self, parts: AsyncIterator[bytes], occurrences: Occurrences) -> None:
        """Make items of lines. After a failure the rest is read all the same, and dropped."""
        splitter = Splitter()
        async for part in parts:
            lines = list(splitter.feed(part))
            if self._failed is None:
                await self._offer(lines, occurrences)
        await self._offer(list(splitter.end()), occurrences)
        await self._chunks.put(None)

    async def _offer(self, lines: Sequence[Line], occurrences: Occurrences) -> None:
        for start in range(0, len(lines), CHUNK_LINES):
            imported = self._options.imported
            key_of = occurrences.key_of
            terms = terms_of(self._services, self._caller, imported=imported, key_of=key_of)
            if self._options.fallback is not None:
                terms = structs.replace(terms, fallback=self._options.fallback)
            some = lines[start : start + CHUNK_LINES]
            if self._helpers is None:
                await self._chunks.put([await self._item(line, terms) for line in some])
            else:
                await self._chunks.put(self._sent(self._helpers, some, terms))

    async def _item(self, line: Line, terms: Terms) -> _Item:
        try:
            if line.raw is None:
                raise TooLarge(LINE_MAX_BYTES)
            command = append_command(line.raw, terms)
            if command.uploads:  # the copy that each is made of goes with the next sweep
                command = await Attaching(self._services, self._caller, command).ready()
            unit = self._services.ledger.unit(command, self._caller.plain)
        except HiloError as error:
            return _Item(line.number, error=error)
        return _Item(line.number, unit, lambda: command)

    # ------------------------------------------------- made by other processes

    def _sent(self, helpers: Helpers, lines: Sequence[Line], terms: Terms) -> _Chunk:
        """The chunk, on its way to be made into units."""
        keys = [
            terms.key_of(line.raw) if line.raw and lacks_key(line.raw) else None for line in lines
        ]
        pairs = zip(lines, keys, strict=True)
        request = request_of([(line.raw or b"", key) for line, key in pairs])
        return _Chunk(lines, terms, keys, asyncio.create_task(helpers.make(request)))

    async def _items(self, chunk: list[_Item] | _Chunk) -> list[_Item]:
        """The items of a chunk; what came back without a unit is read here."""
        if isinstance(chunk, list):
            return chunk
        reads = [
            partial(self._read_again, line, key, chunk.terms)
            for line, key in zip(chunk.lines, chunk.keys, strict=True)
        ]
        answer = await chunk.answer if chunk.answer else b""
        units = units_of(answer, reads, self._made)
        return [
            _Item(line.number, unit, read)
            if unit
            else await self._item(line, keyed(chunk.terms, key))
            for line, key, read, unit in zip(chunk.lines, chunk.keys, reads, units, strict=True)
        ]

    def _read_again(self, line: Line, key: str | None, terms: Terms) -> RecordInteraction:
        return append_command(line.raw or b"", keyed(terms, key))

    def _made(self, command: RecordInteraction) -> Unit:
        return self._services.ledger.unit(command, self._caller.plain)

    # ---------------------------------------------------------------- appending

    async def _append_all(self, spool: Spool) -> None:
        """Append chunk after chunk; after a failure drop what comes, so that reading goes on."""
        while (chunk := await self._chunks.get()) is not None:
            if self._failed is not None:
                _drop(chunk)
                continue
            try:
                await self._append(await self._items(chunk), spool)
            except Exception as error:  # noqa: BLE001 - kept, and raised by `run`
                self._failed = error

    async def _append(self, items: Sequence[_Item], spool: Spool) -> None:
        units = [item.unit for item in items if item.unit is not None]
        verdicts = await self._services.log.append_all(units) if units else []
        if self._options.errors_only and len(units) == len(items) and self._counted(verdicts):
            return
        if all(isinstance(verdict, Appended) for verdict in verdicts):
            outcomes = self._outcomes(items, verdicts)
        else:  # repeats are opened and compared, which may take a while
            outcomes = await run_in_threadpool(self._outcomes, items, verdicts)
        written = [
            self._verdict(item.number, outcome)
            for item, outcome in zip(items, outcomes, strict=True)
        ]
        spool.write(b"".join(written))
        for outcome in outcomes:
            if isinstance(outcome, HiloError) and problems.problem_of(outcome).status >= _FAILED:
                raise outcome

    def _outcomes(
        self, items: Sequence[_Item], verdicts: Sequence[Verdict | Exception]
    ) -> list[Receipt | HiloError]:
        """What became of each item, in order."""
        rest = iter(verdicts)
        return [
            self._outcome(item.read, item.unit, next(rest))
            if item.read and item.unit
            else item.error or HiloError()
            for item in items
        ]

    def _outcome(
        self,
        read: Callable[[], RecordInteraction],
        unit: Unit,
        verdict: Verdict | Exception,
    ) -> Receipt | HiloError:
        if isinstance(verdict, HiloError):
            return verdict
        if isinstance(verdict, Exception):
            raise verdict
        ledger = self._services.ledger
        try:
            if isinstance(verdict, Appended):
                return ledger.appended(unit, verdict)
            return ledger.duplicate(read(), verdict.position)
        except HiloError as error:
            return error

    def _counted(self, verdicts: Sequence[Verdict | Exception]) -> bool:
        """Count lines that were all appended and of which nobody wants to hear; else False."""
        first = [verdict.positions[0] for verdict in verdicts if isinstance(verdict, Appended)]
        if not first or len(first) < len(verdicts):
            return False
        summary = self._summary
        summary.lines += len(first)
        summary.recorded += len(first)
        summary.first_position = summary.first_position or first[0]
        summary.last_position = first[-1]
        return True

    def _verdict(self, number: int, outcome: Receipt | HiloError) -> bytes:
        """The verdict on a line, counted; nothing where only errors are wanted."""
        summary = self._summary
        summary.lines += 1
        if isinstance(outcome, HiloError):
            return self._refusal(number, outcome)
        if outcome.duplicate:
            summary.duplicate += 1
        else:
            summary.recorded += 1
            summary.first_position = summary.first_position or outcome.id
            summary.last_position = outcome.id
        if self._options.errors_only:
            return b""
        told = _Verdict(
            line=number,
            status=200 if outcome.duplicate else 201,
            id=outcome.id,
            interaction=outcome.interaction,
            contact=outcome.contact,
            duplicate=outcome.duplicate,
            erased=outcome.erased,
        )
        return _encode(told) + b"\n"

    def _refusal(self, number: int, error: HiloError) -> bytes:
        summary = self._summary
        problem = problems.members(error)
        line: dict[str, object] = {"line": number, "status": problem["status"]}
        if isinstance(error, Conflict):
            summary.conflict += 1
            line["id"] = error.position
        else:
            summary.refused += 1
        return msgspec.json.encode({**line, "problem": problem}) + b"\n"


def _drop(chunk: list[_Item] | _Chunk) -> None:
    """Nobody wants it any more."""
    if isinstance(chunk, _Chunk) and chunk.answer is not None:
        chunk.answer.cancel()
