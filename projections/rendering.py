"""Rendering: from places in lists to the bytes of answers.

A row that was rendered before comes from memory: what was rendered is kept beside all that it
depended on, and used as long as that is the same. Rows that depend on other interactions (a
reply, a further participant, an e-mail's message-id) are used for one position only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from domain.values import Direction
from projections import cards, contact_pages, folding, painting, timeline_pages
from projections.access import Visible, restricted
from projections.cards import Card
from projections.content import Content, read_content
from projections.conversation_view import conversation_view
from projections.dictionary import Dictionary, Names
from projections.directory_rows import ContactRow
from projections.inbox_pages import Conversation
from projections.masking import masked
from projections.paging import Page
from projections.painting import Mark, Setting
from projections.shapes import CardView, ContactView, NoteView, Reply
from projections.timeline import INTERACTIONS, KIND_NOTE, MESSAGES, WATERMARKS, InteractionRow
from projections.timeline_pages import Ref
from projections.views import Reading

TALKS_KEPT: Final = 4_096
"""Rendered conversations in memory, by viewer: the first pages of some twenty people, 10 MB."""

ROWS_KEPT: Final = 16_384
"""Rendered rows in memory: the pages that a day's readers share, some 25 MB."""

encode: Final = msgspec.json.Encoder().encode
"""The bytes of any of the shapes as JSON."""

_COLUMNS: Final = ", ".join(INTERACTIONS.columns)


class _Kept(Struct, frozen=True, gc=False):
    """A rendered row, and what it depended on; `position` where it depended on other rows.

    Without `gc`, as all that is kept here: the collector would walk through thousands of them.
    """

    stamp: int
    names: tuple[int, int]
    contact: Card
    mark: Mark | None
    position: int | None
    body: bytes


class _Talk(Struct, frozen=True, gc=False):
    """What a rendered conversation depended on."""

    one: Conversation
    names: tuple[int, int]
    contact: Card
    last: bytes
    restricted: bool


