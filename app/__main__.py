"""`python -m app`: the command `hilo`, where it is not installed."""

from __future__ import annotations

from app.cli import entry

if __name__ == "__main__":
    entry()
