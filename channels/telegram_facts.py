"""From one branch of a Telegram update to commands for the ledger.

Each function gets the place (which bot) and the branch, and gives an outcome; it raises Unfit
where the branch lacks what it cannot do without.

Source: Telegram, "Bot API" (Update and what it holds).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from channels.contract import Commands, Ignored, Outcome
from channels.lenient import (
    NOTHING,
    Json,
    Unfit,
    given,
    items_in,
    moment_of,
    object_in,
    objects_in,
    text_in,
)
from channels.pieces import ID_MAX_CHARS, TEXT_MAX_CHARS, fitting
from channels.telegram_content import (
    ABOUT_CHAT,
    ENVELOPE,
    PRESENCE,
    address_of,
    amount_of,
    attachments_of,
    kind_of,
    text_of,
)
from channels.telegram_people import (
    Place,
    Who,
    address_in,
    group_of,
    key_of,
    name_of,
    own_card,
    said_of,
    who_of,
)
from domain.commands import RecordInteraction, ReportChange
from domain.recording import interaction_stream
from domain.values import Auto, Channel, Direction, Origin

if TYPE_CHECKING:
    from uuid import UUID


_START: Final = "/start "


class Deed(Struct, frozen=True):
    """Something that a person did: how it reads, what is shown beside it, where it belongs."""

    said: str
    details: Mapping[str, object]
    thread: str | None = None
    answered: str | None = None
    auto: Auto | None = None


# ------------------------------------------------------------------------ messages


def message(place: Place, item: Json) -> Outcome:
    """A message of either side. Raises Unfit without its number, its chat or its sender."""
    kind = kind_of(item)
    if kind in PRESENCE:
        return Ignored("presence")
    if kind in ABOUT_CHAT:
        return Ignored("account_event")
    if kind is None and not body(item) and given(item) <= ENVELOPE:
        return Ignored("empty")
    return Commands((_recorded(place, item),))


def body(item: Json) -> str | None:
    """The readable text; of a kind that did not exist when this was written, its name."""
    if kind_of(item) is not None:
        return text_of(item)
    said = text_of(item)
    new = next((name for name in item if name in given(item) - ENVELOPE), None)
    return said or (f"[{new}]" if new else None)


def _recorded(place: Place, item: Json) -> RecordInteraction:
    key = key_of(item)
    who = who_of(place, item)
    at, time_source = moment_of(text_in(item, "date"), place.arrival.received_at)
    ends = (place.our_address, who.address)
    return RecordInteraction(
        channel=Channel.TELEGRAM,
        direction=Direction.OUTBOUND if who.outbound else Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source=place.source,
        namespace=place.source,
        key=key,
        external_id=key,
        resource=ends[0] if who.outbound else ends[1],
        destination=ends[1] if who.outbound else ends[0],
        occurred_at=at,
        time_source=time_source,
        text=body(item),
        contact_name=who.name,
        attended_by=who.staff,
        department=place.arrival.department,
        aliases=own_card(item, who),
        attachments=attachments_of(item, place.arrival.derive, place.source, key),
        thread=group_of(item),
        in_reply_to=_answered(item),
        auto=who.auto,
        details=_details(item, who),
        original=msgspec.json.encode(item),
    )


def edited(place: Place, item: Json) -> Outcome:
    """A message as its sender left it; each time of editing is a change of its own."""
    key = key_of(item)
    at, _ = moment_of(text_in(item, "edit_date"), place.arrival.received_at)
    change = f"{key}:{text_in(item, 'edit_date') or place.update}"
    return Commands(
        (
            ReportChange(
                kind="edit",
                about=_stream(place, key),
                source=place.source,
                key=change,
                address=who_of(place, item).address,
                at=at,
                text=body(item),
                attachments=attachments_of(item, place.arrival.derive, place.source, change),
                original=msgspec.json.encode(item),
            ),
        )
    )


def _stream(place: Place, key: str) -> UUID:
    return interaction_stream(place.arrival.derive, place.source, key)


def _answered(item: Json) -> str | None:
    """The message that this one answers, where that is of a chat that we are in."""
    answered = object_in(item, "reply_to_message")
    if not answered:
        return None
    chat = object_in(answered, "chat") or object_in(item, "chat")
    business = item.get("business_connection_id")
    try:
        return key_of({**answered, "chat": chat, "business_connection_id": business})
    except Unfit:
        return None


# ------------------------------------------------------------------------- details


def _details(item: Json, who: Who) -> bytes:
    found: dict[str, object] = {"type": kind_of(item) or "unknown", **who.said}
    text = text_in(item, "text") or ""
    if text.startswith(_START):
        found["start"] = text.removeprefix(_START).strip()[:ID_MAX_CHARS]
    title = text_in(item, "chat", "title")
    if title:
        found["group"] = title
    for name in _SHOWN:
        value = item.get(name)
        if value not in (None, False, "", [], {}):
            found[name] = value
    return fitting(found)


_SHOWN: Final = (
    "media_group_id",
    "message_thread_id",
    "author_signature",
    "forward_origin",
    "forward_from",
    "forward_from_chat",
    "forward_sender_name",
    "forward_date",
    "quote",
    "external_reply",
    "reply_to_story",
    "via_bot",
    "business_connection_id",
    "successful_payment",
    "entities",
    "caption_entities",
)
"""What is shown as it came, the likeliest to be wanted first."""


# ------------------------------------------------------------- what else people do


def pressed(place: Place, item: Json) -> Outcome:
    """A button under one of our messages: what stands on it is what they said."""
    under = object_in(item, "message")
    data = text_in(item, "data") or text_in(item, "game_short_name")
    said = _button(under, text_in(item, "data")) or data or "[button]"
    details = {"type": "callback_query", "data": data} if data else {"type": "callback_query"}
    answered = _answered({"reply_to_message": under}) if under else None
    return _did(place, item, Deed(said, details, group_of(under), answered))


def _button(under: Json, data: str | None) -> str | None:
    rows = items_in(object_in(under, "reply_markup"), "inline_keyboard")
    buttons = [button for row in rows if isinstance(row, list) for button in row]
    found = (one for one in buttons if data and text_in(one, "callback_data") == data)
    return text_in(next(found, NOTHING), "text")


def ordering(place: Place, item: Json) -> Outcome:
    """An order on its way: where to, or that it is about to be paid."""
    where, amount = address_of(item), amount_of(item)
    said = f"📦 {where}" if where else f"🧾 {amount or ''}".strip()
    details = {"type": "order", "payload": text_in(item, "invoice_payload")}
    return _did(place, item, Deed(said, details, auto=Auto.AUTO_REPLY))


def voted(place: Place, item: Json) -> Outcome:
    """An answer to a poll that is not anonymous: the numbers of the options, from 1."""
    person = object_in(item, "user") or object_in(item, "voter_chat")
    chosen = [number for number in items_in(item, "option_ids") if isinstance(number, int)]
    said = "📊 " + ", ".join(str(number + 1) for number in chosen) if chosen else "📊 –"
    told = {"id": f"{text_in(item, 'poll_id')}:{place.update}", "from": person}
    details = {"type": "poll_answer", "poll": text_in(item, "poll_id")}
    return _did(place, {**item, **told}, Deed(said, details, auto=Auto.AUTO_REPLY))


def _did(place: Place, item: Json, deed: Deed) -> Outcome:
    """Something that a person did and that has no message of its own, nor a time."""
    person, id_ = object_in(item, "from"), text_in(item, "id")
    sender = text_in(person, "id")
    if sender is None:
        raise Unfit("nobody is at the other end")
    plain = msgspec.json.encode(item, order="deterministic")
    key = f"query:{id_ or hashlib.sha256(plain).hexdigest()}"
    at, time_source = moment_of(None, place.arrival.received_at)
    record = RecordInteraction(
        channel=Channel.TELEGRAM,
        direction=Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source=place.source,
        namespace=place.source,
        key=key[:ID_MAX_CHARS],
        external_id=key[:ID_MAX_CHARS],
        resource=address_in(place, sender),
        destination=place.our_address,
        occurred_at=at,
        time_source=time_source,
        text=deed.said[:TEXT_MAX_CHARS],
        contact_name=name_of(person),
        department=place.arrival.department,
        thread=deed.thread,
        in_reply_to=deed.answered,
        auto=deed.auto,
        details=fitting({**deed.details, **said_of(person)}),
        original=plain,
    )
    return Commands((record,))


def reacted(place: Place, item: Json) -> Outcome:
    """Whatever reactions somebody has on a message now; none is that they were taken away."""
    actor = object_in(item, "user") or object_in(item, "actor_chat")
    actor_id, key = text_in(actor, "id"), key_of(item)
    if actor_id is None:
        raise Unfit("the reaction is nobody's")
    emojis = [_emoji(one) for one in objects_in(item, "new_reaction")]
    at, _ = moment_of(text_in(item, "date"), place.arrival.received_at)
    ours = actor_id == place.bot
    other = text_in(item, "chat", "id") or "" if ours else actor_id
    moment = place.update or text_in(item, "date") or ""
    return Commands(
        (
            ReportChange(
                kind="reaction",
                about=_stream(place, key),
                source=place.source,
                key=f"{key}:{actor_id}:{moment}"[:ID_MAX_CHARS],
                address=address_in(place, other),
                at=at,
                by="staff" if ours else "contact",
                emoji=" ".join(emojis) or None,
                original=msgspec.json.encode(item),
            ),
        )
    )


def _emoji(reaction: Json) -> str:
    """An emoji; one of their own making and a paid star have none that everybody can read."""
    kind = text_in(reaction, "type")
    return text_in(reaction, "emoji") or {"paid": "⭐"}.get(kind or "", "▫️")


def deleted(place: Place, item: Json) -> Outcome:
    """One message of a business account's chat was deleted, by either side."""
    numbers = [number for number in items_in(item, "message_ids") if text_in({"n": number}, "n")]
    if len(numbers) != 1:
        raise Unfit("the deletion names no message")
    key = key_of(item, text_in({"n": numbers[0]}, "n"))
    return Commands(
        (
            ReportChange(
                kind="revoke",
                about=_stream(place, key),
                source=place.source,
                key=f"{key}:deleted",
                address=address_in(place, text_in(item, "chat", "id") or ""),
                at=place.arrival.received_at,
                original=msgspec.json.encode(item),
            ),
        )
    )
