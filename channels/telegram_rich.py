"""Rich messages of Telegram: headings, lists, tables and media in one message, as lines to read.

A rich message is a list of blocks, which hold text, further blocks or a file. A text is plain,
a list of texts, or a text with a look. The blocks are read for their words alone; whatever kind
is new is read by the same names.

Source: Telegram, "Bot API" (RichMessage, RichBlock, RichText).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from channels.lenient import Json, body_in, items_in, object_in, objects_in, text_in

RICH: Final = "rich_message"

_HEADS: Final = ("summary", "text", "expression")
"""Names of a block's own words, in the order in which they are read."""

_FEET: Final = ("caption", "credit")
"""Names of the words below a block."""


def rich_text(message: Json) -> str | None:
    """The words of a rich message, a line for each block, item or row; None where it has none."""
    lines = (line.rstrip() for line in _lines(object_in(message, RICH)))
    return "\n".join(line for line in lines if line) or None


def rich_media(message: Json) -> Iterator[Json]:
    """The blocks of a rich message that may hold a file, in their order."""
    return _leaves(object_in(message, RICH))


def _lines(block: Json) -> Iterator[str]:
    for name in _HEADS:
        yield from _words(block.get(name)).split("\n")
    for inner in objects_in(block, "blocks"):
        yield from _lines(inner)
    for item in objects_in(block, "items"):
        label = text_in(item, "label") or "-"
        yield f"{label} " + "\n".join(line for line in _lines(item) if line)
    for row in items_in(block, "cells"):
        cells = row if isinstance(row, list) else [row]
        yield " | ".join(_words(cell) for cell in cells)
    place = object_in(block, "location")
    if place:
        yield f"📍 {text_in(place, 'latitude')},{text_in(place, 'longitude')}"
    for name in _FEET:
        yield _words(block.get(name))


def _words(text: object) -> str:
    """What a text says, whatever it looks like."""
    if isinstance(text, str):
        return text
    if isinstance(text, list):
        return "".join(_words(piece) for piece in text)
    if not isinstance(text, dict):
        return ""
    words = _words(text.get("text"))
    return words or body_in(text, "alternative_text") or body_in(text, "expression") or ""


def _leaves(block: Json) -> Iterator[Json]:
    for inner in (*objects_in(block, "blocks"), *objects_in(block, "items")):
        yield inner
        yield from _leaves(inner)
