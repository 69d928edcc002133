"""Who is behind an address: the random pseudonym that stands for it in the log.

The unique index on (address_mac, from_at) decides: whoever comes first makes the subject, a
rival reads it. New subjects of a batch and their keys are one commit, made before the log's; a
key whose log entry never comes is harmless. An address `contact:<uuid>` is its own subject.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.errors import WrongState
from domain.ports import Entropy, Seeker
from storage.keyring import FROM_THE_BEGINNING, Keyring, NewKey, random_uuid
from storage.keystore import KeyStore
from storage.lru import ExpiringLru
from storage.subject_rows import MAC_BYTES, SubjectRows

CONTACT_PREFIX: Final = "contact:"

SUBJECTS_KEPT: Final = 50_000
"""Addresses in memory: more than keys, since each takes a few hundred bytes and opens nothing."""

Holder = tuple[int, UUID]
"""Who holds an address, and from when on."""

Known = dict[bytes, Sequence[Holder]]
"""By look-up key (an address's mac, or 16 bytes of a subject): its holders, the latest last."""


class SubjectBook:
    """Gives addresses their subjects; safe between threads and processes.

    `mac` turns a canonical address into its 32 bytes; equal spellings must give equal bytes.
    """

    def __init__(
        self, store: KeyStore, keyring: Keyring, mac: Callable[[str], bytes], entropy: Entropy
    ) -> None:
        self._store = store
        self._rows = SubjectRows(store)
        self._keyring = keyring
        self._mac = mac
        self._entropy = entropy
        self._sole = ExpiringLru[str, UUID](SUBJECTS_KEPT)
        self.observer: Callable[[Iterable[bytes]], None] | None = None
        """Hears of the subjects (16 bytes each) of new addresses, before the log does."""

    @property
    def company(self) -> UUID:
        """The subject under whose key the company's own names are sealed."""
        return self._keyring.company

    def find(self, address: str, at: int) -> UUID | None:
        """The subject of an address at a time; None where it was never seen.

        Read from the store: what is decided on it must know what other processes did.
        """
        return _holder(self._holders((Seeker(address, at),), create=False)[0], at)

    def hand_over(self, address: str, holder: UUID, from_at: int) -> UUID:
        """Give an address of a holder to a new subject from a time on (µs), durably.

        Repeated, it is the same subject. Other processes learn of it by the log's fence, which
        the caller raises afterwards. Raises WrongState where the address was not the holder's
        until then, or changed hands again later.
        """
        mac = self._key(address)
        made: dict[bytes, NewKey] = {}
        with self._store.write() as connection:
            holders = self._read(connection, (mac,)).get(mac, ())
            if _holder(holders, from_at - 1) != holder or holders[-1][0] > from_at:
                raise WrongState("The address was somebody else's at that time.")
            if holders[-1][0] != from_at:
                new = self._keyring.make(random_uuid(self._entropy))
                if self._rows.insert(connection, {new.subject.bytes: mac}, from_at):
                    self._rows.insert_keys(connection, (new,))
                    made[mac] = new
                holders = self._read(connection, (mac,))[mac]
        self._keyring.admit(list(made.values()))
        self.forget()
        return holders[-1][1]

    def resolve(self, seekers: Sequence[Seeker], *, create: bool) -> list[UUID | None]:
        """The subject of each seeker, in order; None, unless `create`, where there is none yet.

        New subjects are durable, with their keys, when this returns. Raises StoreUnavailable;
        ValueError for a `contact:` address without a UUID.
        """
        epoch = self._sole.epoch
        subjects = self._sole.get_all([seeker.address for seeker in seekers])
        unknown = [index for index, subject in enumerate(subjects) if subject is None]
        if unknown:
            sought = [seekers[index] for index in unknown]
            for index, holders in zip(unknown, self._holders(sought, create=create), strict=True):
                seeker = seekers[index]
                subjects[index] = _holder(holders, seeker.at)
                # One that a single subject holds for all time; others are read each time.
                if len(holders) == 1 and holders[0][0] == FROM_THE_BEGINNING:
                    self._sole.put(seeker.address, holders[0][1], epoch)
        self._keyring.warm([subject for subject in subjects if subject is not None])
        return subjects

    def ensure(self, subjects: Iterable[UUID]) -> None:
        """Have these subjects, whatever their address, and a key for each that is new."""
        keys = {subject.bytes for subject in subjects}
        with self._store.write() as connection:
            known = self._read(connection, keys)
            made = self._create(connection, keys - known.keys(), known)
        self._admit(made)

    def forget(self) -> None:
        """Drop every address from memory: an erasure or a reassignment changed who holds some."""
        self._sole.clear()

    # ------------------------------------------------------------------ inside

    def _key(self, address: str) -> bytes:
        if address.startswith(CONTACT_PREFIX):
            return UUID(address[len(CONTACT_PREFIX) :]).bytes
        return self._mac(address)

    def _holders(self, seekers: Sequence[Seeker], *, create: bool) -> list[Sequence[Holder]]:
        """Who holds the address of each seeker, in order, from the store."""
        keys = [self._key(seeker.address) for seeker in seekers]
        if not create:
            with self._store.read() as connection:
                known = self._read(connection, set(keys))
            return [known.get(key, ()) for key in keys]
        with self._store.write() as connection:
            known = self._read(connection, set(keys))
            pairs = zip(keys, seekers, strict=True)
            missing = {key for key, one in pairs if _holder(known.get(key, ()), one.at) is None}
            made = self._create(connection, missing, known)
            if not made:
                connection.rollback()  # a rival made them: there is nothing to wait for
        self._admit(made)
        return [known.get(key, ()) for key in keys]

    def _read(self, connection: sa.Connection, keys: Collection[bytes]) -> Known:
        known: dict[bytes, list[Holder]] = {}
        macs = [key for key in keys if len(key) == MAC_BYTES]
        for mac, from_at, subject in self._rows.of_addresses(connection, macs):
            known.setdefault(mac, []).append((from_at, UUID(bytes=subject)))
        own = [key for key in keys if len(key) != MAC_BYTES]
        for subject in self._rows.of_subjects(connection, own):
            known[subject] = [(FROM_THE_BEGINNING, UUID(bytes=subject))]
        return dict(known)

    def _create(
        self, connection: sa.Connection, keys: Collection[bytes], known: Known
    ) -> dict[bytes, NewKey]:
        """Make subjects and their keys, by look-up key; read those that a rival made meanwhile."""
        if not keys:
            return {}
        # In one order for all: two batches that wait for each other's rows would never end.
        fresh = {self._fresh(key): key for key in sorted(keys)}
        won = self._rows.insert(connection, fresh)
        made = {fresh[subject]: self._keyring.make(UUID(bytes=subject)) for subject in won}
        self._rows.insert_keys(connection, made.values())
        taken = [key for key in keys if key not in made]
        if taken:
            known |= self._read(connection, taken)
        for key, new in made.items():
            known[key] = ((FROM_THE_BEGINNING, new.subject), *known.get(key, ()))
        return made

    def _admit(self, made: Mapping[bytes, NewKey]) -> None:
        """Let everybody know what is durable now."""
        self._keyring.admit(list(made.values()))
        if made and self.observer is not None:
            drawn = [new.subject.bytes for key, new in made.items() if len(key) == MAC_BYTES]
            self.observer(drawn)

    def _fresh(self, key: bytes) -> bytes:
        """The subject that a look-up key gets: its own, or one that nobody can guess."""
        return random_uuid(self._entropy).bytes if len(key) == MAC_BYTES else key


def _holder(holders: Sequence[Holder], at: int) -> UUID | None:
    """Who held the address at a time: the last one whose time had come."""
    for from_at, subject in reversed(holders):
        if from_at <= at:
            return subject
    return None
