"""The views as they were: made anew from a prefix of the log, in a place of their own.

What was *known* at a time is the log up to the position that had been recorded by then; nothing
else is needed to see it again. What had *happened* by a time, as it is known now, is all of the
log, and of its interactions those that had occurred.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from app.replay_folders import PREFIX
from domain.errors import NotFound, WrongState
from projections import activity, contact_pages, timeline_pages
from projections.access import EVERYTHING
from projections.core import core_group
from projections.dictionary import Dictionary
from projections.groups import GROUPS
from projections.rebuild import rebuild
from projections.rendering import Renderer
from projections.timeline_pages import Filters, PageQuery
from projections.views import Views
from storage.erasures import Node
from storage.source import Source

if TYPE_CHECKING:
    from app.compose import Composition
    from app.settings import Settings
    from domain.ports import StoredEntry
    from projections.group import Group
    from projections.paging import Page
    from projections.timeline_pages import Ref
    from projections.views import Reading
    from storage.source import Pages

Progress = Callable[[int, int], None]

NOTE: Final = "replay.json"
"""What makes a folder one that `hilo serve` opens to be read only."""

PAGE: Final = 200
"""Interactions that are rendered at once."""


class Asked(Struct, frozen=True):
    """Which rows: of a contact, one interaction, or all; `until` (µs) bounds when they happened."""

    contact: UUID | None = None
    interaction: int | None = None
    until: int | None = None


class Upto:
    """A log that ends at a position."""

    def __init__(self, pages: Pages, position: int) -> None:
        self._pages = pages
        self._position = position

    def head(self) -> int:
        """The last position that counts."""
        return min(self._position, self._pages.head())

    def page(self, after: int, limit: int, max_bytes: int) -> list[StoredEntry]:
        """As of the whole log, as far as it counts."""
        left = self._position - after
        return self._pages.page(after, min(limit, left), max_bytes) if left > 0 else []


def build(
    composition: Composition,
    position: int,
    folder: Path,
    progress: Progress,
    groups: Sequence[Callable[[Views], Group]] = (core_group,),
) -> Views:
    """Views in a folder, as of a position; to be closed. Raises whatever a rebuild raises."""
    views = Views(f"sqlite:///{folder / 'views.db'}")
    try:
        upto = Upto(composition.log, position)
        identity = composition.keys.identity.id.bytes
        source = Source(identity, upto, composition.log, composition.leaf)
        for make in groups:
            rebuild(make(views), source, progress)
    except BaseException:
        views.close()
        raise
    return views


@contextmanager
def replayed(composition: Composition, position: int, progress: Progress) -> Iterator[Views]:
    """The views as of a position, for as long as the block lasts."""
    folder = composition.settings.data
    with TemporaryDirectory(prefix=PREFIX, dir=folder) as there:
        views = build(composition, position, Path(there), progress)
        try:
            yield views
        finally:
            views.close()


def rows(composition: Composition, views: Views, asked: Asked) -> Iterator[bytes]:
    """The rows (contract 2.3) as JSON, the earliest first. Raises NotFound."""
    renderer = Renderer(composition.settings.public_url, Dictionary(views))
    with views.reading() as reading:
        for some in _refs(reading, asked):
            kept = [ref for ref in some if asked.until is None or ref.occurred_at <= asked.until]
            yield from renderer.rows(reading, kept, EVERYTHING)


def _refs(reading: Reading, asked: Asked) -> Iterator[list[Ref]]:
    if asked.interaction is not None:
        ref = timeline_pages.one(reading, asked.interaction)
        if ref is not None:
            yield [ref]
        return
    subjects: list[bytes] | None = None
    if asked.contact is not None:
        root = contact_pages.contact_of(reading, asked.contact.bytes)
        if root is None:
            return
        subjects = contact_pages.members_of(reading, root)
    until = None if asked.until is None else asked.until + 1
    query = PageQuery(scope="replay", filters=Filters(until=until), order="asc", limit=PAGE)
    while True:
        page = _page(reading, subjects, query)
        yield page.rows
        if page.next is None:
            return
        query = structs.replace(query, cursor=page.next)


def _page(reading: Reading, subjects: list[bytes] | None, query: PageQuery) -> Page[Ref]:
    if subjects is None:
        return activity.page(reading, query, EVERYTHING)
    return timeline_pages.page(reading, subjects, query)


def difference(before: Iterator[bytes], after: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """What came, went or changed between two replays, by the rows' ids."""
    known: dict[tuple[str, int], bytes] = {_key(row): row for row in before}
    for row in after:
        key = _key(row)
        old = known.pop(key, None)
        if old != row:
            yield _change(key, old, row)
    for key, old in known.items():
        yield _change(key, old, None)


def _key(row: bytes) -> tuple[str, int]:
    read = msgspec.json.decode(row)
    return read["kind"], read["id"]


def _change(key: tuple[str, int], before: bytes | None, after: bytes | None) -> dict[str, Any]:
    old = msgspec.json.decode(before) if before is not None else None
    new = msgspec.json.decode(after) if after is not None else None
    fields = sorted(
        name for name in (old or new or {}) if (old or {}).get(name) != (new or {}).get(name)
    )
    what = "came" if old is None else "went" if new is None else "changed"
    shown = fields if what == "changed" else []
    return {
        "kind": key[0],
        "id": key[1],
        "change": what,
        "fields": shown,
        "before": old,
        "after": new,
    }


# ------------------------------------------------------------------- a folder to serve


def lay_down(composition: Composition, position: int, folder: Path, progress: Progress) -> int:
    """Make the views of a position in an empty folder, which `hilo serve --data` then opens.

    Raises WrongState for a folder with something in it.
    """
    if folder.exists() and any(folder.iterdir()):
        message = f"{folder} is not empty."
        raise WrongState(message)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    position = min(position, composition.log.head())
    build(composition, position, folder, progress, GROUPS).close()
    settings = composition.settings
    note = {
        "position": position,
        "log": _kept(settings.log_url),
        "keys": _kept(settings.keys_url),
        "kek_file": str(Path(composition.keys.kek.file).resolve())
        if composition.keys.kek.file
        else None,
    }
    handle = os.open(folder / NOTE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(note, file, indent=2)
    # An erasure names it: nobody purges what does not follow.
    name = f"{socket.gethostname()}:{folder.resolve()}"
    node = composition.keys.derive.id("node", socket.gethostname(), str(folder.resolve()))
    composition.keys.erasures.register(Node(node, name, position, composition.clock()))
    return position


def _kept(url: str) -> str | None:
    """A file's URL that holds wherever it is read; None for a server's, which may have a secret."""
    if not url.startswith("sqlite:///"):
        return None
    return f"sqlite:///{Path(url.removeprefix('sqlite:///')).resolve()}"


def opened_as_replay(settings: Settings) -> Settings:
    """The settings of a folder that was laid down: the views here, log and keys of the ledger.

    Any other folder's are as they were. Raises NotFound where the note cannot be read.
    """
    path = settings.data / NOTE
    if not path.exists():
        return settings
    try:
        note = json.loads(path.read_text("utf-8"))
        position = int(note["position"])
        log, keys, kek = note["log"], note["keys"], note["kek_file"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} cannot be read."
        raise NotFound(message) from error
    given = settings.kek is not None or settings.kek_file is not None
    return structs.replace(
        settings,
        log_url=log or settings.log_url,
        keys_url=keys or settings.keys_url,
        views_url=f"sqlite:///{settings.data / 'views.db'}",
        kek_file=settings.kek_file if given or kek is None else Path(kek),
        replay=position,
    )
