"""Verifications and exports that were asked for over HTTP, each in a process of its own.

They use a processor for seconds or hours, which the requests of the server must not feel. What
begins the processes stands in launching.py.
"""

from __future__ import annotations

import logging
import os
import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from api.audit_views import EXPORT, ExportRequest, VerificationRequest
from api.problems import problem_of
from app.exporting import ExportWish, export
from app.verifying import Wish, of_database
from audit.bundle import TarSink
from audit.notes import BadNote
from audit.verify import Bad, verify
from domain.commands import By
from domain.errors import HiloError
from domain.events import Actor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app.compose import Composition
    from storage.runs import Run

TELL_EVERY_S: Final = 1.0
"""How often a run says how far it is."""

KEPT_S: Final = 7 * 24 * 3_600
"""How long an export may be fetched: it is a copy that somebody must not forget."""

PROCESSES: Final = 1
"""A verification beside a server leaves it the other processors."""

log = logging.getLogger("hilo.runs")


def perform(composition: Composition, run: Run) -> None:
    """Do what was asked for, and write down what came of it; nothing is raised."""
    runs = composition.proofs.runs
    ticker = _Ticker(lambda done, total: runs.tell(run.id, done, total))
    try:
        with ticker:
            do = _export if run.kind == EXPORT else _verify
            state, result = do(composition, run, ticker.told)
    except HiloError as error:
        state, result = "failed", {"code": problem_of(error).type, "error": error.detail}
    except Exception as error:
        log.exception("a run failed")
        state, result = "failed", {"code": "internal", "error": type(error).__name__}
    runs.tell(run.id, *ticker.last)
    runs.end(run.id, state, msgspec.json.encode(result).decode())


class _Ticker:
    """Tells once a second how far a run is, also while it is busy with one step."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hilo-run", daemon=True)
        self.last = (0, 0)

    def told(self, done: int, total: int) -> None:
        """How far it is now."""
        self.last = (done, total)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(TELL_EVERY_S):
            try:
                self._tell(*self.last)
            except HiloError:
                continue  # a store that does not answer now may do so in a second


def _verify(
    composition: Composition, run: Run, told: Callable[[int, int], None]
) -> tuple[str, dict[str, object]]:
    asked = msgspec.json.decode(run.asked, type=VerificationRequest)
    material = of_database(composition, Wish(processes=PROCESSES, open_all=asked.open))
    try:
        found = verify(material, told, asked.first)
    except BadNote as error:
        found = Bad(0, error.detail, "note")
    if isinstance(found, Bad):
        wrong = {"position": found.position, "code": found.code, "what": found.what}
        return "bad", {"ok": False, **wrong}
    root = b64encode(found.root).decode()
    kept = found.checkpoints
    return "done", {"ok": True, "events": found.events, "root": root, "checkpoints": kept}


def _export(
    composition: Composition, run: Run, told: Callable[[int, int], None]
) -> tuple[str, dict[str, object]]:
    asked = msgspec.json.decode(run.asked, type=ExportRequest)
    wish = ExportWish(asked.contact, asked.first, asked.with_keys, asked.reason)
    folder = composition.proofs.exports
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _forget_old(folder, composition.clock() / 1_000_000)
    path = folder / f"{run.id}.tar"
    beside = path.with_suffix(".part")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        sink = TarSink(stream, composition.clock() // 1_000_000)
        manifest = export(composition, wish, sink, _author(run), told)
    beside.rename(path)
    return "done", {"events": manifest.events, "bytes": path.stat().st_size}


def _author(run: Run) -> By:
    actor = msgspec.json.decode(run.actor)
    behind = actor.get("for")
    return By(Actor(actor["kind"], actor["id"]), UUID(behind) if behind else None)


def _forget_old(folder: Path, now_s: float) -> None:
    """Remove exports that were there for a week."""
    for file in folder.iterdir():
        if now_s - file.stat().st_mtime > KEPT_S:
            file.unlink(missing_ok=True)
