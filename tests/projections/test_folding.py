"""What is known of an interaction folds in any order."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import events
from domain.ports import Entry
from projections.folding import State, join, pack, read_state, stamp, state_of
from tests.projections.story import START, Story, moment

ANA = "tel:+525511111111"
ABOUT = UUID(int=7)


def _told() -> list[Entry]:
    """One of everything that can be said about an interaction, with ties."""
    story = Story()
    for state in ("queued", "sent", "delivered", "read", "failed"):
        story.status(ABOUT, state, at=10)
    story.status(ABOUT, "sent", at=5)
    story.status(ABOUT, "failed", at=11, code="131026", message="no WhatsApp")
    story.status(ABOUT, "unknown", word="warped", at=3)
    story.status(ABOUT, "unknown", word="teleported", at=4)
    for text in ("hola", "adiós"):
        story.edited(ABOUT, ANA, text, at=20)
    story.reaction(ABOUT, ANA, "👍", at=30)
    story.reaction(ABOUT, ANA, None, at=31)
    story.reaction(ABOUT, ANA, "❤️", at=30, by="staff")
    story.revoked(ABOUT, ANA, at=40)
    story.corrected(ABOUT, ANA, department="ventas")
    story.corrected(ABOUT, ANA, department=None, campaign="suv", occurred_at=START)
    story.retracted(ABOUT, ANA)
    return story.entries


ALL = _told()


def _fold(told: Iterable[Entry]) -> State:
    return functools.reduce(join, (state_of(entry) for entry in told), State())


@given(st.permutations(ALL))
def test_any_order_gives_the_same_bytes(told: list[Entry]) -> None:
    """Statuses, edits, reactions and decisions fold to one state in whatever order they come."""
    assert pack(_fold(told)) == pack(_fold(ALL))


@given(st.permutations(ALL), st.integers(0, len(ALL)))
def test_parts_folded_apart_join_to_the_whole(told: list[Entry], cut: int) -> None:
    """What was known before a message and what came after it join as if they came together."""
    parts = join(_fold(told[:cut]), _fold(told[cut:]))
    assert pack(parts) == pack(_fold(ALL))
    assert read_state(pack(parts)) == parts


def test_the_greatest_rank_wins_and_a_failure_stays() -> None:
    """`read` beats what comes before it, and the first failure stays beside it."""
    state = _fold(ALL)
    assert state.delivery is not None
    assert (state.delivery.state, state.delivery.at) == ("read", moment(10))
    assert state.failure is not None
    assert (state.failure.at, state.failure.code) == (moment(10), None)


def test_one_rank_keeps_its_first_time() -> None:
    """Of two reports of one state the earlier tells since when it holds."""
    story = Story()
    story.status(ABOUT, "delivered", at=9)
    story.status(ABOUT, "delivered", at=4)
    delivery = _fold(story.entries).delivery
    assert delivery is not None
    assert delivery.at == moment(4)


def test_a_failure_counts_only_until_it_is_delivered() -> None:
    """A failed message is failed; `sent` does not undo it, `delivered` does."""
    story = Story()
    story.status(ABOUT, "failed", at=2, code="1")
    story.status(ABOUT, "sent", at=3)
    state = _fold(story.entries)
    assert state.delivery is not None
    assert state.delivery.state == "failed"
    story.status(ABOUT, "delivered", at=1)
    state = _fold(story.entries)
    assert state.delivery is not None
    assert state.failure is not None
    assert state.delivery.state == "delivered"


def test_of_unknown_words_the_last_is_kept() -> None:
    """A word that nobody knows is `unknown`, kept as it came; the latest one says most."""
    words = [entry for entry in ALL if getattr(entry.event, "state", "") == "unknown"]
    for told in itertools.permutations(words):
        delivery = _fold(told).delivery
        assert delivery is not None
        assert (delivery.state, delivery.word) == ("unknown", "teleported")


def test_ties_go_by_the_stream() -> None:
    """Two edits of one moment: the greater stream wins, whichever came first."""
    first, second = (entry for entry in ALL if entry.topic == "interaction.edited")
    winner = max(first, second, key=lambda entry: entry.event.originator_id.bytes).event
    assert isinstance(winner, events.InteractionEdited)
    state = _fold(ALL)
    assert state.edit is not None
    assert (state.edit.text, state.edits) == (winner.text, 2)


def test_a_reaction_is_the_last_of_each_side() -> None:
    """A reaction that was taken away leaves no emoji; the other side's stays."""
    found = {reaction.side: reaction.emoji for reaction in _fold(ALL).reactions}
    assert found == {"contact": None, "staff": "❤️"}


def test_corrections_go_by_their_version() -> None:
    """The later decision about a field wins, also where it clears the field."""
    corrections = _fold(ALL).corrections
    assert {name: held.value for name, held in corrections.items()} == {
        "department": None,
        "campaign": "suv",
        "occurred_at": START,
    }


def test_a_call_keeps_the_last_of_each_value() -> None:
    """Seconds and outcome of a call come from the latest fact that knows them."""
    story = Story()
    ringing = events.Call(ring_seconds=8)
    story.status(ABOUT, "unknown", word="ringing", at=1, call=ringing)
    done = events.Call(seconds=65)
    story.status(ABOUT, "unknown", word="completed", at=9, call=done)
    state = _fold(reversed(story.entries))
    assert state.seconds is not None
    assert state.ring_seconds is not None
    assert (state.seconds.value, state.ring_seconds.value, state.outcome) == (65, 8, None)


def test_a_stamp_tells_states_apart() -> None:
    """A row's stamp differs with its state, and between erased and not erased."""
    packed = [pack(_fold(ALL[:count])) for count in range(1, len(ALL))]
    states: list[bytes | None] = [None, *dict.fromkeys(packed)]
    stamps = {stamp(state, erased=erased) for state in states for erased in (False, True)}
    assert len(stamps) == 2 * len(states)


def test_other_events_say_nothing_about_an_interaction() -> None:
    """An event of another kind is refused, not ignored."""
    entry = Story().inbound(ANA, "hola")
    with pytest.raises(TypeError):
        state_of(entry)
