"""Where sealed files lie: in a folder, or in a bucket that speaks S3.

A place knows names (the hash of the sealed bytes, in hex) and bytes, never keys. What it has
taken is durable. Names are spread over folders by their first two digits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from msgspec import Struct
from obstore.exceptions import BaseError
from obstore.store import from_url

from domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from obstore.store import S3Store

FOLDER_MODE: Final = 0o700
"""The folder is its owner's alone, as the data folder is."""

PART_BYTES: Final = 8 * 1024 * 1024
"""Parts of a large upload to a bucket; S3 takes none below 5 MiB but the last."""

GONE: Final = "A file that was kept is not in the blob store any more."


class Place(Protocol):
    """Keeps files by name."""

    def take(self, file: Path, name: str) -> None:
        """Keep a finished file under a name, durably; the file itself is gone then.

        Raises StoreUnavailable.
        """

    def open(self, name: str) -> Lying:
        """What lies under a name. Raises StoreUnavailable, also where nothing lies there."""

    def delete(self, name: str) -> None:
        """Let go of what lies under a name; nothing happens where nothing does."""


class Lying(Struct, frozen=True):
    """A file that lies in a place; `read(start, length)` gives a part of it."""

    size_bytes: int
    place: FolderPlace | BucketPlace
    name: str

    def read(self, start: int, length: int) -> bytes:
        """So many bytes from a place on, fewer only at the end. Raises StoreUnavailable."""
        length = min(length, self.size_bytes - start)
        return self.place.part(self.name, start, length) if length > 0 else b""


class FolderPlace:
    """Files in a folder of this machine, each in a folder of the first two digits of its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, file: Path, name: str) -> None:
        """As in Place: the file was synced by whoever wrote it; its names are synced here."""
        target = self._path(name)
        with _translated():
            if not target.parent.is_dir():
                target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                sync_folder(target.parent.parent)
            file.replace(target)
            sync_folder(target.parent)

    def open(self, name: str) -> Lying:
        """As in Place."""
        with _translated():
            return Lying(self._path(name).stat().st_size, self, name)

    def part(self, name: str, start: int, length: int) -> bytes:
        """A part of a file."""
        with _translated(), self._path(name).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def delete(self, name: str) -> None:
        """As in Place."""
        path = self._path(name)
        with _translated(), suppress(FileNotFoundError):
            path.unlink()
            sync_folder(path.parent)

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


class BucketPlace:
    """Objects in a bucket; what the service has acknowledged is durable."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def take(self, file: Path, name: str) -> None:
        """As in Place."""
        with _translated():
            self._store.put(_key(name), file, chunk_size=PART_BYTES)
            file.unlink()

    def open(self, name: str) -> Lying:
        """As in Place."""
        with _translated():
            return Lying(self._store.head(_key(name))["size"], self, name)

    def part(self, name: str, start: int, length: int) -> bytes:
        """A part of an object."""
        with _translated():
            return bytes(self._store.get_range(_key(name), start=start, length=length))

    def delete(self, name: str) -> None:
        """As in Place."""
        with _translated(), suppress(FileNotFoundError):
            self._store.delete(_key(name))


def place_at(address: str) -> Place:
    """The place that a setting names: `s3://bucket/prefix`, else a folder.

    A bucket's region, endpoint and credentials come from the usual `AWS_*` variables. Raises
    StoreUnavailable for an address that cannot be one.
    """
    if "://" not in address:
        return FolderPlace(Path(address))
    try:
        store = from_url(address)
    except (BaseError, ValueError) as error:
        raise StoreUnavailable(f"HILO_BLOBS cannot be used: {type(error).__name__}.") from error
    return BucketPlace(cast("S3Store", store))


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _key(name: str) -> str:
    return f"{name[:2]}/{name}"


@contextmanager
def _translated() -> Iterator[None]:
    """A place that does not answer, or does not have it, becomes StoreUnavailable."""
    try:
        yield
    except FileNotFoundError as error:
        raise StoreUnavailable(GONE) from error
    except OSError as error:
        message = f"The blob store does not answer: {error.strerror or type(error).__name__}."
        raise StoreUnavailable(message) from error
    except BaseError as error:  # its text may name the bucket and its keys
        message = f"The blob store does not answer: {type(error).__name__}."
        raise StoreUnavailable(message) from error
