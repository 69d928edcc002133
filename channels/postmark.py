"""Postmark: inbound mail as JSON with the mail itself in it, and events of mails that we sent.

Postmark signs nothing: name and password stand in the URL that it is given. A 403 makes it give
up for ever, so a wrong password is 401, as everywhere here.

Source: Postmark, "Inbound webhook", "Bounce webhook" and its neighbours; django-anymail.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Final

from channels import basic_auth
from channels.contract import (
    UNKNOWN_KIND,
    Answer,
    Atom,
    ChannelModule,
    Ignored,
    Incoming,
    Outcome,
    Refused,
    Unreadable,
)
from channels.lenient import Json, body_in, loads, object_in, objects_in, text_in
from channels.mail import MAIL_MAX_BYTES, mail_atom
from channels.mail_arrival import MAIL_PARSED_HERE_MAX_BYTES
from channels.mail_compose import Piece, Pieces, composed, mailbox
from channels.mail_events import Told, source_of, status
from channels.mail_sides import Envelope
from channels.pieces import ANY_MEDIA
from domain.values import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Arrival, Secrets

CHANNEL: Final = "postmark"

OWN_DOMAIN: Final = "mtasv.net"
"""Behind it stands Postmark's own id in the Message-ID of every mail that it sends."""

TRIED_ID: Final = "00000000-0000-0000-0000-000000000000"
"""The id of the mail by which Postmark tries a URL."""

_STATES: Final[Mapping[str, DeliveryState]] = {
    "delivery": DeliveryState.DELIVERED,
    "hardbounce": DeliveryState.FAILED,
    "softbounce": DeliveryState.FAILED,
    "bademailaddress": DeliveryState.FAILED,
    "blocked": DeliveryState.FAILED,
    "dnserror": DeliveryState.FAILED,
    "dmarcpolicy": DeliveryState.FAILED,
    "inboundevent": DeliveryState.FAILED,
    "manuallydeactivated": DeliveryState.FAILED,
    "smtpapierror": DeliveryState.FAILED,
    "spamnotification": DeliveryState.FAILED,
    "templaterenderingfailed": DeliveryState.FAILED,
    "undeliverable": DeliveryState.FAILED,
    "unknown": DeliveryState.FAILED,
    "virusnotification": DeliveryState.FAILED,
    "transient": DeliveryState.QUEUED,
}
"""What Postmark's words mean: those of its records, and of its kinds of bounces."""

_OF_ACCOUNT: Final = frozenset({"subscriptionchange"})
_TIMES: Final = ("BouncedAt", "DeliveredAt", "ReceivedAt", "ChangedAt")


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """The one atom of a request: a mail, or an event."""
    body = incoming.body
    try:
        found = loads(body)
    except ValueError:
        return [_atom(body, Unreadable("the body is not JSON"))]
    if not isinstance(found, dict):
        return [_atom(body, Unreadable("the body is not an object"))]
    kind = text_in(found, "RecordType")
    if kind is not None and kind.lower() != "inbound":
        outcome = _event(found, kind.lower(), arrival)
        return [_atom(body, outcome, source_of(arrival))]
    if text_in(found, "MessageID") == TRIED_ID:
        return [_atom(body, Ignored("test"))]
    if not {"RawEmail", "FromFull", "From", "TextBody", "HtmlBody"} & found.keys():
        empty = Ignored("empty") if not found else Unreadable("it is no mail", UNKNOWN_KIND)
        return [_atom(body, empty)]
    raw = _raw_mail(found)
    recipient = text_in(found, "OriginalRecipient")
    envelope = Envelope(recipients=(recipient,) if recipient else ())
    return [mail_atom(raw, envelope, arrival, lambda: body)]


def _atom(body: bytes, outcome: Outcome, source: str = "") -> Atom:
    return Atom(number=0, source=source, outcome=outcome, raw=lambda: body)


def _raw_mail(found: Json) -> bytes:
    """The mail as it was; made of its pieces where Postmark is not set to send it."""
    raw = found.get("RawEmail")
    if isinstance(raw, str) and raw.strip():
        return raw.encode("utf-8", "replace")
    given = [
        (name, text_in(field, "Value") or "")
        for field in objects_in(found, "Headers")
        if (name := text_in(field, "Name")) is not None
    ]
    known = {name.lower() for name, _ in given}
    ours = [
        ("From", _people(found, "FromFull") or text_in(found, "From")),
        ("To", _people(found, "ToFull") or text_in(found, "To")),
        ("Cc", _people(found, "CcFull") or text_in(found, "Cc")),
        ("Reply-To", text_in(found, "ReplyTo")),
        ("Subject", text_in(found, "Subject")),
        ("Date", text_in(found, "Date")),
        ("Message-ID", _message_id(found)),
    ]
    headers = [(name, value) for name, value in ours if value and name.lower() not in known]
    return composed(
        Pieces(
            headers=[*given, *headers],
            text=body_in(found, "TextBody"),
            html=body_in(found, "HtmlBody"),
            files=[_file(item) for item in objects_in(found, "Attachments")],
        )
    )


def _people(found: Json, name: str) -> str:
    return ", ".join(
        mailbox(address, text_in(one, "Name"))
        for one in objects_in(found, name)
        if (address := text_in(one, "Email")) is not None
    )


def _message_id(found: Json) -> str | None:
    own = text_in(found, "MessageID")
    return f"<{own}@inbound.postmarkapp.com>" if own else None


def _file(item: Json) -> Piece:
    encoded = text_in(item, "Content") or text_in(item, "Data") or ""
    try:
        content = b64decode(encoded)
    except Base64Error:
        content = encoded.encode("utf-8", "replace")
    return Piece(
        text_in(item, "Name") or "file", text_in(item, "ContentType") or ANY_MEDIA, content
    )


def _event(found: Json, kind: str, arrival: Arrival) -> Outcome:
    if kind in _OF_ACCOUNT:
        return Ignored("account_event")
    own = text_in(found, "MessageID")
    word = (text_in(found, "Type") or kind).lower() if kind == "bounce" else kind
    told = Told(
        word=word,
        state=_STATES.get(word),
        message_id=f"<{own}@{OWN_DOMAIN}>" if own else None,
        recipient=text_in(found, "Email") or text_in(found, "Recipient"),
        at=next((at for name in _TIMES if (at := text_in(found, name))), None),
        key=text_in(found, "ID"),
        code=text_in(found, "TypeCode"),
        message=text_in(found, "Details") or text_in(found, "Description"),
    )
    return status(told, object_in({"it": found}, "it"), arrival)


def handshake(_incoming: Incoming, _secrets: Secrets) -> Answer | Refused:
    """Postmark asks for none."""
    return Refused()


POSTMARK: Final = ChannelModule(
    channel=CHANNEL,
    title="Postmark",
    secrets=basic_auth.SECRETS,
    optional_options=("addresses", "bulk"),
    body_max_bytes=MAIL_MAX_BYTES,
    parsed_here_max_bytes=MAIL_PARSED_HERE_MAX_BYTES,
    signs_body=False,
    handshake=handshake,
    verify=basic_auth.verify,
    parse=parse,
    sign=basic_auth.sign,
)
