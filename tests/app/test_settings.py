"""Settings: one table, the environment over the file over the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import SETTINGS, read_settings
from domain.errors import InvalidInput


def test_defaults_are_embedded_and_local() -> None:
    """Without any setting everything lies in the folder `data`, and only this machine is served."""
    settings = read_settings({})
    assert settings.log_url == "sqlite:///data/ledger.db"
    assert settings.keys_url == "sqlite:///data/keys.db"
    assert settings.views_url == "sqlite:///data/views.db"
    assert settings.embedded
    assert settings.public_url == "http://127.0.0.1:8000"


def test_links_name_the_port_that_the_system_gave() -> None:
    """Asked for any port, the public URL has the one that was bound; a URL of one's own stays."""
    assert read_settings({"HILO_PORT": "0"}).bound_to(4711).public_url == "http://127.0.0.1:4711"
    own = {"HILO_PORT": "0", "HILO_PUBLIC_URL": "https://hilo.example.mx"}
    assert read_settings(own).bound_to(4711).public_url == "https://hilo.example.mx"
    assert read_settings({"HILO_HOST": "::1"}).public_url == "http://[::1]:8000"


def test_one_database_url_serves_all_three_stores() -> None:
    """With a URL for the log, keys and views go there too unless they have their own."""
    url = "postgresql://hilo@db/hilo"
    settings = read_settings({"HILO_DATABASE_URL": url, "HILO_VIEWS_URL": "sqlite:///views.db"})
    assert (settings.log_url, settings.keys_url) == (url, url)
    assert settings.views_url == "sqlite:///views.db"
    assert not settings.embedded


def test_environment_beats_the_file(tmp_path: Path) -> None:
    """The file gives what the environment leaves open; the command line beats both."""
    file = tmp_path / "hilo.toml"
    file.write_text('port = 9000\nhost = "::1"\nown_domains = ["Example.mx", "b.mx"]\n')
    environment = {"HILO_CONFIG": str(file), "HILO_HOST": "127.0.0.2"}
    settings = read_settings(environment, port="9001")
    assert (settings.host, settings.port) == ("127.0.0.2", 9001)
    assert settings.own_domains == {"example.mx", "b.mx"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HILO_PORT", "http"),
        ("HILO_PORT", "70000"),
        ("HILO_COUNTRY", "Mexico"),
        ("HILO_TZ", "Mexico/Nowhere"),
        ("HILO_DATABASE_URL", "mysql://db"),
        ("HILO_CONFIG", "/no/such/file.toml"),
        ("HILO_FOLLOWER", "elsewhere"),
    ],
)
def test_a_bad_value_names_its_setting(name: str, value: str) -> None:
    """What cannot be read is refused by the name of its setting."""
    with pytest.raises(InvalidInput) as caught:
        read_settings({name: value})
    assert caught.value.errors[0].field == name


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    """A misspelt setting is not silently ignored."""
    file = tmp_path / "hilo.toml"
    file.write_text("prot = 9000\n")
    with pytest.raises(InvalidInput) as caught:
        read_settings({"HILO_CONFIG": str(file)})
    assert caught.value.errors[0].field == "prot"


def test_names_are_unique() -> None:
    """No setting stands twice in the table."""
    names = [setting.name for setting in SETTINGS]
    assert len(names) == len(set(names))


def test_settings_are_handed_on_whole(tmp_path: Path) -> None:
    """A process that is begun with the environment of the settings has the very same ones."""
    file = tmp_path / "hilo.toml"
    file.write_text('port = 9000\ncountry = "MX"\nkek_file = "k"\nown_domains = ["a.mx", "b.mx"]\n')
    around = {"HILO_CONFIG": str(file), "HILO_TZ": "America/Mexico_City", "PATH": "/bin"}
    settings = read_settings(around, data=str(tmp_path), follower="thread")
    handed = settings.environment(around)
    assert handed["PATH"] == "/bin"
    assert read_settings(handed) == settings
    names = {setting.name for setting in SETTINGS} - {"HILO_CONFIG"}
    assert names <= handed.keys()
