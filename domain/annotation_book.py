"""Corrections and retractions, as they get into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain import annotation
from domain.annotation import Annotation
from domain.deciding import Decision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from domain.commands import By, Correction, FactReceipt
    from domain.deciding import Decider
    from domain.events import Event, InteractionRecorded
    from domain.staff import Mentions
    from domain.values import Deriver


class AnnotationBook:
    """What people decide about single interactions."""

    def __init__(self, decider: Decider, derive: Deriver, mentions: Mentions) -> None:
        self._decider = decider
        self._derive = derive
        self._mentions = mentions

    async def correct(
        self, recorded: InteractionRecorded, correction: Correction, by: By
    ) -> FactReceipt | None:
        """Correct what was written down; None where nothing changes. Raises WrongState."""
        attended_by, first_mentions = self._mentions.of(
            correction.attended_by, correction.department, correction.campaign, by
        )
        stream = annotation.annotation_stream(self._derive, recorded.originator_id)

        def decide(now: Annotation | None, _: Sequence[UUID]) -> Sequence[Event]:
            known = now or Annotation(stream)
            event = annotation.correct(known, recorded, correction, attended_by, by)
            return [event] if event else []

        decision = Decision(stream, annotation.project, decide, then=first_mentions)
        return await self._decider.decide(decision, by)

    async def retract(
        self, recorded: InteractionRecorded, reason: str, by: By
    ) -> FactReceipt | None:
        """Declare a record void; None where it is void already."""
        stream = annotation.annotation_stream(self._derive, recorded.originator_id)

        def decide(now: Annotation | None, _: Sequence[UUID]) -> Sequence[Event]:
            event = annotation.retract(now or Annotation(stream), recorded, reason, by)
            return [event] if event else []

        return await self._decider.decide(Decision(stream, annotation.project, decide), by)
