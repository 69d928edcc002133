"""The files of an interaction as they are shown, and what is kept of each.

A file is `stored` once its sealed bytes are kept, `failed` where a provider does not give it
(any more), and `pending` as long as neither is known.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.errors import Erased
from domain.values import FilePart
from projections import folding
from projections.content import Attached, Content, read_content
from projections.folding import File, State
from projections.shapes import AttachmentView, uuid_text
from projections.timeline_rows import INTERACTIONS
from projections.views import Reading

ADDRESS: Final = "/v1/attachments/"


class Kept(NamedTuple):
    """A file whose bytes are in the store: the hash (hex) of the sealed ones, name and type."""

    blob: str
    name: str
    media_type: str
    part: str | None


def views(content: Content, state: State) -> list[AttachmentView]:
    """The files that its sender attached: of the last edit that brought any, else as recorded."""
    became = {file.id: file for file in state.files}
    return [
        _view(file, became.get(file.id)) for file in _listed(content, state) if file.part is None
    ]


def recording(state: State) -> AttachmentView | None:
    """What was said in a call, where it was recorded and fetched; the first one."""
    found = [file for file in state.files if file.part == FilePart.RECORDING]
    if not found:
        return None
    first = min(found, key=lambda file: (file.blob is None, file.at, file.by))
    return _view(_named_by(first), first)


def html_of(content: Content) -> str | None:
    """The id of the body that may be shown; None where there is none, or it was erased."""
    for file in content.attachments:
        if file.part == FilePart.HTML and file.blob is not None:
            return uuid_text(file.id)
    return None


def kept(content: Content, state: State, id: bytes) -> Kept | None:
    """What is kept under an id, whatever part of the interaction it is."""
    became = next((file for file in state.files if file.id == id), None)
    edited = state.edit.attachments if state.edit else ()
    named = next((file for file in (*content.attachments, *edited) if file.id == id), None)
    file = named or (_named_by(became) if became else None)
    if file is None:
        return None
    blob = file.blob or (became.blob if became else None)
    return Kept(blob, file.name, file.media_type, file.part) if blob else None


def kept_in(reading: Reading, originator: bytes, id: bytes) -> Kept | None:
    """What is kept under an id in the interaction of a stream. Raises Erased."""
    sql = f"SELECT content, state FROM {reading.name(INTERACTIONS)} WHERE originator = ?"
    for packed, state in reading.fetch(sql, (originator,)):
        content = read_content(packed)
        if content.erased:
            raise Erased("The content of this file was erased.")
        return kept(content, folding.read_state(state), id)
    return None


def _listed(content: Content, state: State) -> tuple[Attached, ...]:
    edited = state.edit.attachments if state.edit else ()
    return edited or content.attachments


def _named_by(file: File) -> Attached:
    """A file that no record has named, by what was found."""
    name, media_type = file.name or "recording", file.media_type or "application/octet-stream"
    return Attached(
        file.id, name, media_type, file.size_bytes, file.sha256, file.blob, None, file.part
    )


def _view(file: Attached, became: File | None) -> AttachmentView:
    id, state, error = uuid_text(file.id), "pending", None
    size_bytes, sha256 = file.size_bytes, file.sha256
    if file.blob is not None or (became is not None and became.blob is not None):
        state = "stored"
    elif became is not None:
        state, error = "failed", became.code
    if became is not None and became.blob is not None:
        size_bytes, sha256 = became.size_bytes, became.sha256 or sha256
    url = f"{ADDRESS}{id}" if state == "stored" else None
    return AttachmentView(
        id, file.name, file.media_type, size_bytes, sha256, state, error, url, file.content_id
    )
