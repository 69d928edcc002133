"""`hilo channel` and `hilo quarantine`, as people type them."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import run
from app.compose import Composition, open_ledger
from app.settings import read_settings
from channels import meta
from channels.contract import Incoming

Hilo = Callable[..., tuple[int, str, str]]

SECRETS = ("--secret", "app_secret=alpha", "--secret", "verify_token=gamma")


@pytest.fixture
def hilo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Hilo:
    """Runs a command on a ledger of the test's own: exit code, stdout, stderr."""
    monkeypatch.setenv("HILO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HILO_PUBLIC_URL", "https://hilo.example.mx")

    def typed(*words: str) -> tuple[int, str, str]:
        code = run(words)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return typed


def deliver(composition: Composition, raw: bytes) -> None:
    """Deliver to the connection as Meta does."""
    channels = composition.channels
    headers = meta.sign(raw, {"app_secret": [b"alpha"]})
    opened = channels.connections.open("whatsapp", "sur")
    asyncio.run(channels.receiver.deliver(opened, Incoming(body=raw, headers=headers)))


@pytest.fixture
def poisoned(hilo: Hilo, tmp_path: Path) -> str:
    """A ledger with one atom in quarantine; the atom's id."""
    assert hilo("channel", "add", "whatsapp", "sur", *SECRETS)[0] == 0
    composition = open_ledger(read_settings({"HILO_DATA": str(tmp_path / "data")}), follow=False)
    try:
        deliver(composition, b"<html>")
    finally:
        composition.close()
    return str(json.loads(hilo("quarantine", "list", "--json")[1])["id"])


def test_adding_prints_the_url_alone(hilo: Hilo) -> None:
    """The URL is all of stdout, details go to stderr, and no secret to either."""
    code, out, err = hilo("channel", "add", "whatsapp", "sur", "--title", "Sur", *SECRETS)
    assert (code, out) == (0, "https://hilo.example.mx/channels/whatsapp/sur\n")
    assert "Sur" in err
    assert "alpha" not in out + err
    assert hilo("channel", "add", "whatsapp", "sur", *SECRETS)[0] == 4


def test_secrets_come_from_files_and_from_standard_input(
    hilo: Hilo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """@FILE and - read the secret without the end of its line; twice is a rotation."""
    file = tmp_path / "secret.txt"
    file.write_text("alpha\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"gamma\n")))
    given = ("app_secret=beta", f"app_secret=@{file}", "verify_token=-")
    words = [word for secret in given for word in ("--secret", secret)]
    assert hilo("channel", "add", "whatsapp", "sur", *words)[0] == 0
    shown = json.loads(hilo("channel", "show", "whatsapp", "sur", "--json")[1])
    assert shown["secrets"]["app_secret"]["count"] == 2
    assert hilo("channel", "test", "whatsapp/sur")[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("whatsapp", "sur"),
        ("whatsapp", "sur", *SECRETS, "--secret", "pin=1"),
        ("whatsapp", "sur", "--secret", "app_secret"),
        ("whatsapp", "sur", *SECRETS, "--option", "topic=1"),
        ("whatsapp", "sur", "--secret", "app_secret=@nowhere", "--secret", "verify_token=1"),
        ("pigeon", "sur"),
    ],
)
def test_a_wrong_use_says_what_is_allowed(hilo: Hilo, words: tuple[str, ...]) -> None:
    """Missing and unknown names are a wrong use; the message names the allowed ones."""
    code, out, err = hilo("channel", "add", *words)
    assert (code, out) == (2, "")
    assert any(word in err for word in ("app_secret", "KEY=VALUE", "whatsapp"))
    assert "alpha" not in err


def test_connections_are_listed_shown_paused_and_removed(hilo: Hilo) -> None:
    """A connection goes its way from being added to being removed."""
    hilo("channel", "add", "whatsapp", "sur", *SECRETS)
    assert hilo("channel", "list")[1].startswith("whatsapp/sur\tactive\t")
    assert hilo("channel", "pause", "whatsapp", "sur")[0] == 0
    code, out, _ = hilo("channel", "test", "whatsapp", "sur")
    assert (code, "BAD\tstate" in out) == (1, True)
    assert hilo("channel", "pause", "whatsapp", "sur", "--resume")[0] == 0
    code, out, _ = hilo("channel", "test", "whatsapp", "sur", "--json")
    checks = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert all(check["ok"] for check in checks)
    assert '"whatsapp/sur"' in hilo("channel", "show", "whatsapp", "sur")[1]
    assert hilo("channel", "remove", "whatsapp", "sur")[0] == 0
    assert hilo("channel", "list", "--json")[1] == ""
    assert hilo("channel", "show", "whatsapp", "sur")[0] == 3
    assert hilo("channel", "pause", "whatsapp", "norte")[0] == 3


def test_the_quarantine_is_looked_at_and_retried(hilo: Hilo, poisoned: str) -> None:
    """What cannot be read is shown whole; a retry that fails again is 1."""
    assert poisoned in hilo("quarantine", "list")[1]
    assert "<html>" in hilo("quarantine", "show", poisoned)[1]
    raw = json.loads(hilo("quarantine", "show", poisoned, "--json")[1])["raw"]
    assert raw["body_base64"] == "PGh0bWw+"
    assert hilo("quarantine", "retry", poisoned)[0] == 1
    assert hilo("quarantine", "retry", "--all")[:2] == (1, "retried=0 failed=1\n")
    assert hilo("quarantine", "retry")[0] == 2


def test_the_quarantine_is_emptied(hilo: Hilo, poisoned: str) -> None:
    """Discarding needs a reason, is done once, and leaves an empty list."""
    assert hilo("quarantine", "discard", poisoned)[0] == 2
    assert hilo("quarantine", "discard", poisoned, "--reason", "a test")[0] == 0
    assert hilo("quarantine", "list")[1] == ""
    assert hilo("quarantine", "discard", poisoned, "--reason", "a test")[0] == 4
    assert hilo("quarantine", "retry", "--all")[:2] == (0, "retried=0 failed=0\n")
    assert hilo("quarantine", "show", "nothing")[0] == 3


def test_a_channel_without_a_url_shows_its_place(hilo: Hilo) -> None:
    """Of a listener and a mailbox the place is printed; a wrong option is 2, a dead place 1."""
    listen = ("--option", "listen=127.0.0.1:1", "--option", "recipients=@taller.mx")
    assert hilo("channel", "add", "smtp", "mta", *listen)[:2] == (0, "smtp://127.0.0.1:1\n")
    mailbox = ("--secret", "password=clave", "--option", "host=127.0.0.1", "--option", "user=ana")
    code, out, err = hilo("channel", "add", "imap", "ana", *mailbox, "--option", "port=1")
    assert (code, out) == (0, "imaps://ana@127.0.0.1:1/INBOX\n")
    assert "clave" not in err
    code, _, err = hilo("channel", "add", "imap", "bad", *mailbox, "--option", "tls=x")
    assert (code, "options.tls" in err) == (2, True)
    topic = "topic_arn=arn:aws:sns:us-east-1:123456789012:mail"
    code, out, _ = hilo("channel", "add", "ses", "main", "--option", topic)
    assert (code, out) == (0, "https://hilo.example.mx/channels/ses/main\n")
    assert "smtp/mta\tactive\tmta\tsmtp://127.0.0.1:1" in hilo("channel", "list")[1]
    codes = [hilo("channel", "test", *place) for place in (("smtp", "mta"), ("imap", "ana"))]
    assert [code for code, _, _ in codes] == [1, 1]
    assert hilo("channel", "test", "ses", "main")[0] == 0
