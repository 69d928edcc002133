"""A served ledger, and real browsers that look at it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from api.web.files import missing
from tests.patience import PATIENCE_S
from tests.source_tree import ROOT
from tests.web.window import Ledger, Window, served

STAGE = ThreadPoolExecutor(1, "browser")
"""Playwright keeps a loop running in its thread: it gets one of its own, and so do its tests."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that looks at pages where the browser lives."""
    if "browse" not in pyfuncitem.fixturenames:
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    STAGE.submit(pyfuncitem.obj, **given).result()
    return True


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the whole run; the pages' scripts are fetched if set-up could not."""
    if missing():
        subprocess.run([sys.executable, ROOT / "requirements" / "assets.py"], check=True)
    assert not missing(), "run `make test` once where packages can be fetched"
    where = shutil.which("chromium") or shutil.which("chromium-browser")
    assert where is not None, 'install Chromium (as root, "apt-get install chromium")'

    def start() -> tuple[Playwright, Browser]:
        started = sync_playwright().start()
        expect.set_options(timeout=1_000 * PATIENCE_S)
        options = ["--no-sandbox", "--disable-gpu"]
        return started, started.chromium.launch(executable_path=where, args=options)

    def stop() -> None:
        browser.close()
        started.stop()

    started, browser = STAGE.submit(start).result()
    yield browser
    STAGE.submit(stop).result()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger on SQLite, served on a port of its own."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    with served(folder) as opened:
        yield opened


@pytest.fixture
def browse(chromium: Browser, ledger: Ledger) -> Iterator[Callable[..., Window]]:
    """Opens browsers in which somebody is signed in (`name` None: a stranger).

    No page of theirs may have said an error, or asked anybody else, by the end of the test.
    """
    opened: list[Window] = []

    def browse(name: str | None = "Rosa", language: str = "es", **options: object) -> Window:
        context = chromium.new_context(
            base_url=ledger.url,
            locale="es-MX" if language == "es" else "en-US",
            timezone_id="America/Mexico_City",
            **options,  # type: ignore[arg-type]  # the browser's own options, as they are
        )
        context.set_default_timeout(1_000 * PATIENCE_S)
        if name is not None:
            context.add_cookies([ledger.cookie(name)])  # type: ignore[list-item]  # a plain dict
        opened.append(Window(context, ledger))
        return opened[-1]

    yield browse

    def close() -> None:
        for window in opened:
            window.close()

    STAGE.submit(close).result()
    assert [fault for window in opened for fault in window.faults] == []
