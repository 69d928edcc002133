"""What opens a door: tokens, one-time links, browser sessions, and the secrets of connections.

Tokens, links and sessions are long random texts of which only the SHA-256 is kept; the secrets
of connections must be read again, so they are wrapped by the KEK. Times come in as arguments.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.exc import IntegrityError

from domain.errors import WrongState
from domain.ports import Entropy
from storage.kek import Kek
from storage.keystore import KeyStore

SECRET_TEXT_BYTES: Final = 32
"""Random bytes in a token, link or session: nobody guesses 256 bits, so one hash is enough."""

TOKEN_PREFIX: Final = "hilo_"  # noqa: S105 - what every token begins with is no secret
"""What a token begins with, so that people and scanners of repositories recognise one."""

SECRETS_OF_A_NAME: Final = 2
"""Secrets of one name that a connection accepts: today's, and the one before a rotation."""


SESSION_IDLE_US: Final = 7 * 24 * 3_600 * 1_000_000
"""How long a browser stays signed in that nobody uses, in µs: over a week's holiday it ends."""


class Token(Struct, frozen=True):
    """A token as it is kept; its text is nowhere but with its holder."""

    token_id: UUID
    name: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None


class Session(Struct, frozen=True):
    """A browser that is signed in; `csrf` goes with whatever it changes.

    It ends at `expires_at`, however busy, and when nobody used it for SESSION_IDLE_US.
    """

    user: UUID
    csrf: str
    created_at: int
    expires_at: int
    seen_at: int = 0


class OpenedSession(Struct, frozen=True):
    """A session that was just made, with the text for its cookie."""

    secret: str
    session: Session


class Link(Struct, frozen=True):
    """What a one-time link is for; without a user it makes the first administrator."""

    purpose: str
    user: UUID | None
    expires_at: int


class SecretFact(Struct, frozen=True):
    """What may be shown of a connection's secret: that it is there, how often, since when."""

    name: str
    count: int
    changed_at: int


class Tokens:
    """The tokens of one key store. Safe between threads; other processes see changes at once."""

    def __init__(self, store: KeyStore, entropy: Entropy) -> None:
        self._store = store
        self._tokens = store.tables.tokens
        self._entropy = entropy

    def add(self, token: Token) -> str:
        """Keep a new token; its text, which is shown once. Raises WrongState: the name is taken."""
        text = TOKEN_PREFIX + _random_text(self._entropy)
        row = {
            "token_id": token.token_id.bytes,
            "name": token.name,
            "hash": _digest(text),
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        }
        try:
            with self._store.write() as connection:
                connection.execute(sa.insert(self._tokens), row)
        except IntegrityError:
            raise WrongState(f"There is a token named {token.name!r} already.") from None
        return text

    def find(self, text: str, now: int) -> Token | None:
        """The token with that text, unless it was revoked or has expired."""
        where = self._tokens.c.hash == _digest(text)
        with self._store.read() as connection:
            row = connection.execute(sa.select(self._tokens).where(where)).first()
        if row is None or row.revoked_at is not None or _is_over(row.expires_at, now):
            return None
        return _token(row)

    def all(self) -> list[Token]:
        """Every token that ever was, by name."""
        with self._store.read() as connection:
            rows = connection.execute(sa.select(self._tokens).order_by(self._tokens.c.name))
            return [_token(row) for row in rows]

    def revoke(self, token_id: UUID, at: int) -> bool:
        """Close a token for ever; False where it is unknown or was closed before."""
        return self._change(token_id, self._tokens.c.revoked_at.is_(None), {"revoked_at": at})

    def touch(self, token_id: UUID, at: int) -> None:
        """Note that a token was used. Callers do so once a minute at most: it is a commit."""
        self._change(token_id, sa.true(), {"last_used_at": at})

    def _change(
        self, token_id: UUID, where: sa.ColumnElement[bool], values: dict[str, int]
    ) -> bool:
        here = self._tokens.c.token_id == token_id.bytes
        with self._store.write() as connection:
            change = sa.update(self._tokens).where(here, where).values(values)
            return connection.execute(change).rowcount == 1


