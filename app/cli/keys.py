"""`hilo keys`: the key that wraps all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.frame import OK, json_option, progress, say, show, with_ledger
from app.compose import entropy
from domain.errors import Busy, WrongState
from storage.kek import add_key, drop_older
from storage.rotating import all_anew, rewrap
from storage.scrubbing import scrub

if TYPE_CHECKING:
    from pathlib import Path

    from app.compose import Composition

GIVEN = (
    "HILO_KEK holds the key itself: write the new one before it, with a comma between, start"
    " every process again, then run this."
)
LEFT = "Somebody still wraps under an old key; run this again."


@click.group()
def keys() -> None:
    """Care for the key-encryption key."""


@keys.command("rotate")
@json_option
@with_ledger(must_exist=True)
def rotate(composition: Composition, *, as_json: bool) -> int:
    """Replace the key-encryption key; no event is touched, and servers run on."""
    kek, store = composition.keys.kek, composition.keys.store
    if not kek.older:  # else one was cut off, and goes on
        if kek.file is None:
            raise WrongState(GIVEN)
        add_key(kek.file, entropy)
    before = kek.id
    with progress("key") as told:
        kek.wrap(b"", b"", entropy)  # reads the file again
        done = rewrap(store, kek, entropy, lambda count: told(count, count))
    if not all_anew(store, kek):
        raise Busy(LEFT)
    aside: list[Path] = drop_older(kek.file, entropy) if kek.file is not None else []
    scrub(composition.settings.keys_url, "hilo_keys")
    if as_json:
        show({"kek": kek.id.hex(), "before": before.hex(), "rewrapped": done})
    for path in aside:
        say(f"The old key is in {path}: keep it, elsewhere, while there are copies made with it.")
    say(f"{done} keys are wrapped by the new key-encryption key {kek.id.hex()}; keep a copy.")
    return OK
