"""`hilo` as a process of its own, as a newcomer runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.backends import Backend
from tests.patience import PATIENCE_S

ADDRESS = re.compile(r"Hilo is at (\S+)")
LINK = re.compile(r"Sign in .*: (\S+)")


def environment(backend: Backend) -> dict[str, str]:
    """The settings of a process that works on the backend's ledger."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HILO_")}
    url = "" if backend.kind == "sqlite" else backend.log_url
    return {**kept, "HILO_DATA": str(backend.folder), "HILO_DATABASE_URL": url}


def hilo(
    backend: Backend, *words: str, sent: bytes = b"", code: int = 0
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end; its exit code must be the expected one."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *words],
        env=environment(backend),
        input=sent,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def token(backend: Backend, name: str, *scopes: str) -> str:
    """A new token of the ledger."""
    words = [word for scope in scopes for word in ("--scope", scope)]
    return hilo(backend, "token", "create", "--name", name, *words).stdout.decode().strip()


@dataclass(frozen=True)
class Served:
    """A server that answers: its process, its address, and the sign-in link that it printed."""

    process: subprocess.Popen[str]
    address: str
    link: str

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def served(backend: Backend, *words: str, around: Mapping[str, str] = {}) -> Iterator[Served]:
    """`hilo serve` on a free port; ended with the block, unless it was killed.

    `around` are further settings.
    """
    with begun(["serve", "--port", "0", *words], environment(backend) | dict(around)) as process:
        address = ADDRESS.search(said_by(process))
        link = LINK.search(said_by(process))
        assert address, process.poll()
        assert link
        yield Served(process, address[1], link[1])


@contextmanager
def begun(words: Sequence[str], around: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on until the block ends; then it is told to end, and does so in time."""
    command = [sys.executable, "-m", "app", *words]
    with subprocess.Popen(command, env=around, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            finally:
                process.kill()


def said_by(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints; empty where it ends, or is ended for saying nothing."""
    assert process.stdout
    alarm = threading.Timer(PATIENCE_S, process.kill)
    alarm.start()
    try:
        return process.stdout.readline()
    finally:
        alarm.cancel()
