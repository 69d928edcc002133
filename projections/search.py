"""Search: the words of every interaction, as they are shown now.

One row an interaction, keyed by its stream: its words, and ahead of them signs that nobody can
type, for whose it is and for what lists are filtered by; an index (projections/fulltext.py) finds
rows by any of them, in the order of their time. What became of the text (edited, corrected,
revoked, retracted) is folded as in the timeline, in any order of arrival, and words that are
shown no more are in no index any more.

Which rows they are in the end, and above all who may see them, is the core's to say when somebody
reads: so merges, twins and access need no rows here, and the signs need not be exact. Facts that
name an e-mail by its message-id are no matter here: an e-mail is neither edited nor revoked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, ClassVar, Final, cast
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs

from domain import events
from domain.ports import Entry
from projections import folding
from projections.base import Key, Rows, RowTable
from projections.content import Attached
from projections.directory_rows import BYTEWISE
from projections.folding import Correction, Retraction, State
from projections.fulltext import Need, Piece, Searched
from projections.group import Group
from projections.timeline_rows import FILTERED
from projections.views import SEARCH, Views
from projections.words import joined, words_of

BETWEEN: Final = "|"
"""Stands between the words of text, subject and files: no phrase goes across."""

UNIT_BITS: Final = 26
"""Rows are in the order of their minutes (2^26 µs); inside of one, in that of the log."""

POSITION_BITS: Final = 36
"""Of a place; the rest is the minute. Positions go to 68,000,000,000 before it is too narrow."""

UNITS_BITS: Final = 63 - POSITION_BITS
"""Of the number of a minute: some 142 years before and after 1970."""

MINUTES_BITS: Final = 14
"""Minutes of a stretch (2^14, some 12 days) that is looked at on its own: so few that its rows
are soon sorted, so many that years without a word are soon passed."""

STRETCH_BITS: Final = POSITION_BITS + MINUTES_BITS
"""Of a place: what is above them is the number of its stretch."""

OUTERMOST: Final = (0, (1 << UNITS_BITS - MINUTES_BITS) - 1)
"""The first and the last stretch, which hold all that is farther away."""

_MAIN: Final = "¤s"
_OTHER: Final = "¤p"
_FIELD: Final = "¤ff"
"""Signs of what lists are filtered by begin alike: their beginnings weigh little in the index."""

SIGN_BYTES: Final = 2
"""Of the hash that a sign has: two values with one sign only propose a few rows more."""

SIGNS_CACHED: Final = 4_096
"""Signs that are remembered: channels, staff, sources, departments, campaigns."""

_TEXT: Final = "text"
_OCCURRED: Final = "occurred_at"


class DocumentRow(Struct, gc=False):
    """An interaction's signs and words, single-spaced, with a space at either end.

    `place` orders rows by time, roughly, and holds the position; without one it was not recorded
    yet. `subject` is the one under whose key the words lie sealed in the log, `voice` that of
    an edit by somebody else. `told` is what they were made of, where anything became known
    beyond the record; empty else.
    """

    originator: bytes
    subject: bytes
    voice: bytes | None = None
    place: int | None = None
    words: str = ""
    told: bytes = b""


DOCUMENTS: Final = (
    RowTable(
        "documents",
        DocumentRow,
        key=("originator",),
        columns={
            "originator": sa.LargeBinary(16),
            "subject": sa.LargeBinary(16),
            "voice": sa.LargeBinary(16),
            "place": sa.BigInteger(),
            "words": BYTEWISE,
            "told": sa.LargeBinary(),
        },
        indexes=(
            ("subject", ("subject",), None, False),
            ("voice", ("voice",), "voice IS NOT NULL", False),
        ),
    )
    .with_long_rows()
    .asked_in_settle("subject", "voice")
    .found_by(Searched("words", "place", STRETCH_BITS))
)


RECORDED: Final = "interaction.recorded"
ERASED: Final = "contact.erased"
_ABOUT: Final = frozenset(
    {
        "interaction.edited",
        "interaction.revoked",
        "interaction.corrected",
        "interaction.retracted",
    }
)


class Told(Struct, array_like=True):
    """What a row was recorded with, and what became known since.

    `whose` are the signs of its subjects, `fields` those of its channel, direction and so on, as
    they were recorded, in the order of FILTERED.
    """

    whose: list[str]
    fields: list[str]
    text: str
    subject: str
    files: str
    state: State
    erased: bool = False


_PACK: Final = msgspec.msgpack.Encoder(order="deterministic").encode
_READ: Final = msgspec.msgpack.Decoder(Told).decode
_CORRECTED: Final = frozenset({_TEXT, _OCCURRED, *FILTERED})


class Search:
    """Handlers of the words; finding them is in projections/search_pages.py."""

    name: ClassVar[str] = "search"
    version: ClassVar[int] = 3
    tables: ClassVar[tuple[RowTable[Any], ...]] = (DOCUMENTS,)
    topics: ClassVar[frozenset[str]] = _ABOUT | {RECORDED, ERASED}

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The row of the interaction that the event records or is about."""
        if entry.topic == ERASED:
            return ()
        return ((DOCUMENTS, (_stream(entry).bytes,)),)

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Make the row's words again; whose words are to be forgotten, is noted."""
        event = entry.event
        if entry.topic == ERASED:
            for subject in cast("events.ContactErased", event).subjects:
                rows.touch(ERASED, (subject.bytes,))
            return
        key, subject = _stream(entry).bytes, cast("events.InteractionEdited", event).subject
        row = rows.get(DOCUMENTS, (key,)) or DocumentRow(key, subject.bytes)
        told = told_of(row)
        if isinstance(event, events.InteractionRecorded):
            row.place, row.subject = place_of(event.occurred_at, entry.position), subject.bytes
            told = _recorded(event, told.state)
            told.erased = entry.erased
        else:
            told.state = folding.join(told.state, _news(entry))
            edit = told.state.edit
            if edit is not None and edit.by == event.originator_id.bytes:
                row.voice = subject.bytes
        _put(rows, row, told)

    def settle(self, rows: Rows) -> None:
        """Forget the words of erased subjects: as if their keys had never been there."""
        for key in rows.touched(ERASED):
            bound, subject = rows.bound(DOCUMENTS), cast("bytes", key[0])
            whose = sa.or_(bound.c.subject == subject, bound.c.voice == subject)
            found = rows.select(sa.select(bound.c.originator).where(whose))
            keys = sorted((cast("bytes", one[0]),) for one in found)
            rows.load(DOCUMENTS, keys)
            for row in (rows.get(DOCUMENTS, key) for key in keys):
                if row is not None:
                    _forget(rows, row, subject)


