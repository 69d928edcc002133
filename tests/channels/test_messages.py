"""WhatsApp messages in detail: people, times, files, what goes with them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from channels.contract import Commands
from domain.commands import RecordInteraction, ReportChange, ReportDelivery
from domain.recording import interaction_stream
from domain.values import Auto, CallOutcome, Direction, Origin, TimeSource
from tests.api.house import NOON
from tests.channels.shop import (
    ANA,
    BUSINESS,
    DERIVE,
    SENT_S,
    SHOP,
    SOURCE,
    change,
    messages,
    parsed,
    request,
    text,
)

USER = f"whatsapp:{BUSINESS}/MX.1349"


def recorded(body: object) -> RecordInteraction:
    """The interaction of the first atom."""
    outcome = parsed(body)[0].outcome
    assert isinstance(outcome, Commands), outcome
    (first, *_) = outcome.commands
    assert isinstance(first, RecordInteraction)
    return first


def reported(body: object) -> ReportDelivery | ReportChange:
    """What the first atom reports last."""
    outcome = parsed(body)[0].outcome
    assert isinstance(outcome, Commands), outcome
    last = outcome.commands[-1]
    assert isinstance(last, ReportDelivery | ReportChange)
    return last


def details(command: RecordInteraction) -> dict[str, Any]:
    """The details of an interaction."""
    return dict(json.loads(command.details or b"{}"))


def without(item: dict[str, object], *names: str) -> dict[str, object]:
    """A message that lacks some fields."""
    return {name: inner for name, inner in item.items() if name not in names}


# ----------------------------------------------------------------------------- people


def test_a_message_has_its_ends_its_source_and_its_name() -> None:
    """The sender is the resource, our number the destination, the number's id the source."""
    command = recorded(messages(text("wamid.A")))
    assert (command.resource, command.destination) == (ANA, SHOP)
    assert (command.source, command.namespace, command.key) == (SOURCE, SOURCE, "wamid.A")
    assert command.contact_name == "Ana Núñez"
    assert [(one.address, one.asserted) for one in command.aliases] == [(USER, True)]


def test_a_user_without_a_number_is_known_by_the_user_id() -> None:
    """Who hides the number, with an empty field or none at all, is reached by the user id."""
    for hidden in ({"from": ""}, {}):
        item = {**without(text("wamid.A"), "from"), **hidden, "from_user_id": "MX.1349"}
        block = {"profile": {"name": "Ana", "username": "ana.n"}, "user_id": "MX.1349"}
        command = recorded(request(change(messages=[item], contacts=[block])))
        assert command.resource == USER
        assert command.aliases == ()
        assert details(command)["username"] == "ana.n"


def test_a_number_that_is_none_is_kept_as_an_id() -> None:
    """A sender whose number cannot be one is still somebody: an id within the business."""
    assert recorded(messages(text("wamid.A", **{"from": "5678"}))).resource == (
        f"whatsapp:{BUSINESS}/5678"
    )


def test_a_name_is_never_given_to_somebody_else() -> None:
    """A contact that is not the sender gives neither a name nor an id."""
    command = recorded(messages(text("wamid.A", **{"from": "250788383383"})))
    assert (command.contact_name, command.aliases) == (None, ())


def test_a_mexican_number_with_its_old_digit_is_the_same_person() -> None:
    """WhatsApp's 521 and the 52 of the contact's block are one number."""
    command = recorded(messages(text("wamid.A", **{"from": "5215512345678"})))
    assert (command.resource, command.contact_name) == (ANA, "Ana Núñez")


def test_our_number_is_read_as_leniently_as_theirs() -> None:
    """Our own number with blanks and plus is a phone; what is none is a sender's name."""
    for shown, expected in (
        ("+52 55 9876 5432", SHOP),
        ("Refaccionaria", f"sender:{SOURCE}/Refaccionaria"),
    ):
        metadata = {"display_phone_number": shown, "phone_number_id": SOURCE.partition(":")[2]}
        whole = change(messages=[text("wamid.A")], metadata=metadata)
        assert recorded(request(whole)).destination == expected


