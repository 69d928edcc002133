"""Mailgun: inbound mail over routes, and events of mails that we sent.

The signature is over a time and a token, and not over the body: so a time that is more than five
minutes off is refused, and a token is good for one body alone. A 406 makes Mailgun give up for
ever; it is never answered here.

Source: Mailgun, "Securing webhooks", "Receiving messages via HTTP", "Events"; django-anymail.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

import msgspec

from channels.contract import (
    UNKNOWN_KIND,
    Answer,
    Atom,
    ChannelModule,
    Ignored,
    Incoming,
    Outcome,
    Refused,
    Rejected,
    Unreadable,
    Verified,
)
from channels.lenient import Json, items_in, loads, object_in, text_in
from channels.mail import MAIL_MAX_BYTES, mail_atom
from channels.mail_arrival import MAIL_PARSED_HERE_MAX_BYTES
from channels.mail_compose import Piece, Pieces, composed
from channels.mail_events import Told, source_of, status
from channels.mail_sides import Envelope
from channels.pieces import ANY_MEDIA
from channels.web_forms import Form, form_of, media_type_of
from domain.values import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Arrival, Secrets

CHANNEL: Final = "mailgun"

CLOCK_MAX_S: Final = 5 * 60
"""How far a signature's time may be from ours: what Mailgun advises."""

TOKEN_MAX_CHARS: Final = 200
"""Length of a token; Mailgun's have 50."""

HEADERS: Final = ("x-mailgun-timestamp", "x-mailgun-token", "x-mailgun-signature")
"""The same three as headers: how a connection is tried, since its own fields are in the body."""

_FIELDS: Final = ("timestamp", "token", "signature")
_STATES: Final[Mapping[str, DeliveryState]] = {
    "accepted": DeliveryState.QUEUED,
    "delivered": DeliveryState.DELIVERED,
    "rejected": DeliveryState.FAILED,
    "failed": DeliveryState.FAILED,
    "bounced": DeliveryState.FAILED,
    "dropped": DeliveryState.FAILED,
}
_OF_ACCOUNT: Final = frozenset({"unsubscribed", "stored", "list_member_uploaded"})


# -------------------------------------------------------------------- who sent it


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """HMAC-SHA256 under the signing key over time and token; the token goes with the body."""
    body = _read(incoming)
    timestamp, token, shown = _shown(incoming, body)
    if not shown:
        return Rejected("no_signature")
    given = shown.lower().encode("utf-8", "surrogatepass")
    # All keys are tried, so that the time tells nobody which one it was.
    known = [
        hmac.compare_digest(given, _signature(key, timestamp, token))
        for key in secrets.get("signing_key", ())
        if key
    ]
    if not any(known) or not _is_now(timestamp, incoming.received_at):
        return Rejected("bad_signature")
    return Verified(token=token, says=hashlib.sha256(_content(body)).digest())


def sign(_body: bytes, secrets: Secrets) -> dict[str, str]:
    """The fields that Mailgun would send, as headers; the time is that of no clock."""
    token = "0" * 50
    signature = _signature(secrets["signing_key"][0], "0", token).decode()
    return dict(zip(HEADERS, ("0", token, signature), strict=True))


def _read(incoming: Incoming) -> Form | Json:
    """The body, as the form or the object that it is."""
    return _json(incoming) if _is_json(incoming) else form_of(incoming)


def _shown(incoming: Incoming, body: Form | Json) -> tuple[str, str, str]:
    """Time, token and signature: in the body, or in the headers of a try."""
    if HEADERS[2] in incoming.headers:
        found = [incoming.headers.get(name, "") for name in HEADERS]
    elif isinstance(body, Form):
        found = [body.text(name) or "" for name in _FIELDS]
    else:
        signed = object_in(body, "signature")
        found = [text_in(signed, name) or "" for name in _FIELDS]
    return found[0].strip(), found[1].strip()[:TOKEN_MAX_CHARS], found[2].strip()


