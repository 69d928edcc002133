"""Where a server of a data folder can be reached: it says so in the folder as long as it lives.

The port may be one that the system gave, so no other command could know the address of the
webhooks that it prints. A lock tells whether whoever wrote the address is still there.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from domain.errors import StoreUnavailable
from storage.exclusive import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS: Final = "address"
LOCK: Final = "address.lock"
"""Files of the folder: what a server wrote, and what it holds meanwhile."""

ADDRESS_MAX_CHARS: Final = 2_000
"""Length of an address: whatever is longer was written by nobody of ours."""

TRIES: Final = 5
TRY_S: Final = 0.01
"""How often the lock is tried: whoever reads the address holds it for an instant."""


@contextmanager
def told(folder: Path, address: str) -> Iterator[None]:
    """Say that a server of the folder is at an address; the first one of several says so."""
    lock = FileLock(folder / LOCK)
    path = folder / ADDRESS
    is_first = False
    with suppress(OSError, StoreUnavailable):  # a folder that only may be read tells nothing
        is_first = _acquired(lock)
        if is_first:
            path.write_text(address, "utf-8")
    try:
        yield
    finally:
        if is_first:
            with suppress(OSError):
                path.unlink()
            lock.release()


def address_of(folder: Path) -> str | None:
    """The address of the server that serves a folder just now; None where none does."""
    if not (folder / ADDRESS).is_file():
        return None
    lock = FileLock(folder / LOCK)
    try:
        if lock.acquire():  # whoever wrote it is gone, however it went
            return None
        found = (folder / ADDRESS).read_text("utf-8")
    except (OSError, ValueError, StoreUnavailable):
        return None
    finally:
        lock.release()
    is_one = found.startswith(("http://", "https://")) and len(found) <= ADDRESS_MAX_CHARS
    return found if is_one else None


def _acquired(lock: FileLock) -> bool:
    for number in range(TRIES):
        if lock.acquire():
            return True
        if number < TRIES - 1:
            time.sleep(TRY_S)
    return False
