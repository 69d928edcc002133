"""Where the channels keep things: the company's seal, the book of connections, arrivals."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from msgspec import structs

from domain.errors import Damaged, Erased, KeyReused, NotFound, WrongState
from storage.arrivals import Arrivals, End, Settlement
from storage.company_seal import CompanySeal, Sealed
from storage.connections import REMOVED, Connection, ConnectionBook, Handled
from storage.log import open_store
from storage.trade import Kind, Quarantined
from tests.backends import Backend
from tests.storage.keys import MemoryKeys, a_store, close_stores, repeating

SUR = Connection(channel="whatsapp", name="sur", title="Sur", created_at=1)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close the key stores of a test."""
    yield
    close_stores()


@pytest.fixture
def arrivals(backend: Backend) -> Iterator[Arrivals]:
    """The trade of an empty log."""
    open_store(backend.log_url, lambda: 7).close()
    opened = Arrivals(backend.log_url, lambda: 7)
    yield opened
    opened.close()


def atom(number: int) -> Quarantined:
    """An atom for the quarantine."""
    return Quarantined(
        id=UUID(int=number),
        connection=SUR.key,
        source="whatsapp:1",
        received_at=number,
        reason="unparsable",
        error="it has no id",
    )


# ------------------------------------------------------------------------- the seal


def test_what_was_sealed_opens_where_it_belongs() -> None:
    """A text opens with its key at its place; moved or changed it does not."""
    keys = MemoryKeys()
    seal = CompanySeal(keys, repeating(2))
    sealed = seal.seal(b"Hola", b"place")
    assert b"Hola" not in sealed.body
    assert seal.open(sealed, b"place") == b"Hola"
    broken = Sealed(sealed.key_id, sealed.body[:-1] + bytes([sealed.body[-1] ^ 1]))
    for wrong, place in ((sealed, b"elsewhere"), (broken, b"place")):
        with pytest.raises(Damaged):
            seal.open(wrong, place)
    keys.destroy(keys.company)
    with pytest.raises(Erased):
        seal.open(sealed, b"place")


# ------------------------------------------------------------------------- the book


def test_one_of_many_adds_a_connection(backend: Backend) -> None:
    """Of several who add the same name together, one does."""
    book = ConnectionBook(a_store(backend.keys_url))

    def tried(_: int) -> bool:
        try:
            book.add(SUR)
        except WrongState:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(tried, range(4))) == 1
    assert book.all() == [SUR]


def test_a_connection_is_kept_as_it_was_given(backend: Backend) -> None:
    """What is changed comes back changed; a removed name may be added anew."""
    book = ConnectionBook(a_store(backend.keys_url))
    with pytest.raises(NotFound):
        book.change(SUR)
    book.add(SUR)
    full = structs.replace(SUR, title="Sucursal Ñ", department="Ventas", options={"a": "b"})
    book.change(full)
    assert book.get("whatsapp", "sur") == full
    book.change(structs.replace(full, state=REMOVED))
    book.add(SUR)
    assert book.get("whatsapp", "sur") == SUR


def test_a_command_is_known_by_its_key_and_its_body(backend: Backend) -> None:
    """A key that comes again with its body was handled; with another body it is refused."""
    book = ConnectionBook(a_store(backend.keys_url))
    handled = Handled(bytes(16), b"x" * 32)
    assert not book.was_handled(handled)
    book.add(SUR, handled)
    assert book.was_handled(handled)
    with pytest.raises(KeyReused):
        book.was_handled(Handled(bytes(16), b"y" * 32))
    assert not book.was_handled(None)


# ------------------------------------------------------------------------- arrivals


def test_a_settlement_is_counted_whole(arrivals: Arrivals) -> None:
    """Ends, quarantine and what was seen are written together; what is known is a duplicate."""
    settlement = Settlement(
        connection=SUR.key,
        at=5,
        ends=[End("whatsapp:1", Kind.DUPLICATE), End("", Kind.IGNORED, "empty")],
        quarantined=[atom(1), atom(2), atom(1)],
        seen={"whatsapp:1": "tel:+525598765432"},
    )
    arrivals.settle(settlement)
    nobody, number = arrivals.balances(SUR.key)
    assert (nobody.deliveries, nobody.ignored) == (1, {"empty": 1})
    assert (number.duplicate, number.quarantined) == (2, 2)
    whole, source = arrivals.arrived(SUR.key)
    assert (whole.last_at, whole.error) == (5, "unparsable: it has no id")
    assert (source.last_at, source.address) == (5, "tel:+525598765432")


def test_deliveries_that_are_settled_together_count_each(arrivals: Arrivals) -> None:
    """Two deliveries in one transaction come to what they would come to one by one."""
    first = Settlement(connection=SUR.key, at=5, quarantined=[atom(1)], seen={"whatsapp:1": "a"})
    second = Settlement(connection=SUR.key, at=6, quarantined=[atom(1)], seen={"whatsapp:1": None})
    arrivals.settle(first, second)
    nobody, number = arrivals.balances(SUR.key)
    assert (nobody.deliveries, number.quarantined, number.duplicate) == (2, 1, 1)
    whole, source = arrivals.arrived(SUR.key)
    assert (whole.last_at, whole.error) == (6, "unparsable: it has no id")
    assert (source.last_at, source.address) == (6, "a")


def test_what_is_not_said_again_stays(arrivals: Arrivals) -> None:
    """A later delivery without an address or an error leaves those that were known."""
    seen = {"whatsapp:1": "tel:+525598765432"}
    arrivals.settle(Settlement(connection=SUR.key, at=5, seen=seen))
    arrivals.reject(SUR.key, "no_signature")
    arrivals.settle(Settlement(connection=SUR.key, at=6, seen={"whatsapp:1": None}))
    whole, source = arrivals.arrived(SUR.key)
    assert (whole.last_at, whole.error) == (6, "rejected: no_signature")
    assert (source.last_at, source.address) == (6, "tel:+525598765432")


def test_an_atom_leaves_the_quarantine_once(arrivals: Arrivals) -> None:
    """Released, it is where it ended, in one step; a second time is refused."""
    arrivals.settle(Settlement(connection=SUR.key, at=5, quarantined=[atom(1)]))
    arrivals.release_to(UUID(int=1), [End("whatsapp:1", Kind.RECORDED), End("", Kind.RECORDED)])
    assert [balance.recorded for balance in arrivals.balances()] == [1, 1]
    assert sum(balance.quarantined for balance in arrivals.balances()) == 0
    with pytest.raises(WrongState):
        arrivals.release_to(UUID(int=1), [End("", Kind.DUPLICATE)])
    with pytest.raises(NotFound):
        arrivals.release_to(UUID(int=2), [End("", Kind.DUPLICATE)])


def test_open_atoms_are_found_between_two_places(arrivals: Arrivals) -> None:
    """Strictly between, in either order, and never one that was dealt with."""
    atoms = [atom(number) for number in range(1, 6)]
    arrivals.settle(Settlement(connection=SUR.key, at=5, quarantined=atoms))
    arrivals.release_to(UUID(int=3), [End("", Kind.IGNORED, "discarded")], "no")
    low, high = (1, UUID(int=1)), (5, UUID(int=5))
    between = arrivals.quarantine_between(low, high, descending=True, count=9)
    assert [one.received_at for one in between] == [4, 2]
    first = arrivals.quarantine_between(None, None, descending=False, count=2)
    assert [one.received_at for one in first] == [1, 2]