def _is_now(timestamp: str, received_at: int) -> bool:
    """Whether a signature's time (s) is that of its arrival (µs)."""
    if not timestamp.isascii() or not timestamp.isdigit():
        return False
    return abs(int(timestamp[:20]) - received_at // 1_000_000) <= CLOCK_MAX_S


def _signature(key: bytes, timestamp: str, token: str) -> bytes:
    signed = f"{timestamp}{token}".encode("utf-8", "surrogatepass")
    return hmac.new(key, signed, hashlib.sha256).hexdigest().encode()


def _content(body: Form | Json) -> bytes:
    """What a token is used for; a delivery that is tried again may be wrapped anew."""
    if not isinstance(body, Form):
        return msgspec.json.encode(object_in(body, "event-data"), order="deterministic")
    unsigned = (one for one in body.fields if one.name not in _FIELDS)
    return b"\0".join(one.name.encode("utf-8", "replace") + b"\0" + one.value for one in unsigned)


def _is_json(incoming: Incoming) -> bool:
    return media_type_of(incoming) == "application/json" or incoming.body[:1] == b"{"


def _json(incoming: Incoming) -> Json:
    try:
        found = loads(incoming.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# --------------------------------------------------------------------- what it says


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """The one atom of a request: a mail, or an event."""
    body = incoming.body

    def atom(outcome: Outcome) -> Atom:
        source = source_of(arrival)
        return Atom(number=0, source=source, outcome=outcome, raw=lambda: body)

    if _is_json(incoming):
        found = _json(incoming)
        if not found:
            return [atom(Unreadable("the body is not an object of JSON"))]
        told = object_in(found, "event-data") or found
        return [atom(_event(told, arrival))]
    form = form_of(incoming)
    if form.raw("event") is not None:
        return [atom(_event(_legacy(form), arrival))]
    raw = _raw_mail(form)
    if raw is None:
        return [atom(Ignored("empty") if not form.fields else _UNKNOWN)]
    recipient, sender = form.text("recipient"), form.text("sender")
    envelope = Envelope(
        sender=sender.strip() if sender else None,
        recipients=tuple(one.strip() for one in (recipient or "").split(",") if one.strip()),
    )
    return [mail_atom(raw, envelope, arrival, lambda: body)]


_UNKNOWN: Final = Unreadable("it is neither a mail nor an event", UNKNOWN_KIND)


def _raw_mail(form: Form) -> bytes | None:
    """The mail as it was; made of its pieces where the route does not ask for it."""
    raw = form.raw("body-mime")
    if raw is not None and raw.strip():
        return raw
    if not any(form.raw(name) for name in ("body-plain", "body-html", "message-headers", "from")):
        return None
    headers = _headers(form)
    known = {name.lower() for name, _ in headers}
    headers += [
        (name, value.strip())
        for name, field in (
            ("From", "from"),
            ("Subject", "subject"),
            ("Date", "Date"),
            ("To", "To"),
            ("Message-Id", "Message-Id"),
        )
        if name.lower() not in known and (value := form.text(field))
    ]
    if not {name.lower() for name, _ in headers} & {"from", "sender"} and (
        sender := form.text("sender")
    ):
        headers.append(("From", sender.strip()))
    files = [
        Piece(one.file_name or "file", one.media_type or ANY_MEDIA, one.value) for one in form.files
    ]
    return composed(
        Pieces(
            headers=headers,
            text=form.text("body-plain"),
            html=form.text("body-html"),
            files=[*files, *_stored_files(form)],
        )
    )


def _headers(form: Form) -> list[tuple[str, str]]:
    """The mail's own headers, which come as JSON: a list of pairs."""
    try:
        found = loads(form.raw("message-headers") or b"[]")
    except ValueError:
        return []
    pairs = (one for one in items_in({"it": found}, "it") if isinstance(one, list))
    return [
        (pair[0], pair[1])
        for pair in pairs
        if len(pair) == len(("name", "value")) and all(isinstance(text, str) for text in pair)
    ]


def _stored_files(form: Form) -> list[Piece]:
    """Files that Mailgun kept: their names and types; it has their bytes for three days."""
    try:
        found = loads(form.raw("attachments") or b"[]")
    except ValueError:
        return []
    listed = items_in({"it": found}, "it")
    return [
        Piece(text_in(one, "name") or "file", text_in(one, "content-type") or ANY_MEDIA, None)
        for one in listed
        if isinstance(one, dict)
    ]


def _legacy(form: Form) -> Json:
    """An event in the form of former years, in the words of today's."""
    text = {one.name: (form.text(one.name) or "").strip() for one in form.fields}
    said = text.get("description") or text.get("error") or text.get("notification") or ""
    return {
        "event": text.get("event", ""),
        "timestamp": text.get("timestamp", ""),
        "id": text.get("token", ""),
        "recipient": text.get("recipient", ""),
        "message": {"headers": {"message-id": text.get("Message-Id") or text.get("message-id")}},
        "delivery-status": {"code": text.get("code", ""), "message": said},
    }


def _event(told: Json, arrival: Arrival) -> Outcome:
    word = (text_in(told, "event") or "").lower()
    if not word:
        return _UNKNOWN
    if word in _OF_ACCOUNT:
        return Ignored("account_event")
    how = object_in(told, "delivery-status")
    state = _STATES.get(word)
    if state is DeliveryState.FAILED and text_in(told, "severity") == "temporary":
        state = DeliveryState.QUEUED
    return status(
        Told(
            word=word,
            state=state,
            message_id=text_in(told, "message", "headers", "message-id")
            or text_in(told, "Message-Id"),
            recipient=text_in(told, "recipient"),
            at=text_in(told, "timestamp"),
            key=text_in(told, "id"),
            code=text_in(how, "enhanced-code") or text_in(how, "code") or text_in(told, "code"),
            message=text_in(how, "message")
            or text_in(how, "description")
            or text_in(told, "reject", "reason")
            or text_in(told, "description"),
        ),
        told,
        arrival,
    )


def handshake(_incoming: Incoming, _secrets: Secrets) -> Answer | Refused:
    """Mailgun asks for none."""
    return Refused()


MAILGUN: Final = ChannelModule(
    channel=CHANNEL,
    title="Mailgun",
    secrets=("signing_key",),
    optional_options=("addresses", "bulk"),
    body_max_bytes=MAIL_MAX_BYTES,
    parsed_here_max_bytes=MAIL_PARSED_HERE_MAX_BYTES,
    signs_body=False,
    handshake=handshake,
    verify=verify,
    parse=parse,
    sign=sign,
)