class Links:
    """One-time links: to sign in, to accept an invitation."""

    def __init__(self, store: KeyStore, entropy: Entropy) -> None:
        self._store = store
        self._links = store.tables.links
        self._entropy = entropy

    def make(self, link: Link) -> str:
        """Keep a new link; the text that goes into its address."""
        text = _random_text(self._entropy)
        row = {
            "hash": _digest(text),
            "purpose": link.purpose,
            "user_id": link.user.bytes if link.user else None,
            "expires_at": link.expires_at,
        }
        with self._store.write() as connection:
            connection.execute(sa.insert(self._links), row)
        return text

    def find(self, text: str, purpose: str, now: int) -> Link | None:
        """What a link is for, without using it; None as for `use`."""
        links = self._links
        where = (
            links.c.hash == _digest(text),
            links.c.purpose == purpose,
            links.c.used_at.is_(None),
            links.c.expires_at > now,
        )
        with self._store.read() as connection:
            query = sa.select(links.c.user_id, links.c.expires_at).where(*where)
            row = connection.execute(query).first()
        if row is None:
            return None
        return Link(purpose, None if row[0] is None else UUID(bytes=row[0]), row[1])

    def void(self, user: UUID, purpose: str, at: int) -> int:
        """Use up all of a user's links of one purpose; how many there were."""
        links = self._links
        where = (
            links.c.user_id == user.bytes,
            links.c.purpose == purpose,
            links.c.used_at.is_(None),
        )
        with self._store.write() as connection:
            change = sa.update(links).where(*where).values(used_at=at)
            return connection.execute(change).rowcount

    def use(self, text: str, purpose: str, now: int) -> Link | None:
        """Use a link up; None where it is unknown, for something else, used or too old."""
        links = self._links
        where = (
            links.c.hash == _digest(text),
            links.c.purpose == purpose,
            links.c.used_at.is_(None),
            links.c.expires_at > now,
        )
        change = sa.update(links).where(*where).values(used_at=now)
        with self._store.write() as connection:
            row = connection.execute(change.returning(links.c.user_id, links.c.expires_at)).first()
        if row is None:
            return None
        user = None if row.user_id is None else UUID(bytes=row.user_id)
        return Link(purpose, user, row.expires_at)


class Sessions:
    """Browsers that are signed in."""

    def __init__(self, store: KeyStore, entropy: Entropy) -> None:
        self._store = store
        self._sessions = store.tables.sessions
        self._entropy = entropy

    def open(self, user: UUID, created_at: int, expires_at: int) -> OpenedSession:
        """Sign a browser in, until `expires_at`."""
        text = _random_text(self._entropy)
        session = Session(user, _random_text(self._entropy), created_at, expires_at, created_at)
        row = {
            "hash": _digest(text),
            "user_id": user.bytes,
            "csrf": session.csrf,
            "created_at": created_at,
            "expires_at": expires_at,
            "seen_at": created_at,
        }
        with self._store.write() as connection:
            connection.execute(sa.insert(self._sessions), row)
        return OpenedSession(text, session)

    def find(self, text: str, now: int) -> Session | None:
        """The session with that text, unless it was closed, has expired, or lay idle."""
        where = self._sessions.c.hash == _digest(text)
        with self._store.read() as connection:
            row = connection.execute(sa.select(self._sessions).where(where)).first()
        if row is None or row.revoked_at is not None or _is_over(row.expires_at, now):
            return None
        seen_at = max(row.created_at, row.seen_at or 0)
        if now - seen_at >= SESSION_IDLE_US:
            return None
        user = UUID(bytes=row.user_id)
        return Session(user, row.csrf, row.created_at, row.expires_at, seen_at)

    def of(self, user: UUID, now: int) -> list[Session]:
        """The browsers in which a user is signed in, the last used first."""
        sessions = self._sessions.c
        where = (sessions.user_id == user.bytes, sessions.revoked_at.is_(None))
        with self._store.read() as connection:
            rows = connection.execute(sa.select(self._sessions).where(*where)).all()
        found = [
            Session(
                user,
                row.csrf,
                row.created_at,
                row.expires_at,
                max(row.created_at, row.seen_at or 0),
            )
            for row in rows
            if not _is_over(row.expires_at, now)
        ]
        used = [one for one in found if now - one.seen_at < SESSION_IDLE_US]
        return sorted(used, key=lambda one: -one.seen_at)

    def touch(self, text: str, at: int) -> None:
        """Note that a browser is in use. Callers do so once in a while: it is a commit."""
        change = sa.update(self._sessions).where(self._sessions.c.hash == _digest(text))
        with self._store.write() as connection:
            connection.execute(change.values(seen_at=at))

    def close(self, text: str, at: int) -> bool:
        """Sign a browser out; False where it was not signed in."""
        return self._revoke(self._sessions.c.hash == _digest(text), at) == 1

    def close_all_of(self, user: UUID, at: int) -> int:
        """Sign a user out everywhere; the number of sessions that ended."""
        return self._revoke(self._sessions.c.user_id == user.bytes, at)

    def _revoke(self, where: sa.ColumnElement[bool], at: int) -> int:
        open_ones = self._sessions.c.revoked_at.is_(None)
        change = sa.update(self._sessions).where(where, open_ones).values(revoked_at=at)
        with self._store.write() as connection:
            return connection.execute(change).rowcount


