"""Web forms and Typeform: each kind of request, who it is from, and a ledger that takes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli import run
from channels.connections import Change, Draft
from channels.contract import IGNORED, Arrival, Commands, Ignored, Incoming, Reading
from channels.form import FORM, answer, preflight
from channels.registry import CHANNELS
from channels.typeform import sign
from domain.commands import RecordInteraction
from domain.values import Auto, TimeSource
from tests.api.house import NOON
from tests.backends import Backend, sqlite_backend
from tests.channels.form_examples import ANA, BOUNDARY, FORMS, TABLES, TYPEFORMS, WHOLE, multipart
from tests.channels.shop import DERIVE
from tests.channels.vendors import Desk, body_of, lines, open_desk, parsed, payload, payload_names

SECRETS = {"signing_secret": [b"a secret of a test"]}

REAL_TOLD = {
    "SYNTH_html_form_utm.form": (
        "form inbound: “Line1 ⏎ Line2 <b>x</b> ⏎  ⏎ phone: 0400 000 001…”",
    ),
    "SYNTH_spam_honeypot.form": (
        "form inbound by a machine: “[url=http://spam]x[/url] ⏎  ⏎ name: Bot ⏎ email…”",
    ),
}


def recorded(channel: str, body: object, **options: str) -> RecordInteraction:
    """The interaction of a request to a connection with options, in a ledger of Mexico."""
    arrival = Arrival(
        connection=f"{channel}/web",
        received_at=NOON,
        derive=DERIVE,
        options=options,
        reading=Reading("MX"),
    )
    headers = {"user-agent": "Firefox", "referer": "https://www.example.mx/suv?utm_campaign=lejos"}
    incoming = Incoming(body=body_of(body), headers=headers)
    outcome = CHANNELS[channel].parse(incoming, arrival)[0].outcome
    assert isinstance(outcome, Commands), outcome
    (command,) = outcome.commands
    assert isinstance(command, RecordInteraction)
    return command


def check(channel: str, body: bytes) -> None:
    """Hold the atoms of a body against the contract."""
    atoms = parsed(channel, body)
    assert atoms
    for atom in atoms:
        if isinstance(atom.outcome, Ignored):
            assert atom.outcome.reason in IGNORED
        again = parsed(channel, atom.raw())
        assert [(one.source, one.outcome) for one in again] == [(atom.source, atom.outcome)]


# -------------------------------------------------------------------------- examples


@pytest.mark.parametrize(
    ("channel", "body", "expected"),
    [pytest.param(at, body, told, id=name) for name, at, body, told in FORMS + TYPEFORMS],
)
def test_each_kind_comes_to_what_it_is(
    channel: str, body: object, expected: tuple[str, ...]
) -> None:
    """Each kind of request comes to what the table says, and parses to itself alone."""
    assert lines(channel, body) == expected
    check(channel, body_of(body))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.document.name))
def test_the_document_has_the_table(table: object) -> None:
    """The table of the document is what the parser says today."""
    (found,) = [one for one in TABLES if one is table]
    assert found.document.read_text("utf-8") == found.renewed(), "python -m " + found.module


@pytest.mark.real_requests
@pytest.mark.parametrize("name", sorted(REAL_TOLD))
def test_a_sample_comes_to_what_it_is(name: str) -> None:
    """Each form beside the project is recorded with what was typed."""
    body = payload("webform", name)
    assert lines("form", body) == REAL_TOLD[name]
    check("form", body)


@pytest.mark.real_requests
def test_no_sample_is_left_out() -> None:
    """Every form beside the project has its line in the table."""
    assert set(payload_names("webform")) <= set(REAL_TOLD)


@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from(
                [*ANA, "email", "utm_campaign", "landing_url", "", "form_id", "x[y][1]"]
            )
            | st.text(max_size=5),
            st.text(max_size=20)
            | st.sampled_from(["http://[x", "+5255", "a@b", "\x00", "1" * 600]),
        ),
        max_size=6,
    ),
    tail=st.binary(max_size=8),
    cut=st.integers(0, 200),
)
@settings(max_examples=150)
def test_a_poisoned_form_becomes_atoms(
    fields: list[tuple[str, str]], tail: bytes, cut: int
) -> None:
    """Whatever is typed into a form, and wherever it breaks off, it is atoms of the contract."""
    plain = urlencode([(n, v.encode("utf-8", "replace")) for n, v in fields]).encode() + tail
    parts = multipart({n.encode("utf-8", "replace").decode(): v for n, v in ANA.items()})
    for body in (plain, plain[:cut], parts[:cut] + tail, parts + tail, b'{"a":[' + tail):
        check("form", body)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@given(data=st.data())
@settings(max_examples=150)
def test_a_poisoned_response_is_one_atom(data: st.DataObject) -> None:
    """Whatever is missing in a response of Typeform's, or is of another type, it is one atom."""

    def poisoned(value: object, depth: int) -> object:
        if data.draw(st.integers(0, 8 + depth)) == 0:
            return data.draw(VALUES)
        if isinstance(value, dict):
            kept = {name: one for name, one in value.items() if data.draw(st.integers(0, 9))}
            return {name: poisoned(one, depth + 1) for name, one in kept.items()}
        if isinstance(value, list):
            return [poisoned(one, depth + 1) for one in value]
        return value

    body = json.dumps(poisoned(WHOLE, 0)).encode()
    check("typeform", body)
    check("form", body)


