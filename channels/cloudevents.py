"""CloudEvents over HTTP: any program that speaks them may tell of interactions and statuses.

One event in structured or binary mode, or a batch. Its `data` is an append request of the API, or
a status by key; its `source` and `id` are the key of an interaction that brings none.

Source: CloudEvents 1.0.2, HTTP protocol binding, JSON format, HTTP webhook 1.0.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import msgspec
from msgspec import structs

from channels.contract import (
    UNKNOWN_KIND,
    Atom,
    ChannelModule,
    Commands,
    Ignored,
    Incoming,
    Outcome,
    Rejected,
    Reply,
    Secrets,
    Unreadable,
    Verified,
)
from channels.form_record import source_of
from channels.form_secret import header_of, no_handshake, verify_shared
from channels.lenient import Json, Unfit, loads, moment_of, text_in
from channels.pieces import ID_MAX_CHARS, address_or_none, short
from domain.commands import Fact, RecordInteraction, ReportDelivery
from domain.errors import HiloError, InvalidInput
from domain.recording import interaction_stream
from domain.times import format_utc
from domain.values import TimeSource, is_source

if TYPE_CHECKING:
    from channels.contract import Arrival

CHANNEL: Final = "cloudevents"

INTERACTION: Final = "hilo.interaction"
STATUS: Final = "hilo.status"

RATE_PER_MINUTE: Final = 6_000
"""What a sender is told that it may send, where it asks: a hundred a second."""

STATUS_MAX_CHARS: Final = 64
"""Length of a status (contract 2.11)."""

MESSAGE_MAX_CHARS: Final = 1_000
"""Length of what is said of a failure."""

_ATTRIBUTE: Final = "ce-"
_STRUCTURED: Final = "application/cloudevents"


def verify(incoming: Incoming, secrets: Secrets) -> Verified | Rejected:
    """The token that came along: as bearer, in `X-Hilo-Secret`, or as `?token=`."""
    return verify_shared(incoming, secrets, "token")


def sign(_body: bytes, secrets: Secrets) -> dict[str, str]:
    """The header that a sender would send."""
    return header_of(secrets, "token")


def parse(incoming: Incoming, arrival: Arrival) -> list[Atom]:
    """An atom for each event; a body that holds none is one atom."""
    try:
        events = _events(incoming)
    except ValueError:
        error = Unreadable("the body is no CloudEvent")
        return [Atom(number=0, source="", outcome=error, raw=lambda: incoming.body)]
    return [_atom(number, event, arrival) for number, event in enumerate(events)]


def _events(incoming: Incoming) -> list[object]:
    """The events in structured form, in whichever mode they came. Raises ValueError."""
    declared = incoming.headers.get("content-type", "").lower()
    if f"{_ATTRIBUTE}id" in incoming.headers and not declared.startswith(_STRUCTURED):
        return [_binary(incoming)]
    found = loads(incoming.body)
    return found if isinstance(found, list) and found else [found]


def _binary(incoming: Incoming) -> Json:
    names = [name for name in incoming.headers if name.startswith(_ATTRIBUTE)]
    event: dict[str, object] = {
        name.removeprefix(_ATTRIBUTE): unquote(incoming.headers[name]).replace("\x00", "")
        for name in names
    }
    try:
        event["data"] = loads(incoming.body)
    except ValueError:
        event["data_base64"] = b64encode(incoming.body).decode()
    return event


def _atom(number: int, event: object, arrival: Arrival) -> Atom:
    outcome = _read(event, arrival)
    source = source_of(arrival)
    if isinstance(outcome, Commands):
        source = outcome.commands[-1].source
    raw: Callable[[], bytes] = partial(msgspec.json.encode, [event])
    return Atom(number=number, source=source, outcome=outcome, raw=raw)


def _read(event: object, arrival: Arrival) -> Outcome:
    """What an event comes to; whatever is wrong with it stays with it."""
    if not isinstance(event, dict):
        return Unreadable("it is not an object")
    if not event:
        return Ignored("empty")
    try:
        return _command(event, arrival)
    except Unfit as error:
        return Unreadable(str(error))
    except InvalidInput as error:
        fields = ", ".join(f"{one.field} ({one.code})" for one in error.errors)
        return Unreadable(f"its data is not valid: {fields}"[:MESSAGE_MAX_CHARS])
    except Exception as error:  # noqa: BLE001 - a poisoned atom must not harm its siblings
        detail = error.detail if isinstance(error, HiloError) else type(error).__name__
        return Unreadable(f"it cannot be read: {detail}")


def _command(event: Json, arrival: Arrival) -> Outcome:
    kind, id_, source = (text_in(event, name) for name in ("type", "id", "source"))
    if id_ is None or source is None or kind is None:
        raise Unfit("the event lacks its id, source or type")
    if kind not in {INTERACTION, STATUS}:
        return Unreadable("the event is of an unknown type", UNKNOWN_KIND)
    data = _data(event)
    key = f"{source} {id_}"
    if len(key) > ID_MAX_CHARS:
        raise Unfit("the event's source and id are too long")
    command: Fact
    if kind == STATUS:
        command = _status(data, event, key, arrival)
    else:
        command = _interaction(data, event, key, arrival)
    return Commands((command,))


def _data(event: Json) -> dict[str, object]:
    packed = text_in(event, "data_base64")
    data = event.get("data")
    if packed is not None:
        try:
            data = loads(b64decode(packed, validate=True))
        except (ValueError, binascii.Error):
            data = None
    if not isinstance(data, dict):
        raise Unfit("its data is no JSON object")
    return dict(data)


def _interaction(
    data: dict[str, object], event: Json, key: str, arrival: Arrival
) -> RecordInteraction:
    """The command of an append request; the event's time stands for one that it lacks."""
    if arrival.reading.append is None:
        raise Unfit("append requests are not read here")
    at, said_by = moment_of(text_in(event, "time"), arrival.received_at)
    is_defaulted = "occurred_at" not in data and said_by is TimeSource.RECEIVED
    data.setdefault("occurred_at", format_utc(at))
    if arrival.department is not None:
        data.setdefault("department", arrival.department)
    data.setdefault("external_id", key)
    command = arrival.reading.append(msgspec.json.encode(data), source_of(arrival), key)
    original = msgspec.json.encode(event)
    # A time that nobody told differs when the event comes again, and must not make it another.
    told_by = said_by if is_defaulted else command.time_source
    return structs.replace(command, time_source=told_by, original=original)


