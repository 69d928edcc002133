"""What an erasure would take, before anybody confirms it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from msgspec import Struct

from domain.errors import NotFound, WrongState
from projections import contact_pages

if TYPE_CHECKING:
    from projections.rendering import Renderer
    from projections.views import Reading

ERASED: Final = "This contact was erased."
NOBODY: Final = "There is no such contact."


class Plan(Struct, frozen=True):
    """What would be erased; `plan` is what confirms it, and changes with the addresses."""

    plan: str
    contact: str
    label: str
    addresses: list[str]
    subjects: int
    interactions: int
    by_channel: dict[str, int]
    holds: int
    nodes: list[str]
    keys_until: str | None


class Sight(Struct, frozen=True):
    """A contact as the views show it when a plan is made."""

    contact: UUID
    subjects: tuple[UUID, ...]
    label: str
    addresses: tuple[str, ...]
    interactions: int
    by_channel: Mapping[str, int]
    holds: int


class Seeing(Protocol):
    """A read of the views, and what renders contacts: a look of a caller has both."""

    @property
    def reading(self) -> Reading:
        """The read."""

    @property
    def renderer(self) -> Renderer:
        """What renders."""


def sight_in(seeing: Seeing, contact: UUID) -> Sight:
    """A contact, by its own id, as a plan needs it.

    Raises NotFound, and WrongState for one that was erased.
    """
    shown = seeing.renderer.contact(seeing.reading, contact.bytes)
    if shown is None:
        raise NotFound(NOBODY)
    if shown.erased_at is not None:
        raise WrongState(ERASED)
    members = contact_pages.members_of(seeing.reading, contact.bytes)
    return Sight(
        contact=contact,
        subjects=tuple(sorted(UUID(bytes=member) for member in members)),
        label=shown.label,
        addresses=tuple(one.address for one in shown.addresses if one.address and one.current),
        interactions=shown.interactions,
        by_channel=shown.by_channel,
        holds=len(shown.holds),
    )
