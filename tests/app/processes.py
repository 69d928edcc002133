"""`hilo` as a process of its own, as a newcomer runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.backends import Backend

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
    command = [sys.executable, "-m", "app", "serve", "--port", "0", *words]
    with subprocess.Popen(
        command, env=environment(backend) | dict(around), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            address = ADDRESS.search(process.stdout.readline())
            link = LINK.search(process.stdout.readline())
            assert address, process.poll()
            assert link
            yield Served(process, address[1], link[1])
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)
