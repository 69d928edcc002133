"""Interactions as an analyst counts them: ids, times and kinds, and not a word of content.

A stretch of interactions is read at a time, in the order of the log, so that memory does not
grow with the history. Whoever asks for what is new after a position gets every interaction of
each contact about which anything became known since: an answer, a correction or a merge changes
rows that are older than itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, cast

from msgspec import Struct

from domain.values import Origin
from projections import folding, painting
from projections.content import read_content
from projections.directory_rows import CONTACTS, FORMERS, MERGES, SUBJECTS, split_ids
from projections.history import HISTORY
from projections.painting import LATE_US
from projections.shapes import uuid_text
from projections.timeline import INTERACTIONS, KIND_INTERACTION, MESSAGES, InteractionRow
from projections.views import Reading, any_of

STRETCH_ROWS: Final = 2_000
"""Interactions that are read together: a few MB."""

ASKED_MAX: Final = 500
"""Interactions whose answers are looked for by one query; each takes three parameters."""

_US_PER_S: Final = 1_000_000


class FactRow(Struct, frozen=True, kw_only=True):
    """An interaction without content; times in µs, ids as text, None for what nobody knows.

    `answered_at` is when somebody of the company next wrote to or called the same contact,
    for what asks for attention. `hidden`: another record of the same event is shown.
    """

    id: int
    interaction: str
    subject: str
    contact: str
    occurred_at: int
    occurred_offset_min: int
    recorded_at: int
    logged_late: bool
    channel: str
    direction: str
    origin: str
    source: str
    department: str | None
    campaign: str | None
    user: str | None
    auto: str | None
    call_seconds: int | None
    call_ring_seconds: int | None
    call_outcome: str | None
    attachments: int
    participants: int
    answered_at: int | None
    response_seconds: float | None
    edited: bool
    revoked: bool
    corrected: bool
    retracted: bool
    hidden: bool
    erased: bool
    as_of: int


class SubjectFact(Struct, frozen=True):
    """An address by its pseudonym: whose it is now, and which kind of address."""

    subject: str
    contact: str
    scheme: str
    first_seen_at: int
    last_at: int
    as_of: int


_COLUMNS: Final = ", ".join(f"i.{column}" for column in INTERACTIONS.columns)


def facts(reading: Reading, since: int = 0) -> Iterator[list[FactRow]]:
    """The interactions, a stretch at a time, in the order of the log; those of touched contacts."""
    touched = _touched(reading, since) if since else None
    name = reading.name(INTERACTIONS)
    sql = (
        f"SELECT {_COLUMNS}, s.contact FROM {name} i"
        f" JOIN {reading.name(SUBJECTS)} s ON s.subject = i.subject"
        f" WHERE i.position > ? AND i.kind = {KIND_INTERACTION} ORDER BY i.position LIMIT ?"
    )
    after = 0
    while rows := reading.fetch(sql, (after, STRETCH_ROWS)):
        found = [(InteractionRow(*row[:-1]), cast("bytes", row[-1])) for row in rows]
        after = cast("int", found[-1][0].position)
        if touched is not None:
            found = [(row, contact) for row, contact in found if contact in touched]
        yield _facts(reading, found)


def subjects(reading: Reading) -> Iterator[SubjectFact]:
    """Every address by its pseudonym, in the order of these."""
    sql = (
        f"SELECT subject, contact, scheme, since, last_at FROM {reading.name(SUBJECTS)}"
        " WHERE subject > ? ORDER BY subject LIMIT ?"
    )
    after = b""
    while rows := reading.fetch(sql, (after, STRETCH_ROWS)):
        after = rows[-1][0]
        for subject, contact, scheme, since, last_at in rows:
            ids = uuid_text(subject), uuid_text(contact)
            yield SubjectFact(*ids, scheme, since, last_at, reading.position)


# ------------------------------------------------------------------------ what is new


def _touched(reading: Reading, since: int) -> frozenset[bytes]:
    """The contacts about which anything became known after a position."""
    interactions, history = reading.name(INTERACTIONS), reading.name(HISTORY)
    about = f"SELECT h.about FROM {history} h WHERE h.position > ?"
    mails = f"SELECT m.originator FROM {reading.name(MESSAGES)} m WHERE m.message_id IN ({about})"
    changed = (
        f"SELECT subject FROM {interactions} WHERE position > ?"
        f" UNION SELECT subject FROM {interactions} WHERE originator IN ({about})"
        f" UNION SELECT subject FROM {interactions} WHERE originator IN ({mails})"
        f" UNION SELECT subject FROM {reading.name(SUBJECTS)} WHERE moved > ?"
        f" UNION SELECT holder FROM {reading.name(FORMERS)} WHERE position > ?"
        f" UNION SELECT survivor FROM {reading.name(MERGES)} WHERE position > ?"
        f" OR undone_at > (SELECT COALESCE(MAX(recorded_at), 0) FROM {interactions}"
        " WHERE position <= ?)"
    )
    sql = f"SELECT DISTINCT contact FROM {reading.name(SUBJECTS)} WHERE subject IN ({changed})"
    return frozenset(row[0] for row in reading.fetch(sql, (since,) * 7))


# --------------------------------------------------------------------------- the rows


def _facts(reading: Reading, rows: Sequence[tuple[InteractionRow, bytes]]) -> list[FactRow]:
    waiting = [(row, contact) for row, contact in rows if row.stirs]
    answers = _answers(reading, waiting)
    return [_fact(reading, row, contact, answers) for row, contact in rows]


def _fact(
    reading: Reading, row: InteractionRow, contact: bytes, answers: dict[int, int]
) -> FactRow:
    content = read_content(cast("bytes", row.content))
    state = folding.read_state(row.state)
    call = painting.call_view(content, state)
    position, occurred_at = cast("int", row.position), cast("int", row.occurred_at)
    recorded_at = cast("int", row.recorded_at)
    answered_at = answers.get(position)
    offset = state.corrections.get("offset_min")
    return FactRow(
        id=position,
        interaction=uuid_text(row.originator),
        subject=uuid_text(cast("bytes", row.subject)),
        contact=uuid_text(contact),
        occurred_at=occurred_at,
        occurred_offset_min=offset.value if offset else content.offset_min,
        recorded_at=recorded_at,
        logged_late=recorded_at - occurred_at > LATE_US and row.origin != Origin.IMPORTED,
        channel=cast("str", row.channel),
        direction=cast("str", row.direction),
        origin=cast("str", row.origin),
        source=cast("str", row.source),
        department=row.department,
        campaign=row.campaign,
        user=uuid_text(row.attended_by) if row.attended_by else None,
        auto=content.auto,
        call_seconds=call.seconds if call else None,
        call_ring_seconds=call.ring_seconds if call else None,
        call_outcome=call.outcome if call else None,
        attachments=len(content.attachments),
        participants=len(content.outside) + len(content.ours),
        answered_at=answered_at,
        response_seconds=None if answered_at is None else (answered_at - occurred_at) / _US_PER_S,
        edited=state.edit is not None,
        revoked=state.revoked_at is not None,
        corrected=bool(state.corrections),
        retracted=state.retraction is not None,
        hidden=bool(row.hidden),
        erased=content.erased,
        as_of=reading.position,
    )


def _answers(reading: Reading, waiting: Sequence[tuple[InteractionRow, bytes]]) -> dict[int, int]:
    """When each of these was answered, by id: the next outbound content to the same contact."""
    members = _members(reading, {contact for _, contact in waiting})
    asked = [
        (cast("int", row.position), cast("int", row.occurred_at), member)
        for row, contact in waiting
        for member in members.get(contact, ())
    ]
    found: dict[int, int] = {}
    for start in range(0, len(asked), ASKED_MAX):
        for position, at in _next_answers(reading, asked[start : start + ASKED_MAX]):
            found[position] = min(at, found.get(position, at))
    return found


def _next_answers(
    reading: Reading, asked: Sequence[tuple[int, int, bytes]]
) -> list[tuple[int, int]]:
    """(position, time of the next answer to that subject), where there is any."""
    one = "(?, ?, ?)"
    first = "(?::bigint, ?::bigint, ?::bytea)" if reading.kind == "postgresql" else one
    listed = ", ".join([first, *[one] * (len(asked) - 1)])
    answer = (
        f"SELECT o.occurred_at FROM {reading.name(INTERACTIONS)} o WHERE o.subject = k.subject"
        " AND (o.occurred_at, o.position) > (k.at, k.position) AND o.hidden = 0"
        " AND o.answers = 1 ORDER BY o.occurred_at, o.position LIMIT 1"
    )
    sql = (
        f"WITH k (position, at, subject) AS (VALUES {listed}) SELECT k.position, ({answer}) FROM k"
    )
    rows = reading.fetch(sql, [value for triple in asked for value in triple])
    return [(position, at) for position, at in rows if at is not None]


def _members(reading: Reading, contacts: Collection[bytes]) -> dict[bytes, list[bytes]]:
    if not contacts:
        return {}
    where, params = any_of(reading, "contact", sorted(contacts))
    sql = f"SELECT contact, members FROM {reading.name(CONTACTS)} WHERE {where}"
    return {contact: split_ids(held) for contact, held in reading.fetch(sql, params)}
