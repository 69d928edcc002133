"""Each kind of request of Twilio and Telegram, real ones too: what it comes to, and that it holds.

What a request is poisoned with stays with itself: keys that are missing, other types, names that
come again, bytes that are no text.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import IGNORED, Commands, Ignored
from domain.values import is_source
from tests.channels.telegram_examples import TABLE as TELEGRAM
from tests.channels.twilio_examples import TABLE as TWILIO
from tests.channels.vendors import OPTIONS, Example, body_of, lines, parsed, payload, payload_names

EXAMPLES: Final[tuple[Example, ...]] = TWILIO.examples + TELEGRAM.examples

REAL: Final = [(channel, name) for channel in OPTIONS for name in payload_names(channel)]

REAL_TOLD: Final[dict[str, tuple[str, ...]]] = {
    "twilio_sms/SYNTH_status_undelivered_30003.form": ("status: undelivered (30003)",),
    "twilio_voice/SYNTH_child_leg_completed.form": (
        "status: completed → 300 s",
        "status: completed → answered",
    ),
    "twilio_voice/SYNTH_dial_action_noanswer.form": (
        "call inbound",
        "status: dial-no-answer → missed",
    ),
    "twilio_voice/SYNTH_no_answer_outbound.form": (
        "call outbound",
        "status: no-answer → no_answer",
    ),
    "twilio_voice/SYNTH_recording_absent.form": ("status: recording-absent",),
    "twilio_voice/SYNTH_recording_completed.form": ("status: recording-completed",),
    "twilio_whatsapp/SYNTH_location.form": (
        "interaction inbound: “📍 Shop, 1 High St 12.160894393921,75.2652053833…”",
    ),
    "telegram/illemius_edited_message.json": ("edit: “hi there (edited)”",),
    "telegram/illemius_forwarded_message.json": ("interaction inbound: “message text”",),
    "telegram/illemius_message.json": ("interaction inbound: “Hi, world!”",),
    "telegram/illemius_message_with_audio.json": ("interaction inbound + audio.mp3",),
    "telegram/illemius_message_with_document.json": (
        "interaction inbound: “doc description” + test.docx",
    ),
    "telegram/illemius_message_with_game.json": ("interaction inbound: “🎮 Karate Kido”",),
    "telegram/illemius_message_with_location.json": (
        "interaction inbound: “📍 55.693416,37.624605”",
    ),
    "telegram/illemius_message_with_photo.json": (
        "interaction inbound: “photo description” + image.jpg",
    ),
    "telegram/illemius_message_with_successful_payment.json": (
        "interaction inbound: “💳 62.50 USD”",
    ),
    "telegram/illemius_message_with_video.json": (
        "interaction inbound: “description” + video.mov",
    ),
    "telegram/illemius_message_with_voice.json": ("interaction inbound + voice.ogg",),
    "telegram/illemius_pre_checkout_query.json": (
        "interaction inbound by a machine: “🧾 62.50 USD”",
    ),
    "telegram/illemius_reply_message.json": ("interaction inbound: “Reply to quoted message”",),
    "telegram/illemius_shipping_query.json": (
        "interaction inbound by a machine: “📦 Central, Middle, DefaultCity, State, 424242, …”",
    ),
}
"""What each real request comes to; the requests themselves lie beside the project."""


def check(channel: str, body: bytes) -> None:
    """Hold the atoms of a body against the contract."""
    atoms = parsed(channel, body)
    assert [atom.number for atom in atoms] == list(range(len(atoms)))
    assert atoms
    for atom in atoms:
        assert atom.source == "" or is_source(atom.source)
        match atom.outcome:
            case Ignored(reason):
                assert reason in IGNORED
            case Commands():
                assert atom.source
        again = parsed(channel, atom.raw())
        assert [(one.source, one.outcome) for one in again] == [(atom.source, atom.outcome)]


@pytest.mark.parametrize(
    ("channel", "body", "expected"),
    [pytest.param(at, body, expected, id=name) for name, at, body, expected in EXAMPLES],
)
def test_each_kind_comes_to_what_it_is(
    channel: str, body: object, expected: tuple[str, ...]
) -> None:
    """Each kind of request comes to what the table says, and parses to itself alone."""
    assert lines(channel, body) == expected
    check(channel, body_of(body))


@pytest.mark.parametrize("table", [TWILIO, TELEGRAM], ids=lambda table: table.module)
def test_the_document_has_the_table(table: Any) -> None:  # noqa: ANN401 - pytest's parameter
    """The table of the document is what the parser says today."""
    again = f"make it anew: python -m tests.channels.{table.module}"
    assert table.document.read_text("utf-8") == table.renewed(), again


@pytest.mark.real_requests
@pytest.mark.parametrize("name", sorted(REAL_TOLD))
def test_a_real_request_comes_to_what_it_is(name: str) -> None:
    """Each real request is recorded as its kind, or ignored for its reason."""
    channel, _, file = name.partition("/")
    body = payload(channel, file)
    assert lines(channel, body) == REAL_TOLD[name]
    check(channel, body)


@pytest.mark.real_requests
def test_no_real_request_is_left_out() -> None:
    """Every real request that is there has its line in the table."""
    assert {f"{channel}/{name}" for channel, name in REAL} <= set(REAL_TOLD)


# --------------------------------------------------------------------------- poison

SCALARS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["", " ", "\x00", "+", "1" * 600, "whatsapp:", "client:", "-1", "1e400"]),
)
WRONG: Final = (
    SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=4), SCALARS)
)

FORMS: Final = [(at, body) for _, at, body, _ in TWILIO.examples if isinstance(body, dict)]
UPDATES: Final = [body for _, _, body, _ in TELEGRAM.examples if isinstance(body, dict)]


@st.composite
def forms(draw: st.DrawFn) -> tuple[str, bytes]:
    """A form with parameters taken away, changed, repeated, or cut in the middle of a byte."""
    channel, params = draw(st.sampled_from(FORMS))
    names = st.sampled_from(sorted(params))
    fields = dict(params)
    for name in draw(st.lists(names, max_size=4)):
        fields.pop(name, None)
    for name in draw(st.lists(names, max_size=3)):
        fields[name] = str(draw(SCALARS))
    body = body_of({name: str(text).encode("utf-8", "replace") for name, text in fields.items()})
    for name in draw(st.lists(names, max_size=2)):
        body += b"&" + name.encode() + b"=" + draw(st.binary(max_size=6))
    return channel, body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body


def _poisoned(draw: st.DrawFn, value: object, depth: int = 0) -> object:
    """A value with parts of it replaced or taken away, at any depth."""
    if draw(st.integers(0, 7 + depth)) == 0:
        return draw(WRONG)
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if draw(st.integers(0, 9))}
        return {name: _poisoned(draw, inner, depth + 1) for name, inner in kept.items()}
    if isinstance(value, list):
        return [_poisoned(draw, inner, depth + 1) for inner in value]
    return value


@st.composite
def updates(draw: st.DrawFn) -> bytes:
    """An update in which anything may be missing or of another type."""
    try:
        return msgspec.json.encode(_poisoned(draw, draw(st.sampled_from(UPDATES))))
    except (OverflowError, UnicodeEncodeError):
        return b"{}"


@given(request=forms())
@settings(max_examples=150)
def test_a_poisoned_form_is_one_atom(request: tuple[str, bytes]) -> None:
    """Whatever is done to a form, it is one atom that the contract allows."""
    channel, body = request
    check(channel, body)


@given(body=updates())
@settings(max_examples=150)
def test_a_poisoned_update_becomes_atoms(body: bytes) -> None:
    """Whatever is done to an update, its atoms are what the contract allows."""
    check("telegram", body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"MessageSid": "SM1", "From": "+525512345678", "To": ["x"], "Body": {"a": 1}}',
        b'[{"MessageSid": "SM1", "From": "+525512345678", "Body": "Hola"}, 7, {}]',
        b"[[]]",
        b"{",
        b"[" * 100_000,
        b"&".join([b"a=b"] * 3_000),
    ],
)
def test_json_and_crowds_are_read_too(body: bytes) -> None:
    """JSON in place of a form, lists of it, and bodies of no shape are atoms all the same."""
    check("twilio_sms", body)
