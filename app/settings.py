"""Every setting, in one table: name, default, help. The environment beats the file.

A setting is read from `HILO_<NAME>` in the environment, else from the same name (lower case,
without the prefix) in the TOML file that `HILO_CONFIG` names, else it has its default.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, structs

from domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLLOWERS: Final = ("process", "thread")
"""Where a server may make its views."""

MAX_PORT: Final = 65_535
"""The greatest port number there is."""


MAX_KEY_BACKUP_DAYS: Final = 3_650
"""Ten years; who keeps keys longer erases nobody."""

MAX_TWIN_WINDOW_S: Final = 24 * 60 * 60
"""Records further apart than a day are of two events, whatever they look like."""

MAX_EVENTS_DIGITS: Final = 9
"""A billion events between two checkpoints is as good as never."""

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600}


class Setting(Struct, frozen=True):
    """One row of the table."""

    name: str
    default: str
    help: str


SETTINGS: Final = (
    Setting("HILO_DATA", "data", "Folder of the ledger: databases, key file, attachments."),
    Setting("HILO_HOST", "127.0.0.1", "Address that `hilo serve` listens on."),
    Setting("HILO_PORT", "8000", "Port that `hilo serve` listens on; 0 takes a free one."),
    Setting(
        "HILO_DATABASE_URL",
        "",
        "PostgreSQL URL of the log; empty keeps it in SQLite, in the folder.",
    ),
    Setting("HILO_KEYS_URL", "", "PostgreSQL URL of the keys; empty: where the log is."),
    Setting("HILO_VIEWS_URL", "", "PostgreSQL URL of the views; empty: where the log is."),
    Setting("HILO_KEK", "", "The key-encryption key itself: 32 bytes in base64."),
    Setting("HILO_KEK_FILE", "", "File with the key-encryption key; empty: `kek` in the folder."),
    Setting("HILO_PUBLIC_URL", "", "Address under which people reach Hilo; empty: host and port."),
    Setting("HILO_COUNTRY", "", "Country (ISO code, such as MX) of phone numbers without +."),
    Setting("HILO_TZ", "UTC", "Time zone (IANA name) of dates where a reader has none."),
    Setting("HILO_OWN_DOMAINS", "", "Our own mail domains, with commas: these are never contacts."),
    Setting(
        "HILO_FOLLOWER",
        "process",
        "Where `hilo serve` makes the views: in a `process` of its own, or in a `thread`.",
    ),
    Setting(
        "HILO_TWIN_WINDOW",
        "15m",
        "How far apart a record by hand and an automatic one of the same event may be: 15m, 90s.",
    ),
    Setting(
        "HILO_KEY_BACKUP_DAYS",
        "30",
        "How many days a backup's copy of the keys is kept; erasures are complete afterwards.",
    ),
    Setting(
        "HILO_BLOBS",
        "",
        "Where files are kept: a folder, or s3://bucket/prefix; empty: `blobs` in the folder.",
    ),
    Setting(
        "HILO_MEDIA_MIRROR",
        "",
        "Base URL that is asked instead of providers' hosts when files are fetched.",
    ),
    Setting(
        "HILO_SIGNER_KEY",
        "",
        "File with the key that signs checkpoints; empty: `signer/key` in the folder.",
    ),
    Setting(
        "HILO_CHECKPOINT_EVERY",
        "10s",
        "How long after an event a signed checkpoint covers it at the latest: 10s, 5m.",
    ),
    Setting(
        "HILO_CHECKPOINT_EVENTS", "10000", "After how many events a checkpoint is signed sooner."
    ),
    Setting("HILO_CHECKPOINT_DIR", "", "Folder that gets every checkpoint; best one elsewhere."),
    Setting(
        "HILO_WITNESSES",
        "",
        "Witnesses of checkpoints: URL, a space, verifier key; with commas between.",
    ),
    Setting("HILO_CONFIG", "", "TOML file with the same settings, names in lower case."),
)


class Settings(Struct, frozen=True):
    """The settings, read and checked. URLs are complete; paths are as they were given.

    `replay`: the folder holds views of that position, to be read only (app/replaying.py).
    """

    data: Path
    host: str
    port: int
    log_url: str
    keys_url: str
    views_url: str
    kek: str | None
    kek_file: Path | None
    public_url: str
    country: str | None
    zone: str
    own_domains: frozenset[str]
    follower: str = "process"
    twin_window_us: int = 15 * 60 * 1_000_000
    key_backup_days: int = 30
    replay: int | None = None
    blobs: str = ""
    media_mirror: str = ""
    signer_key: Path | None = None
    checkpoint_every_us: int = 10 * 1_000_000
    checkpoint_events: int = 10_000
    checkpoint_dir: Path | None = None
    witnesses: str = ""

    def environment(self, around: Mapping[str, str]) -> dict[str, str]:
        """An environment in which `read_settings` gives these very settings; else as `around`."""
        own = {
            "HILO_DATA": str(self.data),
            "HILO_HOST": self.host,
            "HILO_PORT": str(self.port),
            "HILO_DATABASE_URL": self.log_url,
            "HILO_KEYS_URL": self.keys_url,
            "HILO_VIEWS_URL": self.views_url,
            "HILO_KEK": self.kek or "",
            "HILO_KEK_FILE": str(self.kek_file or ""),
            "HILO_PUBLIC_URL": self.public_url,
            "HILO_COUNTRY": self.country or "",
            "HILO_TZ": self.zone,
            "HILO_OWN_DOMAINS": ",".join(sorted(self.own_domains)),
            "HILO_FOLLOWER": self.follower,
            "HILO_TWIN_WINDOW": f"{self.twin_window_us // 1_000_000}s",
            "HILO_KEY_BACKUP_DAYS": str(self.key_backup_days),
            "HILO_BLOBS": self.blobs,
            "HILO_MEDIA_MIRROR": self.media_mirror,
            "HILO_SIGNER_KEY": str(self.signer_key or ""),
            "HILO_CHECKPOINT_EVERY": f"{self.checkpoint_every_us // 1_000_000}s",
            "HILO_CHECKPOINT_EVENTS": str(self.checkpoint_events),
            "HILO_CHECKPOINT_DIR": str(self.checkpoint_dir or ""),
            "HILO_WITNESSES": self.witnesses,
        }
        names = {setting.name for setting in SETTINGS}
        return {name: value for name, value in around.items() if name not in names} | own

    def bound_to(self, port: int) -> Settings:
        """The settings with the port that the system gave, where none was asked for (port 0)."""
        if self.port:
            return self
        given = self.public_url != _local_url(self.host, 0)
        url = self.public_url if given else _local_url(self.host, port)
        return structs.replace(self, port=port, public_url=url)

    def served_at(self, address: str | None) -> Settings:
        """The settings with the address of the server that runs, where no other one was given."""
        if address is None or self.public_url != _local_url(self.host, self.port):
            return self
        return structs.replace(self, public_url=address)

    @property
    def blob_place(self) -> str:
        """Where files are kept: `s3://…`, or a folder."""
        return self.blobs or str(self.data / "blobs")

    @property
    def blob_folder(self) -> Path:
        """A folder of this machine for files on their way in; where it can be, beside the rest."""
        in_bucket = self.blobs.startswith("s3://")
        return self.data / "blobs" if in_bucket else Path(self.blob_place)

    @property
    def signer_file(self) -> Path:
        """The file of the key that signs checkpoints."""
        return self.signer_key or self.data / "signer" / "key"

    @property
    def embedded(self) -> bool:
        """Whether the log lies in the data folder, in SQLite."""
        return self.log_url.startswith("sqlite")


def _local_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def read_settings(environment: Mapping[str, str], **given: str | None) -> Settings:
    """Settings from the command line's own words, the environment, the file and the defaults.

    `given` has lower-case names without prefix. Raises InvalidInput naming the setting.
    """
    values = _collected(environment, given)
    data = Path(values["data"])
    log_url = values["database_url"] or f"sqlite:///{data / 'ledger.db'}"
    beside = values["database_url"]
    host, port = values["host"], _port(values["port"])
    return Settings(
        data=data,
        host=host,
        port=port,
        log_url=_url("HILO_DATABASE_URL", log_url),
        keys_url=_url(
            "HILO_KEYS_URL", values["keys_url"] or beside or f"sqlite:///{data / 'keys.db'}"
        ),
        views_url=_url(
            "HILO_VIEWS_URL", values["views_url"] or beside or f"sqlite:///{data / 'views.db'}"
        ),
        kek=values["kek"] or None,
        kek_file=Path(values["kek_file"]) if values["kek_file"] else None,
        public_url=(values["public_url"] or _local_url(host, port)).rstrip("/"),
        country=_country(values["country"]),
        zone=_zone(values["tz"]),
        own_domains=frozenset(
            domain.strip().lower() for domain in values["own_domains"].split(",") if domain.strip()
        ),
        follower=_follower(values["follower"]),
        twin_window_us=_window_us(values["twin_window"]),
        key_backup_days=_days(values["key_backup_days"]),
        blobs=_blobs(values["blobs"]),
        media_mirror=_mirror(values["media_mirror"]),
        signer_key=Path(values["signer_key"]) if values["signer_key"] else None,
        checkpoint_every_us=_window_us(values["checkpoint_every"], "HILO_CHECKPOINT_EVERY"),
        checkpoint_events=_events(values["checkpoint_events"]),
        checkpoint_dir=Path(values["checkpoint_dir"]) if values["checkpoint_dir"] else None,
        witnesses=values["witnesses"],
    )


def _collected(environment: Mapping[str, str], given: Mapping[str, str | None]) -> dict[str, str]:
    """Each setting's text by its lower-case name, the strongest source first."""
    path = given.get("config") or environment.get("HILO_CONFIG", "")
    file = _file(Path(path)) if path else {}
    names = {setting.name.removeprefix("HILO_").lower(): setting for setting in SETTINGS}
    for name in file:
        if name not in names:
            raise InvalidInput.one(name, "unknown_setting", f"{path} has an unknown setting")
    return {
        name: given.get(name) or environment.get(setting.name) or file.get(name, setting.default)
        for name, setting in names.items()
    }


