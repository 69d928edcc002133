"""What folders of replays are called, for who makes them and for who deletes what was left."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "replay-"
"""Folders of views that last as long as a command; one that was left is deleted by an erasure."""
