"""Erasures over a whole ledger: complete whatever stops them; nobody goes on with old keys."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.compose import Composition
from channels import forgetting
from channels.quarantine import Raw
from domain.errors import Erased, Held, NotYet, StoreUnavailable, WrongState
from domain.ports import Appended
from projections.rebuild import check
from storage.appending import ReadyUnit
from storage.erasures import Node
from tests.app.erasing import ANA, erase, follow, quick_scrub, shown, sight, tell
from tests.app.ledgers import TurnedClock, opened, run
from tests.backends import Backend
from tests.domain.commands import BY_ROSA, BY_TOKEN, said

__all__ = ["quick_scrub"]

pytestmark = pytest.mark.usefixtures("quick_scrub")


class Crash(Exception):
    """The process ends here."""


# ---------------------------------------------------------------------- what stops it


STEPS: tuple[tuple[str, Callable[[Composition], tuple[object, str]]], ...] = (
    ("before the log", lambda at: (at.ledger.erasures, "erase")),
    ("after the log", lambda at: (at.keys.erasures, "said")),
    ("before the keys", lambda at: (at.keys.ring, "destroy")),
    ("before the quarantine", lambda at: (at.purges[0], "purge")),
    ("before the views", lambda at: (at.eraser, "settle_here")),
    ("before the word", lambda at: (at.eraser, "_state")),
    ("before the certificate", lambda at: (at.eraser, "_keep")),
)


def assert_completed(at: Composition, contact: UUID) -> None:
    """What was begun and not completed is completed now, and was no more than that."""
    assert run(at.eraser.finish(partial(follow, at))) == 1
    assert at.eraser.erasures.pending() == []
    intent = at.eraser.erasures.of_contact(contact)
    assert intent is not None
    assert (intent.addresses, intent.reason) == ((), "")
    written = json.loads(at.eraser.path_of(intent.erasure).read_text("utf-8"))
    assert written == intent.certificate
    assert written["outstanding"] == []
    assert shown(at, contact).erased_at is not None
    with pytest.raises(Erased):
        at.keys.ring.sealing(intent.subjects[0])


def test_whatever_stops_it_it_is_completed(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash at each step the next start completes it: keys, rows, certificate, once."""

    def crash(*_: object, **__: object) -> None:
        raise Crash

    contacts: list[UUID] = []
    for number, (name, where) in enumerate(STEPS):
        with opened(backend) as at:
            if contacts:
                assert_completed(at, contacts[-1])
            contacts.append(tell(at, name, f"MARKER {name}", resource=f"{ANA}{number}"[:17]))
            with monkeypatch.context() as patched:
                patched.setattr(*where(at), crash)
                with pytest.raises(Crash):
                    erase(at, contacts[-1])
    with opened(backend) as at:
        assert_completed(at, contacts[-1])
        topics = [entry.topic for entry in at.log.page(0)]
        assert topics.count("contact.erased") == topics.count("erasure.completed") == len(STEPS)
        assert check(at.core, at.source) == []
        assert set(contacts) == {one.contact for one in at.eraser.erasures.all()}


