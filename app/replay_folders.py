"""What folders of replays are called, and what is said to whoever would write to one."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "replay-"
"""Folders of views that last as long as a command; one that was left is deleted by an erasure."""


def why(position: int) -> str:
    """What whoever would change something is told."""
    return f"This is the ledger as of position {position}; it can be read, and not be changed."
