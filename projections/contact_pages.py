"""Contacts as readers ask for them: whose subject it is, lists by recency, finding, objects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from domain.addresses import address_label
from domain.times import format_utc
from projections import cards, decisions, inbox_pages, paging
from projections.access import NOBODY_NEEDED, Granted, Visible, granted
from projections.cards import Card
from projections.dictionary import Names
from projections.directory_rows import (
    CONTACTS,
    FORMERS,
    SUBJECTS,
    ContactRow,
    read_card,
    split_ids,
)
from projections.finding_pages import Finder, Found, Search
from projections.merges import merged_into
from projections.paging import LIMIT_DEFAULT, Ask, Page, SortKey, read_page
from projections.painting import by
from projections.shapes import (
    AccessView,
    AddressView,
    ContactView,
    HoldView,
    MergedView,
    uuid_text,
)
from projections.threads import ThreadRow, by_channel, channels_of
from projections.views import Reading, any_of

_COLUMNS: Final = ", ".join(f"c.{column}" for column in CONTACTS.columns)


class ContactQuery(Struct, frozen=True, kw_only=True):
    """Which page of contacts.

    `text` is looked for in names, companies, addresses and numbers, those of `country` also
    without its code; #123 is the contact of that interaction.
    """

    scope: str = "contacts"
    text: str | None = None
    country: str | None = None
    limit: int = LIMIT_DEFAULT
    cursor: str | None = None


# --------------------------------------------------------------------------- whose it is


def contact_of(reading: Reading, subject: bytes) -> bytes | None:
    """The contact that a subject belongs to; None for a subject that was never seen."""
    sql = f"SELECT contact FROM {reading.name(SUBJECTS)} WHERE subject = ?"
    found = reading.fetch(sql, (subject,))
    return bytes(found[0][0]) if found else None


def whole_of(reading: Reading, subject: bytes) -> tuple[bytes, list[bytes]] | None:
    """The contact that a subject belongs to, and all its subjects; None as above."""
    sql = (
        f"SELECT s.contact, c.members FROM {reading.name(SUBJECTS)} s"
        f" LEFT JOIN {reading.name(CONTACTS)} c ON c.contact = s.contact WHERE s.subject = ?"
    )
    found = reading.fetch(sql, (subject,))
    return (bytes(found[0][0]), split_ids(found[0][1] or b"")) if found else None


def contacts_of(reading: Reading, subjects: Collection[bytes]) -> dict[bytes, bytes]:
    """The contact of each subject that was ever seen."""
    if not subjects:
        return {}
    sql = (
        f"SELECT subject, contact FROM {reading.name(SUBJECTS)}"
        f" WHERE subject IN ({_marks(subjects)})"
    )
    return dict(reading.fetch(sql, tuple(subjects)))


def members_of(reading: Reading, contact: bytes) -> list[bytes]:
    """The subjects of a contact, the first come first; none where it is no contact."""
    sql = f"SELECT members FROM {reading.name(CONTACTS)} WHERE contact = ?"
    found = reading.fetch(sql, (contact,))
    return split_ids(found[0][0]) if found else []


def address_of(reading: Reading, subject: bytes) -> str | None:
    """The address of a subject; None where nobody knows it (any more)."""
    found = _addresses(reading, (subject,)).get(subject)
    return found.address if found else None


# --------------------------------------------------------------------------------- lists


def page(reading: Reading, query: ContactQuery, visible: Visible) -> Page[ContactRow]:
    """A page of contacts, the one with the latest interaction first. Raises BadCursor."""
    binding = paging.binding(query.scope, query.text)
    ask = Ask(binding=binding, limit=query.limit, mark=paging.read_cursor(binding, query.cursor))
    if query.text is None:
        return read_page(ask, _List(reading, visible), _key)
    finder = Finder(reading, Search(query.text, query.country, visible))
    found = read_page(ask, finder, _key)
    rows = rows_of(reading, [one.contact for one in found.rows])
    return Page([rows[one.contact] for one in found.rows], found.next, found.prev)


def _key(row: ContactRow | Found) -> SortKey:
    return row.last_at, row.place


class _List:
    """Fetches contacts between two keys, those that the reader may see."""

    def __init__(self, reading: Reading, visible: Visible) -> None:
        self._reading = reading
        self._where, self._params = visible.contacts("c.contact")

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> list[ContactRow]:
        """The first `count` of them."""
        way = "DESC" if descending else "ASC"
        sql = (
            f"SELECT {_COLUMNS} FROM {self._reading.name(CONTACTS)} c"
            " WHERE (c.last_at, c.place) > (?, ?) AND (c.last_at, c.place) < (?, ?)"
            f" AND {self._where} ORDER BY c.last_at {way}, c.place {way} LIMIT ?"
        )
        rows = self._reading.fetch(sql, (*low, *high, *self._params, count))
        return [ContactRow(*row) for row in rows]


def rows_of(reading: Reading, contacts: Collection[bytes]) -> dict[bytes, ContactRow]:
    """The rows of those that are contacts, by id."""
    if not contacts:
        return {}
    where, params = any_of(reading, "c.contact", tuple(contacts))
    sql = f"SELECT {_COLUMNS} FROM {reading.name(CONTACTS)} c WHERE {where}"
    return {row[0]: ContactRow(*row) for row in reading.fetch(sql, params)}


# ------------------------------------------------------------------------------- objects


def row_of(reading: Reading, contact: bytes) -> ContactRow | None:
    """The row of a contact; None where it is no contact (any more)."""
    sql = f"SELECT {_COLUMNS} FROM {reading.name(CONTACTS)} c WHERE c.contact = ?"
    found = reading.fetch(sql, (contact,))
    return ContactRow(*found[0]) if found else None


def views(reading: Reading, names: Names, rows: Sequence[ContactRow]) -> list[ContactView]:
    """The contacts (2.6), in the same order, with a few queries for all of them."""
    members = {row.contact: split_ids(row.members) for row in rows}
    subjects = [subject for held in members.values() for subject in held]
    formers = _formers(reading, subjects)
    left = [former.subject for listed in formers.values() for former in listed]
    addresses = _addresses(reading, [*subjects, *left])
    shown = {subject: one.address for subject, one in addresses.items() if one.address is not None}
    known = _Known(
        names,
        cards.of_rows(rows, shown),
        inbox_pages.threads_of(reading, subjects),
        addresses,
        formers,
        merged_into(reading, names, subjects),
        granted(reading, list(members)),
        decisions.muted_among(reading, subjects),
    )
    return [_view(row, members[row.contact], known) for row in rows]


class _Address(Struct, frozen=True):
    """What a subject's row says of its address."""

    address: str | None
    since: int
    linked_by: str | None
    until: int | None
    card: bytes


