"""A server that is killed under load, again and again, loses and doubles nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx
import pytest

from domain.events import InteractionRecorded
from tests.app.ledgers import opened
from tests.app.processes import Served, hilo, served, token
from tests.backends import Backend
from tests.patience import PATIENCE_S

ROUNDS = 10
"""On each database, so twenty in a run; in every fifth one the views are made beside it, by a
process that sees its server die."""

WRITERS = 8
BEFORE_THE_KILL = 60
"""Acknowledged appends of a round before the process dies in the middle of the next ones."""


def body(key: str) -> dict[str, object]:
    """An append that only its key tells from the others."""
    return {
        "channel": "sms",
        "direction": "inbound",
        "source": "sms:shop",
        "external_id": key,
        "resource": f"tel:+52551234{sum(key.encode()) % 50:04d}",
        "destination": "tel:+525598765432",
        "occurred_at": "2025-11-22T10:00:00-06:00",
        "text": f"Mensaje {key}",
    }


class Load:
    """Writers that send one append after another, and what they were told."""

    def __init__(self, bearer: str) -> None:
        self.acknowledged: dict[str, int] = {}
        self._headers = {"Authorization": f"Bearer {bearer}"}

    async def run(self, server: Served, number: int) -> None:
        """Send until so many were acknowledged, then kill the server under the rest."""
        enough = asyncio.Event()
        target = len(self.acknowledged) + BEFORE_THE_KILL
        async with httpx.AsyncClient(
            base_url=server.address, headers=self._headers, timeout=PATIENCE_S
        ) as client:
            writers = [
                asyncio.create_task(self._write(client, f"{number}-{writer}", target, enough))
                for writer in range(WRITERS)
            ]
            await asyncio.wait_for(enough.wait(), PATIENCE_S)
            server.kill()
            await asyncio.gather(*writers)

    async def _write(
        self, client: httpx.AsyncClient, prefix: str, target: int, enough: asyncio.Event
    ) -> None:
        with suppress(httpx.TransportError):
            for count in range(10_000):
                key = f"{prefix}-{count}"
                answer = await client.post("/v1/interactions", json=body(key))
                assert answer.status_code == httpx.codes.CREATED, answer.text
                self.acknowledged[key] = answer.json()["id"]
                if len(self.acknowledged) >= target:
                    enough.set()


@pytest.mark.begins_early
def test_killed_under_load_nothing_acknowledged_is_lost(backend: Backend) -> None:
    """After ten kills every acknowledged append is there once, and the views equal a replay."""
    load = Load(token(backend, "load", "append"))
    for number in range(ROUNDS):
        with served(backend, *(["--no-follow"] if number % 5 else [])) as server:
            asyncio.run(load.run(server, number))
    with served(backend) as server:
        headers = {"Authorization": f"Bearer {token(backend, 'again', 'append')}"}
        key, first = next(iter(load.acknowledged.items()))
        again = httpx.post(
            f"{server.address}/v1/interactions", json=body(key), headers=headers, timeout=PATIENCE_S
        )
        assert (again.status_code, again.json()["id"]) == (httpx.codes.OK, first)
    with opened(backend) as composition:
        found: dict[str, int] = {}
        head = composition.log.head()
        for position in range(1, head + 1):
            entry = composition.log.entry(position)
            assert entry
            if isinstance(entry.event, InteractionRecorded):
                assert entry.event.external_id not in found
                found[str(entry.event.external_id)] = position
    assert {key: found.get(key) for key in load.acknowledged} == load.acknowledged
    assert hilo(backend, "verify").stdout.startswith(f"ok: {head} events".encode())
    assert hilo(backend, "rebuild", "--check").returncode == 0
