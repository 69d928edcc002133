"""Suggestions that two contacts are one: dismissed by people, and suggested again.

Facts, each a stream of its own: nobody has rivals in saying so, and the last one counts. They
decide nothing about who is one person, and nothing is ever joined by a suggestion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from domain.deciding import digest_of
from domain.events import Reason, SuggestionDismissed, SuggestionRestored

if TYPE_CHECKING:
    from uuid import UUID

    from domain.commands import By, FactReceipt
    from domain.deciding import Decider, Known


class Doubt(Struct, frozen=True):
    """Two contacts, and what speaks for their being one person, as somebody looked at it."""

    contact: UUID
    other: UUID
    reasons: tuple[Reason, ...]
    why: str | None = None


class SuggestionBook:
    """What is suggested no more, and what is again."""

    def __init__(self, decider: Decider, known: Known) -> None:
        self._decider = decider
        self._new_id = known.around.new_id

    def repeat_of(self, by: By) -> FactReceipt | None:
        """The first outcome of a command whose key was used; None for a new one. KeyReused."""
        return self._decider.repeat_of(by)

    async def dismiss(self, doubt: Doubt, by: By) -> FactReceipt | None:
        """These reasons are none; None where nothing is suggested."""
        return await self._state(SuggestionDismissed, doubt, by)

    async def restore(self, doubt: Doubt, by: By) -> FactReceipt | None:
        """These reasons may be some after all; None where none was dismissed."""
        return await self._state(SuggestionRestored, doubt, by)

    async def _state(
        self, kind: type[SuggestionDismissed | SuggestionRestored], doubt: Doubt, by: By
    ) -> FactReceipt | None:
        if not doubt.reasons:
            return None
        event = kind(
            originator_id=self._new_id(),
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=digest_of(by),
            contact=doubt.contact,
            other=doubt.other,
            reasons=doubt.reasons,
            reason=doubt.why,
        )
        return await self._decider.state(event, by)
