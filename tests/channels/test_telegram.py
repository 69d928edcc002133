"""Telegram in detail: who speaks in which chat, keys, cards, files; and a whole ledger of it."""

from __future__ import annotations

import json
from random import Random

from channels.contract import Arrival, Commands
from channels.telegram_people import place_of
from domain.commands import RecordInteraction, ReportChange
from domain.recording import interaction_stream
from domain.values import Auto, Channel, Direction, TimeSource
from tests.api.house import NOON
from tests.channels.shop import DERIVE
from tests.channels.telegram_examples import (
    ANA,
    CHANNEL,
    EXAMPLES,
    GROUP,
    LUIS,
    OWNER,
    PRIVATE,
    SENT_S,
    business,
    item,
    message,
    reaction,
    update,
)
from tests.channels.vendors import BOT, Desk, parsed

SOURCE = f"telegram:{BOT}"
OURS = f"telegram:{BOT}/{BOT}"
HERS = f"telegram:{BOT}/{ANA['id']}"


def recorded(body: object) -> RecordInteraction:
    """The interaction of the first atom."""
    outcome = parsed("telegram", body)[0].outcome
    assert isinstance(outcome, Commands), outcome
    (first,) = outcome.commands
    assert isinstance(first, RecordInteraction)
    return first


def changed(body: object, number: int = 0) -> ReportChange:
    """The change of an atom."""
    outcome = parsed("telegram", body)[number].outcome
    assert isinstance(outcome, Commands), outcome
    (first,) = outcome.commands
    assert isinstance(first, ReportChange)
    return first


def about(key: str) -> object:
    """The stream of a message."""
    return interaction_stream(DERIVE, SOURCE, key)


# --------------------------------------------------------------------- who, and where


def test_a_message_is_recorded_whole() -> None:
    """Channel, direction, ends, bot, key, name, time and text."""
    found = recorded(message(text=" Hola "))
    assert (found.channel, found.direction) == (Channel.TELEGRAM, Direction.INBOUND)
    assert (found.resource, found.destination) == (HERS, OURS)
    assert (found.source, found.external_id) == (SOURCE, f"{ANA['id']}:7")
    assert (found.occurred_at, found.time_source) == (SENT_S * 1_000_000, TimeSource.PROVIDER)
    assert (found.text, found.contact_name, found.thread) == (" Hola ", "Ana Núñez", None)


def test_whoever_writes_in_a_group_is_the_contact_of_their_private_chat() -> None:
    """The sender is the contact, the group the thread; a private chat has its person's number."""
    found = recorded(message(text="Hola", chat=GROUP))
    assert (found.resource, found.thread) == (HERS, str(GROUP["id"]))
    assert found.external_id == f"{GROUP['id']}:7"
    assert json.loads(found.details or b"")["group"] == "Flotilla"


def test_a_group_may_speak_for_itself() -> None:
    """An administrator without a name speaks as the group, a channel's post as the channel."""
    hidden = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    found = recorded(message(**{"from": hidden}, sender_chat=GROUP, chat=GROUP, text="Aviso"))
    assert (found.resource, found.auto) == (f"telegram:{BOT}/{GROUP['id']}", None)
    post = item(**{"from": None}, chat=CHANNEL, text="Oferta")
    found = recorded(update("channel_post", post))
    assert (found.resource, found.auto) == (f"telegram:{BOT}/{CHANNEL['id']}", Auto.BULK)


def test_what_the_bot_itself_says_is_ours() -> None:
    """A message whose sender is the bot went out."""
    us = {"id": int(BOT), "is_bot": True, "first_name": "Colibrí"}
    found = recorded(message(**{"from": us}, text="Hola"))
    assert (found.direction, found.resource, found.destination) == (Direction.OUTBOUND, OURS, HERS)


def test_in_a_business_chat_the_owner_is_us() -> None:
    """Whoever is not the chat's person wrote for the company, and attended it."""
    found = recorded(business(**{"from": OWNER}, text="Va en camino"))
    assert (found.direction, found.destination) == (Direction.OUTBOUND, HERS)
    assert (found.attended_by, found.contact_name) == ("Rosa Mora", "Ana Núñez")
    assert recorded(business(text="Gracias")).direction is Direction.INBOUND


