"""Another process opens the pages to come, and nobody can tell by the pages."""

from __future__ import annotations

from multiprocessing import active_children

import pytest

from app import opening_ahead
from app.cli.importing import Import
from domain.ports import Entry
from storage import source as reading
from storage.source import Mark, Reach, Source
from tests.app.ledgers import opened, run
from tests.app.test_import import SOURCE, line, parts
from tests.backends import Backend
from tests.patience import until

LINES = 9


def read_all(source: Source, events: int) -> tuple[list[Entry], Mark | None]:
    """All entries of a log in pages of so many, and the last mark."""
    entries: list[Entry] = []
    mark: Mark | None = None
    while page := source.read(mark.position if mark else 0, events):
        assert len(page.entries) <= events
        entries += page.entries
        mark = page.mark
    return entries, mark


def test_pages_that_another_process_opened_are_those_that_one_opens_oneself(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same events and marks to the log's end; what is late is thrown away, dead, unneeded."""
    monkeypatch.setattr(reading, "AHEAD_EVENTS_MIN", 1)
    monkeypatch.setattr(opening_ahead, "BEGIN_EVENTS", 3)
    with opened(backend) as composition:
        lines = [line(number) for number in range(LINES)]
        run(Import(SOURCE).run(composition.services, parts(lines), None))
        plain = composition.source
        everything = read_all(plain, 4)
        with plain.ahead(Reach(0, 4)) as source:
            assert read_all(source, 4) == everything
        helper = plain.helper
        assert helper is not None
        with helper(Reach(0, 2)) as ahead, helper(Reach(0, 2)) as refused:
            assert ahead is not None
            assert refused is None
            assert ahead.page(2, 2) is None
            assert until(lambda: ahead.page(5, 2)) == plain.read(5, 2)
            assert ahead.page(5, 2) is None
            for process in active_children():
                process.kill()
                process.join()
            assert ahead.page(LINES, 2) is None
        assert not active_children()
