"""Times: whole microseconds since the Unix epoch (UTC) inside, RFC 3339 outside.

Nothing here reads a clock.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from domain.values import BadValue, echo

YEAR_MIN: Final = 1900
"""No interaction is older than the telephone in the house; an earlier year is a typing error."""

YEAR_MAX: Final = 2199
"""Far above any plan; a provider's milliseconds read as seconds land beyond it."""

MINUTE_US: Final = 60_000_000
DAY_US: Final = 86_400_000_000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_DATES_CACHED: Final = 16_384
"""Dates whose text is kept ready: 45 years of pages, 2 MB at most."""

_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LEAP_SECOND: Final = re.compile(r"(.{17})60(?:\.[0-9]+)?(.+)")


class TimeError(BadValue):
    """Text that is not a time (`bad_time`) or a zone that does not exist (`bad_zone`)."""


def parse_rfc3339(text: str) -> tuple[int, int]:
    """The time in µs since the epoch, and the offset in minutes at which it was written.

    Strict RFC 3339, 5.6: the offset is required, `t` and `z` may be small. Digits beyond the
    microsecond are cut off. A leap second (23:59:60 UTC) is the last microsecond of its
    minute, so that it stays in its day. Raises TimeError `bad_time`, also outside of the
    years 1900 to 2199.
    """
    if _RFC3339.fullmatch(text) is None:
        raise _bad(text)
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        moment = _leap_second(text)
    if not YEAR_MIN <= moment.year <= YEAR_MAX:
        raise _bad(text)
    offset = moment.utcoffset() or timedelta()
    return _microseconds(moment), offset.days * 1440 + offset.seconds // 60


def format_utc(time_us: int) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ`, the one form of a time in every answer.

    Raises ValueError or OverflowError outside of the years 1 to 9999.
    """
    day, rest = divmod(time_us, DAY_US)
    minute, rest = divmod(rest, MINUTE_US)
    digits = f"{rest:08d}"
    return f"{_date_text(day)}{_minute_text(minute)}{digits[:2]}.{digits[2:]}Z"


def parse_filter_time(text: str, tz: str) -> int:
    """The time of a `from`, `to` or `at` filter, in µs since the epoch.

    RFC 3339 with offset, or a date `YYYY-MM-DD`: the first moment of that day in the IANA
    zone `tz`. Raises TimeError `bad_time`, or `bad_zone` for a zone that does not exist.
    """
    if _DATE.fullmatch(text) is None:
        return parse_rfc3339(text)[0]
    zone = zone_of(tz)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _bad(text) from None
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise _bad(text)
    return _microseconds(datetime(day.year, day.month, day.day, tzinfo=zone))


def zone_of(tz: str) -> ZoneInfo:
    """The IANA zone of that name. Raises TimeError `bad_zone`."""
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, OSError):
        message = f"{echo(tz)} is not a time zone; write one like America/Mexico_City"
        raise TimeError("bad_zone", message) from None


def _leap_second(text: str) -> datetime:
    """A moment written with the second 60, where there can be one; else TimeError."""
    match = _LEAP_SECOND.fullmatch(text.upper())
    if match is None:
        raise _bad(text)
    try:
        moment = datetime.fromisoformat(f"{match[1]}59.999999{match[2]}")
    except ValueError:
        raise _bad(text) from None
    if _microseconds(moment) % DAY_US != DAY_US - 1:
        raise _bad(text)
    return moment


def _microseconds(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@lru_cache(maxsize=_DATES_CACHED)
def _date_text(day: int) -> str:
    return f"{date.fromordinal(_EPOCH_ORDINAL + day).isoformat()}T"


@cache
def _minute_text(minute: int) -> str:
    """`HH:MM:` of one of the 1,440 minutes of a day."""
    return f"{minute // 60:02d}:{minute % 60:02d}:"


def _bad(text: str) -> TimeError:
    message = (
        f"{echo(text)} is not a time with its offset, from {YEAR_MIN} to {YEAR_MAX}; "
        "write 2026-11-22T09:15:02-06:00"
    )
    return TimeError("bad_time", message)
