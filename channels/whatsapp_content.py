"""What a WhatsApp message says: its kind, a text that people can read, its files.

The text is what the sender sees as their own: words, a caption, the title of the button that
they pressed. What has no words is described: `📍 name, address 19.43,-99.13`, or in brackets,
`[sticker]`. The provider's own object is kept beside it, so nothing is lost by that.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from channels.lenient import (
    NOTHING,
    Json,
    body_in,
    items_in,
    number_in,
    object_in,
    objects_in,
    text_in,
)
from channels.pieces import ANY_MEDIA, TEXT_MAX_CHARS, file_name
from domain.events import Attachment

if TYPE_CHECKING:
    from domain.values import Deriver

SHA256_BYTES: Final = 32

MEDIA: Final = frozenset({"image", "video", "audio", "voice", "document", "sticker"})

UNKNOWN: Final = "unknown"
"""The kind of a message that says none, and WhatsApp's own word for what it cannot pass on."""

UNSUPPORTED: Final = "unsupported"

CHANGES: Final[Mapping[str, str]] = {
    "reaction": "message_id",
    "edit": "original_message_id",
    "revoke": "original_message_id",
}
"""Kinds that change an earlier message, and under which name they say which one."""


def kind_of(message: Json) -> str:
    """The kind of a message; where it says none, the one whose content it has.

    What WhatsApp calls unknown, or tells with an error alone, was sent and cannot be shown.
    """
    said = (text_in(message, "type") or "").lower()
    if said not in {"", UNKNOWN}:
        return said
    found = next((kind for kind in (*_TEXTS, *CHANGES) if holds(message, kind)), None)
    return found or (UNSUPPORTED if said or holds(message, "errors") else UNKNOWN)


def content_of(message: Json) -> Json:
    """What stands under the name of a message's kind."""
    return object_in(message, kind_of(message))


def text_of(message: Json) -> str | None:
    """The readable text of a message; None for a file without a caption."""
    kind = kind_of(message)
    describe = _TEXTS.get(kind)
    found = describe(message) if describe else _of_unknown(message)
    return found[:TEXT_MAX_CHARS] if found else None


def attachments_of(message: Json, derive: Deriver, source: str, key: str) -> tuple[Attachment, ...]:
    """The file of a message: at most one. Its id follows from the message's key."""
    kind, content = kind_of(message), content_of(message)
    provider_id = text_in(content, "id")
    media_type = text_in(content, "mime_type")
    url = text_in(content, "url") or text_in(content, "link")
    is_media = kind in MEDIA or (media_type is not None and provider_id is not None)
    if not is_media or not (provider_id or url):
        return ()
    return (
        Attachment(
            id=derive.id("attachment", source, key, "0"),
            name=_file_name(kind, content, media_type),
            media_type=media_type or ANY_MEDIA,
            size_bytes=number_in(content, "file_size"),
            sha256=_sha256(text_in(content, "sha256")),
            url=url if url and url.startswith(("https://", "http://")) else None,
            provider_id=provider_id,
        ),
    )


def _file_name(kind: str, content: Json, media_type: str | None) -> str:
    word = "voice" if kind == "voice" or content.get("voice") is True else kind
    return file_name(text_in(content, "filename"), word, media_type)


def _sha256(written: str | None) -> str | None:
    """64 hex digits, from hex or base64; None for what is neither, or of another length."""
    if written is None:
        return None
    try:
        return bytes.fromhex(written).hex() if len(written) == SHA256_BYTES * 2 else _plain(written)
    except ValueError:
        return None


def _plain(written: str) -> str | None:
    try:
        raw = b64decode(written, validate=True)
    except Base64Error:
        return None
    return raw.hex() if len(raw) == SHA256_BYTES else None


# ------------------------------------------------------------ a text for each kind


def _of_text(message: Json) -> str | None:
    text = message.get("text")
    return text if isinstance(text, str) and text.strip() else body_in(text, "body")


def _of_media(message: Json) -> str | None:
    return body_in(content_of(message), "caption")


def _of_sticker(message: Json) -> str | None:
    return text_in(message, "sticker", "emoji") or "[sticker]"


def _of_location(message: Json) -> str | None:
    place = object_in(message, "location")
    named = [text_in(place, "name"), text_in(place, "address")]
    at = [text_in(place, "latitude"), text_in(place, "longitude")]
    words = ", ".join(text for text in named if text)
    point = ",".join(text for text in at if text)
    return " ".join(part for part in ("📍", words, point) if part)


