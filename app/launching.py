"""The processes of runs that were asked for over HTTP; what they do stands in running.py.

A server begins them without knowing how to verify or export: it has less to read at its start.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.settings import Settings
    from storage.runs import Run


class Launcher:
    """Has runs done by processes like this one; `close` ends those that are not over."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def __call__(self, run: Run) -> None:
        """Begin a process; it tells of itself in the table of runs. Raises OSError."""
        places = os.pathsep.join(place for place in sys.path if place)
        process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-P", "-m", "app", "run", run.kind, str(run.id)],
            env={**self._settings.environment(os.environ), "PYTHONPATH": places},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C in the terminal is for the server, which ends it
        )
        with self._lock:
            self._processes = [one for one in self._processes if one.poll() is None]
            self._processes.append(process)

    def close(self) -> None:
        """End what is under way; it is shown as lost."""
        with self._lock:
            for process in self._processes:
                process.kill()
                process.wait()
            self._processes = []
