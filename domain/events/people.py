"""The company's own side: its people, its words, its tokens."""

from __future__ import annotations

from uuid import UUID

from domain.events.base import Event


class UserAdded(Event, frozen=True, kw_only=True, gc=False):
    """A person of the company became known; one with `sign_in` may enter."""

    user: UUID
    sign_in: bool = False
    role: str | None = None
    name: str | None = None
    email: str | None = None


class DepartmentSet(Event, frozen=True, kw_only=True, gc=False):
    """A department has this name, and is offered in forms or not."""

    key: str
    active: bool = True
    name: str | None = None


class CampaignSet(Event, frozen=True, kw_only=True, gc=False):
    """A campaign has this name, and is offered in forms or not."""

    key: str
    active: bool = True
    name: str | None = None


class SourceSet(Event, frozen=True, kw_only=True, gc=False):
    """A source (the account behind a channel) has this name."""

    key: str
    department: str | None = None
    name: str | None = None
    address: str | None = None


class TokenIssued(Event, frozen=True, kw_only=True, gc=False):
    """A token was made; its secret is nowhere but with its holder."""

    token: UUID
    name: str
    scopes: tuple[str, ...]
    source: str | None = None
    user: UUID | None = None
    expires_at: int | None = None


class TokenRevoked(Event, frozen=True, kw_only=True, gc=False):
    """A token opens nothing any more."""

    token: UUID


class UserNamed(Event, frozen=True, kw_only=True, gc=False):
    """A user's name or e-mail address was changed; `fields` names what this event sets."""

    user: UUID
    fields: tuple[str, ...]
    name: str | None = None
    email: str | None = None


class UserInvited(Event, frozen=True, kw_only=True, gc=False):
    """A one-time link was made with which a user sets their password, the first or a new one."""

    user: UUID
    expires_at: int


class UserSuspended(Event, frozen=True, kw_only=True, gc=False):
    """A user may not enter any more."""

    user: UUID


class UserRestored(Event, frozen=True, kw_only=True, gc=False):
    """A suspended user may enter again."""

    user: UUID


class UserMapped(Event, frozen=True, kw_only=True, gc=False):
    """A person without sign-in is this user; `into` None takes that back.

    The stream is the person's. What the log says of the person stays as it is, and is shown as
    the user's.
    """

    user: UUID
    into: UUID | None = None


class UserSettingsSet(Event, frozen=True, kw_only=True, gc=False):
    """A user chose how Hilo speaks to them; `fields` names what this event sets.

    `language` is a tag, `zone` an IANA name, `department` the key of their own one. A field
    that is named and None goes back to what everybody has.
    """

    user: UUID
    fields: tuple[str, ...]
    language: str | None = None
    zone: str | None = None
    shortcuts: bool | None = None
    department: str | None = None


class RoleGiven(Event, frozen=True, kw_only=True, gc=False):
    """A user has this role from now on."""

    user: UUID
    role: str


class RoleTaken(Event, frozen=True, kw_only=True, gc=False):
    """A user does not have this role any more."""

    user: UUID
    role: str


class AdministratorLost(Event, frozen=True, kw_only=True, gc=False):
    """A user stopped being an administrator, and another one was there.

    All of these are one stream: of two administrators who remove each other at once, its next
    version goes to one, and the other one is the last.
    """

    user: UUID


class PasswordSet(Event, frozen=True, kw_only=True, gc=False):
    """A user has a new password, which is nowhere but, hashed, in the key store."""

    user: UUID


class TeamAdded(Event, frozen=True, kw_only=True, gc=False):
    """A team was made."""

    team: UUID
    name: str | None = None


class TeamNamed(Event, frozen=True, kw_only=True, gc=False):
    """A team has this name, and is offered in forms or not."""

    team: UUID
    active: bool = True
    name: str | None = None


class TeamJoined(Event, frozen=True, kw_only=True, gc=False):
    """A user is in the team from now on."""

    team: UUID
    user: UUID


class TeamLeft(Event, frozen=True, kw_only=True, gc=False):
    """A user is not in the team any more."""

    team: UUID
    user: UUID


class LedgerRestored(Event, frozen=True, kw_only=True, gc=False):
    """The ledger was brought back from a backup that was taken at a time, at a position."""

    taken_at: int
    position: int


class Exported(Event, frozen=True, kw_only=True, gc=False):
    """A part of the log left the house: all of it from `first` on, or what is about one contact.

    `last` is the position that it goes up to. `with_keys`: it can be opened by who has it.
    """

    export: UUID
    first: int
    last: int
    contact: UUID | None = None
    with_keys: bool = False
    reason: str | None = None
