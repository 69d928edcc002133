"""Exports: the whole log as a bundle, or everything about one contact; each is an event first."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from app.export_files import write_files
from app.export_texts import README_CONTACT, README_WHOLE
from audit.bundle import FORMAT, PAGE_EVENTS, Manifest, Part, Sink, Whole, sign_bundle, tile_start
from audit.bundle import write_whole_bundle as write_bundle
from audit.contact_bundle import receipt_file
from domain.errors import InvalidInput, NotFound, NotYetSigned
from domain.events import Exported
from domain.ports import StoredEntry
from domain.times import format_utc
from domain.topics import layouts
from projections import contact_pages, timeline_pages
from projections.access import Reader, Visible
from projections.masking import masked
from projections.timeline_pages import PageQuery
from storage.codec import Codec, SealingKey
from storage.frame import split
from storage.raw_keys import raw_keys

if TYPE_CHECKING:
    from app.compose import Composition
    from domain.commands import By
    from projections.views import Reading
    from storage.keyring import Keyring
    from storage.tree_store import KeptCheckpoint

ROWS_AT_ONCE: Final = 200
"""Interactions rendered together."""

PAGE_BYTES: Final = 8 << 20
"""Stored bytes looked at together."""

LINES_MAX: Final = 2_000
"""Lines of one file of a contact's bundle."""

REASON_CHARS_MAX: Final = 500
"""A reason is a sentence or two."""

Told = Callable[[int, int], None]


class ExportWish(Struct, frozen=True):
    """What is to be exported: all from `first` on, or one contact; with the keys, and why."""

    contact: UUID | None = None
    first: int = 1
    with_keys: bool = False
    reason: str | None = None


def check(wish: ExportWish) -> None:
    """Raise InvalidInput where a wish contradicts itself."""
    if wish.with_keys and not (wish.reason and wish.reason.strip()):
        raise InvalidInput.one("reason", "required", "keys leave the house with a reason only")
    if wish.contact is not None and (wish.with_keys or wish.first != 1):
        message = "a contact's export is readable as it is, and whole"
        raise InvalidInput.one("contact", "not_together", message)
    if wish.reason is not None and len(wish.reason) > REASON_CHARS_MAX:
        raise InvalidInput.one("reason", "too_long", f"at most {REASON_CHARS_MAX} characters")


def export(composition: Composition, wish: ExportWish, sink: Sink, by: By, told: Told) -> Manifest:
    """Write a bundle, after the event that says so. Raises NotFound, NotYetSigned."""
    check(wish)
    members = _members(composition, wish.contact) if wish.contact else []
    checkpoint = composition.proving.now()
    if checkpoint is None:
        raise NotYetSigned("No checkpoint was signed yet: start hilo serve, or hilo follow.")
    begun = sink.begun()
    if begun is not None:
        checkpoint = composition.proofs.store.checkpoint(begun.events) or checkpoint
    if not (begun is not None and begun.contact is None and begun.parts):
        asyncio.run(_say(composition, wish, checkpoint, by))
    if wish.contact is not None:
        return _Contact(composition, wish.contact, members, checkpoint).write(sink, told)
    line = _line_maker(composition.codec)
    sink.put("README.md", README_WHOLE.encode())
    if wish.with_keys:
        sink.put("keys.ndjson", b"".join(_key_lines(composition)))
    return write_bundle(sink, Whole(composition.proofs, checkpoint, wish.first, line), told)


async def _say(composition: Composition, wish: ExportWish, last: KeptCheckpoint, by: By) -> None:
    """Append the event; what it is about leaves only after that is durable."""
    id = composition.services.new_id()
    event = Exported(
        originator_id=composition.ledger.derive.id("export", id),
        originator_version=1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        export=id,
        first=tile_start(wish.first) if wish.contact is None else 1,
        last=last.size,
        contact=wish.contact,
        with_keys=wish.with_keys,
        reason=wish.reason,
    )
    await composition.ledger.state(event, by)


