"""Passwords: whose an e-mail address is, and the argon2id hash of what they chose.

An e-mail address is found by its code under the ledger's secret (32 bytes), so the key store
holds no address, and its unique index is what keeps two users from having one. Checking takes
the same time whether there is such an account or not.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.exc import IntegrityError

from domain.errors import WrongState
from domain.ports import Entropy
from storage.keystore import ROWS_AT_ONCE, KeyStore

MEMORY_KIB: Final = 19_456
"""Memory of one hashing, in KiB: with two passes what OWASP asks of argon2id at least, and a few
of them at once stay small beside everything else in the process."""

PASSES: Final = 2
"""Passes over that memory; together some 30 ms of one core."""

LANES: Final = 1
"""Threads of one hashing: others sign in meanwhile."""

SALT_BYTES: Final = 16
"""Randomness beside each password (RFC 9106, 3.1)."""

DECOY: Final = "a password that nobody has"


class Passwords:
    """The passwords of one key store. Safe between threads; what hashes is for a thread."""

    def __init__(self, store: KeyStore, entropy: Entropy) -> None:
        self._store = store
        self._sign_ins = store.tables.sign_ins
        self._entropy = entropy
        self._hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES)
        self._lock = threading.Lock()
        self._decoy: str | None = None

    def claim(self, user: UUID, email_mac: bytes, at: int) -> UUID:
        """Whose the e-mail address is: this user's from now on, unless it is another's already.

        A user who has an address keeps it; `move` changes it.
        """
        row = {"user_id": user.bytes, "email_mac": email_mac, "changed_at": at}
        with self._store.write() as connection:
            connection.execute(self._store.insert_new(self._sign_ins).values(row))
            where = self._sign_ins.c.email_mac == email_mac
            owner = connection.scalar(sa.select(self._sign_ins.c.user_id).where(where))
        return user if owner is None else UUID(bytes=owner)

    def move(self, user: UUID, email_mac: bytes, at: int) -> None:
        """Give a user another e-mail address. Raises WrongState: it is somebody else's."""
        if self.claim(user, email_mac, at) != user:
            raise WrongState("There is a user with this e-mail address already.")
        change = sa.update(self._sign_ins).where(self._sign_ins.c.user_id == user.bytes)
        try:
            with self._store.write() as connection:
                connection.execute(change.values(email_mac=email_mac))
        except IntegrityError:
            raise WrongState("There is a user with this e-mail address already.") from None

    def release(self, user: UUID) -> None:
        """Let go of the e-mail address of somebody who never became a user."""
        gone = sa.delete(self._sign_ins).where(self._sign_ins.c.user_id == user.bytes)
        with self._store.write() as connection:
            connection.execute(gone)

    def with_password(self, users: Iterable[UUID]) -> frozenset[UUID]:
        """Those of the users who have set a password."""
        ids = [user.bytes for user in users]
        found: set[UUID] = set()
        with self._store.read() as connection:
            for start in range(0, len(ids), ROWS_AT_ONCE):
                query = sa.select(self._sign_ins.c.user_id).where(
                    self._sign_ins.c.user_id.in_(ids[start : start + ROWS_AT_ONCE]),
                    self._sign_ins.c.password_hash.is_not(None),
                )
                found |= {UUID(bytes=row[0]) for row in connection.execute(query)}
        return frozenset(found)

    def set(self, user: UUID, password: str, at: int) -> None:
        """Keep a user's password; slow. Raises WrongState where they have no e-mail address."""
        hashed = self._hash(password)
        change = sa.update(self._sign_ins).where(self._sign_ins.c.user_id == user.bytes)
        with self._store.write() as connection:
            done = connection.execute(change.values(password_hash=hashed, changed_at=at))
        if done.rowcount != 1:
            raise WrongState("A password needs an e-mail address.")

    def check(self, email_mac: bytes, password: str, at: int) -> UUID | None:
        """The user whose e-mail and password these are; None else, after the same time."""
        return self._checked(self._sign_ins.c.email_mac == email_mac, password, at)

    def check_of(self, user: UUID, password: str, at: int) -> bool:
        """Whether it is the user's password; slow."""
        where = self._sign_ins.c.user_id == user.bytes
        return self._checked(where, password, at) is not None

    def _checked(self, where: sa.ColumnElement[bool], password: str, at: int) -> UUID | None:
        columns = (self._sign_ins.c.user_id, self._sign_ins.c.password_hash)
        with self._store.read() as connection:
            row = connection.execute(sa.select(*columns).where(where)).first()
        hashed = row.password_hash if row is not None else None
        try:
            self._hasher.verify(hashed or self._decoy_hash(), _normal(password))
        except VerificationError:
            return None
        if row is None or hashed is None:
            return None
        user = UUID(bytes=row.user_id)
        if self._hasher.check_needs_rehash(hashed):
            self.set(user, password, at)
        return user

    def _hash(self, password: str) -> str:
        return self._hasher.hash(_normal(password), salt=self._entropy(SALT_BYTES))

    def _decoy_hash(self) -> str:
        with self._lock:
            if self._decoy is None:
                self._decoy = self._hash(DECOY)
            return self._decoy


def _normal(password: str) -> bytes:
    """The bytes that are hashed: one spelling for what keyboards type in several ways."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
