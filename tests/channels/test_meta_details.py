"""Messenger, Instagram and lead ads in detail: ends, times, keys, campaigns, files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from channels.contract import Commands, Ignored, Unreadable
from channels.lead_ads_forms import answers_in, completion
from domain.commands import RecordInteraction, ReportChange, ReportDelivery, ReportWatermark
from domain.recording import interaction_stream
from domain.values import Auto, Channel, Direction, TimeSource
from tests.api.house import NOON
from tests.channels.meta_shop import (
    ACCOUNT,
    IGSID,
    PAGE,
    PSID,
    SENT_MS,
    change,
    direct,
    echo,
    file,
    inbox,
    item,
    lead,
    parsed,
    posted,
    said,
    shared,
)
from tests.channels.shop import DERIVE, SENT_S

ANA = f"messenger:{PAGE}/{PSID}"
OURS = f"messenger:{PAGE}/{PAGE}"


def last(body: object, channel: str = "messenger") -> Any:  # noqa: ANN401 - each test says which
    """The last command of the first atom."""
    outcome = parsed(channel, body)[0].outcome
    assert isinstance(outcome, Commands), outcome
    return outcome.commands[-1]


def recorded(body: object, channel: str = "messenger") -> RecordInteraction:
    """The interaction of the first atom."""
    command = last(body, channel)
    assert isinstance(command, RecordInteraction)
    return command


def details(command: RecordInteraction) -> dict[str, Any]:
    """The details of an interaction."""
    return dict(json.loads(command.details or b"{}"))


# ------------------------------------------------------------------------------- ends


def test_a_message_goes_from_the_person_to_the_page() -> None:
    """The person within the page is the resource, the page the destination and the source."""
    command = recorded(said(text="Hola"))
    assert (command.channel, command.direction) == (Channel.MESSENGER, Direction.INBOUND)
    assert (command.resource, command.destination) == (ANA, OURS)
    assert (command.source, command.namespace) == (f"messenger:{PAGE}",) * 2
    assert (command.key, command.external_id) == ("m_A", "m_A")


@pytest.mark.parametrize("ends", [(PAGE, PSID), (PSID, PAGE)], ids=["as it is", "the wrong way"])
def test_an_echo_goes_from_the_page_to_the_person(ends: tuple[str, str]) -> None:
    """What we sent goes from the page to the person, also where a relay turned it around."""
    body = inbox(item(*ends, message={"mid": "m_B", "is_echo": True, "text": "Hola"}))
    command = recorded(body)
    assert command.direction is Direction.OUTBOUND
    assert (command.resource, command.destination) == (OURS, ANA)


def test_an_echo_of_what_is_known_is_a_copy() -> None:
    """An echo gives way to what a program of ours recorded under the same id."""
    outcome = parsed("messenger", echo(text="Hola"))[0].outcome
    assert isinstance(outcome, Commands)
    assert outcome.copy


def test_each_entry_names_its_own_page() -> None:
    """Two entries of one request about two pages go to two sources."""
    entries = [
        {"id": page, "messaging": [item(message={"mid": "m_1", "text": "a"})]}
        for page in (PAGE, 77)
    ]
    both = {"object": "page", "entry": entries}
    assert [atom.source for atom in parsed("messenger", both)] == [
        f"messenger:{PAGE}",
        "messenger:77",
    ]


@pytest.mark.parametrize("entry", ["0", None, ""])
def test_without_an_account_the_receiver_is_it(entry: object) -> None:
    """An entry that names no account is of the account that the message went to."""
    inner = {"id": entry, "messaging": [shared(message={"mid": "x", "text": "Hola"})]}
    body = {"object": "instagram", "entry": [inner]}
    command = recorded(body, "instagram")
    assert command.source == f"instagram:{ACCOUNT}"
    assert command.resource == f"instagram:{ACCOUNT}/{IGSID}"


def test_a_request_without_any_envelope_is_understood() -> None:
    """One item right in the request, and an entry in an item's place, are read as what they are."""
    one = item(message={"mid": "m_A", "text": "Hola"})
    nested = {"object": "page", "messaging": [{"id": PAGE, "messaging": [one]}]}
    for body in ({"messaging": one}, nested, [inbox(one)], [inbox(one), inbox()]):
        command = recorded(body)
        assert (command.resource, command.destination) == (ANA, OURS)


