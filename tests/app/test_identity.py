"""Identity over real stores: what people decide, beside a plain model, and rivals."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from msgspec import structs

from app.compose import Composition
from domain.commands import Alias
from domain.contact import Tie
from domain.errors import AddressTaken, ChangedMeanwhile, KeyReused, WrongState
from domain.events import ContactsMerged
from domain.identity_book import Wanted
from projections import contact_pages
from projections.rebuild import check
from tests.app.kin_model import Plain
from tests.app.ledgers import TurnedClock, opened, run
from tests.backends import Backend
from tests.domain.commands import BY_ROSA, BY_TOKEN, NOON, keyed, said

STEPS = 30
EXAMPLES = 6
DECISIONS = ("link", "unlink", "merge", "undo", "give_away")
DICE = st.randoms(use_true_random=False)

Act = Callable[[random.Random, int], None]

ANA, BETO = "tel:+525512345678", "tel:+525587654321"


class Town:
    """A ledger and its model; addresses of one example share a number."""

    def __init__(self, composition: Composition, clock: TurnedClock, number: int) -> None:
        self.composition = composition
        self.clock = clock
        self.model = Plain()
        self.subjects: dict[str, UUID] = {}
        self.merges: dict[int, Tie] = {}
        self.heirs: dict[str, str] = {}
        phones = [f"tel:+5255{number:04d}{one:04d}" for one in range(5)]
        self.addresses = [*phones, *(f"whatsapp:1/{number}.{one}" for one in range(3))]

    def step(self, act: Act, dice: random.Random, number: int) -> None:
        """One more thing happens, in the ledger and in the model."""
        self.clock.now += 1_000_000
        act(dice, number)
        self.composition.follower.catch_up()
        self.compare()

    def message(self, dice: random.Random, number: int) -> None:
        """A message, perhaps with an alias that its provider asserts."""
        address, alias = dice.sample(self.addresses, 2)
        aliases = (Alias(alias, asserted=True),) if dice.random() < 0.5 else ()
        command = said(
            key=f"{self.addresses[0]}/{number}",
            resource=address,
            aliases=aliases,
            occurred_at=self.clock.now,
        )
        run(self.composition.ledger.record(command, BY_TOKEN))
        self.model.seen(self._now(address), self._now(alias) if aliases else None)
        self._note(address, alias)

    def link(self, dice: random.Random, _: int) -> None:
        """An address is given to a contact."""
        owner, address = self._contact(dice), dice.choice(self.addresses)
        wanted = Wanted(address, move=True)
        book = self.composition.ledger.identity
        told = attempt(book.link(self.subjects[owner], wanted, BY_ROSA))
        assert told == self.model.link(owner, self._now(address))
        self._note(address)

    def unlink(self, dice: random.Random, _: int) -> None:
        """An address is taken off its contact."""
        address = dice.choice(sorted(self.subjects))
        owner = self.model.contact(address)
        book = self.composition.ledger.identity
        told = attempt(book.unlink(self.subjects[owner], self.subjects[address], BY_ROSA))
        assert told is self.model.unlink(owner, address)

    def merge(self, dice: random.Random, number: int) -> None:
        """Two contacts become one."""
        survivor, absorbed = self._contact(dice), self._contact(dice)
        both = self.subjects[survivor], self.subjects[absorbed]
        told = attempt(self.composition.ledger.identity.merge(*both, None, BY_ROSA, None))
        assert bool(told) is self.model.merge(number, survivor, absorbed)
        if told:
            self.merges[number] = Tie(told[0], *both)

    def undo(self, dice: random.Random, _: int) -> None:
        """Some merge is taken back, perhaps again."""
        if self.merges:
            number = dice.choice(sorted(self.merges))
            told = attempt(self.composition.ledger.identity.undo(self.merges[number], BY_ROSA))
            assert (told is not None) is self.model.undo(number)

    def give_away(self, dice: random.Random, _: int) -> None:
        """A number is somebody else's from now on."""
        address = dice.choice(self.addresses)
        holder = self._now(address)
        if holder not in self.subjects or dice.random() < 0.5:
            return
        owner = self.model.contact(holder)
        given = (self.subjects[holder], address, self.clock.now)
        run(self.composition.ledger.identity.give_away(self.subjects[owner], given, BY_ROSA))
        at = self.model.tick()
        node = self.model.nodes[owner]
        node.touched = at if node.touched is None else node.touched
        self.heirs[address] = f"{address}#{at}"

    def compare(self) -> None:
        """Views and model say the same of every address."""
        with self.composition.views.reading() as reading:
            ids = [subject.bytes for subject in self.subjects.values()]
            known = contact_pages.contacts_of(reading, ids)
        for address, subject in self.subjects.items():
            owner = self.subjects[self.model.contact(address)]
            assert UUID(bytes=known[subject.bytes]) == owner, address

    def _contact(self, dice: random.Random) -> str:
        return self.model.contact(dice.choice(sorted(self.subjects)))

    def _now(self, address: str) -> str:
        return self.heirs.get(address, address)

    def _note(self, *addresses: str) -> None:
        for address in addresses:
            name = self._now(address)
            subject = self.composition.ledger.subjects.find(address, self.clock.now)
            if subject is not None and name in self.model.nodes:
                self.subjects.setdefault(name, subject)


