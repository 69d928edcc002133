"""`hilo backup`, `hilo restore`: copies of a ledger, and the way back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from app.cli.frame import OK, json_option, say, show, with_ledger
from app.settings import read_settings
from domain.times import format_utc

if TYPE_CHECKING:
    from app.compose import Composition


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@with_ledger(must_exist=True)
def backup(composition: Composition, folder: Path, *, as_json: bool) -> int:
    """Copy log and keys into an empty folder, while the ledger is in use."""
    from app.backing_up import back_up
    from app.compose import new_id

    made = back_up(composition, folder, new_id())
    if as_json:
        show(msgspec.to_builtins(made))
    else:
        click.echo(f"{folder}: {made.position} events")
    say(f"Delete {folder / 'keys'} by {format_utc(made.keys_until)}; erasures are complete then.")
    where = composition.keys.kek.where
    say(f"The key-encryption key ({where}) is not in it: keep a copy of it elsewhere.")
    return OK


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--data", metavar="DIR", help="Folder of the ledger (else HILO_DATA).")
@json_option
def restore(folder: Path, *, data: str | None, as_json: bool) -> int:
    """Bring a ledger back from a backup, to where there is none yet."""
    from app import backing_up
    from app.compose import entropy, new_id, open_ledger

    settings = read_settings(os.environ, data=data)
    manifest = backing_up.restore(settings, folder, entropy)
    composition = open_ledger(settings, follow=False)
    try:
        backing_up.say_so(composition, manifest, new_id())
        head = composition.log.head()
    finally:
        composition.close()
    if as_json:
        show({"ledger": str(manifest.ledger), "position": head})
    else:
        click.echo(f"{settings.data}: {head} events")
    say("What was erased after the backup was made is not known to it: see docs/erasure.md.")
    return OK
