"""`hilo import`: history from a file, one append body a line, safe to run again."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal
from uuid import UUID

import click
import msgspec
from msgspec import structs

from api import problems
from api.auth import Caller, implied
from api.batch import BatchWork, Options
from api.spool import Spool, Work
from app.cli.frame import BAD, OK, json_option, open_here, progress, say, show
from app.cli.importing_map import read_map
from app.cli.importing_rows import Rows
from app.import_processes import FROM_BYTES, Author, ImportProcesses
from domain.commands import By
from domain.errors import InvalidInput, NotFound
from domain.events import Actor
from domain.ports import Appended
from domain.values import SOURCE_MAX_CHARS, is_source
from storage.source import seldom_collected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from api.ahead import Helpers
    from api.services import Services
    from domain.errors import FieldError
    from domain.ports import Unit, Verdict
    from storage.log import EventLog

PART_BYTES: Final = 1 << 18
"""What is read of the file at a time: some hundred lines, so the bar moves smoothly."""

SHOWN_MAX: Final = 20
"""Bad lines that are told at the terminal; the report has them all."""

_SUMMARY: Final = b'{"summary":'
_PROBLEM: Final = b'"problem":'
"""How the last line of the verdicts begins, and what only bad ones have."""

COUNTS: Final = ("lines", "recorded", "duplicate", "conflict", "refused")


@click.command("import")
@click.argument("file")
@click.option("--map", "map_", metavar="MAP.toml", help="Which column is which field.")
@click.option("--source", help="Source of lines that have none (else import:<file's name>).")
@click.option("--contacts", is_flag=True, help="The file holds people, not interactions.")
@click.option(
    "--format",
    "written",
    type=click.Choice(["ndjson", "csv"]),
    help="How the file is written (else by the map, or the end of its name).",
)
@click.option("--dry-run", is_flag=True, help="Check every line; append nothing.")
@click.option("--report", type=click.Path(dir_okay=False), help="Write a verdict a line there.")
@json_option
@click.option("--data", metavar="DIR", help="Folder of the ledger (else HILO_DATA).")
def import_(
    file: str,
    *,
    map_: str | None,
    source: str | None,
    contacts: bool,
    written: Literal["ndjson", "csv"] | None,
    dry_run: bool,
    report: str | None,
    as_json: bool,
    data: str | None,
) -> int:
    """Import NDJSON or CSV with the original times; `-` reads from stdin.

    With --contacts a line is a contact: name, addresses, company, owner; CSV with a header too.
    """
    name = _source(file, source)
    with ExitStack() as stack:
        verdicts = stack.enter_context(Path(report).open("wb")) if report else None
        if contacts and map_:
            message = "people are read without a map; their columns say what they are"
            raise InvalidInput.one("map", "not_read", message)
        if contacts:
            from app.cli.importing_contacts import ContactsFile, take

            wanted = ContactsFile(file, name, written)
            return _summed_up(take(wanted, data, verdicts, dry_run=dry_run), as_json=as_json)
        work = Import(name)
        lines, size = stack.enter_context(opened(file))
        told = stack.enter_context(progress("B"))
        composition = open_here(data, polite=True)
        stack.callback(composition.close)
        services = composition.services
        rows = _rows((lines, file), map_, written, composition.settings.zone)
        if rows is not None:
            work.errors = rows.errors
            parts = _mapped(rows, size, told)
        else:
            parts = parts_of(lines, size, told)
        if dry_run:
            dry: Any = DryLog(services.log)
            services = structs.replace(services, log=dry)
        elif size >= FROM_BYTES:
            work.helpers = stack.enter_context(
                ImportProcesses(composition.settings, Author(work.by, work.source))
            )
        stack.enter_context(seldom_collected())
        counts = asyncio.run(work.run(services, parts, verdicts))
    return _summed_up(counts, as_json=as_json)


def _summed_up(counts: dict[str, int], *, as_json: bool) -> int:
    """The last line, and the exit code that goes with it."""
    if as_json:
        show({name: counts[name] for name in COUNTS})
    else:
        click.echo(" ".join(f"{name}={counts[name]}" for name in COUNTS))
    return BAD if counts["conflict"] or counts["refused"] else OK


class Import:
    """One import: where its lines say nothing, they are of `source`.

    `errors` has why a map could not read a line. With `helpers` other processes read and seal
    the lines, and this one appends them.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.by = By(Actor("import", source.removeprefix("import:")))
        self.helpers: Helpers | None = None
        self.errors: dict[int, FieldError] = {}
        self._options = Options(imported=True, errors_only=False, fallback=source)

    async def run(
        self, services: Services, parts: AsyncIterator[bytes], report: BinaryIO | None
    ) -> dict[str, int]:
        """Append everything; the verdicts go to the report, the first bad ones to stderr."""
        caller = Caller(self.by.actor, implied(("append",)), self.by)
        # Without a report nobody asks about the lines that went well.
        options = structs.replace(self._options, errors_only=report is None)
        batch = BatchWork(services, caller, options, self.helpers)
        return await tell(batch, parts, report, self.errors)


