"""The control tables of the views: which generation of a group serves, and how far it came.

A generation is one set of a group's tables, with its number in their names. States: `building`
(a rebuild), `scratch` (a check), `serving` (at most one a group), `refused` (it was ahead of or
beside its log and serves no more), `retired` (replaced, about to be dropped).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from projections.database import Database, Slot, writing
from storage.source import Mark

START_LOCK: Final = 0x48494C4F_56494557
"""The advisory lock ("HILOVIEW") under which processes that start together take turns."""

_DDL: Final = (
    """
    CREATE TABLE IF NOT EXISTS checkpoints (
        group_name TEXT NOT NULL,
        generation BIGINT NOT NULL,
        state TEXT NOT NULL,
        code_version TEXT NOT NULL,
        ledger_id {bytes} NOT NULL,
        position BIGINT NOT NULL,
        leaf {bytes} NOT NULL,
        epochs {bytes} NOT NULL,
        target BIGINT NOT NULL,
        error TEXT,
        PRIMARY KEY (group_name, generation)
    )
    """,
    """
    CREATE UNIQUE INDEX IF NOT EXISTS checkpoints_serving
    ON checkpoints (group_name) WHERE state = 'serving'
    """,
    """
    CREATE TABLE IF NOT EXISTS generations (
        one BIGINT NOT NULL PRIMARY KEY,
        last BIGINT NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS parked (
        group_name TEXT NOT NULL,
        generation BIGINT NOT NULL,
        position BIGINT NOT NULL,
        topic TEXT NOT NULL,
        error TEXT NOT NULL,
        PRIMARY KEY (group_name, generation, position)
    )
    """,
)

_FIELDS: Final = "generation, state, code_version, ledger_id, position, leaf, epochs, target, error"


class Checkpoint(Struct, frozen=True):
    """A generation of a group: where it stands, and on which log.

    `epochs`: name → the position of the page that last changed what the name stands for.
    """

    generation: int
    state: str
    code_version: str
    mark: Mark
    epochs: dict[str, int]
    target: int
    error: str | None


class Parked(Struct, frozen=True):
    """An event that a live group could not apply, and what went wrong, without content."""

    position: int
    topic: str
    error: str


_decode_epochs = msgspec.msgpack.Decoder(dict[str, int]).decode
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def create_tables(database: Database) -> None:
    """Make the control tables, where they are not there; safe when processes start together."""
    slot = database.writer()
    try:
        with writing(slot):
            if slot.kind == "postgresql":
                slot.run("SELECT pg_advisory_xact_lock(?)", (START_LOCK,))
                slot.run("CREATE SCHEMA IF NOT EXISTS hilo_views")
            kind = "BLOB" if slot.kind == "sqlite" else "BYTEA"
            for statement in _DDL:
                slot.run(statement.format(bytes=kind))
    finally:
        slot.close()


def all_of(slot: Slot, group: str) -> list[Checkpoint]:
    """Every generation of a group, the oldest first."""
    found = slot.fetch(
        f"SELECT {_FIELDS} FROM checkpoints WHERE group_name = ? ORDER BY generation", (group,)
    )
    return [_checkpoint(row) for row in found]


def serving(slot: Slot, group: str) -> Checkpoint | None:
    """The generation that serves, whatever code made it."""
    found = slot.fetch(
        f"SELECT {_FIELDS} FROM checkpoints WHERE group_name = ? AND state = 'serving'", (group,)
    )
    return _checkpoint(found[0]) if found else None


def allocate(slot: Slot, group: str, state: str, code_version: str) -> int:
    """A new generation of a group, at position 0; its number was never used before."""
    # One counter for all groups: a table's suffix names its generation, and its group.
    slot.run(
        "INSERT INTO generations (one, last) VALUES (1, 1)"
        " ON CONFLICT (one) DO UPDATE SET last = generations.last + 1"
    )
    (number,) = slot.fetch("SELECT last FROM generations")[0]
    slot.run(
        f"INSERT INTO checkpoints (group_name, {_FIELDS}) VALUES (?, ?, ?, ?, ?, 0, ?, ?, 0, NULL)",
        (group, number, state, code_version, b"", b"", _encode({})),
    )
    return int(number)


def advance(slot: Slot, place: tuple[str, int], after: int, mark: Mark) -> bool:
    """Compare and set: move a generation from one position on; False where it is elsewhere."""
    changed = slot.run(
        "UPDATE checkpoints SET ledger_id = ?, position = ?, leaf = ?"
        " WHERE group_name = ? AND generation = ? AND position = ?"
        " AND state IN ('serving', 'building', 'scratch')",
        (mark.ledger_id, mark.position, mark.leaf, *place, after),
    )
    return changed == 1


def set_epochs(slot: Slot, place: tuple[str, int], epochs: dict[str, int]) -> None:
    """Remember the positions up to which caches are right."""
    slot.run(
        "UPDATE checkpoints SET epochs = ? WHERE group_name = ? AND generation = ?",
        (_encode(epochs), *place),
    )


def set_target(slot: Slot, place: tuple[str, int], target: int) -> None:
    """Remember where a rebuild is going."""
    slot.run(
        "UPDATE checkpoints SET target = ? WHERE group_name = ? AND generation = ?",
        (target, *place),
    )


def set_state(slot: Slot, place: tuple[str, int], state: str, error: str | None = None) -> None:
    """Change what a generation is."""
    slot.run(
        "UPDATE checkpoints SET state = ?, error = ? WHERE group_name = ? AND generation = ?",
        (state, error, *place),
    )


def forget(slot: Slot, place: tuple[str, int]) -> None:
    """A generation whose tables are gone leaves no trace."""
    slot.run("DELETE FROM parked WHERE group_name = ? AND generation = ?", place)
    slot.run("DELETE FROM checkpoints WHERE group_name = ? AND generation = ?", place)


def park(slot: Slot, place: tuple[str, int], parked: Parked) -> None:
    """Remember an event that could not be applied."""
    slot.run(
        "INSERT INTO parked (group_name, generation, position, topic, error)"
        " VALUES (?, ?, ?, ?, ?)",
        (*place, parked.position, parked.topic, parked.error),
    )


def parked_in(slot: Slot, place: tuple[str, int]) -> list[Parked]:
    """What a generation could not apply, in order."""
    found = slot.fetch(
        "SELECT position, topic, error FROM parked"
        " WHERE group_name = ? AND generation = ? ORDER BY position",
        place,
    )
    return [Parked(*row) for row in found]


def epochs_of(stored: bytes) -> dict[str, int]:
    """The epochs, from their column."""
    return _decode_epochs(stored)


def _checkpoint(row: tuple[Any, ...]) -> Checkpoint:
    generation, state, code_version, ledger_id, position, leaf, epochs, target, error = row
    return Checkpoint(
        generation=generation,
        state=str(state),
        code_version=str(code_version),
        mark=Mark(ledger_id, position, leaf),
        epochs=_decode_epochs(epochs),
        target=target,
        error=None if error is None else str(error),
    )
