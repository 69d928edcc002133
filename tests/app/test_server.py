"""The served application does more than answer: it keeps the house while it lives."""

from __future__ import annotations

import asyncio
import stat
import threading

import pytest

from app.server import application
from tests.app.ledgers import opened
from tests.app.processes import token
from tests.backends import Backend


def test_what_waited_too_long_in_quarantine_is_let_go(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the server lives, the quarantine's limit of days is enforced."""
    asked = threading.Event()

    def expire(_now: int) -> int:
        asked.set()
        return 0

    async def live(composition_application: object) -> None:
        async with composition_application.router.lifespan_context(composition_application):  # type: ignore[attr-defined]  # a FastAPI application
            assert await asyncio.to_thread(asked.wait, 10)

    with opened(backend) as composition:
        monkeypatch.setattr(composition.channels.ward, "expire", expire)
        asyncio.run(live(application(composition)))


def test_the_databases_are_their_owners_alone(backend: Backend) -> None:
    """What the command writes can be read by nobody else on the machine."""
    token(backend, "any", "read")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in backend.folder.iterdir()}
    assert modes
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes
