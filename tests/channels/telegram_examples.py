"""One update of each kind that Telegram sends, and what becomes of it.

The table in docs/channels/telegram.md is made of this list:

    python -m tests.channels.telegram_examples
"""

from __future__ import annotations

from typing import Final

from tests.api.house import NOON
from tests.channels.vendors import BOT, Example, Table
from tests.source_tree import ROOT

SENT_S: Final = NOON // 1_000_000 - 60
ANA: Final = {"id": 987654321, "is_bot": False, "first_name": "Ana", "last_name": "Núñez"}
LUIS: Final = {"id": 55, "is_bot": False, "first_name": "Luis"}
PRIVATE: Final = {"id": 987654321, "type": "private", "first_name": "Ana", "last_name": "Núñez"}
GROUP: Final = {"id": -1001234, "type": "supergroup", "title": "Flotilla"}
CHANNEL: Final = {"id": -1005678, "type": "channel", "title": "Ofertas"}
OWNER: Final = {"id": 42, "is_bot": False, "first_name": "Rosa", "last_name": "Mora"}
_US: Final = {"id": int(BOT), "is_bot": True, "first_name": "Bot"}


def item(**content: object) -> dict[str, object]:
    """A message of Ana's; what is None is left out."""
    plain: dict[str, object] = {"message_id": 7, "from": ANA, "chat": PRIVATE, "date": SENT_S}
    return {name: value for name, value in {**plain, **content}.items() if value is not None}


def update(branch: str, content: object) -> dict[str, object]:
    """An update with one branch."""
    return {"update_id": 1000, branch: content}


def message(**content: object) -> dict[str, object]:
    """An update with a message of Ana's."""
    return update("message", item(**content))


def business(**content: object) -> dict[str, object]:
    """An update with a message of a business account's chat."""
    return update("business_message", item(business_connection_id="bc1", **content))


def reaction(*emojis: str) -> dict[str, object]:
    """An update with the reactions that Ana has on a message now."""
    new = [{"type": "emoji", "emoji": emoji} for emoji in emojis]
    about = {"chat": PRIVATE, "message_id": 6, "user": ANA, "date": SENT_S}
    return update("message_reaction", {**about, "old_reaction": [], "new_reaction": new})


def _file(kind: str, **more: object) -> dict[str, object]:
    return message(**{kind: {"file_id": "AwAD", "file_unique_id": "u", **more}})


_SIZES: Final = [
    {"file_id": "big", "width": 950, "height": 320, "file_size": 47844},
    {"file_id": "small", "width": 90, "height": 30, "file_size": 698},
]
_CARD: Final = {"phone_number": "525512345678", "first_name": "Ana", "user_id": 987654321}
_VENUE: Final = {"location": {"latitude": 19.43, "longitude": -99.13}, "title": "Taller"}
_ROWS: Final = {"inline_keyboard": [[{"text": "Sí, confirmo", "callback_data": "yes"}]]}
_PRESSED: Final = {"id": "77", "from": ANA, "data": "yes", "chat_instance": "1"}
_PAID: Final = {"currency": "USD", "total_amount": 6250, "invoice_payload": "P"}
_QUERY: Final = {"id": "78", "from": ANA, "invoice_payload": "P"}
_WHERE: Final = {"country_code": "MX", "city": "CDMX", "street_line1": "Sur 8"}
_POLL: Final = {"id": "9", "question": "¿Cuándo?", "options": [{"text": "Hoy"}, {"text": "Luego"}]}
_GONE: Final = {"business_connection_id": "bc1", "chat": PRIVATE, "message_ids": [7, 8]}
_RICH: Final = {
    "blocks": [
        {"type": "heading", "text": "Precios", "size": 1},
        {"type": "paragraph", "text": ["Frenos ", {"type": "bold", "text": "2x1"}]},
        {"type": "list", "items": [{"label": "1.", "blocks": [{"type": "p", "text": "Balatas"}]}]},
        {"type": "table", "cells": [[{"text": "Disco"}, {"text": "$900"}]]},
        {"type": "collage", "blocks": [{"type": "photo", "photo": _SIZES}]},
        {"type": "footer", "text": {"type": "custom_emoji", "alternative_text": "🚗"}},
    ]
}
_PRICED: Final = [{"type": "photo", "photo": _SIZES}, {"type": "preview", "width": 90}]
_MEMBER: Final = {"chat": PRIVATE, "from": ANA, "date": SENT_S, "new_chat_member": {}}
_T: Final = "telegram"

