"""From events of the log to what a stream says of them: one event, at most one message.

A batch of events is looked at once for everybody: whose contacts they concern, which rows they
changed, as these are now. What differs from reader to reader (what is unread, what may be seen)
is added for each kind of reader, not for each connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from api.chronicle import author
from domain import events
from projections import contact_pages, history, inbox_pages, timeline_pages
from projections.access import EVERYTHING
from projections.masking import masked
from projections.paging import Page
from projections.rendering import encode
from projections.shapes import By
from projections.timeline import KIND_INTERACTION
from projections.timeline_pages import Filters, PageQuery

if TYPE_CHECKING:
    from api.services import Services
    from domain.ports import Entry
    from projections.access import Reader, Visible
    from projections.rendering import Renderer
    from projections.timeline_pages import Ref
    from projections.views import Reading

_CONVERSES: Final = ("interaction.recorded", "conversation.")
"""Topics after which a conversation is told along."""


class Message(Struct):
    """What a stream says of one event (contract 2.9)."""

    position: int
    type: str
    contact: str | None
    interaction_id: int | None
    row: msgspec.Raw | None
    conversation: msgspec.Raw | None
    by: By


class Signal(Struct, frozen=True):
    """One event as all readers have it in common; `contacts` are all whom it concerns."""

    entry: Entry
    contacts: tuple[bytes, ...]
    ref: Ref | None
    row: bytes | None
    by: By

    @property
    def converses(self) -> bool:
        """Whether the conversation is told along."""
        return self.entry.topic.startswith(_CONVERSES)

    @property
    def interaction(self) -> int | None:
        """The id of the interaction that it is about; a note is none."""
        return self.ref.position if self.ref and self.ref.kind == KIND_INTERACTION else None


class Frame(Struct, frozen=True):
    """A message ready to send: bytes of the stream, and what subscriptions choose by."""

    position: int
    topic: str
    contacts: tuple[bytes, ...]
    body: bytes


class Batch(Struct, frozen=True):
    """What a stretch of the log says to each kind of reader, up to a position.

    `roots`: contacts that subscriptions asked for, by the id that they asked with. `hidden`:
    the contacts that each kind of reader may not see, at the position of the batch's look.
    """

    upto: int
    frames: dict[Reader, list[Frame]]
    roots: dict[bytes, bytes]
    hidden: dict[Reader, frozenset[bytes]]


class Teller(Struct, frozen=True):
    """Reads a stretch of the log and tells it; used by many threads."""

    services: Services
    renderer: Renderer

    def tell(self, entries: Sequence[Entry], wanted: Wanted) -> Batch:
        """What these events say to these readers. Raises NotYet, StoreUnavailable."""
        services = self.services
        with services.views.reading() as reading:
            signals = _signals(reading, self.renderer, entries)
            seen = {reader: services.access.visible(reader, reading) for reader in wanted.readers}
            frames = {
                reader: _frames((reading, self.renderer, reader.user), signals, visible)
                for reader, visible in seen.items()
            }
            roots = contact_pages.contacts_of(reading, wanted.contacts)
        hidden = {reader: visible.hidden for reader, visible in seen.items()}
        return Batch(entries[-1].position, frames, roots, hidden)


class Wanted(Struct, frozen=True):
    """Whom a batch is for: the kinds of readers, and contacts that some ask for."""

    readers: frozenset[Reader]
    contacts: frozenset[bytes]


def goodbye(contact: bytes, position: int) -> Frame:
    """What a reader hears of a contact that is out of their sight from now on."""
    body = sse("gone", position, {"contact": str(UUID(bytes=contact))})
    return Frame(position, "gone", (contact,), body)


def sse(event: str, position: int, data: object) -> bytes:
    """One message of a stream as bytes; JSON has no line breaks of its own."""
    head = f"event: {event}\nid: {position}\ndata: ".encode()
    return head + encode(data) + b"\n\n"


# -------------------------------------------------------------------- for all readers


def _signals(reading: Reading, renderer: Renderer, entries: Sequence[Entry]) -> list[Signal]:
    refs = _refs(reading, entries)
    distinct = list({ref.originator: ref for ref in refs.values()}.values())
    bodies = renderer.rows(reading, distinct, EVERYTHING)
    rows = dict(zip((r.originator for r in distinct), bodies, strict=True))
    parties = history.subjects_of(reading, list(rows))
    concerned = {
        entry.position: _subjects(entry, refs.get(entry.position), parties) for entry in entries
    }
    roots = contact_pages.contacts_of(
        reading, {subject for listed in concerned.values() for subject in listed}
    )
    names = renderer.names(reading)
    found: list[Signal] = []
    for entry in entries:
        ref = refs.get(entry.position)
        contacts = dict.fromkeys(roots.get(one, one) for one in concerned[entry.position])
        event = entry.event
        if not isinstance(event, events.Event):
            raise TypeError(entry.topic)
        row = rows[ref.originator] if ref is not None else None
        found.append(Signal(entry, tuple(contacts), ref, row, author(event, names)))
    return found


def _refs(reading: Reading, entries: Sequence[Entry]) -> dict[int, Ref]:
    """The interaction or note that each event is about, by the event's position."""
    abouts: dict[int, bytes] = {}
    found: dict[int, Ref] = {}
    for entry in entries:
        event = entry.event
        about = getattr(event, "about", None)
        if isinstance(event, events.InteractionRecorded | events.NoteAdded):
            abouts[entry.position] = event.originator_id.bytes
        elif isinstance(about, UUID):
            abouts[entry.position] = about.bytes
        elif isinstance(event, events.WatermarkAdvanced):
            ref = _reached(reading, event)
            if ref is not None:
                found[entry.position] = ref
    known = history.interactions_of(reading, tuple(dict.fromkeys(abouts.values())))
    return found | {at: known[about] for at, about in abouts.items() if about in known}


