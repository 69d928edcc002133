"""Large imports: other processes read and seal, one appends, and a kill changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from msgspec import structs

from api.ahead import Maker
from api.auth import Caller, implied
from api.shapes import Terms
from api.terms import terms_of
from app.cli.importing import Import
from app.compose import Composition
from app.import_processes import FROM_BYTES, Author, ImportProcesses
from domain.errors import StoreUnavailable
from domain.events import InteractionRecorded
from tests.app.ledgers import opened, run, settings_of
from tests.app.processes import environment, hilo
from tests.backends import Backend, sqlite_backend
from tests.domain.commands import BY_ROSA, said
from tests.patience import until

SOURCE = "import:old"
LINES = 1_500
"""Lines of a large file, each so long that all together it is one."""


def line(number: int, **changes: object) -> bytes:
    """A line of an import; `changes` replace fields, and None takes one away."""
    fields: dict[str, object] = {
        "channel": "sms",
        "direction": "inbound",
        "external_id": f"old-{number}",
        "resource": f"tel:+52551234{number % 40:04d}",
        "destination": "tel:+525598765432",
        "occurred_at": "2020-11-22T10:00:00-06:00",
        "text": f"Mensaje {number}",
    } | changes
    return json.dumps({name: value for name, value in fields.items() if value}).encode()


MIXED = [
    line(1),
    line(2, external_id=None),
    line(2, external_id=None),
    b"{",
    line(3, occurred_at="ayer"),
    line(1),
    line(4, department="Ventas", campaign="Verano"),
    line(1, text="otro"),
    line(5, resource="tel:+525512349999", external_id=None, thread="external_id"),
    line(6, resource="tel:+525512349999", department="Ventas"),
]
"""Good lines, bad ones, repeats, and such as bring no key of their own."""


class Beside:
    """Implements Helpers in this process, on a composition of its own."""

    def __init__(self, composition: Composition, work: Import) -> None:
        services = composition.services
        caller = Caller(work.by.actor, implied(("append",)), work.by)

        def terms() -> Terms:
            found = terms_of(services, caller, imported=True, key_of=lambda _: None)
            return structs.replace(found, fallback=work.source)

        self._maker = Maker(composition.ledger, composition.log, work.by, terms)
        self.then: Callable[[], Awaitable[object]] | None = None

    async def make(self, request: bytes) -> bytes:
        """The answer; whatever is to happen next happens once it is made."""
        answer = self._maker.answer(request)
        if self.then is not None:
            then, self.then = self.then, None
            await then()
        return answer


async def parts(lines: list[bytes]) -> AsyncIterator[bytes]:
    """The lines as one part."""
    yield b"\n".join(lines)


def verdicts_of(composition: Composition, work: Import, lines: list[bytes]) -> list[object]:
    """Import; what the report says of each line, without what is random."""
    report = BytesIO()
    summary = run(work.run(composition.services, parts(lines), report))
    told = [json.loads(one) for one in report.getvalue().splitlines()]
    return [*({**one, "interaction": None, "contact": None} for one in told), summary]


def told(composition: Composition) -> list[tuple[str | None, str | None, str | None]]:
    """What stands in the log, in its order: external id, sender, text."""
    entries = (composition.log.entry(n + 1) for n in range(composition.log.head()))
    events = [entry.event for entry in entries if entry]
    recorded = [event for event in events if isinstance(event, InteractionRecorded)]
    return [(event.external_id, event.resource, event.text) for event in recorded]


def test_lines_made_elsewhere_get_the_verdicts_of_lines_made_here(
    backend: Backend, tmp_path: Path
) -> None:
    """Recorded, repeated, in conflict or refused: with helpers and without, all over again."""
    folder = tmp_path / "plain"
    folder.mkdir()
    with opened(sqlite_backend(folder)) as plain:
        expected = [verdicts_of(plain, Import(SOURCE), MIXED) for _ in range(2)]
        stands = told(plain)
    with opened(backend) as composition, opened(backend) as second:
        work = Import(SOURCE)
        work.helpers = Beside(second, work)
        assert [verdicts_of(composition, work, MIXED) for _ in range(2)] == expected
        assert told(composition) == stands


def test_an_erasure_voids_what_was_sealed_elsewhere(backend: Backend) -> None:
    """Units that were sealed before a fence was raised are sealed again, and none is lost."""
    lines = [line(number) for number in range(60)]
    with opened(backend) as composition, opened(backend) as second:
        work = Import(SOURCE)
        work.helpers = beside = Beside(second, work)
        run(work.run(composition.services, parts([line(100)]), None))
        unit = second.ledger.unit(said(), BY_ROSA)
        beside.then = lambda: second.log.raise_fence(unit)
        summary = run(work.run(composition.services, parts(lines), None))
        assert (summary["recorded"], composition.log.fence()) == (60, 1)
        assert [key for key, *_ in told(composition)][2:] == [f"old-{n}" for n in range(60)]


def test_a_process_that_ends_ends_the_import(backend: Backend) -> None:
    """Who lost a helper hears that the store is unavailable, and may run the import again."""
    with opened(backend) as composition:
        work = Import(SOURCE)
        author = Author(work.by, work.source)
        with ImportProcesses(settings_of(backend), author, count=1) as processes:
            work.helpers = processes
            first = run(work.run(composition.services, parts([line(1)]), None))
            processes.kill()
            with pytest.raises(StoreUnavailable):
                run(work.run(composition.services, parts([line(2)]), None))
        assert (first["recorded"], composition.log.head()) == (1, 1)


@pytest.mark.begins_early
def test_an_import_cut_off_and_run_again_is_the_ledger_of_one_that_was_not(
    backend: Backend, tmp_path: Path
) -> None:
    """Killed in mid-write, its processes end; run again, the log is the file in its order."""
    file = tmp_path / "old.ndjson"
    long = "x" * (FROM_BYTES // LINES)
    lines = [line(number, text=f"{number} {long}") for number in range(LINES)]
    file.write_bytes(b"\n".join(lines))
    with opened(backend) as composition:
        command = [sys.executable, "-m", "app", "import", str(file)]
        with subprocess.Popen(
            command, env=environment(backend), start_new_session=True, stderr=subprocess.DEVNULL
        ) as process:
            until(lambda: composition.log.head() > LINES // 10)
            process.kill()
            process.wait()
        until(lambda: not _of_session(process.pid))
        cut = composition.log.head()
    assert 0 < cut < LINES
    counts = json.loads(hilo(backend, "import", str(file), "--json").stdout)
    assert (counts["lines"], counts["recorded"]) == (LINES, LINES - cut)
    assert counts["duplicate"] == cut
    with opened(backend) as composition:
        found = told(composition)
    asked = [json.loads(one) for one in lines]
    assert found == [(one["external_id"], one["resource"], one["text"]) for one in asked]


def _of_session(session: int) -> list[int]:
    """The processes of a session that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, _, _, of, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(of) == session and state != "Z":
                found.append(int(entry.name))
    return found
