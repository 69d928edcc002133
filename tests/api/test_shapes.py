"""The append request: everything that is wrong comes out in one answer, with stable codes."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from api.shapes import DETAILS_MAX_BYTES, FUTURE_MAX_US, Terms, append_command
from domain.commands import RecordInteraction
from domain.errors import InvalidInput, Malformed, SourceNotYours
from domain.times import format_utc
from domain.values import Channel, Deriver, Origin, TimeSource
from tests.api.house import ANA, NOON, SHOP, interaction

KNOWN = UUID(int=1)


def terms(*, imported: bool = False, source: str | None = None, key: str | None = None) -> Terms:
    """Terms under which one contact is known."""
    return Terms(
        country="MX",
        latest=NOON + FUTURE_MAX_US,
        imported=imported,
        source=source,
        derive=Deriver(bytes(32), UUID(int=0)),
        knows=lambda contact: contact == KNOWN,
        key_of=lambda _: key,
    )


def read(**changes: object) -> RecordInteraction:
    """The command of a request with changes."""
    return append_command(msgspec.json.encode(interaction(**changes)), terms())


def faults(raw: bytes) -> list[tuple[str, str]]:
    """Field and code of everything that is wrong with a body."""
    with pytest.raises(InvalidInput) as caught:
        append_command(raw, terms())
    return [(error.field, error.code) for error in caught.value.errors]


def test_a_whole_request_becomes_a_command() -> None:
    """Every field of the contract finds its place, addresses canonical."""
    command = read(
        resource="tel:+52 1 55 1234-5678",
        subject="Cita",
        contact_name="Ana",
        attended_by="Rosa",
        department="Ventas",
        campaign=" ",
        aliases=["whatsapp:1065/MX.1"],
        participants=[{"address": "mailto:ana@EXAMPLE.com", "role": "cc", "name": ""}],
        attachments=[
            {"name": "a.JPG", "media_type": "image/JPEG", "bytes": 5, "sha256": "AB" * 32}
        ],
        thread="t",
        in_reply_to="wamid.0",
        call={"seconds": 5, "outcome": "answered"},
        auto="bulk",
        details={"a": [1, "ñ"]},
    )
    assert (command.resource, command.destination) == (ANA, SHOP)
    assert (command.namespace, command.key, command.external_id) == ("whatsapp:1065",) + (
        "wamid.1",
    ) * 2
    assert (command.occurred_at, command.offset_min) == (1_795_346_102_000_000, -360)
    assert (command.origin, command.time_source) == (Origin.AUTOMATIC, TimeSource.PROVIDER)
    assert (command.subject_line, command.campaign) == ("Cita", None)
    assert [(alias.address, alias.asserted) for alias in command.aliases] == [
        ("whatsapp:1065/MX.1", True)
    ]
    assert [(one.address, one.name) for one in command.participants] == [
        ("mailto:ana@example.com", None)
    ]
    (attachment,) = command.attachments
    assert (attachment.media_type, attachment.sha256) == ("image/jpeg", "ab" * 32)
    assert attachment.size_bytes == 5
    assert command.call is not None
    assert command.call.seconds == 5
    assert command.details == '{"a":[1,"ñ"]}'.encode()


def test_nulls_are_the_same_as_nothing() -> None:
    """A field that is null is as if it were not there."""
    names = ("text", "subject", "contact_name", "call", "auto", "details", "thread", "in_reply_to")
    assert read(**dict.fromkeys(names)) == read(text=...)


@pytest.mark.parametrize(
    ("source", "imported", "origin"),
    [
        ("manual", False, Origin.MANUAL),
        ("import:old", False, Origin.IMPORTED),
        ("manual", True, Origin.IMPORTED),
        ("api:crm", True, Origin.IMPORTED),
        ("api:crm", False, Origin.AUTOMATIC),
    ],
)
def test_origin_follows_from_source_and_query(source: str, imported: bool, origin: Origin) -> None:  # noqa: FBT001 - a column of the table
    """Manual iff the source is `manual`, imported by word or by source, else automatic."""
    raw = msgspec.json.encode(interaction(source=source))
    assert append_command(raw, terms(imported=imported)).origin is origin


@pytest.mark.parametrize(
    ("changes", "asserted"),
    [
        ({"aliases": ["tel:+525511111111"]}, False),
        ({"aliases": ["whatsapp:1065/MX.1"]}, True),
        ({"aliases": ["whatsapp:1065/MX.1"], "source": "manual"}, False),
        ({"aliases": ["tel:+525511111111"], "resource": "whatsapp:1065/MX.1"}, True),
    ],
)
def test_only_a_providers_own_id_is_asserted(changes: dict[str, object], asserted: bool) -> None:  # noqa: FBT001 - a column of the table
    """An alias is one person with the counterpart where a provider's id is among the two."""
    assert [alias.asserted for alias in read(**changes).aliases] == [asserted]