def test_a_visitor_without_an_id_is_known_by_the_plug_ins_reference() -> None:
    """Who opted in by a plug-in is reached by its reference, and no bot's unread grows."""
    body = inbox({**item(optin={"ref": "pedido-31"}), "sender": {"user_ref": "u-7"}})
    command = recorded(body)
    assert command.resource == f"messenger:{PAGE}/u-7"
    assert command.auto is Auto.AUTO_REPLY


def test_every_object_is_understood_at_every_url() -> None:
    """A request of Instagram that arrives at Messenger's URL is recorded as Instagram's."""
    body = direct(shared(message={"mid": "x", "text": "Hola"}))
    for channel in ("messenger", "instagram", "lead_ads"):
        assert recorded(body, channel).channel is Channel.INSTAGRAM


# ------------------------------------------------------------------------------ times


@pytest.mark.parametrize("written", [SENT_MS, str(SENT_MS), SENT_S, str(SENT_S)])
def test_seconds_and_milliseconds_are_told_apart(written: object) -> None:
    """A time in seconds or milliseconds, as text or number, is the same moment."""
    command = recorded(inbox(item(message={"mid": "m_A", "text": "x"}) | {"timestamp": written}))
    assert (command.occurred_at, command.time_source) == (SENT_S * 1_000_000, TimeSource.PROVIDER)


@pytest.mark.parametrize("written", [0, -5, "soon", SENT_MS * 3, True, [1]])
def test_an_absurd_time_is_when_it_was_received(written: object) -> None:
    """A time that cannot be is the time of arrival, and says so."""
    body = inbox(item(message={"mid": "m_A", "text": "x"}) | {"timestamp": written}, time=None)
    command = recorded(body)
    assert (command.occurred_at, command.time_source) == (NOON, TimeSource.RECEIVED)


def test_an_item_without_a_time_has_its_entrys() -> None:
    """Where the item has no time of its own, that of its entry counts."""
    body = inbox(item(message={"mid": "m_A", "text": "x"}) | {"timestamp": None})
    assert recorded(body).occurred_at == (SENT_MS + 90) * 1000


def test_a_time_without_a_colon_in_its_offset_is_one() -> None:
    """A time as Graph writes it is read."""
    body = inbox(item(message={"mid": "m_A"}) | {"timestamp": "2026-01-02T03:04:05+0000"})
    assert recorded(body).time_source is TimeSource.PROVIDER


# ------------------------------------------------------------------ campaigns, details


@pytest.mark.parametrize("place", ["message", "postback", "item"])
def test_a_referral_is_found_in_each_of_its_places(place: str) -> None:
    """A referral in the message, in the button or beside them is the campaign, and kept whole."""
    came = {"ref": "volante", "ad_id": "12", "ads_context_data": {"ad_title": "SUV"}}
    body = {
        "message": lambda: said(text="Hola", referral=came),
        "postback": lambda: inbox(item(postback={"title": "Hola", "referral": came})),
        "item": lambda: inbox(item(referral=came)),
    }[place]()
    command = recorded(body)
    assert command.campaign == "volante"
    assert details(command)["referral"] == came


def test_the_campaign_is_the_links_reference_else_the_advertisement() -> None:
    """Without a reference the advertisement's title is the campaign, without one its id."""
    titled = {"ad_id": 12, "ads_context_data": {"ad_title": "Venta SUV"}}
    assert recorded(said(text="x", referral=titled)).campaign == "Venta SUV"
    assert recorded(said(text="x", referral={"ad_id": 12})).campaign == "12"
    assert recorded(said(text="x")).campaign is None


def test_a_story_that_is_answered_is_in_the_details() -> None:
    """An answer to a story keeps which story it was."""
    told = {"mid": "x", "text": "¡Qué bonito!", "reply_to": {"story": {"id": "1", "url": "u"}}}
    command = recorded(direct(shared(message=told)), "instagram")
    assert details(command)["story"] == {"id": "1", "url": "u"}
    assert recorded(said(text="x", reply_to={"mid": "m_0"})).in_reply_to == "m_0"


def test_files_have_ids_of_their_own_and_links_without_words() -> None:
    """Each file has an id that follows from the message and its place."""
    command = recorded(said(attachments=[file("image", url="https://a/1"), file("video", url="x")]))
    (only,) = command.attachments
    assert only.id == DERIVE.id("attachment", command.source, "m_A", "0")
    assert only.url == "https://a/1"
    assert command.text == "[video]"


# ----------------------------------------------------------------------------- facts


def test_changes_are_about_their_message() -> None:
    """Edit, deletion and reaction have keys of their own and name the message's stream."""
    stream = interaction_stream(DERIVE, f"messenger:{PAGE}", "m_A")
    for body, kind, key in (
        (inbox(item(message_edit={"mid": "m_A", "text": "b", "num_edits": 2})), "edit", "m_A:e2"),
        (said(is_deleted=True), "revoke", "m_A:deleted"),
        (
            inbox(item(reaction={"mid": "m_A", "emoji": "❤"})),
            "reaction",
            f"m_A:{PSID}:{SENT_MS}",
        ),
    ):
        command = last(body)
        assert isinstance(command, ReportChange)
        assert (command.kind, command.key, command.about) == (kind, key, stream)
        assert (command.address, command.by) == (ANA, "contact")


def test_our_own_reaction_is_staffs() -> None:
    """A reaction that the page sent is about the person's message, and by staff."""
    command = last(inbox(item(PAGE, PSID, reaction={"mid": "m_A", "emoji": "❤"})))
    assert (command.by, command.address) == ("staff", ANA)


def test_a_watermark_has_its_time_as_key() -> None:
    """A watermark reaches to its time and is the same however often it comes."""
    for written in (SENT_MS, str(SENT_MS)):
        command = last(inbox(item(read={"watermark": written})))
        assert isinstance(command, ReportWatermark)
        assert (command.state, command.address) == ("read", ANA)
        assert command.through == SENT_S * 1_000_000
        assert command.key == f"{PSID}:read:{SENT_MS}"


def test_a_watermark_of_no_time_marks_nothing() -> None:
    """A watermark that is no time never stands for now: that would mark everything as read."""
    for written in (0, "x", SENT_MS * 5, None):
        (atom,) = parsed("messenger", inbox(item(read={"watermark": written})))
        assert atom.outcome == Ignored("receipt_of_unknown")


def test_a_message_that_was_seen_is_read() -> None:
    """Instagram names the message that was seen; its status is read."""
    command = last(direct(shared(read={"mid": "aWdf_B"})), "instagram")
    assert isinstance(command, ReportDelivery)
    assert (command.word, command.recipient) == ("read", f"instagram:{ACCOUNT}/{IGSID}")
    assert command.about == interaction_stream(DERIVE, f"instagram:{ACCOUNT}", "aWdf_B")


def test_a_button_without_an_id_is_its_own_key() -> None:
    """A button without an id is recorded; another payload is another button."""
    one, same, other = (
        recorded(inbox(item(postback={"title": "Sí", "payload": payload})))
        for payload in ("A", "A", "B")
    )
    assert one.key == same.key != other.key
    assert one.external_id is None


# --------------------------------------------------------------------------- comments