def _put(rows: Rows, row: DocumentRow, told: Told) -> None:
    """Have the row say what is told; nothing known of what never came is no row."""
    if told.state.edit is None:
        row.voice = None
    if row.place is None and told.state == State():
        rows.delete(DOCUMENTS, (row.originator,))
        return
    write(row, told)
    rows.put(DOCUMENTS, row)


def _forget(rows: Rows, row: DocumentRow, subject: bytes) -> None:
    """Have a row say what remains when a subject's key is gone: what became of its words."""
    told = told_of(row)
    state = told.state
    if row.voice == subject:
        state = structs.replace(state, edit=None)
    if row.subject == subject:
        gone = {
            name: Correction(one.version, None if name == _TEXT else one.value)
            for name, one in state.corrections.items()
        }
        state = structs.replace(state, corrections=gone)
        recorded = row.place is not None
        told = structs.replace(told, text="", subject="", files="", erased=recorded)
    _put(rows, row, structs.replace(told, state=state))


def _stream(entry: Entry) -> UUID:
    event = entry.event
    if isinstance(event, events.InteractionRecorded):
        return event.originator_id
    return cast("events.InteractionEdited", event).about


def _recorded(event: events.InteractionRecorded, state: State) -> Told:
    parties = {party.subject for party in event.parties if not party.asserted}
    others = sorted(_OTHER + one.hex for one in parties if one != event.subject)
    return Told(
        [_MAIN + event.subject.hex, *others],
        [sign_of(name, folding.stored(getattr(event, name))) for name in FILTERED],
        joined(words_of(event.text)),
        joined(words_of(event.subject_line)),
        _files(event.attachments),
        state,
    )


def _files(files: Iterable[events.Attachment | Attached]) -> str:
    return joined(word for file in files for word in words_of(file.name))


