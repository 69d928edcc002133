"""The whole ledger behind its application, following its own log: what reading is tested on."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import httpx
from fastapi import FastAPI

from api import tokens
from api.auth import SYSTEM
from api.services import Services
from app.compose import Composition, open_ledger
from app.server import application
from app.settings import read_settings
from domain.commands import By
from domain.events import UserAdded
from domain.staff import user_stream
from tests.api.house import interaction
from tests.backends import Backend
from tests.patience import PATIENCE_S

ValueT = TypeVar("ValueT")

NOON = 1_795_348_800_000_000
"""2026-11-22T12:00:00Z in µs."""


@dataclass
class Station:
    """A composition, its application, and shortcuts; every read waits for all that was written."""

    composition: Composition
    application: FastAPI
    runner: asyncio.Runner
    client: httpx.AsyncClient
    now: list[int]
    headers: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def services(self) -> Services:
        """The services of the application."""
        return self.composition.services

    @property
    def head(self) -> int:
        """The last position of the log."""
        return self.composition.log.head()

    def run(self, work: Coroutine[Any, Any, ValueT]) -> ValueT:
        """Run a coroutine on the application's loop."""
        return self.runner.run(work)

    def bearer(
        self, *scopes: str, source: str | None = None, user: UUID | None = None
    ) -> dict[str, str]:
        """The headers of a caller with these scopes."""
        wanted = tokens.NewToken(f"token {next(self.numbers)}", scopes, source, user)
        secret, _ = self.run(tokens.issue(self.services, wanted, By(SYSTEM)))
        return {"Authorization": f"Bearer {secret}"}

    def user(self, name: str, role: str = "agent") -> UUID:
        """A person who may sign in."""
        derive = self.services.ledger.derive
        user = derive.id("test-user", name)
        event = UserAdded(
            originator_id=user_stream(derive, user),
            originator_version=1,
            actor=SYSTEM,
            user=user,
            sign_in=True,
            role=role,
            name=name,
            email=f"{name.lower()}@example.mx",
        )
        self.run(self.services.ledger.state(event, By(SYSTEM)))
        return user

    def session(self, user: UUID) -> dict[str, str]:
        """The headers of a browser in which somebody is signed in."""
        until = self.now[0] + 10**12
        opened = self.services.credentials.sessions.open(user, self.now[0], until)
        return {"Cookie": f"hilo_session={opened.secret}"}

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        """One request, by the administrator's token unless headers say otherwise."""
        more.setdefault("headers", self.headers)
        return self.run(self.client.request(method, path, **more))

    def get(self, path: str, *, fresh: bool = True, **more: Any) -> httpx.Response:  # noqa: ANN401 - as above
        """GET; the views hold all that was written until now."""
        if fresh and path.startswith("/v1/"):
            more["params"] = {**more.get("params", {}), "min_position": str(self.head)}
            return patiently(lambda: self.request("GET", path, **more))
        if fresh:
            assert self.run(self.composition.tide.wait_for(self.head, PATIENCE_S))
        return self.request("GET", path, **more)

    def ask(self, path: str, **params: object) -> Any:  # noqa: ANN401 - JSON
        """The body of an answer that must be 200."""
        answer = self.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as above
        """POST."""
        return self.request("POST", path, **more)

    def append(self, **changes: object) -> dict[str, Any]:
        """Append an interaction like `interaction()` with changes; its answer."""
        changes.setdefault("external_id", f"wamid.{next(self.numbers)}")
        answer = self.post("/v1/interactions", json=interaction(**changes))
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


def patiently(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask again while views are not that far yet, unless it is said how long they may take."""
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        answer = ask()
        if (
            answer.status_code != httpx.codes.SERVICE_UNAVAILABLE
            or answer.json()["type"] != "urn:hilo:problem:not-yet"
            or "wait_ms" in answer.request.url.params
            or time.monotonic() > give_up_at
        ):
            return answer


@contextmanager
def open_station(backend: Backend, *, follow: bool = True) -> Iterator[Station]:
    """A station on a backend, empty; the clock stands at noon until a test moves it."""
    postgres = backend.kind == "postgresql"
    settings = read_settings(
        {
            "HILO_COUNTRY": "MX",
            "HILO_TZ": "America/Mexico_City",
            **({"HILO_DATABASE_URL": backend.log_url} if postgres else {}),
        },
        data=str(backend.folder),
    )
    now = [NOON]
    composition = open_ledger(settings, follow=follow, clock=lambda: now[0])
    built = application(composition)
    try:
        with asyncio.Runner() as runner:
            lifespan = built.router.lifespan_context(built)
            runner.run(lifespan.__aenter__())
            transport = httpx.ASGITransport(built, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
            station = Station(composition, built, runner, client, now)
            station.headers = station.bearer("admin")
            yield station
            runner.run(client.aclose())
            runner.run(lifespan.__aexit__(None, None, None))
    finally:
        composition.close()
