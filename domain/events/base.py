"""What all events have: a stream, a version in it, and who wrote them down."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct


class Actor(Struct, frozen=True, array_like=True):
    """Who wrote it down: user, token, channel, import or system, and which one."""

    kind: str
    id: str


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """What all events have: a stream, a version in it, and who wrote it down.

    `digest` is the SHA-256 of the body of the command, on the first event of a command that
    came with an Idempotency-Key.
    """

    originator_id: UUID
    originator_version: int
    actor: Actor
    on_behalf_of: UUID | None = None
    digest: bytes | None = None
