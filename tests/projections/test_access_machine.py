"""Who sees what after any history of decisions, merges and moves between teams, against a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.events import AccessOpened, AccessRestricted, Event, TeamJoined, TeamLeft
from projections.access import Access, Reader
from projections.core import core_group
from projections.group import Group
from projections.rebuild import checksum
from projections.views import Views
from tests.backends import Backend
from tests.projections.company import team_event, team_of
from tests.projections.kin import merged, undone
from tests.projections.reading import Desk
from tests.projections.story import Story, by_user, contact_stream, subject_of, user_of

ADDRESSES: Final = tuple(f"tel:+5255100000{number:02d}" for number in range(5))
USERS: Final = ("Rosa", "Luis", "Ana")
TEAMS: Final = ("Taller", "Ventas")

ACTIONS = st.lists(
    st.one_of(
        st.tuples(
            st.just("restrict"),
            st.integers(0, 4),
            st.sets(st.sampled_from(USERS), max_size=2),
            st.sets(st.sampled_from(TEAMS), max_size=1),
        ),
        st.tuples(st.just("open"), st.integers(0, 4)),
        st.tuples(st.just("merge"), st.integers(0, 4), st.integers(0, 4)),
        st.tuples(st.just("undo"), st.integers(0, 9)),
        st.tuples(st.just("move"), st.sampled_from(USERS), st.sampled_from(TEAMS)),
    ),
    max_size=14,
)


@dataclass
class Model:
    """The same in plain Python: trees of contacts, the last decision on each, teams as sets."""

    story: Story = field(default_factory=Story)
    above: dict[str, tuple[str, UUID]] = field(default_factory=dict)
    decided: dict[str, tuple[int, frozenset[UUID] | None, frozenset[str]]] = field(
        default_factory=dict
    )
    members: dict[str, set[str]] = field(default_factory=lambda: {team: set() for team in TEAMS})

    def root(self, address: str) -> str:
        """The contact that an address belongs to."""
        while address in self.above:
            address = self.above[address][0]
        return address

    def parts(self, root: str) -> set[str]:
        """All that belongs to a contact."""
        return {address for address in ADDRESSES if self.root(address) == root}

    def hidden(self, user: str) -> set[str]:
        """The contacts that a user may not see."""
        return {root for root in map(self.root, ADDRESSES) if not self._admits(root, user)}

    def _admits(self, root: str, user: str) -> bool:
        decisions = {part: self.decided[part] for part in self.parts(root) if part in self.decided}
        mine = {user_of(user)} | {team_of(team) for team in TEAMS if user in self.members[team]}
        for part, (at, named, _) in decisions.items():
            replaced = any(later > at and part in parts for later, _, parts in decisions.values())
            if named is not None and not replaced and mine.isdisjoint(named):
                return False
        return True

    def do(self, action: tuple[object, ...]) -> None:
        """Tell an action into the story, if it means anything now."""
        match action:
            case ("restrict", int(number), set(users), set(teams)):
                named = frozenset(map(user_of, users)) | frozenset(map(team_of, teams))
                if named:
                    self._decide(ADDRESSES[number], named, (users, teams))
            case ("open", int(number)):
                self._decide(ADDRESSES[number], None, (set(), set()))
            case ("merge", int(one), int(other)):
                survivor, absorbed = self.root(ADDRESSES[one]), self.root(ADDRESSES[other])
                if survivor != absorbed:
                    self.above[absorbed] = (survivor, merged(self.story, survivor, absorbed))
            case ("undo", int(number)) if self.above:
                absorbed = sorted(self.above)[number % len(self.above)]
                undone(self.story, self.above.pop(absorbed)[1])
            case ("move", str(user), str(team)):
                inside = user in self.members[team]
                kind: type[Event] = TeamLeft if inside else TeamJoined
                self.members[team] ^= {user}
                team_event(self.story, kind, team, user=user_of(user))

    def _decide(
        self, address: str, named: frozenset[UUID] | None, who: tuple[set[str], set[str]]
    ) -> None:
        root = self.root(address)
        rest = frozenset(self.parts(root) - {root})
        stream = contact_stream(subject_of(root))
        version = 1 + sum(entry.event.originator_id == stream for entry in self.story.entries)
        replaces = tuple(sorted(map(subject_of, rest)))
        place = {
            "originator_id": stream,
            "originator_version": version,
            "actor": by_user("Rosa"),
            "contact": subject_of(root),
            "replaces": replaces,
        }
        event: Event
        if named is None:
            event = AccessOpened(**place)  # type: ignore[arg-type] # fields of both
        else:
            users, teams = tuple(map(user_of, who[0])), tuple(map(team_of, who[1]))
            event = AccessRestricted(**place, users=users, teams=teams)  # type: ignore[arg-type] # as above
        self.decided[root] = (self.story.add(event).position, named, rest)


def _sums(views: Views, group: Group) -> dict[str, str]:
    """A checksum of each table of the group."""
    with views.reading() as reading:
        return {
            table.name: checksum(reading.stream, table, reading.generation)
            for table in group.tables
        }


@pytest.mark.begins_early
@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(actions=ACTIONS, page=st.sampled_from([1, 3, 1_000]))
def test_any_history_of_access_agrees_with_the_model(
    backend: Backend, actions: list[tuple[object, ...]], page: int
) -> None:
    """Each user sees exactly what the model says, live as rebuilt, and administrators see all."""
    model = Model()
    for user in USERS:
        model.story.user(user)
    for address in ADDRESSES:
        model.story.inbound(address)
    for action in actions:
        model.do(action)
    views = Views(backend.views_url)
    try:
        group = core_group(views)
        desk = Desk(views, group)
        desk.tell(model.story, page=page)
        _agree(views, model)
        live = _sums(views, group)
        desk.rebuild(model.story)
        assert _sums(views, group) == live
        _agree(views, model)
    finally:
        views.close()


def _agree(views: Views, model: Model) -> None:
    access = Access()
    with views.reading() as reading:
        for user in USERS:
            visible = access.visible(Reader(user_of(user)), reading)
            assert visible.hidden == {subject_of(one).bytes for one in model.hidden(user)}
            words, params = visible.contacts("s.contact")
            shown = reading.fetch(
                f"SELECT DISTINCT s.contact FROM subjects_g{reading.generation} s WHERE {words}",
                params,
            )
            roots = {model.root(address) for address in ADDRESSES} - model.hidden(user)
            assert {row[0] for row in shown} == {subject_of(one).bytes for one in roots}
        everything = access.visible(Reader(everything=True), reading)
        assert everything.hidden == frozenset()
