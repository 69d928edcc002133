"""What erasures are done with, put together for one composition (app/compose.py)."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy.engine import make_url

from api.erasing import Eraser, Tools
from app.replay_folders import PREFIX
from projections import database as views_database
from storage import keystore, schema
from storage.scrubbing import drop_aside, scrub

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from app.compose import Composition
    from app.settings import Settings
    from domain.values import Deriver

CERTIFICATES: Final = "erasures"
"""The folder, beside the databases, of the certificates of erasures."""


def eraser_of(composition: Composition, new_id: Callable[[], UUID]) -> Eraser:
    """The eraser of a composition. What else keeps copies joins `composition.purges`."""
    settings, keys = composition.settings, composition.keys

    def scrub_views() -> None:
        drop_aside(settings.views_url, settings.data, PREFIX)
        for group in composition.groups:
            group.scrub()
        scrub(settings.views_url, views_database.SCHEMA)
        scrub(settings.log_url, schema.SCHEMA, anew=False)

    tools = Tools(
        ledger=composition.ledger,
        log=composition.log,
        codec=composition.codec,
        ring=keys.ring,
        erasures=keys.erasures,
        views=composition.views,
        purges=composition.purges,
        scrub=scrub_views,
        scrub_keys=lambda: scrub(settings.keys_url, keystore.SCHEMA),
        forget=composition.forget,
        clock=composition.clock,
        new_id=new_id,
        node=_node(settings, keys.derive),
        is_gone=_is_gone,
        folder=settings.data / CERTIFICATES,
    )
    return Eraser(tools)


def _is_gone(name: str) -> bool:
    """Whether a place is a folder of this machine that is not there any more."""
    host, _, path = name.partition(":")
    return host == socket.gethostname() and path.startswith("/") and not Path(path).exists()


def _node(settings: Settings, derive: Deriver) -> tuple[UUID, str]:
    """The place where the views are: its id, and what it is called in certificates."""
    url = make_url(settings.views_url)
    if url.get_backend_name() == "sqlite":
        host, path = socket.gethostname(), str(settings.data.resolve())
        return derive.id("node", host, path), f"{host}:{path}"
    name = f"{url.host or 'localhost'}/{url.database}"
    return derive.id("node", name), name
