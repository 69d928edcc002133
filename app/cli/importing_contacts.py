"""`hilo import --contacts`: people from a file, NDJSON or CSV, safe to run again.

A line says what `POST /v1/contacts` takes. Of a CSV file the first line names the columns, in
English or Spanish; an empty cell says nothing.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from msgspec import Struct

from api.auth import Caller, implied
from api.contact_batch import ContactBatch, ContactOptions
from app.cli.frame import open_here, progress
from app.cli.importing import opened, parts_of, tell
from domain.commands import By
from domain.errors import InvalidInput, NotYet
from domain.events import Actor
from projections.directory_rows import fold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from app.compose import Composition

Format = Literal["ndjson", "csv"]

ROWS_AT_ONCE: Final = 100
"""Rows of a CSV file that are handed on together: as many as are taken at one time."""

LOOK_S: Final = 0.02
"""Pause before it is asked again how far the views are, which another process may be making."""

CELL_MAX_CHARS: Final = 1 << 20
"""A cell of a CSV file: no longer than a line of NDJSON."""

_SEPARATORS: Final = ",;\t"

_PLAIN: Final = {
    "name": "name",
    "nombre": "name",
    "company": "company",
    "empresa": "company",
    "owner": "owner",
    "responsable": "owner",
    "language": "language",
    "idioma": "language",
}
_ADDRESSES: Final = {
    "address": "",
    "addresses": "",
    "direcciones": "",
    "phone": "tel:",
    "tel": "tel:",
    "telefono": "tel:",
    "mobile": "tel:",
    "movil": "tel:",
    "celular": "tel:",
    "whatsapp": "tel:",
    "email": "mailto:",
    "e-mail": "mailto:",
    "mail": "mailto:",
    "correo": "mailto:",
}
"""Columns of addresses, with the scheme of what stands in them; a number behind is left out."""


class ContactsFile(Struct, frozen=True):
    """What is imported: from where, written how, under which name."""

    file: str
    source: str
    format: Format | None = None


def take(
    wanted: ContactsFile, data: str | None, report: BinaryIO | None, *, dry_run: bool
) -> dict[str, int]:
    """Import the people of a file; how many lines became what. Raises NotFound, InvalidInput."""
    by = By(Actor("import", wanted.source.removeprefix("import:")))
    caller = Caller(by.actor, implied(("manage",)), by)
    options = ContactOptions(errors_only=report is None, dry_run=dry_run)
    with ExitStack() as stack:
        lines, size = stack.enter_context(opened(wanted.file))
        told = stack.enter_context(progress("B"))
        composition = stack.enter_context(_followed(data))
        batch = ContactBatch(composition.services, caller, options, _Waiting(composition))
        kind = wanted.format or ("csv" if wanted.file.lower().endswith(".csv") else "ndjson")
        parts = _csv_parts(lines) if kind == "csv" else parts_of(lines, size, told)
        return asyncio.run(tell(batch, parts, report))


@contextmanager
def _followed(data: str | None) -> Iterator[Composition]:
    """The ledger, its views followed by somebody: they say whose an address is."""
    composition = open_here(data, follow=True)
    try:
        yield composition
    finally:
        composition.close()


class _Waiting:
    """Waits for the views by asking them, whoever makes them."""

    def __init__(self, composition: Composition) -> None:
        self._views = composition.views

    async def __call__(self, position: int, seconds: float) -> bool:
        """Whether the views came to a position in time."""
        until = time.monotonic() + seconds
        while await asyncio.to_thread(self._position) < position:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _position(self) -> int:
        """How far they are; before the beginning while they are being made."""
        try:
            return self._views.position()
        except NotYet:
            return -1


# ------------------------------------------------------------------------------ CSV


async def _csv_parts(lines: BinaryIO) -> AsyncIterator[bytes]:
    """The rows of a CSV file as NDJSON, numbered as in the file where no cell has two lines."""
    text = io.TextIOWrapper(lines, encoding="utf-8-sig", newline="")
    rows = _rows(text)
    yield b"\n"  # the header is the first line
    while some := await asyncio.to_thread(_some, rows):
        yield b"".join(some)
    text.detach()


def _some(rows: Iterator[dict[str, object]]) -> list[bytes]:
    """The next rows as lines; none at the end. Raises InvalidInput."""
    found: list[bytes] = []
    try:
        for row in rows:
            found.append(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            if len(found) == ROWS_AT_ONCE:
                break
    except UnicodeDecodeError:
        raise InvalidInput.one("file", "bad_encoding", "write the file as UTF-8") from None
    except csv.Error as error:
        raise InvalidInput.one("file", "bad_csv", str(error)) from None
    return found


def _rows(text: io.TextIOWrapper) -> Iterator[dict[str, object]]:
    """What each row says of a contact. Raises InvalidInput for a column that nobody knows."""
    csv.field_size_limit(CELL_MAX_CHARS)
    header = text.readline()
    separator = max(_SEPARATORS, key=header.count)
    names = next(csv.reader([header], delimiter=separator), [])
    columns = [_column(name) for name in names]
    for row in csv.reader(text, delimiter=separator):
        yield _contact(columns, row)


def _column(name: str) -> tuple[str, str]:
    """The field of a column, and the scheme of its addresses."""
    plain = re.sub(r"[\s_-]*\d*$", "", fold(name))
    if plain in _PLAIN:
        return _PLAIN[plain], ""
    if plain in _ADDRESSES:
        return "addresses", _ADDRESSES[plain]
    known = ", ".join([*_PLAIN, *_ADDRESSES])
    message = f"there is no column {name[:80]!r}; there are: {known}"
    raise InvalidInput.one("file", "unknown_column", message)


def _contact(columns: list[tuple[str, str]], row: list[str]) -> dict[str, object]:
    """A row as a body; several addresses of a cell stand between semicolons."""
    found: dict[str, object] = {}
    addresses: list[str] = []
    for (field, scheme), cell in zip(columns, row, strict=False):
        if not cell.strip():
            continue
        if field == "addresses":
            pieces = [piece.strip() for piece in cell.split(";")]
            addresses += [scheme + piece for piece in pieces if piece]
        else:
            found[field] = cell.strip()
    return {**found, **({"addresses": addresses} if addresses else {})}
