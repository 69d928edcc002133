"""Twilio in detail: ends, accounts, files, times, and which way a call went."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from channels.contract import Commands
from channels.twilio_times import told_at
from domain.commands import RecordInteraction, ReportDelivery
from domain.recording import interaction_stream
from domain.values import Channel, DeliveryState, Direction, TimeSource
from tests.api.house import NOON
from tests.channels.shop import DERIVE
from tests.channels.twilio_examples import (
    ANA,
    CALL,
    MESSAGE,
    SHOP,
    call,
    leg,
    recording,
    sms,
    status,
    told,
    whatsapp,
)
from tests.channels.vendors import ACCOUNT, parsed

SMS = f"twilio_sms:{ACCOUNT}"
WHATSAPP = f"twilio_whatsapp:{ACCOUNT}"
VOICE = f"twilio_voice:{ACCOUNT}"

ENDED_US = NOON - 25 * 60 * 1_000_000
"""When the calls of the examples ended."""


def recorded(params: Mapping[str, str], channel: str = "twilio_sms") -> RecordInteraction:
    """The interaction of a request."""
    outcome = parsed(channel, params)[0].outcome
    assert isinstance(outcome, Commands), outcome
    first = outcome.commands[0]
    assert isinstance(first, RecordInteraction)
    return first


def reported(params: Mapping[str, str], channel: str = "twilio_sms") -> ReportDelivery:
    """What a request reports last."""
    outcome = parsed(channel, params)[0].outcome
    assert isinstance(outcome, Commands), outcome
    last = outcome.commands[-1]
    assert isinstance(last, ReportDelivery)
    return last


# ------------------------------------------------------------------------- messages


def test_a_message_is_recorded_whole() -> None:
    """Channel, direction, ends, account, id and text; the time is the arrival's, and says so."""
    found = recorded(sms())
    assert (found.channel, found.direction) == (Channel.SMS, Direction.INBOUND)
    assert (found.resource, found.destination) == (f"tel:{ANA}", f"tel:{SHOP}")
    assert (found.source, found.external_id) == (SMS, MESSAGE)
    assert (found.occurred_at, found.time_source) == (NOON, TimeSource.RECEIVED)
    assert found.text == "Hola, ¿sigue disponible?"
    assert json.loads(found.original or b"")["ToCity"] == ""


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("+525512345678", "tel:+525512345678"),
        ("+5215512345678", "tel:+525512345678"),
        ("525512345678", "tel:+525512345678"),
        ("5512345678", "tel:+525512345678"),
        (" +52 55 1234 5678", "tel:+525512345678"),
        ("38737", "short:MX/38737"),
        ("+38737", "short:MX/38737"),
        ("BANAMEX", f"sender:{SMS}/BANAMEX"),
        ("", f"anonymous:{SMS}"),
        ("rcs:+525512345678", "tel:+525512345678"),
        ("whatsapp:+5215512345678", "tel:+525512345678"),
        ("whatsapp:MX.1349", f"whatsapp:{ACCOUNT}/MX.1349"),
    ],
)
def test_an_end_is_read_however_it_is_written(written: str, address: str) -> None:
    """Phones with and without plus or country, short codes, names, users, nobody."""
    assert recorded(sms(From=written)).resource == address


def test_a_short_code_has_the_country_of_the_other_end() -> None:
    """Where no country is said, the calling code of the phone at the other end says it."""
    params = sms(From="+14155550100", To="38737", FromCountry="", ToCountry="")
    assert recorded(params).destination == "short:US/38737"
    assert recorded({**params, "From": "+447700900123"}).destination == "short:GB/38737"


def test_the_account_is_the_one_that_the_request_names() -> None:
    """A request belongs to its account, else to the connection's; both may be subaccounts."""
    assert recorded(sms(AccountSid="ACother")).source == "twilio_sms:ACother"
    without = {name: text for name, text in sms().items() if name != "AccountSid"}
    assert recorded(without).source == SMS


