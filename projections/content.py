"""What an interaction's own record says, as its row in the timeline keeps it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

import msgspec
from msgspec import Struct, structs

from domain import events
from domain.ports import Entry
from domain.values import Direction


class Attached(Struct, frozen=True, array_like=True, gc=False):
    """A file of an interaction, as its sender named it; `blob` (hex) where it was kept at once."""

    id: bytes
    name: str
    media_type: str
    size_bytes: int | None
    sha256: str | None
    blob: str | None
    content_id: str | None
    part: str | None


class Outside(Struct, frozen=True, array_like=True, gc=False):
    """A further outside participant; `address` is empty where its key was destroyed.

    Without a place it is but a further address of the counterpart's.
    """

    subject: bytes
    role: str
    asserted: bool
    address: str
    name: str | None
    place: int | None


class Ours(Struct, frozen=True, array_like=True, gc=False):
    """A participant of our own side."""

    address: str
    role: str
    name: str | None
    place: int


class Content(Struct, frozen=True, array_like=True):
    """What was recorded, beyond the columns that lists are cut by. UUIDs are 16 bytes.

    `seat` is the counterpart's role and place among the participants.
    """

    inbound: bool
    resource: str | None
    destination: str | None
    contact_name: str | None
    external_id: str | None
    text: str | None
    subject_line: str | None
    thread: str | None
    reply_to: bytes | None
    reply_to_external: str | None
    message_id: bytes | None
    offset_min: int
    time_source: str
    auto: str | None
    seconds: int | None
    ring_seconds: int | None
    outcome: str | None
    is_call: bool
    attachments: tuple[Attached, ...]
    outside: tuple[Outside, ...]
    ours: tuple[Ours, ...]
    seat: tuple[str, int] | None
    details: bytes | None
    actor: tuple[str, str]
    on_behalf_of: bytes | None
    erased: bool


_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")
_CONTENTS: Final = msgspec.msgpack.Decoder(Content)


def pack(content: Content) -> bytes:
    """The bytes that a row keeps; equal contents give equal bytes."""
    return _ENCODER.encode(content)


def read_content(packed: bytes) -> Content:
    """The content that a row keeps."""
    return _CONTENTS.decode(packed)


def content_of(entry: Entry, event: events.InteractionRecorded) -> Content:
    """What a row keeps of a record."""
    call = event.call
    reply = event.in_reply_to
    message = event.message_id
    return Content(
        event.direction is Direction.INBOUND,
        event.resource,
        event.destination,
        event.contact_name,
        event.external_id,
        event.text,
        event.subject_line,
        event.thread,
        reply.bytes if reply else None,
        event.reply_to_external,
        message.bytes if message else None,
        event.offset_min,
        str(event.time_source),
        str(event.auto) if event.auto else None,
        call.seconds if call else None,
        call.ring_seconds if call else None,
        str(call.outcome) if call and call.outcome else None,
        call is not None,
        attached(event.attachments) if event.attachments else (),
        _outside(event) if event.parties else (),
        _ours(event) if event.own_participants else (),
        (str(event.seat.role), event.seat.place) if event.seat else None,
        event.details,
        (event.actor.kind, event.actor.id),
        event.on_behalf_of.bytes if event.on_behalf_of else None,
        entry.erased,
    )


def forgotten(content: Content, subjects: AbstractSet[bytes], *, whole: bool) -> Content:
    """What is left where the keys of these subjects are gone; `whole`: the counterpart's too."""
    outside = tuple(
        structs.replace(party, address="", name=None) if party.subject in subjects else party
        for party in content.outside
    )
    if not whole:
        return structs.replace(content, outside=outside)
    return structs.replace(
        content,
        resource=None,
        destination=None,
        contact_name=None,
        external_id=None,
        text=None,
        subject_line=None,
        thread=None,
        reply_to_external=None,
        attachments=(),
        outside=outside,
        ours=(),
        details=None,
        erased=True,
    )


def attached(attachments: tuple[events.Attachment, ...]) -> tuple[Attached, ...]:
    """Files as rows keep them."""
    return tuple(
        Attached(
            file.id.bytes,
            file.name,
            file.media_type,
            file.size_bytes,
            file.sha256,
            file.blob,
            file.content_id,
            str(file.part) if file.part else None,
        )
        for file in attachments
    )


def _ours(event: events.InteractionRecorded) -> tuple[Ours, ...]:
    return tuple(
        Ours(own.address, str(own.role), own.name, own.place) for own in event.own_participants
    )


def _outside(event: events.InteractionRecorded) -> tuple[Outside, ...]:
    """The parties with what is sealed of them; their identities are gone where all was erased."""
    nobody = events.Identity(address="")
    known = (*event.identities, *(nobody for _ in event.parties[len(event.identities) :]))
    return tuple(
        Outside(
            party.subject.bytes,
            str(party.role),
            party.asserted,
            who.address,
            who.name,
            party.place,
        )
        for party, who in zip(event.parties, known, strict=True)
    )
