"""Where checkpoints go: a folder, and witnesses elsewhere (C2SP tlog-witness).

A place that cannot be reached, or that refuses, is shown and tried again; appends never wait.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from audit.merkle import consistency_proof
from audit.notes import (
    WITNESS_KEY,
    BadNote,
    Checkpoint,
    Note,
    Verifier,
    read_checkpoint,
    read_note,
    read_verifier,
)
from audit.receipts import hash_lines
from audit.signer import write_whole
from audit.tree import nodes_of
from domain.errors import HiloError, InvalidInput

if TYPE_CHECKING:
    import httpx

    from audit.tree import Tiles

WITNESS_S_MAX: Final = 5.0
"""How long a witness may take; the next checkpoint waits for it, appends do not."""

ANSWER_BYTES_MAX: Final = 16 * 1024
"""What a witness may answer: some signature lines."""

SIZE_TYPE: Final = "text/x.tlog.size"
"""The media type of a witness's answer that it knows another size."""

LATEST: Final = "checkpoint"
"""The file of a folder that always has the newest checkpoint."""

CONFLICT: Final = 409


class Unpublished(HiloError):
    """A place did not take a checkpoint, and the sentence says why."""


class Place(Protocol):
    """Somewhere that keeps checkpoints."""

    @property
    def name(self) -> str:
        """What it is called where its state is shown."""

    def publish(self, note: str, known: int) -> str:
        """Give it a checkpoint, where it has one of `known` events; the note, with what it adds.

        Raises Unpublished, Damaged, StoreUnavailable.
        """


class Folder:
    """A folder, for instance one that is copied to a bucket which forgets nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"folder {path}"

    def publish(self, note: str, known: int) -> str:  # noqa: ARG002 - as Place says
        """A file for each checkpoint, and the newest under one name. Raises Unpublished."""
        size = read_checkpoint(read_note(note).text).size
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            write_whole(self._path / f"{size:012}.checkpoint", note)
            write_whole(self._path / LATEST, note)
        except OSError as error:
            raise Unpublished(f"{self._path} cannot be written ({error.strerror}).") from error
        return note

    def notes(self) -> list[tuple[int, str]]:
        """(size, note) of what it holds, by size; what is no checkpoint is passed over."""
        found = []
        for file in sorted(self._path.glob("*.checkpoint")):
            try:
                note = file.read_text("utf-8")
                found.append((read_checkpoint(read_note(note).text).size, note))
            except (OSError, UnicodeDecodeError, BadNote):
                continue
        return sorted(found)


class WitnessPlace:
    """A witness: it is shown that the tree only grew, and signs that it saw it."""

    def __init__(self, url: str, verifier: Verifier, tiles: Tiles) -> None:
        self._url = url.rstrip("/") + "/add-checkpoint"
        self.verifier = verifier
        self.name = f"witness {verifier.name}"
        self._tiles = tiles

    def publish(self, note: str, known: int) -> str:
        """The note with this witness's signature. Raises Unpublished."""
        checkpoint = read_checkpoint(read_note(note).text)
        answer = self._ask(note, checkpoint, min(known, checkpoint.size))
        if answer.status_code == CONFLICT and SIZE_TYPE in answer.headers.get("content-type", ""):
            its = answer.text.strip()
            if not its.isdecimal() or int(its) > checkpoint.size:
                raise Unpublished(
                    f"It has seen {its[:20]} events and the log has {checkpoint.size}: "
                    "an old state was restored, or events were removed. Run hilo verify."
                )
            answer = self._ask(note, checkpoint, int(its))
        if not answer.is_success:
            raise Unpublished(f"It answers {answer.status_code}: {answer.text[:100]!r}")
        return self._cosigned(note, answer.text[:ANSWER_BYTES_MAX])

    def _ask(self, note: str, checkpoint: Checkpoint, old: int) -> httpx.Response:
        import httpx  # noqa: PLC0415 - a tenth of a second, and few have a witness

        proof = consistency_proof(nodes_of(self._tiles), old, checkpoint.size)
        body = "\n".join([f"old {old}", *hash_lines(proof)]) + "\n\n" + note
        try:
            return httpx.post(self._url, content=body.encode(), timeout=WITNESS_S_MAX)
        except httpx.HTTPError as error:
            raise Unpublished(f"It does not answer ({type(error).__name__}).") from error

    def _cosigned(self, note: str, lines: str) -> str:
        try:
            own = read_note(_log_only(note) + lines).lines_of(self.verifier)
        except BadNote as error:
            raise Unpublished(f"Its answer cannot be read: {error.detail}") from error
        if not own:
            raise Unpublished("Its answer has no signature by the key that is configured.")
        there = read_note(note)
        return note + "".join(one for one in own[:1] if not _has(there, one))


def _has(note: Note, line: str) -> bool:
    return any(one == line for _, _, one in note.signatures)


def _log_only(note: str) -> str:
    """A note with its first signature alone, the log's own."""
    text, _, lines = note.rpartition("\n\n")
    return f"{text}\n\n{lines.splitlines(keepends=True)[0]}"


def read_witnesses(text: str, tiles: Tiles) -> list[WitnessPlace]:
    """Witnesses as settings name them: `URL VERIFIER`, with commas between. Raises InvalidInput."""
    found = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        url, _, key = part.partition(" ")
        try:
            verifier = read_verifier(key)
        except BadNote as error:
            raise _bad(error.detail) from error
        if not url.startswith(("http://", "https://")) or verifier.kind != WITNESS_KEY:
            raise _bad("write URL, a space, and the witness's verifier key")
        found.append(WitnessPlace(url, verifier, tiles))
    return found


def _bad(message: str) -> InvalidInput:
    return InvalidInput.one("HILO_WITNESSES", "bad_witness", message)