def test_a_comment_is_in_the_thread_of_its_post() -> None:
    """A comment has its author's name, the post as thread, and what it answers."""
    value = {
        "id": "178951",
        "parent_id": "178950",
        "from": {"id": IGSID, "username": "ana.nunez"},
        "media": {"id": "178900", "ad_id": "1", "ad_title": "Venta SUV"},
        "text": "¿Precio?",
    }
    command = recorded(posted("comments", value), "instagram")
    assert (command.resource, command.contact_name) == (f"instagram:{ACCOUNT}/{IGSID}", "ana.nunez")
    assert (command.thread, command.in_reply_to) == ("178900", "178950")
    assert (command.campaign, command.key) == ("Venta SUV", "178951")
    assert command.occurred_at == SENT_S * 1_000_000


def test_a_comment_of_somebody_unknown_is_nobodys_in_particular() -> None:
    """A comment whose author is withheld is in the bucket of its source."""
    value = {"item": "comment", "verb": "add", "comment_id": "9_31", "message": "Hola"}
    assert recorded(change("feed", value)).resource == f"anonymous:messenger:{PAGE}"


def test_a_comment_as_business_login_sends_it_is_read() -> None:
    """Field and value right in the entry are a change."""
    value = {"id": "178951", "from": {"id": IGSID}, "text": "¿Precio?"}
    entry = {"id": ACCOUNT, "time": SENT_S, "field": "comments", "value": value}
    assert recorded([{"object": "instagram", "entry": [entry]}], "instagram").text == "¿Precio?"


# ------------------------------------------------------------------------------ leads


def test_a_lead_is_a_form_with_an_address_of_its_own() -> None:
    """A lead is recorded at once; its ids may be numbers beyond what other readers have exactly."""
    command = recorded(lead(leadgen_id=12345678901234567890), "lead_ads")
    assert command.channel is Channel.FORM
    assert (command.source, command.key) == (f"lead_ads:{PAGE}", "12345678901234567890")
    assert command.resource == f"sender:lead_ads:{PAGE}/12345678901234567890"
    assert command.destination == f"form:{PAGE}/555555555555"
    assert (command.campaign, command.text) == ("120210000000000011", "[lead]")
    assert command.occurred_at == SENT_S * 1_000_000


def test_a_lead_is_the_same_over_messengers_url() -> None:
    """Pages send leads and messages to one URL; a lead is one through either connection."""
    assert recorded(lead(), "lead_ads") == recorded(lead(), "messenger")


def test_a_leads_answers_complete_it() -> None:
    """What is fetched later is a fact about the same interaction, with the same address."""
    fetched = {
        "id": "444444444444",
        "field_data": [
            {"name": "first_name", "values": ["Ana"]},
            {"name": "last_name", "values": ["Núñez"]},
            {"name": "phone_number", "values": ["+52 1 55 1234 5678"]},
            {"name": "email", "values": ["ana@example.com"]},
            {"name": "colores", "values": ["rojo", "azul"]},
            {"name": "empty", "values": []},
        ],
    }
    found = answers_in(fetched)
    assert found.name == "Ana Núñez"
    assert found.addresses == ("tel:+525512345678", "mailto:ana@example.com")
    record = recorded(lead(), "lead_ads")
    fact = completion(DERIVE, record.source, record.key, fetched, NOON)
    assert fact.about == interaction_stream(DERIVE, record.namespace, record.key)
    assert fact.address == record.resource
    assert fact.text == found.text
    assert (fact.text or "").splitlines()[-1] == "colores: rojo, azul"


def test_a_lead_without_a_page_is_unreadable() -> None:
    """A lead that names no page, in an entry that names none, cannot be placed."""
    body = {"entry": [{"changes": [{"field": "leadgen", "value": {"leadgen_id": 1}}]}]}
    (atom,) = parsed("lead_ads", body)
    assert isinstance(atom.outcome, Unreadable)
