"""From one request of Twilio's about a message to commands: SMS, MMS, WhatsApp, and their statuses.

Twilio gives a message no time: it happened when it arrived. A status names its message whether
that was seen or not.

Source: Twilio, "Twilio's request to your incoming message webhook URL", "Track outbound message
status", and real requests.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from channels.contract import Commands, Outcome
from channels.lenient import Unfit, body_in, loads
from channels.pieces import (
    ANY_MEDIA,
    FILES_MAX,
    ID_MAX_CHARS,
    TEXT_MAX_CHARS,
    file_name,
    fitting,
    one_line,
    short,
)
from channels.twilio_ends import End, Params, Place, Side, aliases_of, end_of
from domain.commands import RecordInteraction, ReportChange, ReportDelivery
from domain.events import Attachment
from domain.recording import interaction_stream
from domain.values import Channel, DeliveryState, Direction, Origin, TimeSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.commands import Alias

MESSAGE_IDS: Final = ("MessageSid", "SmsMessageSid", "SmsSid")
"""What names a message; the later ones are Twilio's former words, and other providers'."""

INBOUND_WORDS: Final = frozenset({"received", "receiving"})

STATES: Final = {
    "accepted": DeliveryState.QUEUED,
    "scheduled": DeliveryState.QUEUED,
    "sending": DeliveryState.QUEUED,
    "partially_delivered": DeliveryState.DELIVERED,
    "undelivered": DeliveryState.FAILED,
    "canceled": DeliveryState.FAILED,
}
"""What Twilio's words mean that are none of ours; every word is kept as it is."""

_MEDIA_URL: Final = re.compile(r"MediaUrl([0-9]*)")
_NO_ERROR: Final = frozenset({"", "0"})


class Exchange(Struct, frozen=True):
    """A message's two ends: who is outside, who is ours, and which way it went."""

    them: End
    ours: str
    outbound: bool


def message_id(params: Params) -> str | None:
    """What Twilio calls the message. Raises Unfit for an id that is too long."""
    found = next((params[name].strip() for name in MESSAGE_IDS if params.get(name)), "")
    if len(found) > ID_MAX_CHARS:
        raise Unfit("the message's id is too long")
    return found or None


def message(params: Params, place: Place) -> Outcome:
    """A message, a status, or both in one. Raises Unfit without anybody at the other end."""
    word = (params.get("MessageStatus") or params.get("SmsStatus") or "").strip().lower()
    is_status = bool(word) and word not in INBOUND_WORDS
    if not is_status:
        about = params.get("OriginalRepliedMessageSid")
        if params.get("MessageType", "").lower() == "reaction" and about:
            return Commands((_reaction(params, place, about.strip()),))
        return Commands((recorded(params, place, outbound=False),))
    sid = message_id(params)
    if sid is None:
        raise Unfit("the status names no message")
    report = _status(params, place, sid, word)
    if not _has_content(params):
        return Commands((report,))
    return Commands((recorded(params, place, outbound=True), report))


def recorded(params: Params, place: Place, *, outbound: bool) -> RecordInteraction:
    """A message as an interaction. Raises Unfit without anybody at the other end."""
    ends = exchange_of(params, place, outbound=outbound)
    sid = message_id(params)
    key = sid or f"sha256:{hashlib.sha256(_plain(params)).hexdigest()}"
    referral = _prefixed(params, "Referral")
    return RecordInteraction(
        channel=place.channel,
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source=place.source,
        namespace=place.source,
        key=key,
        external_id=sid,
        resource=ends.ours if outbound else ends.them.address,
        destination=ends.them.address if outbound else ends.ours,
        occurred_at=place.arrival.received_at,
        time_source=TimeSource.RECEIVED,
        text=text_of(params, place),
        contact_name=None if outbound else one_line(params.get("ProfileName")),
        department=place.arrival.department,
        campaign=one_line(referral.get("Headline") or referral.get("SourceId")),
        aliases=aliases_of(params, ends.them, place),
        attachments=attachments_of(params, place, key),
        in_reply_to=short(params.get("OriginalRepliedMessageSid", "").strip()),
        details=_details(params, referral),
        original=_plain(params),
    )


def exchange_of(params: Params, place: Place, *, outbound: bool) -> Exchange:
    """The two ends of a message. Raises Unfit without anybody at the other end."""
    them = end_of(params, "To" if outbound else "From", place)
    ours = end_of(params, "From" if outbound else "To", place)
    if them is None and not outbound:
        them = _by_id_alone(params, place)
    if them is None or them.side is Side.OURS:
        raise Unfit("nobody is at the other end")
    # Sent by a messaging service, whose number is not known yet, or told without our side.
    service = params.get("MessagingServiceSid", "").strip() or place.account
    stand_in = f"sender:{place.source}/{service}"
    known = ours is not None and ours.side is not Side.HIDDEN
    return Exchange(them, ours.address if ours and known else stand_in, outbound)


def _by_id_alone(params: Params, place: Place) -> End | None:
    """Somebody of whom only the ids came."""
    found: tuple[Alias, ...] = aliases_of(params, End(""), place)
    return End(found[-1].address) if found else None


# ------------------------------------------------------------------------ content


def text_of(params: Params, place: Place) -> str | None:
    """What a person reads: the words; else the button, the place, the card; else nothing."""
    body = params.get("Body", "")
    if body.strip():
        return body[:TEXT_MAX_CHARS]
    if place.channel is not Channel.WHATSAPP:
        return None
    button = params.get("ButtonText") or params.get("ListTitle") or params.get("ButtonPayload")
    known = short(button, TEXT_MAX_CHARS) or _located(params) or _filled_in(params)
    return known or _kind_alone(params)


