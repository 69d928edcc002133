"""What forms offer to choose from, each with its name in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import chain
from typing import Final, NamedTuple
from zoneinfo import available_timezones

from babel import Locale

from api.web.languages import LANGUAGES

REGIONS: Final = frozenset(
    {
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    }
)
"""Where time zones are offered from; older spellings are understood, but not offered."""

CODE_CHARS: Final = 2
"""Languages that are offered: those of two letters, some 180."""


class Offer(NamedTuple):
    """One thing to choose: what is sent for it, and what it is called."""

    code: str
    name: str


@cache
def zones(language: str) -> tuple[Offer, ...]:
    """Time zones by their IANA name; what they are called is their city."""
    known = sorted(one for one in available_timezones() if one.partition("/")[0] in REGIONS)
    called = Locale(language).time_zones
    return (*(Offer(one, _city(one, called.get(one, {}))) for one in known), Offer("UTC", "UTC"))


def city(language: str, zone: str) -> str:
    """What a time zone is called in short."""
    return _city(zone, Locale(language).time_zones.get(zone, {}))


def _city(zone: str, called: Mapping[str, str]) -> str:
    return called.get("city") or zone.rpartition("/")[2].replace("_", " ")


@cache
def tongues(language: str) -> tuple[Offer, ...]:
    """Languages by their name; what is sent for them is their code of two letters (ISO 639)."""
    known = Locale(language).languages.items()
    offers = (Offer(code, name) for code, name in known if len(code) == CODE_CHARS)
    return tuple(sorted(offers, key=lambda one: one.name))


def tongue(language: str, code: str | None) -> str | None:
    """What a language is called; its code where it is not among those that are offered."""
    return next((one.name for one in tongues(language) if one.code == code), code)


def tongue_code(typed: str) -> str:
    """The code of a language that somebody typed by its name, in any of ours; else the text."""
    said = typed.strip().casefold()
    known = chain.from_iterable(tongues(language) for language in LANGUAGES)
    return next((one.code for one in known if one.name.casefold() == said), typed.strip())
