"""Addresses and their subjects: one each, whoever comes first."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from hashlib import sha256
from threading import Barrier
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.errors import Erased, WrongState
from domain.ports import Seeker
from storage.keyring import Keyring
from storage.subjects import SubjectBook
from tests.backends import Backend
from tests.patience import PATIENCE_S
from tests.storage.keys import a_keyring, close_stores, repeating

ANA = "tel:+525512345678"
LUIS = "mailto:luis@example.mx"
CONTACT = UUID("11111111-1111-4111-8111-111111111111")
NOW = 1_760_000_000_000_000


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_stores()


def mac(address: str) -> bytes:
    """A code of an address."""
    return sha256(address.encode()).digest()


def a_book(url: str, seed: int = 1) -> SubjectBook:
    """A book over the key store at a URL, with chance of its own."""
    ring = a_keyring(url, seed)
    return SubjectBook(ring._store, ring, mac, repeating(seed + 1_000))


def ring_of(book: SubjectBook) -> Keyring:
    """The key ring behind a book."""
    return book._keyring


def rows_of(book: SubjectBook, *, of: str = "subjects") -> int:
    """How many rows there are in a table, the company's apart."""
    table = book._store.tables.metadata.tables
    found = next(kept for name, kept in table.items() if name.rpartition(".")[2] == of)
    with book._store.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one() - 1


def detach(book: SubjectBook, subject: UUID) -> None:
    """Let nobody find a subject by its address any more, as an erasure does."""
    subjects = book._store.tables.subjects
    change = sa.update(subjects).where(subjects.c.subject == subject.bytes)
    with book._store.write() as connection:
        connection.execute(change.values(address_mac=None, state="erased"))


def test_an_address_gets_a_subject_once(backend: Backend) -> None:
    """The first sight makes subject and key; every later one, here or elsewhere, finds them."""
    book = a_book(backend.keys_url)
    assert book.resolve([Seeker(ANA, NOW)], create=False) == [None]
    assert book.find(ANA, NOW) is None
    (subject,) = book.resolve([Seeker(ANA, NOW)], create=True)
    assert subject is not None
    assert subject.version == 4
    assert book.find(ANA, NOW) == subject
    assert a_book(backend.keys_url, seed=2).resolve([Seeker(ANA, NOW)], create=True) == [subject]
    assert ring_of(book).sealing(subject).key_id
    assert (rows_of(book), rows_of(book, of="keys")) == (1, 1)


def test_old_history_finds_the_first_subject(backend: Backend) -> None:
    """A message from long before the address was first seen belongs to the same subject."""
    book = a_book(backend.keys_url)
    (subject,) = book.resolve([Seeker(ANA, NOW)], create=True)
    assert book.find(ANA, -(2**61)) == subject


def test_a_batch_keeps_its_order_and_makes_each_once(backend: Backend) -> None:
    """Duplicates in one batch make one subject, and each seeker gets its own, in order."""
    book = a_book(backend.keys_url)
    (known,) = book.resolve([Seeker(LUIS, NOW)], create=True)
    batch = [Seeker(ANA, NOW), Seeker(LUIS, NOW), Seeker(ANA, NOW + 1), Seeker("tel:+1", NOW)]
    first, second, third, fourth = book.resolve(batch, create=True)
    assert second == known
    assert first == third
    assert len({first, second, fourth}) == 3
    assert (rows_of(book), rows_of(book, of="keys")) == (3, 3)
    assert book.resolve([], create=True) == []


def test_a_batch_of_new_subjects_is_one_commit(backend: Backend) -> None:
    """However many are new, the key store is committed once; asked again, nothing is written."""
    book = a_book(backend.keys_url)
    commits: list[object] = []
    sa.event.listen(book._store._engine, "commit", commits.append)
    seekers = [Seeker(f"tel:+{number}", NOW) for number in range(1, 300)]
    found = book.resolve(seekers, create=True)
    assert len(set(found)) == 299
    assert None not in found
    assert len(commits) == 1
    written = (rows_of(book), rows_of(book, of="keys"))
    book.forget()
    assert book.resolve(seekers, create=True) == found
    assert (rows_of(book), rows_of(book, of="keys")) == written


def test_a_number_that_was_handed_over(backend: Backend) -> None:
    """Before the date it is the old subject's, from it on the new one's, cached or not."""
    book = a_book(backend.keys_url)
    (old,) = book.resolve([Seeker(ANA, NOW)], create=True)
    assert old is not None
    new = book.hand_over(ANA, old, NOW + 100)
    seekers = [Seeker(ANA, at) for at in (NOW, NOW + 99, NOW + 100, NOW + 200)]
    for _ in range(2):
        assert book.resolve(seekers, create=False) == [old, old, new, new]
    assert a_book(backend.keys_url, seed=2).find(ANA, NOW + 100) == new
    assert ring_of(book).sealing(new).key_id != ring_of(book).sealing(old).key_id


def test_a_number_is_handed_over_once(backend: Backend) -> None:
    """Repeated, it is the same subject; who does not hold it, or not any more, hands nothing."""
    book = a_book(backend.keys_url)
    (old,) = book.resolve([Seeker(ANA, NOW)], create=True)
    assert old is not None
    new = book.hand_over(ANA, old, NOW + 100)
    written = rows_of(book)
    assert book.hand_over(ANA, old, NOW + 100) == new
    assert (rows_of(book), rows_of(book, of="keys")) == (written, written)
    for holder, at in ((old, NOW + 50), (old, NOW + 200), (CONTACT, NOW + 100)):
        with pytest.raises(WrongState):
            book.hand_over(ANA, holder, at)
    third = book.hand_over(ANA, new, NOW + 300)
    assert book.find(ANA, NOW + 299) == new
    assert book.find(ANA, NOW + 300) == third