class Renderer:
    """Renders for one public address; shared by all threads of a process."""

    def __init__(self, public_url: str, book: Dictionary) -> None:
        self._url = f"{public_url.rstrip('/')}/interactions/"
        self._book = book
        self._kept: dict[bytes, _Kept] = {}
        self._talks: dict[tuple[bytes, int, int | None], tuple[_Talk, bytes]] = {}

    def forget(self) -> None:
        """Drop what is kept; an erasure calls it in every process."""
        self._kept.clear()
        self._talks.clear()

    def names(self, reading: Reading) -> Names:
        """The names of staff, departments and the rest, as everything here is rendered with."""
        return self._book.names(reading)

    # -------------------------------------------------------------- interactions

    def rows(self, reading: Reading, refs: Sequence[Ref], visible: Visible) -> list[bytes]:
        """The interaction rows (2.3) as JSON, in the same order, as a reader may see them."""
        contacts = cards.of_subjects(reading, {ref.subject for ref in refs})
        return masked(self._rows_of(reading, refs, contacts), visible)

    def _rows_of(
        self, reading: Reading, refs: Sequence[Ref], contacts: dict[bytes, Card]
    ) -> list[bytes]:
        names = self._book.names(reading)
        epoch = (reading.generation, names.epoch)
        marks = _marks(reading, refs)
        bodies: list[bytes | None] = []
        missing: list[Ref] = []
        for ref in refs:
            kept = self._kept.get(ref.originator)
            if (
                kept is not None
                and kept.stamp == ref.stamp
                and kept.names == epoch
                and kept.contact == contacts[ref.subject]
                and kept.mark == marks.get(ref.originator)
                and (kept.position is None or kept.position == reading.position)
            ):
                bodies.append(kept.body)
            else:
                bodies.append(None)
                missing.append(ref)
        if not missing:
            return cast("list[bytes]", bodies)
        fresh = iter(self._fresh(reading, missing, (names, contacts, marks)))
        return [next(fresh) if body is None else body for body in bodies]

    def card(self, reading: Reading, ref: Ref) -> CardView:
        """The card (2.4) without history and proof."""
        row, setting = self._given(reading, (ref,))[0]
        return painting.card_view(row, setting)

    def card_of(
        self, reading: Reading, row: InteractionRow, side: folding.State | None
    ) -> CardView:
        """The card of a row that is not, or no longer, the one in the views."""
        subject = cast("bytes", row.subject)
        content = read_content(cast("bytes", row.content))
        context = _Context(reading, (content,))
        setting = Setting(
            content,
            self._url,
            self._book.names(reading),
            cards.of_subjects(reading, (subject,))[subject],
            {party.subject: context.others[party.subject] for party in content.outside},
            None,
            context.reply(content),
            side,
            _twins(reading, (row,)).get(row.twin or b""),
        )
        return painting.card_view(row, setting)

    def page(self, reading: Reading, page: Page[Ref], visible: Visible) -> bytes:
        """A whole page of interaction rows as JSON."""
        return page_json(self.rows(reading, page.rows, visible), page)

    def _fresh(
        self,
        reading: Reading,
        refs: Sequence[Ref],
        known: tuple[Names, dict[bytes, Card], dict[bytes, Mark]],
    ) -> list[bytes]:
        names, contacts, marks = known
        epoch = (reading.generation, names.epoch)
        bodies: list[bytes] = []
        if len(self._kept) + len(refs) > ROWS_KEPT:
            self._shrink()
        written = self._notes(reading, refs, (names, contacts))
        told = iter(self._settings(reading, [ref for ref in refs if ref.kind != KIND_NOTE], known))
        for ref in refs:
            depends: object = False
            if ref.kind == KIND_NOTE:
                body = encode(written[ref.originator])
            else:
                row, setting = next(told)
                body = encode(painting.row_view(row, setting))
                depends = setting.others or setting.reply or setting.side is not None
            self._kept[ref.originator] = _Kept(
                ref.stamp,
                epoch,
                contacts[ref.subject],
                marks.get(ref.originator),
                reading.position if depends else None,
                body,
            )
            bodies.append(body)
        return bodies

    def _notes(
        self, reading: Reading, refs: Sequence[Ref], known: tuple[Names, dict[bytes, Card]]
    ) -> dict[bytes, NoteView]:
        """The notes among some rows, by stream."""
        names, contacts = known
        notes = {ref.originator: ref for ref in refs if ref.kind == KIND_NOTE}
        return {
            key: painting.note_view(row, contacts[notes[key].subject], names)
            for key, row in _rows_at(reading, [ref.position for ref in notes.values()]).items()
        }

    def _shrink(self) -> None:
        """Drop the older half."""
        kept = list(self._kept.items())
        self._kept = dict(kept[-ROWS_KEPT // 2 :])

    def _given(self, reading: Reading, refs: Sequence[Ref]) -> list[tuple[InteractionRow, Setting]]:
        names = self._book.names(reading)
        contacts = cards.of_subjects(reading, {ref.subject for ref in refs})
        return self._settings(reading, refs, (names, contacts, _marks(reading, refs)))

    def _settings(
        self,
        reading: Reading,
        refs: Sequence[Ref],
        known: tuple[Names, dict[bytes, Card], dict[bytes, Mark]],
    ) -> list[tuple[InteractionRow, Setting]]:
        """Each row with what other rows say about it."""
        names, contacts, marks = known
        rows = _rows_at(reading, [ref.position for ref in refs])
        contents = {key: read_content(cast("bytes", row.content)) for key, row in rows.items()}
        context = _Context(reading, contents.values())
        twins = _twins(reading, rows.values())
        found: list[tuple[InteractionRow, Setting]] = []
        for ref in refs:
            row, content = rows[ref.originator], contents[ref.originator]
            setting = Setting(
                content,
                self._url,
                names,
                contacts[ref.subject],
                {party.subject: context.others[party.subject] for party in content.outside},
                marks.get(ref.originator),
                context.reply(content),
                context.sides.get(content.message_id or b""),
                twins.get(row.twin or b""),
            )
            found.append((row, setting))
        return found

    # ------------------------------------------------------------- conversations

    def conversations(
        self, reading: Reading, found: Sequence[Conversation], visible: Visible
    ) -> list[bytes]:
        """The conversation rows (2.5) as JSON, in the same order."""
        refs = timeline_pages.by_position(reading, [one.row.last_position for one in found])
        last = [refs[one.row.last_originator] for one in found]
        # The counterpart of its last interaction is one of the conversation's own subjects.
        contacts = cards.of_subjects(reading, {ref.subject for ref in last})
        rows = masked(self._rows_of(reading, last, contacts), visible)
        names = self._book.names(reading)
        closed = restricted(reading, [one.row.contact for one in found])
        if len(self._talks) + len(found) > TALKS_KEPT:
            self._talks = dict(list(self._talks.items())[-TALKS_KEPT // 2 :])
        return [
            self._talk(
                _Talk(
                    one,
                    (reading.generation, names.epoch),
                    contacts[ref.subject],
                    row,
                    one.row.contact in closed,
                ),
                names,
            )
            for one, ref, row in zip(found, last, rows, strict=True)
        ]

    def _talk(self, talk: _Talk, names: Names) -> bytes:
        one = talk.one
        key = (one.row.contact, one.unread, one.seen_through)
        kept = self._talks.get(key)
        if kept is not None and kept[0] == talk:
            return kept[1]
        view = conversation_view(one, talk.contact, names, talk.last, restricted=talk.restricted)
        body = encode(view)
        self._talks[key] = (talk, body)
        return body

    def inbox(self, reading: Reading, page: Page[Conversation], visible: Visible) -> bytes:
        """A whole page of the inbox as JSON."""
        return page_json(self.conversations(reading, page.rows, visible), page)

    # ------------------------------------------------------------------ contacts

    def contact(self, reading: Reading, contact: bytes) -> ContactView | None:
        """The contact (2.6); None where that is no contact (any more)."""
        row = contact_pages.row_of(reading, contact)
        return None if row is None else self.contacts(reading, (row,))[0]

    def contacts(self, reading: Reading, rows: Sequence[ContactRow]) -> list[ContactView]:
        """The contacts (2.6) in the same order."""
        return contact_pages.views(reading, self._book.names(reading), rows)


def page_json(items: Iterable[bytes], page: Page[Any]) -> bytes:
    """`{"items": […], "next": …, "prev": …}` around rendered items."""
    beside = encode({"next": page.next, "prev": page.prev})
    return b'{"items":[' + b",".join(items) + b"]," + beside[1:]


# ------------------------------------------------------------------- what rows need


class _Context:
    """What other interactions and contacts say about some rows, read in a few queries."""

    def __init__(self, reading: Reading, contents: Collection[Content]) -> None:
        outside = {party.subject for content in contents for party in content.outside}
        self.others = cards.of_subjects(reading, outside)
        mails = {content.message_id for content in contents if content.message_id}
        self.sides = {
            key: folding.read_state(row.state)
            for key, row in _rows(reading, sorted(mails)).items()
            if row.state is not None
        }
        self._replied = _replied(reading, {c.reply_to for c in contents if c.reply_to})

    def reply(self, content: Content) -> Reply | None:
        """What an interaction answers, as far as that is known here."""
        if content.reply_to is None and content.reply_to_external is None:
            return None
        row = self._replied.get(content.reply_to or b"")
        if row is None:
            return Reply(None, content.reply_to_external, None)
        return Reply(row.position, content.reply_to_external, painting.excerpt(row))


def _twins(reading: Reading, rows: Iterable[InteractionRow]) -> dict[bytes, int]:
    """The ids of the rows' twins, by stream; an id never changes, once it is there."""
    refs = timeline_pages.by_originator(reading, [row.twin for row in rows if row.twin])
    return {stream: ref.position for stream, ref in refs.items()}


def _rows_at(reading: Reading, positions: Sequence[int]) -> dict[bytes, InteractionRow]:
    """The rows at these positions, by stream.

    What stands in one list lies together by its position; its streams lie all over the index.
    """
    return _rows(reading, positions, "position")


def _rows(
    reading: Reading, keys: Sequence[object], column: str = "originator"
) -> dict[bytes, InteractionRow]:
    if not keys:
        return {}
    sql = (
        f"SELECT {_COLUMNS} FROM {reading.name(INTERACTIONS)}"
        f" WHERE {column} IN ({', '.join('?' * len(keys))})"
    )
    return {row[0]: InteractionRow(*row) for row in reading.fetch(sql, keys)}


def _replied(reading: Reading, keys: set[bytes]) -> dict[bytes, InteractionRow]:
    """The recorded interactions with these streams or, for e-mails, message-ids.

    Of several mails with one message-id the one with the least stream, whatever came first.
    """
    if not keys:
        return {}
    listed = sorted(keys)
    sql = (
        f"SELECT message_id, MIN(originator) FROM {reading.name(MESSAGES)}"
        f" WHERE message_id IN ({', '.join('?' * len(listed))}) GROUP BY message_id"
    )
    if reading.kind == "postgresql":  # which has no MIN of bytes before version 18
        sql = sql.replace("MIN(originator)", "(ARRAY_AGG(originator ORDER BY originator))[1]")
    mails: dict[bytes, bytes] = dict(reading.fetch(sql, listed))
    rows = _rows(reading, sorted({mails.get(key, key) for key in keys}))
    found = ((key, rows.get(mails.get(key, key))) for key in keys)
    return {key: row for key, row in found if row is not None and row.position is not None}


def _marks(reading: Reading, refs: Sequence[Ref]) -> dict[bytes, Mark]:
    """For outbound rows the watermark that reaches furthest, by stream."""
    outbound = [ref for ref in refs if ref.direction == Direction.OUTBOUND]
    if not outbound:
        return {}
    subjects = sorted({ref.subject for ref in outbound})
    sql = (
        f"SELECT subject, source, state, through, at FROM {reading.name(WATERMARKS)}"
        f" WHERE subject IN ({', '.join('?' * len(subjects))})"
    )
    reached: dict[tuple[bytes, str], list[tuple[int, str, int, int]]] = {}
    for subject, source, state, through, at in reading.fetch(sql, subjects):
        entry = (folding.rank_of(state), state, through, at)
        reached.setdefault((subject, source), []).append(entry)
    if not reached:
        return {}
    found: dict[bytes, Mark] = {}
    for ref in outbound:
        listed = reached.get((ref.subject, ref.source), ())
        passed = [entry for entry in listed if entry[2] >= ref.occurred_at]
        if passed:
            _, state, _, at = max(passed)
            found[ref.originator] = Mark(state, at)
    return found
