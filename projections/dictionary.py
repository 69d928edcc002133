"""Names of staff, departments, campaigns, sources and tokens, which the log holds as ids.

A source is `discovered` by its first interaction, and `named` once somebody gave it a name. A
name that is missing (its key erased, or its event not yet here) falls back to the key.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from domain import events
from domain.errors import Unavailable
from domain.ports import Entry
from domain.values import staff_name
from projections.base import EPOCH, Key, Rows, RowTable
from projections.views import Reading, Views

NAMES_EPOCH: Final = "names"

USER: Final = "user"
DEPARTMENT: Final = "department"
CAMPAIGN: Final = "campaign"
SOURCE: Final = "source"
TOKEN: Final = "token"  # noqa: S105 - the kind of a row
CHANNEL: Final = "channel"

# ------------------------------------------------------------------------ rows


class Extra(Struct, frozen=True, omit_defaults=True):
    """What only some kinds have; `discovered`: nobody has named the source yet."""

    email: str | None = None
    sign_in: bool = False
    role: str | None = None
    department: str | None = None
    address: str | None = None
    discovered: bool = False
    scopes: tuple[str, ...] = ()
    source: str | None = None
    user: UUID | None = None
    expires_at: int | None = None
    revoked_at: int | None = None


class NameRow(Struct, gc=False):
    """One entry: `key` is a UUID's text for users and tokens; `stream` is its log stream.

    `changed` is the position of its last change, `since` of its first.
    """

    kind: str
    key: str
    name: str | None
    active: bool
    stream: bytes
    since: int
    changed: int
    extra: bytes


NAMES: Final = RowTable(
    "names",
    NameRow,
    key=("kind", "key"),
    columns={
        "kind": sa.Text(),
        "key": sa.Text(),
        "name": sa.Text(),
        "active": sa.Boolean(),
        "stream": sa.LargeBinary(16),
        "since": sa.BigInteger(),
        "changed": sa.BigInteger(),
        "extra": sa.LargeBinary(),
    },
    indexes=(("changed", ("changed",), None, False),),
)

_encode = msgspec.msgpack.Encoder().encode
_decode_extra = msgspec.msgpack.Decoder(Extra).decode

# -------------------------------------------------------------------- handlers


class DictionaryProjection:
    """The projection."""

    name: ClassVar[str] = "dictionary"
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[RowTable[Any], ...]] = (NAMES,)
    topics: ClassVar[frozenset[str]] = frozenset(
        {
            "interaction.recorded",
            "user.added",
            "department.set",
            "campaign.set",
            "source.set",
            "token.issued",
            "token.revoked",
        }
    )

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The one entry that the event is about."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            return ((NAMES, (SOURCE, event.source)),)
        return ((NAMES, _key_of(event)),)

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Discover a source, or take what the event says."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            key: Key = (SOURCE, event.source)
            if rows.get(NAMES, key) is not None:
                return
            row = _new(entry, key, b"")
            row.extra = _encode(Extra(discovered=True))
        else:
            key = _key_of(event)
            row = rows.get(NAMES, key) or _new(entry, key, event.originator_id.bytes)
            _take(row, entry)
        row.changed = entry.position
        rows.put(NAMES, row)
        rows.touch(EPOCH, (NAMES_EPOCH,))

    def settle(self, rows: Rows) -> None:
        """Nothing is left for the end of a page."""


def _key_of(event: object) -> Key:
    match event:
        case events.UserAdded():
            return (USER, str(event.user))
        case events.DepartmentSet():
            return (DEPARTMENT, event.key)
        case events.CampaignSet():
            return (CAMPAIGN, event.key)
        case events.SourceSet():
            return (SOURCE, event.key)
        case events.TokenIssued() | events.TokenRevoked():
            return (TOKEN, str(event.token))
    message = f"the dictionary has no entry for {type(event).__name__}"
    raise TypeError(message)


def _new(entry: Entry, key: Key, stream: bytes) -> NameRow:
    kind, text = key
    return NameRow(
        kind=str(kind),
        key=str(text),
        name=None,
        active=True,
        stream=stream,
        since=entry.position,
        changed=entry.position,
        extra=_encode(Extra()),
    )


def _take(row: NameRow, entry: Entry) -> None:
    event = entry.event
    row.stream = event.originator_id.bytes
    match event:
        case events.UserAdded():
            row.name = event.name
            extra = Extra(email=event.email, sign_in=event.sign_in, role=event.role)
            row.extra = _encode(extra)
        case events.DepartmentSet() | events.CampaignSet():
            row.name, row.active = event.name, event.active
        case events.SourceSet():
            row.name = event.name
            row.extra = _encode(Extra(department=event.department, address=event.address))
        case events.TokenIssued():
            row.name = event.name
            row.extra = _encode(
                Extra(
                    scopes=event.scopes,
                    source=event.source,
                    user=event.user,
                    expires_at=event.expires_at,
                )
            )
        case events.TokenRevoked():
            row.active = False
            extra = _decode_extra(row.extra)
            row.extra = _encode(msgspec.structs.replace(extra, revoked_at=entry.recorded_at))


# --------------------------------------------------------------------- queries


class Person(Struct, frozen=True):
    """Somebody of the company, as answers show them; `user`: may sign in."""

    id: str
    name: str
    user: bool


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
        self._named: dict[tuple[str, str], Named] = {}
        self._by_email: dict[str, UUID] = {}
        self._by_name: dict[str, UUID] = {}
        self._streams: set[bytes] = set()

    def user(self, user: UUID | bytes) -> Person:
        """A person by id."""
        raw = user.bytes if isinstance(user, UUID) else user
        found = self._people.get(raw)
        if found is not None:
            return found
        text = str(UUID(bytes=raw))
        return Person(text, text, user=False)

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
        """The user with that UUID, e-mail or exact name; of several the one known first."""
        try:
            asked = UUID(text)
        except ValueError:
            return self._by_email.get(text.strip().casefold()) or self._by_name.get(
                staff_name(text)
            )
        return asked if asked.bytes in self._people else None

    def knows(self, stream: bytes) -> bool:
        """Whether an entry was made by that stream."""
        return stream in self._streams

    def take(self, row: NameRow) -> None:
        """Remember an entry as it is now."""
        extra = _decode_extra(row.extra)
        shown = row.name or row.key
        place = (row.kind, row.key)
        self._named[place] = Named(row.key, shown, bool(row.active), row.since, extra)
        self._words[place] = Word(row.key, shown)
        self._streams.add(row.stream)
        if row.kind == USER:
            user = UUID(row.key)
            self._people[user.bytes] = Person(row.key, shown, extra.sign_in)
            if row.name:
                self._by_name.setdefault(staff_name(row.name), user)
            if extra.email:
                self._by_email.setdefault(extra.email.strip().casefold(), user)


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
        return self._names.staff_id(text) or self._newest().staff_id(text)

    def knows(self, originator_id: UUID) -> bool:
        """As in ports.People."""
        stream = originator_id.bytes
        return self._names.knows(stream) or self._newest().knows(stream)

    def _newest(self) -> Names:
        try:
            with self._views.reading() as reading:
                return self.names(reading)
        except Unavailable:
            return self._names
