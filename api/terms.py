"""The terms under which requests to append are read: whoever sends them, and however they come.

Apart from the endpoints, since the framework that those need takes half a second to import: the
process that follows, and most commands, do without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from api.shapes import FUTURE_MAX_US, Terms, append_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.auth import Caller
    from api.services import Services
    from domain.commands import RecordInteraction
    from domain.ledger import Ledger
    from domain.ports import Clock


def terms_of(
    services: Services,
    caller: Caller,
    *,
    imported: bool,
    key_of: Callable[[bytes], str | None],
) -> Terms:
    """The terms under which a caller's requests are read, now."""
    now = services.clock()
    return Terms(
        country=services.locale.country,
        latest=now + FUTURE_MAX_US,
        imported=imported,
        source=caller.source,
        derive=services.ledger.derive,
        knows=_knowing(services.ledger, now),
        key_of=key_of,
        attaches=True,
    )


def append_reader(
    ledger: Ledger, clock: Clock, country: str | None
) -> Callable[[bytes, str, str], RecordInteraction]:
    """What reads append requests that arrive through a channel, for a source and with a key."""

    def read(raw: bytes, source: str, key: str) -> RecordInteraction:
        now = clock()
        terms = Terms(
            country=country,
            latest=now + FUTURE_MAX_US,
            imported=False,
            source=None,
            derive=ledger.derive,
            knows=_knowing(ledger, now),
            key_of=lambda _: key,
            fallback=source,
        )
        return append_command(raw, terms)

    return read


def _knowing(ledger: Ledger, now: int) -> Callable[[UUID], bool]:
    """Whether a contact exists; the company itself is none."""
    subjects = ledger.subjects

    def knows(contact: UUID) -> bool:
        is_ours = contact == subjects.company
        return not is_ours and subjects.find(f"contact:{contact}", now) is not None

    return knows
