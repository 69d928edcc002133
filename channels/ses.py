"""Amazon SES by SNS: mail that it received for us, and what became of mail that it sent.

A receipt rule with the action SNS sends the mail itself, up to 150 KB; one with the action S3
sends a note that it lies there, which waits in quarantine, since Hilo fetches nothing from there.

Sources: Amazon SES, "Contents of notifications for email receiving", "… sent through Amazon SES",
"Examples of event data".
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from msgspec import structs

from channels import sns
from channels.contract import (
    UNKNOWN_KIND,
    Answer,
    Atom,
    ChannelModule,
    Commands,
    Ignored,
    Incoming,
    Outcome,
    Refused,
    Secrets,
    Unreadable,
)
from channels.lenient import Json, loads, object_in, objects_in, text_in
from channels.mail import MAIL_MAX_BYTES, mail_atom
from channels.mail_arrival import MAIL_PARSED_HERE_MAX_BYTES
from channels.mail_events import Told, source_of, status
from channels.mail_sides import Envelope
from domain.ports import MAX_UNIT_EVENTS
from domain.values import DeliveryState

if TYPE_CHECKING:
    from channels.contract import Arrival

OWN_DOMAINS: Final = {"us-east-1": "email.amazonses.com"}
"""Behind which SES's own id stands in the Message-ID of every mail that it sends, by region."""

RECIPIENTS_MAX: Final = 100
"""Recipients of a delivery that are read; SES takes 50 a mail."""

_STATES: Final[Mapping[str, tuple[str, DeliveryState | None]]] = {
    "bounce": ("bounced", DeliveryState.FAILED),
    "complaint": ("complained", None),
    "delivery": ("delivered", DeliveryState.DELIVERED),
    "deliverydelay": ("delayed", DeliveryState.QUEUED),
    "send": ("sent", DeliveryState.SENT),
    "reject": ("rejected", DeliveryState.FAILED),
    "rendering failure": ("failed", DeliveryState.FAILED),
    "open": ("opened", None),
    "click": ("clicked", None),
}
"""SES's kinds of events: our word for each, and what it means."""

_ABOUT: Final[Mapping[str, str]] = {
    "deliverydelay": "deliveryDelay",
    "rendering failure": "failure",
}
_PEOPLE: Final = ("bouncedRecipients", "complainedRecipients", "delayedRecipients")
_ARN: Final = re.compile(r"arn:[a-z-]{1,20}:(?:sns|ses):([a-z0-9-]{2,40}):")
_TOPIC: Final = re.compile(r"arn:[a-z-]{1,20}:sns:[a-z0-9-]{2,40}:\d{12}:[A-Za-z0-9_.-]{1,256}")


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """The one atom of a request: a mail, an event, or a word about the subscription."""
    body = incoming.body
    message = _object(body)
    kind = text_in(message, "Type")

    def atom(outcome: Outcome) -> Atom:
        return Atom(number=0, source=source_of(arrival), outcome=outcome, raw=lambda: body)

    if not message:
        return [atom(Unreadable("the body is not an object of JSON"))]
    if kind in sns.CONFIRMATIONS:
        return [atom(Ignored("account_event"))]
    told = _told(message)
    if told is None:
        is_tried = kind == sns.NOTIFICATION and "Successfully validated" in str(message["Message"])
        return [atom(Ignored("test") if is_tried else Unreadable("it tells nothing of a mail"))]
    word = (text_in(told, "notificationType") or text_in(told, "eventType") or "").lower()
    if word == "received":
        return [_received(told, arrival, body) or atom(_elsewhere(told))]
    if word == "subscription":
        return [atom(Ignored("account_event"))]
    if word == "amazonsnssubscriptionsucceeded":
        return [atom(Ignored("test"))]
    if word not in _STATES:
        return [atom(Unreadable("it is an event of an unknown kind", UNKNOWN_KIND))]
    return [atom(_event(told, word, arrival))]


def _told(message: Json) -> Json | None:
    """What SES tells: inside a message of SNS, or by itself; None where it is no object."""
    if "Message" not in message:
        return message
    return _object(str(message["Message"]).encode("utf-8", "surrogatepass")) or None


def _object(raw: bytes) -> Json:
    try:
        found = loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _received(told: Json, arrival: Arrival, body: bytes) -> Atom | None:
    """A mail that came with its note; None where it lies elsewhere."""
    content = told.get("content")
    if not isinstance(content, str) or not content:
        return None
    receipt, mail = object_in(told, "receipt"), object_in(told, "mail")
    raw = content.encode("utf-8", "replace")
    if (text_in(object_in(receipt, "action"), "encoding") or "").lower() == "base64":
        with suppress(Base64Error, ValueError):  # else it is read as it stands
            raw = b64decode(content)
    recipients = receipt.get("recipients")
    named = recipients if isinstance(recipients, list) else []
    envelope = Envelope(
        sender=text_in(mail, "source"),
        recipients=tuple(one for one in named[:RECIPIENTS_MAX] if isinstance(one, str)),
    )
    return mail_atom(raw, envelope, arrival, lambda: body)