class _Former(Struct, frozen=True):
    """An address that was taken off a contact."""

    subject: bytes
    linked_by: str


class _Known(Struct, frozen=True):
    """What was read for some contacts: labels by contact, the rest by subject."""

    names: Names
    cards: dict[bytes, Card]
    threads: dict[bytes, ThreadRow]
    addresses: dict[bytes, _Address]
    formers: dict[bytes, list[_Former]]
    merges: dict[bytes, list[MergedView]]
    granted: Mapping[bytes, Granted]
    muted: dict[bytes, tuple[decisions.Switch, ...]]


def _addresses(reading: Reading, subjects: Collection[bytes]) -> dict[bytes, _Address]:
    if not subjects:
        return {}
    where, params = any_of(reading, "subject", tuple(subjects))
    sql = (
        f"SELECT subject, address, since, parent_by, until, card FROM {reading.name(SUBJECTS)}"
        f" WHERE {where}"
    )
    return {row[0]: _Address(*row[1:]) for row in reading.fetch(sql, params)}


def _formers(reading: Reading, subjects: Collection[bytes]) -> dict[bytes, list[_Former]]:
    """What was taken off the contacts that these subjects are, the first first."""
    if not subjects:
        return {}
    where, params = any_of(reading, "holder", tuple(subjects))
    sql = (
        f"SELECT holder, subject, linked_by FROM {reading.name(FORMERS)}"
        f" WHERE {where} ORDER BY position, subject"
    )
    found: dict[bytes, list[_Former]] = {}
    for holder, subject, linked_by in reading.fetch(sql, params):
        found.setdefault(holder, []).append(_Former(subject, linked_by))
    return found


