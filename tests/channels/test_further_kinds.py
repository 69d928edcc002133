"""Kinds that providers document and few people ever send: each is recorded as what it is."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from channels.contract import Commands
from domain.commands import RecordInteraction
from tests.channels import meta_shop
from tests.channels.form_examples import response
from tests.channels.shop import change, messages, parsed, request, text
from tests.channels.told import told
from tests.channels.vendors import lines
from tests.channels.vendors import parsed as parsed_at

_ERROR: Final = {"code": 131051, "title": "Message type unknown"}
_EMPTY: Final = {"mid": "m_A", "num_edit": 0}


def _kind(kind: str | None, **more: object) -> dict[str, object]:
    """A WhatsApp message of Ana's of another kind than text; without a kind it says none."""
    plain = {name: value for name, value in text("wamid.A").items() if name not in {"text", "type"}}
    return messages({**plain, **({"type": kind} if kind else {}), **more})


WHATSAPP: Final[tuple[tuple[str, object, tuple[str, ...]], ...]] = (
    ("unknown", _kind("unknown", errors=[_ERROR]), ("interaction inbound: “[unsupported]”",)),
    ("an error alone", _kind(None, errors=[_ERROR]), ("interaction inbound: “[unsupported]”",)),
    (
        "a reaction that does not say that it is one",
        _kind(None, reaction={"message_id": "wamid.0", "emoji": "👍"}),
        ("reaction of contact: 👍",),
    ),
    (
        "a question about a product",
        _kind(
            "interactive",
            interactive={"type": "product", "product": {"product_retailer_id": "SKU-1"}},
        ),
        ("interaction inbound: “🛒 SKU-1”",),
    ),
    (
        "a form without its kind",
        _kind("interactive", interactive={"type": None, "nfm_reply": {"response_json": "[1]"}}),
        ("interaction inbound: “[form]”",),
    ),
    (
        "a card of a company",
        _kind("contacts", contacts=[{"org": {"company": "Acme"}}, {}]),
        ("interaction inbound: “👤 Acme ⏎ 👤”",),
    ),
    (
        "a poll",
        _kind("poll", poll={"name": "¿Cuándo?", "options": ["Hoy"]}),
        ("interaction inbound: “¿Cuándo?”",),
    ),
)


@pytest.mark.parametrize(
    ("body", "expected"), [pytest.param(body, said, id=name) for name, body, said in WHATSAPP]
)
def test_a_rare_kind_of_whatsapp(body: object, expected: tuple[str, ...]) -> None:
    """What WhatsApp cannot pass on, or does not name, is recorded with what it shows."""
    assert tuple(told(parsed(body))) == expected


def test_a_relays_change_of_a_user_id_is_whatsapps_own() -> None:
    """A user id that became another is told as WhatsApp tells it: one person, both ids."""
    update = {
        "wa_id": "525512345678",
        "detail": "User id changed",
        "user_id": {"previous": "MX.1349", "current": "MX.2468"},
        "timestamp": "1795348000",
    }
    (atom,) = parsed(request(change("user_id_update", user_id_update=[update])))
    assert isinstance(atom.outcome, Commands)
    (record,) = atom.outcome.commands
    assert isinstance(record, RecordInteraction)
    assert record.resource == "tel:+525512345678"
    assert record.succession
    assert {alias.address.rpartition("/")[2] for alias in record.aliases} == {"MX.1349", "MX.2468"}


def test_whatsapp_without_its_object_is_whatsapp() -> None:
    """A relay that leaves the object out, or empty, or in capitals, sends the same request."""
    plain = messages(text("wamid.A"))
    for word in ("", None, "WhatsApp_Business_Account"):
        assert told(parsed({**plain, "object": word})) == ["interaction inbound: “Hola”"]


_FILM: Final = {"type": "video", "payload": {"url": "https://www.facebook.com/d/corto.mp4?x=1"}}

