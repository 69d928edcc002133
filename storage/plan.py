"""A layout made ready: the fields of an event to msgpack maps and back, upcasters included.

Nothing is sealed or opened here. A map goes out through a Struct that leaves out what is at its
default, and comes back in one decoding of all maps put behind one another: both are several
times faster than a dict. UUIDs are 16 bytes on the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from domain.errors import Damaged, NewerData
from domain.ports import UNDER_COMPANY, EventLike, Layout
from storage.frame import MAX_SECTIONS

_VERSION_KEY: Final = b"\xa2_v"
"""The key `_v` in msgpack. It sorts before every field's name, so it opens the header's map."""

_NEWEST_VERSION: Final = 127
"""Versions of one topic: up to this, the number behind `_v` is one byte."""

_MAP16: Final = b"\xde"
_FIXMAP: Final = 0x80
_ORIGINATOR: Final = b"\xadoriginator_id\xc4\x10"
_VERSION: Final = b"\xb2originator_version\xce"

Pick = Callable[[EventLike], tuple[Any, ...]]
Make = Callable[[EventLike], object]

encode: Final = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode_map: Final = msgspec.msgpack.Decoder(dict[str, object]).decode


Place = tuple[bytes, bytes]
"""Where an event stands: its originator as 16 bytes, its version as 4."""

Plains = Sequence[bytes | None]
"""The opened sections of an event, None for each whose key was destroyed."""


class Plan:
    """What is the same for every event of a topic, worked out once."""

    def __init__(self, layout: Layout) -> None:
        _check(layout)
        topic = layout.topic.encode()
        self.layout: Final = layout
        self.topic: Final = layout.topic
        self.topic_lp: Final = len(topic).to_bytes(4, "big") + topic
        self.header: Final = _header_maker(layout)
        self.content: Final = _content_maker(layout) if layout.sealed else None
        self.under: Final[Callable[[EventLike], UUID | None]] = (
            _nobody if layout.under == UNDER_COMPANY else attrgetter(layout.under)
        )
        self.both: Final[Pick | None] = attrgetter(*layout.each) if layout.each else None
        self._items_key = encode(layout.each[0]) if layout.each else b""
        self._empty_item = _empty_item(layout)
        self._opens_with = _VERSION_KEY + bytes((layout.version,)) if layout.version > 1 else b""
        # What the layout's class says of itself: its objects are events.
        self._decode = cast(
            "Callable[[bytes], EventLike]", msgspec.msgpack.Decoder(layout.event_class).decode
        )

    def paired(self, event: EventLike) -> list[tuple[UUID, bytes]]:
        """Each packed item with a section of its own, and the subject whose key seals it.

        Raises ValueError where items and their clear halves do not go together.
        """
        if self.both is None:
            return []
        items, owners = self.both(event)
        if not items and not owners:
            return []
        if len(items) != len(owners) or len(items) >= MAX_SECTIONS:
            raise ValueError(f"{self.layout.each} of {self.topic} do not go together")
        return [(owner.subject, encode(item)) for owner, item in zip(owners, items, strict=True)]

    def fields(self, position: int, place: Place, header: bytes, plains: Plains) -> bytes:
        """All fields of an event in today's shape, as one msgpack map. Raises Damaged, NewerData.

        What `event` makes the event of, here or in another process.
        """
        start = 3 if header[:1] == _MAP16 else 1
        if self._opens_with:
            current = header.startswith(self._opens_with, start)
        else:
            current = not header.startswith(_VERSION_KEY, start)
        try:
            if current:
                return self._joined(place, header, plains)
            return encode(self._upcast(position, place, header, plains))
        except msgspec.MsgspecError as error:
            raise self._damaged(position, error) from None

    def event(self, position: int, fields: bytes) -> EventLike:
        """The event of a row of the log, from its fields. Raises Damaged."""
        try:
            event = self._decode(fields)
        except msgspec.MsgspecError as error:
            raise self._damaged(position, error) from None
        if self.both is not None:
            items, owners = self.both(event)
            if len(items) != len(owners):
                raise Damaged(position, "it lacks a section, or has one too many")
        return event

    def _damaged(self, position: int, error: msgspec.MsgspecError) -> Damaged:
        """What is told of bytes that make no event: only the path, since they may be content."""
        _, found, path = str(error).rpartition(" - at ")
        where = path if found else "its bytes"
        return Damaged(position, f"its fields do not make a {self.topic} ({where})")

    def _joined(self, place: Place, header: bytes, plains: Plains) -> bytes:
        """One msgpack map of all fields, out of maps that are only put behind one another."""
        count, items = _taken(header)
        count += 2
        originator, version = place
        parts = [_MAP16, b"", items, _ORIGINATOR, originator, _VERSION, version]
        if plains:
            if plains[0] is not None:
                more, items = _taken(plains[0])
                count += more
                parts.append(items)
            if len(plains) > 1:
                count += 1
                sealed = [self._empty_item if item is None else item for item in plains[1:]]
                parts += (self._items_key, b"\xdc", len(sealed).to_bytes(2, "big"), *sealed)
        parts[1] = count.to_bytes(2, "big")
        return b"".join(parts)

    def _upcast(
        self, position: int, place: Place, header: bytes, plains: Plains
    ) -> dict[str, object]:
        """All fields in today's shape, of an event that was written in an older one."""
        fields = read_map(position, header)
        version = fields.pop("_v", 1)
        if not isinstance(version, int) or not 1 <= version <= self.layout.version:
            raise NewerData(f"Event {position} is a {self.topic} of a later version, {version}.")
        if plains and plains[0] is not None:
            fields |= read_map(position, plains[0])
        if self.layout.each is not None:
            sealed = [self._empty_item if item is None else item for item in plains[1:]]
            fields[self.layout.each[0]] = [read_map(position, item) for item in sealed]
        for upcast in self.layout.upcasters[version - 1 :]:
            fields = upcast(fields)
        fields["originator_id"] = place[0]
        fields["originator_version"] = int.from_bytes(place[1], "big")
        return fields


