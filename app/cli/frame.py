"""What all commands share: options, messages, exit codes, progress."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import threading
import time
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import click

from app.settings import read_settings
from domain.errors import (
    HiloError,
    InvalidInput,
    KeyMissing,
    NewerData,
    NotFound,
    NotYet,
    StartupRefused,
    StateConflict,
    Unavailable,
)
from domain.values import echo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from app.compose import Composition

OK: Final = 0
BAD: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
REFUSED: Final = 4
UNREACHABLE: Final = 5
NEWER: Final = 6

_EXIT_CODES: Final[tuple[tuple[type[HiloError], int], ...]] = (
    (InvalidInput, USAGE),
    (NotFound, NOT_FOUND),
    (StateConflict, REFUSED),
    (NewerData, NEWER),
    (KeyMissing, UNREACHABLE),
    (StartupRefused, UNREACHABLE),
    (Unavailable, UNREACHABLE),
)

YOUNG_OBJECTS: Final = 5_000
"""Objects between two looks of the collector: what a few hundred commands in flight are made of;
more often it would find nearly all of them alive."""

LOOK_S_MAX: Final = 30.0
"""How long a command waits for a server's views; a second behind the log is much."""

LOOK_EVERY_S: Final = 0.05
"""How often it looks."""

LEAVE_S: Final = 9.0
"""How long a process that was told to stop may take in all: less than the ten seconds after which
a supervisor kills. A database that keeps silent would hold it for ever."""

CallableT = TypeVar("CallableT", bound="Callable[..., Any]")

json_option: Final = click.option(
    "--json", "as_json", is_flag=True, help="Data as JSON, one a line."
)
"""The option that every command has for programs that read what it prints."""


def exit_code_of(error: HiloError) -> int:
    """The exit code that an error ends a command with."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), BAD)


def say(message: str) -> None:
    """A message for the person at the terminal; never data."""
    click.echo(message, err=True)


def show(value: object) -> None:
    """One line of data: JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def require_one_or_all(id: str | None, *, everything: bool) -> None:
    """Raise UsageError where a command that takes one id, or `--all`, has neither or both."""
    if (id is None) is not everything:
        message = "name one ID, or --all"
        raise click.UsageError(message)


def id_of(text: str, missing: str) -> UUID:
    """The id that somebody typed. Raises NotFound with `missing`, the text in its `{}`."""
    from api.parameters import uuid_of

    found = uuid_of(text)
    if found is None:
        raise NotFound(missing.format(echo(text)))
    return found


def with_ledger(
    *, follow: bool = False, must_exist: bool = False
) -> Callable[[CallableT], CallableT]:
    """A command that works on a ledger: takes `--data`, gets the opened composition first.

    With `must_exist` it makes no ledger: whoever examines a folder that has none mistyped it.
    """

    def decorate(command: CallableT) -> CallableT:
        @click.option("--data", metavar="DIR", help="Folder of the ledger (else HILO_DATA).")
        @wraps(command)
        def opened(*args: Any, data: str | None, **options: Any) -> Any:  # noqa: ANN401 - passes through
            if must_exist:
                require_ledger(data)
            composition = open_here(data, follow=follow)
            try:
                return command(composition, *args, **options)
            finally:
                composition.close()

        return opened  # type: ignore[return-value]  # click reads the options off it

    return decorate


def require_ledger(data: str | None) -> None:
    """Raise NotFound where the data folder should hold a ledger, and holds none."""
    settings = read_settings(os.environ, data=data)
    path = urlsplit(settings.log_url).path.removeprefix("/")
    if settings.embedded and not Path(path).is_file():
        message = f"There is no ledger in {settings.data}; hilo serve makes one."
        raise NotFound(message)


def settle_memory() -> None:
    """Have the garbage collector look at what comes from now on, and less often.

    What a process has made until it begins its work stays as long as it does; to walk through
    all of it again and again cost an import a tenth of its time, in pauses of 0.1 s.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def leave_soon(last: Callable[[], None] | None = None) -> None:
    """End this process within `LEAVE_S`, even where a store does not let go of it.

    Whatever was acknowledged is durable already; what still waits was never acknowledged.
    `last` is called before it is left.
    """

    def leave() -> None:
        if last is not None:
            last()
        logging.getLogger("hilo").error("a store does not answer; left without waiting for it")
        os._exit(UNREACHABLE)

    timer = threading.Timer(LEAVE_S, leave)
    timer.daemon = True
    timer.start()


def open_here(data: str | None, *, follow: bool = False, polite: bool = False) -> Composition:
    """The ledger that the environment and `--data` name; `polite` for importers."""
    from app.compose import open_ledger
    from app.served import address_of

    settings = read_settings(os.environ, data=data)
    settings = settings.served_at(address_of(settings.data))
    composition = open_ledger(settings, follow=follow, polite=polite)
    settle_memory()
    return composition


def look(composition: Composition, *groups: str) -> None:
    """Have the core views hold all that the log holds, and those of the groups that are named.

    Where another process follows, it is waited for. Raises NotYet where that takes too long.
    """
    head = composition.log.head()
    core, *beside = zip(
        composition.groups, (composition.follower, *composition.beside), strict=True
    )
    for group, follower in (core, *(one for one in beside if one[0].name in groups)):
        give_up_at = time.monotonic() + LOOK_S_MAX
        follower.catch_up()
        while _position(composition, group.name) < head:
            if time.monotonic() > give_up_at:
                message = f"A server is making the views of `{group.name}`; try again later."
                raise NotYet(message)
            time.sleep(LOOK_EVERY_S)
            follower.catch_up()
        follower.release()


def _position(composition: Composition, group: str) -> int:
    try:
        return composition.views.position(group)
    except NotYet:
        return -1


def look_everywhere(composition: Composition) -> None:
    """The same, of all groups that were ever built."""
    serving = composition.views.serving
    look(composition, *(group.name for group in composition.groups if serving(group.name)))


@contextmanager
def progress(unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, told (done, total); silent where nobody looks."""
    from tqdm import tqdm

    with tqdm(unit=unit, unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

        def told(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield told
