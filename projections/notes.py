"""Internal notes: what the team writes about a contact, among its interactions in the timeline.

A note is a row of the timeline (projections/timeline.py) of the contact id that it was made on:
so it goes along when contacts are put together, and stays where it was made when they are taken
apart. It is no interaction: it stirs and answers nothing and is counted nowhere, and the list
of all interactions leaves it out.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct, structs

from domain import events
from domain.ports import Entry

Who = tuple[str, str]
"""Kind and id of whoever wrote it: a user, or a token of nobody's."""


class Struck(Struct, frozen=True, array_like=True):
    """Who declared a note void, when (µs), and why."""

    at: int
    by: Who
    reason: str | None


class NoteContent(Struct, frozen=True, array_like=True):
    """What a note's row keeps beside its columns."""

    text: str | None
    by: Who
    struck: Struck | None = None


_PACK: Final = msgspec.msgpack.Encoder(order="deterministic").encode
_READ: Final = msgspec.msgpack.Decoder(NoteContent).decode


def written(event: events.NoteAdded) -> bytes:
    """The content of a new note."""
    return _PACK(NoteContent(event.text, _who(event)))


def struck(content: bytes, entry: Entry, event: events.NoteRetracted) -> bytes:
    """The content of a note that was declared void."""
    why = Struck(entry.recorded_at, _who(event), event.reason)
    return _PACK(structs.replace(_READ(content), struck=why))


def forgotten(content: bytes) -> bytes:
    """The content of a note whose contact was erased."""
    note = _READ(content)
    why = structs.replace(note.struck, reason=None) if note.struck else None
    return _PACK(structs.replace(note, text=None, struck=why))


def read_note(content: bytes) -> NoteContent:
    """The content of a note's row."""
    return _READ(content)


def _who(event: events.Event) -> Who:
    """The person behind it, also where a token wrote it down for them."""
    if event.on_behalf_of is not None:
        return "user", str(event.on_behalf_of)
    return event.actor.kind, event.actor.id
