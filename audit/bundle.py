"""A bundle: a part of the log as files, with all that is needed to check it without us.

`events/*.ndjson` are the events, a line each, with their stored bytes; `tile/…` the tree;
`checkpoint`, `checkpoints.ndjson` and `key` what was signed, and by whom; `manifest.json` says
what there is, and is written last. The bundle of one contact has `receipts/` instead of a tree.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Protocol, cast

import msgspec
from msgspec import Struct

from audit.notes import Verifier, read_verifier
from audit.signer import write_whole
from audit.tree import TILE_HASHES, tile_path, widths
from domain.errors import NotFound, WrongState

if TYPE_CHECKING:
    from audit.room import Proofs
    from domain.ports import StoredEntry
    from storage.tree_store import KeptCheckpoint

FORMAT: Final = "hilo-bundle/1"

PART_EVENTS: Final = 16_384
"""Events of one file: a text editor opens it, and an export that is cut off loses no more."""

PART_BYTES: Final = 16 << 20
"""Stored bytes of one file: what an export takes in memory, some times over."""

PAGE_EVENTS: Final = 1_000
"""Events read together."""

FILE_MODE: Final = 0o600

MANIFEST: Final = "manifest.json"
UNFINISHED: Final = "unfinished.json"
"""Stands where the manifest will be while an export is under way: how far it came."""


class Part(Struct, frozen=True):
    """A file of events, from the first to the last position."""

    file: str
    first: int
    last: int


class BundleNote(Struct, frozen=True):
    """A line of `checkpoints.ndjson`."""

    size: int
    note: str


class Manifest(Struct, frozen=True, kw_only=True):
    """What a bundle holds: the log's origin, how many events the checkpoint has, the files.

    `first` is the first position in it. `contact`: the one whom it is about, else None; such a
    bundle has only their events.
    """

    format: str
    origin: str
    events: int
    first: int
    contact: str | None
    parts: tuple[Part, ...]

    def notes(self, folder: Path) -> list[BundleNote]:
        """The checkpoints in the bundle, by size. Raises NotFound."""
        lines = _bytes(folder / "checkpoints.ndjson").splitlines()
        return [msgspec.json.decode(line, type=BundleNote) for line in lines]

    def verifiers(self, folder: Path) -> tuple[Verifier, ...]:
        """The keys that the bundle brings along; better are those that came another way."""
        return tuple(map(read_verifier, _bytes(folder / "key").decode().splitlines()))


def read_manifest(folder: Path) -> Manifest:
    """What a bundle holds. Raises NotFound."""
    if (folder / UNFINISHED).exists():
        raise NotFound(f"The export to {folder} was cut off: run it again with --resume.")
    try:
        return msgspec.json.decode(_bytes(folder / MANIFEST), type=Manifest)
    except msgspec.DecodeError as error:
        raise NotFound(f"{folder / MANIFEST} cannot be read.") from error


class Sink(Protocol):
    """Where a bundle goes."""

    def put(self, name: str, body: bytes) -> None:
        """Write a file."""

    def pour(self, name: str, size_bytes: int, parts: Iterable[bytes]) -> None:
        """Write a large file, piece by piece."""

    def begun(self) -> Manifest | None:
        """How far an export came that was cut off."""

    def remember(self, manifest: Manifest) -> None:
        """How far this one came."""

    def finish(self, manifest: Manifest) -> None:
        """All of it is there."""


class FolderSink:
    """A folder; `resume` goes on where an export was cut off.

    Raises WrongState where the folder holds something and nothing is to be resumed.
    """

    def __init__(self, folder: Path, *, resume: bool = False) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = any(folder.iterdir())
        if there and not resume:
            raise WrongState(f"{folder} is not empty; --resume goes on with an export in it.")
        if there and not ((folder / UNFINISHED).exists() or (folder / MANIFEST).exists()):
            raise WrongState(f"{folder} holds something else than an export.")

    def put(self, name: str, body: bytes) -> None:
        """As in Sink."""
        self.pour(name, len(body), [body])

    def pour(self, name: str, size_bytes: int, parts: Iterable[bytes]) -> None:  # noqa: ARG002 - as Sink says
        """As in Sink."""
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)

    def begun(self) -> Manifest | None:
        """As in Sink."""
        for name in (UNFINISHED, MANIFEST):
            path = self._folder / name
            if path.exists():
                return msgspec.json.decode(path.read_bytes(), type=Manifest)
        return None

    def remember(self, manifest: Manifest) -> None:
        """As in Sink."""
        write_whole(self._folder / UNFINISHED, msgspec.json.encode(manifest).decode())

    def finish(self, manifest: Manifest) -> None:
        """As in Sink."""
        write_whole(self._folder / MANIFEST, msgspec.json.encode(manifest).decode())
        (self._folder / UNFINISHED).unlink(missing_ok=True)


class TarSink:
    """A tar archive, written from front to end: for a pipe, or for a download."""

    def __init__(self, stream: IO[bytes], at_s: int) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w|")  # noqa: SIM115 - `finish` closes it
        self._at_s = at_s

    def put(self, name: str, body: bytes) -> None:
        """As in Sink."""
        self.pour(name, len(body), [body])

    def pour(self, name: str, size_bytes: int, parts: Iterable[bytes]) -> None:
        """As in Sink."""
        member = tarfile.TarInfo(f"hilo-export/{name}")
        member.size, member.mtime, member.mode = size_bytes, self._at_s, FILE_MODE
        self._tar.addfile(member, cast("IO[bytes]", _Poured(parts)))

    def begun(self) -> Manifest | None:
        """A stream begins anew."""
        return None

    def remember(self, manifest: Manifest) -> None:
        """A stream remembers nothing."""

    def finish(self, manifest: Manifest) -> None:
        """As in Sink."""
        self.put(MANIFEST, msgspec.json.encode(manifest))
        self._tar.close()


class _Poured:
    """Pieces of a file, read as many bytes at a time as an archive wants them."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._rest = b""

    def read(self, count: int) -> bytes:
        """The next bytes; fewer where it ends."""
        found, left = [], count
        while left:
            if not self._rest:
                self._rest = next(self._parts, b"")
                if not self._rest:
                    break
            piece, self._rest = self._rest[:left], self._rest[left:]
            found.append(piece)
            left -= len(piece)
        return b"".join(found)


