"""Events to stored bytes and back: topics, upcasters, sealing (design 5, "Sealed layout").

The clear header is a msgpack map of the fields in clear that are not None, keys sorted; `_v`
stands in it where the layout's version is above 1. Section 0 is the msgpack map of the sealed
fields that are not at their defaults. A topic without sealed fields has no section 0; one with
sealed fields always has it, even when all are at their defaults, so that an erasure is visible
on every such event. Section i + 1 is item i of `layout.each`, under its own subject's key.

AAD = ledger id (16) ‖ originator (16) ‖ u32 version ‖ lp(topic) ‖ header ‖ u8 section number.
UUIDs are 16 bytes on the wire.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from domain.errors import Damaged, KeyMissing, NewerData, TooLarge
from domain.ports import Entropy, Entry, EventLike, Layout, StoredEntry
from storage.frame import (
    MAX_HEADER_BYTES,
    MAX_SECTIONS,
    NONCE_BYTES,
    Frame,
    Section,
    join,
    split,
)
from storage.plan import Plan, encode, plan_of, read_map

_UUID_BYTES: Final = 16
_NUMBER: Final = tuple(bytes((number,)) for number in range(MAX_SECTIONS))


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The key of a subject, ready to seal; `key_id` (16 bytes) goes in front of what it seals."""

    key_id: bytes
    aead: AESGCM


class Unsealed(Struct, frozen=True, array_like=True, gc=False):
    """A row of the log with its sections opened: `fields` is one msgpack map, in today's shape.

    `erased`: the key of section 0 was destroyed.
    """

    position: int
    recorded_at: int
    topic: str
    fields: bytes
    erased: bool


class SealingKeys(Protocol):
    """What the codec needs of the key ring."""

    @property
    def company(self) -> UUID:
        """The subject under whose key the company's own names are sealed."""

    def sealing(self, subject: UUID) -> SealingKey:
        """The key of a subject. Raises Erased (it was destroyed), KeyMissing."""

    def opening(self, key_ids: Collection[bytes]) -> Mapping[bytes, AESGCM | None]:
        """Keys by id, None for one with a tombstone. Raises KeyMissing for others that are gone."""