def _news(entry: Entry) -> State:
    """What a fact or decision says of an interaction's words and time; that and no more."""
    state = folding.state_of(entry)
    if entry.topic == "interaction.edited":
        # An edit whose words are gone says nothing: purged, it is not there either.
        return State() if entry.erased else State(edit=state.edit)
    if entry.topic == "interaction.corrected":
        kept = {name: one for name, one in state.corrections.items() if name in _CORRECTED}
        return State(corrections=kept)
    if state.retraction is not None:
        return State(retraction=Retraction(state.retraction.version, 0, ("", ""), None, None))
    return State(revoked_at=state.revoked_at)


# ------------------------------------------------------------------- rows and their words


def told_of(row: DocumentRow) -> Told:
    """What a row's words were made of; of most rows they say it themselves."""
    if row.told:
        return _READ(row.told)
    if not row.words:
        return Told([_MAIN + row.subject.hex()], [], "", "", "", State())
    signs, text, subject, files = (part.strip() for part in row.words.split(BETWEEN))
    whose, fields = list[str](), list[str]()
    for sign in signs.split():
        (fields if sign.startswith(_FIELD) else whose).append(sign)
    return Told(whose, fields, text, subject, files, State())


def write(row: DocumentRow, told: Told) -> None:
    """Make a row's words of what is told; nothing is kept beside them where they say it all."""
    moved = told.state.corrections.get(_OCCURRED)
    words = (word for part in _shown(told) for word in (BETWEEN, part))
    parts = " ".join((*told.whose, *_fields(told), *words))
    row.words = f" {' '.join(parts.split())} "
    plain = told.state == State() and not told.erased
    row.told = b"" if plain else _PACK(told)
    if moved and row.place is not None:
        row.place = place_of(moved.value, position_in(row.place))


def _fields(told: Told) -> list[str]:
    """The signs of what lists are filtered by, as it is now; none of what is only heard of yet."""
    changed = told.state.corrections
    if not changed:
        return told.fields
    return [
        sign_of(name, changed[name].value) if name in changed else sign
        for name, sign in zip(FILTERED, told.fields, strict=False)
    ]


def _shown(told: Told) -> tuple[str, str, str]:
    """The words of text, subject and files, as people see them."""
    state = told.state
    if told.erased or state.revoked_at is not None or state.retraction is not None:
        return "", "", ""
    text, files, edit = told.text, told.files, state.edit
    if edit is not None:
        text = joined(words_of(edit.text))
        files = _files(edit.attachments) if edit.attachments else files
    corrected = state.corrections.get(_TEXT)
    if corrected is not None:
        text = joined(words_of(corrected.value))
    return text, told.subject, files


# ---------------------------------------------------------------------------- for searching


def place_of(at: int, position: int) -> int:
    """Where a row stands: by its time (µs), to the minute, and by its position."""
    return (unit_of(at) << POSITION_BITS) | position


def unit_of(at: int) -> int:
    """The number of the minute (2^26 µs) in which a time lies; of far times that of the end."""
    number = (at >> UNIT_BITS) + (1 << UNITS_BITS - 1)
    return min(max(number, 0), (1 << UNITS_BITS) - 1)


def stretch_of(at: int) -> int:
    """The number of the stretch in which a time lies."""
    return unit_of(at) >> MINUTES_BITS


def unit_start(unit: int) -> int:
    """The time (µs) at which a minute begins."""
    return (unit - (1 << UNITS_BITS - 1)) << UNIT_BITS


def position_in(place: int) -> int:
    """The position that a place holds."""
    return place & ((1 << POSITION_BITS) - 1)


@lru_cache(maxsize=SIGNS_CACHED)
def sign_of(name: str, value: object) -> str:
    """What stands among a row's words for a value that lists are filtered by; None is one too."""
    said = f"{name}={value!r}".encode()
    return _FIELD + hashlib.blake2b(said, digest_size=SIGN_BYTES).hexdigest()


def with_one_of(name: str, values: Iterable[object]) -> Need:
    """What rows have that pass a filter."""
    return tuple(dict.fromkeys(Piece(sign_of(name, value)) for value in values))


def with_any_of(subjects: Iterable[bytes]) -> Need:
    """What rows have that one of some subjects takes part in."""
    return tuple(Piece(kind + one.hex()) for one in subjects for kind in (_MAIN, _OTHER))


# ------------------------------------------------------------------------------ the group


def search_group(views: Views) -> Group:
    """The group of the words: a checkpoint of its own, so that no page of the core waits."""
    return Group(SEARCH, (Search(),), views)
