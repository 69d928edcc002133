"""When a mail was sent: its Date where that can be, else when the last server had it.

Source: RFC 5322, 3.3 and 4.3.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from typing import Final

from msgspec import Struct

from channels.lenient import AHEAD_MAX_US
from channels.mail_words import bare_text
from domain.times import TimeError, parse_rfc3339
from domain.values import TimeSource

EARLIEST_US: Final = 397_958_400_000_000
"""August 1982 (µs), when RFC 822 gave mail its form: an earlier Date is wrong."""

DATE_MAX_CHARS: Final = 200
"""How much of a Date is read."""

OFFSET_MAX_S: Final = 16 * 3_600
"""How far a zone may be from UTC; the farthest that was ever in use are under 16 hours."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Moment(Struct, frozen=True):
    """A time (µs), the offset at which it was written (minutes), and who says so."""

    at: int
    offset_min: int
    said_by: TimeSource


def moment_of(
    date: bytes | None, received: list[bytes], arrived_at: int, kept_at: int | None = None
) -> Moment:
    """When a mail was sent, by its Date.

    Without a sane one: when the mailbox kept it (`kept_at`), or the first server in the chain of
    `Received`, else `arrived_at` (all µs).
    """
    said = written(date)
    if said is not None and _is_sane(said[0], arrived_at):
        return Moment(said[0], said[1], TimeSource.PROVIDER)
    if kept_at is not None and _is_sane(kept_at, arrived_at):
        return Moment(kept_at, 0, TimeSource.RECEIVED)
    for line in received[:1]:
        relayed = written(line.rpartition(b";")[2])
        if relayed is not None and _is_sane(relayed[0], arrived_at):
            return Moment(relayed[0], relayed[1], TimeSource.RECEIVED)
    return Moment(arrived_at, 0, TimeSource.RECEIVED)


def written(date: bytes | None) -> tuple[int, int] | None:
    """A date as it stands in a header: µs and offset in minutes; None for what is none."""
    text = " ".join(bare_text((date or b"")[:DATE_MAX_CHARS]).split())
    if not text:
        return None
    try:
        return parse_rfc3339(text.replace(" ", "T", 1))
    except TimeError:
        return _rfc5322(text)


def _rfc5322(text: str) -> tuple[int, int] | None:
    try:
        found = parsedate_tz(text)
        if found is None:
            return None
        offset_s = found[9] or 0
        if abs(offset_s) > OFFSET_MAX_S:
            offset_s = 0
        second = min(found[5], 59)  # a leap second
        local = datetime(*found[:5], second, tzinfo=UTC)
        at = (local - timedelta(seconds=offset_s) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None  # the library's reader falls over some of what people send
    return at, offset_s // 60


def _is_sane(at: int, arrived_at: int) -> bool:
    return EARLIEST_US <= at <= arrived_at + AHEAD_MAX_US
