"""`hilo rebuild`, `hilo doctor`: are the views of a ledger whole, is its home."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.frame import BAD, OK, json_option, open_here, progress, say, show, with_ledger
from app.doctor import examine, lost_key
from app.replaying import lay_down
from domain.errors import InvalidInput, KeyMissing, NotFound
from projections.rebuild import check
from projections.rebuild import rebuild as rebuild_group

if TYPE_CHECKING:
    from app.compose import Composition


@click.command()
@click.argument("views", nargs=-1)
@click.option("--check", "only_check", is_flag=True, help="Compare the views with a replay.")
@click.option("--to-position", metavar="N", type=int, help="Views of this position, with --to.")
@click.option(
    "--to",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="An empty folder, which `hilo serve --data DIR` opens to be read.",
)
@json_option
@with_ledger(must_exist=True)
def rebuild(composition: Composition, views: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - click's own
    """Build views anew from the log while the old ones serve, or check them against a replay."""
    groups = {group.name: group for group in composition.groups}
    only_check, as_json = options["only_check"], options["as_json"]
    if options["to_position"] is not None or options["folder"] is not None:
        return _lay_down(composition, options)
    for name in views:
        if name not in groups:
            message = f"There is no view {name!r}; there are: {', '.join(groups)}."
            raise NotFound(message)
    bad = False
    for group in [groups[name] for name in dict.fromkeys(views or groups)]:
        with progress("event") as told:
            if not only_check:
                rebuild_group(group, composition.source, told)
            differing = check(group, composition.source, told) if only_check else []
        bad = bad or bool(differing)
        if as_json:
            show({"view": group.name, "checked": only_check, "differing": list(differing)})
        elif only_check:
            lines = [f"{table} differs from a replay" for table in differing]
            click.echo("\n".join(lines or [f"{group.name} equals a replay"]))
    return BAD if bad else OK


def _lay_down(composition: Composition, options: dict[str, Any]) -> int:
    """Make the views of a position in a folder of their own."""
    position, folder = options["to_position"], options["folder"]
    if position is None or folder is None:
        message = "--to-position N and --to DIR go together"
        raise InvalidInput.one("--to-position", "missing", message)
    with progress("event") as told:
        made = lay_down(composition, max(position, 0), folder, told)
    if options["as_json"]:
        show({"position": made, "folder": str(folder)})
    else:
        click.echo(f"{folder}: position {made}")
    say(f"Look at it with: hilo serve --data {folder} --port 0")
    return OK


@click.command()
@click.option("--data", metavar="DIR", help="Folder of the ledger (else HILO_DATA).")
@json_option
def doctor(*, data: str | None, as_json: bool) -> int:
    """Look for what will hurt one day; each finding says how to mend it."""
    try:
        composition = open_here(data)
    except KeyMissing as error:
        findings = [lost_key(error)]
    else:
        try:
            findings = examine(composition)
        finally:
            composition.close()
    for finding in findings:
        if as_json:
            show({"what": finding.what, "fix": finding.fix})
        else:
            click.echo(f"{finding.what}\n  fix: {finding.fix}")
    if not findings:
        say("Nothing found.")
    return BAD if findings else OK
