"""What atoms come to, in words: for tables in tests and in the documents."""

from __future__ import annotations

from channels.contract import Atom, Commands, Ignored, Unreadable
from domain.commands import (
    Fact,
    RecordInteraction,
    ReportChange,
    ReportDelivery,
    ReportWatermark,
)
from domain.values import Channel

_INTERACTIONS = {Channel.FORM: "form"}

SHOWN_MAX_CHARS = 48
"""What a table shows of a text."""


def told(atoms: list[Atom]) -> list[str]:
    """A line for each command, and for each atom that has none."""
    return [line for atom in atoms for line in _of_atom(atom)]


def _of_atom(atom: Atom) -> list[str]:
    match atom.outcome:
        case Ignored(reason):
            return [f"ignored: {reason}"]
        case Unreadable(error, reason):
            return [f"quarantine: {reason} ({error})"]
        case Commands(commands):
            return [_of_command(command) for command in commands]


def _of_command(command: Fact) -> str:
    match command:
        case RecordInteraction():
            return _of_interaction(command)
        case ReportDelivery():
            return _of_delivery(command)
        case ReportWatermark():
            return f"all until then: {command.state}"
        case ReportChange(kind="edit"):
            return f"edit: {_quoted(command.text)}{_files(command)}"
        case ReportChange(kind="reaction"):
            return f"reaction of {command.by}: {command.emoji or 'taken away'}"
        case ReportChange():
            return command.kind


def _of_interaction(command: RecordInteraction) -> str:
    what = "call" if command.call is not None else _INTERACTIONS.get(command.channel, "interaction")
    parts = [what, str(command.direction)]
    if command.origin != "automatic":
        parts.append(str(command.origin))
    if command.auto:
        parts.append("by a machine")
    said = f": {_quoted(command.text)}" if command.text else ""
    return " ".join(parts) + said + _files(command)


def _of_delivery(command: ReportDelivery) -> str:
    parts = [f"status: {command.word}"]
    if command.code:
        parts.append(f"({command.code})")
    if command.call is not None:
        call = command.call
        seconds = f"{call.seconds} s" if call.seconds else None
        parts.append("→ " + ", ".join(part for part in (call.outcome, seconds) if part))
    return " ".join(parts)


def _files(command: RecordInteraction | ReportChange) -> str:
    return "".join(f" + {file.name}" for file in command.attachments if file.part is None)


def _quoted(text: str | None) -> str:
    shown = (text or "").replace("\n", " ⏎ ")
    if len(shown) > SHOWN_MAX_CHARS:
        shown = f"{shown[: SHOWN_MAX_CHARS - 1]}…"
    return f"“{shown}”" if text else "nothing"
