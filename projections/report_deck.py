"""The facts of the reports as columns in memory, and whose each one is.

A figure over a million interactions by any combination, with distinct contacts beside it, is a
walk over columns of numbers: no index of a table gives it within a moment. So a process that is
asked keeps the facts in columns (24 bytes each, pyarrow's), reads what changed since its
last look by an index, and nothing else. Columns lie in segments (projections/report_segment.py),
inside sorted by contact and kind, so that most that counts alike are neighbours: a great one, and
behind it ever smaller ones of what came since, which melt together as they grow.

Contacts are the core's opinion, asked in the same snapshot; a merge moves a few numbers here.
A deck is never changed: whoever looks with it keeps it, and the next look makes another.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from typing import Final

from msgspec import structs

from domain.errors import NotYet, StoreUnavailable
from projections.columns import Column, arrow, compute, integers, places, taken
from projections.directory_rows import SUBJECTS
from projections.grouping import LINKS_EPOCH
from projections.report_kinds import Words, kinds_of
from projections.report_loading import facts_of, give_back, owners_of
from projections.report_segment import Segment, renewed, segmented
from projections.reports import CALLERS, FACTS, NEXT
from projections.views import REPORTS, Beside, Reading, Views

WARM_FACTS_MIN: Final = 50_000
"""Fewer are read within the first figure without anybody waiting for them, nor for pyarrow."""

_FACT: Final = "number, occurred_at, kind, caller"


class Deck:
    """All facts at a position, and the contact of each caller."""

    def __init__(
        self,
        generation: int,
        position: int,
        segments: tuple[Segment, ...],
        words: Words,
        owners: Column,
    ) -> None:
        self.generation = generation
        self.position = position
        self.segments = tuple(
            structs.replace(segment, great=segment.ordered and not place)
            for place, segment in enumerate(segments)
        )
        self.words = words
        self.owners = owners

    @property
    def size(self) -> int:
        """How many facts."""
        return sum(segment.size for segment in self.segments)

    @cached_property
    def owner_bits(self) -> int:
        """How many bits the greatest number of a contact takes."""
        pc = compute()
        greatest = pc.max(self.owners).as_py() or 0
        return max(int(greatest).bit_length(), 1)

    @cached_property
    def spread(self) -> Column:
        """By the number of a contact whether its facts may lie elsewhere than in one run.

        So they do where it has several callers, or later segments one of them; None: none does.
        """
        pa, pc = arrow(), compute()
        own = pc.multiply(pc.cast(places(len(self.owners)), pa.int32()), pa.scalar(2, pa.int32()))
        found = [self.owners.filter(pc.not_equal(self.owners, own))]
        found += [taken(self.owners, pc.unique(one.caller)) for one in self.segments[1:]]
        several = pc.unique(pa.concat_arrays(found))
        if not len(several):
            return None
        numbers = pc.cast(places(1 << self.owner_bits), pa.int32())
        return pc.is_in(numbers, value_set=several)

    @cached_property
    def span(self) -> tuple[int, int] | None:
        """The first and the last time; None where there is no fact."""
        if not self.segments:
            return None
        spans = [segment.span for segment in self.segments]
        return min(low for low, _ in spans), max(high for _, high in spans)


class Owners:
    """The contact of each caller as a number; contacts that never called get numbers too.

    A caller's own number is 2n, that of a contact without a call of its own 2n + 1.
    """

    def __init__(self) -> None:
        self.of = array("i")
        self.extras: dict[bytes, int] = {}

    def number(self, contact: bytes, caller: int | None) -> int:
        """The number of a contact that is, or is not, a caller itself."""
        known = self.extras.get(contact)
        if known is not None:
            return known
        if caller is not None:
            return 2 * caller
        self.extras[contact] = number = 2 * len(self.extras) + 1
        return number


class Decks:
    """Gives the deck of a reading; one for each composition, safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deck: Deck | None = None
        self._owners = Owners()
        self._links = (0, 0)

    def deck(self, core: Reading, reports: Beside) -> Deck:
        """The facts at the reports' position, or a later one that another look has seen."""
        links = (core.generation, core.epoch(LINKS_EPOCH))
        deck = self._deck
        if deck is not None and self._is_current(deck, reports, links):
            return deck
        with self._lock:
            deck = self._deck
            if deck is None or deck.generation != reports.generation:
                deck = self._first(core, reports)
            else:
                deck = self._next(deck, core, reports)
            self._deck = deck
            return deck

    def owner_of(self, reports: Beside, contacts: Iterable[bytes]) -> list[int]:
        """The numbers of those contacts that have any fact."""
        wanted = list(contacts)
        with self._lock:
            extras = self._owners.extras
            found = [extras[contact] for contact in wanted if contact in extras]
            wanted = [contact for contact in wanted if contact not in extras]
        for start in range(0, len(wanted), _ASKED_MAX):
            some = wanted[start : start + _ASKED_MAX]
            marks = ", ".join("?" * len(some))
            rows = reports.fetch(
                f"SELECT number FROM {reports.name(CALLERS)} WHERE subject IN ({marks})", some
            )
            found += [2 * row[0] for row in rows]
        return found

    def _is_current(self, deck: Deck, reports: Beside, links: tuple[int, int]) -> bool:
        return (
            deck.generation == reports.generation
            and deck.position >= reports.position
            and self._links[0] == links[0]
            and self._links[1] >= links[1]
        )

    # --------------------------------------------------------------------- making

    def _first(self, core: Reading, reports: Beside) -> Deck:
        """Everything, from the index that holds it."""
        self._owners = Owners()
        self._links = (0, 0)
        segments = segmented(*facts_of(reports))
        owners = self._resolved(core, reports)
        words = Words(kinds_of(reports, ()))
        give_back()
        return Deck(reports.generation, reports.position, segments, words, owners)

    def warm(self, views: Views) -> bool:
        """Read all facts before anybody asks, where they are many; whether that was done."""
        with suppress(NotYet, StoreUnavailable), views.reading() as core:
            reports = core.beside(REPORTS)
            rows = reports.fetch(f"SELECT number FROM {reports.name(NEXT)} WHERE of = 'fact'")
            if rows and rows[0][0] >= WARM_FACTS_MIN:
                self.deck(core, reports)
                return True
        return False

    def _next(self, deck: Deck, core: Reading, reports: Beside) -> Deck:
        """What changed since the last look."""
        segments, words = deck.segments, deck.words
        if reports.position > deck.position:
            rows = reports.fetch(
                f"SELECT {_FACT}, shown FROM {reports.name(FACTS)}"
                " WHERE changed > ? AND number IS NOT NULL",
                (deck.position,),
            )
            segments = renewed(segments, rows)
            words = words.with_more(kinds_of(reports, words.kinds))
        owners = self._resolved(core, reports)
        position = max(deck.position, reports.position)
        return Deck(deck.generation, position, segments, words, owners)

    def _resolved(self, core: Reading, reports: Beside) -> Column:
        """The contact of every caller, as far as the core knows; else each is its own."""
        links = (core.generation, core.epoch(LINKS_EPOCH))
        if links[0] != self._links[0]:
            self._owners = Owners()
            self._links = (links[0], 0)
        known = len(self._owners.of)
        owned = self._owners
        callers = reports.name(CALLERS)
        asked = (
            f"SELECT c.number, s.contact, r.number, c.subject FROM {callers} c"
            f" LEFT JOIN {core.name(SUBJECTS)} s ON s.subject = c.subject"
            f" LEFT JOIN {callers} r ON r.subject = s.contact"
        )
        ((count,),) = reports.fetch(f"SELECT COALESCE(MAX(number) + 1, 0) FROM {callers}")
        owned.of.extend([0] * (count - known))
        if not known:
            for number, root in owners_of(core, reports, count):
                owned.of[number] = owned.number(b"", root)
            found = reports.fetch(f"{asked} WHERE r.number IS NULL ORDER BY c.number")
        else:
            found = reports.fetch(f"{asked} WHERE c.number >= ? ORDER BY c.number", (known,))
            if links[1] > self._links[1]:
                found += reports.fetch(f"{asked} WHERE s.moved > ?", (self._links[1],))
        for number, contact, root, subject in found:
            owned.of[number] = owned.number(bytes(contact or subject), root if contact else number)
        self._links = (links[0], max(links[1], self._links[1]))
        return integers(owned.of)


_ASKED_MAX: Final = 500
"""Contacts asked for in one query: below the parameters that any database takes."""
