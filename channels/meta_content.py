"""What a message of Messenger or Instagram says: a text that people can read, and its files.

The text is what the sender sees as their own: words, or the title of the button that they
pressed. What has no words is described: `📍 name 19.43,-99.13`, or in brackets, `[share]`. The
provider's own object is kept beside it, so nothing is lost by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from channels.lenient import Json, body_in, object_in, objects_in, text_in
from channels.pieces import (
    ANY_MEDIA,
    FILE_NAME_MAX_CHARS,
    FILES_MAX,
    MEDIA_TYPES,
    TEXT_MAX_CHARS,
    file_name,
    short,
)
from domain.events import Attachment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from domain.values import Deriver

_USUAL: Final[Mapping[str, str]] = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "reel": "video/mp4",
    "ig_reel": "video/mp4",
    "audio": "audio/mp4",
}
"""What Meta sends of a kind where the link does not say more."""

_PAGES: Final = frozenset({"facebook.com", "instagram.com", "fb.watch", "fb.com"})
"""Hosts that show pages to people; files lie elsewhere."""

_PLAIN: Final = frozenset({"image", "video", "audio", "file"})
"""Kinds whose file speaks for itself: no words stand for it."""

_LINKS: Final = frozenset({"fallback", "link", "location", "template", "like_heart"})
"""Kinds whose address is a page, or none: no file."""

_THUMBS_UP: Final = frozenset({"369239263222822", "369239343222814", "369239383222810"})
"""The stickers that Messenger's 👍 button sends, small, middle and large."""

_THUMB: Final = "👍"
_HEART: Final = "❤️"


def text_of(message: Json) -> str | None:
    """The readable text of a message; None where its files speak for themselves.

    A message without words, files or anything else that can be shown is named in brackets.
    """
    found = body_in(message, "text")
    if found is None:
        lines = [_described(one) for one in objects_in(message, "attachments")]
        found = "\n".join(line for line in lines if line)
    if not found and not any(_is_file(one) for one in objects_in(message, "attachments")):
        found = text_in(message, "quick_reply", "payload") or _of_nothing(message)
    return found[:TEXT_MAX_CHARS] if found else None


def _of_nothing(message: Json) -> str:
    return "[unsupported]" if message.get("is_unsupported") else "[message]"


def has_content(message: Json) -> bool:
    """Whether a message says anything at all."""
    return bool(body_in(message, "text") or message.get("attachments"))


def files_of(message: Json, derive: Deriver, source: str, key: str) -> tuple[Attachment, ...]:
    """The files of a message. The id of each follows from the message's key and its place."""
    found = [one for one in objects_in(message, "attachments") if _is_file(one)]
    return tuple(
        _file(one, derive.id("attachment", source, key, str(place)))
        for place, one in enumerate(found[:FILES_MAX])
    )


def _file(attachment: Json, id: UUID) -> Attachment:
    kind, url = _kind(attachment), _url(attachment)
    name = _name_in(url)
    media_type = MEDIA_TYPES.get(name.rpartition(".")[2].lower()) or _USUAL.get(kind, ANY_MEDIA)
    if kind == "audio":  # a voice comes as MP4, whose usual type is a film's
        media_type = media_type.replace("video/", "audio/")
    return Attachment(
        id=id,
        name=file_name(name if kind == "file" else None, _word(attachment), media_type),
        media_type=media_type,
        url=url,
        provider_id=short(text_in(attachment, "payload", "attachment_id")),
    )


def _is_file(attachment: Json) -> bool:
    url = _url(attachment)
    return _kind(attachment) not in _LINKS and bool(url) and not _is_page(url)


def _is_page(url: str) -> bool:
    """Whether a link opens a page of Meta's own, such as that of a reel, and no file."""
    if _name_in(url).rpartition(".")[2].lower() in MEDIA_TYPES:
        return False
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host.removeprefix("www.").removeprefix("m.") in _PAGES


def _kind(attachment: Json) -> str:
    return (text_in(attachment, "type") or "attachment").lower()


def _word(attachment: Json) -> str:
    """What a file without a name is called."""
    is_sticker = text_in(attachment, "payload", "sticker_id") is not None
    return "sticker" if is_sticker else _kind(attachment).replace("/", " ")[:FILE_NAME_MAX_CHARS]


def _url(attachment: Json) -> str:
    """Where the file lies, for a while; empty where that is no address of the web."""
    url = text_in(attachment, "payload", "url") or text_in(attachment, "url") or ""
    return url if url.startswith(("https://", "http://")) else ""


def _name_in(url: str) -> str:
    """The last part of a link's path; the rest of a link is new with each delivery."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return unquote(path.rpartition("/")[2])[:FILE_NAME_MAX_CHARS]


# ------------------------------------------------------------ a text for each kind


def _described(attachment: Json) -> str | None:
    """What stands for an attachment where there are no words; None for a plain file."""
    kind = _kind(attachment)
    payload = object_in(attachment, "payload")
    words = body_in(attachment, "title") or body_in(payload, "title")
    sticker = text_in(payload, "sticker_id")
    if sticker is not None:
        return _THUMB if sticker in _THUMBS_UP else "[sticker]"
    match kind:
        case "location":
            return _of_location(words, payload)
        case "like_heart":
            return _HEART
        case "template":
            return _of_template(payload) or words or "[template]"
        case "fallback" | "link":
            link = text_in(attachment, "url") or text_in(payload, "url")
            return "\n".join(part for part in (words, link) if part) or f"[{kind}]"
        case _ if kind in _PLAIN and _is_file(attachment):
            return None
        case _:
            shown = f"[{kind.replace('_', ' ')}]"
            link = None if _is_file(attachment) else _url(attachment)
            return " ".join(part for part in (shown, words, link) if part)


def _of_location(words: str | None, payload: Json) -> str:
    place = object_in(payload, "coordinates")
    at = [text_in(place, "lat"), text_in(place, "long")]
    point = ",".join(part for part in at if part)
    return " ".join(part for part in ("📍", words, point) if part)


def _of_template(payload: Json) -> str | None:
    """The words of a template that we sent, a line each."""
    lines = [body_in(payload, "text")]
    cards = [payload, *objects_in(payload, "elements")]
    cards += objects_in(object_in(payload, "product"), "elements")
    cards += objects_in(object_in(payload, "generic"), "elements")
    for card in cards:
        lines += [body_in(card, "title"), body_in(card, "subtitle")]
    return "\n".join(line for line in lines if line) or None


# -------------------------------------------------------------- emojis of words

_EMOJIS: Final[Mapping[str, str]] = {
    "like": _THUMB,
    "dislike": "👎",
    "love": _HEART,
    "smile": "😆",
    "haha": "😆",
    "wow": "😮",
    "sad": "😢",
    "angry": "😠",
}
"""Reactions that come as a word only."""


def emoji_of(reaction: Json) -> str | None:
    """The emoji of a reaction; None where it is taken away, and a word where it has no emoji."""
    if (text_in(reaction, "action") or "react").lower() == "unreact":
        return None
    word = text_in(reaction, "reaction") or "other"
    return text_in(reaction, "emoji") or _EMOJIS.get(word.lower(), word)
