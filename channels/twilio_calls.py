"""Calls over Twilio: one interaction, and what is reported about it.

The call is its parent leg. A request that names both of its ends records it, whichever comes
first; legs that were dialled from it (`ParentCallSid`) and recordings do not know who called
whom, and only report. What a call came to is told by several voices: a `completed` says merely
that something answered, perhaps a recorded greeting, so it is dated to the call's beginning, and
whatever is told of the people who were dialled outweighs it.

Source: Twilio, "TwiML for Programmable Voice" (request parameters), "Call resource" (status
callbacks), "<Dial>" (action), "<Record>" and "Recordings" (status callbacks).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct, structs

from channels.contract import Commands, Outcome
from channels.lenient import AHEAD_MAX_US, Unfit
from channels.pieces import ID_MAX_CHARS, TEXT_MAX_CHARS, fitting, one_line
from channels.twilio_ends import End, Params, Place, Side, end_of
from channels.twilio_times import SECOND_US, seconds_of, told_at
from domain.commands import Fact, RecordInteraction, ReportChange, ReportDelivery
from domain.events import Call
from domain.recording import interaction_stream
from domain.values import CallOutcome, Direction, Origin, TimeSource

if TYPE_CHECKING:
    from uuid import UUID

_ENDED: Final = frozenset({"completed", "busy", "no-answer", "canceled", "failed"})

_IN: Final = {
    "busy": CallOutcome.BUSY,
    "no-answer": CallOutcome.MISSED,
    "canceled": CallOutcome.MISSED,
    "failed": CallOutcome.FAILED,
}
"""What became of a call that a contact made, by the words of its own leg."""

_OUT: Final = {
    "busy": CallOutcome.BUSY,
    "no-answer": CallOutcome.NO_ANSWER,
    "canceled": CallOutcome.CANCELED,
    "failed": CallOutcome.FAILED,
}
"""The same of a call that we made."""

_UNREACHED: Final = frozenset({"busy", "no-answer", "canceled", "failed"})
"""Words of a leg that was dialled and never spoken on: whoever called in missed us."""

_MACHINES: Final = ("machine", "fax")


class Line(Struct, frozen=True):
    """Both ends of a call, and which way it went; `agent` is the line of ours that called."""

    them: str
    ours: str
    outbound: bool
    agent: str | None = None


class Event(Struct, frozen=True):
    """What one request tells of a call: a word, when, its own key, and what it says of it.

    `weak` is what it says only until somebody knows better, as of the time `since`.
    """

    word: str
    at: int
    key: str
    said: Call | None = None
    weak: Call | None = None
    since: int = 0


def call(params: Params, place: Place) -> Outcome:
    """What a request tells of a call. Raises Unfit without an id."""
    sid = _id(params, "CallSid")
    parent = _id(params, "ParentCallSid")
    key = parent or sid
    if key is None:
        raise Unfit("the call has no id")
    if len(key) > ID_MAX_CHARS:
        raise Unfit("the call's id is too long")
    line = None if parent else line_of(params, place)
    about = interaction_stream(place.arrival.derive, place.source, key)
    event = _event(params, place, line, is_leg=parent is not None)
    facts: list[Fact] = []
    if line is not None:
        facts.append(_record(params, place, line, key))
    if event.weak is not None:
        weak = _report(params, place, line, about, _weak(event))
        facts.append(structs.replace(weak, original=None))
    told = _spoken(params, place, line, about)
    facts.append(told or _report(params, place, line, about, event))
    return Commands(tuple(facts))


def line_of(params: Params, place: Place) -> Line | None:
    """The ends of a call's own leg; None where no end of it is outside, or it names only one.

    Twilio calls `inbound` whatever its application answers, also what our own people dial from
    a browser or a desk phone: so our own lines decide first, and its word only after them.
    """
    one, other = end_of(params, "From", place), end_of(params, "To", place)
    if one is None or other is None:
        return None
    desk = other.is_sip and other.address.startswith("sender:") and _said_outbound(params)
    if other.side is Side.OURS or desk:
        is_inside = one.side is Side.OURS or _said_outbound(params)
        return None if is_inside else Line(one.address, other.address, outbound=False)
    if _is_ours(one, other):
        return Line(other.address, one.address, outbound=True, agent=_agent(params, one))
    if _said_outbound(params):
        return Line(other.address, one.address, outbound=True)
    return Line(one.address, other.address, outbound=False)


def _is_ours(one: End, other: End) -> bool:
    """Whether the caller is a line of ours: a client, or a desk phone that dials a number."""
    return one.side is Side.OURS or (one.is_sip and not other.is_sip)


def _said_outbound(params: Params) -> bool:
    said = params.get("Direction", "").strip().lower()
    return said.startswith("outbound") or said == "trunking-terminating"


def _agent(params: Params, end: End) -> str | None:
    """The name under which our own person is signed in to the browser's phone."""
    written = (params.get("From") or params.get("Caller") or "").strip()
    return one_line(written.partition(":")[2]) if end.side is Side.OURS else None


