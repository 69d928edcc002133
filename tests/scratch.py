"""Where tests write: in memory where there is room, since nobody needs it after a power cut.

Whether a program asks the disk to keep what it wrote is tested by what it asks for; a disk that
takes its time for thousands of small databases says nothing more.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - folders in it are made private
ROOM_BYTES: Final = 6 << 30
"""Far more than the 0.7 GB that a whole run was seen to hold at one time."""


def scratch() -> str | None:
    """The folder for temporary ones, of a short path; None: the system's usual one.

    A socket's path holds about 100 bytes, and some systems' usual folders are long.
    """
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK):
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize >= ROOM_BYTES:
            return str(MEMORY)
    return "/tmp" if Path("/tmp").is_dir() else None  # noqa: S108 - mkdtemp makes it private
