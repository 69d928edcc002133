"""`hilo replay`: what was known at a time, or had happened by then."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import click
import msgspec

from app.cli.frame import BAD, OK, json_option, progress, say, with_ledger
from app.replaying import Asked, difference, replayed, rows
from domain.errors import InvalidInput, NotFound, WrongState
from domain.times import TimeError, parse_filter_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.compose import Composition
    from app.replaying import Progress


class _When(NamedTuple):
    """A moment: the position of the log that counts, and until when things had happened (µs)."""

    position: int
    until: int | None


@click.command()
@click.option("--contact", metavar="ID", help="One contact, by the id of any of its addresses.")
@click.option("--interaction", metavar="ID", type=int, help="One interaction.")
@click.option("--as-of", metavar="TIME", help="A time with offset, or a day (its first moment).")
@click.option("--position", metavar="N", type=int, help="A position of the log.")
@click.option(
    "--by",
    type=click.Choice(["recorded", "occurred"]),
    default="recorded",
    help="What was known then, or what had happened by then as it is known now.",
)
@click.option("--diff", metavar="TIME", help="What changed from then until this time.")
@click.option(
    "--to",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Write rows.ndjson into this empty folder.",
)
@json_option
@with_ledger(must_exist=True)
def replay(composition: Composition, *, as_json: bool, **options: Any) -> int:  # noqa: ANN401, ARG001 - click's; rows are always JSON
    """Print the interactions as they were known at a time, one JSON row a line."""
    asked = _asked(options)
    first = _when(composition, options)
    later = _later(composition, options)
    with ExitStack() as stack:
        write = stack.enter_context(_Out(options["folder"]))
        told = stack.enter_context(progress("event"))
        if later is None:
            count = 0
            for row in _rows(stack, composition, (first, asked), told):
                write(row)
                count += 1
            if not count and (asked.contact or asked.interaction):
                message = "Nothing was known of it then."
                raise NotFound(message)
            return OK
        before = _rows(stack, composition, (first, asked), told)
        after = _rows(stack, composition, (later, asked), told)
        changes = 0
        for change in difference(before, after):
            write(msgspec.json.encode(change))
            changes += 1
    say(f"{changes} {'row differs' if changes == 1 else 'rows differ'}.")
    return BAD if changes else OK


class _Out:
    """Where rows go: stdout, or a file in a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __enter__(self) -> Callable[[bytes], object]:
        if self._folder is None:
            self._file: Any = None
            return lambda row: click.echo(row.decode())
        if self._folder.exists() and any(self._folder.iterdir()):
            message = f"{self._folder} is not empty."
            raise WrongState(message)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._folder / "rows.ndjson", os.O_WRONLY | os.O_CREAT, 0o600)
        self._file = os.fdopen(handle, "wb")
        return lambda row: self._file.write(row + b"\n")

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        else:
            sys.stdout.flush()


def _rows(
    stack: ExitStack, composition: Composition, of: tuple[_When, Asked], told: Progress
) -> Iterator[bytes]:
    when, asked = of
    views = stack.enter_context(replayed(composition, when.position, told))
    return rows(composition, views, Asked(asked.contact, asked.interaction, when.until))


def _asked(options: dict[str, Any]) -> Asked:
    """Which rows. Raises InvalidInput."""
    if options["contact"] is not None and options["interaction"] is not None:
        raise InvalidInput.one("--contact", "contradiction", "ask for one or the other")
    if options["contact"] is None:
        return Asked(None, options["interaction"])
    try:
        return Asked(UUID(options["contact"]))
    except ValueError:
        raise InvalidInput.one("--contact", "bad_format", "write the id of a contact") from None


def _when(composition: Composition, options: dict[str, Any]) -> _When:
    """The moment that is asked for. Raises InvalidInput."""
    as_of, position = options["as_of"], options["position"]
    if (as_of is None) == (position is None):
        raise InvalidInput.one("--as-of", "missing", "say when: --as-of TIME or --position N")
    if position is not None:
        if options["by"] == "occurred":
            raise InvalidInput.one("--by", "contradiction", "what had happened goes by --as-of")
        return _When(max(position, 0), None)
    return _at(composition, as_of, "--as-of", options["by"])


def _later(composition: Composition, options: dict[str, Any]) -> _When | None:
    text = options["diff"]
    return None if text is None else _at(composition, text, "--diff", options["by"])


def _at(composition: Composition, text: str, option: str, by: str) -> _When:
    try:
        time = parse_filter_time(text, composition.settings.zone)
    except TimeError as error:
        raise InvalidInput.one(option, error.code, error.message) from None
    if by == "occurred":
        return _When(composition.log.head(), time)
    return _When(composition.log.position_at(time), None)