def _id(params: Params, name: str) -> str | None:
    return params.get(name, "").strip() or None


# ------------------------------------------------------------------------ the record


def _record(params: Params, place: Place, line: Line, key: str) -> RecordInteraction:
    at, time_source = began_at(params, place)
    return RecordInteraction(
        channel=place.channel,
        direction=Direction.OUTBOUND if line.outbound else Direction.INBOUND,
        origin=Origin.AUTOMATIC,
        source=place.source,
        namespace=place.source,
        key=key,
        external_id=key,
        resource=line.ours if line.outbound else line.them,
        destination=line.them if line.outbound else line.ours,
        occurred_at=at,
        time_source=time_source,
        attended_by=line.agent,
        department=place.arrival.department,
        call=Call(),
        details=_details(params),
    )


def began_at(params: Params, place: Place) -> tuple[int, TimeSource]:
    """When a call began (µs): an event's time is its own, so a length that it names goes off."""
    received = place.arrival.received_at
    started = params.get("StartTime", "").strip()
    if started:
        at, said_by = told_at(started, received)
        if said_by is TimeSource.PROVIDER:
            return at, said_by
    at, said_by = told_at(params.get("Timestamp"), received)
    seconds = seconds_of(params, "CallDuration")
    return _before(at, seconds), said_by


def _before(at: int, seconds: int | None) -> int:
    return at - (seconds or 0) * SECOND_US


def _details(params: Params) -> bytes | None:
    shown = {
        "CallerName": "caller_name",
        "ForwardedFrom": "forwarded_from",
        "StirVerstat": "stir_verstat",
        "AnsweredBy": "answered_by",
        "FromCity": "from_city",
        "FromState": "from_state",
        "FromCountry": "from_country",
    }
    found = {word: v for name, word in shown.items() if (v := params.get(name, "").strip())}
    return fitting(found) if found else None


# ------------------------------------------------------------------------ what is told


def _event(params: Params, place: Place, line: Line | None, *, is_leg: bool) -> Event:
    """What kind of request it is, by what stands in it."""
    if params.get("DialCallStatus"):
        return _dialled(params, place, line)
    is_taped = bool(params.get("RecordingSid") or params.get("RecordingUrl"))
    # A call's last status names its recording too.
    if is_taped and not params.get("CallDuration") and not params.get("CallbackSource"):
        return _taped(params, place, line)
    return _went(params, place, line, is_leg=is_leg)


def _dialled(params: Params, place: Place, line: Line | None) -> Event:
    """What became of those who were dialled: the one voice that knows of a missed call."""
    word = params["DialCallStatus"].strip().lower()
    at, _ = told_at(params.get("Timestamp"), place.arrival.received_at)
    seconds = seconds_of(params, "DialCallDuration")
    # Somebody picked up and never came to speak with the caller.
    unbridged = word == "completed" and params.get("DialBridged", "").strip().lower() == "false"
    outbound = line is not None and line.outbound
    outcome = _of_leg("no-answer" if unbridged else word, outbound=outbound)
    said = Call(outcome=outcome) if outcome else None
    leg = _id(params, "DialCallSid") or word
    since = _before(at, seconds)
    weak = Call(seconds=seconds) if seconds else None
    return Event(f"dial-{word}", at, f"dial:{leg}:{word}", said, weak, since)


def _of_leg(word: str, *, outbound: bool) -> CallOutcome | None:
    if word in {"completed", "answered"}:
        return CallOutcome.ANSWERED
    if word not in _UNREACHED:
        return None
    return _OUT[word] if outbound else CallOutcome.MISSED


def _taped(params: Params, place: Place, line: Line | None) -> Event:
    """A recording; what a caller left behind the tone is voicemail, and somebody was missed.

    It says so by `RecordingSource`, or by being sent as the action of a `<Record>`, which alone
    names the ends.
    """
    received = place.arrival.received_at
    id_ = _id(params, "RecordingSid") or _digest(params)
    word = params.get("RecordingStatus", "").strip().lower()
    by_verb = params.get("RecordingSource", "").strip().lower()
    seconds = seconds_of(params, "RecordingDuration")
    started, said_by = told_at(params.get("RecordingStartTime"), received)
    at = received
    if said_by is TimeSource.PROVIDER:
        at = min(_before(started, -(seconds or 0)), received + AHEAD_MAX_US)
    is_message = by_verb == "recordverb" or (not by_verb and line is not None)
    inbound = line is None or not line.outbound
    left = is_message and inbound and bool(seconds) and word in {"", "completed"}
    said = Call(outcome=CallOutcome.VOICEMAIL) if left else None
    return Event(f"recording-{word or 'made'}", at, f"{id_}:{word or 'made'}", said)