def _elsewhere(told: Json) -> Outcome:
    """A mail that did not come with its note."""
    action = object_in(object_in(told, "receipt"), "action")
    if (text_in(action, "type") or "").lower() == "s3":
        return Unreadable("the mail lies in S3; let the rule's action be SNS, with its content")
    return Unreadable("the note came without its mail")


def _event(told: Json, word: str, arrival: Arrival) -> Outcome:
    """What became of a mail that SES sent, for each recipient; those that failed first."""
    about = object_in(told, _ABOUT.get(word, word))
    mail = object_in(told, "mail")
    shown, state = _STATES[word]
    common = Told(
        word=shown,
        state=_state(state, about),
        message_id=_message_id(mail),
        at=text_in(about, "timestamp") or text_in(mail, "timestamp"),
        key=text_in(about, "feedbackId") or text_in(mail, "messageId"),
        message=text_in(about, "smtpResponse")
        or text_in(about, "reason")
        or text_in(about, "errorMessage")
        or text_in(about, "complaintFeedbackType"),
    )
    outcomes = [status(one, told, arrival) for one in _by_recipient(common, about, mail)]
    commands = [
        command
        for outcome in outcomes
        if isinstance(outcome, Commands)
        for command in outcome.commands
    ]
    if not commands:
        return outcomes[0]
    # What came is kept once, with the last of them.
    bare = [structs.replace(one, original=None) for one in commands[:-1]]
    return Commands((*bare, commands[-1]), copy=True)


def _state(state: DeliveryState | None, about: Json) -> DeliveryState | None:
    """A bounce that may pass is a delay to SES's own mind, and a failure all the same."""
    is_undecided = text_in(about, "bounceType") == "Undetermined"
    return None if is_undecided and state is DeliveryState.FAILED else state


def _by_recipient(common: Told, about: Json, mail: Json) -> list[Told]:
    """What is told, for each recipient that it names, nobody twice."""
    found: dict[str, Told] = {}
    for item in (one for name in _PEOPLE for one in objects_in(about, name)):
        address = text_in(item, "emailAddress")
        if address is not None:
            told = structs.replace(
                common,
                recipient=address,
                code=text_in(item, "status"),
                message=text_in(item, "diagnosticCode") or common.message,
            )
            found.setdefault(address.lower(), told)
    for name, holder in (("recipients", about), ("destination", mail)):
        listed = holder.get(name)
        if not found and isinstance(listed, list):
            texts = [one for one in listed[:RECIPIENTS_MAX] if isinstance(one, str)]
            found = {one.lower(): structs.replace(common, recipient=one) for one in texts}
    return list(found.values())[:MAX_UNIT_EVENTS] or [common]


def _message_id(mail: Json) -> str | None:
    """The Message-ID that a mail went out with: SES puts its own in the place of the sender's."""
    own = text_in(mail, "messageId")
    if own is None:
        return None
    arn = _ARN.match(text_in(mail, "sourceArn") or "")
    region = arn[1] if arn else "us-east-1"
    return f"<{own}@{OWN_DOMAINS.get(region, f'{region}.amazonses.com')}>"


def _check(options: Mapping[str, str]) -> dict[str, str]:
    if _TOPIC.fullmatch(options.get("topic_arn", "")):
        return {}
    return {"topic_arn": "write the topic's ARN, such as arn:aws:sns:us-east-1:123456789012:mail"}


def handshake(_incoming: Incoming, _secrets: Secrets) -> Answer | Refused:
    """SNS asks by a message of its own, which is confirmed."""
    return Refused()


def sign(_body: bytes, _secrets: Secrets) -> dict[str, str]:
    """Only SNS can sign."""
    return {}


SES: Final = ChannelModule(
    channel="ses",
    title="Amazon SES",
    secrets=(),
    options=("topic_arn",),
    optional_options=("addresses", "bulk"),
    body_max_bytes=MAIL_MAX_BYTES,
    parsed_here_max_bytes=MAIL_PARSED_HERE_MAX_BYTES,
    check=_check,
    certificate=sns.certificate,
    confirms=sns.confirms,
    handshake=handshake,
    verify=sns.verify,
    parse=parse,
    sign=sign,
)
