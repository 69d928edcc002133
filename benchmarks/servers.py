"""Servers to put a load on, each a process of its own: Hilo, and what it is measured beside.

`hilo` is `hilo serve`; `null` the same application with a ledger that stores nothing; `page` the
same application where a page once made is a constant; `stock` a FastAPI endpoint with one
`Application.save` of the library for each request.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import uvicorn
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from fastapi import FastAPI
from msgspec import structs
from pydantic import BaseModel

from api.answers import Json
from api.shelf import Asked, Shelf
from app.cli.frame import settle_memory
from app.compose import open_ledger
from app.server import IDLE_S, application
from app.settings import read_settings
from domain.commands import By, Receipt, RecordInteraction
from domain.ledger import Ledger

READY_S_MAX = 30.0
"""A server that is not there by then will not come."""

NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Place:
    """Where a ledger of the benchmark lies: a folder, and a PostgreSQL URL or nothing."""

    folder: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a process that works there.

        As `make` does, it lets Python keep what it compiled: else each start compiles Hilo anew.
        """
        ours = {"HILO_DATA": str(self.folder), "HILO_DATABASE_URL": self.url}
        return {**os.environ, **ours, "PYTHONDONTWRITEBYTECODE": ""}

    def tidy(self) -> None:
        """Do what PostgreSQL's housekeeping does within minutes of a load, not to measure it."""
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
                connection.execute("CHECKPOINT")


def new_token(place: Place, *scopes: str) -> str:
    """A token of the ledger there."""
    words = [word for scope in scopes for word in ("--scope", scope)]
    command = [sys.executable, "-m", "app", "token", "create", "--name", uuid4().hex, *words]
    done = subprocess.run(
        command, env=place.environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@contextmanager
def serving(kind: str, place: Place, port: int, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers, until the end of the block."""
    if kind == "hilo":
        command = [sys.executable, "-m", "app", "serve", "--port", str(port), *more]
    else:
        place.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.servers", kind, str(port)]
    with subprocess.Popen(command, env=place.environment, stdout=subprocess.DEVNULL) as process:
        try:
            _await(port, process)
            yield process
        finally:
            process.terminate()
            process.wait()


def cpu_ms(process: subprocess.Popen[bytes]) -> dict[str, float]:
    """Processor time so far, in ms: of a server, and of the process that follows for it."""
    spent = {"server": 0.0, "follower": 0.0}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            number, rest = stat.parent.name, stat.read_text().rpartition(")")[2].split()
            kind = "server" if number == str(process.pid) else "follower"
            if kind == "server" or rest[1] == str(process.pid):
                spent[kind] += (int(rest[11]) + int(rest[12])) * 1_000 / os.sysconf("SC_CLK_TCK")
    return spent


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    message = f"the server on port {port} did not come up"
    raise RuntimeError(message)


# ------------------------------------------------------------------ references


class NullLedger:
    """Takes what the real one takes, stores nothing, and always answers the same."""

    def __init__(self, real: Ledger) -> None:
        self.derive = real.derive
        self.subjects = real.subjects

    async def record(self, _command: RecordInteraction, _by: By) -> Receipt:
        """Nothing is recorded."""
        return Receipt(1, NOBODY, NOBODY)


def null_application() -> FastAPI:
    """Hilo's own application, whole, over a ledger that stores nothing."""
    composition = open_ledger(read_settings(os.environ), follow=False)
    nothing: Any = NullLedger(composition.services.ledger)
    composition.services = structs.replace(composition.services, ledger=nothing)
    return application(composition)


class Constants(Shelf):
    """Keeps each page for good, whatever is in the views."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[Asked, Json] = {}

    def get(self, asked: Asked, _position: int) -> Json | None:
        """The page as it was made first."""
        return self._made.get(asked)

    def put(self, asked: Asked, _position: int, answer: Json) -> None:
        """Keep a page."""
        self._made[asked] = answer


def page_application() -> FastAPI:
    """Hilo's own application, whole, its pages constants: who asks is looked at, and no view."""
    made = application(open_ledger(read_settings(os.environ), follow=False))
    made.state.shelf = Constants()
    settle_memory()
    return made


class Interaction(Aggregate):
    """One aggregate an interaction, as the library's tutorial has it."""

    @event("Recorded")
    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body


class Body(BaseModel):
    """The fields that the load sends."""

    channel: str
    direction: str
    source: str
    external_id: str
    resource: str
    destination: str
    occurred_at: str
    contact_name: str
    text: str


def stock_application() -> FastAPI:
    """The library as it comes: SQLite or PostgreSQL, one `save` a request."""
    environment = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
    environment["SQLITE_DBNAME"] = str(Path(os.environ["HILO_DATA"]) / "stock.db")
    url = os.environ["HILO_DATABASE_URL"]
    if url:
        _, _, rest = url.partition("://")
        account, _, place = rest.partition("@")
        user, _, password = account.partition(":")
        address, _, database = place.partition("/")
        host, _, port = address.partition(":")
        environment = {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": database,
            "POSTGRES_HOST": host,
            "POSTGRES_PORT": port,
            "POSTGRES_USER": user,
            "POSTGRES_PASSWORD": password,
        }
    library: Application[UUID] = Application(environment)
    application = FastAPI()

    @application.get("/healthz")
    def healthz() -> str:
        return "ok"

    @application.post("/v1/interactions", status_code=201)
    def append(body: Body) -> dict[str, str]:
        made = Interaction(body.model_dump())
        library.save(made)
        return {"id": str(made.id)}

    return application


def main() -> None:
    """Serve a reference: its kind and the port on the command line."""
    kind, port = sys.argv[1], int(sys.argv[2])
    kinds = {"null": null_application, "page": page_application, "stock": stock_application}
    uvicorn.run(
        kinds[kind](),
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
        timeout_keep_alive=IDLE_S,
    )


if __name__ == "__main__":
    main()
