"""Subjects and contacts: whose address is whose, and what they are called.

A subject is one outside address; a contact is a set of subjects, and its id is that of the
subject that came first. Which subjects belong together is decided by the linking rule
(projections/linking.py) over the neighbourhood of what changed. Names that people wrote win
over those that messages brought; of these the latest does.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, ClassVar, Final
from uuid import UUID

from domain import events
from domain.errors import Unavailable
from domain.ports import Entry, Standing
from projections import forgetting, identity, kinship
from projections.base import Key, Rows, RowTable
from projections.directory_rows import (
    CONTACTS,
    COUNTS,
    FORMERS,
    HINTS,
    MERGES,
    SUBJECTS,
    read_edges,
    split_ids,
)
from projections.grouping import LINKS_EPOCH
from projections.linking import BUCKETS
from projections.views import Reading, Views

__all__ = ["DirectoryProjection", "Roots", "contact_of", "split_ids", "subjects_of"]

ROOTS_AGE_S: Final = 1.0
"""How old an answer to those who append may be; it is a hint, and views lag as much."""

ROOTS_KEPT: Final = 50_000
"""Subjects whose contact is remembered: those of a busy day, some 15 MB."""


class DirectoryProjection:
    """The projection."""

    name: ClassVar[str] = "directory"
    version: ClassVar[int] = 6
    tables: ClassVar[tuple[RowTable[Any], ...]] = (
        SUBJECTS,
        CONTACTS,
        MERGES,
        FORMERS,
        HINTS,
        COUNTS,
    )
    topics: ClassVar[frozenset[str]] = frozenset(
        {
            "interaction.recorded",
            "contact.named",
            "address.linked",
            "address.unlinked",
            "address.reassigned",
            "contacts.merged",
            "merge.undone",
            "contact.muted",
            "contact.unmuted",
            "access.restricted",
            "access.opened",
            "hold.placed",
            "hold.lifted",
            "contact.erased",
        }
    )

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The subjects that the event names, and the contacts that they are by themselves."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            key = (event.subject.bytes,)
            if not event.parties:
                return ((SUBJECTS, key), (CONTACTS, key))
            return _of_both([event.subject, *(party.subject for party in event.parties)])
        return _of_both(_named(event))

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Note who was seen, under which name, and who belongs together."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            identity.recorded(rows, entry, event)
            return
        match event:
            case events.ContactNamed():
                identity.named(rows, entry, event)
            case events.AddressLinked():
                kinship.linked(rows, entry, event)
            case events.AddressUnlinked():
                kinship.unlinked(rows, entry, event)
            case events.AddressReassigned():
                kinship.reassigned(rows, entry, event)
            case events.ContactsMerged():
                kinship.merged(rows, entry, event)
            case events.MergeUndone():
                kinship.undone(rows, entry, event)
            case events.ContactMuted() | events.ContactUnmuted():
                identity.decided(rows, entry, event)
            case events.AccessRestricted() | events.AccessOpened():
                identity.walled(rows, entry, event)
            case _:
                forgetting.noted(rows, entry)

    def settle(self, rows: Rows) -> None:
        """Nothing is left for the end of a page."""


def _named(event: object) -> list[UUID]:
    """The subjects that a decision names."""
    match event:
        case events.ContactNamed():
            return [event.subject]
        case events.ContactMuted() | events.ContactUnmuted():
            return [event.contact]
        case events.AccessRestricted() | events.AccessOpened():
            return [event.contact]
        case events.HoldPlaced() | events.HoldLifted():
            return [event.contact]
        case events.ContactErased():
            return list(event.subjects)
        case events.AddressLinked() | events.AddressUnlinked() | events.AddressReassigned():
            return [event.contact, event.subject]
        case events.ContactsMerged() | events.MergeUndone():
            return [event.survivor, event.absorbed]
        case _:
            return []


def _of_both(subjects: Iterable[UUID]) -> list[tuple[RowTable[Any], Key]]:
    """The rows of subjects, and of the contacts that they are by themselves."""
    keys = [(subject.bytes,) for subject in subjects]
    return [(table, key) for key in keys for table in (SUBJECTS, CONTACTS)]


def contact_of(rows: Rows, subject: bytes) -> bytes:
    """The contact of a subject; the subject itself where it was never seen."""
    row = rows.get(SUBJECTS, (subject,))
    return subject if row is None else row.contact


def subjects_of(rows: Rows, contact: bytes) -> list[bytes]:
    """The subjects of a contact, the first come first; none where it is no contact (any more)."""
    row = rows.get(CONTACTS, (contact,))
    return [] if row is None else split_ids(row.members)


class Roots:
    """Implements ports.Contacts: whose address it is, for those who append.

    A hint that is at most a second old: the truth at a position is in the views. Where they
    do not answer, a subject is its own contact. So is one that the views have not seen, until
    they say that it came to another: it is looked up once.
    """

    def __init__(self, views: Views, age_s: float = ROOTS_AGE_S) -> None:
        self._views = views
        self._age_s = age_s
        self._known: OrderedDict[bytes, UUID] = OrderedDict()
        self._unseen: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()
        self._looked_at = -age_s
        self._failed_at = -age_s
        self._generation = 0
        self._epoch = 0

    def contact_of(self, subject: UUID) -> UUID:
        """As in ports.Contacts."""
        raw = subject.bytes
        now = time.monotonic()
        if now - self._looked_at < self._age_s:
            known = self._known.get(raw)
            if known is not None:
                return known
            if raw in self._unseen:
                return subject
        if now - self._failed_at < self._age_s:
            return self._known.get(raw, subject)
        try:
            with self._lock, self._views.reading() as reading:
                self._renew(reading)
                return self._look_up(reading, subject)
        except Unavailable:
            self._failed_at = time.monotonic()  # nobody else waits for them in vain for a while
            return self._known.get(raw, subject)

    def knows(self, subject: UUID) -> bool:
        """As in ports.Contacts: whether the views have anything of a subject."""
        raw = subject.bytes
        if raw in self._known:
            return True
        with self._views.reading() as reading:
            query = f"SELECT 1 FROM {reading.name(SUBJECTS)} WHERE subject = ?"
            return bool(reading.fetch(query, (raw,)))

    def standing(self, subject: UUID) -> Standing | None:
        """As in ports.Contacts."""
        with self._views.reading() as reading:
            found = reading.fetch(
                f"SELECT s.contact, s.scheme, c.members, s.edges FROM {reading.name(SUBJECTS)} s"
                f" JOIN {reading.name(CONTACTS)} c ON c.contact = s.contact WHERE s.subject = ?",
                (subject.bytes,),
            )
        if not found:
            return None
        contact, scheme, members, packed = found[0]
        edges = read_edges(packed)
        return Standing(
            contact=UUID(bytes=contact),
            addresses=len(split_ids(members)),
            holds=bool(edges.children or edges.absorbed or edges.merges),
            bucket=scheme in BUCKETS,
        )

    def look_again(self) -> None:
        """As in ports.Contacts."""
        self._looked_at = self._failed_at = -self._age_s

    def made(self, subjects: Iterable[bytes]) -> None:
        """Told of subjects (16 bytes each) that were just made: no view can have seen them."""
        with self._lock:
            for raw in subjects:
                self._note_unseen(raw)

    def _renew(self, reading: Reading) -> None:
        """Hear of those that came to another contact since the last look."""
        self._looked_at = time.monotonic()
        epoch = reading.epoch(LINKS_EPOCH)
        if reading.generation != self._generation:
            self._known.clear()
            self._unseen.clear()
        elif epoch > self._epoch:
            moved = reading.fetch(
                f"SELECT subject, contact FROM {reading.name(SUBJECTS)} WHERE moved > ?",
                (self._epoch,),
            )
            for subject, contact in moved:
                if subject in self._known or subject in self._unseen:
                    self._unseen.pop(subject, None)
                    self._note_known(subject, UUID(bytes=contact))
        self._generation = reading.generation
        self._epoch = max(epoch, self._epoch) if epoch else epoch

    def _look_up(self, reading: Reading, subject: UUID) -> UUID:
        raw = subject.bytes
        known = self._known.get(raw)
        if known is not None:
            return known
        if raw in self._unseen:
            return subject
        query = f"SELECT contact FROM {reading.name(SUBJECTS)} WHERE subject = ?"
        found = reading.fetch(query, (raw,))
        if not found:
            self._note_unseen(raw)
            return subject
        contact = subject if found[0][0] == raw else UUID(bytes=found[0][0])
        self._note_known(raw, contact)
        return contact

    def _note_known(self, subject: bytes, contact: UUID) -> None:
        self._known[subject] = contact
        if len(self._known) > ROOTS_KEPT:
            self._known.popitem(last=False)

    def _note_unseen(self, subject: bytes) -> None:
        self._unseen[subject] = None
        if len(self._unseen) > ROOTS_KEPT:
            self._unseen.popitem(last=False)