def _file(path: Path) -> dict[str, str]:
    try:
        read = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput.one("HILO_CONFIG", "bad_file", f"{path}: {error}") from error
    return {
        name: ",".join(value) if isinstance(value, list) else str(value)
        for name, value in read.items()
    }


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= MAX_PORT:
        return int(text)
    raise InvalidInput.one("HILO_PORT", "bad_port", "write a port number, such as 8000")


def _url(name: str, url: str) -> str:
    if urlsplit(url).scheme in {"sqlite", "postgresql", "postgres"}:
        return url.replace("postgres://", "postgresql://", 1)
    raise InvalidInput.one(name, "bad_url", "write postgresql://user@host/database")


def _follower(text: str) -> str:
    if text in FOLLOWERS:
        return text
    raise InvalidInput.one("HILO_FOLLOWER", "bad_follower", "write `process` or `thread`")


def _country(text: str) -> str | None:
    if not text:
        return None
    if len(text) == 2 and text.isascii() and text.isalpha():  # noqa: PLR2004 - ISO 3166 alpha-2
        return text.upper()
    raise InvalidInput.one("HILO_COUNTRY", "bad_country", "write two letters, such as MX")


def _events(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text[:MAX_EVENTS_DIGITS]) > 0:
        return int(text[:MAX_EVENTS_DIGITS])
    message = "write a number of events, such as 10000"
    raise InvalidInput.one("HILO_CHECKPOINT_EVENTS", "bad_number", message)


