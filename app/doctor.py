"""What `hilo doctor` looks for: what works today and will hurt one day."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.web.files import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.compose import Composition

FREE_BYTES_MIN: Final = 1 << 30
"""Free space below which a busy day could fill the disk: a million interactions and views."""

LAG_MAX: Final = 10_000
"""Events that the views may be behind before somebody should look: seconds of a busy import."""


class Finding(Struct, frozen=True):
    """What is wrong, and what to do about it."""

    what: str
    fix: str


def examine(composition: Composition) -> list[Finding]:
    """All findings, the gravest first; none where all is well."""
    return [*_keys(composition), *_views(composition), *_home(composition), *_pages()]


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
