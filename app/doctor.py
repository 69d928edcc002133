"""What `hilo doctor` looks for: what works today and will hurt one day."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.web.files import missing
from domain.times import format_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.compose import Composition
    from domain.errors import KeyMissing

FREE_BYTES_MIN: Final = 1 << 30
"""Free space below which a busy day could fill the disk: a million interactions and views."""

BACKUP_AGE_MAX_US: Final = 7 * 24 * 3_600 * 1_000_000
"""A week: what is older than the last copy of the keys would be lost with them."""

LAG_MAX: Final = 10_000
"""Events that the views may be behind before somebody should look: seconds of a busy import."""


class Finding(Struct, frozen=True):
    """What is wrong, and what to do about it."""

    what: str
    fix: str


def examine(composition: Composition) -> list[Finding]:
    """All findings, the gravest first; none where all is well."""
    return [
        *_keys(composition),
        *_copies(composition),
        *_proofs(composition),
        *_erasures(composition),
        *_views(composition),
        *_home(composition),
        *_pages(),
    ]


def _pages() -> Iterator[Finding]:
    for name in missing():
        yield Finding(
            f"The pages' script {name} was not fetched at set-up: pages work, with less comfort.",
            "run: make run (or python requirements/assets.py) where packages can be fetched",
        )


def _keys(composition: Composition) -> Iterator[Finding]:
    kek = composition.keys.kek
    if kek.in_folder:
        yield Finding(
            f"The key-encryption key lies beside the data that it protects ({kek.where}).",
            "move it where the databases are not, and give its place in HILO_KEK_FILE; keep a copy",
        )

    if kek.older:
        yield Finding(
            "The replacement of the key-encryption key was cut off: an old one is still in use.",
            "run: hilo keys rotate",
        )
    if kek.file is not None and kek.file.stat().st_mode & 0o077:
        yield Finding(
            f"Others on this machine may read the key-encryption key ({kek.where}).",
            f"run: chmod go-rwx {kek.file}",
        )


def _copies(composition: Composition) -> Iterator[Finding]:
    """Without a copy of the keys, one lost disk loses every word for ever."""
    if not composition.log.head():
        return
    last = composition.keys.erasures.last_backup()
    if last is None:
        what = "There is no copy of the log and the keys."
    elif composition.clock() - last > BACKUP_AGE_MAX_US:
        what = f"The last copy of the log and the keys is of {format_utc(last)}."
    else:
        return
    yield Finding(what, "run: hilo backup DIR, and keep DIR/log and DIR/keys in two places")


def _erasures(composition: Composition) -> Iterator[Finding]:
    for intent in composition.eraser.erasures.pending():
        yield Finding(
            f"The erasure {intent.erasure} was begun and is not completed.",
            "start `hilo serve`; it completes it",
        )
    erased = [one for one in composition.eraser.erasures.all() if one.position is not None]
    last = max((one.position or 0 for one in erased), default=0)
    for node in composition.eraser.erasures.nodes():
        if node.position < last:
            yield Finding(
                f"The views of {node.name} have not forgotten yet who was erased.",
                "start that node; if it is gone for ever, delete its files",
            )


def lost_key(error: KeyMissing) -> Finding:
    """What to say where the ledger cannot even be opened for want of its key."""
    return Finding(
        error.detail,
        "put the right key back, from where you keep a copy; without it no word of the ledger"
        " can be read ever again (docs/keys.md)",
    )


def _proofs(composition: Composition) -> Iterator[Finding]:
    settings, proofs = composition.settings, composition.proofs
    key = settings.signer_file
    if key.exists() and key.resolve().is_relative_to(settings.data.resolve()):
        yield Finding(
            f"The key that signs checkpoints lies beside the data that it vouches for ({key}).",
            "move it and what lies with it where the databases are not backed up, and give its "
            "place in HILO_SIGNER_KEY",
        )
    if proofs.store.last_checkpoint() and not composition.proving.places:
        yield Finding(
            "No place outside keeps checkpoints: whoever has this machine can make new ones.",
            "name a folder elsewhere in HILO_CHECKPOINT_DIR, or a witness in HILO_WITNESSES",
        )
    for row in proofs.store.places():
        if row.error is not None:
            yield Finding(
                f"Proofs: {row.place}: {row.error}",
                "see docs/auditing.md, and run hilo verify where it says so",
            )


def _views(composition: Composition) -> Iterator[Finding]:
    head = composition.log.head()
    for state in composition.views.state(head):
        if state.parked:
            first = state.parked[0]
            yield Finding(
                f"The views `{state.group}` could not apply event {first.position}.",
                f"update Hilo, then run: hilo rebuild {state.group}",
            )
        elif not state.serving and head:
            yield Finding(
                f"The views `{state.group}` do not serve: {state.reason}.",
                f"run: hilo rebuild {state.group}",
            )
        elif state.lag is not None and state.lag > LAG_MAX:
            yield Finding(
                f"The views `{state.group}` are {state.lag} events behind.",
                "start `hilo serve` or `hilo follow`",
            )


def _home(composition: Composition) -> Iterator[Finding]:
    folder = composition.settings.data
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES_MIN:
        yield Finding(
            f"Only {free >> 20} MiB are free where {folder} lies.", "free space, or move the folder"
        )
    mode = folder.stat().st_mode & 0o077
    if mode:
        yield Finding(
            f"Others on this machine may look into {folder}.", f"run: chmod go-rwx {folder}"
        )
