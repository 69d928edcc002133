"""The few shapes that join the domain to its stores: all of the domain that storage imports.

Times are whole microseconds since the Unix epoch, UTC. Addresses are canonical text
(domain/addresses.py). A subject is the random pseudonym of one outside address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

MAX_UNIT_EVENTS = 8
"""Events that one unit may hold: a decision stays small enough to be judged under the lock."""

UNDER_COMPANY = "company"
"""In a layout, instead of a field's name: the section is sealed under the company's own key."""

Clock = Callable[[], int]
"""Gives the time in microseconds since the epoch; the only real one is made in app/compose.py."""

Entropy = Callable[[int], bytes]
"""Gives that many random bytes; the only real one is made in app/compose.py."""


class EventLike(Protocol):
    """What storage knows of an event: its place in its stream. Its fields come by its layout."""

    @property
    def originator_id(self) -> UUID:
        """The stream."""

    @property
    def originator_version(self) -> int:
        """The place in the stream, from 1."""


class Layout(Struct, frozen=True):
    """How an event of one topic is stored: which fields lie in clear and which are sealed.

    `under` names the field with the subject whose key seals section 0, or `company`.
    `each`, where present, is (field with sealed items, field with their clear items): item i
    is sealed in section i + 1 under the key of `clear[i].subject`.
    `upcasters[v]` turns the stored fields of version v into those of version v + 1.
    """

    topic: str
    event_class: type[Struct]
    clear: tuple[str, ...]
    sealed: tuple[str, ...]
    under: str
    each: tuple[str, str] | None = None
    version: int = 1
    upcasters: tuple[Callable[[dict[str, object]], dict[str, object]], ...] = ()


class Seeker(Struct, frozen=True, array_like=True, gc=False):
    """An address that needs its subject, as it was held at a time (numbers are recycled)."""

    address: str
    at: int


class Pending(Struct, frozen=True):
    """An event on its way into the log; `if_absent` ones are left out where they stand already."""

    event: EventLike
    if_absent: bool = False


class Counted(Struct, frozen=True):
    """A balance that grows by one `recorded` atom in the transaction that records it."""

    connection: str
    source: str


class Unit(Struct, frozen=True, kw_only=True):
    """One decision: 1 to 8 events, all or nothing.

    `key` is the stream of the event that makes the unit unique: a unit that would need a new
    subject is looked up by it first. `build` is pure: it gets the subjects of `seekers`, in
    order, and returns the events; it may be called again when an erasure intervenes.
    `command_id` is the identity of a human command; a repeat finds the first outcome.
    `size_hint` is roughly the bytes that the unit will take in the log.
    """

    key: UUID
    build: Callable[[Sequence[UUID]], Sequence[Pending]]
    seekers: tuple[Seeker, ...] = ()
    command_id: UUID | None = None
    counted: Counted | None = None
    size_hint: int = 512


class Appended(Struct, frozen=True):
    """The unit stands in the log, durably.

    `positions` has the position of each pending event; of one that was left out because it
    was there already, the position at which it stands. `subjects` are those of the seekers.
    """

    positions: tuple[int, ...]
    recorded_at: int
    subjects: tuple[UUID, ...]


class Clash(Struct, frozen=True):
    """Nothing was written: (originator, version) is taken, by the event at `position`."""

    originator_id: UUID
    originator_version: int
    position: int


class Repeated(Struct, frozen=True):
    """Nothing was written: the command id stands already, with the event at `position`."""

    position: int


Verdict = Appended | Clash | Repeated


class Entry(Struct, frozen=True):
    """An event as it stands in the log, opened. `erased`: its section's key was destroyed."""

    position: int
    recorded_at: int
    topic: str
    event: EventLike
    erased: bool = False


class StoredEntry(Struct, frozen=True):
    """A row of the log as it is stored; nothing is opened."""

    position: int
    originator_id: UUID
    originator_version: int
    topic: str
    recorded_at: int
    command_id: UUID | None
    state: bytes


