"""The views as their readers meet them: one consistent read at a time.

A reading is one snapshot: the checkpoint of a group and every query inside see the same
position, whatever the follower commits meanwhile. Which generation of the tables that is, only
the reading knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final, Self

import sqlalchemy as sa
from msgspec import Struct

from domain.errors import NotYet, StoreUnavailable
from projections import checkpoints
from projections.base import RowTable
from projections.checkpoints import Checkpoint, Parked
from projections.database import Database, Kind, Slot, is_damage, is_refusal, translated

CORE: Final = "core"
"""The group whose views are never torn: names, contacts, access, timeline, inbox, activity."""

SEARCH: Final = "search"
"""The words of all interactions; whose they are and who may see them, the core says."""
REPORTS: Final = "reports"
"""The facts that figures are made of; whose they are and who may see them, the core says."""

_SNAPSHOT: Final = {
    "sqlite": "BEGIN",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}

_PLACE: Final = """
SELECT generation, position, epochs FROM checkpoints
WHERE group_name = ? AND state = 'serving' AND code_version = ?
"""

_GONE: Final = ("no such table", "does not exist")
"""How the databases say that a table was dropped while a read was going on."""


class Rebuilding(Struct, frozen=True):
    """A rebuild on its way: `done` of `total` positions."""

    generation: int
    done: int
    total: int


class GroupState(Struct, frozen=True):
    """How a group of views is: `lag` in positions, None where nothing serves.

    With anything in `parked` the group promises nothing until it is rebuilt.
    """

    group: str
    serving: bool
    generation: int | None
    position: int
    lag: int | None
    reason: str | None
    parked: tuple[Parked, ...]
    rebuilding: Rebuilding | None


class Reading:
    """One consistent read of a group: a snapshot, its position, and queries on it.

    A context manager, for one thread at a time. Entering raises NotYet where nothing serves,
    Busy and StoreUnavailable.
    """

    __slots__ = ("_database", "_epochs", "_group", "_slot", "_versions", "generation", "position")

    def __init__(self, database: Database, group: str, versions: Mapping[str, str]) -> None:
        self._database = database
        self._group = group
        self._versions = versions
        self.generation = 0
        self.position = 0

    def __enter__(self) -> Self:
        try:
            found = self._begin()
        except Exception as error:
            if not is_refusal(error):
                raise
            # Idle connections die with a restart of the server; a fresh one says how it is now.
            self._database.close_idle()
            with translated():
                found = self._begin()
        if not found:
            self._leave(broken=False)
            raise NotYet(f"The views of `{self._group}` are being built.")
        self.generation, self.position, self._epochs = found[0]
        return self

    def _begin(self) -> list[tuple[Any, ...]]:
        self._slot = slot = self._database.reader()
        try:
            words = (self._group, self._versions[self._group])
            return slot.begin_with(_SNAPSHOT[slot.kind], _PLACE, words)
        except BaseException as error:
            self._database.give_back(slot, broken=True)
            self._database.heal(error, slot.file)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        refused = error is not None and (is_refusal(error) or _is_gone(error))
        self._leave(broken=refused)
        if refused and error is not None:
            self._database.heal(error, self._slot.file)
            if _is_gone(error):
                raise NotYet("The views were exchanged for newer ones just now.") from error
            raise StoreUnavailable("The views do not answer.") from error

    @property
    def kind(self) -> Kind:
        """Which database answers."""
        return self._slot.kind

    def table(self, table: RowTable[Any]) -> sa.Table:
        """The SQLAlchemy table, for `select`."""
        return table.at(self.generation)

    def name(self, table: RowTable[Any]) -> str:
        """The table's real name, for `fetch`."""
        return f"{table.name}_g{self.generation}"

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """The rows of a SQLAlchemy query."""
        return self._slot.connection.execute(statement).fetchall()

    def fetch(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query in words, with `?` for its parameters on both databases.

        SQLite gives booleans as 0 and 1.
        """
        return self._slot.fetch(sql, params)

    def stream(self, sql: str) -> Iterator[Sequence[Any]]:
        """The rows of a query over a whole table, read a chunk at a time."""
        return self._slot.stream(sql)

    def beside(self, group: str) -> Beside:
        """Another group in this very snapshot. Raises NotYet where nothing of it serves."""
        found = self.fetch(_PLACE, (group, self._versions[group]))
        if not found:
            raise NotYet(f"The views of `{group}` are being built.")
        return Beside(self, *found[0][:2])

    def epoch(self, name: str) -> int:
        """The position of the page that last changed what the name stands for; 0 if none."""
        return checkpoints.epochs_of(self._epochs).get(name, 0)

    def _leave(self, *, broken: bool) -> None:
        slot = self._slot
        if not broken:
            try:
                slot.cursor("COMMIT")
            except Exception:  # noqa: BLE001 - whatever it was, the connection is not used again
                broken = True
        self._database.give_back(slot, broken=broken)


class Beside:
    """A group as another group's reading sees it: its tables and its position."""

    __slots__ = ("_reading", "generation", "position")

    def __init__(self, reading: Reading, generation: int, position: int) -> None:
        self._reading = reading
        self.generation = generation
        self.position = position

    @property
    def kind(self) -> Kind:
        """Which database answers."""
        return self._reading.kind

    def name(self, table: RowTable[Any]) -> str:
        """As in Reading, of this group's tables."""
        return f"{table.name}_g{self.generation}"

    def fetch(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """As in Reading."""
        return self._reading.fetch(sql, params)


def any_of(
    reading: Reading | Beside, column: str, ids: Sequence[object]
) -> tuple[str, tuple[object, ...]]:
    """Whether a column is one of some ids: a condition and its parameters."""
    if reading.kind == "postgresql":  # one array is read faster than a thousand parameters
        return f"{column} = ANY(?)", (list(ids),)
    return f"{column} IN ({', '.join('?' * len(ids))})", tuple(ids)


class Views:
    """The database of the views, opened; makes its control tables where they are missing.

    A file that is damaged is set aside, now or when it is found out, and made anew.
    `url`: sqlite:///<file> or postgresql://…. Raises StoreUnavailable.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self._versions: dict[str, str] = {}
        self._closing: list[Callable[[], None]] = []
        try:
            checkpoints.create_tables(self.database)
        except StoreUnavailable as error:
            if not is_damage(error):
                raise
            self.database.heal(error, self.database.file)
            checkpoints.create_tables(self.database)

    def expect(self, group: str, code_version: str) -> None:
        """Read a group only from a generation that this version of its code made."""
        self._versions[group] = code_version

    def on_close(self, close: Callable[[], None]) -> None:
        """Have this called when the views are closed; it may be called again."""
        self._closing.append(close)

    def reading(self, group: str = CORE) -> Reading:
        """One consistent read: `with views.reading() as reading: …`."""
        return Reading(self.database, group, self._versions)

    def position(self, group: str = CORE) -> int:
        """The position that a group's readers see. Raises NotYet where nothing serves."""
        with self.reading(group) as reading:
            return reading.position

    def least(self) -> int:
        """The position that the readers of every group see, of those that serve.

        Raises NotYet where the core does not.
        """
        found = self.position()
        for group in self._versions:
            with suppress(NotYet):
                found = min(found, self.position(group))
        return found

    def state(self, head: int) -> list[GroupState]:
        """How each group is, against the log's last position."""
        with self._looking() as slot:
            return [self._state(slot, group, head) for group in sorted(self._versions)]

    def serving(self, group: str) -> Checkpoint | None:
        """The checkpoint of the generation that serves; None where none does."""
        with self._looking() as slot:
            return checkpoints.serving(slot, group)

    @contextmanager
    def _looking(self) -> Iterator[Slot]:
        """A snapshot of the control tables. Raises StoreUnavailable."""
        slot = self.database.reader()
        broken = True
        try:
            slot.cursor(_SNAPSHOT[slot.kind])
            yield slot
            slot.cursor("COMMIT")
            broken = False
        except Exception as error:
            if is_refusal(error):
                self.database.heal(error, slot.file)
                raise StoreUnavailable("The views do not answer.") from error
            raise
        finally:
            self.database.give_back(slot, broken=broken)

    def close(self) -> None:
        """Close what is open, the groups' connections too."""
        for close in self._closing:
            close()
        self.database.close()

    def _state(self, slot: Slot, group: str, head: int) -> GroupState:
        generations = checkpoints.all_of(slot, group)
        last = next((c for c in reversed(generations) if c.state in {"serving", "refused"}), None)
        building = next((c for c in reversed(generations) if c.state == "building"), None)
        serves = last is not None and last.state == "serving" and self._is_ours(group, last)
        return GroupState(
            group=group,
            serving=serves,
            generation=last.generation if last else None,
            position=last.mark.position if last else 0,
            lag=max(0, head - last.mark.position) if last and serves else None,
            reason=_reason(last, serves=serves),
            parked=tuple(checkpoints.parked_in(slot, (group, last.generation))) if last else (),
            rebuilding=Rebuilding(
                building.generation, building.mark.position, max(building.target, head)
            )
            if building
            else None,
        )

    def _is_ours(self, group: str, checkpoint: Checkpoint) -> bool:
        return checkpoint.code_version == self._versions[group]


def _reason(last: Checkpoint | None, *, serves: bool) -> str | None:
    if serves:
        return None
    if last is None:
        return "never built"
    return last.error or "made by another version of the program"


def _is_gone(error: BaseException | None) -> bool:
    """Whether a read met a table that a rebuild had just dropped."""
    if isinstance(error, sa.exc.DBAPIError):
        error = error.orig
    names = {"UndefinedTable", "OperationalError"}
    return type(error).__name__ in names and any(text in str(error) for text in _GONE)
