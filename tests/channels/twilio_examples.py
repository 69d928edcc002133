"""One request of each kind that Twilio sends, and what becomes of it.

The table in docs/channels/twilio.md is made of this list:

    python -m tests.channels.twilio_examples
"""

from __future__ import annotations

from typing import Final

from tests.channels.vendors import ACCOUNT, Example, Table
from tests.source_tree import ROOT

ANA: Final = "+525512345678"
SHOP: Final = "+525598765432"
MESSAGE: Final = "SM00000000000000000000000000000001"
CALL: Final = "CA00000000000000000000000000000001"
LEG: Final = "CA00000000000000000000000000000002"
RECORDING: Final = "RE00000000000000000000000000000001"
BEGAN: Final = "Sun, 22 Nov 2026 11:30:00 +0000"
ENDED: Final = "Sun, 22 Nov 2026 11:35:00 +0000"


def sms(**more: str) -> dict[str, str]:
    """A text message of Ana's; an underscore before `from` is Python's."""
    plain = {
        "ToCountry": "MX",
        "SmsMessageSid": MESSAGE,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": MESSAGE,
        "SmsStatus": "received",
        "FromCity": "",
        "Body": "Hola, ¿sigue disponible?",
        "FromCountry": "MX",
        "To": SHOP,
        "NumSegments": "1",
        "MessageSid": MESSAGE,
        "AccountSid": ACCOUNT,
        "From": ANA,
        "ApiVersion": "2010-04-01",
    }
    return {**plain, **more}


def whatsapp(**more: str) -> dict[str, str]:
    """The same through WhatsApp."""
    ends = {"From": f"whatsapp:{ANA}", "To": f"whatsapp:{SHOP}"}
    who = {"ProfileName": "Ana Núñez", "WaId": "5215512345678", "MessageType": "text"}
    return {**sms(), **ends, **who, **more}


def status(word: str, **more: str) -> dict[str, str]:
    """How far a message of ours came."""
    plain = {"MessageSid": MESSAGE, "SmsSid": MESSAGE, "SmsStatus": word, "MessageStatus": word}
    ends = {"From": SHOP, "To": ANA, "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"}
    return {**plain, **ends, **more}


def call(word: str, **more: str) -> dict[str, str]:
    """A call of Ana's."""
    plain = {
        "CallSid": CALL,
        "AccountSid": ACCOUNT,
        "From": ANA,
        "To": SHOP,
        "CallStatus": word,
        "Direction": "inbound",
    }
    return {**plain, **more}


def told(word: str, number: int, **more: str) -> dict[str, str]:
    """The same, told by a status callback."""
    around = {"CallbackSource": "call-progress-events", "Timestamp": ENDED}
    return call(word, **{**around, "SequenceNumber": str(number), **more})


def outgoing(word: str, number: int, **more: str) -> dict[str, str]:
    """A call of ours."""
    ends = {"From": SHOP, "To": ANA, "Direction": "outbound-api"}
    return told(word, number, **{**ends, **more})


def leg(word: str, number: int, **more: str) -> dict[str, str]:
    """A leg that was dialled from Ana's call."""
    dialled = {"CallSid": LEG, "ParentCallSid": CALL, "Direction": "outbound-dial"}
    return told(word, number, **{**dialled, "To": "client:rosa", **more})


def dialled(word: str, **more: str) -> dict[str, str]:
    """What became of those who were dialled."""
    return call("in-progress", DialCallStatus=word, DialCallSid=LEG, **more)


def recording(word: str = "completed", **more: str) -> dict[str, str]:
    """A recording, which names no ends."""
    plain = {
        "AccountSid": ACCOUNT,
        "CallSid": CALL,
        "RecordingSid": RECORDING,
        "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/{RECORDING}",
        "RecordingStatus": word,
        "RecordingDuration": "31",
        "RecordingChannels": "1",
        "RecordingStartTime": ENDED,
        "RecordingSource": "DialVerb",
        "ErrorCode": "0",
    }
    return {**plain, **more}


