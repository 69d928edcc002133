"""A real synchronous standby of the tests' PostgreSQL, which can be held, and promoted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests import postgres
from tests.patience import PATIENCE_S, until
from tests.postgres import LOOPBACK, Server
from tests.scratch import scratch


@dataclass(frozen=True)
class Pair:
    """A primary whose commits wait for the standby that streams from it."""

    primary: Server
    standby: Server

    @contextmanager
    def held(self) -> Iterator[None]:
        """The standby stays connected, and writes nothing down meanwhile."""
        ((receiver,),) = asked(self.standby, "SELECT pid FROM pg_stat_wal_receiver")
        os.kill(receiver, signal.SIGSTOP)
        try:
            see_commits_wait(self.primary.url("postgres"))
            yield
        finally:
            os.kill(receiver, signal.SIGCONT)

    def give_up(self) -> None:
        """Whatever commit waits for the standby waits no longer, as on somebody's order."""
        sql = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        until(lambda: asked(self.primary, sql), "no commit waits")

    def promoted(self) -> Server:
        """The standby, which is a primary from now on."""
        asked(self.standby, "SELECT pg_promote()")
        return self.standby


def asked(server: Server, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        return connection.execute(sql.encode()).fetchall()


@contextmanager
def standing_by(primary: Server) -> Iterator[Pair]:
    """A standby of a running server, for which every commit there waits until the end."""
    account = postgres._account()
    folder = Path(tempfile.mkdtemp(prefix="hilo-pg-", dir=scratch()))
    try:
        if account.uid is not None:
            os.chown(folder, account.uid, -1)
        programs = postgres._reachable(postgres._programs(), folder)
        _copied(programs, folder, account, primary)
        standby = Server(port=postgres._free_port(), password=primary.password)
        with postgres._started(programs, folder, account, standby):
            pair = Pair(primary, standby)
            try:
                _wait_for_it(primary, "'*'")
                yield pair
            finally:
                _wait_for_it(primary, "''")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copied(programs: Path, folder: Path, account: postgres.Account, primary: Server) -> None:
    """A copy of a running server that knows from whom it streams."""
    command = [str(programs / "pg_basebackup"), "-R", "-X", "stream", "-c", "fast", "--no-sync"]
    place = ["-h", LOOPBACK, "-p", str(primary.port), "-U", "postgres", "-D", str(folder / "data")]
    subprocess.run(
        command + place,
        check=True,
        capture_output=True,
        cwd=folder,
        env=postgres._environment(folder) | {"PGPASSWORD": primary.password},
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
    )


def _wait_for_it(primary: Server, names: str) -> None:
    """Have commits wait for standbys of these names, and see that one is there, or none is."""
    with psycopg.connect(primary.url("postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = {names}".encode())
        connection.execute("SELECT pg_reload_conf()")
    wanted = names != "''"
    sql = "SELECT 1 FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
    until(lambda: bool(asked(primary, sql)) is wanted, "no standby comes, or goes")


def see_commits_wait(url: str) -> None:
    """Return once a commit was seen to wait for a standby that does not answer.

    The setting does not say so: commits wait when the checkpointer has read it, and told them.
    """
    waits = (
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
        " WHERE pid = %s AND wait_event = 'SyncRep'"
    )
    write = "SELECT pg_logical_emit_message(true, 'probe', '')"
    deadline = time.monotonic() + PATIENCE_S
    with (
        psycopg.connect(url, autocommit=True) as probe,
        psycopg.connect(url, autocommit=True) as other,
    ):
        seen = False
        while not seen:
            commit = threading.Thread(target=probe.execute, args=(write,), daemon=True)
            commit.start()
            while commit.is_alive() and not seen:
                assert time.monotonic() < deadline, "commits do not wait for the standby"
                seen = bool(other.execute(waits, (probe.info.backend_pid,)).fetchall())
                time.sleep(0.005)
            commit.join(PATIENCE_S)