_PHOTO: Final = ("interaction inbound + image.jpg",)
_EMPTY: Final = ("interaction inbound: “[rich_message]”",)

EXAMPLES: Final[tuple[Example, ...]] = (
    ("text", _T, message(text="Hola"), ("interaction inbound: “Hola”",)),
    ("text in a group", _T, message(text="Hola", chat=GROUP), ("interaction inbound: “Hola”",)),
    ("/start", _T, message(text="/start suv25"), ("interaction inbound: “/start suv25”",)),
    (
        "photo",
        _T,
        message(photo=_SIZES, caption="El golpe"),
        ("interaction inbound: “El golpe” + image.jpg",),
    ),
    ("video", _T, _file("video"), ("interaction inbound + video.mp4",)),
    ("round video", _T, _file("video_note"), ("interaction inbound + video.mp4",)),
    ("animation", _T, _file("animation"), ("interaction inbound + animation.mp4",)),
    ("audio", _T, _file("audio", mime_type="audio/mpeg"), ("interaction inbound + audio.mp3",)),
    ("voice note", _T, _file("voice"), ("interaction inbound + voice.ogg",)),
    (
        "document",
        _T,
        _file("document", file_name="Póliza.pdf", mime_type="application/pdf"),
        ("interaction inbound + Póliza.pdf",),
    ),
    ("sticker", _T, _file("sticker", emoji="👍"), ("interaction inbound: “👍” + sticker.webp",)),
    (
        "location",
        _T,
        message(location=_VENUE["location"]),
        ("interaction inbound: “📍 19.43,-99.13”",),
    ),
    ("venue", _T, message(venue=_VENUE), ("interaction inbound: “📍 Taller 19.43,-99.13”",)),
    (
        "their own card",
        _T,
        message(contact=_CARD),
        ("interaction inbound: “👤 Ana: 525512345678”",),
    ),
    ("poll", _T, message(poll=_POLL), ("interaction inbound: “📊 ¿Cuándo? ⏎ - Hoy ⏎ - Luego”",)),
    ("dice", _T, message(dice={"emoji": "🎯", "value": 6}), ("interaction inbound: “🎯 6”",)),
    ("payment", _T, message(successful_payment=_PAID), ("interaction inbound: “💳 62.50 USD”",)),
    (
        "a kind that nobody knows yet",
        _T,
        message(hologram={"id": 1}),
        ("interaction inbound: “[hologram]”",),
    ),
    (
        "edit",
        _T,
        update("edited_message", item(text="A las 5", edit_date=SENT_S + 9)),
        ("edit: “A las 5”",),
    ),
    ("reaction", _T, reaction("👍"), ("reaction of contact: 👍",)),
    ("reaction, taken away", _T, reaction(), ("reaction of contact: taken away",)),
    (
        "button under one of our messages",
        _T,
        update("callback_query", {**_PRESSED, "message": item(reply_markup=_ROWS)}),
        ("interaction inbound: “Sí, confirmo”",),
    ),
    (
        "where an order goes",
        _T,
        update("shipping_query", {**_QUERY, "shipping_address": _WHERE}),
        ("interaction inbound by a machine: “📦 Sur 8, CDMX, MX”",),
    ),
    (
        "an order is about to be paid",
        _T,
        update("pre_checkout_query", {**_QUERY, **_PAID}),
        ("interaction inbound by a machine: “🧾 62.50 USD”",),
    ),
    (
        "answer to a poll",
        _T,
        update("poll_answer", {"poll_id": "9", "user": ANA, "option_ids": [1]}),
        ("interaction inbound by a machine: “📊 2”",),
    ),
    (
        "post of a channel",
        _T,
        update(
            "channel_post", item(**{"from": None}, sender_chat=CHANNEL, chat=CHANNEL, text="¡!")
        ),
        ("interaction inbound by a machine: “¡!”",),
    ),
    ("business: theirs", _T, business(text="Hola"), ("interaction inbound: “Hola”",)),
    (
        "business: ours",
        _T,
        business(**{"from": OWNER}, text="Va en camino"),
        ("interaction outbound: “Va en camino”",),
    ),
    (
        "business: written by a bot",
        _T,
        business(**{"from": OWNER}, sender_business_bot=_US, text="Abrimos a las 9"),
        ("interaction outbound by a machine: “Abrimos a las 9”",),
    ),
    (
        "rich message",
        _T,
        message(rich_message=_RICH),
        ("interaction inbound: “Precios ⏎ Frenos 2x1 ⏎ 1. Balatas ⏎ Disco | $90…” + image.jpg",),
    ),
    ("rich message of a photo", _T, message(rich_message={"blocks": [_PRICED[0]]}), _PHOTO),
    ("rich message without words", _T, message(rich_message={"blocks": [{"type": "x"}]}), _EMPTY),
    ("live photo", _T, _file("live_photo"), ("interaction inbound + video.mp4",)),
    (
        "media that cost stars",
        _T,
        message(paid_media={"star_count": 5, "paid_media": _PRICED}, caption="Así quedó"),
        ("interaction inbound: “Así quedó” + image.jpg",),
    ),
    (
        "somebody put an option into a poll",
        _T,
        message(chat=GROUP, poll_option_added={"option_text": "Mañana"}),
        ("interaction inbound: “📊 + Mañana”",),
    ),
    (
        "a group has another owner",
        _T,
        message(chat=GROUP, chat_owner_changed={"new_owner": ANA}),
        ("ignored: account_event",),
    ),
    (
        "a bot's own words in a private chat",
        _T,
        message(**{"from": {"id": 8, "is_bot": True}}, text="Buenas"),
        ("interaction outbound: “Buenas”",),
    ),
    (
        "business: two were deleted",
        _T,
        update("deleted_business_messages", _GONE),
        ("revoke", "revoke"),
    ),
    (
        "bot was started or blocked",
        _T,
        update("my_chat_member", _MEMBER),
        ("ignored: account_event",),
    ),
    (
        "somebody joined a group",
        _T,
        message(chat=GROUP, new_chat_members=[ANA]),
        ("ignored: presence",),
    ),
    (
        "a group was renamed",
        _T,
        message(chat=GROUP, new_chat_title="Flota"),
        ("ignored: account_event",),
    ),
    (
        "inline search",
        _T,
        update("inline_query", {"id": "1", "from": ANA, "query": "ca"}),
        ("ignored: presence",),
    ),
    (
        "counts of reactions",
        _T,
        update("message_reaction_count", {"chat": CHANNEL}),
        ("ignored: account_event",),
    ),
    ("a message without content", _T, message(), ("ignored: empty",)),
    ("nothing", _T, {"update_id": 1000}, ("ignored: empty",)),
    (
        "an update that nobody knows yet",
        _T,
        update("dream", {"id": 1}),
        ("quarantine: unknown_kind (the update is of an unknown kind)",),
    ),
    (
        "a message without a chat",
        _T,
        message(chat=None, text="Hola"),
        ("quarantine: unparsable (the message names no chat)",),
    ),
    ("no JSON", _T, b"<html>", ("quarantine: unparsable (the body is not JSON)",)),
)

TABLE: Final = Table(ROOT / "docs" / "channels" / "telegram.md", "telegram_examples", EXAMPLES)

if __name__ == "__main__":
    TABLE.write()