def _reached(reading: Reading, event: events.WatermarkAdvanced) -> Ref | None:
    """The last interaction that a watermark covers; the earlier ones follow from it."""
    query = PageQuery(
        scope="watermark",
        filters=Filters(direction=("outbound",), source=(event.source,), until=event.through + 1),
        limit=1,
    )
    page: Page[Ref] = timeline_pages.page(reading, (event.subject.bytes,), query)
    return page.rows[0] if page.rows else None


def _subjects(
    entry: Entry, ref: Ref | None, parties: dict[bytes, list[bytes]]
) -> tuple[bytes, ...]:
    """The subjects that an event concerns, its counterpart first."""
    if ref is not None:
        return (ref.subject, *parties.get(ref.originator, ()))
    event = entry.event
    found = getattr(event, "contact", None) or getattr(event, "subject", None)
    return (found.bytes,) if isinstance(found, UUID) else ()


# ------------------------------------------------------------------- for one kind of reader


def _frames(
    of: tuple[Reading, Renderer, UUID | None], signals: Sequence[Signal], visible: Visible
) -> list[Frame]:
    """The messages that one kind of reader may have."""
    signals = [one for one in signals if visible.may_see_one(one.contacts)]
    told = {one.contacts[0] for one in signals if _tells(one)}
    conversations = _conversations(of, visible.may_see(told), visible)
    frames: list[Frame] = []
    for one in signals:
        position, topic = one.entry.position, one.entry.topic
        contacts = [contact for contact in one.contacts if contact not in visible.hidden]
        contact = contacts[0] if contacts else None
        row = masked([one.row], visible)[0] if one.row else None
        message = Message(
            position,
            topic,
            str(UUID(bytes=contact)) if contact else None,
            one.interaction,
            msgspec.Raw(row) if row else None,
            conversations.get(contact) if contact and one.converses else None,
            one.by,
        )
        body = sse(topic, position, message)
        if isinstance(one.entry.event, events.ContactErased):
            body = sse("gone", position, {"contact": message.contact})
        frames.append(Frame(position, topic, tuple(contacts), body))
    return frames


def _tells(signal: Signal) -> bool:
    return signal.converses and bool(signal.contacts)


def _conversations(
    of: tuple[Reading, Renderer, UUID | None], contacts: frozenset[bytes], visible: Visible
) -> dict[bytes, msgspec.Raw]:
    reading, renderer, user = of
    viewer = user.bytes if user else None
    found = inbox_pages.of_contacts(reading, sorted(contacts), viewer)
    bodies = renderer.conversations(reading, found, visible)
    return {one.row.contact: msgspec.Raw(body) for one, body in zip(found, bodies, strict=True)}
