"""Passwords: found by the code of an e-mail address, checked by their hash, and nowhere to read."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.errors import WrongState
from storage import passwords as module
from storage.credentials import SESSION_IDLE_US, Link, Links, Sessions
from storage.keystore import SCHEMA_VERSION, KeyStore
from storage.passwords import Passwords
from tests.backends import Backend
from tests.storage.keys import a_store, close_stores, repeating

ROSA, LUIS = UUID(int=1), UUID(int=2)
MAC, OTHER = b"m" * 32, b"o" * 32
SECRET = "caballo correcto"


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_stores()


def test_a_password_opens_with_its_address(backend: Backend) -> None:
    """The right pair gives the user; a wrong half, or an account without password, nobody."""
    passwords = Passwords(a_store(backend.keys_url), repeating(1))
    assert passwords.claim(ROSA, MAC, 1) == ROSA
    assert passwords.check(MAC, SECRET, 2) is None
    passwords.set(ROSA, SECRET, 3)
    again = Passwords(a_store(backend.keys_url), repeating(2))
    assert again.check(MAC, SECRET, 4) == ROSA
    assert again.check(MAC, SECRET + " ", 4) is None
    assert again.check(OTHER, SECRET, 4) is None
    assert again.check_of(ROSA, SECRET, 4)
    assert not again.check_of(LUIS, SECRET, 4)
    assert again.with_password([ROSA, LUIS]) == {ROSA}


def test_an_address_has_one_owner(backend: Backend) -> None:
    """Who comes first has it; others are told whose it is, and cannot move there."""
    passwords = Passwords(a_store(backend.keys_url), repeating(1))
    assert passwords.claim(ROSA, MAC, 1) == ROSA
    assert passwords.claim(LUIS, MAC, 2) == ROSA
    assert passwords.claim(LUIS, OTHER, 3) == LUIS
    with pytest.raises(WrongState):
        passwords.move(LUIS, MAC, 4)
    passwords.move(ROSA, b"n" * 32, 5)
    passwords.move(LUIS, MAC, 6)
    passwords.set(LUIS, SECRET, 7)
    assert passwords.check(MAC, SECRET, 8) == LUIS
    passwords.release(LUIS)
    assert passwords.claim(ROSA, MAC, 9) == ROSA


def test_a_password_needs_an_address(backend: Backend) -> None:
    """Nobody could sign in with it."""
    passwords = Passwords(a_store(backend.keys_url), repeating(1))
    with pytest.raises(WrongState):
        passwords.set(ROSA, SECRET, 1)


def test_one_password_typed_two_ways_is_one(backend: Backend) -> None:
    """What keyboards compose differently is the same password."""
    passwords = Passwords(a_store(backend.keys_url), repeating(1))
    passwords.claim(ROSA, MAC, 1)
    passwords.set(ROSA, "contrase\u00f1a larga", 2)
    assert passwords.check(MAC, "contrasen\u0303a larga", 3) == ROSA


def test_no_password_is_kept(backend: Backend) -> None:
    """The key store holds argon2id's hash and the code of the address, and neither in clear."""
    store = a_store(backend.keys_url)
    passwords = Passwords(store, repeating(1))
    passwords.claim(ROSA, MAC, 1)
    passwords.set(ROSA, SECRET, 2)
    with store.read() as connection:
        (row,) = connection.execute(sa.select(store.tables.sign_ins)).all()
    assert row.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert SECRET not in repr(row)


def test_an_old_hash_becomes_a_new_one(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that was made more cheaply is made anew when its password is next seen."""
    store = a_store(backend.keys_url)
    monkeypatch.setattr(module, "PASSES", 1)
    weak = Passwords(store, repeating(1))
    weak.claim(ROSA, MAC, 1)
    weak.set(ROSA, SECRET, 2)
    monkeypatch.undo()
    assert Passwords(store, repeating(2)).check(MAC, SECRET, 3) == ROSA
    with store.read() as connection:
        kept = connection.scalar(sa.select(store.tables.sign_ins.c.password_hash))
    assert kept is not None
    assert ",t=2," in kept


def test_an_idle_session_ends(backend: Backend) -> None:
    """A browser that nobody uses is signed out before its time; one in use is not."""
    sessions = Sessions(a_store(backend.keys_url), repeating(1))
    idle = sessions.open(ROSA, created_at=0, expires_at=SESSION_IDLE_US * 9).secret
    used = sessions.open(ROSA, created_at=0, expires_at=SESSION_IDLE_US * 9).secret
    sessions.touch(used, SESSION_IDLE_US - 1)
    assert sessions.find(idle, SESSION_IDLE_US - 1) is not None
    assert sessions.find(idle, SESSION_IDLE_US) is None
    assert sessions.find(used, SESSION_IDLE_US) is not None


def test_a_link_is_looked_at_and_voided(backend: Backend) -> None:
    """Looking does not use it up; a newer one can end those before it, of one user and purpose."""
    links = Links(a_store(backend.keys_url), repeating(1))
    text = links.make(Link("invitation", ROSA, expires_at=100))
    other = links.make(Link("invitation", LUIS, expires_at=100))
    assert links.find(text, "invitation", 50) == Link("invitation", ROSA, 100)
    assert links.find(text, "invitation", 100) is None
    assert links.find(text, "sign-in", 50) is None
    assert links.void(ROSA, "invitation", 60) == 1
    assert links.find(text, "invitation", 70) is None
    assert links.use(other, "invitation", 70) is not None


def test_a_key_store_of_the_first_version_is_brought_up(backend: Backend) -> None:
    """Its sessions stay signed in, passwords get their table; a second start changes nothing."""
    store = KeyStore(backend.keys_url)
    text = Sessions(store, repeating(1)).open(ROSA, created_at=10, expires_at=100).secret
    tables = store.tables
    with store.write() as connection:
        tables.sign_ins.drop(connection)
        for later in (tables.erasures, tables.nodes, tables.backups, tables.reapplied):
            later.drop(connection)
        name = connection.dialect.identifier_preparer.format_table(tables.sessions)
        connection.execute(sa.text(f"ALTER TABLE {name} DROP COLUMN seen_at"))
        connection.execute(sa.update(tables.schema_version).values(version=1))
    store.close()
    for _ in range(2):
        newer = a_store(backend.keys_url)
        assert Sessions(newer, repeating(2)).find(text, now=20) is not None
        assert Passwords(newer, repeating(3)).with_password([ROSA]) == frozenset()
        with newer.read() as connection:
            version = connection.scalar(sa.select(tables.schema_version.c.version))
        assert version == SCHEMA_VERSION
