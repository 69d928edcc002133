"""`hilo verify`, `hilo export`, `hilo signer`, `hilo witness`: for auditors, and against us."""

from __future__ import annotations

import os
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from app.cli.frame import (
    BAD,
    OK,
    json_option,
    open_here,
    progress,
    require_ledger,
    say,
    show,
    with_ledger,
)
from domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.compose import Composition
    from app.verifying import Wish
    from audit.bundle import Sink
    from audit.verify import Bad, Verified

    Told = Callable[[int, int], None]

PROCESSES_MAX: Final = 8
"""Processes that verify together; more than the disk can feed are of no use."""

WITNESS_PORT: Final = 8100
"""Where a witness listens unless it is told otherwise."""


@click.command()
@click.option("--data", metavar="DIR", help="Folder of the ledger (else HILO_DATA).")
@click.option("--bundle", metavar="DIR", help="An export, instead of the databases.")
@click.option("--url", help="A running server; a token with the scope audit in HILO_TOKEN.")
@click.option("--against", multiple=True, metavar="FILE", help="A checkpoint that you kept.")
@click.option("--key", "keys", multiple=True, metavar="KEY", help="The only verifier key to trust.")
@click.option("--from", "start", type=click.IntRange(1), default=1, help="First position.")
@click.option("--processes", type=click.IntRange(1, PROCESSES_MAX), help="How many (else cores).")
@click.option("--open", "open_all", is_flag=True, help="Open what is sealed as well.")
@json_option
def verify(
    *,
    data: str | None,
    bundle: str | None,
    url: str | None,
    against: tuple[str, ...],
    keys: tuple[str, ...],
    start: int,
    processes: int | None,
    open_all: bool,
    as_json: bool,
) -> int:
    """Look at every event, and hold the log against everything that was signed about it."""
    from app.verifying import Wish, read_file
    from audit.notes import BadNote, read_verifier
    from audit.verify import Bad

    if bundle and url:
        raise click.UsageError("Give --bundle or --url, not both.")
    try:
        pinned = tuple(map(read_verifier, keys))
    except BadNote as error:
        raise InvalidInput.one("--key", "bad_key", error.detail) from error
    wish = Wish(
        against=tuple(map(read_file, against)),
        keys=pinned,
        processes=processes or min(os.cpu_count() or 1, PROCESSES_MAX),
        open_all=open_all,
    )
    with progress("event") as told:
        try:
            if bundle:
                result = verify_bundle(Path(bundle), wish, start, told)
            elif url:
                result = _server(url, wish, start, told)
            else:
                result = _databases(data, wish, start, told)
        except BadNote as error:
            result = Bad(0, error.detail, "note")
    return _said(result, as_json=as_json)


def _databases(data: str | None, wish: Wish, start: int, told: Told) -> Verified | Bad:
    from app.verifying import of_database
    from audit.verify import verify as verify_log

    require_ledger(data)
    composition = open_here(data)
    try:
        return verify_log(of_database(composition, wish), told, start)
    finally:
        composition.close()


def verify_bundle(folder: Path, wish: Wish, start: int, told: Told) -> Verified | Bad:
    """Check a bundle alone, of the whole log or of one contact. Raises NotFound, BadNote."""
    from app.verifying import of_bundle
    from audit.bundle import read_manifest
    from audit.contact_bundle import verify_contact
    from audit.verify import verify as verify_log

    manifest = read_manifest(folder)
    if manifest.contact is not None:
        return verify_contact(folder, manifest, wish.keys or manifest.verifiers(folder), told)
    return verify_log(of_bundle(folder, wish), told, max(start, manifest.first))


def _server(url: str, wish: Wish, start: int, told: Told) -> Verified | Bad:
    from app.verifying import of_server
    from audit.verify import verify as verify_log

    return verify_log(of_server(url, os.environ.get("HILO_TOKEN", ""), wish), told, start)


def _said(result: Verified | Bad, *, as_json: bool) -> int:
    """Print the answer as the last line; its exit code."""
    from audit.verify import Bad

    if isinstance(result, Bad):
        if as_json:
            told = {"position": result.position, "code": result.code, "what": result.what}
            show({"ok": False, **told})
        else:
            click.echo(f"BAD at position {result.position}: {result.what}")
        return BAD
    root, kept = b64encode(result.root).decode(), result.checkpoints
    if as_json:
        show({"ok": True, "events": result.events, "root": root, "checkpoints": kept})
    else:
        click.echo(f"ok: {result.events} events, root {root}, {kept} checkpoints")
    return OK


# ------------------------------------------------------------------------------------- export


