"""The append against a plain model of it: lists and dicts, and no database."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from msgspec import Struct

from domain.ports import Appended, Clash, Repeated, Unit, Verdict
from storage.appending import Batch, FenceMoved, LogStore
from tests.backends import Backend
from tests.storage.kit import happened, opened_store, sealed, stream_id, unit

STEPS = 25

NAMES = st.sampled_from("abcd")
EVENTS = st.tuples(NAMES, st.integers(1, 3), st.booleans())
UNITS = st.tuples(
    st.lists(EVENTS, min_size=1, max_size=3, unique_by=lambda event: event[:2]),
    st.none() | st.sampled_from(["k1", "k2", "k3"]),
)

PlainEvent = tuple[str, int, bool]
PlainUnit = tuple[list[PlainEvent], str | None]


class Model(Struct):
    """What the log should hold: places in order of position, commands by id, the fence."""

    places: list[tuple[str, int]] = []
    commands: dict[str, int] = {}
    fence: int = 0

    def judge(self, plain: PlainUnit) -> Verdict:
        """The verdict that a unit should get, its effect included."""
        events, command = plain
        if command in self.commands:
            return Repeated(self.commands[command])
        for name, version, if_absent in events:
            if (name, version) in self.places and not if_absent:
                return Clash(stream_id(name), version, self.position(name, version))
        new = [event for event in events if event[:2] not in self.places]
        self.places += [(name, version) for name, version, _ in new]
        if command is not None and new:
            name, version, _ = min(new, key=lambda event: event[2])
            self.commands[command] = self.position(name, version)
        positions = tuple(self.position(name, version) for name, version, _ in events)
        return Appended(positions, 0, ())

    def position(self, name: str, version: int) -> int:
        """Where a place stands."""
        return self.places.index((name, version)) + 1


def real(plain: PlainUnit) -> Unit:
    """The unit that the log gets."""
    events, command = plain
    pendings = [happened(name, version, if_absent=maybe) for name, version, maybe in events]
    return unit(*pendings, command=command)


class LogMachine(RuleBasedStateMachine):
    """Appends to a log and to its model, and compares."""

    def __init__(self, fresh: Callable[[], str]) -> None:
        super().__init__()
        self._fresh = fresh
        self._stack = ExitStack()
        self._model = Model()
        self._fence = 0
        self._url = ""
        self._store: LogStore | None = None

    @initialize()
    def begin(self) -> None:
        """An empty log."""
        self._url = self._fresh()
        self._store = self._stack.enter_context(opened_store(self._url))

    @property
    def store(self) -> LogStore:
        """The log's store."""
        assert self._store is not None
        return self._store

    @rule(plain_units=st.lists(UNITS, max_size=4), raises_fence=st.booleans())
    def append(self, plain_units: list[PlainUnit], raises_fence: bool) -> None:  # noqa: FBT001 - hypothesis calls it by name
        """A batch gets the verdicts that the model gives, or a moved fence and nothing else."""
        batch = Batch(sealed(*map(real, plain_units)), self._fence, raises_fence)
        if self._fence != self._model.fence:
            try:
                self.store.append(batch)
            except FenceMoved as moved:
                self._fence = moved.fence
            assert self._fence == self._model.fence
            return
        before = len(self._model.places)
        expected = [self._model.judge(plain) for plain in plain_units]
        if raises_fence and len(self._model.places) > before:
            self._model.fence += 1
        assert [_timeless(verdict) for verdict in self.store.append(batch)] == expected

    @rule()
    def restart(self) -> None:
        """Closing and opening again changes nothing."""
        self._stack.close()
        self._store = self._stack.enter_context(opened_store(self._url))

    @invariant()
    def the_log_is_the_model(self) -> None:
        """Every place and command stands where the model has it; head and fence agree."""
        if self._store is None:
            return
        entries = self.store.page(0, 1_000, 1_000_000)
        found = [(entry.originator_id, entry.originator_version) for entry in entries]
        assert found == [(stream_id(name), version) for name, version in self._model.places]
        commands = {entry.command_id: entry.position for entry in entries if entry.command_id}
        assert commands == {
            stream_id(f"command {name}"): position
            for name, position in self._model.commands.items()
        }
        head = self.store.head()
        assert (head.position, head.fence) == (len(found), self._model.fence)

    def teardown(self) -> None:
        """Close the log."""
        self._stack.close()


def _timeless(verdict: Verdict) -> Verdict:
    return Appended(verdict.positions, 0, ()) if isinstance(verdict, Appended) else verdict


def test_the_log_behaves_as_its_model(backend: Backend) -> None:
    """Any sequence of appends, repeats, clashes, erasures and restarts ends as in the model."""
    numbers = itertools.count()

    def fresh_file() -> str:
        return f"sqlite:///{Path(backend.folder) / f'{next(numbers)}.db'}"

    def fresh_schema() -> str:
        with psycopg.connect(backend.log_url, autocommit=True) as connection:
            connection.execute("SET client_min_messages = error")
            connection.execute("DROP SCHEMA IF EXISTS hilo_log CASCADE")
        return backend.log_url

    fresh, examples = (fresh_file, 40) if backend.kind == "sqlite" else (fresh_schema, 12)
    run_machine(
        cast("type[LogMachine]", lambda: LogMachine(fresh)),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
