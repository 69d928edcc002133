"""`hilo log`, as people type it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from api.terms import append_reader
from app.cli import run
from app.compose import open_ledger
from app.settings import read_settings
from domain.commands import By
from domain.events import Actor, InteractionRecorded

Hilo = Callable[..., tuple[int, str, str]]

CALL = (
    *("log", "--channel", "call", "--direction", "inbound"),
    *("--resource", "tel:+525512345678", "--destination", "tel:+525598765432"),
)


@pytest.fixture
def hilo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Hilo:
    """Runs a command on a ledger of the test's own: exit code, stdout, stderr."""
    monkeypatch.setenv("HILO_DATA", str(tmp_path))
    monkeypatch.setenv("HILO_TZ", "America/Mexico_City")

    def typed(*words: str) -> tuple[int, str, str]:
        code = run(words)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return typed


def stands(folder: Path, id: str) -> InteractionRecorded:
    """The interaction with an id."""
    composition = open_ledger(read_settings({}, data=str(folder)), follow=False)
    try:
        entry = composition.log.entry(int(id))
        assert entry is not None
        assert isinstance(entry.event, InteractionRecorded)
        return entry.event
    finally:
        composition.close()


def test_a_call_is_written_down(
    hilo: Hilo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id is printed, alone; every option stands in the interaction."""
    monkeypatch.setattr("sys.stdin", io.StringIO("Pidió cita\n"))
    more = (
        *("--occurred-at", "2025-11-22 09:15", "--text", "-", "--call-seconds", "125"),
        *("--call-outcome", "answered", "--attended-by", "Rosa", "--department", "Ventas"),
        *("--alias", "mailto:ana@example.com", "--details", '{"placas": "ABC"}'),
        *("--participant", "cc=mailto:luis@example.com,Luis", "--contact-name", "Ana"),
    )
    code, out, err = hilo(*CALL, *more)
    assert code == 0, err
    found = stands(tmp_path, out.strip())
    assert (found.source, found.origin, found.time_source) == ("manual", "manual", "typed")
    assert (found.offset_min, found.text, found.contact_name) == (-360, "Pidió cita", "Ana")
    assert found.call is not None
    assert (found.call.seconds, found.department) == (125, "ventas")
    assert found.details == b'{"placas":"ABC"}'


def test_typed_twice_it_is_two_unless_it_has_a_key(hilo: Hilo) -> None:
    """Without a key each is its own; with one it is the first, and other words are refused."""
    assert hilo(*CALL)[1] != hilo(*CALL)[1]
    keyed = (*CALL, "--external-id", "1", "--occurred-at", "2025-11-22T09:15:00-06:00")
    first = hilo(*keyed)
    assert hilo(*keyed) == first
    again = json.loads(hilo(*keyed, "--json")[1])
    assert (again["id"], again["duplicate"]) == (int(first[1]), True)
    assert hilo(*keyed, "--text", "otro")[0] == 4


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--occurred-at", "ayer"), "occurred_at"),
        (("--resource", "nadie"), "resource"),
        (("--participant", "luis"), "participant"),
        (("--details", "{"), "details"),
        (("--channel", "fax"), "fax"),
    ],
)
def test_what_is_wrong_is_named(hilo: Hilo, more: tuple[str, str], told: str) -> None:
    """A wrong option exits with 2, and says which one it is."""
    code, out, err = hilo(*CALL, *more)
    assert (code, out) == (2, "")
    assert told in err


def test_a_walk_in_is_at_the_main_place(hilo: Hilo, tmp_path: Path) -> None:
    """Who comes in comes to the branch that there is."""
    words = ("--channel", "walk_in", "--direction", "inbound", "--resource", "tel:+525512345678")
    code, out, err = hilo("log", *words)
    assert code == 0, err
    assert stands(tmp_path, out.strip()).destination == "place:main"


REPORTED = (
    *("log", "--channel", "call", "--direction", "inbound", "--check-twins"),
    *("--resource", "tel:+525512345678", "--destination", "tel:+525598765432"),
    *("--occurred-at", "2025-11-22T09:15:00-06:00"),
)


def report_call(folder: Path) -> int:
    """The id of a call that a channel reported at a quarter past nine."""
    composition = open_ledger(read_settings({}, data=str(folder)), follow=False)
    try:
        body = {
            "channel": "call",
            "direction": "inbound",
            "source": "twilio_voice:AC1",
            "external_id": "CA1",
            "resource": "tel:+525512345678",
            "destination": "tel:+525598765432",
            "occurred_at": "2025-11-22T09:14:30-06:00",
        }
        services = composition.services
        read = append_reader(services.ledger, services.clock, None)
        command = read(json.dumps(body).encode(), "twilio_voice:AC1", "CA1")
        return asyncio.run(services.ledger.record(command, By(Actor("channel", "twilio")))).id
    finally:
        composition.close()


def test_what_a_channel_reported_is_shown_before_it_is_logged(hilo: Hilo, tmp_path: Path) -> None:
    """Nothing is written unless a person says that it is the same, or another."""
    reported = report_call(tmp_path)
    code, out, err = hilo(*REPORTED)
    assert (code, out) == (4, "")
    assert f"#{reported}" in err
    code, out, _ = hilo(*REPORTED, "--json")
    assert (code, [one["id"] for one in json.loads(out)["twins"]]) == (4, [reported])
    code, out, err = hilo(*REPORTED, "--twin-of", str(reported), "--text", "Pidió cita")
    assert code == 0, err
    assert hilo(*REPORTED)[0] == 0, "what has its twin is none of another"
    assert hilo(*REPORTED, "--twin-of", "999")[0] == 2
    assert hilo(*REPORTED, "--confirm")[0] == 0


def test_it_is_logged_in_the_name_of_a_user(hilo: Hilo, tmp_path: Path) -> None:
    """The record stands for the user whose name it is; whoever is none, or out, logs nothing."""
    assert hilo("user", "add", "rosa@example.mx", "--name", "Rosa", "--role", "agent")[0] == 0
    code, out, err = hilo(*CALL, "--as", "rosa@example.mx")
    assert code == 0, err
    found = stands(tmp_path, out.strip())
    assert (found.actor.kind, found.actor.id) == ("system", "hilo")
    listed = json.loads(hilo("user", "list", "--json")[1].splitlines()[0])
    assert str(found.on_behalf_of) == listed["id"]
    for nobody in ("Rosa", "luis@example.mx", "0e3c0000-0000-4000-8000-000000000000"):
        code, _, err = hilo(*CALL, "--as", nobody)
        assert (code, "is no user" in err) == (2, True)
    assert hilo("user", "add", "eva@example.mx", "--name", "Eva", "--role", "admin")[0] == 0
    assert hilo("user", "suspend", "rosa@example.mx")[0] == 0
    assert hilo(*CALL, "--as", "rosa@example.mx")[0] == 2