def attempt(coroutine: Any) -> Any:  # noqa: ANN401 - a coroutine of some receipt
    """True or the outcome where it was done, None where nothing changed, False where refused."""
    try:
        found = run(coroutine)
    except WrongState:
        return False
    return found if isinstance(found, tuple) else (None if found is None else True)


class KinMachine(RuleBasedStateMachine):
    """One town after the other in one ledger, each compared with its model after every step."""

    numbers = itertools.count(1)

    def __init__(self, composition: Composition, clock: TurnedClock) -> None:
        super().__init__()
        self._town = Town(composition, clock, next(self.numbers))
        self._steps = itertools.count(1)

    @initialize(dice=DICE)
    def begin(self, dice: random.Random) -> None:
        """Somebody writes: before that there is nobody to decide about."""
        self._town.step(self._town.message, dice, next(self._steps))

    @rule(dice=DICE, act=st.sampled_from(["message", "message", *DECISIONS, "merge"]))
    def happen(self, dice: random.Random, act: str) -> None:
        """One more thing happens."""
        self._town.step(getattr(self._town, act), dice, next(self._steps))


def test_whatever_people_decide_equals_a_plain_model(backend: Backend) -> None:
    """Messages, links, merges, their undoing and handed-over numbers, in any order.

    At the end a replay of the log gives the rows that following gave.
    """
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        composition.follower.catch_up()
        run_machine(
            cast("type[KinMachine]", lambda: KinMachine(composition, clock)),
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        assert check(composition.core, composition.source) == []


# -------------------------------------------------------------------------------- rivals


def people(composition: Composition, *addresses: str) -> list[UUID]:
    """A contact for each address, known to the views."""
    receipts = [
        run(composition.ledger.record(said(key=address, resource=address), BY_TOKEN))
        for address in addresses
    ]
    composition.follower.catch_up()
    return [receipt.contact for receipt in receipts]


async def both(first: Any, second: Any) -> list[Any]:  # noqa: ANN401 - coroutines of outcomes
    """The outcomes of two who act at once; a refusal is one."""
    return list(await asyncio.gather(first, second, return_exceptions=True))


def test_of_two_who_merge_one_contact_at_once_one_is_told(backend: Backend) -> None:
    """One contact into two others at once, and two into each other: one is done, one refused."""
    with opened(backend) as composition:
        ana, beto, caro = people(composition, ANA, BETO, "tel:+525500000003")
        merge = composition.ledger.identity.merge
        told = run(
            both(
                merge(ana, caro, "a", BY_ROSA, None),
                merge(beto, caro, "b", BY_TOKEN, None),
            )
        )
        refused = [one for one in told if isinstance(one, WrongState)]
        assert (len(told), len(refused)) == (2, 1)
        crossed = run(
            both(
                merge(ana, beto, None, BY_ROSA, None),
                merge(beto, ana, None, BY_TOKEN, None),
            )
        )
        assert sum(isinstance(one, WrongState) for one in crossed) == 1
        composition.follower.catch_up()
        roots = {composition.roots.standing(one) for one in (ana, beto, caro)}
        assert len({one.contact for one in roots if one}) == 1


def test_a_merge_stands_in_both_streams(backend: Backend) -> None:
    """One unit, two events side by side, each in its contact's stream, under its own key."""
    with opened(backend) as composition:
        ana, beto = people(composition, ANA, BETO)
        merge, receipt = run(
            composition.ledger.identity.merge(ana, beto, "la misma", BY_ROSA, None)
        )
        told = [composition.log.entry(at) for at in (receipt.position, receipt.last)]
        found = [entry.event for entry in told if entry]
        assert receipt.last == receipt.position + 1
        assert [type(event) for event in found] == [ContactsMerged, ContactsMerged]
        assert [(e.contact, e.merge, e.reason) for e in found if isinstance(e, ContactsMerged)] == [
            (ana, merge, "la misma"),
            (beto, merge, "la misma"),
        ]


def test_a_merge_is_done_once_for_a_key(backend: Backend) -> None:
    """The same key again is the same merge; with another body it is refused."""
    with opened(backend) as composition:
        ana, beto = people(composition, ANA, BETO)
        book = composition.ledger.identity
        merge, first = run(book.merge(ana, beto, None, keyed(BY_ROSA, 1), None))
        assert run(book.undo(Tie(merge, ana, beto), BY_ROSA)) is not None
        composition.follower.catch_up()
        again, receipt = run(book.merge(ana, beto, None, keyed(BY_ROSA, 1), None))
        assert (again, receipt.position, receipt.duplicate) == (merge, first.position, True)
        with pytest.raises(KeyReused):
            run(book.link(ana, Wanted("tel:+525500000009"), keyed_otherwise()))


def keyed_otherwise() -> Any:  # noqa: ANN401 - the author of a command
    """Rosa with the same key and another body."""
    by = keyed(BY_ROSA, 1)
    assert by.repeatable
    return structs.replace(by, repeatable=structs.replace(by.repeatable, digest=b"x" * 32))


def test_an_older_version_does_not_merge(backend: Backend) -> None:
    """With a version that is not the contact's nothing is merged, linked or taken off."""
    with opened(backend) as composition:
        ana, beto = people(composition, ANA, BETO)
        book, head = composition.ledger.identity, composition.log.head()
        with pytest.raises(ChangedMeanwhile):
            run(book.merge(ana, beto, None, BY_ROSA, 7))
        with pytest.raises(ChangedMeanwhile):
            run(book.link(ana, Wanted(BETO, move=True), BY_ROSA, expected=7))
        with pytest.raises(ChangedMeanwhile):
            run(book.link(ana, Wanted("tel:+525500000009"), BY_ROSA, expected=7))
        assert composition.log.head() == head


def test_somebody_erased_is_not_merged(backend: Backend) -> None:
    """Where a contact's key is destroyed the merge is refused, and nothing is written."""
    with opened(backend) as composition:
        ana, beto = people(composition, ANA, BETO)
        ring, head = composition.keys.ring, composition.log.head()
        ring.destroy(ring.key_ids([beto]).values(), 1, NOON)
        composition.keys.forget()
        with pytest.raises(WrongState):
            run(composition.ledger.identity.merge(ana, beto, None, BY_ROSA, None))
        assert composition.log.head() == head


def test_a_number_that_was_given_anew(backend: Backend) -> None:
    """From the date on a message makes a new contact; before it, it is the old one's for good."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        (ana,) = people(composition, ANA)
        book = composition.ledger.identity
        given = (ana, ANA, NOON + 100)
        assert run(book.give_away(ana, given, BY_ROSA)) is not None
        assert run(book.give_away(ana, given, BY_ROSA)) is None
        clock.now = NOON + 500
        late = run(composition.ledger.record(said(key="k1", occurred_at=NOON + 99), BY_TOKEN))
        new = run(composition.ledger.record(said(key="k2", occurred_at=NOON + 100), BY_TOKEN))
        assert late.contact == ana != new.contact
        with pytest.raises(WrongState):
            run(book.give_away(ana, (ana, ANA, NOON + 50), BY_ROSA))


def test_a_number_is_taken_over_from_a_date_on(backend: Backend) -> None:
    """With a date, the other contact keeps what was said before, and this one gets the rest."""
    clock = TurnedClock()
    with opened(backend, clock) as composition:
        ana, beto = people(composition, ANA, BETO)
        book = composition.ledger.identity
        clock.now = NOON + 500
        with pytest.raises(AddressTaken):
            run(book.link(beto, Wanted(ANA, since=NOON + 100), BY_ROSA))
        wanted = Wanted(ANA, move=True, since=NOON + 100)
        assert run(book.link(beto, wanted, BY_ROSA)) is not None
        composition.follower.catch_up()
        new = run(composition.ledger.record(said(key="k2", occurred_at=NOON + 200), BY_TOKEN))
        composition.follower.catch_up()
        mine, theirs = (composition.roots.standing(one) for one in (new.contact, ana))
        assert mine
        assert theirs
        assert (mine.contact, mine.addresses) == (beto, 2)
        assert (theirs.contact, theirs.addresses) == (ana, 1)