def test_a_business_chat_counts_its_messages_for_itself() -> None:
    """The owner's numbers are not the bot's: the same number in both is two messages."""
    assert recorded(business(text="x")).key == f"bc1:{ANA['id']}:7"
    assert recorded(message(text="x")).key == f"{ANA['id']}:7"


def test_only_their_own_card_is_a_second_address() -> None:
    """The phone is theirs where Telegram says whose card it is; a forwarded card is nobody's."""
    card = {"phone_number": "+5215512345678", "first_name": "Ana", "user_id": ANA["id"]}
    own = recorded(message(contact=card))
    assert [(one.address, one.asserted) for one in own.aliases] == [("tel:+525512345678", True)]
    for other in (
        message(contact={**card, "user_id": LUIS["id"]}),
        message(contact={**card, "user_id": None}),
        message(contact=card, forward_date=SENT_S),
        message(contact={**card, "phone_number": "no"}),
    ):
        assert recorded(other).aliases == ()


# -------------------------------------------------------------------------- content


def test_the_largest_size_of_a_photo_is_the_photo() -> None:
    """Of several sizes, in any order, the one with the most pixels."""
    sizes = [
        {"file_id": "s", "width": 90, "height": 30},
        {"file_id": "l", "width": 950, "height": 320, "file_size": 47844},
        {"file_id": "m", "width": 320, "height": 108},
    ]
    (file,) = recorded(message(photo=sizes)).attachments
    assert (file.provider_id, file.size_bytes, file.name) == ("l", 47844, "image.jpg")


def test_an_album_is_as_many_interactions_as_it_has_files() -> None:
    """Each has the album's id in its details."""
    for number in (7, 8):
        found = recorded(message(message_id=number, photo=[], media_group_id="a1", caption="x"))
        assert json.loads(found.details or b"")["media_group_id"] == "a1"


def test_what_goes_with_a_message_is_kept() -> None:
    """What it answers, where it was forwarded from, the deep link, marks in the text."""
    answered = {"message_id": 3, "chat": PRIVATE, "date": SENT_S}
    origin = {"type": "hidden_user", "sender_user_name": "Luis"}
    found = recorded(
        message(
            text="/start suv25",
            reply_to_message=answered,
            forward_origin=origin,
            entities=[{"type": "bot_command", "offset": 0, "length": 6}],
        )
    )
    assert found.in_reply_to == f"{ANA['id']}:3"
    details = json.loads(found.details or b"")
    assert (details["start"], details["forward_origin"]) == ("suv25", origin)
    assert details["entities"][0]["type"] == "bot_command"


def test_what_does_not_fit_into_the_details_stays_in_the_original() -> None:
    """A text full of marks loses their list from the details, and nothing else."""
    marks = [{"type": "text_link", "offset": n, "length": 1, "url": "x" * 50} for n in range(200)]
    found = recorded(message(text="x" * 200, entities=marks, media_group_id="a1"))
    assert json.loads(found.details or b"")["media_group_id"] == "a1"
    assert json.loads(found.original or b"")["entities"] == marks


def test_a_pressed_button_answers_its_message() -> None:
    """It has no time of its own; in a group it is said there."""
    under = {"message_id": 5, "chat": GROUP, "date": SENT_S}
    found = recorded(update("callback_query", {"id": "77", "from": ANA, "message": under}))
    assert (found.in_reply_to, found.thread) == (f"{GROUP['id']}:5", str(GROUP["id"]))
    assert (found.resource, found.key, found.text) == (HERS, "query:77", "[button]")
    assert found.time_source is TimeSource.RECEIVED


# -------------------------------------------------------------------------- changes


def test_each_time_of_editing_is_a_change_of_its_own() -> None:
    """An edit speaks of its message and has its own time and key."""
    found = changed(update("edited_message", item(text="A las 5", edit_date=SENT_S + 9)))
    assert found.about == about(f"{ANA['id']}:7")
    assert (found.at, found.text) == ((SENT_S + 9) * 1_000_000, "A las 5")
    again = changed(update("edited_message", item(text="A las 6", edit_date=SENT_S + 10)))
    assert found.key != again.key


def test_reactions_are_all_that_somebody_has_now() -> None:
    """Two of them are one text; none takes them away; the next update is another fact."""
    found = changed(reaction("👍", "❤"))
    assert (found.emoji, found.address, found.about) == ("👍 ❤", HERS, about(f"{ANA['id']}:6"))
    assert changed(reaction()).emoji is None
    assert changed({**reaction(), "update_id": 1001}).key != found.key