def test_e_mail_has_one_name_space() -> None:
    """A message with its own id is in `email`, whatever its source; one without is its source's."""
    mail = {
        "channel": "email",
        "source": "api:crm",
        "resource": "mailto:ana@example.com",
        "destination": "mailto:ventas@example.mx",
    }
    command = read(**mail, external_id="<1@example.com>")
    assert (command.namespace, command.message_id) == ("email", "<1@example.com>")
    raw = msgspec.json.encode(interaction(**mail, external_id=None))
    command = append_command(raw, terms(key="k"))
    assert (command.namespace, command.key, command.message_id) == ("api:crm", "k", None)


def test_the_example_of_the_contract() -> None:
    """An address and a hash that are wrong are both named, with a message that helps."""
    attachment = {"name": "a", "media_type": "image/png", "sha256": "abc"}
    raw = msgspec.json.encode(interaction(resource="tel:abc", attachments=[attachment]))
    with pytest.raises(InvalidInput) as caught:
        append_command(raw, terms())
    assert caught.value.detail == "2 fields need attention."
    messages = {error.field: error.message for error in caught.value.errors}
    assert messages == {
        "resource": "tel:abc is not a phone number; write tel:+525512345678",
        "attachments[0].sha256": "64 hex digits",
    }


A_FILE = {"name": "a", "media_type": "image/png"}
FILE = "attachments[0]"
UPLOADED = f"{FILE}.attachment"
A_GUEST = {"address": ANA, "role": "to"}
GUEST_ADDRESS = "participants[0].address"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"channel": ...}, "channel", "missing"),
        ({"channel": "fax"}, "channel", "bad_enum"),
        ({"channel": 5}, "channel", "bad_enum"),
        ({"direction": None}, "direction", "bad_enum"),
        ({"source": "No Source"}, "source", "bad_source"),
        ({"source": "a:\u0007"}, "source", "bad_source"),
        ({"source": "a" * 129}, "source", "too_long"),
        ({"external_id": ""}, "external_id", "too_short"),
        ({"external_id": "x" * 513}, "external_id", "too_long"),
        ({"external_id": None}, "external_id", "missing_key"),
        ({"external_id": "a\x00b"}, "external_id", "bad_format"),
        ({"text": "a\x00b"}, "text", "bad_format"),
        ({"resource": None}, "resource", "missing"),
        ({"destination": None}, "destination", "missing"),
        ({"resource": None, "destination": None, "contact": str(KNOWN)}, "resource", "missing"),
        ({"resource": "fax:1"}, "resource", "unknown_scheme"),
        ({"resource": "place:main"}, "resource", "bad_address"),
        ({"contact": "x"}, "contact", "bad_format"),
        ({"contact": str(UUID(int=2))}, "contact", "unknown"),
        ({"destination": f"contact:{UUID(int=2)}"}, "destination", "unknown"),
        ({"occurred_at": ...}, "occurred_at", "missing"),
        ({"occurred_at": 5}, "occurred_at", "bad_type"),
        ({"occurred_at": "2026-11-22T05:15:02"}, "occurred_at", "bad_time"),
        ({"occurred_at": format_utc(NOON + FUTURE_MAX_US + 1)}, "occurred_at", "future"),
        ({"subject": "x" * 999}, "subject", "too_long"),
        ({"text": "x" * 100_001}, "text", "too_long"),
        ({"text": 5}, "text", "bad_type"),
        ({"contact_name": "x" * 201}, "contact_name", "too_long"),
        ({"department": ["a"]}, "department", "bad_type"),
        ({"aliases": [ANA] * 9}, "aliases", "too_long"),
        ({"aliases": [ANA, "tel:x"]}, "aliases[1]", "bad_address"),
        ({"aliases": None}, "aliases", "bad_type"),
        ({"participants": [{"address": ANA, "role": "to"}] * 201}, "participants", "too_long"),
        ({"participants": [{"role": "to"}]}, "participants[0].address", "missing"),
        ({"participants": [{**A_GUEST, "role": "alias"}]}, "participants[0].role", "bad_format"),
        ({"participants": [{**A_GUEST, "address": "tel:x"}]}, GUEST_ADDRESS, "bad_address"),
        ({"participants": [5]}, "participants[0]", "bad_type"),
        ({"attachments": [A_FILE] * 51}, "attachments", "too_long"),
        ({"attachments": [{**A_FILE, "bytes": -1}]}, "attachments[0].bytes", "out_of_range"),
        ({"attachments": [{**A_FILE, "bytes": 1.5}]}, "attachments[0].bytes", "bad_type"),
        ({"attachments": [{**A_FILE, "media_type": "png"}]}, f"{FILE}.media_type", "bad_format"),
        ({"attachments": [{**A_FILE, "url": "javascript:1"}]}, "attachments[0].url", "bad_format"),
        ({"attachments": [{**A_FILE, "attachment": str(KNOWN)}]}, UPLOADED, "not_allowed"),
        ({"attachments": [{**A_FILE, "size": 1}]}, "attachments[0].size", "unknown_field"),
        ({"thread": "x" * 513}, "thread", "too_long"),
        ({"call": {"seconds": True}, "channel": "call"}, "call.seconds", "bad_type"),
        ({"call": {"outcome": "lost"}, "channel": "call"}, "call.outcome", "bad_enum"),
        ({"call": {}, "channel": "sms"}, "call", "not_allowed"),
        ({"auto": "robot"}, "auto", "bad_enum"),
        ({"details": [1]}, "details", "bad_type"),
        ({"details": {"a": "x" * DETAILS_MAX_BYTES}}, "details", "too_long"),
        ({"Text": "a"}, "Text", "unknown_field"),
        ({"twin_of": 5}, "twin_of", "not_allowed"),
        ({"twin_of": 0}, "twin_of", "out_of_range"),
    ],
)  # fmt: skip
def test_each_rule_has_its_code(changes: dict[str, object], field: str, code: str) -> None:
    """One thing wrong gives one error: its path and its code."""
    assert faults(msgspec.json.encode(interaction(**changes))) == [(field, code)]


