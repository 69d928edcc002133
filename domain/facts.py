"""From a command to the events about an interaction: delivery, watermark, edit, reaction.

Each is a stream of its own at version 1, its originator derived from what makes it unique; it
names the interaction by its stream, whether that has arrived or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.commands import ReportChange, ReportDelivery, ReportWatermark
from domain.events import (
    DeliveryReported,
    Event,
    InteractionEdited,
    InteractionRevoked,
    ReactionSet,
    WatermarkAdvanced,
)
from domain.ports import Pending, Seeker, Unit
from domain.values import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from domain.commands import By
    from domain.values import Deriver

FACT_BYTES = 400
"""Roughly what a fact takes in the log besides its text and its original."""

Report = ReportDelivery | ReportWatermark | ReportChange


def report_unit(report: Report, by: By, derive: Deriver) -> Unit:
    """The unit that records a further fact."""
    match report:
        case ReportDelivery():
            return _delivery(report, by, derive)
        case ReportWatermark():
            return _watermark(report, by, derive)
        case ReportChange():
            return _change(report, by, derive)


def delivery_stream(report: ReportDelivery, derive: Deriver) -> UUID:
    """The stream of a delivery report: told twice, by number or by key, it is one."""
    key = report.key or f"{report.word}:{report.at}:{report.participant or ''}"
    return derive.fact(str(report.about), "status", key)


def known_state(word: str) -> DeliveryState:
    """The state that a provider's word means; UNKNOWN for a word that is none of ours."""
    try:
        return DeliveryState(word)
    except ValueError:
        return DeliveryState.UNKNOWN


def _delivery(report: ReportDelivery, by: By, derive: Deriver) -> Unit:
    stream = delivery_stream(report, derive)

    def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
        event = DeliveryReported(
            originator_id=stream,
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            about=report.about,
            source=report.source,
            at=report.at,
            state=report.state or known_state(report.word),
            word=report.word,
            code=report.code,
            call=report.call,
            subject=subjects[0] if subjects else None,
            message=report.message,
            participant=report.participant,
            original=report.original,
        )
        return (Pending(event),)

    seekers = (Seeker(report.recipient, report.at),) if report.recipient else ()
    return Unit(
        key=stream,
        build=build,
        seekers=seekers,
        counted=report.counted,
        size_hint=FACT_BYTES + len(report.original or b""),
    )


def _watermark(report: ReportWatermark, by: By, derive: Deriver) -> Unit:
    stream = derive.fact(report.source, "watermark", report.key)

    def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
        event = WatermarkAdvanced(
            originator_id=stream,
            originator_version=1,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            source=report.source,
            subject=subjects[0],
            state=report.state,
            through=report.through,
            at=report.at,
        )
        return (Pending(event),)

    seekers = (Seeker(report.address, report.at),)
    return Unit(key=stream, build=build, seekers=seekers, counted=report.counted)


def _change(report: ReportChange, by: By, derive: Deriver) -> Unit:
    stream = derive.fact(report.source, report.kind, report.key)

    def build(subjects: Sequence[UUID]) -> Sequence[Pending]:
        return (Pending(_changed(report, by, stream, subjects[0])),)

    return Unit(
        key=stream,
        build=build,
        seekers=(Seeker(report.address, report.at),),
        counted=report.counted,
        size_hint=FACT_BYTES + len(report.text or "") + len(report.original or b""),
    )


def _changed(report: ReportChange, by: By, stream: UUID, subject: UUID) -> Event:
    match report.kind:
        case "edit":
            return InteractionEdited(
                originator_id=stream,
                originator_version=1,
                actor=by.actor,
                on_behalf_of=by.on_behalf_of,
                about=report.about,
                source=report.source,
                subject=subject,
                at=report.at,
                text=report.text,
                attachments=report.attachments,
                original=report.original,
            )
        case "revoke":
            return InteractionRevoked(
                originator_id=stream,
                originator_version=1,
                actor=by.actor,
                on_behalf_of=by.on_behalf_of,
                about=report.about,
                source=report.source,
                subject=subject,
                at=report.at,
                original=report.original,
            )
        case _:
            return ReactionSet(
                originator_id=stream,
                originator_version=1,
                actor=by.actor,
                on_behalf_of=by.on_behalf_of,
                about=report.about,
                source=report.source,
                subject=subject,
                at=report.at,
                by=report.by,
                emoji=report.emoji,
                original=report.original,
            )
