"""Connections: our ends of provider accounts, each with its own URL and its own secrets."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from channels.registry import CHANNELS
from domain.errors import FieldError, InvalidInput, NotFound, WrongState
from domain.values import echo
from storage.connections import ACTIVE, PAUSED, REMOVED, Connection, ConnectionBook, Handled
from storage.lru import ExpiringLru

if TYPE_CHECKING:
    from channels.contract import ChannelModule, Secrets
    from domain.ports import Clock
    from storage.credentials import ConnectionSecrets, SecretFact

NAME_MAX_CHARS: Final = 64
"""Length of a connection's name: it stands in a URL that people copy."""

TITLE_MAX_CHARS: Final = 200
"""Length of its title (contract 2.2, names)."""

SECRET_MAX_BYTES: Final = 16 * 1024
"""Size of a secret: the largest are certificates."""

REMEMBERED_S: Final = 0.9
"""How long a connection is taken for what it was: a change is in force within a second."""

REMEMBERED_MAX: Final = 256
"""Connections remembered at one time; a company has a handful."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")


class Draft(Struct, frozen=True, kw_only=True):
    """A connection to add. A secret that stands twice is a rotation: the last one is today's."""

    channel: str
    name: str
    title: str | None = None
    department: str | None = None
    secrets: Mapping[str, Sequence[bytes]] = {}
    options: Mapping[str, str] = {}


class Change(Struct, frozen=True, kw_only=True):
    """What is changed of a connection; None leaves it, and an empty department takes it away."""

    title: str | None = None
    department: str | None = None
    state: str | None = None
    secrets: Mapping[str, Sequence[bytes]] = {}
    options: Mapping[str, str] = {}


class Opened(Struct, frozen=True):
    """A connection that something arrives at: its module and its secrets with it."""

    connection: Connection
    module: ChannelModule
    secrets: Secrets


class Connections:
    """The connections of one ledger; safe between threads."""

    def __init__(self, book: ConnectionBook, secrets: ConnectionSecrets, clock: Clock) -> None:
        self.book = book
        self._secrets = secrets
        self._clock = clock
        self._opened = ExpiringLru[str, Opened](REMEMBERED_MAX, REMEMBERED_S, time.monotonic)

    def open(self, channel: str, name: str) -> Opened:
        """A connection for what arrives there, as it was at most a second ago.

        Raises NotFound for one that never was or was removed, KeyMissing, StoreUnavailable.
        """
        known = self.remembered(channel, name)
        if known is not None:
            return known
        key = f"{channel}/{name}"
        epoch = self._opened.epoch
        connection = self.book.get(channel, name)
        module = CHANNELS.get(channel)
        if connection.state == REMOVED or module is None:
            raise NotFound("There is no such connection.")
        opened = Opened(connection, module, self._secrets.of(key))
        self._opened.put(key, opened, epoch)
        return opened

    def remembered(self, channel: str, name: str) -> Opened | None:
        """The same without asking any store; None where that has to be done."""
        return self._opened.get(f"{channel}/{name}")

    def facts(self, connection: Connection) -> dict[str, SecretFact]:
        """What may be shown of a connection's secrets, by name."""
        return {fact.name: fact for fact in self._secrets.facts(connection.key)}

    def add(self, draft: Draft, handled: Handled | None = None) -> Connection:
        """Add a connection with its secrets.

        Raises InvalidInput naming what is missing or unknown, WrongState where it is there.
        """
        _check(draft)
        connection = Connection(
            channel=draft.channel,
            name=draft.name,
            title=draft.title or draft.name,
            department=draft.department or None,
            options=dict(draft.options),
            created_at=self._clock(),
        )
        self.book.add(connection, handled)
        self._put(connection, draft.secrets)
        return connection

    def change(
        self, connection: Connection, change: Change, handled: Handled | None = None
    ) -> Connection:
        """Change a connection; a secret is added beside the one before it. Raises InvalidInput.

        Raises WrongState for one that was removed: it is added anew.
        """
        if connection.state == REMOVED:
            raise WrongState(f"The connection {connection.key} was removed; add it anew.")
        errors = _wrong_names(CHANNELS[connection.channel], change.secrets, change.options)
        if change.state not in {None, ACTIVE, PAUSED}:
            errors.append(FieldError("state", "bad_enum", f"write {ACTIVE} or {PAUSED}"))
        options = {**connection.options, **change.options}
        _raise([*errors, *_wrong_options(CHANNELS[connection.channel], options)])
        changed = structs.replace(
            connection,
            title=change.title or connection.title,
            department=(
                connection.department if change.department is None else change.department or None
            ),
            state=change.state or connection.state,
            options=options,
        )
        self._put(connection, change.secrets)
        self.book.change(changed, handled)
        self._opened.clear()
        return changed

    def remove(self, connection: Connection, handled: Handled | None = None) -> None:
        """Close the URL and forget the secrets; what came through it stays."""
        self.book.change(structs.replace(connection, state=REMOVED), handled)
        self._secrets.drop(connection.key)
        self._opened.clear()

    def _put(self, connection: Connection, secrets: Mapping[str, Sequence[bytes]]) -> None:
        for name, values in secrets.items():
            for value in values:
                self._secrets.put(connection.key, name, value, self._clock())
        self._opened.clear()