def test_each_change_names_its_own_number() -> None:
    """Two changes of one delivery about two numbers go to two sources."""
    metadata = {"display_phone_number": "525500000000", "phone_number_id": 99}
    other = change(messages=[text("wamid.B")], metadata=metadata)
    atoms = parsed(request(change(messages=[text("wamid.A")]), other))
    assert [atom.source for atom in atoms] == [SOURCE, "whatsapp:99"]


def test_without_a_number_the_business_account_is_the_source() -> None:
    """A message that does not say its number is recorded under the business account."""
    body = request({"field": "messages", "value": {"messages": [text("wamid.A")]}})
    assert recorded(body).source == f"whatsapp:{BUSINESS}"


def test_a_changed_number_is_asserted_to_be_the_same_person() -> None:
    """The new number of somebody who changed theirs is an asserted alias of the old one."""
    system = {"type": "user_changed_number", "body": "x", "wa_id": "525500001111"}
    item = {**without(text("wamid.A"), "text"), "type": "system", "system": system}
    command = recorded(messages(item))
    assert command.auto is Auto.AUTO_REPLY
    assert [one.address for one in command.aliases] == [USER, "tel:+525500001111"]


def test_a_change_is_told_of_whoever_they_were() -> None:
    """The old number and user id are the sender; the new ones follow, in their order."""
    system = {
        "type": "user_changed_number",
        "wa_id": "525500001111",
        "user_id": "MX.2",
        "previous_user_id": "MX.1",
    }
    item = {**without(text("wamid.A"), "text"), "type": "system", "system": system}
    command = recorded(request(change(messages=[item], contacts=[])))
    assert command.succession
    assert command.resource == ANA
    assert [one.address for one in command.aliases] == [
        f"whatsapp:{BUSINESS}/MX.1",
        "tel:+525500001111",
        f"whatsapp:{BUSINESS}/MX.2",
    ]


def test_a_changed_key_of_a_chat_is_no_changed_person() -> None:
    """A system message that names nobody new asserts nothing of who follows whom."""
    system = {"type": "customer_identity_changed", "wa_id": "525512345678", "body": "x"}
    item = {**without(text("wamid.A"), "text"), "type": "system", "system": system}
    assert not recorded(messages(item)).succession


def test_what_our_own_number_wrote_is_outbound_wherever_it_stands() -> None:
    """A message from our number to somebody, in the list of messages, goes from us to them."""
    item = {**text("wamid.C"), "from": "525598765432", "to": "525512345678"}
    command = recorded(messages(item))
    assert command.direction is Direction.OUTBOUND
    assert (command.resource, command.destination) == (SHOP, ANA)


# ------------------------------------------------------------------------------ times


@pytest.mark.parametrize(
    "written",
    [str(SENT_S), SENT_S, str(SENT_S * 1000), SENT_S * 1000, f"{SENT_S}.0"],
    ids=["text", "number", "text ms", "number ms", "fraction"],
)
def test_seconds_and_milliseconds_are_told_apart(written: object) -> None:
    """A time in seconds or milliseconds, as text or number, is the same moment."""
    command = recorded(messages(text("wamid.A", timestamp=written)))
    assert (command.occurred_at, command.time_source) == (
        SENT_S * 1_000_000,
        TimeSource.PROVIDER,
    )


@pytest.mark.parametrize("written", ["asdf", "", None, "0", "-5", "12", SENT_S + 10_000, "9" * 30])
def test_an_absurd_time_is_when_it_was_received(written: object) -> None:
    """A time that is missing, absurd or ahead of us is the time of arrival, and says so."""
    command = recorded(messages(text("wamid.A", timestamp=written)))
    assert (command.occurred_at, command.time_source) == (NOON, TimeSource.RECEIVED)


def test_a_status_without_a_time_is_one_however_often_it_comes() -> None:
    """A status whose time is unknown has a key that does not depend on when it arrived."""
    body = request(change(statuses=[{"id": "wamid.B", "status": "read"}]))
    one, other = (parsed(body, received_at=at)[0].outcome for at in (NOON, NOON + 9))
    assert isinstance(one, Commands)
    assert isinstance(other, Commands)
    first, second = one.commands[0], other.commands[0]
    assert isinstance(first, ReportDelivery)
    assert isinstance(second, ReportDelivery)
    assert first.key == second.key is not None


