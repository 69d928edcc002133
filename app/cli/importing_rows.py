"""The rows of a file that is imported by a map, made into lines of append requests.

Rows are read one after the other, so memory does not grow with the file. Line n of what comes
out is row n of the file, its header counted, so that verdicts name rows as a spreadsheet does.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import BinaryIO, Final

import msgspec

from api.lines import Occurrences, Splitter
from app.cli.importing_map import Map, Unmapped, plain_map
from domain.errors import FieldError, InvalidInput
from domain.values import echo

PART_BYTES: Final = 1 << 18
"""Lines that are handed on together: some hundred."""

SNIFFED_BYTES: Final = 1 << 16
"""What is looked at to tell how a file is written: its header, and some rows."""

CELL_MAX_CHARS: Final = 1 << 20
"""Length of a cell: ten times the longest text, so that a quote that is never closed is found."""

ENCODINGS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""How a file is written, by the mark at its beginning."""

_FALLBACK: Final = "windows-1252"
_DELIMITERS: Final = ",;\t|"
_SEPARATOR: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_BAD_LINE: Final = b"{}\n"
"""Stands for a row that the map cannot read: refused, with the map's own reason."""


class Rows:
    """The lines of a file, by its map; `errors` has why the map could not read a row."""

    def __init__(self, opened: BinaryIO, plan: Map | None, *, seekable: bool) -> None:
        self._opened = opened
        self._plan = plan
        self._seekable = seekable
        self.errors: dict[int, FieldError] = {}
        self.notes: list[str] = []
        self.done = 0
        self.parts: Generator[bytes, None, None] = self.ndjson()

    def csv(self) -> Generator[bytes, None, None]:
        """The lines of a CSV file, in parts. Raises InvalidInput."""
        csv.field_size_limit(CELL_MAX_CHARS)
        head = self._opened.read(SNIFFED_BYTES)
        encoding = (self._plan and self._plan.encoding) or self._encoding(head)
        joined = io.BufferedReader(_Joined(head, self._opened, self))
        try:
            text = io.TextIOWrapper(joined, encoding, newline="")
        except LookupError:
            message = f"{echo(encoding)} is no encoding; write one like utf-8 or windows-1252"
            raise InvalidInput.one("map.encoding", "unknown", message) from None
        try:
            yield from self._parts(self._csv_rows(text))
        except csv.Error as error:
            raise InvalidInput.one("file", "bad_csv", str(error)) from None
        except UnicodeError:
            message = f"it is not written in {encoding}; say the right encoding in the map"
            raise InvalidInput.one("file", "bad_encoding", message) from None

    def ndjson(self) -> Generator[bytes, None, None]:
        """The lines of a file that has an object a line, in parts."""
        yield from self._parts(self._ndjson_rows())

    # ------------------------------------------------------------------------- inside

    def _encoding(self, head: bytes) -> str:
        for mark, encoding in ENCODINGS:
            if head.startswith(mark):
                return encoding
        if self._seekable and not self._is_utf8(head):
            self.notes.append(f"The file is no UTF-8; it is read as {_FALLBACK}.")
            return _FALLBACK
        return "utf-8"

    def _is_utf8(self, head: bytes) -> bool:
        """Whether all of the file is UTF-8: read once, in parts, then from its beginning again."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        at = self._opened.tell()
        try:
            decoder.decode(head)
            while part := self._opened.read(PART_BYTES):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        finally:
            self._opened.seek(at)
        return True

    def _csv_rows(self, text: io.TextIOWrapper) -> Iterator[Mapping[str, str] | Unmapped | None]:
        first = text.readline()
        said = _SEPARATOR.fullmatch(first)
        number_of_marks = 1 if said else 0
        if said:
            first = text.readline()
        delimiter = (self._plan and self._plan.delimiter) or (said[1] if said else _sniffed(first))
        if len(delimiter) != 1:
            raise InvalidInput.one("map.delimiter", "bad_format", "one character")
        reader = csv.reader(_with_first(first, text), delimiter=delimiter)
        header = [name.strip() for name in next(reader, [])]
        self._plan = self._checked(header)
        for _ in range(1 + number_of_marks):
            yield None
        for cells in reader:
            yield _row(header, cells)

    def _checked(self, header: list[str]) -> Map:
        """The map, held against the header. Raises InvalidInput."""
        plan = self._plan or plain_map(header)
        errors = [
            FieldError(f"column {echo(name)}", "missing", f"the file has: {', '.join(header)}")
            for name in plan.columns
            if name not in header
        ]
        errors += [
            FieldError(f"column {echo(name)}", "repeated", "the file has it more than once")
            for name in plan.columns
            if header.count(name) > 1
        ]
        if errors:
            raise InvalidInput(errors)
        left = [name for name in header if name and name not in plan.columns]
        if left:
            self.notes.append(f"Not imported: {', '.join(left)}.")
        return plan

    def _ndjson_rows(self) -> Iterator[Mapping[str, str] | Unmapped | None]:
        splitter = Splitter()
        number = 0
        while part := self._opened.read(PART_BYTES):
            self.done += len(part)
            for line in splitter.feed(part):
                yield from (None for _ in range(line.number - number - 1))
                number = line.number
                yield _object(line.raw)
        for line in splitter.end():
            yield from (None for _ in range(line.number - number - 1))
            yield _object(line.raw)

    def _parts(self, rows: Iterator[Mapping[str, str] | Unmapped | None]) -> Iterator[bytes]:
        made: list[bytes] = []
        size = 0
        with closing(Occurrences()) as occurrences:
            for number, row in enumerate(rows, 1):
                line = b"\n" if row is None else self._line(number, row, occurrences.key_of)
                made.append(line)
                size += len(line)
                if size >= PART_BYTES:
                    yield b"".join(made)
                    made, size = [], 0
        if made:
            yield b"".join(made)

    def _line(
        self, number: int, row: Mapping[str, str] | Unmapped, key_of: Callable[[bytes], str]
    ) -> bytes:
        """The line of a row. Its key is that of what stands in the file, whatever the map says."""
        if isinstance(row, Unmapped):
            self.errors[number] = row.error
            return _BAD_LINE
        key = key_of(msgspec.json.encode(row))
        try:
            found = self._plan.request(row) if self._plan else {}
        except Unmapped as error:
            self.errors[number] = error.error
            return _BAD_LINE
        return msgspec.json.encode({"external_id": key, **found}) + b"\n"


def _row(header: list[str], cells: list[str]) -> Mapping[str, str] | Unmapped | None:
    if not any(cell.strip() for cell in cells):
        return None
    if any(cell.strip() for cell in cells[len(header) :]):
        message = f"the row has {len(cells)} cells, the header {len(header)}"
        return Unmapped("row", "too_many_cells", message)
    plain = (cell.replace("\x00", "") for cell in cells)
    return dict(zip(header, plain, strict=False))


def _object(raw: bytes | None) -> Mapping[str, str] | Unmapped:
    """The fields of an object as text; those of objects in it have names with dots."""
    try:
        found = json.loads(raw or b"")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return Unmapped("row", "malformed", "the line is no JSON object, or longer than 1 MiB")
    return dict(_flat("", found))


def _flat(prefix: str, found: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        elif value is not None:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)


def _sniffed(header: str) -> str:
    """What parts the columns: of the usual characters the one that is there most often."""
    unquoted = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=unquoted.count)


def _with_first(first: str, text: io.TextIOWrapper) -> Iterator[str]:
    if first:
        yield first
    yield from text


class _Joined(io.RawIOBase):
    """What was read of a file already, then the rest of it; counts what it gives."""

    def __init__(self, head: bytes, rest: BinaryIO, rows: Rows) -> None:
        self._head = head
        self._rest = rest
        self._rows = rows

    def readable(self) -> bool:
        """It is read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # a buffer all the same
        """The next bytes, into the buffer; how many."""
        part = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(part)] = part
        self._rows.done += len(part)
        return len(part)