def _of_contacts(message: Json) -> str | None:
    lines = []
    for card in objects_in(message, "contacts"):
        name = object_in(card, "name")
        parts = [text_in(name, "first_name"), text_in(name, "last_name")]
        shown = text_in(name, "formatted_name") or " ".join(part for part in parts if part)
        shown = shown or text_in(card, "org", "company") or ""
        reach = [
            text_in(one, "phone") or text_in(one, "wa_id") for one in objects_in(card, "phones")
        ]
        reach += [text_in(one, "email") for one in objects_in(card, "emails")]
        known = ", ".join(text for text in reach if text)
        lines.append(f"👤 {': '.join(part for part in (shown, known) if part)}".rstrip())
    return "\n".join(lines) or "[contacts]"


def _of_button(message: Json) -> str | None:
    button = object_in(message, "button")
    return body_in(button, "text") or text_in(button, "payload")


def _of_interactive(message: Json) -> str | None:
    interactive = object_in(message, "interactive")
    held = (name for name, inner in interactive.items() if isinstance(inner, dict))
    kind = text_in(interactive, "type") or next(held, "interactive")
    reply = object_in(interactive, kind)
    match kind:
        case "nfm_reply":
            return _of_flow(reply)
        case "call_permission_reply":
            return f"[call permission: {text_in(reply, 'response') or 'unknown'}]"
        case _:
            title = body_in(reply, "title")
            more = body_in(reply, "description")
            if title or more:
                return "\n".join(part for part in (title, more) if part)
            product = text_in(reply, "product_retailer_id")
            return _any_text(interactive) or (f"🛒 {product}" if product else f"[{kind}]")


def _of_flow(reply: Json) -> str | None:
    """The answers of a form, a line each; its token is for machines."""
    written = reply.get("response_json")
    try:
        answers = json.loads(written) if isinstance(written, str) else written
    except (ValueError, RecursionError):
        answers = written
    if not isinstance(answers, dict):
        return body_in({"it": answers}, "it") or body_in(reply, "body") or "[form]"
    lines = [f"{name}: {_shown(value)}" for name, value in answers.items() if name != "flow_token"]
    return "\n".join(lines) or body_in(reply, "body") or "[form]"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _of_order(message: Json) -> str | None:
    order = object_in(message, "order")
    lines = [body_in(order, "text")]
    for item in objects_in(order, "product_items"):
        count = text_in(item, "quantity") or "1"
        name = text_in(item, "product_retailer_id") or "?"
        price = [text_in(item, "item_price"), text_in(item, "currency")]
        cost = " ".join(part for part in price if part)
        lines.append(f"🛒 {count} × {name}" + (f" · {cost}" if cost else ""))
    return "\n".join(line for line in lines if line) or "[order]"


def _of_system(message: Json) -> str | None:
    system = object_in(message, "system")
    return body_in(system, "body") or f"[{text_in(system, 'type') or 'system'}]"


def _of_unsupported(message: Json) -> str | None:
    what = text_in(message, "unsupported", "type")
    return f"[unsupported: {what}]" if what else "[unsupported]"


def _of_unknown(message: Json) -> str | None:
    """Whatever words a kind has that did not exist when this was written; else its name."""
    content = content_of(message)
    if content.get("id") and content.get("mime_type"):
        return body_in(content, "caption")
    return _any_text(content) or f"[{kind_of(message)}]"


def _any_text(content: Json) -> str | None:
    for name in ("caption", "body", "text", "title", "description", "name"):
        inner = content.get(name)
        found = body_in(content, name) or body_in(inner, "text") or body_in(inner, "body")
        if found:
            return found
    return None


_TEXTS: Final[Mapping[str, Callable[[Json], str | None]]] = {
    "text": _of_text,
    "image": _of_media,
    "video": _of_media,
    "audio": _of_media,
    "voice": _of_media,
    "document": _of_media,
    "sticker": _of_sticker,
    "location": _of_location,
    "contacts": _of_contacts,
    "button": _of_button,
    "interactive": _of_interactive,
    "order": _of_order,
    "system": _of_system,
    "unsupported": _of_unsupported,
}


# -------------------------------------------------------------- what goes with it


def context_of(message: Json) -> tuple[str | None, dict[str, object]]:
    """The message that this one answers, and what else its context says."""
    context = object_in(message, "context")
    said: dict[str, object] = {
        name: True
        for name in ("forwarded", "frequently_forwarded")
        if context.get(name) in (True, "true", 1)
    }
    product = object_in(context, "referred_product")
    if product:
        said["referred_product"] = product
    return text_in(context, "id"), said


def errors_of(item: Json) -> tuple[str | None, str | None]:
    """The code of the first error, and what it says."""
    error = next(iter(objects_in(item, "errors")), NOTHING)
    title = text_in(error, "title") or text_in(error, "message")
    more = text_in(error, "error_data", "details") or text_in(error, "details")
    words = [title, more if more != title else None]
    return text_in(error, "code"), ": ".join(word for word in words if word) or None


def holds(value: object, name: str) -> bool:
    """Whether anything stands under a name."""
    return bool(items_in(value, name))