def _went(params: Params, place: Place, line: Line | None, *, is_leg: bool) -> Event:
    """How far a leg came."""
    word = _word(params)
    at, _ = told_at(params.get("Timestamp"), place.arrival.received_at)
    seconds = seconds_of(params, "CallDuration") if word in _ENDED else None
    key = _key(params, word)
    began = _before(at, seconds)
    if is_leg:
        to_client = params.get("To", "").strip().lower().startswith(("client:", "sip:"))
        outcome = _leg_outcome(word, seconds, to_client=to_client)
        weak = Call(seconds=seconds) if seconds else None
        return Event(word, at, key, Call(outcome=outcome) if outcome else None, weak, began)
    outbound = line.outbound if line else _said_outbound(params)
    picked_up = params.get("AnsweredBy", "").strip().lower()
    if picked_up.startswith(_MACHINES) and (outbound or line is None):
        return Event(word, at, key, Call(seconds=seconds, outcome=CallOutcome.VOICEMAIL))
    sure = (_OUT if outbound else _IN).get(word)
    said = Call(seconds=seconds, outcome=sure) if sure or seconds is not None else None
    weak = Call(outcome=_presumed(word, seconds, outbound=outbound))
    return Event(word, at, key, said, weak if weak.outcome else None, began)


def _leg_outcome(word: str, seconds: int | None, *, to_client: bool) -> CallOutcome | None:
    """What a leg that was dialled says of the call: somebody spoke, or nobody did."""
    if word == "in-progress" or (word == "completed" and seconds != 0):
        return CallOutcome.ANSWERED
    if word in _UNREACHED or word == "completed":
        # Behind a phone may be our own person or whoever was called: the leg does not know.
        return CallOutcome.MISSED if to_client else _OUT.get(word, CallOutcome.NO_ANSWER)
    return None


def _presumed(word: str, seconds: int | None, *, outbound: bool) -> CallOutcome | None:
    """What a call came to, as far as its own leg can know: something answered."""
    if word == "completed" and seconds == 0:
        return CallOutcome.NO_ANSWER if outbound else CallOutcome.MISSED
    answered = word == "completed" or (outbound and word in {"in-progress", "answered"})
    return CallOutcome.ANSWERED if answered else None


def _word(params: Params) -> str:
    names = ("CallStatus", "StatusCallbackEvent", "Status", "TranscriptionStatus", "Event")
    found = next((params[name].strip() for name in names if params.get(name)), "")
    if not found and params.get("AnsweredBy"):
        found = f"answered-by-{params['AnsweredBy'].strip()}"
    return found.lower()[:ID_MAX_CHARS] or "unknown"


def _key(params: Params, word: str) -> str:
    """What makes an event unique: the leg, its number in the leg's order, else its word.

    What a caller typed or said comes several times under one status: it is told apart by all
    that it says.
    """
    leg = _id(params, "CallSid") or ""
    kind = params.get("CallbackSource", "").strip() or params.get("StatusCallbackEvent", "").strip()
    number = params.get("SequenceNumber", "").strip()
    parts = [leg, kind or "request", number or word]
    if not number and any(params.get(name) for name in ("Digits", "SpeechResult", "msg")):
        parts.append(_digest(params))
    return ":".join(parts)[:ID_MAX_CHARS]


def _digest(params: Params) -> str:
    return hashlib.sha256(_plain(params)).hexdigest()[:32]


def _plain(params: Params) -> bytes:
    return msgspec.json.encode(dict(params), order="deterministic")


# -------------------------------------------------------------------------- reports


def _weak(event: Event) -> Event:
    return Event(event.word, event.since, f"{event.key}:presumed", event.weak)


def _report(
    params: Params, place: Place, line: Line | None, about: UUID, event: Event
) -> ReportDelivery:
    code = params.get("ErrorCode", "").strip() or params.get("SipResponseCode", "").strip()
    return ReportDelivery(
        about=about,
        source=place.source,
        word=event.word,
        at=event.at,
        key=event.key,
        recipient=line.them if line else None,
        code=None if code in {"", "0", "200"} else code,
        message=params.get("ErrorMessage", "").strip() or None,
        call=event.said,
        original=_plain(params),
    )


def _spoken(params: Params, place: Place, line: Line | None, about: UUID) -> ReportChange | None:
    """What a machine heard on a recording: the words of somebody's voicemail."""
    text = params.get("TranscriptionText", "")
    if line is None or not text.strip():
        return None
    return ReportChange(
        kind="edit",
        about=about,
        source=place.source,
        key=_id(params, "TranscriptionSid") or _digest(params),
        address=line.them,
        at=place.arrival.received_at,
        text=text[:TEXT_MAX_CHARS],
        original=_plain(params),
    )
