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
