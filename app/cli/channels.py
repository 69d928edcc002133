"""`hilo channel` and `hilo quarantine`: connections to providers, and what could not be read."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from api.connections import shown, url_of
from api.quarantine import item
from app.cli.frame import (
    BAD,
    OK,
    id_of,
    json_option,
    require_one_or_all,
    say,
    show,
    with_ledger,
)
from channels.connections import Change, Draft
from channels.registry import CHANNELS
from channels.trying import tried
from domain.errors import InvalidInput, NotFound
from domain.values import echo
from storage.connections import PAUSED, REMOVED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.compose import Composition
    from storage.connections import Connection
    from storage.trade import Quarantined

PAGE: Final = 500
"""Atoms of the quarantine that are read at once; the list goes on until its end."""

NO_SUCH_ATOM: Final = "There is no atom {} in quarantine."

_place = click.argument("place", nargs=-1, required=True, metavar="CHANNEL NAME")


# ---------------------------------------------------------------------- connections


@click.group()
def channel() -> None:
    """Add, show, test, pause and remove connections to providers."""


@channel.command("add")
@click.argument("channel")
@click.argument("name")
@click.option("--title", help="What people call it.")
@click.option("--department", help="The department that all that comes through it belongs to.")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="KEY=VALUE",
    help="KEY=VALUE, KEY=@FILE or KEY=- (standard input); a second one of a key is a rotation.",
)
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE")
@json_option
@with_ledger()
def add(
    composition: Composition,
    *,
    channel: str,
    name: str,
    title: str | None,
    department: str | None,
    secrets: tuple[str, ...],
    options: tuple[str, ...],
    as_json: bool,
) -> int:
    """Print the URL of a new connection, alone; it goes into the provider's settings."""
    draft = Draft(
        channel=channel,
        name=name,
        title=title,
        department=department,
        secrets=_secrets(secrets),
        options=dict(_pair(text, "--option") for text in options),
    )
    try:
        connection = composition.channels.connections.add(draft)
    except InvalidInput as error:
        lines = (f"{one.field}: {one.message}" for one in error.errors)
        raise click.UsageError("\n".join(lines)) from error
    if as_json:
        show(_object(composition, connection))
    else:
        click.echo(url_of(composition.services, connection))
    say(f"{connection.title} is active; secrets: {', '.join(draft.secrets) or 'none'}.")
    return OK


@channel.command("list")
@json_option
@with_ledger()
def list_(composition: Composition, *, as_json: bool) -> int:
    """List the connections; those that were removed are not among them."""
    for connection in composition.channels.connections.book.all():
        if connection.state == REMOVED:
            continue
        if as_json:
            show(_object(composition, connection))
        else:
            url = url_of(composition.services, connection)
            click.echo(f"{connection.key}\t{connection.state}\t{connection.title}\t{url}")
    return OK


