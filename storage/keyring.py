"""The keys of subjects: made, wrapped, kept in memory for a minute, destroyed for ever."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from domain.errors import Erased, KeyMissing, WrongState
from domain.ports import Entropy
from storage.codec import SealingKey
from storage.frame import KEY_ID_BYTES
from storage.kek import Kek
from storage.keystore import ROWS_AT_ONCE, KeyStore
from storage.lru import ExpiringLru

T = TypeVar("T")

KEY_BYTES: Final = 32
SECRET_BYTES: Final = 32

KEYS_KEPT: Final = 8_000
"""Raw keys in memory: the people who write on a busy day, in some two megabytes."""

KEY_LIFETIME_S: Final = 60.0
"""How long a raw key is trusted in memory: a bound on what an erasure has to wait for."""

FROM_THE_BEGINNING: Final = -(2**62)
"""The `from_at` of an address's first row, so that history from before it was seen finds it."""

LIVE: Final = "live"
"""The `state` of a subject that nobody has asked to erase."""


class LedgerIdentity(Struct, frozen=True):
    """What the key store knows of its ledger.

    `secret` (32 bytes, unwrapped) is what ids and address codes are derived from.
    """

    id: UUID
    origin: str
    created_at: int
    company: UUID
    secret: bytes


class NewKey(Struct, frozen=True):
    """A key that was made and not yet stored; `row` is what goes into the table `keys`."""

    subject: UUID
    key: SealingKey
    row: dict[str, object]