def _view(row: ContactRow, members: list[bytes], known: _Known) -> ContactView:
    card, names = known.cards[row.contact], known.names
    threads = [known.threads[subject] for subject in members if subject in known.threads]
    first = min(threads, key=_began) if threads else None
    merged = _merged(members, known)
    return ContactView(
        id=card.id,
        name=card.name,
        label=card.label,
        company=row.company,
        owner=names.user(row.owner) if row.owner else None,
        language=row.language,
        addresses=_listed(row.contact, members, known),
        merged=merged,
        first_at=format_utc(first.first_at) if first else None,
        last_at=format_utc(max(thread.last_at for thread in threads)) if threads else None,
        interactions=sum(thread.interactions for thread in threads),
        by_channel=by_channel(threads),
        first_source=names.source(first.first_source) if first and first.first_source else None,
        access=access_view(known.granted.get(row.contact, NOBODY_NEEDED), names),
        muted=decisions.is_muted(known.muted, members),
        holds=_holds(members, known),
        erased_at=_erased_at(row.contact, known),
        created=row.created,
        version=row.version,
    )


def _began(thread: ThreadRow) -> SortKey:
    return thread.first_at, thread.first_position


def _merged(members: list[bytes], known: _Known) -> list[MergedView]:
    """What was merged into a contact, the first first."""
    if not known.merges:
        return []
    found = [merge for subject in members for merge in known.merges.get(subject, ())]
    return sorted(found, key=lambda merge: (merge.at, merge.merge))


def _holds(members: list[bytes], known: _Known) -> list[HoldView]:
    """The legal holds on any part of a contact, the first placed first."""
    held = [known.addresses[one].card for one in members if one in known.addresses]
    holds = [hold for card in held if card for hold in read_card(card).holds]
    return [
        HoldView(
            id=str(UUID(bytes=hold.id)),
            at=format_utc(hold.at),
            by=by(known.names, hold.actor_kind, hold.actor),
            reason=hold.reason,
        )
        for hold in sorted(holds, key=lambda hold: (hold.at, hold.id))
    ]


def held(reading: Reading, limit: int) -> tuple[list[ContactRow], int]:
    """Contacts on which a legal hold stands, the latest first, and how many there are in all.

    It looks at whomever a person ever decided anything about: a page of its own asks for it.
    """
    sql = f"SELECT contact, card FROM {reading.name(SUBJECTS)} WHERE length(card) > 0"
    found: dict[bytes, int] = {}
    for contact, packed in reading.fetch(sql):
        for hold in read_card(packed).holds:
            found[contact] = max(hold.at, found.get(contact, 0))
    order = sorted(found, key=lambda one: (-found[one], one))
    rows = rows_of(reading, order[:limit])
    return [rows[one] for one in order[:limit]], len(order)


def _erased_at(contact: bytes, known: _Known) -> str | None:
    found = known.addresses.get(contact)
    erased = read_card(found.card).erased if found and found.card else None
    return format_utc(erased[1]) if erased else None


def _listed(contact: bytes, members: list[bytes], known: _Known) -> list[AddressView]:
    """The addresses that a contact has, then those that it had."""
    brought = {UUID(merge.id).bytes for merge in _merged(members, known) if not merge.undone}
    listed: dict[bytes, AddressView] = {}
    for subject in members:
        if _shown(subject, known):
            by_hand = "user" if subject in brought else "observed"
            linked_by = known.addresses[subject].linked_by or by_hand
            listed[subject] = _address(
                subject, known, "first" if subject == contact else linked_by, held=True
            )
    if not known.formers:
        return list(listed.values())
    for former in [one for subject in members for one in known.formers.get(subject, ())]:
        if former.subject not in members and _shown(former.subject, known):
            listed[former.subject] = _address(former.subject, known, former.linked_by, held=False)
    return list(listed.values())


def access_view(granted: Granted, names: Names) -> AccessView:
    """Who gets past the walls of a contact, as answers say it."""
    if not granted.parts:
        return AccessView()
    return AccessView(
        mode="restricted",
        users=[names.user(user) for user in granted.users],
        teams=[names.team(team) for team in granted.teams],
        undecided=granted.parts > 1,
    )


def _shown(subject: bytes, known: _Known) -> bool:
    """Whether a subject is an address: a contact's own id and a bucket of strangers are none."""
    found = known.addresses.get(subject)
    return found is not None and not (found.address or "").startswith("contact:")


def _address(subject: bytes, known: _Known, linked_by: str, *, held: bool) -> AddressView:
    found = known.addresses[subject]
    thread = known.threads.get(subject) if held else None
    return AddressView(
        subject=uuid_text(subject),
        address=found.address,
        label=address_label(found.address) if found.address else None,
        channels=channels_of(thread.by_channel) if thread else [],
        since=format_utc(found.since),
        linked_by=linked_by,
        current=held and found.until is None,
    )


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