def test_all_faults_come_at_once() -> None:
    """Types, lengths, grammar and rules between fields, of readable and unreadable fields."""
    body = interaction(
        channel="fax",
        source="NO",
        resource="tel:abc",
        occurred_at="x",
        call={"seconds": "long"},
        nonsense=1,
        external_id=None,
    )
    assert sorted(faults(msgspec.json.encode(body))) == [
        ("call.seconds", "bad_type"),
        ("channel", "bad_enum"),
        ("external_id", "missing_key"),
        ("nonsense", "unknown_field"),
        ("occurred_at", "bad_time"),
        ("resource", "bad_address"),
        ("source", "bad_source"),
    ]


def test_an_empty_object_lacks_everything() -> None:
    """An empty body names every field that is required."""
    assert sorted(faults(b"{}")) == [
        ("channel", "missing"),
        ("destination", "missing"),
        ("direction", "missing"),
        ("external_id", "missing_key"),
        ("occurred_at", "missing"),
        ("resource", "missing"),
        ("source", "missing"),
    ]


def test_a_misspelt_field_is_recognised() -> None:
    """The message of an unknown field says which one was probably meant."""
    with pytest.raises(InvalidInput) as caught:
        append_command(msgspec.json.encode(interaction(atended_by="Rosa")), terms())
    assert "did you mean attended_by?" in caught.value.errors[0].message


def test_the_edges_of_the_limits_are_inside() -> None:
    """What a limit allows is taken: lengths, counts, and five minutes of the future."""
    command = read(
        external_id="x" * 512,
        text="ñ" * 100_000,
        subject="s" * 998,
        aliases=[f"tel:+5255123456{n:02d}" for n in range(8)],
        participants=[{"address": ANA, "role": "to"}] * 200,
        attachments=[A_FILE] * 50,
        occurred_at=format_utc(NOON + FUTURE_MAX_US),
    )
    assert len(command.text or "") == 100_000
    assert command.participant_count == 200
    assert len({attachment.id for attachment in command.attachments}) == 50


def test_an_escaped_backslash_is_no_nul() -> None:
    """Text that only looks like an escaped NUL is taken as it is."""
    assert read(text="\\u0000").text == "\\u0000"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"text": "\xff"}',
        b'{"details": {"a": "\xff"}}',
        b"\xef\xbb\xbf{}",
        b'{"text": "\\ud800"}',
        b'{"details": ' + b"[" * 100_000 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    """Broken JSON, other encodings and bottomless nesting are 400, not 422."""
    with pytest.raises(Malformed):
        append_command(raw, terms())


def test_a_bound_source_is_taken_and_kept() -> None:
    """The token's source stands where none is named; another one is refused."""
    bound = terms(source="api:crm")
    raw = msgspec.json.encode(interaction(source=...))
    assert append_command(raw, bound).source == "api:crm"
    with pytest.raises(SourceNotYours):
        append_command(msgspec.json.encode(interaction()), bound)


def test_every_channel_can_be_appended() -> None:
    """Each channel of the enum is taken, with the addresses that it uses."""
    for channel in Channel:
        assert read(channel=channel.value).channel is channel
