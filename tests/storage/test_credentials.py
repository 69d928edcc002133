"""Tokens, links, sessions and secrets: only who holds them can use them, and only in time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa

from domain.errors import KeyMissing, WrongState
from storage.credentials import (
    SESSION_IDLE_US,
    ConnectionSecrets,
    Link,
    Links,
    SecretFact,
    Sessions,
    Token,
    Tokens,
)
from storage.kek import Kek
from tests.backends import Backend
from tests.storage.keys import RAW_KEK, a_store, close_stores, repeating

ROSA = UUID("11111111-1111-4111-8111-111111111111")
LUIS = UUID("22222222-2222-4222-8222-222222222222")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_stores()


def test_a_token_opens_until_it_is_revoked(backend: Backend) -> None:
    """Its text finds it, on other connections too, until somebody closes it."""
    tokens = Tokens(a_store(backend.keys_url), repeating(1))
    others = Tokens(a_store(backend.keys_url), repeating(2))
    token = Token(ROSA, "crm", created_at=10)
    text = tokens.add(token)
    assert text.startswith("hilo_")
    assert others.find(text, now=20) == token
    assert others.find(text + "x", now=20) is None
    assert others.find("\ud800", now=20) is None
    tokens.touch(ROSA, at=25)
    assert tokens.revoke(ROSA, at=30)
    assert not tokens.revoke(ROSA, at=31)
    assert others.find(text, now=20) is None
    assert others.all() == [msgspec.structs.replace(token, revoked_at=30, last_used_at=25)]


def test_a_token_expires(backend: Backend) -> None:
    """At its last moment it is over."""
    tokens = Tokens(a_store(backend.keys_url), repeating(1))
    text = tokens.add(Token(ROSA, "crm", created_at=10, expires_at=20))
    assert tokens.find(text, now=19) is not None
    assert tokens.find(text, now=20) is None


def test_a_tokens_name_is_its_own(backend: Backend) -> None:
    """A second token of the same name is refused."""
    tokens = Tokens(a_store(backend.keys_url), repeating(1))
    tokens.add(Token(ROSA, "crm", created_at=10))
    with pytest.raises(WrongState, match="crm"):
        tokens.add(Token(LUIS, "crm", created_at=11))


def test_no_text_is_kept(backend: Backend) -> None:
    """What opens a door stands nowhere in the store but as a hash."""
    store = a_store(backend.keys_url)
    token = Tokens(store, repeating(1)).add(Token(ROSA, "crm", created_at=10))
    link = Links(store, repeating(2)).make(Link("sign-in", ROSA, expires_at=100))
    cookie = Sessions(store, repeating(3)).open(ROSA, created_at=1, expires_at=9).secret
    ConnectionSecrets(store, Kek(RAW_KEK, "a test"), repeating(4)).put("sms/a", "t", b"hunter2", 1)
    kept = ""
    with store.read() as connection:
        for table in store.tables.metadata.sorted_tables:
            kept += repr(connection.execute(sa.select(table)).all())
    for text in (token, token.removeprefix("hilo_"), link, cookie, "hunter2"):
        assert text not in kept


def test_a_link_works_once(backend: Backend) -> None:
    """Of several that use it at the same time one gets in."""
    links = Links(a_store(backend.keys_url), repeating(1))
    text = links.make(Link("sign-in", None, expires_at=100))
    with ThreadPoolExecutor(4) as pool:
        used = list(pool.map(lambda _: links.use(text, "sign-in", 50), range(4)))
    assert [found for found in used if found] == [Link("sign-in", None, 100)]


def test_a_link_is_for_one_purpose_and_a_time(backend: Backend) -> None:
    """A wrong purpose does not use it up; a late use gets nothing."""
    links = Links(a_store(backend.keys_url), repeating(1))
    text = links.make(Link("invitation", ROSA, expires_at=100))
    assert links.use(text, "sign-in", 50) is None
    assert links.use("nonsense", "invitation", 50) is None
    assert links.use(text, "invitation", 100) is None
    assert links.use(text, "invitation", 99) == Link("invitation", ROSA, 100)


def test_a_session_lasts_until_it_is_closed(backend: Backend) -> None:
    """Its cookie finds the user and the CSRF text until sign-out or its end."""
    sessions = Sessions(a_store(backend.keys_url), repeating(1))
    opened = sessions.open(ROSA, created_at=10, expires_at=100)
    assert opened.session.csrf != opened.secret
    assert sessions.find(opened.secret, now=99) == opened.session
    assert sessions.find(opened.secret, now=100) is None
    assert sessions.close(opened.secret, at=50)
    assert not sessions.close(opened.secret, at=51)
    assert sessions.find(opened.secret, now=60) is None


def test_a_user_is_signed_out_everywhere(backend: Backend) -> None:
    """All sessions of one user end, nobody else's."""
    sessions = Sessions(a_store(backend.keys_url), repeating(1))
    mine = [sessions.open(ROSA, created_at=1, expires_at=100).secret for _ in range(3)]
    other = sessions.open(LUIS, created_at=1, expires_at=100).secret
    assert sessions.close_all_of(ROSA, at=2) == 3
    assert [sessions.find(text, now=3) for text in mine] == [None, None, None]
    assert sessions.find(other, now=3) is not None


