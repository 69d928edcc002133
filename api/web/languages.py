"""The two languages of the pages: their catalogs, and which one a reader gets.

A message stands in templates and in Python as its English text, in `_("…")` or `N_("…")`. The
catalogs lie in locale/<language>/<room>.po, a file a room of the pages, so that rooms do not get
into each other's way; all files of a language are one catalog. They are compiled in memory when
the first page in it is made. `python -m tests.web.catalogs <room>` adds what is missing to a room.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES: Final = ("es", "en")
"""The first is for whoever asks for neither."""

ACCEPTED_MAX: Final = 20
"""Languages of one `Accept-Language` that are looked at: browsers send a handful."""

LOCALE: Final = Path(__file__).parent / "locale"


def N_(text: str) -> str:  # noqa: N802 - the name by which every tool of gettext knows it
    """The text itself: marks a message that is translated where it is shown."""
    return text


def catalog_of(language: str, folder: Path = LOCALE) -> Catalog:
    """All messages of a language, whatever file they stand in."""
    whole = Catalog(locale=language)
    for path in sorted((folder / language).glob("*.po")):
        with path.open("rb") as file:
            part = read_po(file, locale=language)
        for message in part:
            if message.id:
                whole.add(message.id, message.string, context=message.context)
    return whole


@cache
def translations_of(language: str) -> GNUTranslations:
    """The messages of a language, ready for use; compiled where the first page asks for them."""
    compiled = BytesIO()
    write_mo(compiled, catalog_of(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def language_of(header: str | None) -> str:
    """The language that `Accept-Language` likes best of ours (RFC 9110, 12.5.4)."""
    best, liked = LANGUAGES[0], 0.0
    for part in (header or "").lower().split(",")[:ACCEPTED_MAX]:
        tag, _, quality = part.strip().partition(";")
        language = tag.strip().partition("-")[0]
        weight = _weight(quality)
        if language in LANGUAGES and weight > liked:
            best, liked = language, weight
    return best


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