# ------------------------------------------------------------------------ who, and whence


def test_the_phone_is_the_contact_and_the_mail_a_suggestion() -> None:
    """A national phone is read in the ledger's country; the address beside it is not asserted."""
    found = recorded("form", {**ANA, "telefono": "55 1234 5678"})
    assert (found.resource, found.destination) == ("tel:+525512345678", "form:web/main")
    assert [(one.address, one.asserted) for one in found.aliases] == [
        ("mailto:ana@example.com", False)
    ]
    assert (found.source, found.external_id) == ("form:web", "8f6f6d2e")
    assert (found.contact_name, found.time_source) == ("Ana Núñez", TimeSource.RECEIVED)


def test_a_form_says_which_one_it_is() -> None:
    """By a field, else by the option of the connection."""
    assert recorded("form", {**ANA, "form_id": "suv"}).destination == "form:web/suv"
    assert recorded("form", ANA, form_id="contacto").destination == "form:web/contacto"


def test_without_id_the_same_form_is_one_within_a_minute() -> None:
    """A button that is pressed twice sends one form; other words are another one."""
    plain = {name: value for name, value in ANA.items() if name != "submission_id"}
    first = recorded("form", plain)
    assert first.external_id is None
    assert recorded("form", {**plain, "elapsed_ms": "4000"}).key == first.key
    assert recorded("form", {**plain, "mensaje": "Hola"}).key != first.key


def test_campaign_clicks_and_consents_are_kept() -> None:
    """Parameters of fields, of the landing page and of the page before, in this order."""
    landing = "https://www.example.mx/?utm_campaign=venta&gclid=Cj0&utm_source=google"
    found = recorded("form", {**ANA, "landing_url": landing, "acepto_privacidad": "on"})
    details = json.loads(found.details or b"")
    assert found.campaign == "venta"
    assert details["click_ids"] == {"gclid": "Cj0"}
    assert details["utm"] == {"campaign": "venta", "source": "google"}
    assert details["consent"] == {"acepto_privacidad": "on"}
    assert (details["user_agent"], found.text) == ("Firefox", "¿Sigue disponible?")
    assert recorded("form", ANA).campaign == "lejos"


@pytest.mark.parametrize("trap", ["_hp_field", "bot-field", "website"])
def test_what_a_machine_sends_is_kept_apart(trap: str) -> None:
    """It is recorded with all that it says, from nobody, and makes nothing unread."""
    found = recorded("form", {**ANA, trap: "x"}, honeypot="website")
    assert (found.resource, found.aliases) == ("anonymous:form:web", ())
    assert found.auto is Auto.BULK
    assert found.text is not None
    assert "ana@example.com" in found.text
    assert json.loads(found.details or b"")["suspected_spam"] == ["honeypot"]


def test_a_file_is_named_with_its_size_and_hash() -> None:
    """Its name without its folder, type, size and hash are the file's own."""
    found = recorded("form", multipart(ANA, ("cv", "C:\\cv é.pdf", "application/pdf", b"%PDF")))
    (file,) = found.attachments
    assert (file.name, file.media_type, file.size_bytes) == ("cv é.pdf", "application/pdf", 4)
    assert file.sha256 is not None
    assert found.text == "¿Sigue disponible?"


def test_old_charsets_and_plain_text_are_read() -> None:
    """Windows-1252 in percent signs, and a form that was sent as plain text."""
    assert recorded("form", b"message=Jos%E9&email=a@b.mx").text == "José"
    arrival = Arrival(connection="form/web", received_at=NOON, derive=DERIVE)
    incoming = Incoming(body=b"message=Hola que tal\r\n", headers={"content-type": "text/plain"})
    (atom,) = FORM.parse(incoming, arrival)
    assert isinstance(atom.outcome, Commands)
    assert isinstance(atom.outcome.commands[0], RecordInteraction)
    assert atom.outcome.commands[0].text == "Hola que tal"


def test_a_response_of_typeform_is_recorded_whole() -> None:
    """Who, when, which form, whence, and each answer with its question."""
    found = recorded("typeform", msgspec.json.encode(WHOLE))
    assert (found.resource, found.destination) == ("tel:+525512345678", "form:web/lT4Z3j")
    assert [one.address for one in found.aliases] == ["mailto:ana@example.com"]
    assert (found.contact_name, found.campaign) == ("Ana Núñez", "venta-suv-2025")
    assert (found.subject_line, found.time_source) == ("Prueba de manejo", TimeSource.PROVIDER)
    assert found.external_id == "a3a12ec67a1365927098a606107fac15"
    assert json.loads(found.details or b"")["hidden"]["lead"] == "77"


# ------------------------------------------------------------------------- the answer


