"""The blob store: what it keeps, how it is sealed, and that it is gone when it has to be."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from app.compose import Composition, open_ledger
from domain.errors import Damaged, Erased, KeyMissing, StoreUnavailable
from domain.ports import Seeker
from storage.blob_places import BucketPlace, place_at
from storage.blob_seal import CHUNK_BYTES, HEAD_BYTES, BlobSeal, Opened
from storage.blobs import UNNAMED_KEPT_US, BlobStore, Owner
from tests.api.house import NOON, settings_of
from tests.api.serving import serving
from tests.backends import Backend
from tests.storage.keys import MemoryKeys, repeating

ATTACHMENT = UUID(int=7)
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES)


class Bytes(Struct, frozen=True):
    """Sealed bytes in memory."""

    held: bytes

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        return len(self.held)

    def read(self, start: int, length: int) -> bytes:
        """A part of them."""
        return self.held[start : start + length]


@pytest.fixture(scope="module")
def seal() -> BlobSeal:
    """A seal whose keys lie in memory."""
    return BlobSeal(MemoryKeys(3), UUID(int=1), repeating(4))


def sealed(seal: BlobSeal, plain: bytes) -> bytes:
    """A file, sealed in uneven parts."""
    out = bytearray()
    sealing = seal.begin(seal.company, ATTACHMENT, out.extend)
    for at in range(0, len(plain), 70_001):
        sealing.write(plain[at : at + 70_001])
    made = sealing.finish()
    assert made.blob == hashlib.sha256(out).digest()
    assert (made.size_bytes, made.sha256) == (len(plain), hashlib.sha256(plain).hexdigest())
    return bytes(out)


def opened(seal: BlobSeal, held: bytes) -> Opened:
    """The file again."""
    return seal.open(Bytes(held), ATTACHMENT)


@pytest.mark.parametrize("size", SIZES)
def test_any_size_comes_back(seal: BlobSeal, size: int) -> None:
    """Whatever its size, a file comes back as it was, and nothing of it is to be seen."""
    plain = repeating(size)(size)
    held = sealed(seal, plain)
    file = opened(seal, held)
    assert file.size_bytes == size
    assert b"".join(file.read()) == plain
    assert size == 0 or plain[:16] not in held or size < 16


@settings(max_examples=25)
@given(start=st.integers(0, 3 * CHUNK_BYTES), length=st.integers(0, 2 * CHUNK_BYTES))
def test_any_part_comes_back(start: int, length: int) -> None:
    """A part is what the whole has there."""
    seal = BlobSeal(MemoryKeys(3), UUID(int=1), repeating(4))
    plain = repeating(9)(2 * CHUNK_BYTES + 5)
    file = opened(seal, sealed(seal, plain))
    assert b"".join(file.read(start, start + length)) == plain[start : start + length]


def test_what_was_changed_does_not_open(seal: BlobSeal) -> None:
    """A changed byte, a chunk cut off, exchanged or put twice, another attachment: refused."""
    held = sealed(seal, repeating(1)(3 * CHUNK_BYTES))
    step = CHUNK_BYTES + 16
    one, two = held[HEAD_BYTES : HEAD_BYTES + step], held[HEAD_BYTES + step : HEAD_BYTES + 2 * step]
    rest = held[HEAD_BYTES + 2 * step :]
    head = held[:HEAD_BYTES]
    for wrong in (
        held[:-1] + bytes([held[-1] ^ 1]),
        head + one + two,
        head + two + one + rest,
        head + one + one + rest,
        held[:-20],
        b"\x02" + held[1:],
        head[:40],
    ):
        with pytest.raises(Damaged):
            b"".join(opened(seal, wrong).read())
    with pytest.raises(Damaged):
        seal.open(Bytes(held), UUID(int=8))


# ------------------------------------------------------------------------- the store


@pytest.fixture
def composition(backend: Backend) -> Iterator[Composition]:
    """An empty ledger on each database; its clock stands at noon."""
    opened = open_ledger(settings_of(backend), follow=False, clock=lambda: NOON)
    yield opened
    opened.close()


def subject(composition: Composition, address: str) -> UUID:
    """The subject of an address, made."""
    found = composition.keys.subjects.resolve([Seeker(address, NOON)], create=True)[0]
    assert found is not None
    return found


def lying(store: BlobStore) -> list[Path]:
    """Every file of a store in a folder, on its way in or in its place."""
    folder = store._parts.parent
    return [path for path in folder.rglob("*") if path.is_file()]


def owner_of(subject: UUID, number: int) -> Owner:
    """Whose a file is."""
    return Owner(subject, UUID(int=number), UUID(int=100), UUID(int=100 + number))


def test_a_subjects_files_go_with_it(composition: Composition) -> None:
    """Erased files are gone from the disk and say so; those of others stay; again is nothing."""
    store = composition.blobs
    ana, luis = subject(composition, "tel:+525511110001"), subject(composition, "tel:+525511110002")
    mine = [store.keep(owner_of(ana, n), [b"Ana %d" % n]) for n in (1, 2)]
    other = store.keep(owner_of(luis, 3), [b"Luis"])
    assert len(lying(store)) == 3
    assert not any(b"Ana" in path.read_bytes() for path in lying(store))
    assert b"".join(store.open(mine[0].blob, UUID(int=1)).read()) == b"Ana 1"
    assert store.delete_of([ana]) == 2
    assert store.delete_of([ana]) == 0
    for made, number in zip(mine, (1, 2), strict=True):
        with pytest.raises(Erased):
            store.open(made.blob, UUID(int=number))
    assert [path.name for path in lying(store)] == [other.blob.hex()]
    assert b"".join(store.open(other.blob, UUID(int=3)).read()) == b"Luis"


def test_a_destroyed_key_is_enough(composition: Composition) -> None:
    """Whatever bytes still lie somewhere: without the key nobody opens them."""
    store, ring = composition.blobs, composition.keys.ring
    ana = subject(composition, "tel:+525511110001")
    made = store.keep(owner_of(ana, 1), [b"secreto"])
    ring.destroy(list(ring.key_ids([ana]).values()), 1, NOON)
    with pytest.raises(Erased):
        store.open(made.blob, UUID(int=1))
    with pytest.raises(Erased):
        store.keep(owner_of(ana, 2), [b"tarde"])
    with pytest.raises(KeyMissing):
        store.keep(owner_of(UUID(int=5), 2), [b"de nadie"])
    assert len(lying(store)) == 1


def test_what_no_event_names_is_let_go(composition: Composition) -> None:
    """After two days; what an event names stays, and is not asked about again."""
    store = composition.blobs
    ana = subject(composition, "tel:+525511110001")
    named = store.keep(owner_of(ana, 1), [b"uno"])
    store.keep(owner_of(ana, 2), [b"dos"])
    asked: list[UUID] = []

    def names(row: object) -> bool:
        asked.append(getattr(row, "attachment", UUID(int=0)))
        return asked[-1] == UUID(int=1)

    assert store.sweep(NOON + UNNAMED_KEPT_US, names) == 0
    assert not asked
    later = NOON + UNNAMED_KEPT_US + 1
    assert store.sweep(later, names) == 1
    assert sorted(asked) == [UUID(int=1), UUID(int=2)]
    assert store.sweep(later, names) == 0
    assert len(asked) == 2
    assert [path.name for path in lying(store)] == [named.blob.hex()]


def test_a_file_that_was_cut_off_leaves_nothing(composition: Composition) -> None:
    """Whoever stops in the middle leaves no file; a row whose file never came says so."""
    store = composition.blobs
    ana = subject(composition, "tel:+525511110001")

    def parts() -> Iterator[bytes]:
        yield b"medio"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.keep(owner_of(ana, 1), parts())
    assert lying(store) == []
    store.index.note(owner_of(ana, 1), bytes(32), 5)
    with pytest.raises(StoreUnavailable):
        store.open(bytes(32), UUID(int=1))
    assert store.delete_of([ana]) == 1


# ---------------------------------------------------------------------------- a bucket


class S3:
    """As much of S3 as files need, in memory: uploads at once and in parts, ranges, deletion."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self._parts: dict[tuple[str, int], bytes] = {}
        self.application = FastAPI()
        methods = ["GET", "HEAD", "PUT", "POST"]
        self.application.add_api_route("/{key:path}", self._answer, methods=methods)

    async def _answer(self, request: Request, key: str) -> Response:
        body = await request.body()
        match request.method:
            case "POST":
                return self._posted(request, key, body)
            case "PUT":
                number = request.query_params.get("partNumber")
                if number:
                    self._parts[key, int(number)] = body
                else:
                    self.held[key] = body
                return Response(headers={"ETag": '"e"'})
            case _:
                return self._had(request, key)

    def _posted(self, request: Request, key: str, body: bytes) -> Response:
        query, told = request.query_params, b"<R><ETag>e</ETag></R>"
        if "uploads" in query:
            told = b"<R><UploadId>%b</UploadId></R>" % key.encode()
        elif "delete" in query:
            found = re.findall(rb"<Key>([^<]+)</Key>", body)
            for one in found:
                self.held.pop(f"{key}/{one.decode()}", None)
            rows = b"".join(b"<Deleted><Key>%b</Key></Deleted>" % one for one in found)
            told = b"<DeleteResult>" + rows + b"</DeleteResult>"
        else:
            parts = sorted(one for one in self._parts if one[0] == key)
            self.held[key] = b"".join(self._parts[one] for one in parts)
        return Response(told, media_type="text/xml")

    def _had(self, request: Request, key: str) -> Response:
        if key not in self.held:
            return Response(status_code=404)
        found, more = self.held[key], {"ETag": '"e"'}
        more["Last-Modified"] = "Sun, 22 Nov 2026 12:00:00 GMT"
        asked = request.headers.get("range")
        if asked is None:
            return Response(found, 200, more)
        start, stop = (int(one) for one in asked.removeprefix("bytes=").split("-"))
        more["Content-Range"] = f"bytes {start}-{stop}/{len(found)}"
        return Response(found[start : stop + 1], 206, more)


