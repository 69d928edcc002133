"""How the directory's rows change by sightings of addresses, and by names that people wrote.

Whatever is observed folds so that the order of arrival does not matter: minima and maxima over
(occurred_at, originator). A subject's row holds all that its contact needs, so that a contact's
row can be made again from its members' rows alone.
"""

from __future__ import annotations

from typing import Final, cast
from uuid import UUID

from msgspec import Struct

from domain import events
from domain.addresses import scope_of
from domain.ports import Entry
from domain.values import Channel, Direction, Role
from projections.base import Rows
from projections.directory_rows import (
    ALIAS,
    CONTACTS,
    COUNTS,
    HINTS,
    SUBJECTS,
    Card,
    ContactRow,
    CountRow,
    SubjectRow,
    alike_of,
    card_of,
    encode,
    hint_of,
)
from projections.grouping import note_pair, refresh, regroup
from projections.linking import RULES, SUCCESSION, Pair

PLACES: Final = 256
"""Places in one event: the counterpart, and at most 200 participants with 8 aliases."""

UNKNOWN_SCHEME: Final = "contact"
"""The scheme of a subject of which no event has said one yet."""

COUNTED: Final = "subjects"
"""What is counted here, as a row of the counts says it."""

NOBODY_BY_HAND: Final = frozenset({"import", "channel", "system"})
"""Kinds of actors that are no people deciding."""


class Sighting(Struct):
    """An address in an event; `place` orders the addresses of one log by their appearance."""

    subject: bytes
    scheme: str
    scope: str | None
    address: str | None
    name: str | None
    at: int
    by: bytes
    place: int
    channel: Channel | None = None


# ---------------------------------------------------------------- from the event


def recorded(rows: Rows, entry: Entry, event: events.InteractionRecorded) -> None:
    """Note the counterpart and every further outside participant, and asserted pairs."""
    inbound = event.direction is Direction.INBOUND
    main = event.subject.bytes
    address = event.resource if inbound else event.destination
    if not _seen_again(rows, event, main, address):
        sighting = Sighting(
            subject=main,
            scheme=event.scheme,
            scope=event.scope,
            address=address,
            name=event.contact_name,
            at=event.occurred_at,
            by=event.originator_id.bytes,
            place=entry.position * PLACES,
            channel=event.channel,
        )
        see(rows, sighting)
    if event.parties:
        _join_in(rows, entry, event, main)


def _join_in(rows: Rows, entry: Entry, event: events.InteractionRecorded, main: bytes) -> None:
    """Note the further outside participants, and those asserted to be the counterpart too."""
    by = event.originator_id.bytes
    place = entry.position * PLACES
    changed = False
    for number, party in enumerate(event.parties):
        known = event.identities[number] if number < len(event.identities) else None
        other = party.subject.bytes
        sighting = Sighting(
            subject=other,
            scheme=party.scheme,
            scope=party.scope,
            address=(known.address or None) if known else None,
            name=known.name if known else None,
            at=event.occurred_at,
            by=by,
            place=place + number + 1,
            channel=event.channel,
        )
        see(rows, sighting)
        if party.asserted and event.rule in RULES and other != main:
            age = number + 1 if event.rule == SUCCESSION else 0
            pair = Pair(other, event.occurred_at, by, entry.position, age)
            changed = note_pair(rows, main, pair) or changed
        elif party.role is Role.ALIAS and not party.asserted and other != main:
            _note_alias(rows, main, other, event.occurred_at)
    if changed:
        regroup(rows, (main,), entry.position)


def _note_alias(rows: Rows, main: bytes, other: bytes, at: int) -> None:
    """Somebody typed an address as one of the counterpart's: it may be, and nobody knows."""
    hint = hint_of(main, other, ALIAS, at)
    known = rows.get(HINTS, (hint.one, hint.other, hint.why))
    if known is None or at < known.at:
        rows.put(HINTS, hint)


def _seen_again(
    rows: Rows, event: events.InteractionRecorded, subject: bytes, address: str | None
) -> bool:
    """The same as `see` for most messages: a known address, and no news but the time."""
    row = rows.get(SUBJECTS, (subject,))
    at = event.occurred_at
    name = event.contact_name
    if (
        row is None
        or at < row.since
        or address != row.address
        or (name is not None and name != row.name_seen)
        or event.channel not in row.channels
        or row.scheme != event.scheme
    ):
        return False
    contact = rows.get(CONTACTS, (row.contact,))
    if contact is None:
        return False
    if name is not None:
        if name != contact.name and len(contact.members) > len(subject):
            return False
        seen = (at, event.originator_id.bytes)
        if seen > (cast("int", row.name_seen_at), cast("bytes", row.name_seen_by)):
            row.name_seen_at, row.name_seen_by = seen
    row.last_at = max(row.last_at, at)
    rows.put(SUBJECTS, row)
    if at > contact.last_at:
        contact.last_at = at
        rows.put(CONTACTS, contact)
    return True


