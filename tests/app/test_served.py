"""Where a server of a data folder can be reached: other commands read it there."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import run
from app.served import ADDRESS, address_of, told
from app.settings import read_settings


def test_commands_name_the_address_of_the_server_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Webhooks are printed under it, unless another one was given; a server that died is none."""
    data = tmp_path / "data"
    monkeypatch.setenv("HILO_DATA", str(data))
    words = ("channel", "add", "whatsapp")
    secrets = ("--secret", "app_secret=a", "--secret", "verify_token=b")

    def added(name: str) -> str:
        assert run((*words, name, *secrets)) == 0
        return capsys.readouterr().out.strip()

    assert added("one") == "http://127.0.0.1:8000/channels/whatsapp/one"
    with told(data, "http://127.0.0.1:41234"):
        with told(data, "http://127.0.0.1:49999"):  # a second server of the same folder
            assert address_of(data) == "http://127.0.0.1:41234"
        assert added("two") == "http://127.0.0.1:41234/channels/whatsapp/two"
        monkeypatch.setenv("HILO_PUBLIC_URL", "https://hilo.example.mx")
        assert added("three") == "https://hilo.example.mx/channels/whatsapp/three"
    assert not (data / ADDRESS).exists()
    (data / ADDRESS).write_text("http://127.0.0.1:41234")  # as it is left by one that was killed
    assert address_of(data) is None
    settings = read_settings({"HILO_PORT": "0"})
    assert settings.served_at(None) is settings
    assert settings.served_at("http://127.0.0.1:5").public_url == "http://127.0.0.1:5"