class Whole(Struct, frozen=True):
    """A whole export: the checkpoint that it goes up to, from which position on, the lines."""

    proofs: Proofs
    checkpoint: KeptCheckpoint
    first: int
    line: Callable[[StoredEntry], bytes]


def write_whole_bundle(sink: Sink, wish: Whole, progress: Callable[[int, int], None]) -> Manifest:
    """Write events, tree and checkpoints; where one was cut off, what is missing of it."""
    proofs = wish.proofs
    manifest = sink.begun() or Manifest(
        format=FORMAT,
        origin=proofs.source.origin,
        events=wish.checkpoint.size,
        first=tile_start(wish.first),
        contact=None,
        parts=(),
    )
    sink.remember(manifest)
    for part, body in _parts(wish, manifest):
        sink.put(part.file, body)
        manifest = msgspec.structs.replace(manifest, parts=(*manifest.parts, part))
        sink.remember(manifest)
        progress(part.last, manifest.events)
    for name, body in _tiles(proofs, manifest.events):
        sink.put(name, body)
    sign_bundle(sink, proofs, manifest.events)
    sink.finish(manifest)
    return manifest


def sign_bundle(sink: Sink, proofs: Proofs, events: int) -> None:
    """Write what was signed over so many events, and the keys."""
    notes = list(proofs.kept(0, events))
    lines = [msgspec.json.encode(BundleNote(one.size, one.note)) + b"\n" for one in notes]
    sink.put("checkpoints.ndjson", b"".join(lines))
    if notes:
        sink.put("checkpoint", notes[-1].note.encode())
    keys = [f"{verifier}\n" for verifier in proofs.verifiers()]
    sink.put("key", "".join(keys).encode())


def tile_start(position: int) -> int:
    """The first position of the tile that a position lies in: where an export may begin."""
    return (max(position, 1) - 1) // TILE_HASHES * TILE_HASHES + 1


def _parts(wish: Whole, manifest: Manifest) -> Iterator[tuple[Part, bytes]]:
    """The files of events that are missing, one after the other."""
    after = manifest.parts[-1].last if manifest.parts else manifest.first - 1
    while after < manifest.events:
        lines: list[bytes] = []
        size = 0
        while (
            len(lines) < PART_EVENTS and size < PART_BYTES and after + len(lines) < manifest.events
        ):
            room = min(PAGE_EVENTS, PART_EVENTS - len(lines), manifest.events - after - len(lines))
            page = wish.proofs.source.pages.page(after + len(lines), room, PART_BYTES - size)
            if not page:
                raise NotFound("The log ends before its checkpoint: run hilo verify.")
            size += sum(len(entry.state) for entry in page)
            lines += [wish.line(entry) + b"\n" for entry in page]
        part = Part(f"events/{after + 1:012}.ndjson", after + 1, after + len(lines))
        yield part, b"".join(lines)
        after = part.last


def _tiles(proofs: Proofs, size: int) -> Iterable[tuple[str, bytes]]:
    """Every tile of the tree of that size, as files."""
    level = 0
    while size >> (8 * level):
        full, width = widths(size, level)
        for number in range(full):
            yield tile_path(level, number), proofs.tile(level, number, TILE_HASHES)
        if width:
            yield tile_path(level, full, width), proofs.tile(level, full, width)
        level += 1


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(f"The bundle lacks {path.name}.") from error
