"""Facts for reports: one narrow row an interaction, of numbers alone; a group of its own.

What an interaction can be counted by (channel, direction, user and the rest) is one number, a
kind; so is who it was with, a caller. Numbers are given in the order of the log, so a rebuild
gives the same. A fact's row moves with what is decided about it: corrections, a retraction, a
twin. Nothing here is sealed in the log: the group could be built without a key.

Whose an address is, and who may see it, is not told here but by the core, when somebody reads
(projections/report_deck.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, ClassVar, Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs

from domain import events
from domain.ports import Entry
from projections.base import Key, Rows, RowTable
from projections.group import Group
from projections.timeline_rows import UUID16
from projections.views import REPORTS, Views

KINDS_CACHED: Final = 8_192
"""Kinds whose digest is remembered: the combinations that a busy week brings again and again."""

# ------------------------------------------------------------------------ rows


class FactRow(Struct, gc=False):
    """An interaction, or what was decided about it before it was recorded (`number` None).

    `changed` is the position of its last change, `shown` 0 for the hidden one of two twins.
    """

    originator: bytes
    number: int | None = None
    changed: int = 0
    occurred_at: int = 0
    kind: int = 0
    caller: int = 0
    shown: int = 0
    state: bytes | None = None


class KindRow(Struct, gc=False):
    """What interactions can be counted by; `auto`, `void` and `several` are 0 or 1.

    `auto`: a machine wrote it. `void`: it was retracted. `several`: it has further participants.
    """

    number: int
    channel: str
    direction: str
    origin: str
    source: str
    attended_by: bytes | None
    department: str | None
    campaign: str | None
    auto: int
    void: int
    several: int


class KindNumberRow(Struct, gc=False):
    """The number of a kind, by a digest of all that it says."""

    digest: bytes
    number: int


class CallerRow(Struct, gc=False):
    """The number of a subject."""

    subject: bytes
    number: int


class FurtherRow(Struct, gc=False):
    """A further outside participant of a fact, by the numbers of both."""

    fact: int
    caller: int


class NextRow(Struct, gc=False):
    """The number that the next fact, kind or caller gets."""

    of: str
    number: int


_INT: Final = sa.BigInteger()
_SMALL: Final = sa.SmallInteger()
_TEXT: Final = sa.Text()

FACTS: Final = RowTable(
    "report_facts",
    FactRow,
    key=("originator",),
    columns={
        "originator": UUID16,
        "number": _INT,
        "changed": _INT,
        "occurred_at": _INT,
        "kind": _INT,
        "caller": _INT,
        "shown": _SMALL,
        "state": sa.LargeBinary(),
    },
    # All that figures are made of: whoever reads them takes up what changed from here alone.
    indexes=(
        (
            "changed",
            ("changed", "number", "occurred_at", "kind", "caller", "shown"),
            "number IS NOT NULL",
            False,
        ),
    ),
)

KINDS: Final = RowTable(
    "report_kinds",
    KindRow,
    key=("number",),
    columns={
        "number": _INT,
        "channel": _TEXT,
        "direction": _TEXT,
        "origin": _TEXT,
        "source": _TEXT,
        "attended_by": UUID16,
        "department": _TEXT,
        "campaign": _TEXT,
        "auto": _SMALL,
        "void": _SMALL,
        "several": _SMALL,
    },
)

KIND_NUMBERS: Final = RowTable(
    "report_kind_numbers",
    KindNumberRow,
    key=("digest",),
    columns={"digest": UUID16, "number": _INT},
)

CALLERS: Final = RowTable(
    "report_callers",
    CallerRow,
    key=("subject",),
    columns={"subject": UUID16, "number": _INT},
    indexes=(("number", ("number",), None, True),),
)

FURTHER: Final = RowTable(
    "report_further",
    FurtherRow,
    key=("fact", "caller"),
    columns={"fact": _INT, "caller": _INT},
)

NEXT: Final = RowTable("report_next", NextRow, key=("of",), columns={"of": _TEXT, "number": _INT})


class Decided(Struct, omit_defaults=True):
    """What people decided about a fact: field → (version of the decision, value)."""

    fields: dict[str, tuple[int, Any]] = {}
    void: bool = False


_PACK: Final = msgspec.msgpack.Encoder(order="deterministic")
_DECIDED: Final = msgspec.msgpack.Decoder(Decided)

# -------------------------------------------------------------------- handlers

_ABOUT: Final = frozenset(
    {"interaction.corrected", "interaction.retracted", "twin.linked", "twin.unlinked"}
)

_CORRECTABLE: Final = (
    "occurred_at",
    "channel",
    "direction",
    "attended_by",
    "department",
    "campaign",
)


class Reports:
    """The projection."""

    name: ClassVar[str] = "reports"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[RowTable[Any], ...]] = (
        FACTS,
        KINDS,
        KIND_NUMBERS,
        CALLERS,
        FURTHER,
        NEXT,
    )
    topics: ClassVar[frozenset[str]] = _ABOUT | {"interaction.recorded"}

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The fact, its kind and its caller."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            fact = (FACTS, (event.originator_id.bytes,))
            caller = (CALLERS, (event.subject.bytes,))
            return (fact, caller, (KIND_NUMBERS, (_digest(_kind_of(event)),)))
        return ((FACTS, (_about(event),)),)

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Note a new fact, or what was decided about one."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            _record(entry, event, rows)
            return
        row = rows.get(FACTS, (_about(event),)) or FactRow(_about(event))
        if isinstance(event, events.TwinLinked | events.TwinUnlinked):
            if row.number is None:
                return
            row.shown = int(isinstance(event, events.TwinUnlinked) or event.shown)
        else:
            _decide(event, row, rows)
        row.changed = entry.position
        rows.put(FACTS, row)

    def settle(self, rows: Rows) -> None:
        """Nothing is left for the end of a page."""


def _about(event: Any) -> bytes:  # noqa: ANN401 - one of the four decisions, which all say so
    about: bytes = event.about.bytes
    return about


def _kind_of(event: events.InteractionRecorded) -> KindRow:
    """The kind of a fact as it was recorded; it has no number yet."""
    return KindRow(
        number=0,
        channel=str(event.channel),
        direction=str(event.direction),
        origin=str(event.origin),
        source=event.source,
        attended_by=event.attended_by.bytes if event.attended_by else None,
        department=event.department,
        campaign=event.campaign,
        auto=int(event.auto is not None),
        void=0,
        several=int(any(not party.asserted for party in event.parties)),
    )


def _record(entry: Entry, event: events.InteractionRecorded, rows: Rows) -> None:
    key = event.originator_id.bytes
    row = rows.get(FACTS, (key,)) or FactRow(key)
    kind = _kind_of(event)
    row.occurred_at = event.occurred_at
    if row.state is not None:
        _put_decided(_DECIDED.decode(row.state), row, kind)
    row.number = _next(rows, "fact")
    row.changed = entry.position
    row.kind = _number_of(kind, rows)
    row.caller = _caller(event.subject.bytes, rows)
    row.shown = 1
    rows.put(FACTS, row)
    for party in event.parties if kind.several else ():
        if not party.asserted:
            rows.put(FURTHER, FurtherRow(row.number, _caller(party.subject.bytes, rows)))


def _decide(event: object, row: FactRow, rows: Rows) -> None:
    """Keep a correction or a retraction; the later version of a field wins, in any order."""
    decided = _DECIDED.decode(row.state) if row.state is not None else Decided()
    if isinstance(event, events.InteractionCorrected):
        for field in event.fields:
            known = decided.fields.get(field)
            if field in _CORRECTABLE and (known is None or known[0] < event.originator_version):
                decided.fields[field] = (event.originator_version, _stored(event, field))
    else:
        decided.void = True
    row.state = _PACK.encode(decided)
    if row.number is None:
        return
    found = rows.get(KINDS, (row.kind,))
    if found is None:
        raise LookupError(row.kind)
    kind = structs.replace(found, number=0)
    _put_decided(decided, row, kind)
    row.kind = _number_of(kind, rows)


def _stored(event: events.InteractionCorrected, field: str) -> object:
    value: Any = getattr(event, field)
    stored = getattr(value, "bytes", value)
    return str(stored) if isinstance(stored, str) else stored


def _put_decided(decided: Decided, row: FactRow, kind: KindRow) -> None:
    for field, (_, value) in decided.fields.items():
        setattr(row if field == "occurred_at" else kind, field, value)
    kind.void = int(decided.void)


# --------------------------------------------------------------------- numbers


def _next(rows: Rows, of: str) -> int:
    row = rows.get(NEXT, (of,)) or NextRow(of, 0)
    number = row.number
    row.number += 1
    rows.put(NEXT, row)
    return number


def _caller(subject: bytes, rows: Rows) -> int:
    row = rows.get(CALLERS, (subject,))
    if row is None:
        row = CallerRow(subject, _next(rows, "caller"))
        rows.put(CALLERS, row)
    return row.number


def _number_of(kind: KindRow, rows: Rows) -> int:
    digest = _digest(kind)
    known = rows.get(KIND_NUMBERS, (digest,))
    if known is None:
        known = KindNumberRow(digest, _next(rows, "kind"))
        rows.put(KIND_NUMBERS, known)
        rows.put(KINDS, structs.replace(kind, number=known.number))
    return known.number


def _digest(kind: KindRow) -> bytes:
    return _digest_of(structs.astuple(kind)[1:])


@lru_cache(maxsize=KINDS_CACHED)
def _digest_of(said: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(_PACK.encode(said), digest_size=16).digest()


def reports_group(views: Views) -> Group:
    """The group that figures are read from."""
    return Group(REPORTS, (Reports(),), views)
