"""Sealed events: what goes in comes out, what was changed is noticed, what was erased is gone."""

from __future__ import annotations

import dataclasses
from hashlib import sha256
from typing import Any, cast

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import events as ev
from domain.errors import Damaged, KeyMissing, NewerData, TooLarge
from domain.events import Event
from domain.topics import TOPICS
from storage.frame import MAX_HEADER_BYTES, join, split
from tests.storage.any_event import events_of
from tests.storage.keys import MemoryKeys
from tests.storage.sealed import ANA, LEDGER, LUIS, MAIL, SECRET_TEXT, SEEN, STREAM, a_codec, stored

# Made once: a codec works out each topic's layout when it is made.
CODEC = a_codec(MemoryKeys())


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_event_comes_back(topic: str, data: st.DataObject) -> None:
    """An event of any class, with any values, is the same event after sealing and opening."""
    event = data.draw(events_of(TOPICS[topic]))
    entry = CODEC.open(stored(CODEC, event))
    assert entry.event == event
    assert (entry.position, entry.recorded_at, entry.topic) == (7, 5_000, topic)
    assert not entry.erased


def test_the_layout_is_the_designs() -> None:
    """A reader that knows design.md alone takes a state apart, and opens it with the keys."""
    keys = MemoryKeys()
    entry = stored(a_codec(keys), MAIL)
    state = entry.state
    length = int.from_bytes(state[1:3], "big")
    header, rest = state[3 : 3 + length], state[4 + length :]
    assert (state[0], state[3 + length]) == (1, 2)
    topic = b"interaction.recorded"
    bound = LEDGER.bytes + STREAM.bytes + b"\0\0\0\1" + len(topic).to_bytes(4, "big") + topic
    opened: list[dict[str, Any]] = []
    for number, subject in enumerate([ANA, LUIS]):
        key = keys.sealing(subject)
        assert rest[:16] == key.key_id
        size = int.from_bytes(rest[16:20], "big")
        nonce, sealed = rest[20:32], rest[32 : 20 + size]
        aad = bound + header + bytes([number])
        opened.append(msgspec.msgpack.decode(key.aead.decrypt(nonce, sealed, aad)))
        rest = rest[20 + size :]
    assert rest == b""
    assert opened == [
        {"resource": "mailto:ana@example.mx", "text": SECRET_TEXT},
        {"address": "mailto:luis@example.mx", "name": "Luis"},
    ]
    clear = msgspec.msgpack.decode(header)
    assert list(clear) == sorted(clear)
    assert clear["subject"] == ANA.bytes
    assert "department" not in clear
    assert "text" not in clear


def test_nothing_sealed_stands_in_the_state() -> None:
    """No text, name or address can be read from what is stored."""
    state = stored(a_codec(MemoryKeys()), MAIL).state
    for word in ("Amargura", "ana@", "luis@", "Luis"):
        assert word.encode() not in state


def test_a_topic_without_sealed_fields_has_no_section() -> None:
    """What holds nothing to seal is opened without any key."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    entry = stored(codec, SEEN)
    assert codec.sections_of(entry) == []
    assert codec.open(entry).event == SEEN
    assert keys.by_id == {}


def test_section_0_stands_even_when_nothing_is_in_it() -> None:
    """An erasure shows on an event whose sealed fields are all empty."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    revoked = ev.InteractionRevoked(
        originator_id=STREAM,
        originator_version=1,
        actor=ev.Actor("channel", "meta-main"),
        about=STREAM,
        source="whatsapp:1",
        subject=ANA,
        at=1,
    )
    entry = stored(codec, revoked)
    assert len(codec.sections_of(entry)) == 1
    keys.destroy(ANA)
    assert codec.open(entry).erased


