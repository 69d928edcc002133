"""A real standby: what it lacks is not signed, and what is signed it has when it is promoted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from domain.errors import OutcomeUnknown
from storage import standby
from tests.app.ledgers import TurnedClock, opened
from tests.audit.attacks import fill, signed
from tests.backends import postgresql_backend
from tests.postgres import Server
from tests.standby import asked, standing_by


def test_only_what_the_standby_has_is_signed(
    postgres_server: Server, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only the primary has waits for its signature; no promotion loses a signed event."""
    monkeypatch.setattr(standby, "FLUSHED_S_MAX", 0.2)
    clock = TurnedClock()
    database = postgres_url.rpartition("/")[2]
    with (
        opened(postgresql_backend(tmp_path, postgres_url), clock) as composition,
        standing_by(postgres_server) as pair,
    ):
        fill(composition, clock, 3)
        assert signed(composition) == 3
        with pair.held():
            unsure: list[Exception] = []

            def append() -> None:
                try:
                    fill(composition, clock, 1, start=4)
                except OutcomeUnknown as error:
                    unsure.append(error)

            appending = threading.Thread(target=append)
            appending.start()
            pair.give_up()
            appending.join()
            assert unsure  # nobody was told that it is recorded
            assert composition.log.head() == 4  # though on the primary it is
            assert signed(composition) == 3
            [row] = [row for row in composition.proofs.store.places() if row.error]
            assert (row.place, "standby" in (row.error or "")) == ("signer", True)
        monkeypatch.setattr(standby, "FLUSHED_S_MAX", 20.0)
        assert signed(composition) == 4
        assert not [row for row in composition.proofs.store.places() if row.error]
        promoted = pair.promoted()
        assert asked(promoted, "SELECT position FROM hilo_log.head", database) == [(4,)]