def _located(params: Params) -> str | None:
    point = [params.get(name, "").strip() for name in ("Latitude", "Longitude")]
    if not all(point):
        return None
    named = [params.get(name, "").strip() for name in ("Label", "Address")]
    words = ", ".join(word for word in named if word)
    return " ".join(part for part in ("📍", words, ",".join(point)) if part)[:TEXT_MAX_CHARS]


def _filled_in(params: Params) -> str | None:
    """What somebody filled in within a chat, a line each; a form's token is for machines."""
    written = params.get("FlowData") or params.get("InteractiveData") or ""
    try:
        found = loads(written.encode("utf-8", "replace"))
    except ValueError:
        return None
    return "\n".join(_answers(found))[:TEXT_MAX_CHARS] or None


def _answers(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _answers(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            answer = body_in(value, name)
            if answer is not None and name != "flow_token":
                yield f"{name}: {answer}"
            else:
                yield from _answers(inner)


def _kind_alone(params: Params) -> str | None:
    """The name of a kind without words or files, such as `[unsupported]`."""
    kind = params.get("MessageType", "").strip().lower()
    plain = kind in {"", "text"} or _has_media(params)
    return None if plain else f"[{kind}]"[:TEXT_MAX_CHARS]


def attachments_of(params: Params, place: Place, key: str) -> tuple[Attachment, ...]:
    """The files, in their order; the hash of none is told."""
    found = []
    for number, suffix in enumerate(_media(params)[:FILES_MAX]):
        url = params[f"MediaUrl{suffix}"].strip()
        media_type = params.get(f"MediaContentType{suffix}", "").strip() or None
        found.append(
            Attachment(
                id=place.arrival.derive.id("attachment", place.source, key, str(number)),
                name=file_name(None, _word(media_type), media_type),
                media_type=media_type or ANY_MEDIA,
                url=url if url.startswith(("https://", "http://")) else None,
                provider_id=short(url.partition("?")[0].rstrip("/").rpartition("/")[2]),
            )
        )
    return tuple(found)


def _media(params: Params) -> list[str]:
    """The numbers of the files, as they stand behind `MediaUrl`; whatever NumMedia says."""
    numbers = [m[1] for name in params if params[name] and (m := _MEDIA_URL.fullmatch(name))]
    return sorted(numbers, key=lambda number: (len(number), number))


def _word(media_type: str | None) -> str:
    kind = (media_type or "").partition("/")[0].strip().lower()
    if "vcard" in (media_type or "").lower():
        return "contact"
    return kind if kind in {"image", "audio", "video"} else "document"


def _has_media(params: Params) -> bool:
    return bool(_media(params))


def _has_content(params: Params) -> bool:
    return bool(params.get("Body", "").strip()) or _has_media(params)


def _details(params: Params, referral: dict[str, str]) -> bytes | None:
    """What people may want to see beside the text; the referral first, for it comes only once."""
    found: dict[str, object] = {}
    if referral:
        found["referral"] = referral
    for name, shown in _SHOWN.items():
        value = params.get(name, "").strip()
        if value and value.lower() != "false":
            found[shown] = value
    places = {
        side.lower(): place
        for side in ("From", "To")
        if (place := {n.lower(): v for n in _GEO if (v := params.get(side + n, "").strip())})
    }
    if places:
        found["places"] = places
    return fitting(found) if found else None


_GEO: Final = ("City", "State", "Zip", "Country")

_SHOWN: Final = {
    "MessageType": "type",
    "OptOutType": "opt_out",
    "ButtonPayload": "button_payload",
    "ButtonText": "button_text",
    "ButtonType": "button_type",
    "ListId": "list_id",
    "ListDescription": "list_description",
    "Forwarded": "forwarded",
    "FrequentlyForwarded": "frequently_forwarded",
    "OriginalRepliedMessageSender": "answers",
    "InteractiveData": "interactive_data",
    "FlowData": "flow_data",
    "ProfileUsername": "username",
    "ParentExternalUserId": "parent_user_id",
    "MessagingServiceSid": "messaging_service",
    "NumSegments": "segments",
}
"""Parameters that are shown, and as what."""


def _prefixed(params: Params, prefix: str) -> dict[str, str]:
    """Parameters with a prefix, without it: ReferralHeadline is the referral's Headline."""
    return {
        name.removeprefix(prefix): value
        for name, value in params.items()
        if name.startswith(prefix) and name != prefix and value
    }


# ----------------------------------------------------------------- what becomes of it


def _status(params: Params, place: Place, sid: str, word: str) -> ReportDelivery:
    """How far one of our messages came; the word alone makes it unique, for no time is told."""
    to = end_of(params, "To", place)
    code = params.get("ErrorCode", "").strip()
    words = [params.get(name, "").strip() for name in ("ErrorMessage", "ChannelStatusMessage")]
    return ReportDelivery(
        about=interaction_stream(place.arrival.derive, place.source, sid),
        source=place.source,
        word=word,
        state=STATES.get(word),
        at=place.arrival.received_at,
        key=word,
        recipient=to.address if to else None,
        code=None if code in _NO_ERROR else code,
        message=next((one for one in words if one), None),
        original=_plain(params),
    )


def _reaction(params: Params, place: Place, about: str) -> ReportChange:
    """A reaction to a message; without an emoji it is taken away."""
    ends = exchange_of(params, place, outbound=False)
    sid = message_id(params) or f"sha256:{hashlib.sha256(_plain(params)).hexdigest()}"
    return ReportChange(
        kind="reaction",
        about=interaction_stream(place.arrival.derive, place.source, about),
        source=place.source,
        key=sid,
        address=ends.them.address,
        at=place.arrival.received_at,
        emoji=params.get("Body", "").strip() or None,
        original=_plain(params),
    )


def _plain(params: Params) -> bytes:
    return msgspec.json.encode(dict(params), order="deterministic")
