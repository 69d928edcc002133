"""What pages have in common: the navigation, and rows as their reader may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from api.web.languages import N_
from api.web.making import Tab
from projections.shapes import NoteView, RowView
from projections.timeline import KIND_NOTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.reads import Look
    from projections.timeline_pages import Ref

TABS: Final = (
    Tab("inbox", "/", "inbox", N_("Conversations")),
    Tab("contacts", "/contacts", "users", N_("Contacts")),
    Tab("activity", "/activity", "pulse", N_("Activity")),
    Tab("reports", "/reports", "chart", N_("Reports")),
    Tab("channels", "/channels", "webchat", N_("Channels"), scope="manage"),
    Tab("audit", "/audit", "shield", N_("Audit"), scope="audit"),
)
"""The navigation, in its order."""

row_of: Final = msgspec.json.Decoder(RowView)
note_of: Final = msgspec.json.Decoder(NoteView)


def shown(look: Look, refs: Sequence[Ref]) -> list[RowView | NoteView]:
    """The rows of a list, notes among them, as the reader may see them."""
    bodies = look.renderer.rows(look.reading, refs, look.visible)
    return [
        (note_of if ref.kind == KIND_NOTE else row_of).decode(body)
        for ref, body in zip(refs, bodies, strict=True)
    ]
