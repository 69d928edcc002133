"""What `hilo verify` looks at: this ledger's databases, an export bundle, a running server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from audit.bundle import read_manifest
from audit.bundle_reader import BundleReader, folder_tiles
from audit.looking import Looker
from audit.notes import BadNote, Verifier, read_checkpoint, read_note, read_verifier
from audit.places import Folder
from audit.readers import DatabaseReader
from audit.server import Server, ServerReader
from audit.tree import Tiles
from audit.verify import Bad, Material, Opening, Witnessed, opened_from
from domain.errors import NotFound
from domain.topics import TOPICS

if TYPE_CHECKING:
    from app.compose import Composition

TOPIC_NAMES: Final = frozenset(TOPICS)

NOTES_AT_ONCE: Final = 1_000
"""Checkpoints fetched from a server at a time: the most that it gives."""


class Wish(Struct, frozen=True):
    """What an auditor brings: kept checkpoints (notes), pinned keys, and how to look."""

    against: tuple[str, ...] = ()
    keys: tuple[Verifier, ...] = ()
    processes: int = 1
    open_all: bool = False


def of_database(composition: Composition, wish: Wish) -> Material:
    """This ledger, with every checkpoint that is kept: by it, by its signer, in the folder."""
    proofs, settings = composition.proofs, composition.settings
    origin, covered = proofs.source.origin, proofs.size()
    opening = Opening(composition.store.page, composition.log.open_page)
    own = composition.proving.signer.files.key()
    known = [*proofs.verifiers(), *([own.verifier] if own else [])]
    more = sorted([*_brought(wish), *_outside(composition)], key=lambda one: one.size)

    def tail(after: int, upto: int) -> Bad | None:
        return opened_from(opening, after, upto)

    return Material(
        origin=origin,
        events=composition.log.head(),
        covered=covered,
        tiles=Tiles(proofs.store),
        checkpoints=lambda after, upto: proofs.kept(after, upto, more),
        verifiers=wish.keys or known,
        look=Looker(DatabaseReader(settings.log_url, origin, TOPIC_NAMES), wish.processes),
        open_tail=tail,
        open_after=0 if wish.open_all else covered,
    )


def of_bundle(folder: Path, wish: Wish) -> Material:
    """A bundle of the whole log. Raises NotFound, BadNote."""
    manifest = read_manifest(folder)
    notes = [
        Witnessed(one.size, one.note, "a checkpoint of the bundle")
        for one in manifest.notes(folder)
    ]
    more = _sorted([*notes, *_brought(wish)])
    parts = tuple((part.first, part.file) for part in manifest.parts)
    reader = BundleReader(str(folder), parts, manifest.origin, TOPIC_NAMES)
    return Material(
        origin=manifest.origin,
        events=manifest.events,
        covered=manifest.events,
        tiles=folder_tiles(folder, manifest.events),
        checkpoints=more,
        verifiers=wish.keys or manifest.verifiers(folder),
        look=Looker(reader, wish.processes),
    )


def of_server(url: str, token: str, wish: Wish) -> Material:
    """A running server's log, as far as its newest checkpoint. Raises what Server raises."""
    with Server(url, token) as server:
        last = read_checkpoint(read_note(server.raw("checkpoint").decode()).text)
        keys = [read_verifier(line) for line in server.raw("key").decode().splitlines()]
        notes = list(_notes_of(server))
        tiles = server.tiles(last.size)
    for size in {note.size for note in notes if note.size > last.size}:
        raise BadNote(f"The server keeps a checkpoint over {size} events and shows {last.size}.")
    reader = ServerReader(url, token, last.origin, TOPIC_NAMES)
    return Material(
        origin=last.origin,
        events=last.size,
        covered=last.size,
        tiles=tiles,
        checkpoints=_sorted([*notes, *_brought(wish)]),
        verifiers=wish.keys or keys,
        look=Looker(reader, 1),
    )


class _Note(Struct):
    size: int
    note: str


class _NotePage(Struct):
    items: list[_Note]


def _notes_of(server: Server) -> Iterator[Witnessed]:
    after = 0
    while True:
        raw = server.raw("checkpoints", after=after, limit=NOTES_AT_ONCE)
        page = msgspec.json.decode(raw, type=_NotePage)
        for one in page.items:
            yield Witnessed(one.size, one.note, "a kept checkpoint")
        if not page.items:
            return
        after = page.items[-1].size


def _brought(wish: Wish) -> list[Witnessed]:
    """The checkpoints that the auditor brought. Raises BadNote."""
    return [
        Witnessed(read_checkpoint(read_note(raw).text).size, raw, "the checkpoint given", True)  # noqa: FBT003 - a field
        for raw in wish.against
    ]


def _outside(composition: Composition) -> list[Witnessed]:
    """What lies outside the databases: the signer's memory, and the folder's checkpoints."""
    found = []
    last = composition.proving.signer.files.last_note()
    if last is not None:
        size = read_checkpoint(read_note(last).text).size
        found.append(Witnessed(size, last, "the signer's last checkpoint"))
    folder = composition.settings.checkpoint_dir
    if folder is not None:
        kept = Folder(folder).notes()
        found += [Witnessed(size, note, f"a checkpoint in {folder}") for size, note in kept]
    return found


def _sorted(notes: Sequence[Witnessed]) -> Callable[[int, int], Iterable[Witnessed]]:
    known = sorted(notes, key=lambda one: one.size)
    return lambda after, upto: [one for one in known if after < one.size <= upto]


def read_file(path: str) -> str:
    """A small text that the auditor names. Raises NotFound."""
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"{path} cannot be read.") from error