def test_without_a_subject_the_company_seals() -> None:
    """Where the field that names the section's owner is empty, the key is the company's."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    reported = ev.DeliveryReported(
        originator_id=STREAM,
        originator_version=1,
        actor=ev.Actor("channel", "twilio"),
        about=STREAM,
        source="sms:1",
        at=1,
        state="failed",
        word="undelivered",
        message="Unreachable",
    )
    entry = stored(codec, reported)
    assert codec.sections_of(entry)[0][0] == keys.sealing(keys.company).key_id
    assert codec.open(entry).event == reported


# ---------------------------------------------------------------------- tampering


@pytest.mark.parametrize(
    "change",
    [
        {"originator_id": LUIS},
        {"originator_version": 2},
        {"topic": "interaction.edited"},
    ],
)
def test_content_is_bound_to_its_place(change: dict[str, object]) -> None:
    """A state under another stream, version or topic does not open."""
    codec = a_codec(MemoryKeys())
    moved = msgspec.structs.replace(stored(codec, MAIL), **change)
    with pytest.raises(Damaged, match="section 0 does not open"):
        codec.open(moved)


def test_content_is_bound_to_its_ledger() -> None:
    """A state carried into another ledger with the same keys does not open."""
    keys = MemoryKeys()
    entry = stored(a_codec(keys), MAIL)
    with pytest.raises(Damaged):
        a_codec(keys, ledger=ANA).open(entry)


def test_content_is_bound_to_its_header() -> None:
    """A changed word in clear is noticed when the content is opened."""
    codec = a_codec(MemoryKeys())
    entry = stored(codec, MAIL)
    changed = entry.state.replace(b"inbound", b"Inbound")
    with pytest.raises(Damaged, match="position 7"):
        codec.open(msgspec.structs.replace(entry, state=changed))


def test_a_section_is_bound_to_its_number() -> None:
    """Two sections under one key cannot change places."""
    twice = msgspec.structs.replace(
        MAIL,
        parties=MAIL.parties * 2,
        identities=(*MAIL.identities, ev.Identity("mailto:other@example.mx")),
    )
    codec = a_codec(MemoryKeys())
    entry = stored(codec, twice)
    header, (content, first, second) = split(entry)
    swapped = join(header, [content, second, first])
    with pytest.raises(Damaged, match="section 1"):
        codec.open(msgspec.structs.replace(entry, state=swapped))


@given(at=st.integers(0), flip=st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(at: int, flip: int) -> None:
    """Whatever byte of a state with content is changed, it does not open."""
    entry = stored(CODEC, MAIL)
    place = at % len(entry.state)
    state = bytearray(entry.state)
    state[place] ^= flip
    with pytest.raises((Damaged, KeyMissing)):
        CODEC.open(msgspec.structs.replace(entry, state=bytes(state)))


@given(header=st.binary(max_size=30))
def test_a_header_of_any_bytes_ends_in_our_error(header: bytes) -> None:
    """Where no section guards the header, nonsense in it is named with its position."""
    entry = msgspec.structs.replace(stored(CODEC, SEEN), state=join(header, []))
    with pytest.raises(Damaged, match="position 7"):
        CODEC.open(entry)


def test_an_error_repeats_nothing_that_was_sealed() -> None:
    """An event whose content does not fit its class is refused without saying what is in it."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    entry = stored(codec, MAIL)
    header, (content, party) = split(entry)
    key = keys.sealing(ANA)
    topic = b"\0\0\0\x14interaction.recorded"
    aad = LEDGER.bytes + STREAM.bytes + b"\0\0\0\1" + topic + header
    own = [{"address": "tel:+525512345678", "role": SECRET_TEXT}]
    plain = msgspec.msgpack.encode({"own_participants": own})
    wrong = key.aead.encrypt(bytes(12), plain, aad + b"\0")
    state = join(header, [(content[0], bytes(12) + wrong), party])
    with pytest.raises(Damaged) as caught:
        codec.open(msgspec.structs.replace(entry, state=state))
    assert "own_participants" in caught.value.detail
    assert "Amargura" not in caught.value.detail
    assert caught.value.__cause__ is None


# ---------------------------------------------------------------------- limits


def test_a_header_above_its_limit_is_refused() -> None:
    """The clear header has at most 16 KiB."""
    long = msgspec.structs.replace(SEEN, actor=ev.Actor("user", "x" * MAX_HEADER_BYTES))
    with pytest.raises(TooLarge) as caught:
        a_codec(MemoryKeys()).seal(long)
    assert caught.value.limit_bytes == 16_384