def _line_maker(codec: Codec) -> Callable[[StoredEntry], bytes]:
    def line(entry: StoredEntry) -> bytes:
        return msgspec.json.encode(_line(entry, codec.clear_of(entry)))

    return line


def _line(entry: StoredEntry, clear: Mapping[str, object]) -> dict[str, object]:
    return {
        "position": entry.position,
        "originator": str(entry.originator_id),
        "version": entry.originator_version,
        "topic": entry.topic,
        "recorded_at": format_utc(entry.recorded_at),
        "recorded_us": entry.recorded_at,
        "clear": clear,
        "state": b64encode(entry.state).decode(),
    }


def _key_lines(composition: Composition) -> Iterator[bytes]:
    keys = composition.keys
    for one in raw_keys(keys.store, keys.kek):
        shown = {"key_id": one.key_id.hex(), "subject": str(one.subject)}
        yield msgspec.json.encode(shown | {"key": b64encode(one.key).decode()}) + b"\n"


# ------------------------------------------------------------------------------- one contact


def _members(composition: Composition, contact: UUID) -> list[UUID]:
    """The subjects of a contact, as the views have them now. Raises NotFound."""
    composition.follower.catch_up()
    composition.follower.release()
    with composition.views.reading() as reading:
        root = contact_pages.contact_of(reading, contact.bytes)
        if root is None:
            raise NotFound("There is no such contact.")
        return [UUID(bytes=root), *_subjects(reading, root)]


def _subjects(reading: Reading, root: bytes) -> list[UUID]:
    found = [UUID(bytes=one) for one in contact_pages.members_of(reading, root)]
    return [one for one in found if one.bytes != root]


class OnlyTheirs:
    """A key ring that opens nothing but some keys: what is others' stays closed."""

    def __init__(self, ring: Keyring, own: Collection[bytes]) -> None:
        self._ring = ring
        self._own = frozenset(own)

    @property
    def company(self) -> UUID:
        """As SealingKeys says."""
        return self._ring.company

    def sealing(self, subject: UUID) -> SealingKey:
        """As SealingKeys says; nobody seals here."""
        return self._ring.sealing(subject)

    def opening(self, key_ids: Collection[bytes]) -> dict[bytes, AESGCM | None]:
        """The keys that are theirs; None for the others."""
        own = self._ring.opening([one for one in key_ids if one in self._own])
        return {key_id: own.get(key_id) for key_id in key_ids}


