"""Any event at all: strategies made from the fields of an event class."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import msgspec
from hypothesis import strategies as st

from domain.events import Event, Identity, InteractionRecorded, Party

_PLAIN: dict[type[msgspec.inspect.Type], st.SearchStrategy[Any]] = {
    msgspec.inspect.StrType: st.text(max_size=20),
    msgspec.inspect.IntType: st.integers(-(2**62), 2**62),
    msgspec.inspect.BoolType: st.booleans(),
    msgspec.inspect.BytesType: st.binary(max_size=40),
    msgspec.inspect.UUIDType: st.uuids(),
    msgspec.inspect.NoneType: st.none(),
}


@cache
def events_of(event_class: type[Event]) -> st.SearchStrategy[Event]:
    """Events of one class, with any values that its fields may have."""
    fields = _fields(event_class)
    fields["originator_version"] = st.integers(1, 2**31 - 1)
    if event_class is InteractionRecorded:
        del fields["parties"], fields["identities"]
        plain = st.builds(event_class, **fields)
        pairs = st.lists(st.tuples(_values(Party), _values(Identity)), max_size=3)
        return st.builds(_with_parties, plain, pairs)
    return st.builds(event_class, **fields)


def _with_parties(event: Event, pairs: list[tuple[Party, Identity]]) -> Event:
    parties = tuple(party for party, _ in pairs)
    identities = tuple(identity for _, identity in pairs)
    return msgspec.structs.replace(event, parties=parties, identities=identities)


def _fields(struct: type[msgspec.Struct]) -> dict[str, st.SearchStrategy[Any]]:
    info = cast("msgspec.inspect.StructType", msgspec.inspect.type_info(struct))
    return {field.name: _of(field.type) for field in info.fields}


def _values(struct: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    return st.builds(struct, **_fields(struct))


def _of(info: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case msgspec.inspect.UnionType(types=types):
            return st.one_of([_of(inner) for inner in types])
        case msgspec.inspect.VarTupleType(item_type=item):
            return st.lists(_of(item), max_size=3).map(tuple)
        case msgspec.inspect.EnumType(cls=cls):
            return st.sampled_from(list(cls))
        case msgspec.inspect.StructType(cls=cls):
            return _values(cls)
        case _:
            return _PLAIN[type(info)]