META: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    ("an edit of nothing", {"message_edit": _EMPTY}, "ignored: empty"),
    ("an edit", {"message_edit": {**_EMPTY, "text": "Buenas"}}, "edit: “Buenas”"),
    ("a message taken back", {"message_deleted": {"mid": "m_A"}}, "revoke"),
    (
        "a button, and keys that say nothing",
        {"message": None, "read": None, "postback": {"title": "Cita", "payload": "C"}},
        "interaction inbound: “Cita”",
    ),
    ("keys that say nothing", {"message": None, "typing": None}, "ignored: empty"),
    (
        "a file on a host of pages",
        {"message": {"mid": "m_A", "attachments": [_FILM]}},
        "interaction inbound + video.mp4",
    ),
    (
        "somebody else's post",
        {"message": {"mid": "m_A", "attachments": [meta_shop.file("ig_post", title="Rojo")]}},
        "interaction inbound: “[ig post] Rojo”",
    ),
)


@pytest.mark.parametrize(
    ("held", "expected"), [pytest.param(held, said, id=name) for name, held, said in META]
)
def test_a_rare_item_of_an_inbox(held: dict[str, Any], expected: str) -> None:
    """An item is told by what it holds, on both of Meta's inboxes."""
    on_page = meta_shop.parsed("messenger", meta_shop.inbox(meta_shop.item(**held)))
    on_instagram = meta_shop.parsed("instagram", meta_shop.direct(meta_shop.shared(**held)))
    assert told(on_page) == told(on_instagram) == [expected]


def test_receipts_without_a_time_are_one_for_each_message() -> None:
    """A receipt of two messages whose watermark is empty is two receipts."""
    receipt = {"mids": ["m_A", "m_B"], "watermark": None}
    item = meta_shop.item(delivery=receipt)
    assert told(meta_shop.parsed("messenger", meta_shop.inbox(item))) == ["status: delivered"] * 2


def test_callers_who_hide_have_one_address() -> None:
    """However a telephone company writes that a number is withheld, it is nobody's number."""
    call = {"CallSid": "CA1", "To": "+525598765432", "CallStatus": "ringing"}
    for hidden in ("+2562533", "+266696687", "Anonymous", "+86282452253", "sip:anonymous@x.mx"):
        assert lines("twilio_voice", {**call, "From": hidden}) == (
            "call inbound",
            "status: ringing",
        )
        assert _resource("twilio_voice", {**call, "From": hidden}).startswith("anonymous:")


def test_a_page_number_over_twilio_is_no_phone() -> None:
    """Somebody who writes to a page by way of Twilio has a name there, not a short code."""
    sent = {"MessageSid": "SM1", "From": "messenger:123", "To": "messenger:456", "Body": "Hola"}
    assert _resource("twilio_sms", sent).endswith("/messenger:123")


def _resource(channel: str, params: dict[str, str]) -> str:
    (atom,) = parsed_at(channel, params)
    assert isinstance(atom.outcome, Commands)
    record = atom.outcome.commands[0]
    assert isinstance(record, RecordInteraction)
    assert record.resource is not None
    return record.resource


def test_questions_in_groups_are_known() -> None:
    """Typeform puts the questions about a person into a group: their answers have their titles."""
    sent = json.loads(json.dumps(response()))
    group = {
        "id": "g",
        "title": "Contacto",
        "properties": {"fields": [{"id": "n", "title": "Nombre"}]},
    }
    sent["form_response"]["definition"]["fields"] = [group]
    sent["form_response"]["answers"] = [{"type": "text", "text": "Ana", "field": {"id": "n"}}]
    (atom,) = _typeform(sent)
    assert isinstance(atom.outcome, Commands)
    record = atom.outcome.commands[0]
    assert isinstance(record, RecordInteraction)
    assert record.contact_name == "Ana"


def _typeform(sent: object) -> list[Any]:
    return parsed_at("typeform", json.dumps(sent).encode())
