"""What every endpoint reads from a request besides its body: query, headers, and positions.

A query is read name by name and then closed; whatever was wrong with it, and every name that
nobody asked for, comes out in one answer (contract 2.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from msgspec import Struct

from domain.errors import (
    FieldError,
    InvalidInput,
    Malformed,
    NotFound,
    NotYet,
    TooLarge,
    UnsupportedMedia,
)
from domain.times import TimeError, parse_filter_time, zone_of
from domain.values import echo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

    from api.services import Services

LIMIT_DEFAULT: Final = 50
"""Rows of a page where nobody says: a screen and a half."""

LIMIT_MAX: Final = 200
"""Rows of a page at most: it is rendered in one go, while others wait."""

WAIT_MS_DEFAULT: Final = 2_000
"""How long a read waits for its position: ten times what a busy follower needs."""

WAIT_MS_MAX: Final = 10_000
"""And at most: below the half minute after which proxies lose patience."""

QUERY_PARTS_MAX: Final = 500
"""Parameters of one query: every filter with a screenful of values."""

BODY_MAX_BYTES: Final = 1 << 20
"""A JSON body (contract 2.2): files have an endpoint of their own."""

VALUE_MAX_CHARS: Final = 512
"""A value in a query: the longest is an address."""

POSITION_MAX: Final = (1 << 63) - 1
"""The greatest position that a database can number."""

JSON_TYPES: Final = frozenset({b"application/json"})
NDJSON_TYPES: Final = frozenset(
    {b"application/x-ndjson", b"application/ndjson", b"application/jsonl"}
)

ChoiceT = TypeVar("ChoiceT", bound=str)


class Query:
    """The query of one request. Every reader takes its parameter out; `close` refuses the rest."""

    def __init__(self, request: Request) -> None:
        raw: bytes = request.scope["query_string"]
        self.errors: list[FieldError] = []
        self._values: dict[str, list[str]] = {}
        if raw:
            self._read(raw)

    def _read(self, raw: bytes) -> None:
        try:
            pairs = parse_qsl(
                raw.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=QUERY_PARTS_MAX,
            )
        except ValueError:  # too many, or no UTF-8
            raise Malformed("The query cannot be read.") from None
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def refuse(self, name: str, code: str, message: str) -> None:
        """Remember that a parameter needs attention."""
        self.errors.append(FieldError(f"query.{name}", code, message))

    def many(self, name: str) -> list[str]:
        """Every value of a parameter that may stand several times."""
        values = self._values.pop(name, [])
        if any(len(value) > VALUE_MAX_CHARS or "\x00" in value for value in values):
            self.refuse(name, "bad_format", f"at most {VALUE_MAX_CHARS} characters, without NUL")
            return []
        return values

    def text(self, name: str) -> str | None:
        """The value of a parameter that may stand once; None where it does not stand."""
        values = self.many(name)
        if len(values) > 1:
            self.refuse(name, "repeated", "this parameter stands once at most")
        return values[0] if values else None

    def choice(self, name: str, choices: Sequence[ChoiceT], default: ChoiceT) -> ChoiceT:
        """One of some words."""
        text = self.text(name)
        if text is None:
            return default
        for one in choices:
            if one == text:
                return one
        self.refuse(name, "bad_enum", f"{echo(text)} is none of {', '.join(choices)}")
        return default

    def flag(self, name: str) -> bool | None:
        """`true` or `false`; None where it does not stand."""
        text = self.choice(name, ("true", "false", ""), "")
        return None if not text else text == "true"

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number between two bounds."""
        text = self.text(name)
        if text is None:
            return default
        if text.isascii() and text.isdigit() and len(text) <= len(str(POSITION_MAX)):
            number = int(text)
            if low <= number <= high:
                return number
        self.refuse(name, "out_of_range", f"{echo(text)} is not a number from {low} to {high}")
        return default

    def limit(self) -> int:
        """`limit`: rows of a page, 1 to 200, else 50."""
        return self.number("limit", LIMIT_DEFAULT, 1, LIMIT_MAX)

    def id(self, name: str) -> UUID | None:
        """A UUID."""
        text = self.text(name)
        found = uuid_of(text) if text is not None else None
        if text is not None and found is None:
            self.refuse(name, "bad_format", f"{echo(text)} is not a UUID")
        return found

    def zone(self, default: str) -> str:
        """`tz`: an IANA zone that exists."""
        text = self.text("tz")
        if text is None:
            return default
        try:
            zone_of(text)
        except TimeError as error:
            self.refuse("tz", error.code, error.message)
            return default
        return text

    def time(self, name: str, tz: str) -> int | None:
        """A time in µs: RFC 3339, or a date in a zone."""
        text = self.text(name)
        return None if text is None else self.as_time(name, text, tz)

    def as_time(self, name: str, text: str, tz: str) -> int | None:
        """The time that the text of a parameter names."""
        try:
            return parse_filter_time(text, tz)
        except TimeError as error:
            self.refuse(name, error.code, error.message)
            return None

    def close(self) -> None:
        """Raise InvalidInput for all that was wrong, and for every name that nobody read."""
        for name in self._values:
            shown = echo(name)
            self.refuse(shown, "unknown_field", f"there is no parameter {shown} here")
        if self.errors:
            raise InvalidInput(self.errors)