AggregateT = TypeVar("AggregateT")


class Log(Protocol):
    """The one totally ordered, contiguous sequence: positions 1, 2, 3 and on."""

    async def append(self, unit: Unit) -> Verdict:
        """Append one unit; returns when its commit is durable.

        Raises Busy (queue full), StoreUnavailable, OutcomeUnknown (repeat with the same key).
        """

    async def raise_fence(self, unit: Unit) -> Verdict:
        """As `append`; from then on no process goes on with subjects and keys of before."""

    async def append_all(self, units: Sequence[Unit]) -> list[Verdict | Exception]:
        """Append units in order, each for itself; waits while the queue is full."""

    def entry(self, position: int) -> Entry | None:
        """The event at a position, opened; None where the log ends before it."""

    def stream(self, originator_id: UUID) -> list[Entry]:
        """All events of one stream, by version."""

    def command(self, command_id: UUID) -> int | None:
        """The position of the event that a command id stands with; None where it never came."""

    def head(self) -> int:
        """The last position; 0 for an empty log."""

    def load(
        self,
        originator_id: UUID,
        project: Callable[[AggregateT | None, Iterable[EventLike]], AggregateT | None],
    ) -> AggregateT | None:
        """An aggregate from its stream, through the library's repository; None if there is none."""


class Subjects(Protocol):
    """Who is behind an address, as the key store knows it."""

    @property
    def company(self) -> UUID:
        """The subject under whose key the company's own names are sealed."""

    def find(self, address: str, at: int) -> UUID | None:
        """The subject of an address at a time; None where it was never seen."""

    def hand_over(self, address: str, holder: UUID, from_at: int) -> UUID:
        """Give an address of a holder to a new subject from a time on (µs), durably.

        Repeated, it is the same subject. Other processes learn of it by the log's fence, which
        the caller raises afterwards. Raises WrongState where the address was not the holder's
        until then, or changed hands again later.
        """


class Gone(Struct, frozen=True, kw_only=True):
    """Who is to be forgotten: subjects, the ids of their keys, the addresses that they had.

    `position` is that of the ContactErased.
    """

    subjects: tuple[UUID, ...]
    keys: tuple[UUID, ...]
    addresses: tuple[str, ...]
    position: int


class Purgeable(Protocol):
    """Something that keeps what an erasure must take away: views, blobs, quarantine, caches."""

    def purge(self, gone: Gone) -> Sequence[str]:
        """Take all of it away, durably; what is still outstanding, a line each.

        Repeated, it finds nothing left to do. Raises StoreUnavailable; then it is asked again.
        """


class People(Protocol):
    """The staff that the views know; a hint, since an id can always be derived from a name."""

    def staff_id(self, text: str) -> UUID | None:
        """The user with that UUID, e-mail or exact name; None where there is none."""

    def knows(self, originator_id: UUID) -> bool:
        """Whether the dictionary entry with that stream certainly stands in the log."""

    def administrators(self) -> Sequence[UUID]:
        """The users who were administrators when the views last looked."""

    def alike(self, user: UUID) -> Sequence[UUID]:
        """The user and every person who was declared to be that user; the user alone else."""


class Standing(Struct, frozen=True):
    """How an address stands: its contact, how many addresses that has, what hangs on it.

    `holds`: people linked or merged others to it, or merged it to another. `bucket`: it stands
    for nobody in particular.
    """

    contact: UUID
    addresses: int
    holds: bool
    bucket: bool = False


class Contacts(Protocol):
    """Whose address it is now, as the directory knows it."""

    def knows(self, subject: UUID) -> bool:
        """Whether anything was recorded of a subject, or a contact made with it."""

    def contact_of(self, subject: UUID) -> UUID:
        """The contact that a subject belongs to; the subject itself where nothing was linked."""

    def standing(self, subject: UUID) -> Standing | None:
        """How a subject stands now; None for one of which nothing is known yet."""

    def look_again(self) -> None:
        """Believe no older answer: somebody is waiting for what they just decided."""
