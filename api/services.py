"""What the API speaks to, in one object that app/compose.py fills; nothing is global."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

if TYPE_CHECKING:
    from api.erasing import Eraser
    from audit.room import Proofs
    from channels.room import Channels
    from domain.ledger import Ledger
    from domain.ports import Clock, Entropy, People
    from projections.access import Access
    from projections.views import Views
    from storage.blobs import BlobStore
    from storage.codec import Codec
    from storage.company_seal import CompanySeal
    from storage.credentials import ConnectionSecrets, Links, Sessions, Tokens
    from storage.log import EventLog
    from storage.passwords import Passwords
    from storage.trade import Trade


class Locale(Struct, frozen=True):
    """What requests are read with where they do not say: country of numbers, time zone."""

    country: str | None
    zone: str
    public_url: str
    own_domains: frozenset[str]


class Credentials(Struct, frozen=True):
    """What opens doors: tokens, links, sessions, passwords, and the secrets of connections."""

    tokens: Tokens
    links: Links
    sessions: Sessions
    passwords: Passwords
    secrets: ConnectionSecrets


class Services(Struct, frozen=True):
    """Everything a request may need.

    `core_position` gives the position that the core views hold; `wait_for` waits until they
    hold one (seconds) and says whether they do. `new_id` makes ids of requests and objects.
    `twin_window_us` is how far apart (µs) two records of one event may lie.
    """

    ledger: Ledger
    log: EventLog
    codec: Codec
    views: Views
    access: Access
    people: People
    credentials: Credentials
    trade: Trade
    channels: Channels
    blobs: BlobStore
    seal: CompanySeal
    clock: Clock
    entropy: Entropy
    new_id: Callable[[], UUID]
    core_position: Callable[[], int]
    wait_for: Callable[[int, float], Awaitable[bool]]
    locale: Locale
    version: str
    eraser: Eraser
    proofs: Proofs
    twin_window_us: int = 15 * 60 * 1_000_000
