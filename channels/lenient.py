"""Reading what a provider sends: types are hints, keys go missing, and nothing is fatal.

Providers change types without notice: numbers come as text, objects as null, lists as a single
object. These helpers say what a value amounts to, and None or nothing where it is none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Final

import msgspec

from domain.times import TimeError, parse_rfc3339
from domain.values import TimeSource

AHEAD_MAX_US: Final = 5 * 60 * 1_000_000
"""How far a provider's clock may be ahead of ours (µs) before its time is taken for wrong."""

EARLIEST_US: Final = 1_000_000_000_000_000
"""September 2001 (µs): no provider that we speak to is older, so an earlier time is wrong."""

_MILLISECONDS_FROM: Final = 10**12
_MICROSECONDS_FROM: Final = 10**15

_EXACT_MAX: Final = (1 << 53) - 1
"""The greatest whole number that every reader of JSON has exactly."""

NESTED_MAX: Final = 100
"""How deep objects may stand in each other: providers need some ten, and what is deeper could
be read but not written again, for each level takes a part of the stack."""

DIGITS_MAX: Final = 4_000
"""Digits of a whole number: Python refuses to read or write more than 4,300."""

Json = Mapping[str, object]

NOTHING: Final[Json] = {}


class Unfit(ValueError):
    """An atom lacks what it needs; the message names the lack and repeats no content."""


def loads(raw: bytes) -> object:
    """JSON as plain values. Raises ValueError, also for text that is no Unicode.

    NUL characters and halves of surrogate pairs (an emoji that was cut in two) are valid in
    JSON and storable nowhere: NUL goes, a half becomes U+FFFD. A number without bounds, which
    JSON has not, becomes null.
    """
    try:
        found, is_plain = _decoded(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if raw.count(b"[") + raw.count(b"{") > NESTED_MAX and _is_deep(found):
        raise ValueError("nested too deeply")
    return found if is_plain else _clean(found)


def _decoded(raw: bytes) -> tuple[object, bool]:
    """The values, and whether all of them can be kept as they are."""
    try:
        return msgspec.json.decode(raw), b"\\u0000" not in raw
    except (msgspec.DecodeError, ValueError):
        # Some relays put a byte order mark before it, or write it in UTF-16.
        return json.loads(raw.decode(json.detect_encoding(raw)), parse_int=_whole), False


def _whole(digits: str) -> int | str:
    """A whole number; as text where it has more digits than Python takes for one."""
    return int(digits) if len(digits) <= DIGITS_MAX else digits


def _is_deep(found: object) -> bool:
    level: list[object] = [found]
    for _ in range(NESTED_MAX):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(outer: object) -> list[object]:
    """The objects and lists right inside of one."""
    if isinstance(outer, dict):
        return [inner for inner in outer.values() if isinstance(inner, dict | list)]
    if isinstance(outer, list):
        return [inner for inner in outer if isinstance(inner, dict | list)]
    return []


def _clean(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        plain = value.replace("\x00", "")
        return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {str(_clean(name)): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return value


def object_in(value: object, *names: str) -> Json:
    """The object at the end of a path of names; an empty one where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else NOTHING


def given(value: Json) -> set[str]:
    """The names under which anything stands: null is as good as a name that is missing."""
    return {name for name, inner in value.items() if inner not in _NOTHING_SAID}


_NOTHING_SAID: Final[tuple[object, ...]] = (None, "", [], {})


def items_in(value: object, name: str) -> list[object]:
    """The list under a name; a single thing is a list of one, and nothing is an empty one."""
    found = value.get(name) if isinstance(value, dict) else None
    if found is None or found in ("", {}):
        return []
    return found if isinstance(found, list) else [found]


def objects_in(value: object, name: str) -> list[Json]:
    """The objects in the list under a name; whatever else is in it is left out."""
    return [one for one in items_in(value, name) if isinstance(one, dict)]


def text_in(value: object, *names: str) -> str | None:
    """The text at the end of a path, without blanks around it; a number is its digits.

    None for what is missing, empty, or no text at all.
    """
    *path, last = names
    found = object_in(value, *path).get(last)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return str(found).strip() or None


def body_in(value: object, *names: str) -> str | None:
    """As `text_in`, for what a person wrote: blanks around it are theirs and stay."""
    *path, last = names
    found = object_in(value, *path).get(last)
    if isinstance(found, str):
        return found if found.strip() else None
    return text_in(value, *names)


def number_in(value: object, name: str) -> int | None:
    """The whole number under a name, from 0, also where it is text; None for anything else."""
    text = text_in(value, name)
    try:
        number = int(float(text)) if text is not None else -1
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= _EXACT_MAX else None


def moment_of(written: str | None, received_at: int) -> tuple[int, TimeSource]:
    """When something happened (µs), and who says so.

    Takes seconds, milliseconds from 10^12 on, microseconds from 10^15 on, and RFC 3339. A time
    that is missing, before September 2001 or more than five minutes ahead is `received_at`.
    """
    at = _microseconds(written) if written else None
    if at is None or not EARLIEST_US <= at <= received_at + AHEAD_MAX_US:
        return received_at, TimeSource.RECEIVED
    return at, TimeSource.PROVIDER


def _microseconds(written: str) -> int | None:
    try:
        number = float(written)
    except ValueError:
        try:
            return parse_rfc3339(written)[0]
        except TimeError:
            return None
    if not 0 < number < 10**18:
        return None
    if number >= _MICROSECONDS_FROM:
        return int(number)
    if number >= _MILLISECONDS_FROM:
        return round(number * 1_000)
    return round(number * 1_000_000)
