"""What may be decided about a conversation: given events, when a wish, then an event or none."""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec import structs

from domain.conversation import (
    SNOOZE,
    Assign,
    Conversation,
    Reopen,
    Resolve,
    Shown,
    Snooze,
    Wake,
    Wish,
    conversation_stream,
    decide,
    project,
)
from domain.events import (
    ConversationAssigned,
    ConversationReopened,
    ConversationResolved,
    ConversationSnoozed,
    Event,
)
from domain.muting import Mute, Muting, mute
from domain.muting import project as project_muting
from tests.domain.commands import BY_ROSA, DERIVE, ROSA, keyed

ANA, LUIS = UUID(int=5), UUID(int=6)
STREAM = conversation_stream(DERIVE, ANA)
OTHER = conversation_stream(DERIVE, LUIS)
FRESH = Conversation(STREAM)


def shown(now: Conversation, status: str = "open", until: int | None = None) -> Shown:
    """How it looks to somebody who has seen all decisions."""
    return Shown(now.version, status, until)


def wished(now: Conversation, wish: Wish, seen: Shown | None = None) -> Event | None:
    """What a wish of Rosa's does."""
    return decide(now, ANA, wish, seen or shown(now, str(now.status or "open"), now.until), BY_ROSA)


def after(*wishes: Wish) -> Conversation:
    """The conversation after these wishes."""
    now = FRESH
    for wish in wishes:
        event = wished(now, wish)
        assert event
        now = project(now, [event]) or now
    return now


def test_an_assignment_says_all_of_it() -> None:
    """The event holds person, team and department as they are afterwards, and who and why."""
    now = after(Assign(fields=("department",), department="ventas"))
    wish = Assign(fields=("user",), user=ROSA, reason="turno")
    event = decide(now, ANA, wish, shown(now), keyed(BY_ROSA, 7))
    assert isinstance(event, ConversationAssigned)
    assert (event.user, event.department, event.reason) == (ROSA, "ventas", "turno")
    assert (event.originator_id, event.originator_version, event.contact) == (STREAM, 2, ANA)
    assert event.digest == bytes([7]) * 32


def test_what_changes_nothing_gives_no_event() -> None:
    """The same assignment, a second resolution, the same snooze: none is written."""
    assigned = after(Assign(fields=("user",), user=ROSA))
    assert wished(assigned, Assign(fields=("user", "team"), user=ROSA)) is None
    assert wished(FRESH, Assign(fields=("user",))) is None
    assert wished(after(Resolve()), Resolve()) is None
    assert wished(FRESH, Reopen()) is None
    assert wished(after(Snooze(9)), Snooze(9)) is None
    assert isinstance(wished(after(Snooze(9)), Snooze(10)), ConversationSnoozed)


def test_a_null_takes_away_what_it_names() -> None:
    """A named None clears; the rest stays."""
    now = after(Assign(fields=("user", "department"), user=ROSA, department="ventas"))
    event = wished(now, Assign(fields=("user",)))
    assert isinstance(event, ConversationAssigned)
    assert (event.user, event.department) == (None, "ventas")


def test_a_wish_is_about_what_its_giver_saw() -> None:
    """Resolved, but reopened by a message: it can be resolved again, and not reopened."""
    now = after(Resolve())
    assert isinstance(wished(now, Resolve(), shown(now, "open")), ConversationResolved)
    assert wished(now, Reopen(), shown(now, "open")) is None
    unanswered_import = shown(FRESH, "resolved")
    assert isinstance(wished(FRESH, Reopen(), unanswered_import), ConversationReopened)


def test_who_decided_since_counts_more_than_what_was_seen() -> None:
    """Two resolve at once: the second finds it done. An assignment between changes nothing."""
    old = shown(FRESH, "open")
    assert wished(after(Resolve()), Resolve(), old) is None
    assert isinstance(wished(after(Resolve()), Reopen(), old), ConversationReopened)
    now = after(Resolve())
    seen = shown(now, "open")
    later = project(now, [_some(wished(now, Assign(fields=("user",), user=ROSA)))])
    assert later
    assert isinstance(wished(later, Resolve(), seen), ConversationResolved)


def test_a_snooze_ends_when_its_time_has_come() -> None:
    """The job's event has its reason; before the time, or once it is over, there is none."""
    now = after(Snooze(100))
    assert wished(now, Wake(99)) is None
    event = wished(now, Wake(100))
    assert isinstance(event, ConversationReopened)
    assert event.reason == SNOOZE
    assert wished(project(now, [event]) or now, Wake(200)) is None
    assert wished(after(Snooze(100), Resolve()), Wake(200)) is None
    old = shown(now, "snoozed", 100)
    assert wished(project(now, [event]) or now, Wake(200), old) is None


def test_what_was_decided_on_parts_counts() -> None:
    """A contact that was put together keeps what was decided on its parts; versions are its own."""
    elsewhere = [
        structs.replace(_some(wished(FRESH, wish)), originator_id=OTHER, originator_version=number)
        for number, wish in ((3, Assign(fields=("user",), user=ROSA)), (4, Resolve()))
    ]
    now = project(FRESH, elsewhere)
    assert now
    assert (now.user, now.status, now.version) == (ROSA, "resolved", 0)
    event = wished(now, Assign(fields=("user",)))
    assert isinstance(event, ConversationAssigned)
    assert (event.originator_id, event.originator_version, event.user) == (STREAM, 1, None)
    assert isinstance(wished(now, Resolve(), shown(now, "open")), ConversationResolved)


def test_a_contact_is_muted_once() -> None:
    """Muting twice leaves one event; what else is in the stream counts for the version alone."""
    fresh = Muting(STREAM, version=4)
    event = mute(fresh, ANA, Mute(muted=True, reason="spam"), BY_ROSA)
    assert event
    assert (event.originator_version, event.reason) == (5, "spam")
    now = project_muting(fresh, [event, structs.replace(_some(wished(FRESH, Resolve())))])
    assert now
    assert now.muted
    assert mute(now, ANA, Mute(muted=True), BY_ROSA) is None
    assert mute(fresh, ANA, Mute(muted=False), BY_ROSA) is None


@pytest.mark.parametrize("wish", [Resolve(), Snooze(9), Assign(fields=("user",), user=ROSA)])
def test_every_event_follows_on_its_stream(wish: Wish) -> None:
    """The version is the next one, the author the one who wished."""
    now = structs.replace(FRESH, version=8)
    event = wished(now, wish)
    assert event
    assert (event.originator_version, event.actor) == (9, BY_ROSA.actor)


def _some(event: Event | None) -> Event:
    assert event
    return event