def _media(number: int, media_type: str) -> dict[str, str]:
    url = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME{number}"
    return {f"MediaUrl{number}": url, f"MediaContentType{number}": media_type}


_PHOTOS: Final = {"NumMedia": "2", **_media(0, "image/jpeg"), **_media(1, "text/x-vcard")}
_WITHOUT_BODY: Final = {name: text for name, text in sms(**_PHOTOS).items() if name != "Body"}
_POINT: Final = {"Latitude": "19.43", "Longitude": "-99.13", "Label": "Taller", "Address": "Sur 8"}
_AD: Final = {"ReferralHeadline": "Venta SUV 2025", "ReferralSourceId": "120211"}
_HEARD: Final = {"TranscriptionSid": "TR1", "TranscriptionText": "Llámenme", "RecordingSid": "RE2"}
_SAID: Final = {
    **_HEARD,
    "TranscriptionStatus": "completed",
    "RecordingUrl": "https://api.twilio.com/RE2",
}
_NEWS: Final = {"Sid": "NO1", "AccountSid": ACCOUNT, "Level": "ERROR", "Payload": "{}"}
_TASK: Final = {"AccountSid": ACCOUNT, "WorkspaceSid": "WS1", "EventType": "task.created"}
_CHAT: Final = {"EventType": "onMessageAdded", "ConversationSid": "CH1", "Body": "Hola"}
_VOICE: Final = "twilio_voice"
_SMS: Final = "twilio_sms"
_WA: Final = "twilio_whatsapp"
_FILLED: Final = '{"flow_token": "t", "pages": [{"servicio": "Frenos"}, {"día": 3}]}'
_HELLO: Final = ("interaction inbound: “Hola, ¿sigue disponible?”",)
_LOST: Final = ("status: undelivered (30003)",)
_LATE: Final = "interaction outbound: “Va en camino”"

