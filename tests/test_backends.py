"""The databases under the tests are real, empty, each test's own, and reachable from children."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.backends import Backend
from tests.postgres import Server


def test_every_store_answers(backend: Backend) -> None:
    """SQLAlchemy opens each store's URL as it is, and finds nothing in it."""
    for url in (backend.log_url, backend.keys_url, backend.views_url):
        engine = create_engine(url)
        with engine.begin() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
            connection.execute(text("CREATE TABLE IF NOT EXISTS ours (n INTEGER)"))
        engine.dispose()
        assert engine.dialect.name == backend.kind


@pytest.mark.parametrize("turn", [1, 2])
def test_a_database_is_this_tests_own(postgres_url: str, turn: int) -> None:
    """What one test made, the next one does not find."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE mine (n integer)")
        connection.execute("INSERT INTO mine VALUES (%s)", [turn])


def test_a_commit_is_durable(postgres_url: str) -> None:
    """The server under the tests acknowledges a commit only once it is on disk."""
    with psycopg.connect(postgres_url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            row = connection.execute(f"SHOW {setting}".encode()).fetchone()
            assert row == ("on",)


def test_a_child_process_connects(postgres_url: str) -> None:
    """The URL alone is enough for a process that inherited nothing else."""
    program = "import sys, psycopg; psycopg.connect(sys.argv[1]).close(); print('connected')"
    done = subprocess.run(
        [sys.executable, "-c", program, postgres_url],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    assert done.stdout == "connected\n"


def test_a_dropped_database_takes_its_users_along(postgres_server: Server) -> None:
    """A connection that a test forgot does not keep its database alive."""
    url = postgres_server.create("hilo_forgotten")
    with psycopg.connect(url, autocommit=True) as connection:
        postgres_server.drop("hilo_forgotten")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_lent_database_comes_back_empty(postgres_server: Server) -> None:
    """Whatever a test left in its database or connected to it, the next one meets nothing of it."""
    with postgres_server.lent() as url:
        forgotten = psycopg.connect(url, autocommit=True)
        forgotten.execute("CREATE SCHEMA theirs CREATE TABLE things (n integer)")
    with postgres_server.lent() as again, psycopg.connect(again) as connection:
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(url)
        schemas = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE NOT starts_with(nspname, 'pg_') ORDER BY 1"
        ).fetchall()
        assert schemas == [("information_schema",), ("public",)]
    with pytest.raises(psycopg.OperationalError):
        forgotten.execute("SELECT 1")
    forgotten.close()