def test_a_hold_forbids_it_at_the_last_moment_too(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A held contact is not erased; one that was held after the look keeps its address."""
    with opened(backend) as at:
        ana = tell(at, "one")
        run(at.ledger.erasures.place(ana, "juicio", BY_ROSA))
        with pytest.raises(Held):
            erase(at, ana)
        assert at.eraser.erasures.all() == []
        monkeypatch.setattr(at.ledger.erasures, "refuse_held", lambda _: None)
        with pytest.raises(Held):
            erase(at, ana)
        assert at.eraser.erasures.all() == []
        assert at.keys.subjects.find(ANA, at.clock()) == ana
        [hold] = shown(at, ana).holds
        assert hold.reason == "juicio"
        run(at.ledger.erasures.lift((ana,), UUID(hold.id), "terminó", BY_ROSA))
        erase(at, ana)
        assert shown(at, ana).erased_at is not None
        with pytest.raises(WrongState):
            run(at.ledger.erasures.place(ana, "tarde", BY_ROSA))
        with pytest.raises(WrongState):
            erase(at, ana)


def test_what_comes_afterwards(backend: Backend) -> None:
    """A redelivery writes nothing; the same number writing again is a new contact."""
    with opened(backend) as at:
        ana = tell(at, "one", "MARKER")
        erase(at, ana)
        head = at.log.head()
        again = run(at.ledger.record(said("MARKER", key="one", external_id="one"), BY_TOKEN))
        assert (again.duplicate, again.erased, at.log.head()) == (True, True, head)
        changed = run(at.ledger.record(said("otro", key="one", external_id="one"), BY_TOKEN))
        assert changed.erased
        new = tell(at, "two")
        assert new != ana
        follow(at)
        assert shown(at, new).addresses[0].subject != str(ana)
        assert shown(at, new).interactions == 1
        assert shown(at, ana).interactions == 1
        with pytest.raises(WrongState):
            run(at.ledger.identity.merge(new, ana, None, BY_ROSA, None))


# --------------------------------------------------------------------------- the races


def test_no_process_goes_on_with_what_it_remembers(backend: Backend) -> None:
    """One that has key and address in memory, and an import under way, write for a new contact."""
    with opened(backend) as other, opened(backend) as at:
        ana = tell(other, "one")
        unit = other.ledger.unit(said(key="late", external_id="late"), BY_TOKEN)
        ((_, ready),) = other.log.prepare([unit]).sealed
        assert ready.subjects == (ana,)
        fence = other.log.fence()
        erase(at, ana)
        assert tell(other, "two") != ana
        sealed = ReadyUnit(
            key=unit.key,
            build=unit.build,
            seekers=unit.seekers,
            events=ready.events,
            subjects=ready.subjects,
            fence=fence,
        )
        verdict = other.log.submit(sealed).result()
        assert isinstance(verdict, Appended)
        assert verdict.subjects != (ana,)
        at.keys.forget()
        follow(at)
        assert shown(at, ana).interactions == 1


def test_a_restored_copy_of_the_keys_brings_nothing_back(backend: Backend) -> None:
    """With the keys as they were before, the next start destroys them again, before all else."""
    with opened(backend) as at:
        ana = tell(at, "one", "MARKER")
        tables = at.keys.store.tables
        kept = (tables.reapplied, tables.erasures, tables.keys, tables.subjects)
        with at.keys.store.read() as connection:
            before = [
                [dict(row) for row in connection.execute(sa.select(t)).mappings()] for t in kept
            ]
        erase(at, ana)
        with at.keys.store.write() as connection:
            for table in kept:
                connection.execute(sa.delete(table))
            for table, rows in reversed(list(zip(kept, before, strict=True))):
                if rows:
                    connection.execute(sa.insert(table), rows)
    with opened(backend) as at:
        with pytest.raises(Erased):
            at.keys.ring.sealing(ana)
        assert at.keys.subjects.find(ANA, at.clock()) is None
        assert tell(at, "two") != ana
        assert at.keys.erasures.reapplied()[0] == at.log.fence()


def test_a_place_that_is_away_is_named_until_it_comes_back(backend: Backend) -> None:
    """The certificate names it; once its views have followed it is named no more."""
    clock = TurnedClock()
    with opened(backend, clock) as at:
        ana = tell(at, "one")
        away = Node(UUID(int=7), "sucursal", 0, clock.now)
        at.keys.erasures.register(away)
        at.keys.erasures.backed_up(UUID(int=8), clock.now, clock.now + 10)
        certificate = erase(at, ana)
        assert certificate["outstanding"][0] == "the views of sucursal, which is away"
        assert certificate["outstanding"][1].startswith("copies of the keys in backups, until ")
        intent = at.eraser.erasures.of_contact(ana)
        assert intent is not None
        assert at.eraser.outstanding(intent) == certificate["outstanding"]
        at.keys.erasures.register(Node(away.id, away.name, at.log.head(), clock.now))
        clock.now += 11
        assert at.eraser.outstanding(intent) == []
        assert {node.name for node in at.keys.erasures.nodes()} > {"sucursal"}


def test_views_that_do_not_follow_are_waited_for(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The erasure stays begun while they are behind, or in use, and is completed afterwards."""
    monkeypatch.setattr("api.erasing.VIEWS_WAIT_S", 0.0)
    with opened(backend) as at:
        ana = tell(at, "one")
        seen = sight(at, ana)
        intent = run(at.eraser.begin(seen, at.eraser.plan(seen).plan, "lo pidió", BY_ROSA))
        with pytest.raises(NotYet):
            run(at.eraser.complete(intent))
        assert at.eraser.outstanding(intent)[0] == "it is under way"
        follow(at)
        monkeypatch.setattr("storage.scrubbing.PATIENCE_S", 0.0)
        if backend.kind == "sqlite":
            with at.views.reading() as reading:
                assert reading.position
                with pytest.raises(StoreUnavailable):
                    run(at.eraser.complete(intent))
        monkeypatch.undo()
        assert run(at.eraser.finish()) == 1
        assert at.eraser.outstanding(intent)[0] != "done"
        assert socket.gethostname() in at.keys.erasures.nodes()[0].name or backend.kind != "sqlite"


# ------------------------------------------------------------------------ the quarantine


@pytest.mark.parametrize(
    ("address", "body", "named"),
    [
        (ANA, b"from=%2B525512345678", True),
        (ANA, b"tel 55-12 34 56.78", True),
        (ANA, b"id 99955123456781", False),
        ("mailto:Ana@Example.mx", b'{"mail":"ana\\u0040example.mx"}', True),
        ("mailto:ana@example.mx", b"To: mariana@example.mx", False),
        ("mailto:ana@example.mx", b"QW5hIDxhbmFAZXhhbXBsZS5teD4gZGljZSBob2xh", True),
        ("whatsapp:106/MX.778899", b'{"user_id":"MX.778899"}', True),
        ("short:MX/911", b"911", False),
    ],
)
def test_a_request_names_an_address_in_its_own_spelling(
    address: str, body: bytes, *, named: bool
) -> None:
    """Percent signs, escapes, spaces and base64 hide nobody; another number is not taken for it."""
    wanted = list(forgetting.patterns([address]))
    assert forgetting.names(Raw({}, body), wanted) == named
