"""What a Telegram message says: its kind, a text that people can read, its files.

The text is what the sender wrote, or the caption of a file. What has no words is described, as
in every channel: `📍` a place, `👤` a card, `[sticker]`. The provider's own object is kept beside
it.

Source: Telegram, "Bot API" (Message).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from channels.lenient import Json, body_in, number_in, object_in, objects_in, text_in
from channels.pieces import ANY_MEDIA, FILES_MAX, TEXT_MAX_CHARS, file_name, short
from channels.telegram_rich import RICH, rich_media, rich_text
from domain.events import Attachment

if TYPE_CHECKING:
    from uuid import UUID

    from domain.values import Deriver

_FILES: Final[Mapping[str, tuple[str, str]]] = {
    "animation": ("animation", "video/mp4"),
    "document": ("document", ANY_MEDIA),
    "audio": ("audio", "audio/mpeg"),
    "voice": ("voice", "audio/ogg"),
    "voice_note": ("voice", "audio/ogg"),
    "live_photo": ("video", "video/mp4"),
    "video": ("video", "video/mp4"),
    "video_note": ("video", "video/mp4"),
    "sticker": ("sticker", "image/webp"),
}
"""Keys that hold a file: a word for its name, and its type where none is told. An animation
comes as a document too, and a live photo as a photo, for old programs: the first key that is
there counts."""

PRESENCE: Final = frozenset(
    {
        "new_chat_members",
        "new_chat_member",
        "new_chat_participant",
        "left_chat_member",
        "left_chat_participant",
        "write_access_allowed",
        "proximity_alert_triggered",
        "video_chat_scheduled",
        "video_chat_started",
        "video_chat_ended",
        "video_chat_participants_invited",
        "voice_chat_started",
        "voice_chat_ended",
    }
)
"""Somebody came, went, or may be met: no communication."""

ABOUT_CHAT: Final = frozenset(
    {
        "new_chat_title",
        "new_chat_photo",
        "delete_chat_photo",
        "group_chat_created",
        "supergroup_chat_created",
        "channel_chat_created",
        "message_auto_delete_timer_changed",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
        "pinned_message",
        "boost_added",
        "chat_background_set",
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_closed",
        "forum_topic_reopened",
        "general_forum_topic_hidden",
        "general_forum_topic_unhidden",
        "direct_message_price_changed",
        "paid_message_price_changed",
        "connected_website",
        "chat_owner_left",
        "chat_owner_changed",
        "community_chat_added",
        "community_chat_removed",
        "managed_bot_created",
    }
)
"""What was set up in the chat itself."""

_WHOLE_UNITS: Final = frozenset(
    {"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XTR"}
)
"""Currencies without a smaller unit, and Telegram's stars."""


def kind_of(message: Json) -> str | None:
    """What a message is: the key that holds its content; None where there is none."""
    if isinstance(message.get("text"), str):
        return "text"
    known = (*_FILES, *_TEXTS, *PRESENCE, *ABOUT_CHAT)
    return next((name for name in known if message.get(name) not in (None, [], {}, "")), None)


def text_of(message: Json) -> str | None:
    """The readable text of a message; None for a file without a caption."""
    words = body_in(message, "text") or body_in(message, "caption")
    kind = kind_of(message)
    if words is None and kind is not None:
        describe = _TEXTS.get(kind)
        words = describe(message) if describe else None
    return short(words, TEXT_MAX_CHARS)


def attachments_of(message: Json, derive: Deriver, source: str, key: str) -> tuple[Attachment, ...]:
    """The files of a message: of a plain one at most one, and of a photo's sizes the largest."""
    holders = (message, *objects_in(object_in(message, "paid_media"), "paid_media"))
    holders += tuple(rich_media(message))
    found = [one for holder in holders if text_in((one := _file(holder))[1], "file_id")]
    return tuple(
        _attachment(one, derive.id("attachment", source, key, str(place)))
        for place, one in enumerate(found[:FILES_MAX])
    )


def _attachment(file: tuple[str, Json, str], id: UUID) -> Attachment:
    name, content, usual = file
    media_type = text_in(content, "mime_type") or usual
    return Attachment(
        id=id,
        name=file_name(text_in(content, "file_name"), name, media_type),
        media_type=media_type,
        size_bytes=number_in(content, "file_size"),
        provider_id=text_in(content, "file_id"),
    )


def _file(message: Json) -> tuple[str, Json, str]:
    for key, (word, media_type) in _FILES.items():
        content = object_in(message, key)
        if content:
            return word, content, _sticker_type(content) if key == "sticker" else media_type
    sizes = objects_in(message, "photo")
    return "image", max(sizes, key=_size, default={}), "image/jpeg"


def _sticker_type(sticker: Json) -> str:
    if sticker.get("is_video") is True:
        return "video/webm"
    return "application/x-tgsticker" if sticker.get("is_animated") is True else "image/webp"


def _size(photo: Json) -> tuple[int, int]:
    pixels = (number_in(photo, "width") or 0) * (number_in(photo, "height") or 0)
    return pixels, number_in(photo, "file_size") or 0


# ------------------------------------------------------------ a text for each kind


def _of_sticker(message: Json) -> str:
    return text_in(message, "sticker", "emoji") or "[sticker]"


def _of_place(message: Json) -> str:
    venue = object_in(message, "venue")
    place = object_in(venue, "location") or object_in(message, "location")
    words = ", ".join(text for name in ("title", "address") if (text := text_in(venue, name)))
    point = ",".join(text for name in ("latitude", "longitude") if (text := text_in(place, name)))
    return " ".join(part for part in ("📍", words, point) if part)


