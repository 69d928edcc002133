"""The ids of stories: they follow from addresses, names and external ids alone."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

from domain import events
from domain.values import Role

START: Final = 1_760_000_000_000_000
"""The first moment of every story (2025-10-09 08:53:20 UTC), in µs."""

SECOND: Final = 1_000_000
SOURCE: Final = "whatsapp:106540352242922"
US: Final = "tel:+525598765432"
CHANNEL_ACTOR: Final = events.Actor("channel", "meta-main")

_SCOPED: Final = ("whatsapp", "messenger", "instagram", "telegram", "webchat", "short", "sender")


def derived(*parts: object) -> UUID:
    """An id that follows from its parts alone."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return UUID(bytes=digest[:16], version=4)


def moment(at: int) -> int:
    """`at` seconds after START, in µs since the epoch."""
    return START + at * SECOND


def subject_of(address: str) -> UUID:
    """The subject of an address, in every story the same; of `contact:<uuid>` that UUID."""
    scheme, _, rest = address.partition(":")
    return UUID(rest) if scheme == "contact" else derived("subject", address)


def scheme_of(address: str) -> tuple[str, str | None]:
    """Scheme and scope of a canonical address."""
    scheme, _, rest = address.partition(":")
    return scheme, rest.rpartition("/")[0] if scheme in _SCOPED else None


def user_of(name: str) -> UUID:
    """The id of a user of that name."""
    return derived("user", name)


def by_user(name: str) -> events.Actor:
    """The user of that name as actor."""
    return events.Actor("user", str(user_of(name)))


def fact(source: str, kind: str, key: str) -> UUID:
    """The stream of an external fact."""
    return derived("fact", source, kind, key)


def contact_stream(contact: UUID) -> UUID:
    """The decision stream of a contact."""
    return derived("contact", contact)


def party(
    address: str, role: Role = Role.ALIAS, *, asserted: bool = True, name: str | None = None
) -> tuple[events.Party, events.Identity]:
    """A further participant: its clear and its sealed half."""
    scheme, scope = scheme_of(address)
    place = None if role is Role.ALIAS else 1
    clear = events.Party(subject_of(address), scheme, role, scope, asserted, place)
    return clear, events.Identity(address, name)