async def tell(
    batch: Work,
    parts: AsyncIterator[bytes],
    report: BinaryIO | None,
    errors: dict[int, FieldError] | None = None,
) -> dict[str, int]:
    """Do the work; its verdicts go to the report, the first bad ones to stderr. The summary.

    `errors` has why lines could not even be made; it fills while the work goes on.
    """
    spool = Spool()
    work = asyncio.create_task(_to_the_end(batch, parts, spool))
    summary: dict[str, int] = {}
    shown = 0
    try:
        async for line in _lines(spool):
            if line.startswith(_SUMMARY):
                summary = json.loads(line)["summary"]
                continue
            if errors and _PROBLEM in line:
                line = _explained(line, errors)  # noqa: PLW2901 - the same verdict
            if report:
                report.write(line + b"\n")
            if shown < SHOWN_MAX and _PROBLEM in line:
                shown += 1
                say(_told(json.loads(line)))
        await work
    finally:
        spool.close()
    return summary


class DryLog:
    """Answers as a log would that holds nothing yet, and writes nothing."""

    def __init__(self, real: EventLog) -> None:
        self._position = real.head()

    async def append_all(self, units: Sequence[Unit]) -> list[Verdict | Exception]:
        """Every unit would be recorded."""
        found: list[Verdict | Exception] = []
        for unit in units:
            self._position += 1
            subjects = tuple(UUID(int=0) for _ in unit.seekers)
            found.append(Appended((self._position,), 0, subjects))
        return found


async def _to_the_end(batch: Work, parts: AsyncIterator[bytes], spool: Spool) -> None:
    try:
        await batch.run(parts, spool)
    finally:
        spool.end()


async def _lines(spool: Spool) -> AsyncIterator[bytes]:
    """The spool's lines, until its end."""
    rest = b""
    while part := await spool.read():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line


def _explained(line: bytes, errors: dict[int, FieldError]) -> bytes:
    """A verdict on a row that the map could not read, with the map's own reason."""
    verdict = json.loads(line)
    error = errors.pop(verdict["line"], None)
    if error is None:
        return line
    problem = problems.members(InvalidInput([error]))
    told = {"line": verdict["line"], "status": problem["status"], "problem": problem}
    return msgspec.json.encode(told)


def _rows(
    file: tuple[BinaryIO, str], map_: str | None, format_: str | None, zone: str
) -> Rows | None:
    """The rows of a file that is read by a map, or is CSV; None for append bodies."""
    opened, name = file
    plan = read_map(map_, zone) if map_ else None
    by_name = "csv" if name.lower().endswith((".csv", ".tsv")) else "ndjson"
    written = format_ or (plan.format if plan else None) or by_name
    if written not in {"csv", "ndjson"}:
        raise InvalidInput.one("map.format", "bad_enum", "write csv or ndjson")
    if written == "ndjson" and plan is None:
        return None
    rows = Rows(opened, plan, seekable=name != "-")
    rows.parts = rows.csv() if written == "csv" else rows.ndjson()
    return rows


async def _mapped(rows: Rows, size: int, told: Callable[[int, int], None]) -> AsyncIterator[bytes]:
    """What a map makes of a file, part after part; what there is to say of it is said."""
    loop = asyncio.get_running_loop()
    # One thread for all of it: what counts equal rows belongs to the thread that made it.
    with ThreadPoolExecutor(1) as reader:
        try:
            while part := await loop.run_in_executor(reader, next, rows.parts, b""):
                told(rows.done, size)
                while rows.notes:
                    say(rows.notes.pop(0))
                yield part
        finally:
            reader.submit(rows.parts.close)


def _told(verdict: dict[str, object]) -> str:
    problem = verdict["problem"]
    assert isinstance(problem, dict)  # noqa: S101 - made by BatchWork
    errors = "; ".join(f"{e['field']}: {e['message']}" for e in problem.get("errors", ()))
    return f"line {verdict['line']}: {errors or problem['detail']}"


def _source(file: str, asked: str | None) -> str:
    stem = "stdin" if file == "-" else re.sub(r"\s+", "-", Path(file).stem)
    source = asked or f"import:{stem}"[:SOURCE_MAX_CHARS]
    if not is_source(source) or not source.startswith("import:"):
        raise InvalidInput.one("source", "bad_source", "write import:NAME")
    return source


@contextmanager
def opened(file: str) -> Iterator[tuple[BinaryIO, int]]:
    """The bytes of a file and how many there are; 0 where nobody knows. Raises NotFound."""
    if file == "-":
        yield sys.stdin.buffer, 0
        return
    path = Path(file)
    if not path.is_file():
        message = f"There is no file {file}."
        raise NotFound(message)
    with path.open("rb") as opened:
        yield opened, path.stat().st_size


async def parts_of(
    lines: BinaryIO, size: int, told: Callable[[int, int], None]
) -> AsyncIterator[bytes]:
    """The file's bytes, some at a time; the bar is told how far it is."""
    done = 0
    while part := await asyncio.to_thread(lines.read, PART_BYTES):
        done += len(part)
        told(done, size)
        yield part