# -------------------------------------------------------------------------- contents


def test_a_hash_is_taken_from_base64_and_from_hex() -> None:
    """A file's hash is 64 hex digits, however it was written; what is no hash is none."""
    digest = hashlib.sha256(b"x").digest()
    for written, expected in (
        (base64.b64encode(digest).decode(), digest.hex()),
        (digest.hex().upper(), digest.hex()),
        ("4654+8g=", None),
        (7, None),
    ):
        image = {"id": 65463453, "mime_type": "image/jpeg", "sha256": written}
        item = {**without(text("wamid.A"), "text"), "type": "image", "image": image}
        (file,) = recorded(messages(item)).attachments
        assert (file.sha256, file.provider_id) == (expected, "65463453")
        assert file.id == DERIVE.id("attachment", SOURCE, "wamid.A", "0")


def test_an_answer_names_what_it_answers() -> None:
    """What a message answers and that it was forwarded is kept."""
    context = {"id": "wamid.0", "from": "1", "frequently_forwarded": True}
    command = recorded(messages(text("wamid.A", context=context)))
    assert command.in_reply_to == "wamid.0"
    assert details(command)["frequently_forwarded"] is True


def test_an_advertisement_is_never_lost() -> None:
    """The referral, which comes once only, is kept whole, and its headline is the campaign."""
    referral = {"source_type": "ad", "source_id": 120211, "ctwa_clid": "Aff", "headline": "SUV"}
    command = recorded(messages(text("wamid.A", referral=referral)))
    assert command.campaign == "SUV"
    assert details(command)["referral"] == referral
    bare = {"source_type": "ad", "source_id": 120211}
    assert recorded(messages(text("wamid.A", referral=bare))).campaign == "120211"


def test_a_group_is_a_thread() -> None:
    """A message in a group is its sender's, in the group's thread."""
    command = recorded(messages(text("wamid.A", group_id="Y2FwaV9n")))
    assert (command.resource, command.thread) == (ANA, "Y2FwaV9n")


def test_details_that_are_too_large_are_cut_not_refused() -> None:
    """Details above their limit lose their last parts; the original has them all."""
    item = text("wamid.A", errors=[{"title": "x" * 10_000}])
    command = recorded(messages(item))
    assert details(command) == {"type": "text"}
    assert json.loads(command.original or b"") == item


def test_nothing_unstorable_gets_through() -> None:
    """NUL goes, half an emoji becomes a replacement character, the rest of the text stays."""
    raw = json.dumps(messages(text("wamid.A", "a\x00b"))).encode()
    assert recorded(raw).text == "ab"
    half = raw.replace(b"a\\u0000b", b"ok \\ud83d")
    assert recorded(half).text == "ok \ufffd"


def test_a_form_whose_answer_is_no_object_is_shown_as_it_is() -> None:
    """A form's answer may be anything in JSON, or no JSON at all."""
    for written in ('"ya"', "ya", None):
        reply = {"type": "nfm_reply", "nfm_reply": {"response_json": written, "body": "Sent"}}
        item = {**without(text("wamid.A"), "text"), "type": "interactive", "interactive": reply}
        assert recorded(messages(item)).text == ("ya" if written else "Sent")


def test_a_message_without_an_id_is_its_own_key() -> None:
    """A message without an id is recorded; the same one again has the same key."""
    body = messages(without(text("x"), "id"))
    one, again = recorded(body), recorded(body)
    assert one.key == again.key
    assert one.key.startswith("sha256:")
    assert one.external_id is None


# --------------------------------------------------------------- what happens to them


def test_a_reaction_is_about_its_message() -> None:
    """A reaction names the stream of the message, whether that has arrived or not."""
    item = {
        **without(text("wamid.R"), "text"),
        "type": "reaction",
        "reaction": {"message_id": "wamid.0"},
    }
    report = reported(messages(item))
    assert isinstance(report, ReportChange)
    assert report.about == interaction_stream(DERIVE, SOURCE, "wamid.0")
    assert (report.key, report.emoji, report.by) == ("wamid.R", None, "contact")


