"""What a search shows: of an interaction the part that was found, of a contact by what it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from projections.finding import words_of, words_of_address
from projections.finding_pages import Term as Spellings
from projections.finding_pages import interaction_of, terms_of
from projections.shapes import ContactView
from projections.words import Excerpt, Marker


class MessageItem(Struct, kw_only=True):
    """An interaction that was found; `marks` are ranges [from, to) of characters of `excerpt`."""

    kind: str = "message"
    row: Raw
    excerpt: str
    marks: list[tuple[int, int]]


class Matched(Struct, frozen=True):
    """By what a contact was found: `name`, `company`, `address`, `interaction`, and how it reads.

    `value` is None where it is something that the contact has no more.
    """

    field: str
    value: str | None


class ContactItem(Struct, kw_only=True):
    """A contact that was found."""

    kind: str = "contact"
    contact: ContactView
    matched: Matched


class _File(Struct):
    name: str


class _Shown(Struct):
    """Of an interaction's row what a search looks at."""

    subject: str | None
    text: str | None
    text_truncated: bool
    attachments: list[_File] | None


_SHOWN: Final = msgspec.json.Decoder(_Shown)

Whole = Callable[[], str | None]
"""Gives the whole text of an interaction whose row cuts it."""


def message(body: bytes, marker: Marker, whole: Whole) -> MessageItem:
    """An interaction's row (2.3, as JSON) as an item of a search."""
    found = _excerpt(_SHOWN.decode(body), marker, whole)
    return MessageItem(row=Raw(body), excerpt=found.text, marks=found.marks)


def _excerpt(shown: _Shown, marker: Marker, whole: Whole) -> Excerpt:
    """The part of it that has the most of what was looked for: text, subject, a file's name."""
    text = shown.text
    if shown.text_truncated and text is not None and not marker.has_all(text):
        text = whole()
    parts = [text, shown.subject, *(file.name for file in shown.attachments or ())]
    written = [part for part in parts if part]
    best = max(written, key=marker.found_in) if len(written) > 1 else "".join(written)
    return marker.excerpt(best)


def contact(view: ContactView, text: str, country: str | None) -> ContactItem:
    """A contact as an item of a search."""
    return ContactItem(contact=view, matched=_matched(view, text, country))


def _matched(view: ContactView, text: str, country: str | None) -> Matched:
    """The field that has the most of what was typed; a name before an address."""
    number = interaction_of(text)
    if number is not None:
        return Matched("interaction", f"#{number}")
    terms = terms_of(text, country)
    fields = [("name", view.name), ("company", view.company)]
    fields += [("address", one.address) for one in view.addresses]
    scored = [(_hits(field, value, terms), field, value) for field, value in fields]
    hits, field, value = max(scored, key=lambda one: one[0])
    return Matched(field, value) if hits else Matched("name", None)


def _hits(field: str, value: str | None, terms: Sequence[Spellings]) -> int:
    if field == "address":
        found = words_of_address(value)
        words = [*found.free, *found.anchored]
    else:
        words = words_of(value)
    return sum(any(piece in word for piece in term for word in words) for term in terms)