def test_a_bucket_keeps_files_as_a_folder_does(
    composition: Composition, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Through the wire of S3: small ones and those that go in parts, ranges, deletion, absence."""
    for name, value in (
        ("ACCESS_KEY_ID", "test"),
        ("SECRET_ACCESS_KEY", "test"),
        ("REGION", "us-east-1"),
        ("ALLOW_HTTP", "true"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    service = S3()
    with serving(service.application) as port:
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{port}")
        place = place_at("s3://hilo/files")
        assert isinstance(place, BucketPlace)
        seal = BlobSeal(composition.keys.ring, UUID(int=1), repeating(4))
        store = BlobStore(place, composition.blobs.index, seal, tmp_path / "spool")
        ana = subject(composition, "tel:+525511110001")
        large = repeating(5)(9 * 1024 * 1024)
        made = [store.keep(owner_of(ana, n), [one]) for n, one in ((1, b"hola"), (2, large))]
        assert lying(store) == []
        assert b"".join(store.open(made[0].blob, UUID(int=1)).read()) == b"hola"
        part = store.open(made[1].blob, UUID(int=2)).read(8_000_000, 8_000_100)
        assert b"".join(part) == large[8_000_000:8_000_100]
        assert len(service.held) == 2
        assert store.delete_of([ana]) == 2
        assert service.held == {}
        with pytest.raises(StoreUnavailable):
            store.open_ours(made[0].blob, UUID(int=1))
    with pytest.raises(StoreUnavailable):
        place_at("sftp://hilo")
