"""PostgreSQL's binary formats, for the hot path: arrays as parameters, and rows for COPY.

Formats: "COPY", section "Binary Format", of PostgreSQL's manual, and array_send in its source.
Made here by hand because one join of prepared bytes costs a third of a call for each value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from storage.appending import Row

COPY_EVENTS: Final = (
    "COPY hilo_log.events (position, originator, version, topic, recorded_at, command_id, state)"
    " FROM STDIN (FORMAT BINARY)"
)

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_END: Final = struct.pack(">h", -1)
_COLUMNS: Final = 7
_UUID_BYTES: Final = 16
_FRONT: Final = struct.Struct(">hiqi16siii")
_MIDDLE: Final = struct.Struct(">iq")
_LENGTH: Final = struct.Struct(">i")
_NO_COMMAND: Final = _LENGTH.pack(-1)
_COMMAND: Final = _LENGTH.pack(_UUID_BYTES)
_ARRAY: Final = struct.Struct(">iiIii")
_UUID_OID: Final = 2950
_UUID_ARRAY_OID: Final = 2951
_BIGINT_OID: Final = 20
_BIGINT_ARRAY_OID: Final = 1016


class UuidArray:
    """A `uuid[]` parameter, from the 16 bytes of each."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self.values = values


class BigintArray:
    """A `bigint[]` parameter."""

    def __init__(self, values: Sequence[int]) -> None:
        self.values = values


class _UuidArrayDumper(Dumper):
    format = Format.BINARY
    oid = _UUID_ARRAY_OID

    def dump(self, obj: UuidArray) -> bytes:
        head = _ARRAY.pack(1, 0, _UUID_OID, len(obj.values), 1)
        return head + b"".join([_COMMAND + value for value in obj.values])


class _BigintArrayDumper(Dumper):
    format = Format.BINARY
    oid = _BIGINT_ARRAY_OID

    def dump(self, obj: BigintArray) -> bytes:
        head = _ARRAY.pack(1, 0, _BIGINT_OID, len(obj.values), 1)
        return head + b"".join([_MIDDLE.pack(8, value) for value in obj.values])


def register_arrays(connection: psycopg.Connection[Any]) -> None:
    """Let the connection take the two arrays as parameters."""
    connection.adapters.register_dumper(UuidArray, _UuidArrayDumper)
    connection.adapters.register_dumper(BigintArray, _BigintArrayDumper)


def copy_of(rows: Iterable[Row]) -> bytes:
    """The rows as one COPY stream."""
    parts = [_SIGNATURE]
    for position, originator, version, topic, recorded_at, command, state in rows:
        name = topic.encode()
        parts += (
            _FRONT.pack(_COLUMNS, 8, position, _UUID_BYTES, originator, 4, version, len(name)),
            name,
            _MIDDLE.pack(8, recorded_at),
            _NO_COMMAND if command is None else _COMMAND + command,
            _LENGTH.pack(len(state)),
            state,
        )
    parts.append(_END)
    return b"".join(parts)