def test_a_failure_says_why() -> None:
    """A failed status has the code and the words of its first error."""
    error = {"code": 131026, "title": "Undeliverable", "error_data": {"details": "Old app"}}
    status = {
        "id": "wamid.B",
        "status": "failed",
        "timestamp": SENT_S,
        "recipient_id": "525512345678",
        "errors": [error],
    }
    report = reported(request(change(statuses=[status])))
    assert isinstance(report, ReportDelivery)
    assert (report.code, report.message) == ("131026", "Undeliverable: Old app")
    assert report.recipient == ANA


def test_a_group_status_is_about_one_member() -> None:
    """A status in a group is sealed under, and says, the member whom it is about."""
    status = {
        "id": "wamid.B",
        "status": "read",
        "timestamp": SENT_S,
        "recipient_id": "Y2FwaV9n",
        "recipient_type": "group",
        "recipient_participant_id": "525512345678",
    }
    report = reported(request(change(statuses=[status])))
    assert isinstance(report, ReportDelivery)
    assert (report.recipient, report.participant) == (ANA, ANA)


def test_an_echo_goes_the_other_way() -> None:
    """What was sent from the Business app goes from us to them, also under its other name."""
    echo = {**text("wamid.C"), "from": "525598765432", "to": "525512345678"}
    for name in ("message_echoes", "messages"):
        command = recorded(request(change("smb_message_echoes", **{name: [echo]})))
        assert command.direction is Direction.OUTBOUND
        assert (command.resource, command.destination) == (SHOP, ANA)
        assert command.contact_name == "Ana Núñez"


def test_an_echo_the_wrong_way_round_is_still_ours() -> None:
    """An echo that names us as its receiver is about the other end."""
    echo = {**text("wamid.C"), "to": "525598765432"}
    command = recorded(request(change("smb_message_echoes", message_echoes=[echo])))
    assert command.destination == ANA


def test_history_is_imported_from_both_sides() -> None:
    """Messages of the past are imported, each the way it went."""
    thread = {
        "id": "525512345678",
        "messages": [text("wamid.D"), {**text("wamid.E"), "from": "525598765432"}],
    }
    atoms = parsed(request(change("history", history=[{"threads": [thread]}])))
    found = [atom.outcome for atom in atoms]
    ways = []
    for outcome in found:
        assert isinstance(outcome, Commands)
        assert outcome.copy
        command = outcome.commands[0]
        assert isinstance(command, RecordInteraction)
        ways.append((command.origin, command.direction, command.time_source))
    assert ways == [
        (Origin.IMPORTED, Direction.INBOUND, TimeSource.IMPORT),
        (Origin.IMPORTED, Direction.OUTBOUND, TimeSource.IMPORT),
    ]


def test_a_call_that_failed_says_so_as_a_list_too() -> None:
    """The state of a call is a word, or a list of one word."""
    for state in ("FAILED", ["FAILED"]):
        call = {"id": "wacid.A", "from": "525512345678", "event": "terminate", "status": state}
        report = reported(request(change("calls", calls=[call])))
        assert isinstance(report, ReportDelivery)
        assert report.word == "failed"
        assert report.call is not None
        assert report.call.outcome is CallOutcome.FAILED


def test_a_list_in_another_field_is_not_lost() -> None:
    """Statuses beside echoes, or messages beside preferences, are read as what they are."""
    status = {"id": "wamid.B", "status": "read", "timestamp": SENT_S}
    atoms = parsed(request(change("smb_message_echoes", statuses=[status])))
    assert [type(atom.outcome) for atom in atoms] == [Commands]


def test_the_keys_of_a_calls_sound_are_not_kept() -> None:
    """What sets up the sound of a call is no part of the record."""
    call = {
        "id": "wacid.A",
        "from": "525512345678",
        "event": "connect",
        "timestamp": SENT_S,
        "session": {"sdp": "v=0"},
    }
    report = reported(request(change("calls", calls=[call])))
    assert b"sdp" not in (report.original or b"")