def _status(data: Json, event: Json, key: str, arrival: Arrival) -> ReportDelivery:
    """The report about an interaction, by its source and external id. Raises Unfit."""
    about, word = text_in(data, "external_id"), text_in(data, "status")
    if about is None or word is None or len(word) > STATUS_MAX_CHARS:
        raise Unfit("the status lacks its external_id or status")
    source = text_in(data, "source") or source_of(arrival)
    if not is_source(source):
        raise Unfit("the status has a source that is none")
    namespace = "email" if text_in(data, "channel") == "email" else source
    told_at = text_in(data, "at") or text_in(event, "time")
    at, _ = moment_of(told_at, arrival.received_at)
    participant = text_in(data, "participant")
    return ReportDelivery(
        about=interaction_stream(arrival.derive, namespace, about),
        source=source,
        word=word,
        at=at,
        key=key,
        participant=address_or_none(participant, arrival.reading.country) if participant else None,
        code=short(text_in(data, "code"), 128),
        message=short(text_in(data, "message"), MESSAGE_MAX_CHARS),
        original=msgspec.json.encode(event),
    )


def preflight(incoming: Incoming, _options: Mapping[str, str]) -> Reply:
    """A sender that asks whether it may send here is told that it may, and how often."""
    origin = incoming.headers.get("webhook-request-origin", "*")
    plain = origin if origin.isprintable() and origin.isascii() else "*"
    allowed = {"WebHook-Allowed-Origin": plain, "WebHook-Allowed-Rate": str(RATE_PER_MINUTE)}
    return Reply(status=204, headers={"Allow": "POST, OPTIONS", **allowed})


CLOUDEVENTS: Final = ChannelModule(
    channel=CHANNEL,
    title="CloudEvents",
    secrets=("token",),
    signs_body=False,
    preflight=preflight,
    handshake=no_handshake,
    verify=verify,
    parse=parse,
    sign=sign,
)
