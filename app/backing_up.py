"""Backups: log and keys in folders of their own, since they are kept for different times.

    DIR/backup.json   what it is, when it was made, at which position, until when the keys are kept
    DIR/log/          the log's store
    DIR/keys/         the keys' store: to be kept elsewhere than the log, and deleted in time
    DIR/files/        folders beside the databases: attachments, certificates

The key-encryption key is in none of them.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from api.auth import SYSTEM
from domain.commands import By
from domain.errors import NotFound, WrongState
from domain.events import LedgerRestored
from domain.times import format_utc
from storage import keystore, schema
from storage.copying import Copied, bring_back, copy_store, is_empty
from storage.kek import KekPlaces, find_kek
from storage.keystore import KeyStore
from storage.log import open_store

if TYPE_CHECKING:
    from app.compose import Composition
    from app.settings import Settings
    from domain.ports import Entropy

MANIFEST: Final = "backup.json"
FORMAT: Final = 1
DAY_US: Final = 24 * 3_600 * 1_000_000

FOLDERS: Final = ("blobs", "erasures")
"""Folders of the data folder that are copied along; what lies in them is never changed."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What a backup says of itself. Versions are those of the stores' tables; times in µs."""

    format: int
    ledger: UUID
    made_at: int
    position: int
    keys_until: int
    kek: str
    versions: tuple[int, int]
    log: Copied
    keys: Copied


def back_up(composition: Composition, folder: Path, backup: UUID) -> Manifest:
    """Copy a ledger into a folder that is empty or not there yet, while it is in use.

    Raises WrongState for a folder with something in it, StoreUnavailable.
    """
    if folder.exists() and any(folder.iterdir()):
        message = f"{folder} is not empty."
        raise WrongState(message)
    settings, keys = composition.settings, composition.keys
    made_at = composition.clock()
    until = made_at + settings.key_backup_days * DAY_US
    # Before there is a copy: an erasure names it, whatever becomes of this process.
    keys.erasures.backed_up(backup, made_at, until)
    position = composition.log.head()  # the copy has this one, and perhaps a few more
    log = copy_store(settings.log_url, schema.SCHEMA, folder / "log")
    copied = copy_store(settings.keys_url, keystore.SCHEMA, folder / "keys")
    for name in FOLDERS:
        if (settings.data / name).is_dir():
            shutil.copytree(settings.data / name, folder / "files" / name)
    manifest = Manifest(
        format=FORMAT,
        ledger=keys.identity.id,
        made_at=made_at,
        position=position,
        keys_until=until,
        kek=keys.kek.id.hex(),
        versions=(schema.SCHEMA_VERSION, keystore.SCHEMA_VERSION),
        log=log,
        keys=copied,
    )
    shown = {**msgspec.to_builtins(manifest), "made": format_utc(made_at)}
    (folder / MANIFEST).write_text(json.dumps(shown, indent=2), "utf-8")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """What a backup says of itself. Raises NotFound, and WrongState for one of another version."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        message = f"There is no backup in {folder}."
        raise NotFound(message) from error
    if (manifest.format, manifest.versions) != (
        FORMAT,
        (schema.SCHEMA_VERSION, keystore.SCHEMA_VERSION),
    ):
        message = "This backup was made by another version of Hilo; restore it with that one."
        raise WrongState(message)
    return manifest


def restore(settings: Settings, folder: Path, entropy: Entropy) -> Manifest:
    """Bring a backup back to where there is no ledger yet. The views are made by who follows.

    Raises NotFound, WrongState (something is there), KeyMissing (not the key that wrapped its
    keys), StoreUnavailable. Nothing is written before all of that is known.
    """
    manifest = read_manifest(folder)
    for url, name in ((settings.log_url, schema.SCHEMA), (settings.keys_url, keystore.SCHEMA)):
        if not is_empty(url, name):
            message = "There is a ledger already; restore to an empty folder or database."
            raise WrongState(message)
    places = KekPlaces(settings.kek, settings.kek_file, settings.data)
    find_kek(places, entropy, may_make=False).check(bytes.fromhex(manifest.kek))
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if manifest.log.kind == "postgresql" and not settings.embedded:
        _make_tables(settings)
    bring_back(settings.keys_url, keystore.SCHEMA, folder / "keys", manifest.keys)
    bring_back(settings.log_url, schema.SCHEMA, folder / "log", manifest.log)
    for name in FOLDERS:
        if (folder / "files" / name).is_dir():
            shutil.copytree(folder / "files" / name, settings.data / name, dirs_exist_ok=True)
    return manifest


def say_so(composition: Composition, manifest: Manifest, id_: UUID) -> None:
    """Have the log say that it was restored."""
    event = LedgerRestored(
        originator_id=composition.keys.derive.id("restored", id_),
        originator_version=1,
        actor=SYSTEM,
        taken_at=manifest.made_at,
        position=manifest.position,
    )
    asyncio.run(composition.ledger.state(event, By(SYSTEM)))


def _make_tables(settings: Settings) -> None:
    open_store(settings.log_url, int).close()  # its clock is never asked: nothing is appended
    KeyStore(settings.keys_url).close()
