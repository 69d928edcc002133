"""Values: enums as the contract lists them, normal forms of names, derived ids."""

from __future__ import annotations

import itertools
import re
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.values import (
    Auto,
    CallOutcome,
    Channel,
    ComparisonKey,
    DeliveryState,
    Deriver,
    Direction,
    Origin,
    Role,
    TimeSource,
    derive,
    derive_mac,
    dictionary_key,
    echo,
    is_source,
    staff_name,
)

SECRET = bytes(range(32))
LEDGER = UUID("00112233-4455-6677-8899-aabbccddeeff")
CONTACT = UUID("5f1a0000-0000-4000-8000-000000000001")

# Text that can be written in UTF-8, as everything that comes in is.
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@pytest.mark.parametrize(
    ("enum", "words"),
    [
        (
            Channel,
            "call sms whatsapp messenger instagram telegram email form webchat walk_in other",
        ),
        (Direction, "inbound outbound"),
        (Origin, "automatic manual imported"),
        (TimeSource, "provider received typed import"),
        (CallOutcome, "answered missed busy no_answer voicemail failed canceled"),
        (Auto, "auto_reply bounce bulk"),
        (Role, "from to cc bcc member alias"),
        (DeliveryState, "queued sent delivered read played failed unknown"),
    ],
)
def test_words_of_the_contract(enum: type[StrEnum], words: str) -> None:
    """Each enum has the words of the contract, in its order."""
    assert [str(member) for member in enum] == words.split()


def test_delivery_states_rise() -> None:
    """Queued, sent, delivered, read and played rise in this order."""
    rising = ["queued", "sent", "delivered", "read", "played"]
    ranks = [DeliveryState(word).rank for word in rising]
    assert ranks == sorted(set(ranks))


def test_delivery_states_fold_in_any_order() -> None:
    """The greatest rank is the same state in whatever order the statuses came."""
    for size in (2, 3):
        for states in itertools.combinations(DeliveryState, size):
            tops = {max(order, key=lambda s: s.rank) for order in itertools.permutations(states)}
            assert len(tops) == 1


def test_failure_is_not_undone_by_a_late_sent() -> None:
    """A failed message stays failed when its sent comes late, and is delivered if it was."""
    assert DeliveryState.SENT.rank < DeliveryState.FAILED.rank < DeliveryState.DELIVERED.rank


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Venta SUV 2025", "venta-suv-2025"),
        ("Atención al cliente", "atencion-al-cliente"),
        ("ATENCIÓN  al — cliente!", "atencion-al-cliente"),
        ("Núñez & Co.", "nunez-co"),
        ("Ventas_México/Norte", "ventas-mexico-norte"),
        ("Straße", "strasse"),
        ("ﬁn ２０２５", "fin-2025"),
        ("İzmir", "izmir"),
        ("  -ventas-  ", "ventas"),
        ("日本", "x-cf2abf0c5be3"),
        (" 日本\n", "x-cf2abf0c5be3"),
        ("", "x-e3b0c44298fc"),
        ("a" * 81, "a" * 80),
        ("a" * 79 + " b", "a" * 79),
    ],
)
def test_dictionary_key(name: str, key: str) -> None:
    """A name gives the key of the contract, and one that leaves nothing a stable stand-in."""
    assert dictionary_key(name) == key


@given(names)
def test_dictionary_key_is_a_key(name: str) -> None:
    """Any name gives 1 to 80 of a-z, 0-9 and hyphens, and that key gives itself."""
    key = dictionary_key(name)
    assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", key)
    assert len(key) <= 80
    assert dictionary_key(key) == key


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Ana Núñez", "ana núñez"),
        ("  ANA\u00a0 NU\u0301N\u0303EZ\n", "ana núñez"),
        ("Ａｎａ", "ana"),
        ("Weiß", "weiss"),
    ],
)
def test_staff_name(name: str, form: str) -> None:
    """Spellings that a reader takes for one name have one form."""
    assert staff_name(name) == form


