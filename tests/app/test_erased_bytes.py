"""After an erasure nothing is left in any byte of any file."""

from __future__ import annotations

from pathlib import Path
from typing import cast
from uuid import UUID

import psycopg

from app.compose import Composition
from channels.delivery import Placed
from domain.commands import Participant
from domain.values import Role
from projections import contact_pages
from projections.rebuild import check
from storage.arrivals import Settlement
from storage.blobs import Owner
from storage.connections import Connection
from tests.app.erasing import LUIS, erase, follow, shown, tell
from tests.app.ledgers import opened
from tests.backends import Backend

MARKERS = (b"marker", b"5512345678", b"luz@marker.example")
"""In small letters: search and the directory keep words folded."""


def plant(at: Composition) -> UUID:
    """A contact with MARKER wherever a word may stand, and a neighbour."""
    luz = Participant("mailto:luz@marker.example", Role.CC, "MARKER Luz")
    ana = tell(
        at, "a1", "MARKER " + "x" * 3_000, contact_name="MARKER Ana", details=b'{"a":"MARKER"}'
    )
    tell(at, "a2", "MARKER corto", subject_line="MARKER asunto", original=b"MARKER" * 20_000)
    tell(at, "a3", "hola", resource=LUIS, contact_name="Luis", participants=(luz,))
    for number in range(40):
        tell(at, f"n{number}", f"vecino {number}", resource=f"tel:+5255000001{number:02d}")
        tell(at, f"m{number}", f"MARKER {number}" * 7)
    follow(at)
    return ana


def quarantine(at: Composition, body: bytes) -> None:
    """A request that could not be read waits for a decision."""

    class Atom:
        source, number = "whatsapp:1", 0

        def raw(self) -> bytes:
            return body

    here = Connection(channel="whatsapp", name="sur", title="Sur", created_at=1)
    placed = cast("Placed", type("P", (), {"atom": Atom(), "reason": "unparsable", "error": "?"}))
    held = at.channels.ward.admitted(here, placed, at.clock(), {})
    at.trade.settle(Settlement(connection=here.key, at=at.clock(), quarantined=(held,)))


def files_of(backend: Backend) -> list[Path]:
    """Every file in which a byte of the ledger may lie."""
    found = [path for path in backend.folder.rglob("*") if path.is_file()]
    if backend.kind == "postgresql":
        with psycopg.connect(backend.log_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            row = connection.execute("SHOW data_directory").fetchone()
            oid = connection.execute(
                "SELECT oid FROM pg_database WHERE datname = current_database()"
            ).fetchone()
            assert row is not None
            assert oid is not None
        found += [
            path for path in (Path(row[0]) / "base" / str(oid[0])).iterdir() if path.is_file()
        ]
    return found


def found_in(backend: Backend) -> set[tuple[str, bytes]]:
    """The markers that stand in some file, and in which."""
    return {
        (path.name, marker)
        for path in files_of(backend)
        for marker in MARKERS
        if marker in path.read_bytes().lower()
    }


def test_nothing_is_left_in_any_byte(backend: Backend) -> None:
    """Planted markers are in no file afterwards; counts, proofs and neighbours are as they were."""
    with opened(backend) as at:
        ana = plant(at)
        quarantine(at, b'{"from":"+52 1 55 1234 5678","text":"MARKER"}')
        quarantine(at, b'{"from":"+52 55 0000 0001"}')
        with at.views.reading() as reading:
            at.renderer.contact(reading, ana.bytes)
        luz = at.keys.subjects.find("mailto:luz@marker.example", at.clock())
        assert luz is not None
    assert found_in(backend)
    with opened(backend) as at:
        before = shown(at, ana)
        damaged = backend.folder / "views.db.damaged-wal"
        damaged.write_bytes(b"MARKER")
        path = at.settings.data / "blobs"
        kept = _file_of(at, ana)
        assert any(path.rglob(kept))
        path = at.settings.data / "blobs"
        owner = Owner(ana, UUID(int=1), UUID(int=2), UUID(int=3))
        kept = at.blobs.keep(owner, [b"MARKER in a file"]).blob.hex()
        assert any(path.rglob(kept))
        erase(at, ana)
        assert not any(path.rglob(kept))
        erase(at, luz)
        assert not any(path.rglob(kept))
        after = shown(at, ana)
        assert (after.interactions, after.by_channel) == (before.interactions, before.by_channel)
        assert (after.name, after.label, after.addresses[0].address) == (None, "#1", None)
        assert len(at.channels.ward.open_ids()) == 1
        assert [check(group, at.source) for group in at.groups] == [[]] * len(at.groups)
        with at.views.reading() as reading:
            [luis] = contact_pages.contacts_of(reading, [_subject(at, LUIS).bytes]).values()
            neighbour = at.renderer.contact(reading, luis)
        assert neighbour is not None
        assert neighbour.name == "Luis"
        if backend.kind == "sqlite":
            assert not damaged.exists()
    damaged.unlink(missing_ok=True)  # on PostgreSQL it is nobody's
    assert found_in(backend) == set()


def _file_of(at: Composition, contact: UUID) -> str:
    """A file of a contact is kept; its name in the folder."""
    owner = Owner(contact, UUID(int=1), UUID(int=2), UUID(int=3))
    return at.blobs.keep(owner, [b"MARKER in a file"]).blob.hex()


def _subject(at: Composition, address: str) -> UUID:
    found = at.keys.subjects.find(address, at.clock())
    assert found is not None
    return found
