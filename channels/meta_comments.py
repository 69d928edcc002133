"""Comments of people under what we posted, on Instagram and on a Facebook page.

A person who comments on our post speaks to us, in public: it is an interaction, over the
channel of the account that was commented on. What we comment ourselves speaks to everybody and
nobody, and so do likes, shares and posts that merely name us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from channels.contract import Commands, Ignored, Outcome
from channels.lenient import Json, Unfit, body_in, object_in, text_in
from channels.meta_parts import key_or_digest, title
from channels.pieces import NAME_MAX_CHARS, TEXT_MAX_CHARS, fitting, short
from domain.commands import RecordInteraction, ReportChange
from domain.recording import interaction_stream
from domain.values import Direction, Origin

if TYPE_CHECKING:
    from channels.meta_people import Place

_WORDS: Final = ("text", "message", "review_text")
_IDS: Final = ("comment_id", "id", "post_id")
_TIMES: Final = ("created_time", "timestamp")

_COMMENTS: Final = frozenset({"", "comment"})
"""What is a comment, with words or without; Instagram does not say it."""

_SPOKEN: Final = frozenset({*_COMMENTS, "post", "status", "photo", "video", "link", "share"})
"""What a page's feed calls a thing that a person wrote; the rest are likes and the like."""

_ADDED: Final = frozenset({"", "add"})
_TAKEN_BACK: Final = frozenset({"remove", "delete"})
_EDITED: Final = frozenset({"edit", "edited", "update"})


def comment(place: Place, value: Json) -> Outcome:
    """A comment by a person, or what became of one. Raises Unfit without an id."""
    verb, item = ((text_in(value, name) or "").lower() for name in ("verb", "item"))
    author = text_in(value, "from", "id")
    is_ours = author == place.id or text_in(value, "from", "self_ig_scoped_id") is not None
    if is_ours or item not in _SPOKEN or verb not in _ADDED | _TAKEN_BACK | _EDITED:
        return Ignored("bulk")
    key = _first(value, _IDS)
    if verb in _ADDED:
        words = _words(value) or ("[comment]" if item in _COMMENTS and key else None)
        return Commands((_recorded(place, value, key, words),)) if words else Ignored("bulk")
    if key is None:
        raise Unfit("the comment has no id")
    return Commands((_change(place, value, key, verb),))


def _recorded(place: Place, value: Json, id: str | None, words: str) -> RecordInteraction:
    if not place.source:
        raise Unfit("the comment does not say which account it is about")
    written = _first(value, _TIMES)
    key, external_id = key_or_digest(id, place.source, value)
    at, time_source = place.moment(written)
    parent = text_in(value, "parent_id")
    post = text_in(value, "media", "id") or text_in(value, "post_id")
    name = text_in(value, "from", "username") or text_in(value, "from", "name")
    media = object_in(value, "media")
    return RecordInteraction(
        channel=place.channel,
        direction=Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source=place.source,
        namespace=place.source,
        key=key,
        external_id=external_id,
        resource=_author(place, value),
        destination=place.our_address,
        occurred_at=at,
        time_source=time_source,
        text=words[:TEXT_MAX_CHARS],
        contact_name=name[:NAME_MAX_CHARS] if name else None,
        department=place.arrival.department,
        campaign=title(text_in(media, "ad_title"), text_in(media, "ad_id")),
        thread=short(post),
        in_reply_to=short(parent) if parent != post else None,
        details=fitting({"type": "comment", **_shown(value)}),
        original=msgspec.json.encode(value),
    )


def _change(place: Place, value: Json, key: str, verb: str) -> ReportChange:
    if not place.source:
        raise Unfit("the comment does not say which account it is about")
    edited = verb in _EDITED
    written = _first(value, _TIMES) or place.told_at
    at, _ = place.moment(written)
    words = _words(value)
    return ReportChange(
        kind="edit" if edited else "revoke",
        about=interaction_stream(place.arrival.derive, place.source, key),
        source=place.source,
        key=f"{key}:e{place.told_at or written or ''}" if edited else f"{key}:deleted",
        address=_author(place, value),
        at=at,
        text=words[:TEXT_MAX_CHARS] if edited and words else None,
        original=msgspec.json.encode(value),
    )


def _author(place: Place, value: Json) -> str:
    """Who wrote it; those who allow no application to know them are in one bucket."""
    id_ = text_in(value, "from", "id") or text_in(value, "sender_id")
    known = place.address(id_) if id_ else None
    return known or f"anonymous:{place.source}"


def _words(value: Json) -> str | None:
    """What the comment says; a picture without words is named."""
    found = next((text for name in _WORDS if (text := body_in(value, name))), None)
    if found is None and (text_in(value, "photo") or text_in(value, "video")):
        return "[photo]" if text_in(value, "photo") else "[video]"
    return found


def _shown(value: Json) -> dict[str, object]:
    names = ("media", "post_id", "parent_id", "permalink_url", "photo", "video", "link")
    return {name: value[name] for name in names if value.get(name) not in (None, "", {}, [])}


def _first(value: Json, names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := text_in(value, name))), None)
