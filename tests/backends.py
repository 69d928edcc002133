"""The databases that Hilo runs on; a test that takes `backend` runs on each of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["sqlite", "postgresql"]

KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Backend:
    """Where one ledger's three stores are: empty, and this test's alone.

    On SQLite three files of the folder; on PostgreSQL one database, in which the stores choose
    schemas of their own. `folder` is the ledger's data folder on both.
    """

    kind: Kind
    folder: Path
    log_url: str
    keys_url: str
    views_url: str


def sqlite_backend(folder: Path) -> Backend:
    """Three files in one folder."""
    return Backend(
        kind="sqlite",
        folder=folder,
        log_url=f"sqlite:///{folder / 'ledger.db'}",
        keys_url=f"sqlite:///{folder / 'keys.db'}",
        views_url=f"sqlite:///{folder / 'views.db'}",
    )


def postgresql_backend(folder: Path, url: str) -> Backend:
    """Three schemas in one database."""
    return Backend(kind="postgresql", folder=folder, log_url=url, keys_url=url, views_url=url)
