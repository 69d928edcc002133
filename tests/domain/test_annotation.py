"""What people may decide about an interaction: given events, when a decision, then events."""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec import structs

from domain.annotation import (
    Annotation,
    Side,
    Twin,
    annotation_stream,
    correct,
    link,
    project,
    retract,
    unlink,
)
from domain.commands import Correction
from domain.errors import WrongState
from domain.events import Event, InteractionRecorded
from domain.recording import Resolved, recording_unit
from domain.values import Channel, Origin
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


def test_what_is_no_call_has_no_length() -> None:
    """The length of a call is corrected where it is one, or becomes one by the same correction."""
    wanted = Correction(fields=("call_seconds",), reason="x", call_seconds=9)
    walk_in = structs.replace(MANUAL, channel=Channel.WALK_IN)
    with pytest.raises(WrongState):
        correct(FRESH, walk_in, wanted, None, BY_ROSA)
    both = Correction(
        fields=("call_seconds", "channel"), reason="x", call_seconds=9, channel=Channel.CALL
    )
    assert correct(FRESH, walk_in, both, None, BY_ROSA)


def side(event: InteractionRecorded, *decided: Event | None) -> Side:
    """A record after these decisions about it."""
    fresh = Annotation(annotation_stream(DERIVE, event.originator_id))
    known = project(fresh, [one for one in decided if one])
    return Side(known or fresh, event.originator_id, event.subject)


OTHER = structs.replace(AUTOMATIC, originator_id=UUID(int=7))
THIRD = structs.replace(AUTOMATIC, originator_id=UUID(int=8))


def test_a_link_stands_in_both_streams() -> None:
    """Each stream names the other record, one as the shown; the first event has the digest."""
    found = link(side(OTHER), side(MANUAL), keyed(BY_ROSA, 7))
    assert [(one.about, one.other, one.shown) for one in found] == [
        (OTHER.originator_id, MANUAL.originator_id, True),
        (MANUAL.originator_id, OTHER.originator_id, False),
    ]
    assert [one.digest for one in found] == [bytes([7]) * 32, None]
    assert side(OTHER, found[0]).annotation.twin == Twin(MANUAL.originator_id, shown=True)


def test_linking_again_changes_nothing_and_the_two_may_change_places() -> None:
    """The same link leaves no trace; with the other one shown, both streams say so."""
    shown, hidden = link(side(OTHER), side(MANUAL), BY_ROSA)
    assert link(side(OTHER, shown), side(MANUAL, hidden), BY_ROSA) == []
    turned = link(side(MANUAL, hidden), side(OTHER, shown), BY_ROSA)
    assert [(one.originator_version, one.shown) for one in turned] == [(2, True), (2, False)]


def test_a_record_has_one_twin_at_most() -> None:
    """Another link is refused from either side, until the first is taken back."""
    shown, hidden = link(side(OTHER), side(MANUAL), BY_ROSA)
    for pair in (
        (side(THIRD), side(MANUAL, hidden)),
        (side(OTHER, shown), side(THIRD)),
    ):
        with pytest.raises(WrongState):
            link(*pair, BY_ROSA)
    back = unlink(side(MANUAL, hidden), side(OTHER, shown), BY_ROSA)
    assert [one.originator_version for one in back] == [2, 2]
    assert link(side(THIRD), side(MANUAL, hidden, back[0]), BY_ROSA)


def test_without_a_link_there_is_nothing_to_take_back() -> None:
    """Taking back what is not there leaves no trace."""
    assert unlink(side(MANUAL), side(OTHER), BY_ROSA) == []


def test_a_void_record_hides_no_other() -> None:
    """A retracted record may be hidden, never shown for both."""
    void = retract(side(MANUAL).annotation, MANUAL, "x", BY_ROSA)
    with pytest.raises(WrongState):
        link(side(MANUAL, void), side(OTHER), BY_ROSA)
    assert link(side(OTHER), side(MANUAL, void), BY_ROSA)