def test_a_users_sessions_are_listed(backend: Backend) -> None:
    """Those that still open something, the last used first, and nobody else's."""
    sessions = Sessions(a_store(backend.keys_url), repeating(1))
    first, second, closed = (sessions.open(ROSA, created_at=at, expires_at=100) for at in (1, 2, 3))
    sessions.open(ROSA, created_at=4, expires_at=10)
    sessions.open(LUIS, created_at=5, expires_at=100)
    sessions.close(closed.secret, at=6)
    sessions.touch(first.secret, at=7)
    assert [one.csrf for one in sessions.of(ROSA, now=10)] == [
        first.session.csrf,
        second.session.csrf,
    ]
    assert sessions.of(ROSA, now=100) == []
    idle = sessions.open(LUIS, created_at=1, expires_at=2 * SESSION_IDLE_US)
    assert idle.session in sessions.of(LUIS, now=SESSION_IDLE_US)
    assert sessions.of(LUIS, now=SESSION_IDLE_US + 1) == []


def test_a_secret_rotates(backend: Backend) -> None:
    """Today's and the one before it are accepted, the newest first; an older one is gone."""
    kek = Kek(RAW_KEK, "a test")
    secrets = ConnectionSecrets(a_store(backend.keys_url), kek, repeating(1))
    for number in range(1, 4):
        assert secrets.put("whatsapp/a", "app_secret", b"%d" % number, number) == number
    secrets.put("whatsapp/a", "verify_token", b"v", 9)
    secrets.put("whatsapp/b", "app_secret", b"b", 9)
    assert secrets.of("whatsapp/a") == {"app_secret": [b"3", b"2"], "verify_token": [b"v"]}
    assert secrets.facts("whatsapp/a") == [
        SecretFact("app_secret", 2, 3),
        SecretFact("verify_token", 1, 9),
    ]
    assert secrets.drop("whatsapp/a") == 3
    assert secrets.of("whatsapp/a") == {}
    assert secrets.of("whatsapp/b") == {"app_secret": [b"b"]}


def test_a_secret_is_bound_to_its_connection(backend: Backend) -> None:
    """A wrapped secret that was moved to another connection does not unwrap."""
    store = a_store(backend.keys_url)
    secrets = ConnectionSecrets(store, Kek(RAW_KEK, "a test"), repeating(1))
    secrets.put("whatsapp/a", "app_secret", b"s", 1)
    with store.write() as connection:
        change = sa.update(store.tables.connection_secrets).values(connection="whatsapp/b")
        connection.execute(change)
    with pytest.raises(KeyMissing):
        secrets.of("whatsapp/b")