def test_the_answer_is_what_the_sender_can_use() -> None:
    """A script gets JSON, a browser the page of the option or ours; spam is told the same."""
    script = Incoming(headers={"accept": "application/json", "origin": "https://a.mx"})
    assert answer(script, {}).body == b'{"ok":true}'
    moved = answer(Incoming(), {"redirect": "https://a.mx/gracias"})
    assert (moved.status, moved.headers["Location"]) == (303, "https://a.mx/gracias")
    assert answer(Incoming(), {"redirect": "javascript:x"}).status == 200
    assert b"Gracias" in answer(Incoming(headers={"accept-language": "es-MX"}), {}).body


def test_only_named_origins_may_read() -> None:
    """With the option, a browser lets scripts of these pages send JSON and read the answer."""
    options = {"origins": "https://a.mx, https://b.mx"}
    ours = preflight(Incoming(headers={"origin": "https://b.mx"}), options)
    assert ours.headers["Access-Control-Allow-Origin"] == "https://b.mx"
    assert ours.headers["Access-Control-Allow-Methods"] == "POST"
    other = preflight(Incoming(headers={"origin": "https://c.mx"}), options)
    assert "Access-Control-Allow-Origin" not in other.headers


# ------------------------------------------------------------------------- on a ledger


def _furnish(desk: Desk) -> Desk:
    connections = desk.house.composition.channels.connections
    connections.add(Draft(channel="form", name="main", title="Web"))
    connections.add(Draft(channel="typeform", name="main", secrets=SECRETS))
    return desk


@pytest.fixture
def forms(backend: Backend) -> Iterator[Desk]:
    """A desk with a form and a Typeform, on each database."""
    with open_desk(backend) as desk:
        yield _furnish(desk)


@pytest.fixture
def small_forms(tmp_path: Path) -> Iterator[Desk]:
    """The same on SQLite."""
    folder = tmp_path / "forms"
    folder.mkdir()
    with open_desk(sqlite_backend(folder)) as desk:
        yield _furnish(desk)


def test_forms_are_recorded_once_each(forms: Desk) -> None:
    """A form, the same again, spam, and a response: told alike, counted, each once."""
    client, url = forms.house.client, "/channels/form/main"
    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    first = client.post(url, data=ANA)
    again = client.post(url, content=multipart(ANA), headers=headers)
    spam = client.post(url, data={**ANA, "submission_id": "2", "_hp_field": "x"})
    assert [a.status_code for a in (first, again, spam)] == [200] * 3
    assert first.content == again.content == spam.content
    balance = forms.balance("form")
    assert (balance["recorded"], balance["duplicate"], balance["quarantined"]) == (2, 1, 0)
    body = msgspec.json.encode(WHOLE)
    signed = client.post("/channels/typeform/main", content=body, headers=sign(body, SECRETS))
    unsigned = client.post("/channels/typeform/main", content=body)
    assert (signed.status_code, unsigned.status_code) == (200, 401)
    rows = forms.rows(channel="form")
    assert len(rows) == 3
    contacts = {row["contact"]["id"] for row in rows if row["auto"] is None}
    assert len(contacts) == 1


def test_a_browser_may_ask_before_it_sends(small_forms: Desk) -> None:
    """OPTIONS is answered for forms, and is no method of other channels."""
    asked = small_forms.house.client.request("OPTIONS", "/channels/form/main")
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "*"
    other = small_forms.house.client.request("OPTIONS", "/channels/typeform/main")
    assert other.status_code == 405


def test_a_form_with_a_secret_takes_from_those_who_know_it(small_forms: Desk) -> None:
    """Once the connection has a secret, a post without it is refused, in header or URL."""
    connections = small_forms.house.composition.channels.connections
    connection = connections.book.get("form", "main")
    connections.change(connection, Change(secrets={"secret": [b"between us"]}))
    post = small_forms.house.client.post
    assert post("/channels/form/main", data=ANA).status_code == 401
    good = post("/channels/form/main", data=ANA, headers={"x-hilo-secret": "between us"})
    assert good.status_code == 200
    assert post("/channels/form/main?secret=between%20us", data=ANA).status_code == 200


def test_an_open_form_is_tried_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`hilo channel test` of a form without a secret says that anybody may post."""
    monkeypatch.setenv("HILO_DATA", str(tmp_path))
    assert run(("channel", "add", "form", "web")) == 0
    assert run(("channel", "test", "form", "web")) == 0
    assert "ok\ta post without a secret is taken" in capsys.readouterr().out


def test_a_flood_from_one_address_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many posts in a quarter of an hour: 429, with the time to wait; then again."""
    monkeypatch.setattr("api.gate.POSTS_MAX", 3)
    with open_desk(sqlite_backend(tmp_path)) as desk:
        post = _furnish(desk).house.client.post
        codes = [post("/channels/form/main", content=b"").status_code for _ in range(3)]
        assert codes == [200] * 3
        over = post("/channels/form/main", data=ANA)
        assert (over.status_code, over.headers["retry-after"]) == (429, "900")
        desk.house.now[0] += 900_000_000
        assert post("/channels/form/main", data=ANA).status_code == 200
