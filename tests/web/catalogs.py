"""The messages of the pages: those that they show, those that the catalogs hold.

`python -m tests.web.catalogs <room>` adds what is missing to api/web/locale/*/<room>.po. The
English text is there at once; what stands empty afterwards wants its Spanish.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as BabelMessage
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from api.web.languages import LANGUAGES, LOCALE, catalog_of

WEB = LOCALE.parent

Message = tuple[str | None, str | tuple[str, ...]]
"""Context, and the text; of what has a plural both forms."""

_KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_JINJA = {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "lstrip_blocks": "true"}


def shown() -> dict[Message, str]:
    """Every message of templates and modules, and where it stands."""
    found: dict[Message, str] = {}
    for path in sorted((*WEB.rglob("*.py"), *(WEB / "templates").rglob("*.html"))):
        method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
        with path.open("rb") as file:
            for _line, text, _comments, context in extract(
                method, file, keywords=_KEYWORDS, options=_JINJA if path.suffix != ".py" else None
            ):
                key = (context, tuple(text) if isinstance(text, list | tuple) else text)
                found.setdefault(key, path.name)
    return found


def held(language: str) -> dict[Message, list[str]]:
    """Every message of a language's catalogs, and its translation; of a plural all forms."""
    return {_key(message): _forms(message) for message in catalog_of(language) if message.id}


def _key(message: BabelMessage) -> Message:
    id = message.id
    return message.context, id if isinstance(id, str) else tuple(id)


def _forms(message: BabelMessage) -> list[str]:
    said = message.string or ""
    return [said] if isinstance(said, str) else list(said)


def twice(language: str) -> list[Message]:
    """Messages that stand in two files of a language, so that nobody knows which one counts."""
    seen: set[Message] = set()
    found: list[Message] = []
    for path in sorted((LOCALE / language).glob("*.po")):
        for message in _read(path, language):
            key = _key(message)
            if message.id and key in seen:
                found.append(key)
            seen.add(key)
    return found


def add(room: str) -> None:
    """Add what is missing to a room's files; take out what no page says any more."""
    wanted = shown()
    for language in LANGUAGES:
        path = LOCALE / language / f"{room}.po"
        catalog = _read(path, language) if path.exists() else Catalog(locale=language)
        missing = wanted.keys() - held(language).keys()
        for context, text in sorted(missing, key=str):
            plain = text if language == "en" else ""
            catalog.add(text, plain, context=context)
        kept = Catalog(locale=language, fuzzy=False)
        kept.header_comment = f"# {room}: what these pages say in `{language}`."
        for message in catalog:
            if message.id and _key(message) in wanted:
                kept.add(message.id, message.string, context=message.context)
        _write(path, kept)


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _write(path: Path, catalog: Catalog) -> None:
    text = BytesIO()
    write_po(text, catalog, sort_output=True, omit_header=True, width=0)
    path.write_bytes(text.getvalue())


if __name__ == "__main__":
    add(sys.argv[1] if len(sys.argv) > 1 else "ground")
