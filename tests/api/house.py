"""A ledger behind its HTTP application, for tests: real stores, a clock that tests can set."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from uuid import UUID

import httpx
from fastapi import FastAPI
from msgspec import structs

from api import tokens
from api.auth import SYSTEM
from api.services import Services
from app.compose import Composition, open_ledger
from app.server import application
from app.settings import Settings
from domain.commands import By
from domain.events import UserAdded
from domain.ledger import Ledger
from domain.staff import user_stream
from tests.backends import Backend

ValueT = TypeVar("ValueT")

NOON = 1_795_348_800_000_000
"""2026-11-22T12:00:00Z in µs."""

ANA = "tel:+525512345678"
SHOP = "tel:+525598765432"


class Client:
    """Speaks to the application in this process, each request on the house's event loop."""

    def __init__(self, application: FastAPI, runner: asyncio.Runner) -> None:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        self._runner = runner

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        """One request and its answer."""
        return self._runner.run(self._client.request(method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as above
        """GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as above
        """POST."""
        return self.request("POST", path, **more)

    def close(self) -> None:
        """Let go of its connections."""
        self._runner.run(self._client.aclose())


@dataclass
class House:
    """The application, its parts, and shortcuts for tests."""

    composition: Composition
    application: FastAPI
    client: Client
    runner: asyncio.Runner
    now: list[int]
    names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def services(self) -> Services:
        """What the application's requests work with."""
        return self.composition.services

    def catch_up(self) -> None:
        """Have the views hold all that the log holds."""
        self.composition.follower.catch_up()
        self.composition.follower.release()

    def user(self, email: str, name: str = "Rosa", role: str = "agent") -> UUID:
        """A person who may sign in, known to the views."""
        user = self.services.new_id()
        event = UserAdded(
            originator_id=user_stream(self.services.ledger.derive, user),
            originator_version=1,
            actor=SYSTEM,
            user=user,
            sign_in=True,
            role=role,
            name=name,
            email=email,
        )
        self.run(self.services.ledger.state(event, By(SYSTEM)))
        self.catch_up()
        return user

    def token(self, *scopes: str, source: str | None = None, user: UUID | None = None) -> str:
        """The secret of a new token."""
        wanted = tokens.NewToken(f"token {next(self.names)}", scopes, source, user)
        secret, _ = self.run(tokens.issue(self.services, wanted, By(SYSTEM)))
        return secret

    def bearer(
        self, *scopes: str, source: str | None = None, user: UUID | None = None
    ) -> dict[str, str]:
        """The headers of a caller with these scopes."""
        return {"Authorization": f"Bearer {self.token(*scopes, source=source, user=user)}"}

    def append(self, headers: dict[str, str], **changes: object) -> httpx.Response:
        """Append an interaction like `interaction()`, with changes."""
        return self.client.post("/v1/interactions", json=interaction(**changes), headers=headers)

    def run(self, work: Coroutine[Any, Any, ValueT]) -> ValueT:
        """Run a coroutine of the ledger's from a test."""
        return self.runner.run(work)


def interaction(**changes: object) -> dict[str, object]:
    """A valid append request, with changes; a value of ... leaves a field out."""
    plain: dict[str, object] = {
        "channel": "whatsapp",
        "direction": "inbound",
        "source": "whatsapp:1065",
        "external_id": "wamid.1",
        "resource": ANA,
        "destination": SHOP,
        "occurred_at": "2026-11-22T05:15:02-06:00",
        "text": "Hola",
    }
    return {name: value for name, value in {**plain, **changes}.items() if value is not ...}


@contextmanager
def open_house(backend: Backend, *, follow: bool = False) -> Iterator[House]:
    """A ledger on a backend, empty, behind its application; its views follow, or when told to."""
    now = [NOON]
    composition = open_ledger(settings_of(backend), follow=follow, clock=lambda: now[0])
    try:
        made = application(composition)
        with asyncio.Runner() as runner, ExitStack() as ending:
            lifespan = made.router.lifespan_context(made)
            runner.run(_enter(lifespan))
            ending.callback(lambda: runner.run(_leave(lifespan)))
            client = Client(made, runner)
            ending.callback(client.close)
            yield House(composition, made, client, runner, now)
    finally:
        composition.close()


async def _enter(lifespan: AbstractAsyncContextManager[object]) -> None:
    await lifespan.__aenter__()


async def _leave(lifespan: AbstractAsyncContextManager[object]) -> None:
    await lifespan.__aexit__(None, None, None)


def settings_of(backend: Backend) -> Settings:
    """The settings of a ledger on a backend."""
    return Settings(
        data=backend.folder,
        host="127.0.0.1",
        port=8000,
        log_url=backend.log_url,
        keys_url=backend.keys_url,
        views_url=backend.views_url,
        kek=None,
        kek_file=None,
        public_url="http://localhost:8000",
        country="MX",
        zone="America/Mexico_City",
        own_domains=frozenset({"example.mx"}),
    )


def with_ledger(services: Services, ledger: object) -> Services:
    """The services with another ledger: one that fails, one that stores nothing."""
    return structs.replace(services, ledger=cast("Ledger", ledger))
