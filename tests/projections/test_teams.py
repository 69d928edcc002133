"""Teams: who is in which, now and at any position; users as they change."""

from __future__ import annotations

from uuid import UUID

from domain.events import (
    RoleGiven,
    RoleTaken,
    TeamAdded,
    TeamJoined,
    TeamLeft,
    TeamNamed,
    UserMapped,
    UserNamed,
    UserRestored,
    UserSettingsSet,
    UserSuspended,
)
from projections.base import Projection
from projections.dictionary import TEAM, USER, Dictionary, DictionaryProjection, Names
from projections.teams import Teams, members_of, stays, teams_of
from tests.backends import Backend
from tests.projections.company import team_event, team_of, user_event
from tests.projections.desk import Desk, desk
from tests.projections.story import Story, user_of

PROJECTIONS: tuple[Projection, ...] = (DictionaryProjection(), Teams())
ROSA, LUIS = user_of("Rosa"), user_of("Luis")
SHOP, SALES = team_of("Taller"), team_of("Ventas")


def names_at(at: Desk, book: Dictionary) -> Names:
    """The names as the book has them now."""
    with at.views.reading() as reading:
        return book.names(reading)


def people_of(found: list[bytes]) -> set[UUID]:
    """Ids as UUIDs."""
    return {UUID(bytes=raw) for raw in found}


def test_a_stay_has_its_positions(backend: Backend) -> None:
    """Who joins, leaves and comes back was in the team at those positions, and no others."""
    story = Story()
    team_event(story, TeamAdded, "Taller", name="Taller")
    joined = team_event(story, TeamJoined, "Taller", user=ROSA).position
    team_event(story, TeamJoined, "Taller", user=LUIS)
    left = team_event(story, TeamLeft, "Taller", user=ROSA).position
    back = team_event(story, TeamJoined, "Taller", user=ROSA).position
    team_event(story, TeamAdded, "Ventas", name="Ventas")
    team_event(story, TeamJoined, "Ventas", user=ROSA)
    gone = team_event(story, TeamLeft, "Taller", user=LUIS).position
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries, page=3)
        with at.views.reading() as reading:
            then = {
                position: people_of(members_of(reading, SHOP.bytes, position))
                for position in (joined - 1, joined, left - 1, left, back, gone)
            }
            assert people_of(teams_of(reading, ROSA.bytes)) == {SHOP, SALES}
            assert people_of(teams_of(reading, ROSA.bytes, left)) == set()
            assert people_of(members_of(reading, SHOP.bytes)) == {ROSA}
            assert {(UUID(bytes=bytes(a)), UUID(bytes=bytes(b))) for a, b in stays(reading)} == {
                (ROSA, SHOP),
                (ROSA, SALES),
            }
    assert then == {
        joined - 1: set(),
        joined: {ROSA},
        left - 1: {ROSA, LUIS},
        left: {LUIS},
        back: {ROSA, LUIS},
        gone: {ROSA},
    }


def test_a_team_has_a_name_and_a_version(backend: Backend) -> None:
    """Its name may change, it may be taken out of forms, and each change raises its version."""
    story = Story()
    team_event(story, TeamAdded, "Taller", name="Taller")
    team_event(story, TeamJoined, "Taller", user=ROSA)
    team_event(story, TeamNamed, "Taller", name="Taller norte", active=False)
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        names = names_at(at, Dictionary(at.views))
        (team,) = names.all(TEAM)
        assert (team.name, team.active, team.extra.version) == ("Taller norte", False, 3)
        assert names.team(SHOP).name == names.team(SHOP.bytes).name == "Taller norte"
        assert names.team(SALES).name == str(SALES)


def test_a_user_changes(backend: Backend) -> None:
    """Name, e-mail, role, suspension and choices are those of the last event; a rebuild agrees."""
    story = Story()
    story.user("Rosa")
    for kind, more in (
        (UserNamed, {"fields": ("name",), "name": "Rosa D."}),
        (UserNamed, {"fields": ("email",), "email": "rd@example.mx"}),
        (UserSettingsSet, {"fields": ("language", "shortcuts"), "language": "es"}),
        (RoleTaken, {"role": "agent"}),
        (RoleGiven, {"role": "admin"}),
    ):
        user_event(story, kind, "Rosa", **more)
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        book = Dictionary(at.views)
        (rosa,) = names_at(at, book).all(USER)
        extra = rosa.extra
        assert (rosa.name, extra.email, extra.role, rosa.active) == (
            "Rosa D.",
            "rd@example.mx",
            "admin",
            True,
        )
        assert (extra.language, extra.shortcuts, extra.version) == ("es", None, 6)
        assert book.administrators() == [ROSA]
        user_event(story, UserSuspended, "Rosa")
        at.feed(story.entries)
        assert names_at(at, book).administrators() == []
        user_event(story, UserRestored, "Rosa")
        at.feed(story.entries)
        assert names_at(at, book).administrators() == [ROSA]


def test_an_old_name_finds_nobody(backend: Backend) -> None:
    """After a change only the new e-mail and name find the user, so the old ones can be others'."""
    story = Story()
    story.user("Rosa")
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        book = Dictionary(at.views)
        assert book.staff_id("rosa@example.mx") == book.staff_id("rosa") == ROSA
        fields = {"fields": ("email", "name"), "email": "rd@example.mx", "name": "Rosa D."}
        user_event(story, UserNamed, "Rosa", **fields)
        story.user("Luis", email="rosa@example.mx")
        at.feed(story.entries)
        for names in (names_at(at, book), names_at(at, Dictionary(at.views))):
            assert names.staff_id("rosa@example.mx") == LUIS
            assert names.staff_id("rd@example.mx") == names.staff_id("ROSA D.") == ROSA
            assert names.staff_id("rosa") is None


def test_a_person_is_shown_as_the_user_whom_they_are(backend: Backend) -> None:
    """A person without sign-in who was declared to be a user has that user's name; undone, not."""
    story = Story()
    story.user("Rosa")
    story.user("Rosita", sign_in=False)
    user_event(story, UserMapped, "Rosita", into=ROSA)
    rosita = user_of("Rosita")
    with desk(backend.views_url, PROJECTIONS) as at:
        at.feed(story.entries)
        book = Dictionary(at.views)
        names = names_at(at, book)
        assert names.user(rosita) == names.user(ROSA)
        assert names.staff_id("Rosita") == names.staff_id(str(rosita)) == ROSA
        assert set(book.alike(ROSA)) == {ROSA, rosita}
        user_event(story, UserMapped, "Rosita")
        at.feed(story.entries)
        names = names_at(at, book)
        assert names.user(rosita).name == "Rosita"
        assert names.alike(ROSA) == [ROSA]
