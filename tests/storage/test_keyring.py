"""Keys: made once, wrapped always, known for a minute, gone for ever."""

from __future__ import annotations

import multiprocessing
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.errors import Erased, KeyMissing, NewerData, StoreUnavailable, WrongState
from storage.kek import Kek, KekPlaces, find_kek
from storage.keyring import KEY_LIFETIME_S, Keyring, LedgerIdentity, has_ledger
from storage.keystore import KeyStore
from storage.lru import ExpiringLru
from tests.backends import Backend
from tests.patience import PATIENCE_S
from tests.storage.keys import RAW_KEK, HandClock, a_keyring, a_store, close_stores, repeating

ANA = UUID("11111111-1111-4111-8111-111111111111")
LUIS = UUID("22222222-2222-4222-8222-222222222222")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_stores()


def give_keys(ring: Keyring, *subjects: UUID) -> list[bytes]:
    """Store a new key for each subject; their ids. The ring does not know them yet."""
    store = ring._store
    made = [ring.make(subject) for subject in subjects]
    rows = [{"subject": who.bytes, "from_at": 0, "state": "live"} for who in subjects]
    with store.write() as connection:
        connection.execute(sa.insert(store.tables.subjects), rows)
        connection.execute(sa.insert(store.tables.keys), [new.row for new in made])
    return [new.key.key_id for new in made]


# ---------------------------------------------------------------------- the ledger


def test_a_ledger_is_made_once(backend: Backend) -> None:
    """The second start opens what the first one made, whatever its own time and chance."""
    first = a_keyring(backend.keys_url, seed=1).identity
    ring = Keyring(a_store(backend.keys_url), Kek(RAW_KEK, "a test"), repeating(2), float)
    assert ring.create_or_open(2_000) == first
    assert first.origin == f"hilo/{first.id}"
    assert first.created_at == 1_000
    assert len(first.secret) == 32


def test_the_company_can_seal_from_the_start(backend: Backend) -> None:
    """The company's subject comes with its key."""
    ring = a_keyring(backend.keys_url)
    key = ring.sealing(ring.company)
    sealed = key.aead.encrypt(bytes(12), b"Ventas", None)
    ring.forget()
    opened = ring.opening([key.key_id])[key.key_id]
    assert opened is not None
    assert opened.decrypt(bytes(12), sealed, None) == b"Ventas"


def open_at_once(url: str, seed: int) -> LedgerIdentity:
    """What one process of several does when it starts; at module level for its sake."""
    identity = a_keyring(url, seed).identity
    close_stores()
    return identity


def test_processes_that_start_together_agree(backend: Backend) -> None:
    """Several processes on an empty key store migrate it once and make one ledger."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        found = list(pool.map(open_at_once, [backend.keys_url] * 3, range(3)))
    assert found == [found[0]] * 3


def test_threads_that_start_together_agree(backend: Backend) -> None:
    """The same within one process, released at one moment."""
    barrier = Barrier(4)

    def start(seed: int) -> LedgerIdentity:
        barrier.wait(PATIENCE_S)
        return a_keyring(backend.keys_url, seed).identity

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(start, range(4)))
    assert found == [found[0]] * 4


def test_a_newer_store_is_refused(backend: Backend) -> None:
    """A key store of a later version is left alone."""
    store = a_store(backend.keys_url)
    with store.write() as connection:
        connection.execute(sa.update(store.tables.schema_version).values(version=99))
    store.close()
    with pytest.raises(NewerData, match="99"):
        KeyStore(backend.keys_url)


def test_a_ring_knows_nothing_before_it_was_opened(backend: Backend) -> None:
    """The ledger's identity is asked for only after it was opened."""
    store = a_store(backend.keys_url)
    assert not has_ledger(store)
    ring = Keyring(store, Kek(RAW_KEK, "a test"), repeating(1), float)
    with pytest.raises(KeyMissing):
        _ = ring.company
    ring.create_or_open(1)
    assert has_ledger(store)


def test_a_store_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    """A database that cannot be opened ends in one error of ours, without its address's secret."""
    with pytest.raises(StoreUnavailable):
        KeyStore(f"sqlite:///{tmp_path / 'nowhere' / 'keys.db'}")
    with pytest.raises(StoreUnavailable) as caught:
        KeyStore("postgresql://hilo:hunter2@127.0.0.1:1/hilo")
    assert "hunter2" not in caught.value.detail


