"""Keys without a database, chance that repeats itself, and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Collection
from random import Random
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import Erased, KeyMissing
from storage.codec import SealingKey
from storage.kek import Kek
from storage.keyring import Keyring
from storage.keystore import KeyStore

RAW_KEK = bytes(range(32))


def repeating(seed: int) -> Callable[[int], bytes]:
    """Random bytes that are the same in each run."""
    return Random(seed).randbytes


class HandClock:
    """Seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


_opened: list[KeyStore] = []


def a_store(url: str) -> KeyStore:
    """The key store at a URL, until `close_stores`."""
    store = KeyStore(url)
    _opened.append(store)
    return store


def close_stores() -> None:
    """Close what `a_store` and `a_keyring` opened; each test module does so after every test."""
    while _opened:
        _opened.pop().close()


def a_keyring(url: str, seed: int = 1, clock: Callable[[], float] = float) -> Keyring:
    """A ring over the key store at a URL, its ledger opened; its store is `ring._store`."""
    kek = Kek(RAW_KEK, "a test")
    ring = Keyring(a_store(url), kek, repeating(seed), clock)
    ring.create_or_open(1_000)
    return ring


class MemoryKeys:
    """Sealing keys in a dict: a key is made when it is first asked for."""

    def __init__(self, seed: int = 1) -> None:
        self._entropy = repeating(seed)
        self._by_subject: dict[UUID, SealingKey] = {}
        self.by_id: dict[bytes, AESGCM | None] = {}
        self.lookups = 0
        self.company = UUID(bytes=self._entropy(16), version=4)

    def sealing(self, subject: UUID) -> SealingKey:
        """The key of a subject."""
        if subject not in self._by_subject:
            key = SealingKey(self._entropy(16), AESGCM(self._entropy(32)))
            self._by_subject[subject] = key
            self.by_id[key.key_id] = key.aead
        if self.by_id[self._by_subject[subject].key_id] is None:
            raise Erased
        return self._by_subject[subject]

    def opening(self, key_ids: Collection[bytes]) -> dict[bytes, AESGCM | None]:
        """Keys by id."""
        self.lookups += 1
        try:
            return {key_id: self.by_id[key_id] for key_id in key_ids}
        except KeyError:
            raise KeyMissing("gone") from None

    def destroy(self, subject: UUID) -> None:
        """Leave a tombstone."""
        self.by_id[self._by_subject[subject].key_id] = None

    def lose(self, subject: UUID) -> None:
        """Leave nothing."""
        del self.by_id[self._by_subject.pop(subject).key_id]
