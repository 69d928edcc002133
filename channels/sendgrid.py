"""SendGrid: inbound parse, best with the mail itself, and events of mails that we sent.

A security policy signs time and body with a key whose public half we have; without one, name and
password stand in the URL. Either lets a request in.

Source: SendGrid, "Inbound Parse: security policies", "Event webhook security"; django-anymail.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

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
    Rejected,
    Unreadable,
    Verified,
)
from channels.lenient import Json, items_in, loads, text_in
from channels.mail import MAIL_MAX_BYTES, mail_atom
from channels.mail_arrival import MAIL_PARSED_HERE_MAX_BYTES
from channels.mail_compose import Piece, Pieces, composed
from channels.mail_events import Told, source_of, status
from channels.mail_mime import fields_of
from channels.mail_sides import Envelope
from channels.mail_words import bare_text
from channels.pieces import ANY_MEDIA
from channels.web_forms import Form, form_of
from domain.values import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channels.contract import Arrival, Secrets

CHANNEL: Final = "sendgrid"

SIGNATURE_HEADER: Final = "x-twilio-email-event-webhook-signature"
TIMESTAMP_HEADER: Final = "x-twilio-email-event-webhook-timestamp"

_STATES: Final[Mapping[str, DeliveryState]] = {
    "processed": DeliveryState.QUEUED,
    "deferred": DeliveryState.QUEUED,
    "delivered": DeliveryState.DELIVERED,
    "bounce": DeliveryState.FAILED,
    "blocked": DeliveryState.FAILED,
    "dropped": DeliveryState.FAILED,
}
_OF_ACCOUNT: Final = frozenset({"unsubscribe", "group_unsubscribe", "group_resubscribe"})


# -------------------------------------------------------------------- who sent it


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """ECDSA P-256 over time and body where there is a signature, else name and password."""
    shown = incoming.headers.get(SIGNATURE_HEADER, "").strip()
    if not shown:
        return basic_auth.verify(incoming, secrets)
    try:
        signature = b64decode(shown.encode("ascii"), validate=True)
    except (Base64Error, UnicodeEncodeError):
        return Rejected("bad_signature")
    timestamp = incoming.headers.get(TIMESTAMP_HEADER, "").encode("utf-8", "surrogatepass")
    signed = timestamp + incoming.body
    known = (_is_signed(key, signature, signed) for key in secrets.get("public_key", ()))
    return Verified() if any(known) else Rejected("bad_signature")


def sign(body: bytes, secrets: Secrets) -> dict[str, str]:
    """The header of name and password; nothing where only a public key is known."""
    if not secrets.get("username") or not secrets.get("password"):
        return {}
    return basic_auth.sign(body, secrets)


def _is_signed(written: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether a signature over these bytes is of this key, as SendGrid shows it or as PEM."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - slow to read
        load_der_public_key,
        load_pem_public_key,
    )

    try:
        if b"-----BEGIN" in written:
            key = load_pem_public_key(written)
        else:
            key = load_der_public_key(b64decode(b"".join(written.split()), validate=True))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(signature, signed, ec.ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


# --------------------------------------------------------------------- what it says


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """The atoms of a request: one mail, or a list of events."""
    body = incoming.body
    if body.lstrip()[:1] in (b"[", b"{"):
        return _events(body, arrival)
    form = form_of(incoming)
    raw = _raw_mail(form)
    if raw is None:
        outcome = Ignored("empty") if not form.fields else _UNKNOWN
        return [Atom(number=0, source="", outcome=outcome, raw=lambda: body)]
    return [mail_atom(raw, _envelope(form), arrival, lambda: body)]


_UNKNOWN: Final = Unreadable("it is neither a mail nor an event", UNKNOWN_KIND)


def _envelope(form: Form) -> Envelope:
    try:
        found = loads(form.raw("envelope") or b"{}")
    except ValueError:
        return Envelope()
    to = (text for text in items_in(found, "to") if isinstance(text, str))
    return Envelope(sender=text_in(found, "from"), recipients=tuple(to))


def _raw_mail(form: Form) -> bytes | None:
    """The mail as it was (`send_raw`); else made of the fields that SendGrid read out of it."""
    raw = form.raw("email")
    if raw is not None and raw.strip():
        return raw
    if not any(form.raw(name) for name in ("headers", "from", "text", "html")):
        return None
    charsets = _charsets(form)
    headers = [(name, bare_text(value)) for name, value in fields_of(form.raw("headers") or b"")]
    known = {name for name, _ in headers}
    headers += [
        (name, value.strip())
        for name in ("from", "to", "cc", "subject")
        if name not in known and (value := form.text(name, charsets.get(name)))
    ]
    files = [
        Piece(one.file_name or "file", one.media_type or ANY_MEDIA, one.value) for one in form.files
    ]
    return composed(
        Pieces(
            headers=headers,
            text=form.text("text", charsets.get("text")),
            html=form.text("html", charsets.get("html")),
            files=files,
        )
    )


def _charsets(form: Form) -> dict[str, str]:
    """The charset of each field, as SendGrid says."""
    try:
        found = loads(form.raw("charsets") or b"{}")
    except ValueError:
        return {}
    named = found.items() if isinstance(found, dict) else ()
    return {name: charset for name, charset in named if isinstance(charset, str)}


def _events(body: bytes, arrival: Arrival) -> list[Atom]:
    try:
        found = loads(body)
    except ValueError:
        return [_atom(0, body, Unreadable("the body is not JSON"), arrival)]
    items = found if isinstance(found, list) else [found]
    if not items:
        return [_atom(0, body, Ignored("empty"), arrival)]
    return [
        _atom(number, msgspec.json.encode([item]), _event(item, arrival), arrival)
        for number, item in enumerate(items)
    ]


def _atom(number: int, raw: bytes, outcome: Outcome, arrival: Arrival) -> Atom:
    return Atom(number=number, source=source_of(arrival), outcome=outcome, raw=lambda: raw)


def _event(item: object, arrival: Arrival) -> Outcome:
    if not isinstance(item, dict):
        return Unreadable("an event is not an object")
    told: Json = item
    word = (text_in(told, "event") or "").lower()
    if not word:
        return _UNKNOWN
    if word in _OF_ACCOUNT:
        return Ignored("account_event")
    return status(
        Told(
            word=word,
            state=_STATES.get(word),
            message_id=text_in(told, "smtp-id"),
            recipient=text_in(told, "email"),
            at=text_in(told, "timestamp"),
            key=text_in(told, "sg_event_id"),
            code=text_in(told, "status"),
            message=text_in(told, "reason") or text_in(told, "response"),
        ),
        told,
        arrival,
    )


def handshake(_incoming: Incoming, _secrets: Secrets) -> Answer | Refused:
    """SendGrid asks for none."""
    return Refused()


SENDGRID: Final = ChannelModule(
    channel=CHANNEL,
    title="SendGrid",
    secrets=(),
    optional_secrets=("public_key", *basic_auth.SECRETS),
    secret_choices=(("public_key",), basic_auth.SECRETS),
    optional_options=("addresses", "bulk"),
    body_max_bytes=MAIL_MAX_BYTES,
    parsed_here_max_bytes=MAIL_PARSED_HERE_MAX_BYTES,
    signs_body=False,
    handshake=handshake,
    verify=verify,
    parse=parse,
    sign=sign,
)