class ConnectionSecrets:
    """What a connection to a provider needs to know: wrapped, and never shown again."""

    def __init__(self, store: KeyStore, kek: Kek, entropy: Entropy) -> None:
        self._store = store
        self._kek = kek
        self._entropy = entropy
        self._secrets = store.tables.connection_secrets

    def put(self, connection: str, name: str, value: bytes, at: int) -> int:
        """Keep a secret, beside the one before it: a rotation accepts both. Its ordinal, from 1."""
        secrets = self._secrets
        here = (secrets.c.connection == connection, secrets.c.name == name)
        wrapped = self._kek.wrap(value, bound_to(connection, name), self._entropy)
        with self._store.write() as transaction:
            self._store.lock(transaction)
            last = transaction.scalar(sa.select(sa.func.max(secrets.c.ordinal)).where(*here))
            ordinal = int(last or 0) + 1
            row = {
                "connection": connection,
                "name": name,
                "ordinal": ordinal,
                "wrapped": wrapped,
                "kek_id": self._kek.id,
                "created_at": at,
            }
            transaction.execute(sa.insert(secrets), row)
            outdated = secrets.c.ordinal <= ordinal - SECRETS_OF_A_NAME
            transaction.execute(sa.delete(secrets).where(*here, outdated))
        return ordinal

    def of(self, connection: str) -> dict[str, list[bytes]]:
        """The secrets of a connection by name, the newest first. Raises KeyMissing (wrong KEK)."""
        secrets = self._secrets
        query = sa.select(secrets.c.name, secrets.c.wrapped).order_by(secrets.c.ordinal.desc())
        found: dict[str, list[bytes]] = {}
        with self._store.read() as transaction:
            rows = transaction.execute(query.where(secrets.c.connection == connection)).all()
        for name, wrapped in rows:
            value = self._kek.unwrap(wrapped, bound_to(connection, name))
            found.setdefault(name, []).append(value)
        return found

    def facts(self, connection: str) -> list[SecretFact]:
        """What may be shown of a connection's secrets, by name."""
        secrets = self._secrets
        columns = (secrets.c.name, sa.func.count(), sa.func.max(secrets.c.created_at))
        query = sa.select(*columns).where(secrets.c.connection == connection)
        query = query.group_by(secrets.c.name).order_by(secrets.c.name)
        with self._store.read() as transaction:
            return [SecretFact(*row) for row in transaction.execute(query)]

    def drop(self, connection: str) -> int:
        """Forget the secrets of a connection for ever; how many there were."""
        here = self._secrets.c.connection == connection
        with self._store.write() as transaction:
            return transaction.execute(sa.delete(self._secrets).where(here)).rowcount


def _random_text(entropy: Entropy) -> str:
    return urlsafe_b64encode(entropy(SECRET_TEXT_BYTES)).decode("ascii").rstrip("=")


def _digest(text: str) -> bytes:
    # Bytes that are no UTF-8 come in with a request too; they only find nothing.
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _is_over(expires_at: int | None, now: int) -> bool:
    return expires_at is not None and expires_at <= now


def bound_to(connection: str, name: str) -> bytes:
    """What the secret of that name of a connection is bound to when it is wrapped."""
    return f"{connection}/{name}".encode()


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    return Token(
        token_id=UUID(bytes=row.token_id),
        name=row.name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
