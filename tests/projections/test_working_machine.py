"""A state machine over the inbox: whatever people and contacts do, it is what a plain model says.

The model keeps all that happened and tells it again at each look; lists, filters, numbers and
a rebuild have to say the same after every event.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domain import events
from domain.ports import Entry
from domain.values import Auto, Origin
from projections import rebuild
from projections.inbox import NOT_WAITING
from projections.inbox_pages import InboxFilters
from tests.backends import Backend
from tests.projections import working
from tests.projections.reading import desk_of
from tests.projections.shelf import Shelf
from tests.projections.story import Story, by_user, moment, subject_of, user_of
from tests.projections.working_model import Done, Model, Row, Said, Turn

EXAMPLES = 10
"""Histories on each database."""

STEPS = 25
"""Events of one of them: each is compared with the whole inbox."""

ADDRESSES = ("tel:+525500000000", "whatsapp:106540352242922/ana", "tel:+525500000002")

addresses = st.sampled_from(ADDRESSES)
times = st.integers(0, 40)
kinds = st.sampled_from(("plain", "plain", "plain", "auto", "imported"))


class Inbox(RuleBasedStateMachine):
    """The inbox of one database, and the model."""

    backend: Backend

    @initialize(linked=st.booleans())
    def begin(self, *, linked: bool) -> None:
        """Empty views; Rosa joins after two first messages, of one contact or of two."""
        self.closing = ExitStack()
        self.desk = self.closing.enter_context(desk_of(self.backend))
        self.story = Story()
        self.model = Model()
        for address in ADDRESSES[:2]:
            self._say(address, 1, inbound=True, kind="plain", by_rosa=False)
        self.model.start = self.story.user("Rosa").position
        if linked:
            self.link()

    # ------------------------------------------------------------- what happens

    @rule(address=addresses, at=times, kind=kinds)
    def hear(self, address: str, at: int, kind: str) -> None:
        """Something inbound."""
        self._say(address, at, inbound=True, kind=kind, by_rosa=False)

    @rule(address=addresses, at=times, kind=kinds, by_rosa=st.booleans())
    def answer(self, address: str, at: int, kind: str, *, by_rosa: bool) -> None:
        """Something outbound, written down by Rosa or by a channel."""
        self._say(address, at, inbound=False, kind=kind, by_rosa=by_rosa and kind == "plain")

    @rule(pick=st.integers(0, 1_000))
    def retract(self, pick: int) -> None:
        """A record is declared void."""
        one = self.model.said[pick % len(self.model.said)]
        stream = self.story.entries[one.position - 1].event.originator_id
        self.story.retracted(stream, one.address)
        self.model.retracted.add(one.position)

    @precondition(lambda self: not self.model.linked)
    @rule()
    def link(self) -> None:
        """Two addresses come together under the one that came first."""
        self.story.linked(subject_of(ADDRESSES[0]), ADDRESSES[1])
        self.model.linked = set(ADDRESSES[:2])

    @rule(address=addresses, pick=st.integers(0, 1_000))
    def note(self, address: str, pick: int) -> None:
        """A note changes nothing in the inbox; nor does it, once it is void."""
        note = working.noted(self.story, address, f"nota {pick}")
        if pick % 2:
            working.struck(self.story, note)

    # -------------------------------------------------------------- what people do

    @rule(address=addresses, rosa=st.booleans(), department=st.sampled_from((None, "ventas")))
    def assign(self, address: str, department: str | None, *, rosa: bool) -> None:
        """To Rosa or to nobody, with a department or without."""
        made = working.assigned(
            self.story, address, "Rosa" if rosa else None, department=department
        )
        who = user_of("Rosa").bytes if rosa else None
        self._did(made, address, "assign", (who, department))

    @rule(address=addresses, turn=st.sampled_from(("resolved", "open", "snoozed")), until=times)
    def turn(self, address: str, turn: str, until: int) -> None:
        """Resolve, reopen or snooze."""
        if turn == "resolved":
            made = working.resolved(self.story, address)
        elif turn == "open":
            made = working.reopened(self.story, address)
        else:
            made = working.snoozed(self.story, address, until)
        held = frozenset(
            {address, *self.model.linked} if address in self.model.linked else {address}
        )
        value = Turn(turn, moment(until) if turn == "snoozed" else None, held)
        self._did(made, address, "turn", value)

    @rule(address=addresses, muted=st.booleans())
    def mute(self, address: str, *, muted: bool) -> None:
        """Mute a contact, or hear it again."""
        tell = working.muted if muted else working.unmuted
        self._did(tell(self.story, address), address, "mute", muted)

    @rule(address=addresses, pick=st.integers(1, 1_000), seen=st.booleans())
    def look(self, address: str, pick: int, *, seen: bool) -> None:
        """Rosa has seen it through a position, or wants it unread from there on."""
        position = 1 + pick % len(self.story.entries)
        if seen:
            made = self.story.seen(subject_of(address), "Rosa", position)
            if made.position < len(self.story.entries):
                return  # she had said so before
            self._did(made, address, "seen", position)
        else:
            made = working.unread(self.story, address, "Rosa", position)
            self._did(made, address, "unread", position)

    # ------------------------------------------------------------------ what holds

    @invariant()
    def the_inbox_is_what_the_model_says(self) -> None:
        """Every row, every filter, every number."""
        if not hasattr(self, "desk"):
            return
        self.desk.tell(self.story)
        expected = {subject_of(root).bytes: row for root, row in self.model.rows().items()}
        listed = self.desk.inbox("Rosa", status="all")
        assert {
            one.row.contact: Row(
                status=one.row.status,
                snoozed_until=one.row.snoozed_until,
                assignee=one.row.assignee,
                department=one.row.department,
                muted=bool(one.row.muted),
                waits=None
                if one.row.waits_from == NOT_WAITING
                else (one.row.waits_from - moment(0)) // 1_000_000,
                unread=one.unread,
                interactions=one.row.interactions,
            )
            for one in listed
        } == expected
        self._counts_agree(list(expected.values()))

    def teardown(self) -> None:
        """At the end a replay makes the same bytes."""
        if hasattr(self, "desk"):
            try:
                assert rebuild.check(self.desk.group, Shelf(self.story.entries).source()) == []
            finally:
                self.closing.close()

    # --------------------------------------------------------------------- inside

    def _counts_agree(self, rows: list[Row]) -> None:
        counts, rosa = self.desk.counts("Rosa"), user_of("Rosa").bytes
        opened = [row for row in rows if row.status == "open"]
        assert (counts.open, counts.snoozed, counts.resolved, counts.all) == (
            len(opened),
            sum(row.status == "snoozed" for row in rows),
            sum(row.status == "resolved" for row in rows),
            len(rows),
        )
        assert (counts.mine, counts.unassigned, counts.unread, counts.waiting) == (
            sum(row.assignee == rosa for row in opened),
            sum(row.assignee is None for row in opened),
            sum(row.unread > 0 for row in opened),
            sum(row.waits is not None for row in opened),
        )
        mine, nobody = InboxFilters(assignee=(rosa,)), InboxFilters(assignee=(None,))
        for number, query in (
            (counts.open, {}),
            (counts.snoozed, {"status": "snoozed"}),
            (counts.resolved, {"status": "resolved"}),
            (counts.mine, {"filters": mine}),
            (counts.unassigned, {"filters": nobody}),
            (counts.unread, {"unread": True}),
            (counts.waiting, {"waiting": True, "sort": "waiting"}),
        ):
            assert number == len(self.desk.inbox("Rosa", **query)), query
        narrowed = InboxFilters(department=("ventas",))
        found = self.desk.counts("Rosa", department=("ventas",))
        assert found.all == len(self.desk.inbox("Rosa", status="all", filters=narrowed))

    def _say(self, address: str, at: int, *, inbound: bool, kind: str, by_rosa: bool) -> None:
        more: dict[str, object] = {}
        if kind == "imported":
            more = {"origin": Origin.IMPORTED, "source": "import:viejo"}
        elif kind == "auto":
            more = {"auto": Auto.BULK}
        if by_rosa:
            more["actor"] = by_user("Rosa")
        tell = self.story.inbound if inbound else self.story.outbound
        made = tell(address, f"{len(self.story.entries)}", at=at, **more)
        assert isinstance(made.event, events.InteractionRecorded)
        said = Said(
            made.position, at, address, inbound, kind == "imported", kind == "auto", by_rosa
        )
        self.model.said.append(said)

    def _did(self, made: Entry, address: str, kind: str, value: object) -> None:
        self.model.done.append(Done(made.position, address, kind, value))


@pytest.mark.begins_early
def test_the_inbox_follows_whatever_happens(backend: Backend) -> None:
    """Rows, filters and numbers agree with a plain model after every event, and with a replay."""

    class OnThisDatabase(Inbox):
        pass

    OnThisDatabase.backend = backend
    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
