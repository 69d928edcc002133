"""The command `hilo`: data on stdout, progress and messages on stderr, never a secret there.

Exit codes: 0 done · 1 ran, and the answer is bad · 2 usage · 3 not found · 4 refused by state ·
5 a store or key cannot be reached · 6 data of a newer version · 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from app.cli.channels import channel, quarantine
from app.cli.frame import exit_code_of, say
from app.cli.importing import import_
from app.cli.ledger import doctor, rebuild, verify
from app.cli.serving import demo, follow, serve
from app.cli.tokens import token
from domain.errors import HiloError

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hilo", message="hilo %(version)s")
def main() -> None:
    """Keep the ledger of the interactions between a company and its contacts."""


for command in (
    serve,
    follow,
    demo,
    token,
    channel,
    quarantine,
    import_,
    rebuild,
    verify,
    doctor,
):
    main.add_command(command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code; an operating error is one kind line on stderr."""
    try:
        answer = main.main(args=arguments, prog_name="hilo", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except HiloError as error:
        say(f"hilo: {error.detail}")
        return exit_code_of(error)
    return answer if isinstance(answer, int) else 0


def entry() -> None:
    """The console script."""
    sys.exit(run())
