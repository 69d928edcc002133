"""A log that was restored is shorter than its views: these serve no more, whoever follows."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import httpx
import psycopg
import pytest

from api import tide
from app.compose import Composition
from app.server import application
from domain.errors import NotYet
from projections.views import CORE, GroupState
from tests.app.ledgers import opened, run
from tests.backends import Backend, postgresql_backend
from tests.domain.commands import BY_TOKEN, said

PATIENCE = 200
"""Looks at something that is a moment away."""


def shorten(backend: Backend) -> None:
    """Take the log back to its first event, as the restore of an older backup does."""
    if backend.kind == "sqlite":
        for end in ("-wal", "-shm"):
            (backend.folder / f"ledger.db{end}").unlink(missing_ok=True)
        shutil.copy(backend.folder / "backup.db", backend.folder / "ledger.db")
        return
    with psycopg.connect(backend.log_url) as connection:
        connection.execute("ALTER TABLE hilo_log.events DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM hilo_log.events WHERE position > 1")
        connection.execute("UPDATE hilo_log.head SET position = 1")


def fill(backend: Backend) -> None:
    """Two events and their views; the backup holds the first."""
    with opened(backend) as composition:
        run(composition.ledger.record(said(key="one", external_id="one"), BY_TOKEN))
    if backend.kind == "sqlite":
        shutil.copy(backend.folder / "ledger.db", backend.folder / "backup.db")
    with opened(backend) as composition:
        run(composition.ledger.record(said(key="two", external_id="two"), BY_TOKEN))
        composition.follower.catch_up()
        composition.follower.release()
        assert composition.views.position() == 2


async def readiness(composition: Composition) -> int:
    """The status of `/readyz` when the application has just started."""
    built = application(composition)
    async with built.router.lifespan_context(built):
        transport = httpx.ASGITransport(built)
        async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
            return (await client.get("/readyz")).status_code


def core_state(composition: Composition) -> GroupState:
    """How the core views are."""
    return next(one for one in composition.views.state(1) if one.group == CORE)


def test_views_ahead_of_their_log_serve_nobody(backend: Backend) -> None:
    """From its first request on a server without a follower refuses; a follower mends it."""
    fill(backend)
    shorten(backend)
    with opened(backend) as composition:
        assert run(readiness(composition)) == 503
        with pytest.raises(NotYet):
            composition.views.position()
        state = core_state(composition)
        assert "ahead of its log" in str(state.reason)
        composition.follower.catch_up()
        composition.follower.release()
        assert composition.views.position() == 1


def test_a_log_that_shrinks_under_a_server_is_noticed(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it serves, views and log are compared again and again."""
    backend = postgresql_backend(tmp_path, postgres_url)
    monkeypatch.setattr(tide, "EXAMINE_EVERY_S", 0.01)
    fill(backend)

    async def serve(composition: Composition) -> bool:
        built = application(composition)
        async with built.router.lifespan_context(built):
            shorten(backend)
            for _ in range(PATIENCE):
                if not (await asyncio.to_thread(core_state, composition)).serving:
                    return True
                await asyncio.sleep(0.02)
        return False

    with opened(backend) as composition:
        assert run(serve(composition))
