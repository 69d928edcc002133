"""Twilio: SMS and MMS, WhatsApp through Twilio, and calls; one request → one atom, as a rule.

What a request is about is said by what stands in it, whichever of the three URLs it came to: a
messaging service has one URL for all of its channels.

Source: Twilio, "Webhooks", and providers that copy them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from channels.contract import (
    UNKNOWN_KIND,
    Answer,
    Arrival,
    Atom,
    ChannelModule,
    Commands,
    Ignored,
    Incoming,
    Outcome,
    Refused,
    Reply,
    Secrets,
    Unreadable,
)
from channels.lenient import Unfit, loads
from channels.media import TWILIO_MEDIA
from channels.twilio_calls import call
from channels.twilio_ends import SMS, VOICE, WHATSAPP, Params, Place, Side, end_of, place_of
from channels.twilio_messages import MESSAGE_IDS, message
from channels.twilio_recordings import RECORDINGS
from channels.twilio_signature import (
    OPTIONAL_SECRETS,
    SECRETS,
    form_fields,
    sign,
    urlsplit_query,
    verify,
)
from domain.commands import RecordInteraction
from domain.errors import HiloError
from domain.values import Channel, Direction

NO_ORDERS: Final = Reply(b"<Response/>", "text/xml")
"""TwiML that says nothing: no answer to a message. To a call it would say to hang up, so Hilo is
told of calls by their status callbacks and never asked what to do."""

_AUTOMATIC: Final = ("WorkspaceSid", "TaskSid", "FlowSid", "ServiceSid")
"""What names Twilio's inner workings: queues of tasks, flows, services."""

_MEDIA: Final = {SMS: TWILIO_MEDIA, WHATSAPP: TWILIO_MEDIA, VOICE: RECORDINGS}
"""By the kind of the source: each kind may come to each URL."""

_MESSAGE: Final = (*MESSAGE_IDS, "Body", "NumMedia", "MediaUrl0")


def parse(incoming: Incoming, arrival: Arrival, kind: str) -> list[Atom]:
    """The atoms of a request that came to a connection of a kind; never none."""
    return [
        _atom(number, params, raw, arrival, kind)
        for number, (params, raw) in enumerate(_requests(incoming))
    ]


class _Broken(Struct, frozen=True):
    """What should have been parameters."""

    error: str


def _requests(incoming: Incoming) -> Iterator[tuple[Params | _Broken, Callable[[], bytes]]]:
    """The parameters of each request in a body, and the body that holds them alone.

    Forms, or what stands in the URL of a GET; JSON where Twilio was told to send that.
    """
    body = incoming.body or urlsplit_query(incoming.url).encode()
    if body.lstrip()[:1] in {b"{", b"["}:
        yield from _json_requests(body)
        return
    try:
        fields = form_fields(body, "replace")
    except ValueError:
        yield _Broken("the body has too many parameters"), lambda: body
        return
    yield _first_of(fields), (lambda: body) if incoming.body else partial(_form, fields)


def _json_requests(body: bytes) -> Iterator[tuple[Params | _Broken, Callable[[], bytes]]]:
    try:
        found = loads(body)
    except ValueError:
        yield _Broken("the body is neither a form nor JSON"), lambda: body
        return
    items = found if isinstance(found, list) and found else [found]
    for item in items:
        raw = partial(msgspec.json.encode, [item])
        if isinstance(item, dict):
            fields = [(str(name), _text(value)) for name, value in item.items()]
            yield _first_of(fields), raw
        elif item == []:
            yield {}, raw
        else:
            yield _Broken("it is not an object"), raw


def _form(fields: list[tuple[str, str]]) -> bytes:
    return urlencode(fields).encode()


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _first_of(fields: list[tuple[str, str]]) -> Params:
    """Parameters by name: the first value that is not blank. NUL goes: no database keeps it."""
    found: dict[str, str] = {}
    for name, value in fields:
        plain = name.replace("\x00", "")
        if not found.get(plain, "").strip():
            found[plain] = value.replace("\x00", "")
    return found


