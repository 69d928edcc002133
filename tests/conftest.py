"""What every test may ask for: a database of each kind, empty and its own."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import postgres
from tests.backends import KINDS, Backend, postgresql_backend, sqlite_backend
from tests.scratch import scratch
from tests.source_tree import ROOT

# A shared machine pauses for longer than any deadline that would say something about the code.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

GO = shutil.which("go")
collect_ignore = [] if GO else ["audit/test_go.py"]
"""Other people's verifier needs their compiler; our second implementation runs everywhere."""


PAYLOADS = ROOT.parent / "shared" / "payloads"
"""Real requests of other projects: they lie beside a checkout, where they lie at all."""


def pytest_report_header() -> list[str]:
    """Say what is left out here: verifiers, and requests that are not part of a checkout."""
    return [
        "proofs: checked by Go as well" if GO else "proofs: no go here, so not checked by Go",
        "real requests: those of ../shared/payloads as well"
        if PAYLOADS.is_dir()
        else "real requests: no ../shared/payloads here, so our own examples alone",
    ]


YOUNG_OBJECTS = 50_000
"""Objects between two looks of the garbage collector."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, choose where tests write, have the collector look less often."""
    tempfile.tempdir = scratch()
    gc.set_threshold(YOUNG_OBJECTS)
    config.addinivalue_line("markers", "real_requests: needs the folder ../shared/payloads")
    config.addinivalue_line("markers", "begins_early: takes so long that it must not begin last")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs requests that are not here; the header says so.

    After the shuffle, what takes longest comes to the front: else all others wait for it at the
    end.
    """
    items.sort(key=lambda item: item.get_closest_marker("begins_early") is None)
    if PAYLOADS.is_dir():
        return
    without = [item for item in items if item.get_closest_marker("real_requests")]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in set(without)]


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: walking through them again and again cost a sixth."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Twice as many processes as cores: some always wait, for a disk or for another process."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """The run's own PostgreSQL, started by the first test that needs it."""
    try:
        with postgres.running() as server:
            yield server
    except postgres.NoPostgres as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> Iterator[str]:
    """The URL of an empty database, which is this test's until its end, whoever still uses it."""
    with postgres_server.lent() as url:
        yield url


@pytest.fixture(params=KINDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """An empty ledger's place on SQLite, then one on PostgreSQL."""
    folder = tmp_path / "data"
    folder.mkdir()
    if request.param == "sqlite":
        return sqlite_backend(folder)
    return postgresql_backend(folder, request.getfixturevalue("postgres_url"))
