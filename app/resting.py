"""What a process gives back when it has done its work: memory that it freed and still holds.

The C library keeps what was freed for whoever asks next, for each thread by itself. After pages
and figures of a large ledger that is a fifth of what a server holds, and it takes a hundredth of
a second to return.
"""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Return freed memory to the system; nothing happens where the C library knows no such call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