def test_parties_and_identities_go_together() -> None:
    """An event whose two lists of participants differ in length is not written."""
    odd = msgspec.structs.replace(MAIL, identities=())
    with pytest.raises(ValueError, match="do not go together"):
        a_codec(MemoryKeys()).seal(odd)


def test_a_missing_section_is_noticed() -> None:
    """An event with more parties than sections is damaged."""
    codec = a_codec(MemoryKeys())
    entry = stored(codec, MAIL)
    header, sections = split(entry)
    cut = msgspec.structs.replace(entry, state=join(header, sections[:1]))
    with pytest.raises(Damaged, match="section"):
        codec.open(cut)


def test_a_class_without_a_topic_is_refused() -> None:
    """What has no topic cannot be stored."""

    class Unheard(Event, frozen=True, kw_only=True):
        """An event that nobody registered."""

    event = Unheard(originator_id=ANA, originator_version=1, actor=ev.Actor("user", "x"))
    with pytest.raises(TypeError, match="Unheard"):
        a_codec(MemoryKeys()).seal(event)


# ---------------------------------------------------------------------- erasure


def test_what_is_left_of_an_erased_event() -> None:
    """Its clear fields stay, its sealed fields are at their defaults, and the entry says so."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    entry = stored(codec, MAIL)
    keys.destroy(ANA)
    opened = codec.open(entry)
    assert opened.erased
    assert opened.event == msgspec.structs.replace(MAIL, resource=None, text=None)


def test_what_is_left_of_an_erased_party() -> None:
    """A further participant's identity is empty, and the event as such is not erased."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    entry = stored(codec, MAIL)
    keys.destroy(LUIS)
    opened = codec.open(entry)
    assert not opened.erased
    assert opened.event == msgspec.structs.replace(MAIL, identities=(ev.Identity(""),))


def test_a_key_without_tombstone_is_missing_not_erased() -> None:
    """A key that is simply gone stops the reader, and the event that needs it is named."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    page = [stored(codec, SEEN, 1), stored(codec, MAIL, 2)]
    keys.lose(LUIS)
    with pytest.raises(KeyMissing, match="Event 2 "):
        codec.open_page(page)


def test_a_page_asks_for_its_keys_once() -> None:
    """All keys of a page come from one look-up, and the page keeps its order."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    page = [stored(codec, MAIL, position) for position in range(1, 21)]
    opened = codec.open_page(page)
    assert [entry.position for entry in opened] == list(range(1, 21))
    assert keys.lookups == 1


def test_an_unknown_topic_is_refused() -> None:
    """A topic of a newer program is said to be one."""
    codec = a_codec(MemoryKeys())
    entry = msgspec.structs.replace(stored(codec, SEEN), topic="later.thing")
    with pytest.raises(NewerData, match=r"later\.thing"):
        codec.open(entry)


# ---------------------------------------------------------------------- for auditors


def test_auditors_read_the_clear_header() -> None:
    """The clear fields come as plain JSON values, UUIDs as text, without a key."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    entry = stored(codec, MAIL)
    keys.lose(ANA)
    clear = codec.clear_of(entry)
    assert msgspec.json.decode(msgspec.json.encode(clear)) == clear
    assert clear["subject"] == str(ANA)
    assert clear["digest"] == "07" * 32
    assert clear["actor"] == ["channel", "meta-main"]
    assert clear["parties"] == [{"subject": str(LUIS), "scheme": "mailto", "role": "cc"}]


def test_auditors_see_which_sections_there_are() -> None:
    """Each section is named by its key and the hash of its stored bytes."""
    keys = MemoryKeys()
    codec = a_codec(keys)
    entry = stored(codec, MAIL)
    _, sections = split(entry)
    assert codec.sections_of(entry) == [(key, sha256(body).digest()) for key, body in sections]
    assert [key for key, _ in sections] == [keys.sealing(who).key_id for who in (ANA, LUIS)]


def test_a_sealing_key_cannot_be_changed() -> None:
    """A key that several threads share is frozen."""
    key = MemoryKeys().sealing(ANA)
    with pytest.raises(dataclasses.FrozenInstanceError):
        cast("Any", key).aead = AESGCM(bytes(32))