def test_whatsapp_has_names_and_second_addresses() -> None:
    """A phone and a user id of one signed request are one person, whichever is the address."""
    found = recorded(whatsapp(ExternalUserId="whatsapp:MX.1349"), "twilio_whatsapp")
    assert (found.channel, found.source) == (Channel.WHATSAPP, WHATSAPP)
    assert (found.resource, found.contact_name) == (f"tel:{ANA}", "Ana Núñez")
    user = f"whatsapp:{ACCOUNT}/MX.1349"
    assert [(one.address, one.asserted) for one in found.aliases] == [(user, True)]
    hidden = recorded(whatsapp(From="whatsapp:MX.1349"), "twilio_whatsapp")
    assert hidden.resource == user
    assert [one.address for one in hidden.aliases] == [f"tel:{ANA}"]


def test_a_missing_prefix_changes_nothing_at_the_whatsapp_url() -> None:
    """A connection of WhatsApp takes ends without `whatsapp:` for WhatsApp's."""
    found = recorded(whatsapp(From=ANA, To=SHOP), "twilio_whatsapp")
    assert (found.channel, found.source, found.resource) == (
        (Channel.WHATSAPP, WHATSAPP, f"tel:{ANA}")
    )


def test_what_goes_with_a_message_is_kept() -> None:
    """The advertisement and its campaign, the message that is answered, the choice of a button."""
    found = recorded(
        whatsapp(
            ReferralHeadline="Venta  SUV 2025",
            ReferralSourceId="120211",
            ReferralCtwaClid="Aff",
            OriginalRepliedMessageSid="SM9",
            ButtonPayload="yes",
            Forwarded="true",
        )
    )
    assert (found.campaign, found.in_reply_to) == ("Venta SUV 2025", "SM9")
    details = json.loads(found.details or b"")
    assert details["referral"]["CtwaClid"] == "Aff"
    assert (details["button_payload"], details["forwarded"]) == ("yes", "true")


def test_files_are_kept_in_their_order_whatever_their_number_says() -> None:
    """`NumMedia` is a text and may be wrong; each file has its type and the provider's id."""
    found = recorded(
        sms(
            NumMedia="1",
            MediaUrl10="https://api.twilio.com/x/ME10",
            MediaUrl2="https://api.twilio.com/x/ME2?a=1",
            MediaContentType2="image/png",
            MediaUrl0="not a link",
        )
    )
    assert [(one.name, one.provider_id) for one in found.attachments] == [
        ("document", "not a link"),
        ("image.png", "ME2"),
        ("document", "ME10"),
    ]
    assert [one.url is None for one in found.attachments] == [True, False, False]


def test_names_that_come_again_count_once() -> None:
    """Of a parameter that comes again the first value counts that is not blank."""
    body = urlencode([("Body", ""), ("Body", "uno"), ("Body", "dos"), *sms().items()]).encode()
    assert recorded(body).text == "uno"  # type: ignore[arg-type]  # raw bytes are taken as well


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("accepted", DeliveryState.QUEUED),
        ("sending", DeliveryState.QUEUED),
        ("partially_delivered", DeliveryState.DELIVERED),
        ("undelivered", DeliveryState.FAILED),
        ("canceled", DeliveryState.FAILED),
        ("delivered", None),
        ("huh", None),
    ],
)
def test_words_are_kept_beside_what_they_mean(word: str, state: DeliveryState | None) -> None:
    """Twilio's own words have a state of ours; all others speak for themselves."""
    found = reported(status(word.upper()))
    assert (found.word, found.state, found.key) == (word, state, word)
    assert found.about == interaction_stream(DERIVE, SMS, MESSAGE)
    assert found.recipient == f"tel:{ANA}"