class Codec:
    """Seals events into (topic, state) and opens rows of the log; safe between threads."""

    def __init__(
        self,
        layouts: Mapping[str, Layout],
        keys: SealingKeys,
        ledger_id: UUID,
        entropy: Entropy,
    ) -> None:
        self._by_topic = {topic: plan_of(layout) for topic, layout in layouts.items()}
        self._by_class: dict[type, Plan] = {
            plan.layout.event_class: plan for plan in self._by_topic.values()
        }
        self._keys = keys
        self._ledger = ledger_id.bytes
        self._entropy = entropy

    def seal(self, event: EventLike) -> tuple[str, bytes]:
        """The topic and the state of an event, its content sealed.

        Raises TooLarge (the clear header), Erased (a key was destroyed), KeyMissing; TypeError
        for a class without a topic.
        """
        plan = self._plan_of(event)
        header = encode(plan.header(event))
        if len(header) > MAX_HEADER_BYTES:
            raise TooLarge(MAX_HEADER_BYTES)
        if plan.content is None:
            return plan.topic, join(header, ())
        # What every section is bound to, all but the section's number.
        bound = b"".join((self._ledger, *_place_of(event), plan.topic_lp, header))
        subject = plan.under(event) or self._keys.company
        sections = [self._sealed(subject, encode(plan.content(event)), bound + _NUMBER[0])]
        if plan.both is not None:
            for number, (owner, item) in enumerate(plan.paired(event), 1):
                sections.append(self._sealed(owner, item, bound + _NUMBER[number]))
        return plan.topic, join(header, sections)

    def open(self, entry: StoredEntry) -> Entry:
        """A row of the log, opened. Raises as `open_page`."""
        return self.open_page((entry,))[0]

    def open_page(self, entries: Sequence[StoredEntry]) -> list[Entry]:
        """Rows of the log, opened, in their order; all their keys come from one look-up.

        Raises Damaged (bytes that are not what was written), KeyMissing (a key that is gone
        without a tombstone), NewerData (a topic or version that this program does not know).
        """
        return self.read_page(self.unseal_page(entries))

    def unseal_page(self, entries: Sequence[StoredEntry]) -> list[Unsealed]:
        """The first half of `open_page`, which takes nearly all of its time; raises as it does."""
        frames = [split(entry) for entry in entries]
        keys = self._keys_of(entries, frames)
        unsealed = self._unsealed
        return [unsealed(entry, frame, keys) for entry, frame in zip(entries, frames, strict=True)]

    def read_page(self, rows: Sequence[Unsealed]) -> list[Entry]:
        """The second half, which needs no key. Raises Damaged."""
        plans = self._by_topic
        return [
            Entry(
                row.position,
                row.recorded_at,
                row.topic,
                plans[row.topic].event(row.position, row.fields),
                row.erased,
            )
            for row in rows
        ]

    def clear_of(self, entry: StoredEntry) -> dict[str, object]:
        """The clear header as it is stored, as plain JSON values. Raises Damaged.

        UUIDs are text, other bytes hex; enums are the words that stand in the log.
        """
        return clear_fields(entry.position, split(entry)[0])

    def sections_of(self, entry: StoredEntry) -> list[tuple[bytes, bytes]]:
        """Key id (16) and SHA-256 (32) of the stored bytes of each section. Raises Damaged."""
        return [(key_id, sha256(body).digest()) for key_id, body in split(entry)[1]]

    # ------------------------------------------------------------------ sealing

    def _plan_of(self, event: EventLike) -> Plan:
        plan = self._by_class.get(type(event))
        if plan is None:
            raise TypeError(f"{type(event).__name__} has no topic")
        return plan

    def _sealed(self, subject: UUID, plain: bytes, aad: bytes) -> Section:
        key = self._keys.sealing(subject)
        nonce = self._entropy(NONCE_BYTES)
        return key.key_id, nonce + key.aead.encrypt(nonce, plain, aad)

    # ------------------------------------------------------------------ opening

    def _keys_of(
        self, entries: Sequence[StoredEntry], frames: Sequence[Frame]
    ) -> Mapping[bytes, AESGCM | None]:
        wanted = {key_id for _, sections in frames for key_id, _ in sections}
        try:
            return self._keys.opening(wanted)
        except KeyMissing:
            # Say which event it is: one by one, the culprit is the first that fails.
            for entry, (_, sections) in zip(entries, frames, strict=True):
                _named(self._keys, entry, {key_id for key_id, _ in sections})
            raise

    def _unsealed(
        self, entry: StoredEntry, frame: Frame, keys: Mapping[bytes, AESGCM | None]
    ) -> Unsealed:
        plan = self._by_topic.get(entry.topic)
        if plan is None:
            raise NewerData(f"Event {entry.position} has the unknown topic {entry.topic!r}.")
        header, sections = frame
        place = _place_of(entry)
        plains: list[bytes | None] = []
        if sections:
            bound = b"".join((self._ledger, *place, plan.topic_lp, header))
            try:
                for key_id, body in sections:
                    key = keys[key_id]
                    plain = None
                    if key is not None:
                        aad = bound + _NUMBER[len(plains)]
                        plain = key.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], aad)
                    plains.append(plain)
            except InvalidTag:
                what = f"section {len(plains)} does not open, it or what it is bound to was changed"
                raise Damaged(entry.position, what) from None
        fields = plan.fields(entry.position, place, header, plains)
        erased = bool(plains) and plains[0] is None
        return Unsealed(entry.position, entry.recorded_at, entry.topic, fields, erased)


def clear_fields(position: int, header: bytes) -> dict[str, object]:
    """A clear header as plain JSON values: see `Codec.clear_of`. Raises Damaged."""
    return {name: _plain(value) for name, value in read_map(position, header).items()}


def _place_of(event: EventLike | StoredEntry) -> tuple[bytes, bytes]:
    return event.originator_id.bytes, event.originator_version.to_bytes(4, "big")


def _named(keys: SealingKeys, entry: StoredEntry, key_ids: Collection[bytes]) -> None:
    try:
        keys.opening(key_ids)
    except KeyMissing as error:
        raise KeyMissing(f"Event {entry.position} cannot be opened. {error.detail}") from None


def _plain(value: object) -> object:
    """A value of the header as JSON has it. Only UUIDs are stored as 16 bytes."""
    if isinstance(value, bytes):
        return str(UUID(bytes=value)) if len(value) == _UUID_BYTES else value.hex()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
