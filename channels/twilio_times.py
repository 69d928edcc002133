"""Times and lengths as Twilio writes them, and those who copy Twilio."""

from __future__ import annotations

import calendar
from email.utils import parsedate_tz
from typing import Final

from channels.lenient import moment_of, number_in
from channels.twilio_ends import Params
from domain.values import TimeSource

SECOND_US: Final = 1_000_000

_LENGTH_MAX_US: Final = 7 * 24 * 3_600 * SECOND_US
"""Longer than any call (Twilio ends them after a day): it is something else than a length."""


def told_at(written: str | None, received_at: int) -> tuple[int, TimeSource]:
    """A time as Twilio writes it, RFC 2822, or as those write it that copy Twilio.

    `Thurs, 02 Nov 2018 10:52:29 Etc/UTC` is in the wild; a time without a zone is UTC.
    """
    plain = written.strip() if written else None
    at, said_by = moment_of(plain, received_at)
    if plain is None or said_by is TimeSource.PROVIDER:
        return at, said_by
    try:
        parts = parsedate_tz(plain)
        seconds = calendar.timegm(parts[:9]) - (parts[9] or 0) if parts else None
    except (ValueError, OverflowError, IndexError, TypeError):
        seconds = None
    return moment_of(None if seconds is None else str(seconds), received_at)


def seconds_of(params: Params, name: str) -> int | None:
    """A length in seconds, from 0. `Duration` is none: it counts the minutes that are billed."""
    found = number_in(params, name)
    return found if found is not None and found * SECOND_US <= _LENGTH_MAX_US else None