def test_an_erased_address_begins_again(backend: Backend) -> None:
    """A message from a detached address makes a new subject with a key of its own."""
    book = a_book(backend.keys_url)
    (old,) = book.resolve([Seeker(ANA, NOW)], create=True)
    assert old is not None
    detach(book, old)
    key_ids = ring_of(book).key_ids([old])
    ring_of(book).destroy(key_ids.values(), position=3, at=NOW)
    book.forget()
    assert book.find(ANA, NOW) is None
    (new,) = book.resolve([Seeker(ANA, NOW)], create=True)
    assert new is not None
    assert new != old
    assert ring_of(book).sealing(new).key_id
    with pytest.raises(Erased):
        ring_of(book).sealing(old)


def test_a_contact_without_address_is_its_own_subject(backend: Backend) -> None:
    """The address `contact:<uuid>` has that subject, found once it was made."""
    book = a_book(backend.keys_url)
    seeker = Seeker(f"contact:{CONTACT}", NOW)
    assert book.resolve([seeker], create=False) == [None]
    assert book.resolve([seeker], create=True) == [CONTACT]
    assert book.resolve([seeker], create=False) == [CONTACT]
    assert ring_of(book).sealing(CONTACT).key_id
    with pytest.raises(ValueError, match="UUID"):
        book.find("contact:nobody", NOW)


def test_a_contact_with_an_address_is_found_by_its_id(backend: Backend) -> None:
    """A subject that began with an address is the same under `contact:<its id>`."""
    book = a_book(backend.keys_url)
    (subject,) = book.resolve([Seeker(ANA, NOW)], create=True)
    assert book.resolve([Seeker(f"contact:{subject}", NOW)], create=True) == [subject]
    assert rows_of(book) == 1


def test_an_erased_contact_stays_itself(backend: Backend) -> None:
    """Asking for an erased contact by its id makes neither a new subject nor a new key."""
    book = a_book(backend.keys_url)
    seeker = Seeker(f"contact:{CONTACT}", NOW)
    book.resolve([seeker], create=True)
    ring_of(book).destroy(ring_of(book).key_ids([CONTACT]).values(), position=1, at=1)
    detach(book, CONTACT)
    book.forget()
    assert book.resolve([seeker], create=True) == [CONTACT]
    with pytest.raises(Erased):
        ring_of(book).sealing(CONTACT)


def test_subjects_can_be_ensured(backend: Backend) -> None:
    """Those that are there stay as they are; the others come with a key."""
    book = a_book(backend.keys_url)
    (known,) = book.resolve([Seeker(ANA, NOW)], create=True)
    assert known is not None
    book.ensure([known, CONTACT])
    book.ensure([known, CONTACT])
    book.ensure([])
    assert ring_of(book).key_ids([known, CONTACT]).keys() == {known, CONTACT}
    assert (rows_of(book), rows_of(book, of="keys")) == (2, 2)
    assert book.find(ANA, NOW) == known


def test_resolved_subjects_can_seal_without_a_look_up(backend: Backend) -> None:
    """A batch's keys are loaded with its subjects, and by one look-up."""
    addresses = [Seeker(f"tel:+{number}", NOW) for number in range(1, 50)]
    a_book(backend.keys_url).resolve(addresses, create=True)
    book = a_book(backend.keys_url, seed=2)
    subjects = book.resolve(addresses, create=True)
    statements: list[str] = []

    def heard(*call: object) -> None:
        statements.append(str(call[2]))

    sa.event.listen(book._store._engine, "before_cursor_execute", heard)
    for subject in subjects:
        assert subject is not None
        ring_of(book).sealing(subject)
    assert statements == []


def race(url: str, seed: int) -> list[UUID | None]:
    """What one process of several does; at module level for its sake."""
    book = a_book(url, seed)
    order = 1 if seed % 2 else -1
    seekers = [Seeker(f"tel:+{number}", NOW) for number in range(1, 60)][::order]
    found = book.resolve(seekers, create=True)[::order]
    close_stores()
    return found


def test_processes_that_race_make_one_subject(backend: Backend) -> None:
    """Processes that meet the same new addresses, in other orders, get the same subjects."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        one, two = pool.map(race, [backend.keys_url] * 2, (1, 2))
    assert one == two
    assert rows_of(a_book(backend.keys_url)) == rows_of(a_book(backend.keys_url), of="keys") == 59


def test_threads_that_race_make_one_subject(backend: Backend) -> None:
    """The same within one process, on connections of their own, released at one moment."""
    books = [a_book(backend.keys_url, seed) for seed in range(4)]
    for number in range(10):
        barrier = Barrier(4)
        seeker = Seeker(f"tel:+52{number}", NOW)

        def meet(
            book: SubjectBook, barrier: Barrier = barrier, seeker: Seeker = seeker
        ) -> UUID | None:
            barrier.wait(PATIENCE_S)
            return book.resolve([seeker], create=True)[0]

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(meet, books))) == 1
    assert (rows_of(books[0]), rows_of(books[0], of="keys")) == (10, 10)


def test_the_company_is_the_rings(backend: Backend) -> None:
    """The book knows under whose key the company's own names are sealed."""
    book = a_book(backend.keys_url)
    assert book.company == ring_of(book).company