@given(names)
def test_staff_name_is_stable(name: str) -> None:
    """The normal form of a name is its own normal form."""
    assert staff_name(staff_name(name)) == staff_name(name)


@pytest.mark.parametrize(
    "source",
    ["manual", "import:old crm", "whatsapp:106540352242922", "api:a", "a" * 128, "form:web/é"],
)
def test_source(source: str) -> None:
    """A kind in small letters, or a kind, a colon and any text, is a source."""
    assert is_source(source)


@pytest.mark.parametrize(
    "text",
    ["", "Manual", "sms:", ":x", "twilio-sms:x", "sms2:x", "a" * 129, "sms:a\n", "sms:\x00", "s\n"],
)
def test_not_a_source(text: str) -> None:
    """Anything else, or more than 128 characters, or a control character, is none."""
    assert not is_source(text)


def test_derived_ids_are_pinned() -> None:
    """The ids are those that OpenSSL gives for the design's formula; they never change."""
    deriver = Deriver(SECRET, LEDGER)
    fact = deriver.fact("whatsapp:106540352242922", "interaction", "wamid.HBg")
    assert fact == UUID("f714f3c2-4ce8-8794-89c8-634d3fe4cbc8")
    assert deriver.id("contact", CONTACT) == UUID("07b771f8-ee95-8573-a32c-b96aabfa917c")
    assert deriver.id("staff", "ana núñez") == UUID("a895ea43-4ca7-8e2d-a0bb-00a3813727a4")
    assert deriver.id("x") == UUID("b743852d-c3dd-8586-81a4-e05adaeab07c")


@pytest.mark.parametrize(
    ("comparison", "code"),
    [
        (
            "tel:+525512345678",
            "a1dc3e2a79ff96fd8aa4e71f5e75b48d1d16dde56b6d5b9e2e1e011884db7aaf",
        ),
        (
            "mailto:ñandú@example.com",
            "41ae80b77787c5ac1dbcec96cccec8817d0f6802432918453de61684558342e4",
        ),
    ],
)
def test_address_codes_are_pinned(comparison: str, code: str) -> None:
    """An address's code is all 32 bytes under the label `address`."""
    assert Deriver(SECRET, LEDGER).mac(ComparisonKey(comparison)).hex() == code
    assert derive_mac(SECRET, LEDGER, "address", comparison).hex() == code


def test_derive_without_a_deriver() -> None:
    """The function gives what the object gives, for text, bytes and UUIDs."""
    parts = ("a", b"\x00\xff", CONTACT)
    assert derive(SECRET, LEDGER, "label", *parts) == Deriver(SECRET, LEDGER).id("label", *parts)


@given(st.lists(names, max_size=4), st.lists(names, max_size=4))
def test_parts_do_not_run_together(some: list[str], others: list[str]) -> None:
    """Two lists of parts give one id only if they are the same list."""
    deriver = Deriver(SECRET, LEDGER)
    one, other = deriver.id("label", *some), deriver.id("label", *others)
    assert (one == other) == (some == others)
    assert one.version == 8
    assert one.variant == "specified in RFC 4122"


def test_ids_depend_on_ledger_and_secret() -> None:
    """Another ledger or another secret gives another id for the same parts."""
    ids = {
        derive(SECRET, LEDGER, "contact", CONTACT),
        derive(SECRET, CONTACT, "contact", CONTACT),
        derive(bytes(32), LEDGER, "contact", CONTACT),
    }
    assert len(ids) == 3


def test_a_short_secret_is_refused() -> None:
    """A secret that does not have 32 bytes makes no ids."""
    with pytest.raises(ValueError, match="32 bytes"):
        Deriver(b"short", LEDGER)


def test_echo() -> None:
    """An error repeats at most 60 characters, all printable."""
    assert echo("tel:abc") == "tel:abc"
    assert echo("a\x00\nb") == "a??b"
    assert echo("x" * 61) == "x" * 59 + "…"
