"""The process that follows for a server: it is begun, heard, replaced and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli import serving
from app.cli.companion import Companion, follow_beside
from tests.app.ledgers import settings_of
from tests.app.processes import Served, begun, environment, said_by, served, token
from tests.app.test_kill import body
from tests.backends import Backend
from tests.patience import PATIENCE_S, until


def companions(server: subprocess.Popen[str]) -> list[int]:
    """The processes that a server has begun, and that live."""
    path = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    return [int(text) for text in path.read_text().split() if lives(int(text))]


def lives(process: int) -> bool:
    """Whether a process has not ended, be it waited for or not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    return False


class Visitor:
    """A caller of a served ledger."""

    def __init__(self, backend: Backend) -> None:
        self.headers = {"Authorization": f"Bearer {token(backend, 'v', 'append', 'read')}"}

    def append(self, server: Served, key: str) -> int:
        """Append; the id."""
        answer = httpx.post(
            f"{server.address}/v1/interactions",
            json=body(key),
            headers=self.headers,
            timeout=PATIENCE_S,
        )
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return int(answer.json()["id"])

    def ask(self, server: Served, path: str) -> Any:  # noqa: ANN401 - JSON
        """The body of an answer."""
        return httpx.get(f"{server.address}{path}", headers=self.headers, timeout=PATIENCE_S).json()

    def phase(self, server: Served) -> str:
        """What the follower is said to be doing."""
        return str(self.ask(server, "/v1/views")["follower"]["phase"])


def test_another_process_makes_the_views(backend: Backend) -> None:
    """What is appended is seen; the process is replaced when it dies, and ends with its server.

    Meanwhile `/v1/views` says so, and nothing that was appended is missing afterwards.
    """
    visitor = Visitor(backend)
    with served(backend) as server:
        until(lambda: visitor.phase(server) == "following")
        position = visitor.append(server, "one")
        page = visitor.ask(server, f"/v1/activity?min_position={position}&wait_ms=10000")
        assert [row["id"] for row in page["items"]] == [position]
        (first,) = companions(server.process)
        os.kill(first, signal.SIGKILL)
        until(lambda: visitor.phase(server) == "retrying")
        position = visitor.append(server, "while it is gone")
        until(lambda: visitor.ask(server, "/v1/views")["items"][0]["position"] == position)
        (second,) = companions(server.process)
        assert second != first
        server.kill()
        until(lambda: not lives(second))


def test_a_thread_follows_where_a_setting_says_so(tmp_path: Path) -> None:
    """With HILO_FOLLOWER=thread there is one process, which follows, and ends in order."""
    around = {**os.environ, "HILO_DATA": str(tmp_path / "data"), "HILO_FOLLOWER": "thread"}
    with begun(["serve", "--port", "0"], around) as process:
        address = said_by(process).split()[-1]
        until(
            lambda: httpx.get(f"{address}/readyz", timeout=PATIENCE_S).status_code == httpx.codes.OK
        )
        assert companions(process) == []
    assert process.returncode == 0


def test_a_server_that_just_greeted_can_be_ended(tmp_path: Path) -> None:
    """Told to end before it serves, it ends in order as soon as it does."""
    around = {**os.environ, "HILO_DATA": str(tmp_path / "data")}
    with begun(["serve", "--port", "0"], around) as process:
        assert said_by(process)
        assert said_by(process)
    assert process.returncode == 0


def test_a_thread_follows_where_no_process_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A system that gives no process gets a warning, and the server does the work itself."""

    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("app.cli.companion.subprocess.Popen", refuse)
    backend = Backend("sqlite", tmp_path, "", "", "")
    assert serving._companion(settings_of(backend)) is None
    assert "made in a thread" in caplog.text


def test_a_process_whose_server_is_gone_opens_nothing(tmp_path: Path) -> None:
    """It waits for the server to make the stores; where that ends first, there are none."""
    ours, theirs = socket.socketpair()
    ours.close()
    settings = settings_of(Backend("sqlite", tmp_path / "none", "", "", ""))
    assert follow_beside(settings, theirs.detach()) == 0
    assert not (tmp_path / "none").exists()


def test_a_hint_that_finds_nobody_costs_nothing(tmp_path: Path) -> None:
    """Before a loop runs, and after it, hints and the end are harmless."""
    companion = Companion(settings_of(Backend("sqlite", tmp_path, "", "", "")))
    companion.hint(5)
    companion.open()
    companion.stop()


class Mute:
    """Passes bytes between a client and PostgreSQL, until it falls silent and keeps the line."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.silent = threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self._held: list[socket.socket] = [self.listening]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let go of every line."""
        for one in self._held:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._held += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if self.silent.is_set():
                    return
                sink.sendall(data)


def test_a_database_that_falls_silent_does_not_hold_the_server(
    postgres_url: str, tmp_path: Path
) -> None:
    """Told to stop, the server and its process end in bounded time, whoever does not answer."""
    port = int(postgres_url.rpartition(":")[2].partition("/")[0])
    mute = Mute(port)
    url = postgres_url.replace(f":{port}/", f":{mute.port}/")
    backend = Backend("postgresql", tmp_path, url, url, url)
    assert environment(backend)["HILO_DATABASE_URL"] == url
    visitor = Visitor(backend)
    with closing(mute), served(backend) as server:
        visitor.append(server, "one")
        (process,) = companions(server.process)
        mute.silent.set()
        with suppress(httpx.TimeoutException):
            httpx.post(
                f"{server.address}/v1/interactions",
                json=body("two"),
                headers=visitor.headers,
                timeout=0.5,
            )
        server.process.terminate()
        server.process.wait(PATIENCE_S)
        assert not lives(process)
