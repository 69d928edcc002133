"""A ledger that browsers can reach, and one browser that looks at it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from base64 import b64decode
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # none
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page
from uvicorn import Config

from api import tokens
from api.auth import SYSTEM
from app.compose import Composition, open_ledger
from app.server import IDLE_S, Server, application
from app.settings import read_settings
from domain.commands import By
from domain.events import UserAdded
from domain.staff import user_stream
from tests.api.house import NOON, interaction
from tests.api.station import patiently
from tests.patience import PATIENCE_S

ValueT = TypeVar("ValueT")

DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg=="
)
"""A PNG of one point."""


END_S = 10
"""How long requests under way are waited for at the end: they take milliseconds."""


class Ledger:
    """A ledger on SQLite, served from a thread of its own; its clock stands at noon."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._folder = folder
        self.now = [NOON]
        self.port = port
        self.numbers = 0
        self._client = httpx.Client()
        self.start()
        self.headers = self.bearer("admin")

    @property
    def url(self) -> str:
        """Where browsers find it."""
        return f"http://127.0.0.1:{self.port}"

    # ------------------------------------------------------------------ its server

    def start(self) -> None:
        """Open the ledger, and serve it on its port."""
        listening = socket.socket(proto=socket.IPPROTO_TCP)  # else asyncio waits for more to send
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(64)
        self.port = int(listening.getsockname()[1])
        settings = read_settings(
            {"HILO_COUNTRY": "MX", "HILO_TZ": "America/Mexico_City", "HILO_PUBLIC_URL": self.url},
            data=str(self._folder),
        )
        self.composition: Composition = open_ledger(settings, clock=lambda: self.now[0])
        self.application = application(self.composition)
        config = Config(
            self.application,
            log_level="warning",
            access_log=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=END_S,
        )
        self._server = Server(config)
        ready = threading.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            ready.set()
            await self._server.serve(sockets=[listening])

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        assert ready.wait(PATIENCE_S)
        self._client.get(f"{self.url}/healthz", timeout=PATIENCE_S)

    def stop(self) -> None:
        """End the server, and close the ledger."""
        self._server.should_exit = True
        self._thread.join(2 * PATIENCE_S)
        assert not self._thread.is_alive(), "the server does not end"
        self.composition.close()

    def close(self) -> None:
        """Stop for good."""
        self._client.close()
        self.stop()

    # ------------------------------------------------------------- who, and what

    def run(self, work: Coroutine[Any, Any, ValueT]) -> ValueT:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def bearer(self, *scopes: str, user: UUID | None = None) -> dict[str, str]:
        """The headers of a program with these scopes."""
        self.numbers += 1
        wanted = tokens.NewToken(f"token {self.numbers}", scopes, None, user)
        secret, _ = self.run(tokens.issue(self.composition.services, wanted, By(SYSTEM)))
        return {"Authorization": f"Bearer {secret}"}

    def user(self, name: str, role: str = "manager") -> UUID:
        """A person who may sign in; the same one for the same name."""
        services = self.composition.services
        derive = services.ledger.derive
        user = derive.id("test-user", name)
        if services.ledger.people.user(user) is None:
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
            self.run(services.ledger.state(event, By(SYSTEM)))
        return user

    def cookie(self, name: str) -> dict[str, str]:
        """The cookie of a browser in which somebody is signed in."""
        sessions = self.composition.services.credentials.sessions
        opened = sessions.open(self.user(name), self.now[0], self.now[0] + 10**13)
        return {"name": "hilo_session", "value": opened.secret, "url": self.url}

    def ask(
        self, method: str, path: str, json: object = None, *, as_: dict[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - JSON
        """The JSON of an answer that must be good, by the administrator's token or another.

        What is read has on it all that was written, as with a page: see `go`.
        """
        if method == "GET" and "min_position" not in path:
            self.caught_up()
        given: Any = {"headers": as_ or self.headers, "timeout": PATIENCE_S, "json": json}
        ask = partial(self._client.request, method, f"{self.url}{path}", **given)
        answer = patiently(ask) if method == "GET" else ask()
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def append(self, **changes: object) -> dict[str, Any]:
        """Append an interaction like `interaction()` with changes; its answer."""
        self.numbers += 1
        changes.setdefault("external_id", f"wamid.{self.numbers}")
        found: dict[str, Any] = self.ask("POST", "/v1/interactions", json=interaction(**changes))
        return found

    def upload(self, name: str, media_type: str) -> str:
        """Upload a picture of one point, whatever it is said to be; its id."""
        answer = self._client.post(
            f"{self.url}/v1/attachments",
            params={"name": name},
            content=b64decode(DOT),
            headers={**self.headers, "Content-Type": media_type},
            timeout=PATIENCE_S,
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def batch(self, rows: Iterable[dict[str, object]]) -> None:
        """Append many interactions like `interaction()`, each with changes."""
        lines = [
            json.dumps(interaction(external_id=f"batch.{number}", **row))
            for number, row in enumerate(rows)
        ]
        answer = self._client.post(
            f"{self.url}/v1/interactions/batch?verdicts=errors",
            content="\n".join(lines),
            headers={**self.headers, "Content-Type": "application/x-ndjson"},
            timeout=PATIENCE_S,
        )
        assert f'"recorded":{len(lines)}' in answer.text, answer.text

    def caught_up(self) -> None:
        """Wait until every page shows all that was written."""
        assert self.run(self.composition.tide.wait_for(self.composition.log.head(), PATIENCE_S))

    def searchable(self) -> None:
        """Wait until the search finds all that was written."""
        head = self.composition.log.head()
        self.ask("GET", f"/v1/search?q=zz&min_position={head}")


@contextmanager
def served(folder: Path) -> Iterator[Ledger]:
    """A ledger that is served."""
    opened = Ledger(folder)
    try:
        yield opened
    finally:
        opened.close()


class Window:
    """One browser: its page, and whatever went wrong in it."""

    def __init__(self, context: BrowserContext, ledger: Ledger) -> None:
        self._context = context
        self.ledger = ledger
        self.faults: list[str] = []
        self.expected: Callable[[str], bool] = lambda _: False
        self.page: Page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._fault(str(error)))
        self.page.on("request", lambda request: self._outside(request.url))

    def go(self, path: str = "/") -> Page:
        """Open a page, all that was written until now on it."""
        self.ledger.caught_up()
        self.page.goto(path, wait_until="load")
        return self.page

    def live(self) -> Page:
        """Wait until the page hears what happens."""
        self.page.wait_for_function(
            "() => { const one = document.getElementById('live');"
            " return one && one.textContent === one.dataset.live; }"
        )
        return self.page

    def see(self, selector: str, text: str | None = None) -> Locator:
        """Wait until something shows."""
        found = self.page.locator(selector)
        if text is not None:
            found = found.filter(has_text=text)
        found.first.wait_for()
        return found

    def close(self) -> None:
        """Close it."""
        self._context.close()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._fault(message.text)

    def _outside(self, url: str) -> None:
        if not url.startswith((self.ledger.url, "data:", "blob:", "about:")):
            self._fault(f"asked {url}")

    def _fault(self, text: str) -> None:
        if not self.expected(text):
            self.faults.append(text)


def no_barriers(page: Page) -> None:
    """axe-core finds nothing that keeps anybody out: WCAG 2.2 A and AA, and its best practices."""
    found = Axe().run(page).response["violations"]
    said = [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
    assert said == [], "\n".join(said)