def read_map(position: int, packed: bytes) -> dict[str, object]:
    """A msgpack map of the event at a position, as the wire has it. Raises Damaged."""
    try:
        return _decode_map(packed)
    except msgspec.MsgspecError:
        raise Damaged(position, "its fields cannot be read") from None


def _taken(packed: bytes) -> tuple[int, bytes]:
    """The number of pairs in a msgpack map, and the pairs."""
    if packed[:1] == _MAP16:
        return int.from_bytes(packed[1:3], "big"), packed[3:]
    if not packed or packed[0] & 0xF0 != _FIXMAP:
        raise msgspec.DecodeError("not a map")
    return packed[0] & 0x0F, packed[1:]


@cache
def plan_of(layout: Layout) -> Plan:
    """The plan of a layout, made once a process."""
    return Plan(layout)


def _check(layout: Layout) -> None:
    """Raise ValueError for a layout that could not be stored and read again without loss."""
    fields, given = layout.event_class.__struct_fields__, layout.event_class.__struct_defaults__
    defaults = dict(zip(reversed(fields), reversed(given), strict=False))
    for name in layout.sealed:
        if defaults[name] is not None and defaults[name] != ():
            raise ValueError(f"{layout.topic}: {name} is sealed, its default must be None or ()")
    if layout.each and not layout.sealed:
        raise ValueError(f"{layout.topic}: sealed items need a section 0 before them")
    if layout.version != len(layout.upcasters) + 1 or layout.version > _NEWEST_VERSION:
        raise ValueError(f"{layout.topic}: version {layout.version} does not fit its upcasters")


def _header_maker(layout: Layout) -> Make:
    """Makes the header's map: the fields in clear that are not None, keys sorted."""
    names = sorted(layout.clear)
    shape: list[Any] = [(name, object, None) for name in names]
    pick = _picker(names)
    if layout.version == 1:
        plain = msgspec.defstruct("Header", shape, omit_defaults=True, gc=False)
        return lambda event: plain(*pick(event))
    shape.insert(0, ("_v", int))
    versioned = msgspec.defstruct("Header", shape, omit_defaults=True, gc=False)
    return lambda event: versioned(layout.version, *pick(event))


def _content_maker(layout: Layout) -> Make:
    """Makes section 0's map: the sealed fields that are not at their defaults."""
    names = sorted(layout.sealed)
    fields, given = layout.event_class.__struct_fields__, layout.event_class.__struct_defaults__
    defaults = dict(zip(reversed(fields), reversed(given), strict=False))
    shape = [(name, object, defaults.get(name, msgspec.NODEFAULT)) for name in names]
    content = msgspec.defstruct("Content", shape, omit_defaults=True, gc=False)
    pick = _picker(names)
    return lambda event: content(*pick(event))


def _picker(names: Sequence[str]) -> Pick:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda event: tuple(getattr(event, name) for name in names)


def _nobody(_event: EventLike) -> None:
    """The subject of what is the company's own."""


def _empty_item(layout: Layout) -> bytes:
    """What is left of an item whose key was destroyed: empty text where there is no default."""
    if layout.each is None:
        return b""
    event = msgspec.inspect.type_info(layout.event_class)
    if isinstance(event, msgspec.inspect.StructType):
        field = next(field for field in event.fields if field.name == layout.each[0])
        item = getattr(field.type, "item_type", None)
        if isinstance(item, msgspec.inspect.StructType):
            return encode({inner.name: "" for inner in item.fields if inner.required})
    raise ValueError(f"{layout.topic}: {layout.each[0]} is no tuple of Structs")
