"""What was known at a time, and a server over it that changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import tokens
from api.auth import SYSTEM
from app.cli import run as hilo
from app.compose import open_ledger
from app.replaying import opened_as_replay
from app.server import application
from app.settings import read_settings
from domain.commands import By
from domain.errors import WrongState
from domain.times import format_utc
from tests.app.erasing import LUIS, erase, quick_scrub, tell
from tests.app.ledgers import TurnedClock, opened, run
from tests.app.test_key_care import words
from tests.backends import Backend
from tests.domain.commands import BY_TOKEN, NOON, said

__all__ = ["quick_scrub"]

pytestmark = pytest.mark.usefixtures("quick_scrub")


HOUR = 3_600_000_000


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The rows that a command printed."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_was_known_and_what_had_happened(
    backend: Backend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As of a time or position, by either clock, whole or of one contact; and the difference."""
    options = words(backend, monkeypatch)
    clock = TurnedClock(NOON + HOUR)
    with opened(backend, clock) as at:
        ana = tell(at, "one", "uno")
        clock.now += HOUR
        late = said("tarde", key="two", external_id="two", occurred_at=NOON - HOUR)
        run(at.ledger.record(late, BY_TOKEN))
        tell(at, "three", "otro", resource=LUIS)
    then, later = format_utc(NOON + HOUR), format_utc(NOON + 2 * HOUR)
    capsys.readouterr()
    assert hilo(["replay", "--as-of", then, *options]) == 0
    assert [row["text"] for row in lines(capsys)] == ["uno"]
    assert hilo(["replay", "--as-of", then, "--by", "occurred", *options]) == 0
    assert [row["text"] for row in lines(capsys)] == ["tarde", "uno", "otro"]
    assert hilo(["replay", "--contact", str(ana), "--position", "2", *options]) == 0
    assert [row["id"] for row in lines(capsys)] == [2, 1]
    assert hilo(["replay", "--interaction", "3", "--position", "3", *options]) == 0
    assert [row["text"] for row in lines(capsys)] == ["otro"]
    assert hilo(["replay", "--interaction", "3", "--position", "2", *options]) == 3
    diff = ["replay", "--as-of", then, "--diff"]
    assert hilo([*diff, then, *options]) == 0
    assert lines(capsys) == []
    assert hilo([*diff, later, "--contact", str(ana), *options]) == 1
    [came] = lines(capsys)
    assert (came["id"], came["change"], came["before"]) == (2, "came", None)
    folder = tmp_path / "out"
    assert hilo(["replay", "--position", "3", "--to", str(folder), *options]) == 0
    assert len((folder / "rows.ndjson").read_text().splitlines()) == 3
    assert hilo(["replay", "--position", "3", "--to", str(folder), *options]) == 4
    for wrong in ([], ["--position", "1", "--as-of", then], ["--as-of", "ayer"]):
        assert hilo(["replay", *wrong, *options]) == 2
    assert not list(backend.folder.glob("replay-*"))


def test_a_replay_is_served_to_be_read_only(
    backend: Backend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A folder with the views of a position answers like a server of then, and changes nothing."""
    options = words(backend, monkeypatch)
    folder = tmp_path / "then"
    with opened(backend) as at:
        ana = tell(at, "one", "uno", contact_name="Ana")
        wanted = tokens.NewToken("auditor", ("admin",), None, None)
        secret, _ = run(tokens.issue(at.services, wanted, By(SYSTEM)))
        position = at.log.head()
        tell(at, "two", "dos", contact_name="Ana María")
        head = at.log.head()
    command = ["rebuild", "--to-position", str(position), "--to", str(folder), *options]
    assert hilo(command) == 0
    assert hilo(command) == 4
    assert hilo(["rebuild", "--to", str(folder), *options]) == 2
    given = {"HILO_DATABASE_URL": "" if backend.kind == "sqlite" else backend.log_url}
    settings = opened_as_replay(read_settings(given, data=str(folder)))
    assert settings.replay == position
    composition = open_ledger(settings, follow=False)
    try:
        with pytest.raises(WrongState):
            tell(composition, "three")
        run(_read_only(composition, secret, str(ana)))
        assert composition.log.head() == head
    finally:
        composition.close()
    with opened(backend) as at:
        certificate = erase(at, ana)
        assert any(str(folder) in line for line in certificate["outstanding"])
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
        at.eraser.settle_here()
        intent = at.eraser.erasures.of_contact(ana)
        assert intent is not None
        assert at.eraser.outstanding(intent) == []


async def _read_only(composition: Any, secret: str, contact: str) -> None:  # noqa: ANN401 - a composition
    built = application(composition)
    headers = {"Authorization": f"Bearer {secret}"}
    async with built.router.lifespan_context(built):
        transport = httpx.ASGITransport(built)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://h", headers=headers
        ) as client:
            answer = await client.get(f"/v1/contacts/{contact}")
            assert answer.status_code == 200, answer.text
            assert (answer.json()["name"], answer.json()["interactions"]) == ("Ana", 1)
            assert answer.headers["hilo-position"] == str(composition.settings.replay)
            for method, path in (
                ("POST", "/v1/interactions"),
                ("PATCH", f"/v1/contacts/{contact}"),
                ("POST", f"/v1/contacts/{contact}/erasure"),
                ("POST", "/channels/whatsapp/x"),
            ):
                refused = await client.request(method, path, json={})
                assert refused.status_code == 409
                assert refused.json()["type"] == "urn:hilo:problem:state"
                assert "can be read" in refused.json()["detail"]
                assert refused.json()["request_id"]