EXAMPLES: Final[tuple[Example, ...]] = (
    ("SMS", _SMS, sms(), _HELLO),
    ("SMS to a short code", _SMS, sms(To="38737"), _HELLO),
    ("SMS from a sender's name", _SMS, sms(From="BANAMEX"), _HELLO),
    ("SMS without words", _SMS, sms(Body=""), ("interaction inbound",)),
    ("“STOP”", _SMS, sms(Body="STOP", OptOutType="STOP"), ("interaction inbound: “STOP”",)),
    ("MMS", _SMS, _WITHOUT_BODY, ("interaction inbound + image.jpg + contact.vcf",)),
    ("status", _SMS, status("delivered"), ("status: delivered",)),
    ("status: not delivered", _SMS, status("undelivered", ErrorCode="30003"), _LOST),
    ("status with an unknown word", _SMS, status("huh"), ("status: huh",)),
    (
        "status that brings the message along",
        _SMS,
        status("sent", Body="Va en camino"),
        (_LATE, "status: sent"),
    ),
    ("WhatsApp: text", _WA, whatsapp(), _HELLO),
    ("WhatsApp over the URL of a messaging service", _SMS, whatsapp(), _HELLO),
    ("WhatsApp: user id without a phone", _WA, whatsapp(From="whatsapp:MX.1349", WaId=""), _HELLO),
    (
        "WhatsApp: location",
        _WA,
        whatsapp(Body="", MessageType="location", **_POINT),
        ("interaction inbound: “📍 Taller, Sur 8 19.43,-99.13”",),
    ),
    (
        "WhatsApp: button",
        _WA,
        whatsapp(Body="", MessageType="button", ButtonText="Sí", ButtonPayload="yes"),
        ("interaction inbound: “Sí”",),
    ),
    ("WhatsApp: after an advertisement", _WA, whatsapp(**_AD), _HELLO),
    (
        "WhatsApp: a form that was filled in",
        _WA,
        whatsapp(Body="", MessageType="interactive", InteractiveData=_FILLED),
        ("interaction inbound: “servicio: Frenos ⏎ día: 3”",),
    ),
    (
        "WhatsApp: a kind without words",
        _WA,
        whatsapp(Body="", MessageType="unsupported"),
        ("interaction inbound: “[unsupported]”",),
    ),
    (
        "WhatsApp: reaction",
        _WA,
        whatsapp(Body="👍", MessageType="reaction", OriginalRepliedMessageSid="SM2"),
        ("reaction of contact: 👍",),
    ),
    ("WhatsApp: read", _WA, status("read", EventType="READ"), ("status: read",)),
    ("call rings", _VOICE, call("ringing"), ("call inbound", "status: ringing")),
    (
        "call ended",
        _VOICE,
        told("completed", 0, CallDuration="300", Duration="5"),
        ("call inbound", "status: completed → answered", "status: completed → 300 s"),
    ),
    (
        "caller hung up before anything answered",
        _VOICE,
        told("canceled", 0, CallDuration="0"),
        ("call inbound", "status: canceled → missed"),
    ),
    (
        "call from a withheld number",
        _VOICE,
        call("ringing", From="+266696687"),
        ("call inbound", "status: ringing"),
    ),
    (
        "call of ours",
        _VOICE,
        outgoing("completed", 3, CallDuration="42"),
        ("call outbound", "status: completed → answered", "status: completed → 42 s"),
    ),
    (
        "call of ours, not taken",
        _VOICE,
        outgoing("no-answer", 2, CallDuration="0"),
        ("call outbound", "status: no-answer → no_answer"),
    ),
    (
        "call of ours that a machine took",
        _VOICE,
        outgoing("completed", 3, CallDuration="9", AnsweredBy="machine_start"),
        ("call outbound", "status: completed → voicemail, 9 s"),
    ),
    (
        "call that our person began in the browser",
        _VOICE,
        call("ringing", From="client:rosa", To=ANA),
        ("call outbound", "status: ringing"),
    ),
    (
        "leg to our person, taken",
        _VOICE,
        leg("completed", 3, CallDuration="280"),
        ("status: completed → 280 s", "status: completed → answered"),
    ),
    ("leg to our person, not taken", _VOICE, leg("no-answer", 2), ("status: no-answer → missed",)),
    (
        "nobody took the call that was passed on",
        _VOICE,
        dialled("no-answer", DialBridged="false"),
        ("call inbound", "status: dial-no-answer → missed"),
    ),
    (
        "somebody took it",
        _VOICE,
        dialled("completed", DialCallDuration="280", DialBridged="true"),
        ("call inbound", "status: dial-completed → 280 s", "status: dial-completed → answered"),
    ),
    ("recording", _VOICE, recording(), ("status: recording-completed",)),
    ("recording of nothing", _VOICE, recording("absent"), ("status: recording-absent",)),
    (
        "voicemail",
        _VOICE,
        recording(RecordingSource="RecordVerb"),
        ("status: recording-completed → voicemail",),
    ),
    (
        "voicemail, written down by a machine",
        _VOICE,
        call("completed", **_SAID),
        ("call inbound", "edit: “Llámenme”"),
    ),
    ("a conference began", _VOICE, {"ConferenceSid": "CF1"}, ("ignored: presence",)),
    ("an error in Twilio's log", _SMS, _NEWS, ("ignored: account_event",)),
    ("a queue of tasks", _SMS, _TASK, ("ignored: internal",)),
    ("nothing", _SMS, b"", ("ignored: empty",)),
    (
        "a conversation of Twilio's",
        _SMS,
        _CHAT,
        ("quarantine: unknown_kind (it is about a conversation of Twilio's)",),
    ),
    (
        "something new",
        _SMS,
        {"FaxSid": "FX1"},
        ("quarantine: unknown_kind (it is about neither a message nor a call)",),
    ),
    (
        "a message to nobody",
        _SMS,
        {"MessageSid": MESSAGE, "Body": "Hola", "From": "client:rosa"},
        ("quarantine: unparsable (nobody is at the other end)",),
    ),
)

TABLE: Final = Table(ROOT / "docs" / "channels" / "twilio.md", "twilio_examples", EXAMPLES)

if __name__ == "__main__":
    TABLE.write()
