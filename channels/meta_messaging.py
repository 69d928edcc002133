"""From one item of Messenger's or Instagram's inbox to commands for the ledger.

An item is told apart by the name of what it holds: `message`, `reaction`, `read`, … Each
function gets the item with its place, and gives an outcome; it raises Unfit where the item
lacks what it cannot do without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from channels.contract import UNKNOWN_KIND, Commands, Ignored, Outcome, Unreadable
from channels.lenient import NOTHING, Json, body_in, object_in, text_in
from channels.meta_changes import (
    deleted,
    delivery,
    edit,
    part,
    rating,
    reaction,
    read,
    unsent,
)
from channels.meta_content import files_of, has_content, text_of
from channels.meta_parts import key_or_digest, title
from channels.meta_people import Place, ends_of, is_echo, is_to_oneself
from channels.pieces import TEXT_MAX_CHARS, fitting, short
from domain.commands import RecordInteraction
from domain.values import Auto, Direction, Origin

Reader = Callable[[Place, Json], Outcome]
"""Reads one item. Raises Unfit."""


class Told(Struct, frozen=True, kw_only=True):
    """What an item says, for an interaction."""

    mid: str | None
    text: str | None
    details: dict[str, object]
    referral: Json = NOTHING
    said: Json = NOTHING
    auto: Auto | None = None


# ------------------------------------------------------------------- interactions


def message(place: Place, item: Json) -> Outcome:
    """A message of either side; or that one was taken back."""
    said = part(item, "message")
    if not said:
        return Ignored("empty")
    if said.get("is_deleted") in (True, "true", 1):
        return deleted(place, item, said)
    if is_echo(item) and not has_content(said):
        return Ignored("own_echo_without_content")
    told = Told(
        mid=text_in(said, "mid"),
        text=text_of(said),
        details=_details_of_message(place, said),
        referral=object_in(said, "referral") or object_in(item, "referral"),
        said=said,
    )
    # An echo is told after the event: what a program of ours recorded already says more.
    return Commands((_recorded(place, item, told),), copy=is_echo(item))


def postback(place: Place, item: Json) -> Outcome:
    """A person pressed a button; its title is what they said."""
    said = part(item, "postback")
    payload = body_in(said, "payload")
    told = Told(
        mid=text_in(said, "mid"),
        text=body_in(said, "title") or payload or "[postback]",
        details={"type": "postback", **_named(payload=payload)},
        referral=object_in(said, "referral") or object_in(item, "referral"),
    )
    return Commands((_recorded(place, item, told),))


def referral(place: Place, item: Json) -> Outcome:
    """A person came by a link or an advertisement, and has said nothing yet."""
    said = part(item, "referral")
    words = text_in(said, "ref") or text_in(said, "source") or "unknown"
    told = Told(
        mid=None,
        text=f"[referral: {words}]",
        details={"type": "referral"},
        referral=said,
        auto=Auto.AUTO_REPLY,
    )
    return Commands((_recorded(place, item, told),))


def optin(place: Place, item: Json) -> Outcome:
    """A person agreed to hear from us, or took that back; they said it to us, so it is kept."""
    said = part(item, "optin")
    names = ("type", "notification_messages_status", "title", "ref")
    words = [text_in(said, name) for name in names]
    shown = " ".join(word for word in words if word)
    told = Told(
        mid=None,
        text=f"[opt-in: {shown}]" if shown else "[opt-in]",
        details={"type": "optin", **{n: w for n, w in zip(names[1:], words[1:], strict=True) if w}},
        auto=Auto.AUTO_REPLY,
    )
    return Commands((_recorded(place, item, told),))


def answers(place: Place, item: Json) -> Outcome:
    """What a person filled in within the chat: a rating, or their details."""
    name = next(name for name in ("messaging_feedback", CUSTOMER_INFORMATION) if name in item)
    said = part(item, name)
    lines = [
        f"{key}: {value}" for key, value in _pairs(said, depth=0) if key not in {"id", "screen_id"}
    ]
    told = Told(
        mid=text_in(said, "mid"),
        text="\n".join(lines)[:TEXT_MAX_CHARS] or f"[{name}]",
        details={"type": name},
    )
    return Commands((_recorded(place, item, told),))


CUSTOMER_INFORMATION: Final = "messaging_customer_information"

_DEPTH_MAX: Final = 8
"""How deep answers are looked for; a rating's stand five levels down."""


