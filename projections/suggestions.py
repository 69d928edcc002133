"""Contacts that may be one: shown to people, never joined by themselves.

Three reasons: a provider asserted it and the rule refused (`conflict`), somebody typed an address
of the one for the other (`alias`), both have one name and similar addresses (`name`). The first
two are rows of the directory, told by when they were first said; the last is found by looking,
and told after them, the newest contact first. What people took apart is not suggested again; nor is
what they dismissed, until something else speaks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from msgspec import Struct

from domain.addresses import address_label
from domain.errors import BadCursor
from domain.times import format_utc
from projections import cards, paging
from projections.directory_rows import CONTACTS, HINTS, SUBJECTS, read_edges
from projections.dismissals import DISMISSALS
from projections.paging import HIGHEST, LIMIT_DEFAULT, LOWEST, Ask, Mark, Page, SortKey, read_page
from projections.shapes import Likeness, SuggestionView, uuid_text
from projections.views import Reading

SHOWN_MAX: Final = 50
"""Suggestions of one contact: more of them are no help to anybody."""

NAME: Final = "name"

_HINTS: Final = "conflict and alias"


class Found(Struct, frozen=True):
    """Two subjects, their contacts, and why they may be one person; `at` in µs."""

    one: bytes
    other: bytes
    contacts: tuple[bytes, bytes]
    why: str
    key: SortKey
    at: int | None = None


class Asked(Struct, frozen=True):
    """Which suggestions: about these subjects, with the contact of that id, dismissed ones."""

    members: Sequence[bytes] = ()
    other: bytes | None = None
    dismissed: bool = False


def page(
    reading: Reading,
    *,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
    dismissed: bool = False,
) -> Page[Found]:
    """A page of all suggestions: those that somebody said, then those of one name.

    With `dismissed`, those that people dismissed instead. Raises BadCursor.
    """
    scope = "dismissed suggestions" if dismissed else "suggestions"
    said, alike = paging.binding(scope, _HINTS), paging.binding(scope, NAME)
    asked = Asked(dismissed=dismissed)
    if cursor is not None:
        try:
            mark = paging.read_cursor(alike, cursor)
        except BadCursor:
            pass
        else:
            return read_page(
                Ask(binding=alike, limit=limit, mark=mark), _Alike(reading, asked), _key
            )
    ask = Ask(binding=said, limit=limit, mark=paging.read_cursor(said, cursor))
    first = read_page(ask, _Said(reading, asked), _key)
    if first.next is not None:
        return first
    rest = Ask(binding=alike, limit=max(limit - len(first.rows), 1))
    more = read_page(rest, _Alike(reading, asked), _key)
    if len(first.rows) < limit:
        return Page([*first.rows, *more.rows], more.next, first.prev)
    begin = paging.write_cursor(alike, Mark(*HIGHEST, back=False)) if more.rows else None
    return Page(first.rows, begin, first.prev)


def of_contact(
    reading: Reading,
    members: Sequence[bytes],
    *,
    other: bytes | None = None,
    dismissed: bool = False,
) -> list[Found]:
    """The suggestions about one contact, with one other if asked, the latest first; at most 50."""
    asked = Asked(members, other, dismissed)
    said = _Said(reading, asked)(LOWEST, HIGHEST, descending=True, count=SHOWN_MAX)
    alike = _Alike(reading, asked)(LOWEST, HIGHEST, descending=True, count=SHOWN_MAX)
    return [*said, *alike][:SHOWN_MAX]


def views(
    reading: Reading, found: Sequence[Found], may_see: Callable[[Collection[bytes]], bool]
) -> list[SuggestionView]:
    """What a reader may see of them: those whose two contacts both are theirs to see."""
    seen = [one for one in found if all(may_see([contact]) for contact in one.contacts)]
    named = cards.of_contacts(reading, {contact for one in seen for contact in one.contacts})
    known = _addresses(reading, {subject for one in seen for subject in (one.one, one.other)})
    return [
        SuggestionView(
            contacts=[named[contact].ref() for contact in one.contacts],
            why=one.why,
            addresses=[_likeness(subject, known[subject][0]) for subject in (one.one, one.other)],
            since=None if one.at is None else format_utc(one.at),
        )
        for one in seen
        if one.other not in known[one.one][1] and one.one not in known[one.other][1]
    ]


def _key(found: Found) -> SortKey:
    return found.key


class _Said:
    """Fetches what somebody said."""

    def __init__(self, reading: Reading, asked: Asked) -> None:
        self._reading = reading
        self._about = _dismissed(reading, asked, ("h.one", "h.other", "h.why"))
        self._params: list[object] = []
        if asked.members:
            listed = _marks(asked.members)
            self._about += f" AND (h.one IN ({listed}) OR h.other IN ({listed}))"
            self._params += [*asked.members, *asked.members]
        if asked.other is not None:
            self._about += _BESIDE
            self._params += [asked.other, asked.other]

    def __call__(self, low: SortKey, high: SortKey, *, descending: bool, count: int) -> list[Found]:
        """The first `count` of them."""
        reading, way = self._reading, "DESC" if descending else "ASC"
        subjects = reading.name(SUBJECTS)
        sql = (
            "SELECT h.one, h.other, h.why, h.at, h.tie, s.contact, t.contact"
            f" FROM {reading.name(HINTS)} h JOIN {subjects} s ON s.subject = h.one"
            f" JOIN {subjects} t ON t.subject = h.other"
            " WHERE (h.at, h.tie) > (?, ?) AND (h.at, h.tie) < (?, ?)"
            f" AND s.contact <> t.contact{self._about}"
            f" ORDER BY h.at {way}, h.tie {way} LIMIT ?"
        )
        rows = reading.fetch(sql, (*low, *high, *self._params, count))
        return [
            Found(one, other, (mine, theirs), why, (at, tie), at)
            for one, other, why, at, tie, mine, theirs in rows
        ]


class _Alike:
    """Fetches contacts of one name with similar addresses, by the places of these.

    Where a name is alike in many contacts, each is shown beside each.
    """

    def __init__(self, reading: Reading, asked: Asked) -> None:
        self._reading = reading
        table = reading.name(SUBJECTS)
        self._among = f"SELECT alike FROM {table} WHERE alike IS NOT NULL"
        self._about = _dismissed(reading, asked, (*_SORTED, f"'{NAME}'"))
        self._named: list[object] = []
        self._params: list[object] = []
        if not asked.members:
            self._among += " GROUP BY alike HAVING COUNT(*) > 1"
        else:
            listed = _marks(asked.members)
            self._among += f" AND subject IN ({listed})"
            self._named += asked.members
            self._about += f" AND (s.subject IN ({listed}) OR t.subject IN ({listed}))"
            self._params += [*asked.members, *asked.members]
        if asked.other is not None:
            self._about += _BESIDE
            self._params += [asked.other, asked.other]

    def __call__(self, low: SortKey, high: SortKey, *, descending: bool, count: int) -> list[Found]:
        """The first `count` of them."""
        reading, way = self._reading, "DESC" if descending else "ASC"
        subjects, contacts = reading.name(SUBJECTS), reading.name(CONTACTS)
        sql = (
            "SELECT s.subject, t.subject, s.contact, t.contact, s.place, t.place"
            f" FROM {subjects} s JOIN {subjects} t ON t.alike = s.alike AND t.place < s.place"
            f" JOIN {contacts} c ON c.contact = s.contact"
            f" JOIN {contacts} d ON d.contact = t.contact"
            f" WHERE s.alike IN ({self._among})"
            " AND (s.place, t.place) > (?, ?) AND (s.place, t.place) < (?, ?)"
            " AND s.contact <> t.contact AND c.folded = d.folded"
            f" AND c.name IS NOT NULL AND d.name IS NOT NULL{self._about}"
            f" ORDER BY s.place {way}, t.place {way} LIMIT ?"
        )
        rows = reading.fetch(sql, (*self._named, *low, *high, *self._params, count))
        return [
            Found(one, other, (mine, theirs), NAME, (place, before))
            for one, other, mine, theirs, place, before in rows
        ]


_BESIDE: Final = " AND (s.contact = ? OR t.contact = ?)"
"""With one other contact: its own members stand on the other side."""

_SORTED: Final = (
    "CASE WHEN s.subject < t.subject THEN s.subject ELSE t.subject END",
    "CASE WHEN s.subject < t.subject THEN t.subject ELSE s.subject END",
)
"""Two subjects, the smaller id first."""


def _dismissed(reading: Reading, asked: Asked, reason: tuple[str, str, str]) -> str:
    """The condition that a reason was not dismissed, or that it was."""
    one, other, why = reason
    return (
        f" AND {'' if asked.dismissed else 'NOT '}EXISTS (SELECT 1"
        f" FROM {reading.name(DISMISSALS)} n"
        f" WHERE n.one = {one} AND n.other = {other} AND n.why = {why})"
    )


# ------------------------------------------------------------------------------- shown


def _addresses(
    reading: Reading, subjects: Collection[bytes]
) -> dict[bytes, tuple[str | None, list[bytes]]]:
    """The address of each subject, and whom people took it off."""
    if not subjects:
        return {}
    sql = (
        f"SELECT subject, address, edges FROM {reading.name(SUBJECTS)}"
        f" WHERE subject IN ({_marks(subjects)})"
    )
    rows = reading.fetch(sql, tuple(subjects))
    return {subject: (address, read_edges(edges).apart) for subject, address, edges in rows}


def _likeness(subject: bytes, address: str | None) -> Likeness:
    return Likeness(uuid_text(subject), address, address_label(address) if address else None)


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
