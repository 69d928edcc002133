"""Times as pages show them: in one zone, in one language, as near or as exact as is needed."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from api.web.words import MONTHS, WEEKDAYS, WORDS
from domain.times import zone_of

if TYPE_CHECKING:
    from domain.ports import Clock

_SHORT = 3
_MINUTE_S = 60
_US_PER_S = 1_000_000


class Moments:
    """Says times to one reader; `language` is one of ours, `zone` an IANA name."""

    def __init__(self, language: str, zone: str, clock: Clock) -> None:
        self._language = language
        self._zone = zone_of(zone)
        self._words = WORDS[language]
        now = datetime.fromtimestamp(clock() / _US_PER_S, UTC).astimezone(self._zone)
        self._today = now.date()

    def local(self, text: str) -> datetime:
        """A time of an answer, on the reader's clock."""
        return datetime.fromisoformat(text).astimezone(self._zone)

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
            return self._words["yesterday"].lower()
        return self.date(text)

    def date(self, text: str) -> str:
        """A short date, with its year where that is another one: 22 nov 2025."""
        day = self.local(text).date()
        month = MONTHS[self._language][day.month - 1][:_SHORT]
        year = "" if day.year == self._today.year else f" {day.year}"
        return f"{day.day} {month}{year}"

    def exact(self, text: str) -> str:
        """Date and time to the second: 22 nov 2026, 9:15:02."""
        moment = self.local(text)
        month = MONTHS[self._language][moment.month - 1][:_SHORT]
        return f"{moment.day} {month} {moment.year}, {self.clock(text)}:{moment.second:02d}"

    def day(self, text: str) -> str:
        """The line above a day: Hoy, viernes, 20 de noviembre."""
        day = self.local(text).date()
        near = {self._today: "today", self._today - timedelta(days=1): "yesterday"}.get(day)
        shown = self._day(day)
        return f"{self._words[near]}, {shown}" if near else f"{shown[0].upper()}{shown[1:]}"

    def length(self, seconds: int) -> str:
        """A duration: 7:42."""
        return f"{seconds // _MINUTE_S}:{seconds % _MINUTE_S:02d}"

    def _day(self, day: dt.date) -> str:
        weekday = WEEKDAYS[self._language][day.weekday()]
        month = MONTHS[self._language][day.month - 1]
        year = day.year != self._today.year
        if self._language == "es":
            return f"{weekday}, {day.day} de {month}" + (f" de {day.year}" if year else "")
        return f"{weekday}, {day.day} {month}" + (f" {day.year}" if year else "")