class Keyring:
    """Keys by subject and by id, unwrapped in memory for a while; safe between threads.

    `monotonic` gives seconds that never go back. After `create_or_open`, `identity` is set.
    """

    def __init__(
        self, store: KeyStore, kek: Kek, entropy: Entropy, monotonic: Callable[[], float]
    ) -> None:
        self._store = store
        self._kek = kek
        self._entropy = entropy
        # By the UUID's integer, which is hashed and compared several times faster than the UUID.
        self._by_subject = ExpiringLru[int, SealingKey](KEYS_KEPT, KEY_LIFETIME_S, monotonic)
        self._by_id = ExpiringLru[bytes, AESGCM](KEYS_KEPT, KEY_LIFETIME_S, monotonic)
        self._identity: LedgerIdentity | None = None

    @property
    def identity(self) -> LedgerIdentity:
        """The ledger that the keys belong to. Raises KeyMissing before it was opened."""
        if self._identity is None:
            raise KeyMissing("The ledger of these keys was not opened yet.")
        return self._identity

    @property
    def company(self) -> UUID:
        """The subject under whose key the company's own names are sealed."""
        return self.identity.company

    def create_or_open(self, created_at: int) -> LedgerIdentity:
        """The store's ledger, made with its secret and its company where there is none yet.

        Processes that start together get the same one. `created_at` (µs) counts only where it
        is made. Raises KeyMissing where the KEK is not the one that wrapped the keys.
        """
        ledger = self._store.tables.ledger
        with self._store.read() as connection:
            row = connection.execute(sa.select(ledger)).first()
        if row is None:
            with self._store.write() as connection:
                self._store.lock(connection)
                row = connection.execute(sa.select(ledger)).first()
                if row is None:
                    self._create(connection, created_at)
                    row = connection.execute(sa.select(ledger)).one()
        self._kek.check(row.kek_id)
        self._identity = LedgerIdentity(
            id=UUID(bytes=row.id),
            origin=row.origin,
            created_at=row.created_at,
            company=UUID(bytes=row.company),
            secret=self._kek.unwrap(row.secret_wrapped, row.id),
        )
        return self._identity

    # ------------------------------------------------------------------ use

    def sealing(self, subject: UUID) -> SealingKey:
        """The key of a subject. Raises Erased (it was destroyed), KeyMissing (it has none)."""
        key = self._by_subject.get(subject.int)
        if key is not None:
            return key
        loaded = self._load((subject,))
        if subject not in loaded:
            raise KeyMissing(f"The key store has no key of the subject {subject}.")
        key = loaded[subject]
        if key is None:
            raise Erased(f"The key of the subject {subject} was destroyed.")
        return key

    def warm(self, subjects: Iterable[UUID]) -> None:
        """Have the keys of these subjects in memory, by one look-up; those without are left out."""
        wanted = {subject.int: subject for subject in subjects}
        kept = self._by_subject.get_all(wanted)
        missing = [one for one, key in zip(wanted.values(), kept, strict=True) if key is None]
        if missing:
            self._load(missing)

    def opening(self, key_ids: Collection[bytes]) -> dict[bytes, AESGCM | None]:
        """Keys by id, None for one with a tombstone; all that are not in memory by one look-up.

        Raises KeyMissing for a key that is gone without a tombstone or cannot be unwrapped.
        """
        found: dict[bytes, AESGCM | None] = {}
        missing: list[bytes] = []
        for key_id in key_ids:
            aead = self._by_id.get(key_id)
            if aead is None:
                missing.append(key_id)
            else:
                found[key_id] = aead
        if missing:
            keys = self._store.tables.keys
            epoch = self._by_id.epoch
            with self._store.read() as connection:
                for some in batches(missing):
                    where = keys.c.key_id.in_(some)
                    query = sa.select(keys.c.key_id, keys.c.wrapped).where(where)
                    for key_id, wrapped in connection.execute(query):
                        opened = None if wrapped is None else self._opened(key_id, wrapped, epoch)
                        found[key_id] = opened
            for key_id in missing:
                if key_id not in found:
                    raise KeyMissing(f"The key {key_id.hex()} is gone without a tombstone.")
        return found

    # ------------------------------------------------------------------ making

    def make(self, subject: UUID) -> NewKey:
        """A new key for a subject, to be stored by the caller, then handed to `admit`."""
        drawn = self._entropy(KEY_ID_BYTES + KEY_BYTES)
        key_id, raw = drawn[:KEY_ID_BYTES], drawn[KEY_ID_BYTES:]
        wrapped = self._kek.wrap(raw, key_id, self._entropy)
        row: dict[str, object] = {
            "key_id": key_id,
            "subject": subject.bytes,
            "wrapped": wrapped,
            "destroyed_at": None,
            "erasure_position": None,
        }
        return NewKey(subject, SealingKey(key_id, AESGCM(raw)), row)

    def admit(self, made: Sequence[NewKey]) -> None:
        """Keep new keys in memory, once the transaction that stored them is durable."""
        by_subject, by_id = self._by_subject.epoch, self._by_id.epoch
        for new in made:
            self._by_subject.put(new.subject.int, new.key, by_subject)
            self._by_id.put(new.key.key_id, new.key.aead, by_id)

    # ------------------------------------------------------------------ the end

    def key_ids(self, subjects: Collection[UUID]) -> dict[UUID, bytes]:
        """The key ids (16 bytes) of subjects, destroyed ones too; those without are left out."""
        keys = self._store.tables.keys
        found: dict[UUID, bytes] = {}
        with self._store.read() as connection:
            for some in batches(subjects):
                where = keys.c.subject.in_([subject.bytes for subject in some])
                query = sa.select(keys.c.subject, keys.c.key_id).where(where)
                found |= {UUID(bytes=row[0]): row[1] for row in connection.execute(query)}
        return found

    def destroy(self, key_ids: Collection[bytes], position: int, at: int) -> int:
        """Destroy keys for ever, for the erasure at a log position; how many were still there.

        A key that was destroyed before keeps its first tombstone. Raises WrongState for the
        company's own, which nothing may destroy.
        """
        keys = self._store.tables.keys
        company = keys.c.subject == self.company.bytes
        count = 0
        with self._store.write() as connection:
            for some in batches(key_ids):
                here = keys.c.key_id.in_(some)
                if connection.scalar(sa.select(sa.func.count()).where(here, company)):
                    raise WrongState("The company's own key is never destroyed.")
                change = sa.update(keys).where(here, keys.c.destroyed_at.is_(None))
                tombstone = {"wrapped": None, "destroyed_at": at, "erasure_position": position}
                count += connection.execute(change.values(tombstone)).rowcount
        # Which subjects they were is not worth a look-up: an erasure is rare, and keys come back.
        self.forget()
        return count

    def forget(self) -> None:
        """Drop every key from memory."""
        self._by_subject.clear()
        self._by_id.clear()

    # ------------------------------------------------------------------ inside

    def _load(self, subjects: Collection[UUID]) -> dict[UUID, SealingKey | None]:
        """Read keys of subjects, into memory too; None for one whose key was destroyed."""
        keys = self._store.tables.keys
        by_subject, by_id = self._by_subject.epoch, self._by_id.epoch
        loaded: dict[UUID, SealingKey | None] = {}
        with self._store.read() as connection:
            for some in batches(subjects):
                where = keys.c.subject.in_([subject.bytes for subject in some])
                query = sa.select(keys.c.subject, keys.c.key_id, keys.c.wrapped).where(where)
                for raw_subject, key_id, wrapped in connection.execute(query):
                    subject = UUID(bytes=raw_subject)
                    loaded[subject] = None
                    if wrapped is not None:
                        key = SealingKey(key_id, self._opened(key_id, wrapped, by_id))
                        self._by_subject.put(subject.int, key, by_subject)
                        loaded[subject] = key
        return loaded

    def _opened(self, key_id: bytes, wrapped: bytes, epoch: int) -> AESGCM:
        aead = self._by_id.get(key_id)
        if aead is None:
            aead = AESGCM(self._kek.unwrap(wrapped, key_id))
            self._by_id.put(key_id, aead, epoch)
        return aead

    def _create(self, connection: sa.Connection, created_at: int) -> None:
        tables = self._store.tables
        ledger_id = random_uuid(self._entropy)
        company = self.make(random_uuid(self._entropy))
        subject = {
            "subject": company.subject.bytes,
            "address_mac": None,
            "from_at": FROM_THE_BEGINNING,
            "state": LIVE,
        }
        ledger = {
            "one": 1,
            "id": ledger_id.bytes,
            "origin": f"hilo/{ledger_id}",
            "created_at": created_at,
            "company": company.subject.bytes,
            "secret_wrapped": self._kek.wrap(
                self._entropy(SECRET_BYTES), ledger_id.bytes, self._entropy
            ),
            "kek_id": self._kek.id,
        }
        connection.execute(sa.insert(tables.subjects), subject)
        connection.execute(sa.insert(tables.keys), company.row)
        connection.execute(sa.insert(tables.ledger), ledger)


def has_ledger(store: KeyStore) -> bool:
    """Whether keys were ever wrapped in this store: then no new KEK may be made for it."""
    with store.read() as connection:
        return connection.execute(sa.select(store.tables.ledger.c.one)).first() is not None


def has_keys(store: KeyStore) -> bool:
    """Whether anybody but the company has a key: whether the ledger has been in use."""
    query = sa.select(store.tables.keys.c.key_id).limit(2)
    with store.read() as connection:
        return len(connection.execute(query).all()) > 1


def random_uuid(entropy: Entropy) -> UUID:
    """A random UUID (version 4)."""
    return UUID(bytes=entropy(16), version=4)


def batches(values: Collection[T]) -> Iterator[list[T]]:
    """The values in lists of at most ROWS_AT_ONCE."""
    left = iter(values)
    while some := list(islice(left, ROWS_AT_ONCE)):
        yield some