def _of_contact(message: Json) -> str:
    card = object_in(message, "contact")
    named = " ".join(text for name in ("first_name", "last_name") if (text := text_in(card, name)))
    number = text_in(card, "phone_number")
    return "👤 " + ": ".join(part for part in (named, number) if part)


def _of_dice(message: Json) -> str:
    dice = object_in(message, "dice")
    emoji, value = text_in(dice, "emoji") or "🎲", text_in(dice, "value")
    return f"{emoji} {value}" if value else emoji


def _of_poll(message: Json) -> str:
    poll = object_in(message, "poll")
    lines = [f"📊 {text_in(poll, 'question') or ''}".strip()]
    lines += [f"- {text_in(option, 'text') or '?'}" for option in objects_in(poll, "options")]
    return "\n".join(lines)


def _of_checklist(message: Json) -> str:
    checklist = object_in(message, "checklist")
    lines = [text_in(checklist, "title") or "[checklist]"]
    lines += [f"- {text_in(task, 'text') or '?'}" for task in objects_in(checklist, "tasks")]
    return "\n".join(lines)


def _of_game(message: Json) -> str:
    return f"🎮 {text_in(message, 'game', 'title') or ''}".strip()


def _of_invoice(message: Json) -> str:
    invoice = object_in(message, "invoice")
    return " ".join(part for part in ("🧾", text_in(invoice, "title"), amount_of(invoice)) if part)


def _of_payment(message: Json) -> str:
    return _paid(object_in(message, "successful_payment"), "💳")


def _of_refund(message: Json) -> str:
    return _paid(object_in(message, "refunded_payment"), "↩ 💳")


def _paid(payment: Json, sign: str) -> str:
    amount = amount_of(payment)
    return f"{sign} {amount}" if amount else sign


def amount_of(priced: Json) -> str | None:
    """`62.50 USD`: an amount comes in the smallest unit of its currency."""
    amount, currency = number_in(priced, "total_amount"), text_in(priced, "currency")
    if amount is None or currency is None:
        return None
    if currency in _WHOLE_UNITS:
        return f"{amount} {currency}"
    return f"{amount // 100}.{amount % 100:02d} {currency}"


def address_of(order: Json) -> str | None:
    """The postal address of an order, on one line."""
    where = object_in(order, "shipping_address")
    names = ("street_line1", "street_line2", "city", "state", "post_code", "country_code")
    return ", ".join(text for name in names if (text := text_in(where, name))) or None


def _of_app(message: Json) -> str:
    return body_in(message, "web_app_data", "data") or "[web_app_data]"


def _of_rich(message: Json) -> str | None:
    held = any(_file(block)[1] for block in rich_media(message))
    return rich_text(message) or (None if held else f"[{RICH}]")


def _of_option(message: Json) -> str:
    """An option that somebody put into a poll, or took out of it."""
    sign, name = ("+", "poll_option_added")
    if object_in(message, "poll_option_deleted"):
        sign, name = ("−", "poll_option_deleted")
    return f"📊 {sign} {body_in(message, name, 'option_text') or ''}".rstrip()


def _named(kind: str) -> Callable[[Json], str]:
    return lambda _message: f"[{kind}]"


_TEXTS: Final[Mapping[str, Callable[[Json], str | None]]] = {
    "photo": lambda _message: None,
    "sticker": _of_sticker,
    "venue": _of_place,
    "location": _of_place,
    "contact": _of_contact,
    "dice": _of_dice,
    "poll": _of_poll,
    "checklist": _of_checklist,
    "game": _of_game,
    "invoice": _of_invoice,
    "successful_payment": _of_payment,
    "refunded_payment": _of_refund,
    "web_app_data": _of_app,
    RICH: _of_rich,
    "poll_option_added": _of_option,
    "poll_option_deleted": _of_option,
    **{
        kind: _named(kind)
        for kind in (
            "paid_media",
            "story",
            "giveaway",
            "giveaway_created",
            "giveaway_winners",
            "giveaway_completed",
            "users_shared",
            "user_shared",
            "chat_shared",
            "gift",
            "unique_gift",
            "passport_data",
            "checklist_tasks_done",
            "checklist_tasks_added",
            "gift_upgrade_sent",
            "suggested_post_approved",
            "suggested_post_approval_failed",
            "suggested_post_declined",
            "suggested_post_paid",
            "suggested_post_refunded",
        )
    },
}
"""Kinds that have no words of their own, and how they are described."""

ENVELOPE: Final = frozenset(
    {
        *("message_id", "message_thread_id", "from", "sender_chat", "sender_boost_count"),
        *("sender_business_bot", "sender_tag", "date", "edit_date", "business_connection_id"),
        *("chat", "direct_messages_topic", "is_topic_message", "is_automatic_forward"),
        *("has_protected_content", "is_from_offline", "is_paid_post", "media_group_id"),
        *("author_signature", "paid_star_count", "link_preview_options", "effect_id", "via_bot"),
        *("reply_to_message", "reply_to_story", "reply_to_checklist_task_id", "external_reply"),
        *("quote", "entities", "caption_entities", "reply_markup", "show_caption_above_media"),
        *("forward_origin", "forward_from", "forward_from_chat", "forward_from_message_id"),
        *("forward_signature", "forward_sender_name", "forward_date", "has_media_spoiler"),
        *("text", "caption", "suggested_post_info", "reply_to_poll_option_id", "receiver_user"),
        *("ephemeral_message_id", "guest_query_id", "guest_bot_caller_user"),
        *("guest_bot_caller_chat",),
    }
)
"""What stands around a message's content; with nothing else in it, it says nothing."""
