"""Users, teams and words: given what happened, what a decision says."""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec import structs

from domain import team, user, word
from domain.commands import By, Repeatable
from domain.errors import WrongState
from domain.events import (
    Actor,
    CampaignSet,
    DepartmentSet,
    RoleGiven,
    RoleTaken,
    SourceSet,
    TeamJoined,
    TeamNamed,
    UserAdded,
    UserMapped,
    UserNamed,
    UserRestored,
    UserSettingsSet,
    UserSuspended,
)
from domain.team import Team
from domain.user import NewUser, User, UserChange, UserSettings
from domain.word import CAMPAIGN, DEPARTMENT, SOURCE, Word, WordChange

STREAM, ROSA, LUIS = UUID(int=1), UUID(int=2), UUID(int=3)
BY = By(Actor("user", "ada"), LUIS, Repeatable(UUID(int=9), b"digest"))


def rosa(*, role: str | None = "agent", sign_in: bool = True) -> User:
    """A user who may enter, as their stream tells it."""
    new = NewUser("rosa@example.mx", "Rosa", "agent")
    found = user.project(None, user.add(STREAM, ROSA, new, BY))
    assert found is not None
    return structs.replace(found, role=role, sign_in=sign_in)


def wanted(**fields: object) -> UserChange:
    """A change of these fields."""
    chosen = {name: fields.pop(name) for name in user.SETTINGS if name in fields}
    given = frozenset({*fields, *chosen})
    return UserChange(fields=given, settings=UserSettings(**chosen), **fields)  # type: ignore[arg-type]  # fields by their names


def test_an_added_user_may_enter() -> None:
    """The first event makes a user with role, name and e-mail, by whoever said so."""
    (event,) = user.add(STREAM, ROSA, NewUser("rosa@example.mx", "Rosa", "agent"), BY)
    assert isinstance(event, UserAdded)
    assert (event.originator_version, event.on_behalf_of, event.digest) == (1, LUIS, b"digest")
    now = rosa()
    assert (now.version, now.name, now.email, now.role, now.may_enter) == (
        1,
        "Rosa",
        "rosa@example.mx",
        "agent",
        True,
    )
    assert not now.is_administrator


def test_a_change_writes_what_is_different() -> None:
    """Equal values leave no trace; several changes stand in order, the first with the digest."""
    now = rosa()
    assert user.change(now, wanted(name="Rosa", email=now.email, role="agent"), BY) == []
    events = user.change(now, wanted(name="Rosa D.", role="admin", zone="Europe/Madrid"), BY)
    assert [type(event) for event in events] == [UserNamed, RoleTaken, RoleGiven, UserSettingsSet]
    assert [event.originator_version for event in events] == [2, 3, 4, 5]
    assert [event.digest for event in events] == [b"digest", None, None, None]
    then = user.project(now, events)
    assert then is not None
    assert (then.name, then.email, then.role) == ("Rosa D.", "rosa@example.mx", "admin")
    assert (then.settings.zone, then.settings.language, then.version) == ("Europe/Madrid", None, 5)
    assert then.is_administrator


def test_a_role_can_be_taken() -> None:
    """Without another role, nothing is given."""
    events = user.change(rosa(), wanted(role=None), BY)
    assert [type(event) for event in events] == [RoleTaken]
    now = user.project(rosa(), events)
    assert now is not None
    assert now.role is None


def test_suspending_keeps_the_role() -> None:
    """A suspended user may not enter, is suspended once, and comes back as what they were."""
    events = user.suspend(rosa(role="admin"), BY)
    assert [type(event) for event in events] == [UserSuspended]
    now = user.project(rosa(role="admin"), events)
    assert now is not None
    assert (now.may_enter, now.is_administrator, now.role) == (False, False, "admin")
    assert user.suspend(now, BY) == []
    events = user.restore(now, BY)
    assert [type(event) for event in events] == [UserRestored]
    back = user.project(now, events)
    assert back is not None
    assert back.is_administrator
    assert user.restore(back, BY) == []


@pytest.mark.parametrize("field", ["role", "email", "zone", "suspend", "restore"])
def test_a_person_without_sign_in_has_none_of_it(field: str) -> None:
    """Role, e-mail, choices and suspension are for users."""
    person = rosa(sign_in=False, role=None)
    decisions = {"suspend": user.suspend, "restore": user.restore}
    change = wanted(**{field: "admin"} if field not in decisions else {})
    decide = decisions.get(field, lambda now, by: user.change(now, change, by))
    with pytest.raises(WrongState):
        decide(person, BY)


def test_a_person_without_sign_in_can_be_a_user() -> None:
    """They are mapped once, back, and a user never is."""
    person = rosa(sign_in=False, role=None)
    (event,) = user.change(person, wanted(into=LUIS), BY)
    assert isinstance(event, UserMapped)
    now = user.project(person, [event])
    assert now is not None
    assert user.change(now, wanted(into=LUIS), BY) == []
    (back,) = user.change(now, wanted(into=None), BY)
    assert isinstance(back, UserMapped)
    assert back.into is None
    with pytest.raises(WrongState):
        user.change(rosa(), wanted(into=LUIS), BY)


def test_a_team_is_joined_and_left_once() -> None:
    """Joining twice and leaving twice leave no trace; its name changes with its state."""
    made = team.project(None, team.add(STREAM, ROSA, "Taller", BY))
    assert made == Team(STREAM, ROSA, 1, "Taller")
    joined = team.join(made, LUIS, BY)
    now = team.project(made, joined)
    assert now is not None
    assert isinstance(joined[0], TeamJoined)
    assert (now.members, now.version) == (frozenset({LUIS}), 2)
    assert team.join(now, LUIS, BY) == []
    left = team.project(now, team.leave(now, LUIS, BY))
    assert left is not None
    assert left.members == frozenset()
    assert team.leave(left, LUIS, BY) == []
    assert team.name(now, "Taller", None, BY) == []
    (named,) = team.name(now, None, False, BY)  # noqa: FBT003 - a field, not a switch
    assert isinstance(named, TeamNamed)
    assert (named.name, named.active) == ("Taller", False)


@pytest.mark.parametrize(
    ("kind", "event"),
    [(DEPARTMENT, DepartmentSet), (CAMPAIGN, CampaignSet), (SOURCE, SourceSet)],
)
def test_a_word_keeps_its_key(kind: str, event: type[object]) -> None:
    """Its name changes and its key stays; what is the same leaves no trace."""
    new = WordChange(fields=frozenset({"name"}), name="Ventas")
    (first,) = word.set_word(STREAM, Word(kind, "ventas"), new, BY)
    assert isinstance(first, event)
    now = word.project(None, [first])
    assert now == Word(kind, "ventas", 1, "Ventas")
    assert now is not None
    assert word.set_word(STREAM, now, new, BY) == []
    other = WordChange(fields=frozenset({"name"}), name="Ventas norte")
    (second,) = word.set_word(STREAM, now, other, BY)
    then = word.project(now, [second])
    assert then is not None
    assert (then.key, then.name, then.version) == ("ventas", "Ventas norte", 2)