def named(rows: Rows, entry: Entry, event: events.ContactNamed) -> None:
    """Take what a person or an import wrote down about a contact."""
    address = event.address
    subject = event.subject.bytes
    row = rows.get(SUBJECTS, (subject,))
    if row is None or address is not None:
        row = see(
            rows,
            Sighting(
                subject=subject,
                scheme=address.partition(":")[0] if address else UNKNOWN_SCHEME,
                scope=scope_of(address) if address else None,
                address=address,
                name=None,
                at=entry.recorded_at,
                by=event.originator_id.bytes,
                place=entry.position * PLACES,
            ),
        )
    card = card_of(row)
    values: dict[str, UUID | str | None] = {
        "name": event.name,
        "company": event.company,
        "owner": event.owner,
        "language": event.language,
    }
    for name in event.fields:
        value = values.get(name)
        card.values[name] = (None if value is None else str(value), entry.position)
    card.created = event.created or card.created
    write_down(rows, entry, row, card)
    refresh(rows, row.contact)


def write_down(rows: Rows, entry: Entry, row: SubjectRow, card: Card | None = None) -> None:
    """Note on a contact's card that an event of its stream decided something about it.

    A merge touches nobody for good: while it stands its edge does, and no longer.
    """
    event = cast("events.Event", entry.event)
    card = card or card_of(row)
    card.version = max(card.version, event.originator_version)
    merging = isinstance(event, events.ContactsMerged | events.MergeUndone)
    if card.touched is None and not merging and event.actor.kind not in NOBODY_BY_HAND:
        card.touched = entry.position
    row.card = encode(card)
    rows.put(SUBJECTS, row)


def decided(rows: Rows, entry: Entry, event: events.ContactMuted | events.ContactUnmuted) -> None:
    """Note a decision in the stream of a contact that changes nothing in the directory."""
    row = rows.get(SUBJECTS, (event.contact.bytes,))
    if row is not None:
        write_down(rows, entry, row)
        refresh(rows, row.contact)


def walled(rows: Rows, entry: Entry, event: events.AccessRestricted | events.AccessOpened) -> None:
    """Note that a contact was restricted or opened: nothing joins it by itself meanwhile."""
    row = rows.get(SUBJECTS, (event.contact.bytes,))
    if row is not None:
        card = card_of(row)
        card.walls.append((entry.position, isinstance(event, events.AccessRestricted)))
        write_down(rows, entry, row, card)
        refresh(rows, row.contact)


# ------------------------------------------------------------------ one subject


def see(rows: Rows, seen: Sighting) -> SubjectRow:
    """Note that an address was seen; its contact's row follows."""
    row = rows.get(SUBJECTS, (seen.subject,))
    if row is None:
        row = _new_subject(seen, _next_number(rows))
        rows.put(SUBJECTS, row)
        refresh(rows, seen.subject)
        rows.touch("contact", (seen.subject,))
        return row
    shown = _fold_sighting(row, seen)
    rows.put(SUBJECTS, row)
    contact = rows.get(CONTACTS, (row.contact,))
    if contact is None or shown or seen.at < contact.since or _may_rename(contact, seen):
        refresh(rows, row.contact)
    elif seen.at > contact.last_at:
        contact.last_at = seen.at
        rows.put(CONTACTS, contact)
    return row


def _may_rename(contact: ContactRow, seen: Sighting) -> bool:
    """Whether an old name of one address may now be the latest of several."""
    several = len(contact.members) > len(contact.contact)
    return several and seen.name is not None and seen.name != contact.name


def _next_number(rows: Rows) -> int:
    """The number of one that was never seen: so many were seen before."""
    row = rows.get(COUNTS, (COUNTED,)) or CountRow(COUNTED, 0)
    number, row.count = row.count, row.count + 1
    rows.put(COUNTS, row)
    return number


def _new_subject(seen: Sighting, number: int) -> SubjectRow:
    row = SubjectRow(
        subject=seen.subject,
        contact=seen.subject,
        scheme=seen.scheme,
        scope=seen.scope,
        address=None,
        folded=None,
        name_seen=None,
        name_seen_at=None,
        name_seen_by=None,
        since=seen.at,
        last_at=seen.at,
        channels="",
        place=seen.place,
        parent=None,
        parent_by=None,
        parent_at=0,
        moved=None,
        until=None,
        alike=None,
        edges=b"",
        card=b"",
        number=number,
    )
    _fold_sighting(row, seen)
    return row


def _fold_sighting(row: SubjectRow, seen: Sighting) -> bool:
    """Fold one sighting into its subject's row; whether what is shown of it changed."""
    shown = False
    row.since = min(row.since, seen.at)
    row.last_at = max(row.last_at, seen.at)
    if row.scheme == UNKNOWN_SCHEME and seen.scheme != UNKNOWN_SCHEME:
        row.scheme, row.scope = seen.scheme, seen.scope
    # No channel's name is a part of another one's.
    if seen.channel is not None and seen.channel not in row.channels:
        known = {*filter(None, row.channels.split(",")), seen.channel.value}
        row.channels = ",".join(sorted(known))
    # Of two spellings of one mailbox the small one; any rule would do that knows no order.
    if seen.address is not None and (row.address is None or seen.address > row.address):
        row.address, shown = seen.address, True
        rest = seen.address.partition(":")[2]
        row.folded = rest.casefold()
        row.alike = alike_of(seen.address)
    if seen.name is not None:
        name = seen.name.replace("\0", "")
        before = (row.name_seen_at, row.name_seen_by)
        if before[0] is None or before[1] is None or (seen.at, seen.by) > before:
            shown = shown or name != row.name_seen
            row.name_seen, row.name_seen_at, row.name_seen_by = name, seen.at, seen.by
        elif (seen.at, seen.by) == before and name > (row.name_seen or ""):
            # One event may name a subject twice, once as participant.
            row.name_seen, shown = name, True
    return shown