def test_a_file_store_keeps_what_was_committed(tmp_path: Path) -> None:
    """SQLite runs with WAL, full synchronisation, secure deletion and foreign keys."""
    store = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}")
    names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "busy_timeout")
    with store.read() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]
    assert found == ["wal", 2, 1, 1, 5_000]


# ---------------------------------------------------------------------- keys


def test_keys_are_found_by_subject_and_by_id(backend: Backend) -> None:
    """The same key seals for a subject and opens by its id, stored only in wrapped form."""
    ring = a_keyring(backend.keys_url)
    ids = give_keys(ring, ANA, LUIS)
    sealing = [ring.sealing(who) for who in (ANA, LUIS)]
    assert [key.key_id for key in sealing] == ids
    assert ring.key_ids([ANA, LUIS, UUID(int=1)]) == dict(zip([ANA, LUIS], ids, strict=True))
    ring.forget()
    opened = ring.opening(ids)
    for key in sealing:
        again = opened[key.key_id]
        assert again is not None
        assert again.decrypt(bytes(12), key.aead.encrypt(bytes(12), b"x", None), None) == b"x"


def test_an_unknown_key_is_missing(backend: Backend) -> None:
    """Neither a subject without a key nor an id without a row passes for erased."""
    ring = a_keyring(backend.keys_url)
    with pytest.raises(KeyMissing, match=str(ANA)):
        ring.sealing(ANA)
    with pytest.raises(KeyMissing, match="tombstone"):
        ring.opening([b"x" * 16])


def test_a_destroyed_key_leaves_a_tombstone(backend: Backend) -> None:
    """It opens nothing and seals nothing any more, and its row says when and by which erasure."""
    ring = a_keyring(backend.keys_url)
    gone, kept = give_keys(ring, ANA, LUIS)
    ring.warm([ANA, LUIS])
    assert ring.destroy([gone], position=9, at=5_000) == 1
    assert ring.destroy([gone], position=10, at=6_000) == 0
    opened = ring.opening([gone, kept])
    assert opened[gone] is None
    assert opened[kept] is not None
    with pytest.raises(Erased):
        ring.sealing(ANA)
    keys = ring._store.tables.keys
    with ring._store.read() as connection:
        row = connection.execute(sa.select(keys).where(keys.c.key_id == gone)).one()
    assert (row.wrapped, row.destroyed_at, row.erasure_position) == (None, 5_000, 9)


def test_the_companys_key_is_never_destroyed(backend: Backend) -> None:
    """Whoever tries destroys nothing at all."""
    ring = a_keyring(backend.keys_url)
    (other,) = give_keys(ring, ANA)
    company = ring.sealing(ring.company).key_id
    with pytest.raises(WrongState):
        ring.destroy([other, company], position=1, at=1)
    assert None not in ring.opening([other, company]).values()


def test_a_raw_key_is_known_for_a_minute(backend: Backend) -> None:
    """A key that another process destroyed is forgotten here when its minute is over."""
    clock = HandClock()
    ring = a_keyring(backend.keys_url, clock=clock)
    (key_id,) = give_keys(ring, ANA)
    ring.sealing(ANA)
    a_keyring(backend.keys_url, seed=2).destroy([key_id], position=1, at=1)
    clock.now_s = KEY_LIFETIME_S - 1
    assert ring.sealing(ANA).key_id == key_id
    clock.now_s = KEY_LIFETIME_S
    with pytest.raises(Erased):
        ring.sealing(ANA)
    assert ring.opening([key_id]) == {key_id: None}


def test_more_keys_than_one_look_up_holds(backend: Backend) -> None:
    """A page with thousands of keys is opened whole."""
    ring = a_keyring(backend.keys_url)
    ids = give_keys(ring, *(UUID(int=number) for number in range(2_500)))
    assert ring.opening(ids).keys() == set(ids)


# ---------------------------------------------------------------------- memory


def test_the_oldest_goes_first() -> None:
    """Where there is no room, what was used longest ago goes."""
    kept = ExpiringLru[int, str](2)
    kept.put(1, "a", 0)
    kept.put(2, "b", 0)
    assert kept.get(1) == "a"
    kept.put(3, "c", 0)
    assert [kept.get(number) for number in (1, 2, 3)] == ["a", None, "c"]
    assert len(kept) == 2


