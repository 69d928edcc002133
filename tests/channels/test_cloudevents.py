"""CloudEvents and Google Forms: modes, keys, what is wrong, and a ledger that takes them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.connections import Draft
from channels.contract import Arrival, Commands, Incoming, Reading
from channels.registry import CHANNELS
from domain.commands import RecordInteraction
from tests.api.house import NOON
from tests.backends import Backend
from tests.channels.shop import DERIVE
from tests.channels.told import told
from tests.channels.vendors import Desk, open_desk, parsed

BEARER = {"authorization": "Bearer between us"}
URL = "/channels/cloudevents/main"

DATA: dict[str, Any] = {
    "channel": "call",
    "direction": "inbound",
    "resource": "tel:+525512345678",
    "destination": "tel:+525598765432",
}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "77",
    "source": "/crm/calls",
    "type": "hilo.interaction",
    "data": DATA,
}
STATUS = {
    **EVENT,
    "id": "78",
    "type": "hilo.status",
    "data": {"external_id": "/crm/calls 77", "status": "completed"},
}
RESPONSE: dict[str, Any] = {
    "responseId": "2_ABaOnud",
    "formId": "1FAIpQL",
    "formTitle": "Citas",
    "timestamp": "2025-11-20T15:12:00Z",
    "respondentEmail": "ana@example.com",
    "answers": [
        {"title": "Teléfono / WhatsApp", "type": "TEXT", "response": "55 1234 5678"},
        {"title": "Nombre completo", "type": "TEXT", "response": "Ana Núñez"},
        {"title": "¿Qué días?", "type": "CHECKBOX", "response": ["Lunes", "Martes"]},
    ],
}


@pytest.fixture
def events(backend: Backend) -> Iterator[Desk]:
    """A desk with a connection for CloudEvents, on each database."""
    with open_desk(backend) as desk:
        draft = Draft(channel="cloudevents", name="main", secrets={"token": [b"between us"]})
        desk.house.composition.channels.connections.add(draft)
        yield desk


def test_every_mode_is_one_event(events: Desk) -> None:
    """Structured, binary and in a batch: the same event is recorded once, and its status too."""
    post, now = events.house.client.post, events.house.now
    binary = {f"ce-{name}": EVENT[name] for name in ("id", "source", "type", "specversion")}
    packed = {**EVENT, "data_base64": b64encode(json.dumps(DATA).encode()).decode()}
    del packed["data"]
    assert post(URL, json=EVENT, headers=BEARER).status_code == 200
    now[0] += 60_000_000
    assert post(URL, json=DATA, headers={**BEARER, **binary}).status_code == 200
    assert post(URL, json=[packed, STATUS], headers=BEARER).status_code == 200
    assert post(URL, json=EVENT).status_code == 401
    balance = events.balance("cloudevents")
    counts = (balance["recorded"], balance["duplicate"], balance["quarantined"])
    assert counts == (2, 2, 0)
    row = events.row(channel="call")
    assert row["source"]["key"] == "cloudevents:main"
    assert row["status"]["raw"] == "completed"


def test_what_cannot_be_taken_is_kept(events: Desk) -> None:
    """Another type, data that is not valid, a source of its own: each by itself."""
    wrong = {**EVENT, "id": "2", "data": {**DATA, "channel": "fax"}}
    other = {**EVENT, "id": "3", "type": "com.example.other"}
    own = {**EVENT, "id": "4", "data": {**DATA, "source": "api:crm", "external_id": "c4"}}
    answer = events.house.client.post(URL, json=[wrong, other, own, 7], headers=BEARER)
    assert answer.status_code == 200
    balance = events.balance("cloudevents")
    assert (balance["recorded"], balance["quarantined"]) == (1, 3)
    assert events.row()["source"]["key"] == "api:crm"
    found = events.house.client.get("/v1/quarantine", headers=events.admin).json()["items"]
    assert "its data is not valid: channel (bad_enum)" in {one["error"] for one in found}


def test_a_sender_may_ask(events: Desk) -> None:
    """The webhook handshake is answered with the origin that asked."""
    asked = {"webhook-request-origin": "crm.example.mx"}
    answer = events.house.client.request("OPTIONS", URL, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["webhook-allowed-origin"] == "crm.example.mx"


def form(body: object) -> RecordInteraction:
    """The interaction of a request of Google Forms."""
    arrival = Arrival(
        connection="google_forms/citas", received_at=NOON, derive=DERIVE, reading=Reading("MX")
    )
    incoming = Incoming(body=json.dumps(body).encode())
    (atom,) = CHANNELS["google_forms"].parse(incoming, arrival)
    assert isinstance(atom.outcome, Commands), atom.outcome
    (command,) = atom.outcome.commands
    assert isinstance(command, RecordInteraction)
    return command


def test_a_response_of_google_forms_is_recorded_whole() -> None:
    """Who, when, which form, and each answer with its question."""
    found = form(RESPONSE)
    assert (found.resource, found.destination) == ("tel:+525512345678", "form:citas/1FAIpQL")
    assert [one.address for one in found.aliases] == ["mailto:ana@example.com"]
    assert (found.external_id, found.contact_name) == ("2_ABaOnud", "Ana Núñez")
    assert (found.text, found.subject_line) == ("¿Qué días?: Lunes, Martes", "Citas")


def test_other_shapes_of_a_response_are_read() -> None:
    """Answers by question, as the API has them, and by column, as a spreadsheet has them."""
    answers = {"q1": {"questionId": "q1", "textAnswers": {"answers": [{"value": "Lunes"}]}}}
    plain = {"responseId": "1", "respondentEmail": "ana@example.com"}
    assert form({**plain, "answers": answers}).text == "q1: Lunes"
    assert form({**plain, "namedValues": {"Día": ["Lunes"]}}).text == "Día: Lunes"
    assert told(parsed("google_forms", b'{"answers": []}')) == ["ignored: empty"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@given(data=st.data())
@settings(max_examples=150)
def test_a_poisoned_body_becomes_atoms(data: st.DataObject) -> None:
    """Whatever is missing in a request, or is of another type, it is atoms of the contract."""

    def poisoned(value: object, depth: int) -> object:
        if data.draw(st.integers(0, 8 + depth)) == 0:
            return data.draw(VALUES)
        if isinstance(value, dict):
            kept = {name: one for name, one in value.items() if data.draw(st.integers(0, 9))}
            return {name: poisoned(one, depth + 1) for name, one in kept.items()}
        if isinstance(value, list):
            return [poisoned(one, depth + 1) for one in value]
        return value

    for channel, whole in (("google_forms", RESPONSE), ("cloudevents", [EVENT, STATUS])):
        atoms = parsed(channel, json.dumps(poisoned(whole, 0)).encode())
        assert atoms
        for atom in atoms:
            assert [one.outcome for one in parsed(channel, atom.raw())] == [atom.outcome]