def _pairs(value: object, *, depth: int) -> list[tuple[str, str]]:
    """The answers in an object, wherever they stand: names and texts."""
    if depth > _DEPTH_MAX:
        return []
    if isinstance(value, list):
        return [pair for inner in value for pair in _pairs(inner, depth=depth + 1)]
    if not isinstance(value, dict):
        return []
    key, answer = text_in(value, "key"), body_in(value, "value")
    if key and answer:
        return [(key, answer)]
    kind, payload = text_in(value, "type"), body_in(value, "payload")
    found = [(kind, payload)] if kind and payload else []
    rest = (inner for inner in value.values() if isinstance(inner, dict | list))
    return found + [pair for inner in rest for pair in _pairs(inner, depth=depth + 1)]


def _recorded(place: Place, item: Json, told: Told) -> RecordInteraction:
    ends = ends_of(place, item)
    written = text_in(item, "timestamp")
    content = (written or place.told_at, told.text, told.details, told.referral)
    key, mid = key_or_digest(told.mid, place.source, ends.them, *content)
    at, time_source = place.moment(written)
    ours = place.our_address
    details = told.details | ({"referral": told.referral} if told.referral else {})
    return RecordInteraction(
        channel=place.channel,
        direction=Direction.OUTBOUND if ends.outbound else Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source=place.source,
        namespace=place.source,
        key=key,
        external_id=mid,
        resource=ours if ends.outbound else ends.address,
        destination=ends.address if ends.outbound else ours,
        occurred_at=at,
        time_source=time_source,
        text=told.text,
        department=place.arrival.department,
        campaign=campaign_of(told.referral),
        attachments=files_of(told.said, place.arrival.derive, place.source, key),
        in_reply_to=short(text_in(told.said, "reply_to", "mid")),
        auto=told.auto,
        details=fitting(details),
        original=msgspec.json.encode(item),
    )


def campaign_of(told: Json) -> str | None:
    """The campaign of a referral: the reference in its link, else the advertisement.

    The reference (`ref`) is what we wrote into the link for this very purpose. An advertisement
    without one is known by its title, as on WhatsApp, so that one campaign is one over both;
    else by its id.
    """
    return title(
        text_in(told, "ref"),
        text_in(told, "ads_context_data", "ad_title"),
        text_in(told, "ad_id"),
    )


def _details_of_message(place: Place, said: Json) -> dict[str, object]:
    """What people may want to see beside the text."""
    story = object_in(said, "reply_to", "story")
    shown: dict[str, object] = {
        "type": "message",
        "quick_reply": text_in(said, "quick_reply", "payload"),
        "story": story or None,
        "app_id": text_in(said, "app_id"),
        "metadata": text_in(said, "metadata"),
        "prior_message": said.get("prior_message"),
        "tags": said.get("tags"),
        "standby": place.standby or None,
    }
    return {name: inner for name, inner in shown.items() if inner is not None}


def _named(**texts: str | None) -> dict[str, object]:
    return {name: text for name, text in texts.items() if text}


# ------------------------------------------------------------------- the one table

READERS: Final[Mapping[str, Reader]] = {
    "message": message,
    "postback": postback,
    "message_edit": edit,
    "message_deleted": unsent,
    "reaction": reaction,
    "delivery": delivery,
    "read": read,
    "optin": optin,
    "messaging_feedback": answers,
    CUSTOMER_INFORMATION: answers,
    "response_feedback": rating,
    "referral": referral,
}
"""What an item holds, the first that is there; a referral may come with any of the others."""

NOT_KEPT: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "account_linking",
            "app_roles",
            "business_integrity",
            "pass_thread_control",
            "policy-enforcement",
            "policy_enforcement",
            "request_thread_control",
            "take_thread_control",
        ),
        "account_event",
    ),
    **dict.fromkeys(("game_play", "mark_seen", "sender_action", "typing"), "presence"),
}
"""What an item holds that is no interaction, and why it is ignored."""

_ENVELOPE: Final = frozenset({"sender", "recipient", "timestamp", "time", "id"})
"""Names that stand in every item: with nothing else in it, it is empty."""


def is_item(value: object) -> bool:
    """Whether an object is an item of the inbox, wherever it stands."""
    return isinstance(value, dict) and not value.keys().isdisjoint({*READERS, *NOT_KEPT, "sender"})


def read_item(place: Place, item: Json) -> Outcome:
    """What one item comes to. Raises Unfit."""
    # A key that is null is as good as one that is missing.
    name = next((name for name in READERS if item.get(name) is not None), None)
    if name is None:
        return _not_kept(item)
    if is_to_oneself(place, item):
        return Ignored("test")
    return READERS[name](place, item)


def _not_kept(item: Json) -> Outcome:
    names = {name for name, value in item.items() if value is not None}
    reason = next((reason for name, reason in NOT_KEPT.items() if name in names), None)
    if reason is None and names <= _ENVELOPE:
        reason = "empty"
    return Ignored(reason) if reason else Unreadable("the item holds something new", UNKNOWN_KIND)