def test_what_was_read_before_a_clear_is_not_kept() -> None:
    """A value on its way while all was forgotten does not come back."""
    kept = ExpiringLru[int, str](2)
    epoch = kept.epoch
    kept.clear()
    kept.put(1, "stale", epoch)
    assert kept.get(1) is None
    kept.put(1, "fresh", kept.epoch)
    assert kept.get(1) == "fresh"


# ---------------------------------------------------------------------- the KEK


def test_a_wrapped_key_is_bound_to_its_id() -> None:
    """A wrapped key under another id, or changed, does not unwrap."""
    kek = Kek(RAW_KEK, "a test")
    wrapped = kek.wrap(b"k" * 32, b"one", repeating(1))
    assert wrapped[:4] == kek.id
    assert kek.unwrap(wrapped, b"one") == b"k" * 32
    with pytest.raises(KeyMissing, match="another's place"):
        kek.unwrap(wrapped, b"two")
    with pytest.raises(KeyMissing, match="damaged"):
        kek.unwrap(wrapped[:8], b"one")


def test_a_wrong_kek_is_told_kindly(backend: Backend) -> None:
    """The message names both ids, where the wrong one came from, and what to set."""
    a_keyring(backend.keys_url)
    wrong = Kek(bytes(32), "HILO_KEK")
    with pytest.raises(KeyMissing) as caught:
        Keyring(a_store(backend.keys_url), wrong, repeating(1), float).create_or_open(1)
    for part in (wrong.id.hex(), Kek(RAW_KEK, "").id.hex(), "from HILO_KEK", "HILO_KEK_FILE"):
        assert part in caught.value.detail


def test_a_kek_comes_from_text_then_file_then_folder(tmp_path: Path) -> None:
    """The setting with the text wins over the file, and the file over the folder."""
    file = tmp_path / "secret"
    file.write_bytes(b64encode(RAW_KEK) + b"\n")
    other = b64encode(bytes(32)).decode()
    text = find_kek(KekPlaces(other, file, tmp_path), repeating(1), may_make=True)
    assert (text.id, text.where) == (Kek(bytes(32), "").id, "HILO_KEK")
    from_file = find_kek(KekPlaces(None, file, tmp_path), repeating(1), may_make=True)
    assert from_file.id == Kek(RAW_KEK, "").id
    assert not from_file.in_folder
    assert not (tmp_path / "kek").exists()


def test_the_first_start_makes_a_kek(tmp_path: Path) -> None:
    """It lies in the folder, for its owner alone, and the next start finds it."""
    places = KekPlaces(None, None, tmp_path / "data")
    made = find_kek(places, repeating(1), may_make=True)
    assert (made.made, made.in_folder) == (True, True)
    assert (tmp_path / "data" / "kek").stat().st_mode & 0o777 == 0o600
    again = find_kek(places, repeating(2), may_make=False)
    assert (again.id, again.made, again.where) == (made.id, False, str(tmp_path / "data" / "kek"))


def test_no_kek_is_made_for_keys_that_are_wrapped(tmp_path: Path) -> None:
    """Where keys were wrapped, a lost KEK is said to be lost, and none is put in its place."""
    with pytest.raises(KeyMissing, match="HILO_KEK"):
        find_kek(KekPlaces(None, None, tmp_path), repeating(1), may_make=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"not base64!", b"\xff\xfe", b64encode(b"short"), b""], ids=repr
)
def test_a_kek_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that does not hold 32 bytes in base64 is named, and its content is not repeated."""
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(KeyMissing, match="secret"):
        find_kek(KekPlaces(None, file, tmp_path), repeating(1), may_make=True)
    with pytest.raises(KeyMissing, match="nowhere"):
        find_kek(KekPlaces(None, tmp_path / "nowhere", tmp_path), repeating(1), may_make=True)


def make_kek(folder: Path, seed: int) -> bytes:
    """What one process of several does when it starts; at module level for its sake."""
    return find_kek(KekPlaces(None, None, folder), repeating(seed), may_make=True).id


def test_starters_that_race_get_one_kek(tmp_path: Path) -> None:
    """Threads and processes that start together all read the one file that came first."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        by_processes = set(pool.map(make_kek, [tmp_path] * 3, range(3)))
    assert len(by_processes) == 1
    folder = tmp_path / "threads"
    barrier = Barrier(8)

    def start(seed: int) -> bytes:
        barrier.wait(PATIENCE_S)
        return make_kek(folder, seed)

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(start, range(8)))) == 1
    assert [path.name for path in folder.iterdir()] == ["kek"]
