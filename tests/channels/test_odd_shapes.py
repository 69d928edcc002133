"""Requests as relays and people's own scripts send them: what is a message is recorded as one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from channels.contract import Arrival, Commands, Incoming, Reading
from channels.media import TYPEFORM_MEDIA, Access, CannotFetch, Target, allowed
from channels.registry import CHANNELS
from domain.commands import RecordInteraction
from tests.api.house import NOON
from tests.channels import meta_shop, shop, vendors


def only(atoms: list[Any]) -> RecordInteraction:
    """The one interaction that a request is."""
    (atom,) = atoms
    assert isinstance(atom.outcome, Commands), atom.outcome
    (command,) = atom.outcome.commands
    assert isinstance(command, RecordInteraction)
    return command


ANSWERS: dict[str, dict[str, object]] = {
    "a list with question and answer": {
        "responses": [
            {"question": "¿Qué?", "answer": ["A", "B"]},
            {"question": "Correo", "answer": "z@z.mx"},
        ]
    },
    "by question, as plain texts": {"answers": {"¿Qué?": ["A", "B"], "Correo": "z@z.mx"}},
    "fields alone": {"¿Qué?": ["A", "B"], "Correo": ["z@z.mx"]},
    "within an object of its own": {
        "formId": "F",
        "response": {"answers": [{"title": "¿Qué?", "response": ["A", "B"]}]},
        "email": "z@z.mx",
    },
    "items of the form": {
        "items": [
            {"title": "¿Qué?", "response": ["A", "B"]},
            {"title": "Correo", "response": "z@z.mx"},
        ]
    },
    "the interface's own": {
        "answers": {
            "1": {"title": "¿Qué?", "textAnswers": {"answers": [{"value": "A"}, {"value": "B"}]}},
            "2": {"title": "Correo", "textAnswers": {"answers": [{"value": "z@z.mx"}]}},
        }
    },
}


@pytest.mark.parametrize("shape", ANSWERS)
def test_no_answer_of_a_google_form_is_lost(shape: str) -> None:
    """Whatever a script calls questions and answers, text and contact are the same."""
    sent = {"responseId": "R1", "timestamp": "2026-11-20T15:00:00Z", **ANSWERS[shape]}
    found = only(vendors.parsed("google_forms", json.dumps(sent).encode()))
    assert (found.text or "").splitlines()[-1] == "¿Qué?: A, B"
    assert found.resource == "mailto:z@z.mx"
    assert found.external_id == "R1"


def test_no_answer_of_a_typeform_is_lost() -> None:
    """A film's address stands under a name of its own, and what was ranked is a list."""
    answers = [
        {"type": "multi_format", "video_url": "https://v.example.mx/1", "field": {"ref": "film"}},
        {"type": "ranking", "ranking": ["rojo", "azul"], "field": {"ref": "colores"}},
    ]
    response = {"form_id": "x", "token": "t", "answers": answers}
    sent = {"event_id": "E", "event_type": "form_response", "form_response": response}
    found = only(vendors.parsed("typeform", json.dumps(sent).encode()))
    assert found.text == "film: https://v.example.mx/1\ncolores: rojo, azul"


def test_whatsapp_without_its_envelope_is_whatsapp() -> None:
    """A value alone, or several requests in a list; what names no number is the connection's."""
    value = shop.value(messages=[shop.text("wamid.A")])
    plain = only(shop.parsed(shop.messages(shop.text("wamid.A"))))
    for body in (value, [shop.messages(shop.text("wamid.A"))]):
        found = only(shop.parsed(body))
        assert (found.text, found.resource, found.destination) == ("Hola", shop.ANA, shop.SHOP)
        assert (found.source, found.key, found.occurred_at) == (
            plain.source,
            plain.key,
            plain.occurred_at,
        )
    nameless = only(shop.parsed({"messages": [shop.text("wamid.B")]}))
    assert (nameless.source, nameless.resource) == (f"whatsapp:{shop.NAME}", shop.ANA)


def test_messenger_tells_pages_from_files_and_voices_from_films() -> None:
    """A link to a page is words; a voice is audio; who ticked a box is known by the reference."""
    reel = {"type": "reel", "payload": {"url": "https://www.facebook.com/reel/1", "title": "R"}}
    voice = {"type": "audio", "payload": {"url": "https://cdn.fbsbx.com/v/audioclip.mp4"}}
    found = only(
        meta_shop.parsed(
            "messenger",
            meta_shop.inbox(meta_shop.item(message={"mid": "m1", "attachments": [reel, voice]})),
        )
    )
    assert found.text == "[reel] R https://www.facebook.com/reel/1"
    assert [(one.name, one.media_type) for one in found.attachments] == [("audio.m4a", "audio/mp4")]
    ticked = meta_shop.item(optin={"ref": "boletín", "user_ref": "ref-77"})
    told = only(
        meta_shop.parsed(
            "messenger",
            meta_shop.inbox({name: part for name, part in ticked.items() if name != "sender"}),
        )
    )
    assert str(told.resource).endswith("/ref-77")


def test_a_file_of_typeform_is_asked_for_with_the_token() -> None:
    """At Typeform's own host alone; without the token it is not asked for at all."""
    url = "https://api.typeform.com/forms/a/responses/b/fields/c/files/cv.pdf"
    with pytest.raises(StopIteration) as end:
        next(TYPEFORM_MEDIA.recipe(Target(url), Access({"access_token": [b"t"]}, {})))
    assert end.value.value.headers == {"Authorization": "Bearer t"}
    assert allowed(url, TYPEFORM_MEDIA.hosts)
    assert not allowed("https://api.typeform.com.example.mx/x", TYPEFORM_MEDIA.hosts)
    with pytest.raises(CannotFetch):
        next(TYPEFORM_MEDIA.recipe(Target(url), Access({}, {})))


def test_national_numbers_are_read_in_the_ledgers_country() -> None:
    """Where a provider like Twilio says no country, HILO_COUNTRY does."""
    sent = {"CallSid": "x1", "CallFrom": "09876543210", "CallTo": "08030752400"}
    arrival = Arrival(
        connection="twilio_voice/main",
        received_at=NOON,
        derive=shop.DERIVE,
        options=vendors.OPTIONS["twilio_voice"],
        reading=Reading(country="IN"),
    )
    incoming = Incoming(body=vendors.body_of({**sent, "CallStatus": "ringing"}))
    (atom,) = CHANNELS["twilio_voice"].parse(incoming, arrival)
    assert isinstance(atom.outcome, Commands)
    record = atom.outcome.commands[0]
    assert isinstance(record, RecordInteraction)
    assert (record.resource, record.destination) == ("tel:+919876543210", "tel:+918030752400")
