"""What Twilio tells, as people see it afterwards: statuses, calls, and the door."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final
from urllib.parse import urlencode

import pytest

from channels.contract import Incoming
from channels.twilio_signature import signed
from tests.channels.twilio_examples import (
    ANA,
    BEGAN,
    EXAMPLES,
    MESSAGE,
    SHOP,
    call,
    dialled,
    leg,
    outgoing,
    recording,
    sms,
    status,
    told,
    whatsapp,
)
from tests.channels.vendors import ACCOUNT, PUBLIC_URL, Desk, body_of

SMS = f"twilio_sms:{ACCOUNT}"
WHATSAPP = f"twilio_whatsapp:{ACCOUNT}"

JUST_BEFORE = "Sun, 22 Nov 2026 11:34:55 +0000"


def test_a_message_and_its_statuses_meet_in_any_order(desk: Desk) -> None:
    """Statuses before their message wait for it; each counts once, whoever recorded it."""
    for word in ("delivered", "sent", "delivered", "queued"):
        answer = desk.twilio("twilio_sms", status(word))
        assert (answer.status_code, answer.text) == (200, "<Response/>")
        assert answer.headers["content-type"].startswith("text/xml")
    assert desk.rows() == []
    body = {
        "channel": "sms",
        "direction": "outbound",
        "source": SMS,
        "external_id": MESSAGE,
        "resource": f"tel:{SHOP}",
        "destination": f"tel:{ANA}",
        "occurred_at": "2026-11-22T11:59:00Z",
        "text": "Va en camino",
    }
    client = desk.house.client
    assert client.post("/v1/interactions", json=body, headers=desk.admin).status_code == 201
    assert desk.row()["status"]["state"] == "delivered"
    balance = desk.balance("twilio_sms")
    assert (balance["received"], balance["recorded"], balance["duplicate"]) == (4, 3, 1)


def test_a_lost_message_says_why(small_desk: Desk) -> None:
    """`undelivered` is a failure with its code, and the word is kept."""
    small_desk.twilio("twilio_sms", status("sent", Body="Va en camino"))
    small_desk.twilio("twilio_sms", status("undelivered", ErrorCode="30003"))
    shown = small_desk.row()["status"]
    assert (shown["state"], shown["raw"]) == ("failed", "undelivered")
    assert shown["failure"]["code"] == "30003"


def test_a_message_that_comes_again_is_one(desk: Desk) -> None:
    """The same request twice, later too, is one interaction of one contact."""
    desk.twilio("twilio_whatsapp", whatsapp(ExternalUserId="whatsapp:MX.1349"))
    desk.house.now[0] += 60_000_000
    desk.twilio("twilio_sms", whatsapp(ExternalUserId="whatsapp:MX.1349"))
    row = desk.row(source=WHATSAPP)
    assert (row["text"], row["contact"]["name"]) == ("Hola, ¿sigue disponible?", "Ana Núñez")
    assert row["occurred_at_source"] == "received"
    assert desk.balance("twilio_sms")["duplicate"] == 1


def _outcome(desk: Desk, *requests: Mapping[str, str]) -> tuple[object, object]:
    """What the one call looks like after these requests: outcome and seconds."""
    for request in requests:
        assert desk.twilio("twilio_voice", request).status_code == 200
    shown = desk.row()["call"]
    return shown["outcome"], shown["seconds"]


ANSWERED = (
    call("ringing"),
    leg("in-progress", 2, Timestamp=BEGAN),
    leg("completed", 3, CallDuration="280"),
    leg("canceled", 1, Timestamp=BEGAN, CallSid="CA3", To="client:luis"),
    recording(),
    told("completed", 0, CallDuration="300", Duration="5"),
)
"""A call that Rosa took and Luis did not."""


@pytest.mark.parametrize("seed", range(2))
def test_a_call_is_one_interaction_in_any_order(small_desk: Desk, seed: int) -> None:
    """Legs, recordings and statuses come in any order, twice: one call, its length in seconds."""
    requests = [*ANSWERED, *ANSWERED]
    Random(seed).shuffle(requests)
    assert _outcome(small_desk, *requests) == ("answered", 300)
    row = small_desk.row()
    assert (row["channel"], row["direction"]) == ("call", "inbound")
    assert row["resource"]["address"] == f"tel:{ANA}"


def test_a_call_that_nobody_took_was_missed_although_it_completed(desk: Desk) -> None:
    """The application answered and the people did not: whoever dialled them knows it."""
    ended = told("completed", 0, CallDuration="40", Duration="1")
    assert _outcome(desk, call("ringing"), dialled("no-answer"), ended) == ("missed", 40)


OUTCOMES: Final = (
    ([told("completed", 0, CallDuration="40")], ("answered", 40)),
    (
        [leg("busy", 2, Timestamp=JUST_BEFORE), told("completed", 0, CallDuration="9")],
        ("missed", 9),
    ),
    ([told("canceled", 0, CallDuration="0")], ("missed", 0)),
    ([told("completed", 0, CallDuration="0")], ("missed", 0)),
    ([outgoing("no-answer", 2, CallDuration="0")], ("no_answer", 0)),
    ([outgoing("busy", 2, CallDuration="0")], ("busy", 0)),
    ([outgoing("failed", 2, CallDuration="0", SipResponseCode="404")], ("failed", 0)),
    ([call("ringing")], (None, None)),
    (
        [call("in-progress"), recording(RecordingSource="RecordVerb", RecordingStartTime="")],
        ("voicemail", None),
    ),
)
"""What is told of a call, and what it came to: outcome and seconds."""


def test_a_call_comes_to_what_it_was(small_desk: Desk) -> None:
    """Each outcome, in either order of what was told."""
    expected = {}
    for number, (requests, outcome) in enumerate(OUTCOMES):
        for order, ordered in enumerate((requests, requests[::-1])):
            phone = f"+52551000{number:02}0{order}"
            expected[f"tel:{phone}"] = outcome
            for request in ordered:
                ends = {name: phone for name in ("From", "To") if request.get(name) == ANA}
                parent = "ParentCallSid" if "ParentCallSid" in request else "CallSid"
                own = {**request, **ends, parent: f"CA{number}{order}"}
                assert small_desk.twilio("twilio_voice", own).status_code == 200
    found = {
        row[end]["address"]: (row["call"]["outcome"], row["call"]["seconds"])
        for row in small_desk.rows()
        for end in ("resource", "destination")
        if row[end]["address"] in expected
    }
    assert found == expected


def test_a_voicemail_can_be_read(small_desk: Desk) -> None:
    """What a machine heard becomes the text of the call."""
    heard = {"TranscriptionSid": "TR1", "TranscriptionText": "Llámenme", "RecordingSid": "RE1"}
    _outcome(small_desk, call("ringing"), call("completed", **heard))
    assert small_desk.row()["text"] == "Llámenme"


def test_withheld_numbers_are_one_contact_of_the_account(small_desk: Desk) -> None:
    """Two hidden callers are one bucket; two calls all the same."""
    for number, hidden in enumerate(("+266696687", "anonymous")):
        small_desk.twilio("twilio_voice", call("ringing", CallSid=f"CA{number}", From=hidden))
    rows = small_desk.rows()
    assert len(rows) == 2
    assert len({row["contact"]["id"] for row in rows}) == 1


def test_what_a_caller_types_is_told_apart(small_desk: Desk) -> None:
    """Two menus under one status are two facts; each of them repeated is one."""
    typed = [call("in-progress", Digits=digits) for digits in ("1", "2", "1")]
    _outcome(small_desk, *typed)
    balance = small_desk.balance("twilio_voice")
    assert (balance["recorded"], balance["duplicate"]) == (2, 1)


# -------------------------------------------------------------------------- the door


def test_the_door_knows_twilio(desk: Desk) -> None:
    """A missing signature, a wrong token and another URL are 401, counted, never an error."""
    assert desk.twilio("twilio_sms", sms(), token=None).status_code == 401
    assert desk.twilio("twilio_sms", sms(), token=b"another").status_code == 401
    assert desk.twilio("twilio_sms", sms(), url="https://evil.example/x").status_code == 401
    port = f"{PUBLIC_URL}:443/channels/twilio_sms/main"
    assert desk.twilio("twilio_sms", sms(), url=port).status_code == 200
    rejected = desk.balance("twilio_sms")["rejected"]
    assert (rejected["no_signature"], rejected["bad_signature"]) == (1, 2)


def test_two_tokens_are_good_during_a_rotation(small_desk: Desk) -> None:
    """The new token and the one before it are both taken."""
    body = {"secrets": {"auth_token": "second"}}
    where = "/v1/channels/twilio_sms/main"
    client = small_desk.house.client
    assert client.request("PATCH", where, json=body, headers=small_desk.admin).is_success
    assert small_desk.twilio("twilio_sms", sms()).status_code == 200
    assert small_desk.twilio("twilio_sms", status("sent"), token=b"second").status_code == 200


def test_what_comes_by_get_is_taken(small_desk: Desk) -> None:
    """A number that is set to GET delivers by its query, and waits in quarantine whole."""
    for number, params in enumerate((sms(), sms(From="client:x", MessageSid="SM7"))):
        path = f"/channels/twilio_sms/main?{urlencode(params)}"
        headers = signed(Incoming(url=PUBLIC_URL + path), b"auth token of a test")
        assert small_desk.house.client.get(path, headers=headers).status_code == 200
        assert small_desk.balance("twilio_sms")["received"] == number + 1
    assert small_desk.row()["text"] == "Hola, ¿sigue disponible?"
    assert small_desk.balance("twilio_sms")["quarantined"] == 1
    assert small_desk.house.client.get("/channels/twilio_sms/main").status_code == 401


def test_all_that_twilio_tells_twice_changes_nothing(small_desk: Desk) -> None:
    """Every example twice in any order: recorded once, and nothing is an error."""
    told_twice = [(at, body) for _, at, body, _ in EXAMPLES] * 2
    Random(7).shuffle(told_twice)
    for channel, body in told_twice:
        assert small_desk.twilio(channel, body_of(body)).status_code == 200
    balances = [small_desk.balance(at) for at in ("twilio_sms", "twilio_whatsapp", "twilio_voice")]
    assert sum(one["received"] for one in balances) == len(told_twice)
    before = len(small_desk.entries())
    for channel, body in reversed(told_twice):
        assert small_desk.twilio(channel, body_of(body)).status_code == 200
    assert len(small_desk.entries()) == before