@channel.command("show")
@_place
@json_option
@with_ledger()
def show_(composition: Composition, *, place: tuple[str, ...], as_json: bool) -> int:
    """Show a connection with its sources and its balance; never its secrets."""
    whole = _object(composition, _connection(composition, place))
    if as_json:
        show(whole)
    else:
        click.echo(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
    return OK


@channel.command("test")
@_place
@json_option
@with_ledger()
def test(composition: Composition, *, place: tuple[str, ...], as_json: bool) -> int:
    """Try the secrets of a connection as its provider would; nothing is recorded."""
    connection = _connection(composition, place)
    opened = composition.channels.connections.open(connection.channel, connection.name)
    checks = tried(opened)
    for name, good in checks.items():
        if as_json:
            show({"check": name, "ok": good})
        else:
            click.echo(f"{'ok' if good else 'BAD'}\t{name}")
    return OK if all(checks.values()) else BAD


@channel.command("pause")
@_place
@click.option("--resume", is_flag=True, help="Let it go on.")
@json_option
@with_ledger()
def pause(composition: Composition, *, place: tuple[str, ...], resume: bool, as_json: bool) -> int:
    """Have the provider keep what it has for a while, or go on with --resume."""
    connection = _connection(composition, place)
    state = "active" if resume else PAUSED
    changed = composition.channels.connections.change(connection, Change(state=state))
    if as_json:
        show(_object(composition, changed))
    say(f"{changed.key} is {changed.state}.")
    return OK


@channel.command("remove")
@_place
@json_option
@with_ledger()
def remove(composition: Composition, *, place: tuple[str, ...], as_json: bool) -> int:
    """Close the URL and forget the secrets; what came through it stays."""
    connection = _connection(composition, place)
    composition.channels.connections.remove(connection)
    if as_json:
        show({"key": connection.key, "state": REMOVED})
    say(f"{connection.key} is removed.")
    return OK


def _object(composition: Composition, connection: Connection) -> object:
    return msgspec.to_builtins(shown(composition.services, connection))


def _connection(composition: Composition, place: Sequence[str]) -> Connection:
    """The connection that `CHANNEL NAME` or `CHANNEL/NAME` names. Raises NotFound."""
    channel, _, name = "/".join(place).partition("/")
    connection = composition.channels.connections.book.get(channel, name)
    if connection.state == REMOVED or channel not in CHANNELS:
        message = f"There is no connection {connection.key}."
        raise NotFound(message)
    return connection


def _secrets(given: Sequence[str]) -> dict[str, list[bytes]]:
    """Secrets by name, in the order in which they were given."""
    found: dict[str, list[bytes]] = {}
    for text in given:
        name, value = _pair(text, "--secret")
        found.setdefault(name, []).append(_secret(name, value))
    return found


def _secret(name: str, value: str) -> bytes:
    """A secret itself, or out of a file; the end of its line is none of it."""
    if value == "-":
        return sys.stdin.buffer.read().rstrip(b"\r\n")
    if value.startswith("@"):
        try:
            return Path(value[1:]).read_bytes().rstrip(b"\r\n")
        except OSError as error:
            message = f"--secret {echo(name)}=@FILE: {error.strerror}"
            raise click.UsageError(message) from None
    return value.encode()


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        message = f"{option} is written KEY=VALUE"
        raise click.UsageError(message)  # without the text: it may be a secret
    return name, value


# ----------------------------------------------------------------------- quarantine


@click.group()
def quarantine() -> None:
    """Look at what could not be recorded; try it again, or let it go."""


@quarantine.command("list")
@json_option
@with_ledger()
def list_quarantine(composition: Composition, *, as_json: bool) -> int:
    """List what waits for a decision, the oldest first; never its content."""
    last = None
    while True:
        atoms = composition.trade.quarantine_between(last, None, descending=False, count=PAGE)
        for atom in atoms:
            _show_atom(atom, as_json=as_json)
        if len(atoms) < PAGE:
            return OK
        last = (atoms[-1].received_at, atoms[-1].id)


@quarantine.command("show")
@click.argument("id")
@json_option
@with_ledger()
def show_atom(composition: Composition, *, id: str, as_json: bool) -> int:
    """Show an atom with what came: on stdout, since that may be anybody's words."""
    atom, raw = composition.channels.ward.show(id_of(id, NO_SUCH_ATOM))
    if as_json or raw is None:
        found = msgspec.to_builtins(item(atom))
        if raw is not None:
            body = b64encode(raw.body).decode()
            found["raw"] = {"headers": raw.headers, "body_base64": body}
        show(found)
        return OK
    _show_atom(atom, as_json=False)
    click.echo(raw.body.decode("utf-8", "backslashreplace"))
    return OK


@quarantine.command("retry")
@click.argument("id", required=False)
@click.option("--all", "everything", is_flag=True, help="Whatever waits.")
@json_option
@with_ledger()
def retry(composition: Composition, *, id: str | None, everything: bool, as_json: bool) -> int:
    """Deliver an atom once more, or all of them; 1 where that failed again."""
    require_one_or_all(id, everything=everything)
    if id is None:
        done, failed = asyncio.run(composition.channels.retrying.retry_all())
        if as_json:
            show({"retried": done, "failed": failed})
        else:
            click.echo(f"retried={done} failed={failed}")
        return BAD if failed else OK
    atom = asyncio.run(composition.channels.retrying.retry(id_of(id, NO_SUCH_ATOM)))
    _show_atom(atom, as_json=as_json)
    return BAD if atom.state == "open" else OK


@quarantine.command("discard")
@click.argument("id")
@click.option("--reason", required=True, help="Why it may go; kept beside its counter.")
@json_option
@with_ledger()
def discard(composition: Composition, *, id: str, reason: str, as_json: bool) -> int:
    """Let an atom go, for good."""
    _show_atom(composition.channels.ward.discard(id_of(id, NO_SUCH_ATOM), reason), as_json=as_json)
    return OK


def _show_atom(atom: Quarantined, *, as_json: bool) -> None:
    shown_ = item(atom)
    if as_json:
        show(msgspec.to_builtins(shown_))
    else:
        words = (str(atom.id), shown_.received_at, atom.connection, atom.state, atom.reason)
        click.echo("\t".join((*words, atom.error)))
