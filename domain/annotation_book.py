"""Corrections, retractions and twins, as they get into the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from domain import annotation
from domain.annotation import Annotation, Side
from domain.deciding import Decision, command_id_of
from domain.events import InteractionRecorded
from domain.ports import Pending, Unit
from domain.recording import NOBODY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from domain.commands import By, Correction, FactReceipt
    from domain.deciding import Decider
    from domain.events import Event
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
        """Declare a record void; None where it is void already.

        A record that hides its twin gives it back in the same unit: what is void hides nothing.
        """

        def take() -> Unit | None:
            side = self._side(recorded)
            event = annotation.retract(side.annotation, recorded, reason, by)
            if event is None:
                return None
            decided: list[Event] = [event]
            twin = side.annotation.twin
            if twin is not None and twin.shown:
                later = structs.replace(side.annotation, version=event.originator_version)
                plain = structs.replace(by, repeatable=None)
                one = structs.replace(side, annotation=later)
                decided += annotation.unlink(one, self._other(twin.other), plain)
            return _unit(decided, by)

        return await self._decider.attempt(take, by)

    async def link(
        self, shown: InteractionRecorded, hidden: InteractionRecorded, by: By
    ) -> FactReceipt | None:
        """Link two records of one event; None where they are linked so. Raises WrongState."""

        def take() -> Unit | None:
            return _unit(annotation.link(self._side(shown), self._side(hidden), by), by)

        return await self._decider.attempt(take, by)

    async def unlink(self, recorded: InteractionRecorded, by: By) -> FactReceipt | None:
        """Take the link of a record to its twin back; None where it has none."""

        def take() -> Unit | None:
            one = self._side(recorded)
            twin = one.annotation.twin
            return _unit(annotation.unlink(one, self._other(twin.other), by), by) if twin else None

        return await self._decider.attempt(take, by)

    def as_twin(self, unit: Unit, shown: InteractionRecorded, by: By) -> Unit:
        """The unit of a new record, with its link to the record that is shown for both.

        Raises WrongState where that one has a twin, or is void.
        """
        other = self._side(shown)
        fresh = Annotation(annotation.annotation_stream(self._derive, unit.key))
        annotation.link(other, Side(fresh, unit.key, NOBODY), by)  # refused now, or not at all

        def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
            linked = annotation.link(other, Side(fresh, unit.key, subjects[0]), by)
            return (*unit.build(subjects), *(Pending(event) for event in linked))

        return structs.replace(unit, build=build)

    def _side(self, recorded: InteractionRecorded) -> Side:
        """A record, with what people have decided about it so far."""
        stream = annotation.annotation_stream(self._derive, recorded.originator_id)
        known = self._decider.log.load(stream, annotation.project) or Annotation(stream)
        return Side(known, recorded.originator_id, recorded.subject)

    def _other(self, interaction: UUID) -> Side:
        """The same for the record with that stream, which stands in the log."""
        first = self._decider.log.stream(interaction)[0].event
        assert isinstance(first, InteractionRecorded)  # noqa: S101 - only records are linked
        return self._side(first)


def _unit(decided: Sequence[Event], by: By) -> Unit | None:
    """The unit of events that were decided on what the streams say; None where there are none."""
    if not decided:
        return None
    return Unit(
        key=decided[0].originator_id,
        build=lambda _: [Pending(event) for event in decided],
        command_id=command_id_of(by),
    )