def _atom(
    number: int, params: Params | _Broken, raw: Callable[[], bytes], arrival: Arrival, kind: str
) -> Atom:
    if isinstance(params, _Broken):
        outcome: Outcome = Unreadable(params.error)
        return Atom(number=number, source="", outcome=outcome, raw=raw)
    place = _place(params, arrival, kind)
    outcome = _read(params, place)
    named = bool(params.get("AccountSid", "").strip()) or isinstance(outcome, Commands)
    return Atom(
        number=number,
        source=place.source if named else "",
        outcome=outcome,
        raw=raw,
        our_address=_our_address(outcome, params, place),
    )


def _place(params: Params, arrival: Arrival, kind: str) -> Place:
    """The account, and the channel that the ends say: `whatsapp:` stands before its numbers."""
    ends = [params.get(name, "").strip().lower() for name in ("From", "To")]
    prefixes = {end.partition(":")[0] for end in ends if ":" in end}
    prefixes.add(params.get("ChannelPrefix", "").strip().lower())
    is_whatsapp = "whatsapp" in prefixes
    if params.get("CallSid"):
        place = place_of(params, arrival, VOICE)
        channel = Channel.WHATSAPP if is_whatsapp else place.channel
        return Place(place.arrival, place.account, place.source, channel)
    if is_whatsapp or kind == WHATSAPP:
        return place_of(params, arrival, WHATSAPP)
    return place_of(params, arrival, SMS if any(map(params.get, _MESSAGE)) else kind)


def _our_address(outcome: Outcome, params: Params, place: Place) -> str | None:
    """Our number, where a message or a call names it: for the list of sources."""
    if not isinstance(outcome, Commands):
        return None
    for command in outcome.commands:
        if isinstance(command, RecordInteraction):
            inbound = command.direction is Direction.INBOUND
            return command.destination if inbound else command.resource
    status_of = end_of(params, "From", place)
    is_message = any(map(params.get, MESSAGE_IDS))
    known = status_of is not None and is_message and status_of.side is Side.ANY
    return status_of.address if status_of and known else None


def _read(params: Params, place: Place) -> Outcome:
    """What a request comes to; whatever is wrong with it stays with it."""
    try:
        return _kind(params, place)
    except Unfit as error:
        return Unreadable(str(error))
    except Exception as error:  # noqa: BLE001 - a poisoned atom must not harm its siblings
        detail = error.detail if isinstance(error, HiloError) else type(error).__name__
        return Unreadable(f"it cannot be read: {detail}")


def _kind(params: Params, place: Place) -> Outcome:
    if not any(value.strip() for value in params.values()):
        return Ignored("empty") if set(params) <= {""} else Unreadable("nothing is said")
    if params.get("CallSid"):
        return call(params, place)
    if "ConversationSid" in params or "ChannelSid" in params:
        return Unreadable("it is about a conversation of Twilio's", UNKNOWN_KIND)
    if any(map(params.get, _MESSAGE)):
        return message(params, place)
    if "Level" in params and "Payload" in params:
        return Ignored("account_event")
    if any(map(params.get, _AUTOMATIC)):
        return Ignored("internal")
    if params.get("ConferenceSid"):
        return Ignored("presence")
    return Unreadable("it is about neither a message nor a call", UNKNOWN_KIND)


def _no_handshake(_incoming: Incoming, _secrets: Secrets) -> Answer | Refused:
    """Twilio asks nothing beforehand."""
    return Refused()


def _module(kind: str, title: str) -> ChannelModule:
    return ChannelModule(
        channel=kind,
        title=title,
        secrets=SECRETS,
        optional_secrets=OPTIONAL_SECRETS,
        options=("account_sid",),
        reply=NO_ORDERS,
        gets=True,
        handshake=_no_handshake,
        verify=verify,
        parse=partial(parse, kind=kind),
        sign=sign,
        media=_MEDIA,
    )


TWILIO_SMS: Final = _module(SMS, "Twilio SMS")
TWILIO_WHATSAPP: Final = _module(WHATSAPP, "Twilio WhatsApp")
TWILIO_VOICE: Final = _module(VOICE, "Twilio Voice")
