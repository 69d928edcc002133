"""The command `hilo`: data on stdout, progress and messages on stderr, never a secret there.

Exit codes: 0 done · 1 ran, and the answer is bad · 2 usage · 3 not found · 4 refused by state ·
5 a store or key cannot be reached · 6 data of a newer version · 130 interrupted.

A command's module is imported when that command is asked for: `hilo --help` answers at once,
and `hilo serve` does not wait for what only an import needs.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import click

from app.cli.frame import exit_code_of, say
from domain.errors import HiloError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


OBJECTS_AT_START: Final = 1_000_000
"""Objects between two looks of the garbage collector, twice what a server has imported when it is
ready: that stays, and to walk through it again and again costs a start a twentieth of its time.
`settle_memory` says what holds afterwards."""

NO_PLUGINS: Final = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""Plugins of a library that Hilo has none for: to look for them, it reads what every installed
package says of itself."""


class Command(NamedTuple):
    """Where a command stands, and what the list of commands says of it."""

    module: str
    attribute: str
    help: str


COMMANDS: Final[Mapping[str, Command]] = {
    "serve": Command("serving", "serve", "Serve the API and the pages."),
    "follow": Command("serving", "follow", "Keep the views current."),
    "demo": Command("serving", "demo", "Open a made-up company's ledger."),
    "user": Command("users", "user", "Say who may enter, and as what."),
    "token": Command("tokens", "token", "Make, list and revoke tokens."),
    "channel": Command("channels", "channel", "Our ends of the providers."),
    "quarantine": Command("channels", "quarantine", "What could not be read."),
    "attachments": Command("attachments", "attachments", "Files that could not be fetched."),
    "log": Command("logging_by_hand", "log", "Write down an interaction by hand."),
    "import": Command("importing", "import_", "Import history from a file."),
    "report": Command("reporting", "report", "Count interactions, with bars."),
    "erase": Command("erasing", "erase", "Erase what is known of a person."),
    "keys": Command("keys", "keys", "Care for the key-encryption key."),
    "backup": Command("backing_up", "backup", "Copy log and keys to a folder."),
    "restore": Command("backing_up", "restore", "Bring a ledger back from a copy."),
    "replay": Command("replaying", "replay", "What was known at a time."),
    "rebuild": Command("ledger", "rebuild", "Make the views anew, or check them."),
    "verify": Command("proofs", "verify", "Check that nothing was changed."),
    "export": Command("proofs", "export", "Give the log to others: auditors, analysts."),
    "signer": Command("proofs", "signer", "Who signs checkpoints."),
    "witness": Command("proofs", "witness", "Remember what a ledger signed."),
    "run": Command("proofs", "run", ""),
    "doctor": Command("ledger", "doctor", "Find what is not as it should be."),
}


class Lazy(click.Group):
    """The group of the commands in the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Their names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's own signature
        """The command, imported; None where there is none."""
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        module = import_module(f"app.cli.{found.module}")
        return cast("click.Command", getattr(module, found.attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's own signature
        """The list of commands for `--help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.help) for name, one in COMMANDS.items() if one.help])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hilo", message="hilo %(version)s")
def main() -> None:
    """Keep the ledger of the interactions between a company and its contacts."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code; an operating error is one kind line on stderr."""
    try:
        answer = main.main(args=arguments, prog_name="hilo", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except InvalidInput as error:
        for one in error.errors:
            say(f"hilo: {one.field}: {one.message}")
        return exit_code_of(error)
    except HiloError as error:
        say(f"hilo: {error.detail}")
        return exit_code_of(error)
    return answer if isinstance(answer, int) else 0


def entry() -> None:
    """The console script. What it writes, databases above all, is its owner's alone."""
    os.umask(0o077)
    gc.set_threshold(OBJECTS_AT_START)
    os.environ.update(NO_PLUGINS)
    sys.exit(run())
