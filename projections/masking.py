"""Interactions with several contacts, for a reader who may not see all of them.

Who may see one of the contacts sees the interaction; of the others nothing is left that would
tell who they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from projections.access import Visible
from projections.shapes import uuid_text

MASK: Final = "•••"
"""What stands for a contact whom the reader may not see."""


class _Concerned(Struct):
    contacts: list[str] = []  # a note is about one contact, and has none


_concerned: Final = msgspec.json.Decoder(_Concerned).decode


def masked(bodies: Sequence[bytes], visible: Visible) -> list[bytes]:
    """Rows or cards as JSON, each without the contacts that are hidden from the reader."""
    if visible.everything:
        return list(bodies)
    hidden = frozenset(map(uuid_text, visible.hidden))
    return [
        body if hidden.isdisjoint(_concerned(body).contacts) else _without(body, hidden)
        for body in bodies
    ]


def _without(body: bytes, hidden: frozenset[str]) -> bytes:
    row: dict[str, Any] = msgspec.json.decode(body)
    if row["contact"]["id"] in hidden:
        row["contact"] = {"id": None, "name": None, "label": MASK}
        if "external_id" in row:
            row["external_id"] = None  # a provider's id may hold the number
    row["contacts"] = [contact for contact in row["contacts"] if contact not in hidden]
    for end in (row["resource"], row["destination"], *row["participants"]):
        if end["contact"] in hidden:
            end.update(address=None, label=MASK, contact=None)
            if "name" in end:
                end["name"] = None
    return msgspec.json.encode(row)
