"""Times and numbers as pages show them: in one zone, in one language, as near as is needed."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from babel import Locale
from babel.dates import (
    format_date,
    format_skeleton,
    format_timedelta,
    get_day_names,
    get_month_names,
    get_timezone_location,
)
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from domain.times import zone_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.ports import Clock

_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_US_PER_S: Final = 1_000_000
_KIB: Final = 1_024
_DAY_S: Final = 86_400

_NOW: Final = timedelta(seconds=10)
"""Nobody wants to know it nearer, and two clocks may differ so much."""

_GROUPED_FROM: Final = 1_000
"""Smaller counts are their digits in both languages."""

DAYS_KEPT: Final = 4_096
"""Days, months and zones whose words are kept: ten years of days in both languages."""

_SPANS: Final = (
    ("d", _DAY_S, "h", _HOUR_S),
    ("h", _HOUR_S, "min", _MINUTE_S),
    ("min", _MINUTE_S, "", 1),
)
"""Units of a length of time, both languages alike: how many seconds, and the unit beside it."""

_DAYS: Final = {
    "es": ("EEEE, d 'de' MMMM", "EEEE, d 'de' MMMM 'de' y"),
    "en": ("EEEE, MMMM d", "EEEE, MMMM d, y"),
}
"""The line above a day, of this year and of another one: no skeleton of CLDR says it whole."""


class Moments:
    """Says times to one reader; `language` is one of ours, `zone` an IANA name.

    `_` translates: the words for today and yesterday.
    """

    def __init__(self, language: str, zone: str, clock: Clock, _: Callable[[str], str]) -> None:
        self._language = language
        self._locale = _locale(language)
        self.zone = zone
        self._zone = zone_of(zone)
        self._ = _
        self._now = datetime.fromtimestamp(clock() / _US_PER_S, UTC).astimezone(self._zone)
        self._today = self._now.date()
        self._known: dict[str, datetime] = {}

    def local(self, text: str) -> datetime:
        """A time of an answer, on the reader's clock."""
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = datetime.fromisoformat(text).astimezone(self._zone)
        return known

    def clock(self, text: str) -> str:
        """Hour and minute: 9:05."""
        moment = self.local(text)
        return f"{moment.hour}:{moment.minute:02d}"

    def near(self, text: str) -> str:
        """The hour of today, the word for yesterday, else the short date."""
        day = self.local(text).date()
        if day == self._today:
            return self.clock(text)
        if day == self._today - timedelta(days=1):
            return self._("yesterday")
        return self.date(text)

    def date(self, text: str) -> str:
        """A short date, with its year where that is another one: 22 nov 2025."""
        day = self.local(text).date()
        return self._skeleton("MMMd" if day.year == self._today.year else "yMMMd", day)

    def exact(self, text: str) -> str:
        """Date and time to the second: 22 nov 2026, 9:15:02."""
        moment = self.local(text)
        return f"{self._skeleton('yMMMd', moment.date())}, {self.clock(text)}:{moment.second:02d}"

    def day(self, text: str) -> str:
        """The line above a day: Hoy, viernes, 20 de noviembre."""
        day = self.local(text).date()
        same_year = day.year == self._today.year
        shown = _line(day, self._language, same_year=same_year)
        if day == self._today:
            return self._("Today, %(day)s") % {"day": shown}
        if day == self._today - timedelta(days=1):
            return self._("Yesterday, %(day)s") % {"day": shown}
        return f"{shown[0].upper()}{shown[1:]}"

    def key(self, text: str) -> str:
        """The day itself, for scripts and fields: 2026-11-22."""
        return self.local(text).date().isoformat()

    def field(self, text: str) -> str:
        """For an `<input type=datetime-local>`: 2026-11-22T09:15."""
        return self.local(text).strftime("%Y-%m-%dT%H:%M")

    def ago(self, text: str) -> str:
        """How long ago: hace 5 minutos; what is a few seconds away is now."""
        gone = self.local(text) - self._now
        if abs(gone) < _NOW:
            return self._("just now")
        return format_timedelta(gone, add_direction=True, locale=self._locale)

    def between(self, earlier: str, later: str) -> str:
        """How much time lies between two times: 1 hora."""
        return format_timedelta(self.local(later) - self.local(earlier), locale=self._locale)

    def length(self, seconds: int) -> str:
        """A duration: 7:42, 1:07:42."""
        hours, rest = divmod(seconds, _HOUR_S)
        minutes, seconds = divmod(rest, _MINUTE_S)
        return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

    def span(self, seconds: float | None) -> str:
        """How long, in its largest unit or two: 45 s, 4 min, 1 h 12 min, 3 d 2 h; – for None."""
        if seconds is None:
            return "–"
        whole = round(seconds)
        for unit, size, below, small in _SPANS:
            if whole >= size:
                count, rest = divmod(whole, size)
                left = f" {rest // small} {below}" if below and rest >= small else ""
                return f"{count} {unit}{left}"
        return f"{whole} s"

    def days(self, first: dt.date, last: dt.date) -> str:
        """Some days in a row, each with its year: 24 oct 2026 – 22 nov 2026."""
        return f"{self._skeleton('yMMMd', first)} – {self._skeleton('yMMMd', last)}"

    def month(self, day: dt.date) -> str:
        """The name of a day's month, for a narrow column: nov."""
        return str(get_month_names("abbreviated", "stand-alone", self._locale)[day.month])

    def weekday(self, number: int) -> str:
        """A day of the week by its number, Monday being 1: lun."""
        return str(get_day_names("abbreviated", locale=self._locale)[number - 1])

    def number(self, value: int) -> str:
        """A count, grouped as the language does it; never for ids, which people paste."""
        if 0 <= value < _GROUPED_FROM:
            return str(value)  # nothing to group, and most counts of a page are small
        return format_decimal(value, locale=self._locale)

    def percent(self, share: float) -> str:
        """A share of 1: 8,4 %."""
        rounded = round(share, 3)
        return format_percent(rounded, locale=self._locale, decimal_quantization=False)

    def part(self, first: dt.date, unit: str, *, short: bool) -> str:
        """What stands under a column that begins with a day: lun 9, or 9 nov; nov 2026."""
        if unit == "month":
            return self._skeleton("yMMM", first)
        return self._skeleton("Ed" if short else "MMMd", first)

    def size(self, size_bytes: int) -> str:
        """How large a file is: 214 kB."""
        unit, size = "digital-byte", size_bytes
        for larger in ("digital-kilobyte", "digital-megabyte"):
            if size >= _KIB:
                unit, size = larger, size // _KIB
        return format_unit(size, unit, length="short", locale=self._locale)

    def zone_name(self, zone: str | None = None) -> str:
        """A zone, else the reader's, by its place: hora de México (Ciudad de México); or UTC."""
        wanted = zone or self.zone
        return _zone_name(wanted, self._language) if "/" in wanted else wanted  # it has no place

    def _skeleton(self, skeleton: str, day: dt.date) -> str:
        return _date(skeleton, day, self._language)


# Babel takes some 50 µs for a date, and the rows of a page share a few days.

_locale: Final = cache(Locale)


@lru_cache(DAYS_KEPT)
def _date(skeleton: str, day: dt.date, language: str) -> str:
    moment = datetime.combine(day, dt.time())
    return format_skeleton(skeleton, moment, fuzzy=True, locale=_locale(language))


@lru_cache(DAYS_KEPT)
def _line(day: dt.date, language: str, *, same_year: bool) -> str:
    return format_date(day, _DAYS[language][not same_year], locale=_locale(language))


@lru_cache(DAYS_KEPT)
def _zone_name(zone: str, language: str) -> str:
    return get_timezone_location(zone_of(zone), locale=_locale(language))
