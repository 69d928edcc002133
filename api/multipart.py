"""The one file of a multipart/form-data body, handed over as it comes: never whole in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from domain.errors import InvalidInput, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS_MAX_BYTES: Final = 16 * 1024
"""Size of the headers of a part: a name of 512 characters, encoded, and a media type."""


class OneFile:
    """Reads a body of parts: `write` each piece of it, then `finish`. One part is a file.

    `file_name` and `media_type` are what its sender said. Raises Malformed, and InvalidInput
    where there is no file, or more than one, or a field beside it.
    """

    def __init__(self, boundary: bytes, take: Callable[[bytes], None]) -> None:
        self.file_name: str | None = None
        self.media_type: str | None = None
        self._take = take
        self._found = 0
        self._left = HEADERS_MAX_BYTES
        self._field = self._value = b""
        self._ended = False
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise Malformed("The boundary of the body cannot be read.") from error

    def write(self, piece: bytes) -> None:
        """The next piece of the body."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise Malformed("The parts of the body cannot be read.") from error

    def finish(self) -> None:
        """The body ends here."""
        if not self._ended:
            raise Malformed("The body was cut off.")
        if not self._found:
            raise InvalidInput.one("file", "missing", "send the file as the part `file`")

    # ---------------------------------------------------------------- as they come

    def _begin(self) -> None:
        self._found += 1
        if self._found > 1:
            raise InvalidInput.one("file", "repeated", "send one file, and nothing beside it")

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._take(data[start:end])

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += self._counted(data[start:end])

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._counted(data[start:end])

    def _on_header(self) -> None:
        name, value = self._field.strip().lower(), self._value
        self._field = self._value = b""
        if name == b"content-type":
            self.media_type = value.decode("latin-1")
        elif name == b"content-disposition":
            self.file_name = name_in(value)

    def _end(self) -> None:
        self._ended = True

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise Malformed("The headers of a part are too long.")
        return data


def boundary_in(content_type: str) -> bytes | None:
    """The boundary of a body of parts; None where it is none. Raises Malformed without one."""
    media_type, options = parse_options_header(content_type)
    if media_type != b"multipart/form-data":
        return None
    boundary = options.get(b"boundary")
    if not boundary:
        raise Malformed("The body of parts names no boundary.")
    return boundary


def name_in(disposition: bytes) -> str | None:
    """The file name that a Content-Disposition says."""
    _, options = parse_options_header(disposition)
    found = options.get(b"filename")
    return None if found is None else found.decode("utf-8", "replace")