def _window_us(text: str, name: str = "HILO_TWIN_WINDOW") -> int:
    """A length of time in µs."""
    found = re.fullmatch(r"(\d{1,6})([smh])", text)
    length_s = int(found[1]) * _SECONDS[found[2]] if found else MAX_TWIN_WINDOW_S + 1
    if length_s <= MAX_TWIN_WINDOW_S:
        return length_s * 1_000_000
    message = "write a length of time up to a day, such as 15m, 90s or 2h"
    raise InvalidInput.one(name, "bad_duration", message)


def _days(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MAX_KEY_BACKUP_DAYS:
        return int(text)
    message = f"write a number of days, 1 to {MAX_KEY_BACKUP_DAYS}"
    raise InvalidInput.one("HILO_KEY_BACKUP_DAYS", "bad_days", message)


def _blobs(text: str) -> str:
    if "://" not in text or re.fullmatch(r"s3://[^/\s]+(/\S*)?", text):
        return text
    raise InvalidInput.one("HILO_BLOBS", "bad_url", "write a folder, or s3://bucket/prefix")


def _mirror(text: str) -> str:
    if not text or re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", text):
        return text.rstrip("/")
    raise InvalidInput.one("HILO_MEDIA_MIRROR", "bad_url", "write https://host or http://host")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = "write an IANA name, such as America/Mexico_City"
        raise InvalidInput.one("HILO_TZ", "bad_zone", message) from error
    return name