def test_a_deletion_of_several_is_several() -> None:
    """Each deleted message of a business chat is an atom."""
    gone = {"business_connection_id": "bc1", "chat": PRIVATE, "message_ids": [7, 8]}
    body = update("deleted_business_messages", gone)
    assert [changed(body, n).about for n in (0, 1)] == [
        about(f"bc1:{ANA['id']}:{number}") for number in (7, 8)
    ]


# ------------------------------------------------------------------ through the ledger


def test_a_chat_as_people_see_it(desk: Desk) -> None:
    """A message, its edit and a reaction that came before it: one row, once."""
    edit = update("edited_message", item(text="Hola, Rosa", edit_date=SENT_S + 9))
    like = update("message_reaction", {**_reaction_to(7), "user": ANA})
    for body in (like, edit, message(text="Hola"), message(text="Hola"), edit):
        assert desk.telegram(body).status_code == 200
    row = desk.row()
    assert (row["channel"], row["direction"], row["text"]) == ("telegram", "inbound", "Hola, Rosa")
    assert row["occurred_at"] == "2026-11-22T11:59:00.000000Z"
    assert [(one["emoji"], one["by"]) for one in row["reactions"]] == [("👍", "contact")]
    assert row["contact"]["name"] == "Ana Núñez"
    balance = desk.balance("telegram")
    assert (balance["recorded"], balance["duplicate"]) == (3, 2)


def _reaction_to(number: int) -> dict[str, object]:
    new = [{"type": "emoji", "emoji": "👍"}]
    return {"chat": PRIVATE, "message_id": number, "date": SENT_S + 5, "new_reaction": new}


def test_their_card_makes_them_one_with_their_phone(small_desk: Desk) -> None:
    """Whoever shares their own card is found under the phone as well."""
    card = {"phone_number": "5215512345678", "first_name": "Ana", "user_id": ANA["id"]}
    small_desk.telegram(message(contact=card))
    contact = small_desk.row()["contact"]["id"]
    path = f"/v1/contacts/{contact}"
    found = small_desk.house.client.get(path, headers=small_desk.admin).json()
    assert {one["address"] for one in found["addresses"]} == {HERS, "tel:+525512345678"}


def test_the_same_number_with_other_words_waits_in_quarantine(small_desk: Desk) -> None:
    """A message's number that comes with another text overwrites nothing."""
    small_desk.telegram(message(text="Hola"))
    small_desk.telegram(message(text="Adiós"))
    assert small_desk.row()["text"] == "Hola"
    assert small_desk.balance("telegram")["quarantined"] == 1


def test_the_door_knows_telegram(desk: Desk) -> None:
    """A missing or wrong secret is 401 and counted; the answer to a good one is empty."""
    assert desk.telegram(message(text="Hola"), secret=None).status_code == 401
    assert desk.telegram(message(text="Hola"), secret=b"guess").status_code == 401
    answer = desk.telegram(message(text="Hola"))
    assert (answer.status_code, answer.content) == (200, b"")
    rejected = desk.balance("telegram")["rejected"]
    assert (rejected["no_signature"], rejected["bad_signature"]) == (1, 1)


def test_all_that_telegram_tells_twice_changes_nothing(small_desk: Desk) -> None:
    """Every example twice in any order: nothing is an error, and a third time tells nothing new."""
    bodies = [body for _, _, body, _ in EXAMPLES] * 2
    Random(7).shuffle(bodies)
    for body in bodies:
        assert small_desk.telegram(body).status_code == 200
    before = len(small_desk.entries())
    for body in reversed(bodies):
        assert small_desk.telegram(body).status_code == 200
    assert len(small_desk.entries()) == before
    assert small_desk.balance("telegram")["received"] >= 2 * len(bodies)


def test_a_connection_without_a_bot_belongs_to_its_name() -> None:
    """The option names the bot; a whole bot token is cut to its id and never kept."""
    arrival = Arrival(connection="telegram/main", received_at=NOON, derive=DERIVE)
    assert place_of(arrival, None).source == "telegram:main"
    options = {"bot_id": f"{BOT}:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}
    whole = Arrival(connection="telegram/x", received_at=NOON, derive=DERIVE, options=options)
    assert place_of(whole, None).source == SOURCE
