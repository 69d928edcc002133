"""Calls over WhatsApp: one interaction, and what is reported about it.

Every atom of a call knows the call's id, who is at the other end and who began it; the first
one to arrive records the call, whichever it is, and each reports its own part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from channels.contract import Commands, Outcome
from channels.lenient import Json, Unfit, items_in, moment_of, number_in, text_in
from channels.whatsapp_content import errors_of
from channels.whatsapp_people import Person, person, phone
from domain.commands import RecordInteraction, ReportDelivery
from domain.events import Call
from domain.recording import interaction_stream
from domain.values import CallOutcome, Channel, Direction, Origin

if TYPE_CHECKING:
    from channels.whatsapp_people import Place

_SDP = "session"
"""What a connect carries to set up the sound: keys of a connection, not part of a record."""


def call(place: Place, item: Json) -> Outcome:
    """A call began or ended. Raises Unfit without an id or anybody at the other end."""
    word = text_in(item, "event") or _state(item)
    outbound = _is_outbound(place, item)
    number = text_in(item, "to" if outbound else "from")
    user_id = text_in(item, "to_user_id" if outbound else "from_user_id")
    them = person(place, number, user_id)
    began = text_in(item, "start_time") or text_in(item, "timestamp")
    return _reported(place, item, _record(place, item, them, began, outbound=outbound), word)


def call_status(place: Place, item: Json) -> Outcome:
    """How far a call of ours came: ringing, accepted, rejected."""
    them = person(place, text_in(item, "recipient_id"), text_in(item, "recipient_user_id"))
    record = _record(place, item, them, text_in(item, "timestamp"), outbound=True)
    return _reported(place, item, record, _state(item))


def _state(item: Json) -> str | None:
    """The state of a call; some documents have it as a list of one."""
    return next((str(one).strip() for one in items_in(item, "status") if str(one).strip()), None)


def _is_outbound(place: Place, item: Json) -> bool:
    said = (text_in(item, "direction") or "").upper()
    if said:
        return said == "BUSINESS_INITIATED"
    return phone(text_in(item, "from")) == place.our_address


def _record(
    place: Place, item: Json, them: Person | None, began: str | None, *, outbound: bool
) -> RecordInteraction:
    wacid = text_in(item, "id")
    if wacid is None:
        raise Unfit("the call has no id")
    if them is None:
        raise Unfit("nobody is at the other end")
    if not place.source:
        raise Unfit("the change does not say which number it is about")
    at, time_source = moment_of(began, place.arrival.received_at)
    return RecordInteraction(
        channel=Channel.WHATSAPP,
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source=place.source,
        namespace=place.source,
        key=wacid,
        external_id=wacid,
        resource=place.our_address if outbound else them.address,
        destination=them.address if outbound else place.our_address,
        occurred_at=at,
        time_source=time_source,
        contact_name=them.name,
        department=place.arrival.department,
        aliases=them.aliases,
        call=Call(),
    )


def _reported(place: Place, item: Json, record: RecordInteraction, word: str | None) -> Outcome:
    """The record, left out where the call is known, and what this atom says of it."""
    if word is None:
        raise Unfit("the call's event has no name")
    at, _ = moment_of(text_in(item, "timestamp"), place.arrival.received_at)
    outbound = record.direction is Direction.OUTBOUND
    code, words = errors_of(item)
    ended = _state(item) or word
    report = ReportDelivery(
        about=interaction_stream(place.arrival.derive, record.namespace, record.key),
        source=record.source,
        word=ended.lower(),
        at=at,
        key=word.lower(),
        recipient=record.destination if outbound else record.resource,
        code=code,
        message=words,
        call=_went(item, ended.lower(), outbound=outbound),
        original=msgspec.json.encode({k: v for k, v in item.items() if k != _SDP}),
    )
    return Commands((record, report))


def _went(item: Json, word: str, *, outbound: bool) -> Call | None:
    """How the call went, as far as this atom says.

    A call that ended without a duration was never picked up: one from a contact was missed, one
    of ours had no answer. Telephone companies report a declined call as busy, and so do we.
    """
    seconds = number_in(item, "duration")
    match word:
        case "accepted":
            return Call(outcome=CallOutcome.ANSWERED)
        case "rejected":
            return Call(outcome=CallOutcome.BUSY)
        case "failed":
            return Call(seconds=seconds, outcome=CallOutcome.FAILED)
        case "completed" | "terminate" if seconds:
            return Call(seconds=seconds, outcome=CallOutcome.ANSWERED)
        case "completed" | "terminate":
            missed = CallOutcome.NO_ANSWER if outbound else CallOutcome.MISSED
            return Call(outcome=missed)
        case _:
            return None