class Freshness(Struct, frozen=True):
    """What a reader asked for: at least this position, waiting at most so long."""

    min_position: int = 0
    wait_ms: int = WAIT_MS_DEFAULT


def freshness(query: Query) -> Freshness:
    """`min_position` and `wait_ms` of a read."""
    return Freshness(
        query.number("min_position", 0, 0, POSITION_MAX),
        query.number("wait_ms", WAIT_MS_DEFAULT, 0, WAIT_MS_MAX),
    )


async def reached(services: Services, wanted: Freshness) -> int:
    """The position of the core views, once it is fresh enough. Raises NotYet."""
    position = services.core_position()
    if position >= wanted.min_position:
        return position
    if not await services.wait_for(wanted.min_position, wanted.wait_ms / 1_000):
        raise NotYet(f"The views have not reached position {wanted.min_position} yet.")
    return services.core_position()


def read_headers(position: int, version: int | None = None) -> dict[str, str]:
    """The headers of a read: its position, and the object's version where it has one."""
    found = {"hilo-position": str(position)}
    if version is not None:
        found["etag"] = f'"{version}"'
    return found


def if_match(request: Request) -> int | None:
    """The version that `If-Match` asks for; None without it, and for `*`. Raises InvalidInput."""
    text = request.headers.get("if-match")
    if text is None or text.strip() == "*":
        return None
    plain = text.strip().removeprefix("W/").strip('"')
    if not (plain.isascii() and plain.isdigit()) or len(plain) > len(str(POSITION_MAX)):
        message = f'{echo(text)} is not a version; send back the ETag, such as "17"'
        raise InvalidInput.one("header.If-Match", "bad_format", message)
    return int(plain)


def position_in_path(text: str) -> int:
    """A position from a path. Raises NotFound where the text cannot be one."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(POSITION_MAX)):
        raise NotFound("There is nothing with such an id.")
    number = int(text)
    if not 0 < number <= POSITION_MAX:
        raise NotFound("There is nothing with such an id.")
    return number


def uuid_in_path(text: str) -> UUID:
    """A UUID from a path. Raises NotFound where the text cannot be one."""
    found = uuid_of(text)
    if found is None:
        raise NotFound("There is nothing with such an id.")
    return found


def uuid_of(text: str) -> UUID | None:
    """A UUID in its usual spelling, any case; None for anything else."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def require_type(headers: dict[bytes, bytes], accepted: frozenset[bytes]) -> None:
    """Raise UnsupportedMedia where the body says that it is something else, or packed."""
    written = headers.get(b"content-type")
    if written is not None and written not in accepted:
        plain = written.partition(b";")[0].strip().lower()
        if plain not in accepted:
            names = ", ".join(sorted(name.decode() for name in accepted))
            raise UnsupportedMedia(f"Send the body as {names}.")
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise UnsupportedMedia("Send the body without Content-Encoding.")


async def read_body(request: Request, limit_bytes: int = BODY_MAX_BYTES) -> bytes:
    """The whole body. Raises TooLarge as soon as it is known to be, before it is all there."""
    length = request.headers.get("content-length")
    if length is not None and length.isdigit() and int(length) > limit_bytes:
        raise TooLarge(limit_bytes)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit_bytes:
            raise TooLarge(limit_bytes)
        if part:
            parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