def _check(draft: Draft) -> None:
    errors: list[FieldError] = []
    module = CHANNELS.get(draft.channel)
    if module is None:
        known = ", ".join(sorted(CHANNELS))
        errors.append(FieldError("channel", "unknown", f"there is no such channel; one of {known}"))
    if len(draft.name) > NAME_MAX_CHARS or not _NAME.fullmatch(draft.name):
        message = f"1 to {NAME_MAX_CHARS} of a-z 0-9 . _ -, such as meta-main"
        errors.append(FieldError("name", "bad_format", message))
    if module is not None:
        errors += _wrong_names(module, draft.secrets, draft.options)
        errors += _missing("secrets", module.secrets, draft.secrets)
        errors += _unchosen(module, draft.secrets)
        errors += _missing("options", module.options, draft.options)
        errors += _wrong_options(module, draft.options)
    _raise(errors)


def _wrong_options(module: ChannelModule, options: Mapping[str, str]) -> list[FieldError]:
    """Options that the channel cannot work with; one that is missing is told of by itself.

    An empty one is as good as none: so an option is taken away.
    """
    wrong = module.check(options) if module.check is not None else {}
    return [
        FieldError(f"options.{name}", "bad_format", message)
        for name, message in wrong.items()
        if options.get(name)
    ]


def _missing(
    field: str, needed: Sequence[str], given: Mapping[str, Sequence[bytes] | str]
) -> list[FieldError]:
    return [
        FieldError(f"{field}.{name}", "missing", f"this channel needs {', '.join(needed)}")
        for name in needed
        if not given.get(name)
    ]


def _unchosen(module: ChannelModule, given: Mapping[str, Sequence[bytes]]) -> list[FieldError]:
    """What is missing where a channel may be let in by one group of secrets or another."""
    if not module.secret_choices or any(all(map(given.get, one)) for one in module.secret_choices):
        return []
    choices = ", or ".join(" and ".join(names) for names in module.secret_choices)
    first = module.secret_choices[0][0]
    return [FieldError(f"secrets.{first}", "missing", f"this channel needs {choices}")]


def _wrong_names(
    module: ChannelModule, secrets: Mapping[str, Sequence[bytes]], options: Mapping[str, str]
) -> list[FieldError]:
    """Names that the channel does not know, and options and secrets that cannot be ones."""
    errors = []
    for field, known, given in (
        ("secrets", module.all_secrets, secrets),
        ("options", module.all_options, options),
    ):
        allowed = ", ".join(known) or "none"
        errors += [
            FieldError(f"{field}.{echo(name)}", "unknown_field", f"{module.channel} has: {allowed}")
            for name in given
            if name not in known
        ]
    for name, values in secrets.items():
        if not all(0 < len(value) <= SECRET_MAX_BYTES for value in values):
            message = f"1 to {SECRET_MAX_BYTES} bytes"
            errors.append(FieldError(f"secrets.{echo(name)}", "bad_format", message))
    return errors


def _raise(errors: Sequence[FieldError]) -> None:
    if errors:
        raise InvalidInput(errors)