# ---------------------------------------------------------------------------- calls


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("Sun, 22 Nov 2026 11:35:00 +0000", ENDED_US),
        ("Thurs, 22 Nov 2026 11:35:00 Etc/UTC", ENDED_US),
        ("Sun, 22 Nov 2026 05:35:00 -0600", ENDED_US),
        ("2026-11-22T11:35:00Z", ENDED_US),
        ("1795347300", ENDED_US),
        ("1795347300000", ENDED_US),
        ("yesterday", None),
        ("Sun, 22 Nov 2099 11:35:00 +0000", None),
        ("Sun, 99 Nov 2026 11:35:00 +0000", None),
        ("", None),
    ],
)
def test_times_are_read_leniently(written: str, at: int | None) -> None:
    """RFC 2822 as it is meant, and what else is in the wild; nonsense is the time of arrival."""
    expected = (at, TimeSource.PROVIDER) if at else (NOON, TimeSource.RECEIVED)
    assert told_at(written, NOON) == expected


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ({}, ("inbound", f"tel:{ANA}", f"tel:{SHOP}")),
        ({"Direction": "outbound-api"}, ("outbound", f"tel:{ANA}", f"tel:{SHOP}")),
        ({"From": "client:rosa"}, ("outbound", f"sender:{VOICE}/client:rosa", f"tel:{SHOP}")),
        ({"To": "client:rosa"}, ("inbound", f"tel:{ANA}", f"sender:{VOICE}/client:rosa")),
        (
            {"From": "sip:ext7@colibri.sip.twilio.com"},
            ("outbound", f"sender:{VOICE}/sip:ext7@colibri.sip.twilio.com", f"tel:{SHOP}"),
        ),
        (
            {"From": "sip:+525512345678@198.51.100.7", "To": "sip:+525598765432@x.sip.twilio.com"},
            ("inbound", f"tel:{ANA}", f"tel:{SHOP}"),
        ),
        ({"From": "Anonymous"}, ("inbound", f"anonymous:{VOICE}", f"tel:{SHOP}")),
        ({"From": "+266696687"}, ("inbound", f"anonymous:{VOICE}", f"tel:{SHOP}")),
        ({"From": ""}, ("inbound", f"anonymous:{VOICE}", f"tel:{SHOP}")),
        (
            {"From": "sip:anonymous@anonymous.invalid"},
            ("inbound", f"anonymous:{VOICE}", f"tel:{SHOP}"),
        ),
    ],
)
def test_our_own_lines_tell_the_direction(
    ends: dict[str, str], expected: tuple[str, str, str]
) -> None:
    """A client or desk phone is ours; Twilio's word counts where both ends may be anybody's."""
    found = recorded(call("ringing", **ends), "twilio_voice")
    assert (found.direction, found.resource, found.destination) == expected


def test_an_agent_in_the_browser_attended_the_call() -> None:
    """Who began a call in the browser handled it."""
    assert recorded(call("ringing", From="client:rosa"), "twilio_voice").attended_by == "rosa"


def test_a_call_began_before_it_ended() -> None:
    """An event's time is its own: a call that ended began as many seconds earlier."""
    found = recorded(told("completed", 0, CallDuration="300", Duration="5"), "twilio_voice")
    assert (found.occurred_at, found.time_source) == ((ENDED_US - 300_000_000, TimeSource.PROVIDER))
    late = recorded(call("completed", CallDuration="60"), "twilio_voice")
    assert (late.occurred_at, late.time_source) == (NOON - 60_000_000, TimeSource.RECEIVED)


@pytest.mark.parametrize("params", [leg("completed", 3), recording()])
def test_legs_and_recordings_speak_of_their_parent(params: dict[str, str]) -> None:
    """They record nothing of their own: they report about the call's own leg."""
    found = reported(params, "twilio_voice")
    assert found.about == interaction_stream(DERIVE, VOICE, CALL)


@pytest.mark.parametrize(
    "ends",
    [
        {"From": "client:a", "To": "client:b"},
        {"From": SHOP, "To": "client:rosa", "Direction": "outbound-api"},
        {"From": SHOP, "To": "sip:ext7@colibri.sip.twilio.com", "Direction": "outbound-api"},
    ],
)
def test_what_is_dialled_inside_is_no_interaction(ends: dict[str, str]) -> None:
    """Nobody outside is at either end: what is told is kept, and no contact is made of it."""
    outcome = parsed("twilio_voice", call("ringing", **ends))[0].outcome
    assert isinstance(outcome, Commands)
    assert [type(one) for one in outcome.commands] == [ReportDelivery]


def test_a_last_status_with_a_recording_is_a_status() -> None:
    """A recorded call's last status names the recording too; it is no voicemail for that."""
    found = reported(
        told("completed", 0, CallDuration="9", RecordingSid="RE1", RecordingDuration="9"),
        "twilio_voice",
    )
    assert (found.word, found.call and found.call.seconds) == ("completed", 9)