class _Contact:
    """Everything about one contact: their events, opened, with receipts; their interactions."""

    def __init__(
        self,
        composition: Composition,
        contact: UUID,
        members: list[UUID],
        checkpoint: KeptCheckpoint,
    ) -> None:
        self._composition = composition
        self._contact = contact
        self._members = members
        self._checkpoint = checkpoint
        self._keys = frozenset(composition.keys.ring.key_ids(members).values())
        self._marks = tuple(one.bytes for one in members)
        self._streams: set[bytes] = set()
        theirs = OnlyTheirs(composition.keys.ring, self._keys)
        identity = composition.keys.identity
        self._codec = Codec(layouts(), theirs, identity.id, bytes)

    def write(self, sink: Sink, told: Told) -> Manifest:
        size = self._checkpoint.size
        manifest = Manifest(
            format=FORMAT,
            origin=self._composition.proofs.source.origin,
            events=size,
            first=1,
            contact=str(self._contact),
            parts=(),
        )
        sink.remember(manifest)
        for number, body in enumerate(self._interactions(), 1):
            sink.put(f"interactions/{number:06}.ndjson", body)
        write_files(self._composition, self._members, sink)
        self._learn_streams(lambda done: told(done, 2 * size))
        parts = []
        for part, body in self._parts(sink, lambda done: told(size + done, 2 * size)):
            sink.put(part.file, body)
            parts.append(part)
        sign_bundle(sink, self._composition.proofs, size)
        sink.put("README.md", README_CONTACT.encode())
        manifest = msgspec.structs.replace(manifest, parts=tuple(parts))
        sink.finish(manifest)
        return manifest

    def _interactions(self) -> Iterator[bytes]:
        """Their timeline, oldest first, as files of rows; other contacts are masked."""
        composition = self._composition
        subjects, cursor = [one.bytes for one in self._members], None
        while True:
            with composition.views.reading() as reading:
                query = PageQuery(scope="export", order="asc", limit=ROWS_AT_ONCE, cursor=cursor)
                page = timeline_pages.page(reading, subjects, query)
                visible = Visible(frozenset(), _everybody(), reading, ())
                rows = composition.reads.renderer.rows(reading, page.rows, visible)
                rows = self._masked(rows, reading)
            if rows:
                yield b"\n".join([*rows, b""])
            cursor = page.next
            if cursor is None:
                return

    def _masked(self, rows: list[bytes], reading: Reading) -> list[bytes]:
        others = {UUID(one).bytes for row in rows for one in _contacts_of(row)}
        hidden = frozenset(others - {self._members[0].bytes})
        return masked(rows, Visible(hidden, _everybody(), reading, ()))

    def _parts(self, sink: Sink, told: Callable[[int], None]) -> Iterator[tuple[Part, bytes]]:
        lines: list[bytes] = []
        first = last = 0
        receipt = self._composition.proofs.receipts(self._checkpoint)
        for entry in self._theirs(told):
            sink.put(receipt_file(entry.position), receipt(entry).text().encode())
            first, last = first or entry.position, entry.position
            lines.append(self._told(entry))
            if len(lines) == LINES_MAX:
                yield Part(f"events/{first:012}.ndjson", first, last), b"".join(lines)
                lines, first = [], 0
        if lines:
            yield Part(f"events/{first:012}.ndjson", first, last), b"".join(lines)

    def _told(self, entry: StoredEntry) -> bytes:
        """An event's line, with what is sealed under their keys opened."""
        line = _line(entry, self._codec.clear_of(entry))
        opened = self._codec.open(entry)
        shown = msgspec.to_builtins(opened.event)
        return msgspec.json.encode(line | {"content": shown}) + b"\n"

    def _learn_streams(self, told: Callable[[int], None]) -> None:
        """Walk over all of their events once: a status may stand before its message."""
        deque(self._theirs(told), maxlen=0)

    def _theirs(self, told: Callable[[int], None]) -> Iterator[StoredEntry]:
        """The events about them, in order; what is read makes their streams known."""
        pages = self._composition.proofs.source.pages
        after, size = 0, self._checkpoint.size
        while after < size:
            page = pages.page(after, min(PAGE_EVENTS, size - after), PAGE_BYTES)
            if not page:
                raise NotFound("The log ends before its checkpoint: run hilo verify.")
            yield from (entry for entry in page if self._is_theirs(entry))
            after = page[-1].position
            told(after)

    def _is_theirs(self, entry: StoredEntry) -> bool:
        header, sections = split(entry)
        if any(mark in header for mark in self._marks) or any(
            key_id in self._keys for key_id, _ in sections
        ):
            self._streams |= _names_of(entry, self._codec)
            return True
        return b"about" in header and not self._streams.isdisjoint(_about(entry, self._codec))


def _names_of(entry: StoredEntry, codec: Codec) -> set[bytes]:
    """What others may call an event in their `about`: its stream, and a mail's message id."""
    named = {entry.originator_id.bytes}
    message = codec.clear_of(entry).get("message_id")
    return named | ({UUID(message).bytes} if isinstance(message, str) else set())


def _about(entry: StoredEntry, codec: Codec) -> Iterable[bytes]:
    about = codec.clear_of(entry).get("about")
    return [UUID(about).bytes] if isinstance(about, str) else []


class _Concerned(Struct):
    contacts: list[str] = []


def _contacts_of(row: bytes) -> list[str]:
    return msgspec.json.decode(row, type=_Concerned).contacts


def _everybody() -> Reader:
    """A reader who sees everything: the export's own rules decide what is shown."""
    return Reader(None, everything=True)
