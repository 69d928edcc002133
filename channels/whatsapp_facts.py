"""From one thing that WhatsApp tells (a message, a status, a call) to commands for the ledger.

Each function gets the place that the change is about and the provider's object, and gives an
outcome; it raises Unfit where the object lacks what it cannot do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from channels.contract import Commands, Ignored, Outcome
from channels.lenient import Json, Unfit, moment_of, object_in, text_in
from channels.meta_parts import key_or_digest, title
from channels.pieces import fitting, short
from channels.whatsapp_content import (
    CHANGES,
    UNKNOWN,
    attachments_of,
    content_of,
    context_of,
    errors_of,
    holds,
    kind_of,
    text_of,
)
from channels.whatsapp_people import Person, Place, change_of, new_names, person, phone, user
from domain.commands import RecordInteraction, ReportChange, ReportDelivery
from domain.recording import interaction_stream
from domain.values import Auto, Channel, Direction, Origin, TimeSource

if TYPE_CHECKING:
    from uuid import UUID


class Way(Struct, frozen=True):
    """Which way a message went: who wrote it, and whether it is history."""

    outbound: bool = False
    origin: Origin = Origin.AUTOMATIC


LIVE: Final = Way()
ECHO: Final = Way(outbound=True)


def message(place: Place, item: Json, way: Way = LIVE) -> Outcome:
    """A message of either side, or what it does to an earlier one."""
    kind = kind_of(item)
    if way is LIVE and text_in(item, "to") and phone(text_in(item, "from")) == place.our_address:
        way = ECHO  # our own number wrote it, in whatever list it stands
    if kind == "request_welcome" and not holds(item, "referral"):
        return Ignored("presence")
    if kind == UNKNOWN and not holds(item, kind):
        raise Unfit("the message has no kind and no content")
    if kind in CHANGES:
        return Commands((_change(place, item, way, kind),))
    return Commands((recorded(place, item, way),))


def recorded(place: Place, item: Json, way: Way) -> RecordInteraction:
    """A message as an interaction. Raises Unfit without anybody at the other end."""
    change = change_of(place, item) if kind_of(item) == "system" else None
    them = change.before if change else counterpart(place, item, way)
    key, wamid = key_or_digest(text_in(item, "id"), item)
    at, time_source = _moment(place, item, way.origin)
    answers, said = context_of(item)
    referral = object_in(item, "referral")
    ends = (place.our_address, them.address)
    return RecordInteraction(
        channel=Channel.WHATSAPP,
        direction=Direction.OUTBOUND if way.outbound else Direction.INBOUND,
        origin=way.origin,
        source=_source(place),
        namespace=place.source,
        key=key,
        external_id=wamid,
        resource=ends[0] if way.outbound else ends[1],
        destination=ends[1] if way.outbound else ends[0],
        occurred_at=at,
        time_source=time_source,
        text=text_of(item),
        contact_name=them.name,
        department=place.arrival.department,
        campaign=_campaign(referral),
        aliases=them.aliases + (change.after if change else ()),
        attachments=attachments_of(item, place.arrival.derive, place.source, key),
        thread=short(text_in(item, "group_id")),
        in_reply_to=short(answers),
        auto=Auto.AUTO_REPLY if kind_of(item) == "system" else None,
        details=_details(item, them, said, referral),
        original=msgspec.json.encode(item),
        succession=change is not None,
    )


def counterpart(place: Place, item: Json, way: Way) -> Person:
    """Whoever is at the other end; in a group that we write to, the group. Raises Unfit."""
    sender = person(place, text_in(item, "from"), text_in(item, "from_user_id"))
    found = sender
    if way.outbound:
        number, user_id = text_in(item, "to"), text_in(item, "to_user_id")
        named = bool(number or user_id)
        found = person(place, number, user_id) if named else None
        if found is not None and found.address == place.our_address:
            found = sender  # some relays write an echo the wrong way round
    elif sender is None or not (text_in(item, "from") or text_in(item, "from_user_id")):
        found = person(place, text_in(item, "system", "customer")) or sender
        if found is None and any(new_names(item)):
            found = person(place, *new_names(item))
    if found is None and (group := user(place, text_in(item, "group_id"))):
        found = Person(group)
    if found is None:
        raise Unfit("nobody is at the other end")
    return found


def _change(place: Place, item: Json, way: Way, kind: str) -> ReportChange:
    """An edit, a revocation or a reaction. Raises Unfit where it does not say of what."""
    content = content_of(item)
    about = text_in(content, CHANGES[kind]) or text_in(content, "message_id")
    if about is None:
        raise Unfit(f"the {kind} names no message")
    key, _ = key_or_digest(text_in(item, "id"), item)
    at, _ = _moment(place, item, way.origin)
    new = object_in(content, "message") if kind == "edit" else {}
    return ReportChange(
        kind=kind,
        about=_stream(place, about),
        source=_source(place),
        key=key,
        address=counterpart(place, item, way).address,
        at=at,
        by="staff" if way.outbound else "contact",
        text=text_of(new) if new else None,
        # Without an emoji, or with an empty one, the reaction is taken away.
        emoji=text_in(content, "emoji") if kind == "reaction" else None,
        attachments=attachments_of(new, place.arrival.derive, place.source, key) if new else (),
        original=msgspec.json.encode(item),
    )


# ------------------------------------------------------------------- statuses


def status(place: Place, item: Json) -> Outcome:
    """How far one of our messages came. Raises Unfit without message or word."""
    wamid, word = text_in(item, "id"), text_in(item, "status")
    if wamid is None or word is None:
        raise Unfit("the status names no message" if wamid is None else "the status says nothing")
    at, time_source = moment_of(text_in(item, "timestamp"), place.arrival.received_at)
    member = _member(place, item)
    recipient = member or _recipient(place, item)
    code, words = errors_of(item)
    word = word.lower()
    # A status without a time of its own must not become another one when it is sent again.
    timeless = time_source is TimeSource.RECEIVED
    return Commands(
        (
            ReportDelivery(
                about=_stream(place, wamid),
                source=_source(place),
                word=word,
                at=at,
                key=f"{word}::{member or ''}" if timeless else None,
                recipient=recipient,
                participant=member,
                code=code,
                message=words,
                original=msgspec.json.encode(item),
            ),
        )
    )


def _member(place: Place, item: Json) -> str | None:
    """The member of a group that a status is about."""
    ids = ("recipient_participant_id", "recipient_participant_user_id")
    number, user_id = (text_in(item, name) for name in ids)
    found = person(place, number, user_id) if number or user_id else None
    return found.address if found else None


def _recipient(place: Place, item: Json) -> str | None:
    """The address that one of our messages went to."""
    number, user_id = text_in(item, "recipient_id"), text_in(item, "recipient_user_id")
    if text_in(item, "recipient_type") == "group":
        return user(place, number)
    found = person(place, number, user_id) if number or user_id else None
    return found.address if found else None


# -------------------------------------------------------------------- history


HISTORY_WORDS: Final = {"error": "failed", "pending": "queued"}
"""What history calls otherwise than a status."""


def past(place: Place, thread: Json, item: Json) -> Outcome:
    """A message out of the history of a number that joined; one of ours with how far it came."""
    sender = phone(text_in(item, "from"))
    way = Way(outbound=sender == place.our_address, origin=Origin.IMPORTED)
    told = {**item, **_other_end(thread, item, way)}
    outcome = message(place, told, way)
    if not isinstance(outcome, Commands):
        return outcome
    (record,) = outcome.commands
    word = text_in(item, "history_context", "status")
    if word is None or not way.outbound or not isinstance(record, RecordInteraction):
        return Commands((record,), copy=True)
    plain = word.lower()
    reached = ReportDelivery(
        about=interaction_stream(place.arrival.derive, record.namespace, record.key),
        source=place.source,
        word=HISTORY_WORDS.get(plain, plain),
        at=record.occurred_at,
        key=f"history:{plain}",
        recipient=record.destination,
    )
    return Commands((record, reached), copy=True)


def _other_end(thread: Json, item: Json, way: Way) -> dict[str, str]:
    """Whose thread it is, in the words of a message."""
    number, user_id = ("to", "to_user_id") if way.outbound else ("from", "from_user_id")
    known = {
        number: text_in(item, number) or text_in(thread, "id"),
        user_id: text_in(item, user_id) or text_in(thread, "context", "user_id"),
    }
    return {name: text for name, text in known.items() if text}


def past_file(place: Place, item: Json) -> Outcome:
    """The file of a message out of the history, which came before as a placeholder."""
    sender = phone(text_in(item, "from"))
    way = Way(outbound=sender == place.our_address, origin=Origin.IMPORTED)
    record = recorded(place, item, way)
    filled = ReportChange(
        kind="edit",
        about=interaction_stream(place.arrival.derive, record.namespace, record.key),
        source=place.source,
        key=f"{record.key}:file",
        address=counterpart(place, item, way).address,
        at=record.occurred_at,
        text=record.text,
        attachments=record.attachments,
        original=record.original,
    )
    return Commands((record, filled))


# --------------------------------------------------------------- people's wishes


def preference(place: Place, item: Json) -> Outcome:
    """What a person wants to receive, such as no more offers: they said it to us, so it is kept."""
    them = person(place, text_in(item, "wa_id"), text_in(item, "user_id"))
    if them is None:
        raise Unfit("the preference is nobody's")
    at, time_source = moment_of(text_in(item, "timestamp"), place.arrival.received_at)
    what = [text_in(item, name) or "" for name in ("category", "value")]
    return Commands(
        (
            RecordInteraction(
                channel=Channel.WHATSAPP,
                direction=Direction.INBOUND,
                origin=Origin.AUTOMATIC,
                source=_source(place),
                namespace=place.source,
                key=":".join(("preference", them.address, *what, text_in(item, "timestamp") or "")),
                resource=them.address,
                destination=place.our_address,
                occurred_at=at,
                time_source=time_source,
                text=text_in(item, "detail") or f"[{' '.join(part for part in what if part)}]",
                contact_name=them.name,
                department=place.arrival.department,
                aliases=them.aliases,
                auto=Auto.AUTO_REPLY,
                details=fitting({"type": "user_preferences", **item}),
                original=msgspec.json.encode(item),
            ),
        )
    )


def renamed(place: Place, item: Json) -> Outcome:
    """Somebody's user id became another. Raises Unfit.

    Relays tell by a field of its own what WhatsApp tells by a system message: it is read as one.
    """
    told = {
        "id": text_in(item, "id"),
        "from": text_in(item, "wa_id"),
        "timestamp": text_in(item, "timestamp"),
        "type": "system",
        "system": {
            "type": "user_changed_user_id",
            "body": text_in(item, "detail"),
            "previous_user_id": text_in(item, "user_id", "previous"),
            "user_id": text_in(item, "user_id", "current"),
        },
    }
    return message(place, told)


# -------------------------------------------------------------------- in common


def _source(place: Place) -> str:
    if not place.source:
        raise Unfit("the change does not say which number it is about")
    return place.source


def _stream(place: Place, wamid: str) -> UUID:
    return interaction_stream(place.arrival.derive, place.source, wamid)


def _moment(place: Place, item: Json, origin: Origin) -> tuple[int, TimeSource]:
    at, said_by = moment_of(text_in(item, "timestamp"), place.arrival.received_at)
    if origin is Origin.IMPORTED and said_by is TimeSource.PROVIDER:
        return at, TimeSource.IMPORT
    return at, said_by


def _campaign(referral: Json) -> str | None:
    """What the advertisement said in its headline, by which people know it; else its id."""
    return title(text_in(referral, "headline"), text_in(referral, "source_id"))


def _details(item: Json, them: Person, said: dict[str, object], referral: Json) -> bytes | None:
    """What people may want to see beside the text; the referral first, for it comes only once."""
    content = content_of(item)
    details: dict[str, object] = {"type": kind_of(item)}
    if referral:
        details["referral"] = referral
    details.update(said)
    details.update(them.said)
    for name in ("voice", "animated"):
        if content.get(name) is True:
            details[name] = True
    if holds(item, "errors"):
        details["errors"] = item["errors"]
    return fitting(details)
