"""What an option may say: each check gives what to write instead, or None where it is right.

An option is looked at when a connection is made or changed, so that nobody finds out from a
visitor that a page of thanks is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from domain.phones import region_of

PAGE_MAX_CHARS: Final = 2_000
"""Length of a page's address: what every browser takes."""

_WEB: Final = frozenset({"https", "http"})


Check = Callable[[str], str | None]


def each(**checks: Check) -> Callable[[Mapping[str, str]], Mapping[str, str]]:
    """A channel's `check`: what is wrong with each of its options that is given."""

    def check(options: Mapping[str, str]) -> Mapping[str, str]:
        found = {name: of(options[name]) for name, of in checks.items() if options.get(name)}
        return {name: wrong for name, wrong in found.items() if wrong is not None}

    return check


def country(text: str) -> str | None:
    """The ISO code of a country."""
    known = text.isalpha() and region_of(text) is not None
    return None if known else "two letters of a country (ISO 3166), such as MX"


def page(text: str) -> str | None:
    """The whole address of a page."""
    return None if _is_page(text) else "a whole address, such as https://www.example.mx/gracias"


def origins(text: str) -> str | None:
    """Origins with commas between, or `*` for any."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    return None if found and all(map(_is_origin, found)) else "such as https://www.example.mx, or *"


def _is_page(text: str) -> bool:
    if not (text.isascii() and text.isprintable()) or " " in text or len(text) > PAGE_MAX_CHARS:
        return False
    try:
        parts = urlsplit(text)
        # A port that is none shows only when it is asked for.
        return parts.scheme in _WEB and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_origin(text: str) -> bool:
    if text == "*":
        return True
    parts = urlsplit(text) if _is_page(text) else None
    return parts is not None and not (parts.path or parts.query or parts.fragment or parts.username)
