"""Names of staff, departments, campaigns, sources and tokens, which the log holds as ids.

A name that is missing (its key erased, or its event not yet here) falls back to the key. A
person without sign-in who was declared to be a user is shown as that user. Rows and handler:
projections/dictionary_rows.py.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from domain.errors import Unavailable
from domain.values import staff_name
from projections.dictionary_rows import (
    CAMPAIGN,
    CHANNEL,
    DEPARTMENT,
    NAMES,
    NAMES_EPOCH,
    SOURCE,
    TEAM,
    TOKEN,
    USER,
    DictionaryProjection,
    Extra,
    NameRow,
    read_extra,
)
from projections.views import Reading, Views

__all__ = [
    "CAMPAIGN",
    "CHANNEL",
    "DEPARTMENT",
    "SOURCE",
    "TEAM",
    "TOKEN",
    "USER",
    "Dictionary",
    "DictionaryProjection",
    "Extra",
    "Named",
    "Names",
    "Person",
    "TeamName",
    "Word",
]

_ADMIN = "admin"


class Person(Struct, frozen=True):
    """Somebody of the company, as answers show them; `user`: may sign in."""

    id: str
    name: str
    user: bool


class TeamName(Struct, frozen=True):
    """A team, as answers show it."""

    id: str
    name: str


class Word(Struct, frozen=True):
    """A department, campaign or source, as answers show it."""

    key: str
    name: str


class Named(Struct, frozen=True):
    """An entry with all that is known of it, for lists."""

    key: str
    name: str
    active: bool
    since: int
    extra: Extra


class Names:
    """All entries of one position, in memory. Unknown keys answer with themselves."""

    def __init__(self) -> None:
        self.epoch = -1
        self.generation = 0
        self._words: dict[tuple[str, str], Word] = {}
        self._people: dict[bytes, Person] = {}
        self._into: dict[bytes, UUID] = {}
        self._named: dict[tuple[str, str], Named] = {}
        self._by_email: dict[str, UUID] = {}
        self._by_name: dict[str, UUID] = {}
        self._streams: set[bytes] = set()

    def user(self, user: UUID | bytes) -> Person:
        """A person by id; one who was declared to be a user as that user."""
        raw = user.bytes if isinstance(user, UUID) else user
        into = self._into.get(raw)
        found = self._people.get(into.bytes if into else raw)
        if found is not None:
            return found
        text = str(UUID(bytes=raw))
        return Person(text, text, user=False)

    def team(self, team: UUID | bytes) -> TeamName:
        """A team by id."""
        text = str(team if isinstance(team, UUID) else UUID(bytes=team))
        word = self._words.get((TEAM, text))
        return TeamName(text, word.name if word else text)

    def department(self, key: str) -> Word:
        """A department by key."""
        return self._words.get((DEPARTMENT, key)) or Word(key, key)

    def campaign(self, key: str) -> Word:
        """A campaign by key."""
        return self._words.get((CAMPAIGN, key)) or Word(key, key)

    def source(self, key: str) -> Word:
        """A source by key."""
        return self._words.get((SOURCE, key)) or Word(key, key)

    def token(self, key: str) -> Word:
        """A token by the text of its id."""
        return self._words.get((TOKEN, key)) or Word(key, key)

    def channel(self, key: str) -> Word:
        """A channel connection by name."""
        return self._words.get((CHANNEL, key)) or Word(key, key)

    def all(self, kind: str) -> list[Named]:
        """All entries of a kind, by name."""
        found = [named for (of, _), named in self._named.items() if of == kind]
        return sorted(found, key=lambda named: (named.name.casefold(), named.key))

    def one(self, kind: str, key: str) -> Named | None:
        """An entry with all that is known of it; None where there is none."""
        return self._named.get((kind, key))

    def staff_id(self, text: str) -> UUID | None:
        """The user with that UUID, e-mail or exact name; of several the one known first.

        Of a person who was declared to be a user, that user.
        """
        try:
            found: UUID | None = UUID(text)
        except ValueError:
            email, name = text.strip().casefold(), staff_name(text)
            found = self._by_email.get(email) or self._by_name.get(name)
        if found is None or found.bytes not in self._people:
            return None
        return self._into.get(found.bytes, found)

    def alike(self, user: UUID) -> list[UUID]:
        """The user, and every person who was declared to be that user."""
        others = [UUID(bytes=raw) for raw, into in self._into.items() if into == user]
        return [user, *others]

    def administrators(self) -> list[UUID]:
        """The users who may enter as administrators."""
        found = (named for (kind, _), named in self._named.items() if kind == USER)
        return [
            UUID(named.key)
            for named in found
            if named.extra.sign_in and named.active and named.extra.role == _ADMIN
        ]

    def knows(self, stream: bytes) -> bool:
        """Whether an entry was made by that stream."""
        return stream in self._streams

    def take(self, row: NameRow) -> None:
        """Remember an entry as it is now."""
        extra = read_extra(row.extra)
        shown = row.name or row.key
        place = (row.kind, row.key)
        before = self._named.get(place)
        self._named[place] = Named(row.key, shown, bool(row.active), row.since, extra)
        self._words[place] = Word(row.key, shown)
        self._streams.add(row.stream)
        if row.kind == USER:
            self._take_user(row, extra, before)

    def _take_user(self, row: NameRow, extra: Extra, before: Named | None) -> None:
        user = UUID(row.key)
        self._people[user.bytes] = Person(row.key, row.name or row.key, extra.sign_in)
        if extra.into is None:
            self._into.pop(user.bytes, None)
        else:
            self._into[user.bytes] = extra.into
        if before is not None:  # who has another name now is not found by the old one
            _let_go(self._by_name, staff_name(before.name), user)
            _let_go(self._by_email, (before.extra.email or "").strip().casefold(), user)
        if row.name:
            self._by_name.setdefault(staff_name(row.name), user)
        if extra.email:
            self._by_email.setdefault(extra.email.strip().casefold(), user)


def _let_go(index: dict[str, UUID], text: str, user: UUID) -> None:
    if index.get(text) == user:
        del index[text]


class Dictionary:
    """The names as readers and writers ask for them; reads only what changed since.

    Implements ports.People; where the views do not answer it knows nobody new.
    """

    def __init__(self, views: Views) -> None:
        self._views = views
        self._names = Names()
        self._lock = threading.Lock()

    def names(self, reading: Reading) -> Names:
        """The names at the reading's position, or newer ones that another read saw."""
        epoch = reading.epoch(NAMES_EPOCH)
        names = self._names
        if names.generation == reading.generation and names.epoch >= epoch:
            return names
        with self._lock:
            names = self._names
            if names.generation != reading.generation:
                names = Names()
                names.generation = reading.generation
            listed = ", ".join(NAMES.columns)
            found = reading.fetch(
                f"SELECT {listed} FROM {reading.name(NAMES)} WHERE changed > ?"
                " ORDER BY since, kind, key",
                (names.epoch,),
            )
            for values in found:
                names.take(NameRow(*values))
            names.epoch = max(names.epoch, epoch)
            self._names = names
        return names

    def staff_id(self, text: str) -> UUID | None:
        """As in ports.People."""
        return self._names.staff_id(text) or self.newest().staff_id(text)

    def knows(self, originator_id: UUID) -> bool:
        """As in ports.People."""
        stream = originator_id.bytes
        return self._names.knows(stream) or self.newest().knows(stream)

    def administrators(self) -> Sequence[UUID]:
        """As in ports.People."""
        return self.newest().administrators()

    def alike(self, user: UUID) -> Sequence[UUID]:
        """As in ports.People."""
        return self.newest().alike(user)

    def newest(self) -> Names:
        """The names as they are now; those that were read last where the views do not answer."""
        try:
            with self._views.reading() as reading:
                return self.names(reading)
        except Unavailable:
            return self._names
