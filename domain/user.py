"""A user: who may enter, as what, and how Hilo speaks to them.

Invariants: one stream a person, derive('user', id). Only somebody with sign-in has a role, and
one role at most; a user without a role may do nothing. Whoever is suspended keeps their role
for the day on which they are restored. A person without sign-in, whom somebody's words or an
import brought, may be declared to be a user; no user is ever declared to be another. What
changes nothing leaves no trace. That one administrator always remains is the book's to see to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from msgspec import Struct, structs

from domain.errors import WrongState
from domain.events import (
    Event,
    RoleGiven,
    RoleTaken,
    UserAdded,
    UserMapped,
    UserNamed,
    UserRestored,
    UserSettingsSet,
    UserSuspended,
)
from domain.series import UNNUMBERED, series

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.commands import By
    from domain.ports import EventLike

ROLES: Final = ("admin", "manager", "agent", "auditor")
"""What a user can be, the mightiest first."""

ADMIN: Final = "admin"

SETTINGS: Final = ("language", "zone", "shortcuts", "department")
"""What a user chooses for themself."""


class UserSettings(Struct, frozen=True):
    """What a user chose; None where they did not."""

    language: str | None = None
    zone: str | None = None
    shortcuts: bool | None = None
    department: str | None = None


class User(Struct, frozen=True):
    """A person of the company, as the log has them; `id` is the stream."""

    id: UUID
    user: UUID
    version: int = 0
    sign_in: bool = False
    role: str | None = None
    suspended: bool = False
    name: str | None = None
    email: str | None = None
    into: UUID | None = None
    settings: UserSettings = UserSettings()

    @property
    def may_enter(self) -> bool:
        """Whether sign-in is for them, and not taken from them."""
        return self.sign_in and not self.suspended

    @property
    def is_administrator(self) -> bool:
        """Whether they may enter, and do everything."""
        return self.may_enter and self.role == ADMIN


class NewUser(Struct, frozen=True):
    """Somebody who is to be invited."""

    email: str
    name: str
    role: str


class UserChange(Struct, frozen=True, kw_only=True):
    """What is changed of a user; `fields` names what is set: name, email, role, into, settings.

    `role` None takes the role; `into` None takes back a mapping; a setting that is None goes
    back to what everybody has.
    """

    fields: frozenset[str]
    name: str | None = None
    email: str | None = None
    role: str | None = None
    into: UUID | None = None
    settings: UserSettings = UserSettings()


# ------------------------------------------------------------------- decisions


def add(stream: UUID, user: UUID, new: NewUser, by: By) -> list[UserAdded]:
    """Make somebody a user."""
    event = UserAdded(
        originator_id=stream,
        originator_version=UNNUMBERED,
        actor=by.actor,
        user=user,
        sign_in=True,
        role=new.role,
        name=new.name,
        email=new.email,
    )
    return series([event], 0, by)


def change(user: User, wanted: UserChange, by: By) -> list[Event]:
    """Change what is different. Raises WrongState where it is not for such a person."""
    found: list[Event] = []
    found += _named(user, wanted, by)
    if "role" in wanted.fields:
        found += _role(user, wanted.role, by)
    if "into" in wanted.fields:
        found += _mapped(user, wanted.into, by)
    found += _settings(user, wanted, by)
    return series(found, user.version, by)


def suspend(user: User, by: By) -> list[Event]:
    """Keep a user out. Raises WrongState for a person without sign-in."""
    _require_user(user)
    if user.suspended:
        return []
    event = UserSuspended(
        originator_id=user.id,
        originator_version=UNNUMBERED,
        actor=by.actor,
        user=user.user,
    )
    return series([event], user.version, by)


def restore(user: User, by: By) -> list[Event]:
    """Let a suspended user in again. Raises WrongState for a person without sign-in."""
    _require_user(user)
    if not user.suspended:
        return []
    event = UserRestored(
        originator_id=user.id,
        originator_version=UNNUMBERED,
        actor=by.actor,
        user=user.user,
    )
    return series([event], user.version, by)


def _require_user(user: User) -> None:
    if not user.sign_in:
        raise WrongState("This is a person without sign-in; invite them as a user first.")


def _named(user: User, wanted: UserChange, by: By) -> list[Event]:
    """The new name and e-mail; a name is never cleared, and an e-mail is for users."""
    name = wanted.name if "name" in wanted.fields else user.name
    email = wanted.email if "email" in wanted.fields else user.email
    changed = tuple(
        field
        for field, value, before in (("email", email, user.email), ("name", name, user.name))
        if value != before
    )
    if not changed:
        return []
    if "email" in changed:
        _require_user(user)
    event = UserNamed(
        originator_id=user.id,
        originator_version=UNNUMBERED,
        actor=by.actor,
        user=user.user,
        fields=changed,
        name=name if "name" in changed else None,
        email=email if "email" in changed else None,
    )
    return [event]


def _role(user: User, role: str | None, by: By) -> list[Event]:
    """The role that a user has from now on, instead of the one before."""
    _require_user(user)
    if role == user.role:
        return []
    found: list[Event] = []
    if user.role is not None:
        taken = RoleTaken(
            originator_id=user.id,
            originator_version=UNNUMBERED,
            actor=by.actor,
            user=user.user,
            role=user.role,
        )
        found.append(taken)
    if role is not None:
        given = RoleGiven(
            originator_id=user.id,
            originator_version=UNNUMBERED,
            actor=by.actor,
            user=user.user,
            role=role,
        )
        found.append(given)
    return found


def _mapped(person: User, into: UUID | None, by: By) -> list[Event]:
    """Who a person without sign-in really is. That `into` is a user, the book knows."""
    if person.sign_in:
        raise WrongState("This is a user; only a person without sign-in can be another.")
    if into == person.into:
        return []
    event = UserMapped(
        originator_id=person.id,
        originator_version=UNNUMBERED,
        actor=by.actor,
        user=person.user,
        into=into,
    )
    return [event]


def _settings(user: User, wanted: UserChange, by: By) -> list[Event]:
    """What the user chose anew."""
    now, new = user.settings, wanted.settings
    changed = tuple(
        field
        for field, before, value in (
            ("department", now.department, new.department),
            ("language", now.language, new.language),
            ("shortcuts", now.shortcuts, new.shortcuts),
            ("zone", now.zone, new.zone),
        )
        if field in wanted.fields and value != before
    )
    if not changed:
        return []
    _require_user(user)
    event = UserSettingsSet(
        originator_id=user.id,
        originator_version=UNNUMBERED,
        actor=by.actor,
        user=user.user,
        fields=changed,
        language=new.language if "language" in changed else None,
        zone=new.zone if "zone" in changed else None,
        shortcuts=new.shortcuts if "shortcuts" in changed else None,
        department=new.department if "department" in changed else None,
    )
    return [event]


# ----------------------------------------------------------------------- apply


def project(user: User | None, events: Iterable[EventLike]) -> User | None:
    """A user after the events of their stream."""
    for event in events:
        user = _applied(user, event)
    return user


def _applied(user: User | None, event: EventLike) -> User | None:
    if isinstance(event, UserAdded):
        user = User(
            event.originator_id,
            event.user,
            sign_in=event.sign_in,
            role=event.role,
            name=event.name,
            email=event.email,
        )
    if user is None:
        return None
    return structs.replace(_changed(user, event), version=event.originator_version)


def _changed(user: User, event: EventLike) -> User:
    match event:
        case UserNamed():
            name = event.name if "name" in event.fields else user.name
            email = event.email if "email" in event.fields else user.email
            return structs.replace(user, name=name, email=email)
        case UserSuspended():
            return structs.replace(user, suspended=True)
        case UserRestored():
            return structs.replace(user, suspended=False)
        case RoleGiven():
            return structs.replace(user, role=event.role)
        case RoleTaken():
            return structs.replace(user, role=None)
        case UserMapped():
            return structs.replace(user, into=event.into)
        case UserSettingsSet():
            return structs.replace(user, settings=settled(user.settings, event))
        case _:
            return user


def settled(settings: UserSettings, event: UserSettingsSet) -> UserSettings:
    """The settings after a user chose anew."""
    fields: Sequence[str] = event.fields
    return UserSettings(
        language=event.language if "language" in fields else settings.language,
        zone=event.zone if "zone" in fields else settings.zone,
        shortcuts=event.shortcuts if "shortcuts" in fields else settings.shortcuts,
        department=event.department if "department" in fields else settings.department,
    )
