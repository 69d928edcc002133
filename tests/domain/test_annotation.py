"""What people may decide about an interaction: given events, when a decision, then events."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.annotation import Annotation, annotation_stream, correct, project, retract
from domain.commands import Correction
from domain.errors import WrongState
from domain.events import Event, InteractionRecorded
from domain.recording import Resolved, recording_unit
from domain.values import Origin
from tests.domain.commands import BY_ROSA, DERIVE, ROSA, keyed, said


def interaction(origin: Origin) -> InteractionRecorded:
    """An interaction of that origin, recorded with the department `ventas`."""
    unit = recording_unit(said(origin=origin, department="Ventas"), Resolved(BY_ROSA), DERIVE)
    event = unit.build([UUID(int=1)])[0].event
    assert isinstance(event, InteractionRecorded)
    return event


MANUAL = interaction(Origin.MANUAL)
AUTOMATIC = interaction(Origin.AUTOMATIC)
FRESH = Annotation(annotation_stream(DERIVE, MANUAL.originator_id))


def after(*events: Event | None) -> Annotation:
    """The decisions in force after these events."""
    found = project(None, [event for event in events if event])
    assert found
    return found


def test_correction_names_only_what_changes() -> None:
    """A department that is corrected is in the event; the text that stays is not."""
    wanted = Correction(
        fields=("department", "text"), reason="área", department="Postventa", text=MANUAL.text
    )
    event = correct(FRESH, MANUAL, wanted, None, keyed(BY_ROSA, 7))
    assert event
    assert event.fields == ("department",)
    assert event.department == "postventa"
    assert event.digest == bytes([7]) * 32
    assert (event.originator_version, event.about) == (1, MANUAL.originator_id)


def test_correction_that_changes_nothing_leaves_no_trace() -> None:
    """What stands so already, recorded or corrected, is not written again."""
    same = Correction(fields=("department",), reason="x", department="Ventas")
    assert correct(FRESH, MANUAL, same, None, BY_ROSA) is None
    other = Correction(fields=("attended_by",), reason="x", attended_by="Rosa")
    first = correct(FRESH, MANUAL, other, ROSA, BY_ROSA)
    assert first
    assert correct(after(first), MANUAL, other, ROSA, BY_ROSA) is None


def test_a_time_is_corrected_with_its_offset() -> None:
    """Moving when it happened keeps the zone in which it was said."""
    wanted = Correction(
        fields=("occurred_at",), reason="x", occurred_at=MANUAL.occurred_at - 1, offset_min=-300
    )
    event = correct(FRESH, MANUAL, wanted, None, BY_ROSA)
    assert event
    assert event.fields == ("occurred_at", "offset_min")


def test_named_nothing_clears() -> None:
    """A field that is named and None is cleared."""
    wanted = Correction(fields=("department",), reason="ninguna")
    event = correct(FRESH, MANUAL, wanted, None, BY_ROSA)
    assert event
    assert after(event).values == {"department": None}


@pytest.mark.parametrize("field", ["text", "direction", "channel", "call_seconds"])
def test_content_of_an_automatic_record_is_evidence(field: str) -> None:
    """Only what was added to an automatic record may be corrected, never its content."""
    with pytest.raises(WrongState):
        correct(FRESH, AUTOMATIC, Correction(fields=(field,), reason="x"), None, BY_ROSA)


def test_retraction_is_final() -> None:
    """A second retraction changes nothing, and a correction after it is refused."""
    first = retract(FRESH, MANUAL, "duplicado", BY_ROSA)
    assert first
    assert retract(after(first), MANUAL, "otra vez", BY_ROSA) is None
    with pytest.raises(WrongState):
        correct(after(first), MANUAL, Correction(fields=("text",), reason="x"), None, BY_ROSA)