@click.command()
@click.option("--to", required=True, metavar="DIR|-", help="A new folder; - is a tar on stdout.")
@click.option("--contact", metavar="ID", help="Everything about one contact, readable.")
@click.option("--from", "first", type=click.IntRange(1), default=1, help="First position.")
@click.option("--with-keys", is_flag=True, help="With all keys: whoever has it reads everything.")
@click.option("--reason", help="Why; it is written down with the export.")
@click.option("--resume", is_flag=True, help="Go on with one that was cut off.")
@click.option("--parquet", "as_parquet", is_flag=True, help="A table for analysts, no content.")
@click.option("--since", type=int, metavar="POSITION", help="Of the table, what changed since.")
@json_option
@with_ledger(must_exist=True)
def export(
    composition: Composition,
    *,
    to: str,
    contact: str | None,
    first: int,
    with_keys: bool,
    reason: str | None,
    resume: bool,
    as_parquet: bool,
    since: int | None,
    as_json: bool,
) -> int:
    """Export the log, or everything about one contact, so that others can check it."""
    if as_parquet:
        from app.cli.exporting_parquet import export_parquet

        return export_parquet(composition, to, since, as_json=as_json)
    from app.exporting import ExportWish, check
    from app.exporting import export as export_to
    from audit.bundle import FolderSink, TarSink
    from domain.commands import By
    from domain.events import Actor

    wish = ExportWish(_contact_id(contact), first, with_keys, reason)
    check(wish)
    sink: Sink
    if to == "-":
        if sys.stdout.isatty():
            raise click.UsageError("A tar archive is no text: send it into a file.")
        sink = TarSink(sys.stdout.buffer, composition.clock() // 1_000_000)
    else:
        sink = FolderSink(Path(to), resume=resume)
    with progress("event") as told:
        manifest = export_to(composition, wish, sink, By(Actor("system", "hilo")), told)
    if to == "-":
        say(f"Exported {manifest.events} events as a tar archive.")
    elif as_json:
        show({"folder": to, "events": manifest.events, "files": len(manifest.parts)})
    else:
        say(f"Exported to {to}; check it with: hilo verify --bundle {to}")
    return OK


def _contact_id(text: str | None) -> UUID | None:
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound("There is no such contact.") from error


@click.command(hidden=True)
@click.argument("kind")
@click.argument("id", type=click.UUID)
@json_option
@with_ledger(must_exist=True)
def run(composition: Composition, kind: str, id: UUID, *, as_json: bool) -> int:
    """Do what somebody asked for over HTTP."""
    from app.running import perform

    found = composition.proofs.runs.get(kind, id)
    if found is None:
        raise NotFound("There is no such run.")
    perform(composition, found)
    done = composition.proofs.runs.get(kind, id) or found
    if as_json:
        show({"id": str(id), "state": done.state})
    return OK


# --------------------------------------------------------------------------- signer, witness


@click.group()
def signer() -> None:
    """Who signs checkpoints: one host, which others replace only by an explicit command."""


@signer.command()
@click.argument("checkpoint", metavar="CHECKPOINT")
@json_option
@with_ledger(must_exist=True)
def adopt(composition: Composition, *, checkpoint: str, as_json: bool) -> int:
    """Sign on this host from now on, after the last CHECKPOINT (a file) that was signed."""
    from app.verifying import read_file

    proving = composition.proving
    proving.grow()
    adopted = proving.signer.adopt(read_file(checkpoint), entropy())
    key = proving.signer.verifier
    if as_json:
        show({"size": adopted.size, "key": str(key)})
    else:
        say(f"This host signs from now on, after {adopted.size} events; its verifier key is")
        click.echo(str(key))
    return OK


def entropy() -> Callable[[int], bytes]:
    """The randomness of the composition root."""
    from app.compose import entropy as real

    return real


@click.group()
def witness() -> None:
    """Remember elsewhere what a ledger signed, so that it cannot take it back."""


@witness.command("serve")
@click.option("--data", required=True, metavar="DIR", help="Its key and its memory.")
@click.option("--log", "logs", multiple=True, required=True, metavar="KEY", help="Verifier key.")
@click.option("--name", required=True, help="What it signs as, such as example.org/witness.")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=WITNESS_PORT)
@json_option
def witness_serve(
    *, data: str, logs: tuple[str, ...], name: str, host: str, port: int, as_json: bool
) -> int:
    """Run a small witness, best on somebody else's machine; prints its verifier key."""
    import uvicorn

    from api.witness_door import door
    from app.compose import system_clock
    from audit.notes import BadNote, read_verifier
    from audit.witness import Witness

    try:
        known = [read_verifier(one) for one in logs]
    except BadNote as error:
        raise InvalidInput.one("--log", "bad_key", error.detail) from error
    one = Witness(Path(data), name, known, clock=system_clock, entropy=entropy())
    try:
        if as_json:
            show({"key": str(one.verifier), "host": host, "port": port})
        else:
            click.echo(str(one.verifier))
        say(f"Witnessing at http://{host}:{port}; stop with Ctrl-C.")
        uvicorn.run(door(one), host=host, port=port, log_level="warning", access_log=False)
    finally:
        one.close()
    return OK
