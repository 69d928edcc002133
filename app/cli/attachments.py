"""`hilo attachments`: files that a provider did not hand over, and fetching them anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.frame import OK, id_of, json_option, require_one_or_all, show, with_ledger

if TYPE_CHECKING:
    from app.compose import Composition


@click.group()
def attachments() -> None:
    """Look at files that could not be fetched, and fetch them anew."""


@attachments.command("list")
@json_option
@with_ledger()
def list_(composition: Composition, *, as_json: bool) -> int:
    """List the files that were tried for the last time; never whose they are."""
    for one in composition.channels.fetching.given_up():
        if as_json:
            row = {"id": str(one.attachment), "connection": one.connection, "error": one.error}
            show(row)
        else:
            click.echo(f"{one.attachment}\t{one.connection}\t{one.error}")
    return OK


@attachments.command("retry")
@click.argument("id", required=False)
@click.option("--all", "everything", is_flag=True, help="Whatever failed.")
@json_option
@with_ledger()
def retry(composition: Composition, *, id: str | None, everything: bool, as_json: bool) -> int:
    """Have a file fetched anew, or all of them; `hilo serve` does so within a second or two."""
    require_one_or_all(id, everything=everything)
    wanted = None if id is None else id_of(id, "There is no file {}.")
    count = composition.channels.fetching.retry(wanted)
    if as_json:
        show({"retried": count})
    else:
        click.echo(f"retried={count}")
    return OK
