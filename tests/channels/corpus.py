"""Every real request and mail that lies beside the project, and what becomes of it.

The table in docs/channels/payloads.md is made of them:

    HILO_WRITE_DOCS=1 python -m pytest tests/channels/test_corpus.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from channels.contract import Arrival, Atom, Commands, Ignored, Incoming, Unreadable
from channels.mail import mail_atom
from channels.mail_sides import Envelope
from channels.registry import CHANNELS
from domain.commands import (
    Fact,
    RecordInteraction,
    ReportChange,
    ReportDelivery,
    ReportWatermark,
)
from tests.api.house import NOON
from tests.channels import mails
from tests.channels.shop import DERIVE
from tests.channels.vendors import OPTIONS
from tests.source_tree import ROOT

PAYLOADS: Final = ROOT.parent / "shared" / "payloads"
DOCUMENT: Final = ROOT / "docs" / "channels" / "payloads.md"
SWITCH: Final = "HILO_WRITE_DOCS"
BEGIN: Final = f"<!-- the table is made by: {SWITCH}=1 pytest tests/channels/test_corpus.py -->"
END: Final = "<!-- end of the table -->"

NO_CHANNEL: Final = "no channel of Hilo's"
MAIL: Final = "mail"
"""What stands for a channel where a file is a mail as it is, from whatever door."""

FORM_TYPE: Final = "application/x-www-form-urlencoded"

_WEBFORMS: Final[Mapping[str, str]] = {
    "leadgen": "lead_ads",
    "typeform": "typeform",
    "google": "google_forms",
}
"""Whose a form is, by what stands in its file's name; else it is one of our own pages'."""


class Real(Struct, frozen=True):
    """A real file: its name, the channel that it arrives at, and the request."""

    name: str
    channel: str
    incoming: Incoming


def names() -> list[str]:
    """The names of the real files that are there, in order; none where there is no folder."""
    found = (path for path in PAYLOADS.rglob("*") if path.is_file() and path.parent != PAYLOADS)
    return sorted(path.relative_to(PAYLOADS).as_posix() for path in found)


def real(name: str) -> Real:
    """One real file as its channel gets it."""
    raw = (PAYLOADS / name).read_bytes()
    folder = name.partition("/")[0]
    if folder == "email":
        return Real(name, MAIL, Incoming(body=raw))
    if folder == "email_webhooks":
        channel, incoming = mails.request_of(name, raw)
        return Real(name, channel, incoming)
    if folder == "webform":
        words = Path(name).name
        folder = next((channel for word, channel in _WEBFORMS.items() if word in words), "form")
    media_type = FORM_TYPE if name.endswith(".form") else "application/json"
    return Real(name, folder, Incoming(body=raw, headers={"content-type": media_type}))


def atoms_of(one: Real) -> list[Atom] | None:
    """What a file comes to; None for a provider that is no channel."""
    options = OPTIONS.get(one.channel, {})
    arrival = Arrival(
        connection=f"{one.channel}/main", received_at=NOON, derive=DERIVE, options=options
    )
    if one.channel == MAIL:
        return [mail_atom(one.incoming.body, Envelope(), arrival)]
    module = CHANNELS.get(one.channel)
    return module.parse(one.incoming, arrival) if module is not None else None


# ------------------------------------------------------------------------ the table


def row_of(one: Real) -> str:
    """The row of a file in the table: where it arrives, and what becomes of its atoms."""
    atoms = atoms_of(one)
    if atoms is None:
        return f"| {one.name} | | {NO_CHANNEL} |"
    told = Counter(line for atom in atoms for line in _of_atom(atom))
    shown = (line if count == 1 else f"{count} × {line}" for line, count in told.items())
    return f"| {one.name} | {one.channel} | {' · '.join(shown)} |"


def _of_atom(atom: Atom) -> list[str]:
    match atom.outcome:
        case Ignored(reason):
            return [f"ignored: {reason}"]
        case Unreadable(error, reason):
            return [f"quarantined: {reason}, {error}"]
        case Commands(commands):
            return [_of_command(command) for command in commands]


def _of_command(command: Fact) -> str:
    match command:
        case RecordInteraction():
            return _of_interaction(command)
        case ReportDelivery():
            said = command.call.outcome if command.call else None
            return f"status {command.word}" + (f", the call was {said}" if said else "")
        case ReportWatermark():
            return f"all until then {command.state}"
        case ReportChange():
            return str(command.kind)


def _of_interaction(command: RecordInteraction) -> str:
    parts = [f"recorded: {command.channel} {command.direction}"]
    parts += ["a call"] if command.call is not None else []
    parts += [f"{command.auto}"] if command.auto else []
    parts += ["imported"] if command.origin == "imported" else []
    parts.append("text" if command.text else "no text")
    count = len(command.attachments)
    parts += [f"{count} file{'s' if count > 1 else ''}"] if count else []
    return ", ".join(parts)


def renewed(text: str, rows: list[str]) -> str:
    """The document with these rows in its table."""
    before, _, rest = text.partition(BEGIN)
    table = [BEGIN, "| file | arrives at | what becomes of it |", "|---|---|---|", *rows, END]
    return before + "\n".join(table) + rest.partition(END)[2]
