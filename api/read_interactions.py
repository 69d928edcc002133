"""The card of one interaction: all of it, its history, and its place in the log."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Struct

from api import likely
from api.answers import Json
from api.auth import services_of
from api.chronicle import chronicle
from api.openapi import answers
from api.parameters import (
    POSITION_MAX,
    Freshness,
    Query,
    position_in_path,
    read_headers,
)
from api.reads import Look, Task, answer, look, reads_of, written
from domain.errors import NotFound
from domain.events import InteractionRecorded
from projections import history, timeline_pages
from projections.masking import masked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.auth import Caller
    from api.reads import Reads
    from domain.ports import Entry
    from projections.shapes import CardView
    from projections.timeline_pages import Ref

router = APIRouter()


class AsOf(Struct, frozen=True):
    """How much of the log counts: up to a position, and what was recorded up to a time (µs)."""

    position: int = POSITION_MAX
    recorded_at: int | None = None

    def counts(self, entry: Entry) -> bool:
        """Whether an event was known then."""
        in_time = self.recorded_at is None or entry.recorded_at <= self.recorded_at
        return in_time and entry.position <= self.position


class Proof(Struct, frozen=True):
    """Where the record stands in the tree: its leaf hash (base64), and how to get a receipt."""

    leaf: str
    checkpoint_size: int | None
    receipt: str


@router.get(
    "/v1/interactions/{id}", summary="An interaction's card", responses=answers("Card", 200)
)
async def card(request: Request, id: str) -> Response:
    """All of one interaction; with `as_of` (a time or a position) as it was known then."""
    position = position_in_path(id)
    query = Query(request)
    reads = reads_of(request)

    def prepare(caller: Caller) -> Task:
        as_of = as_of_in(query, caller.zone or services_of(request).locale.zone)

        def work(look: Look) -> Json:
            return Json(card_json(look, reads, position, as_of), 200, read_headers(look.position))

        return Task(work)

    return await answer(request, query, prepare)


async def card_after(
    request: Request, caller: Caller, ids: tuple[int, int | None], more: Mapping[str, str] | None
) -> Json:
    """The card as the answer to a command, once the views hold what the command wrote.

    `ids` are the interaction's and the position that was written, None where nothing was.
    Views that take too long are not waited for: the command is done all the same.
    """
    reads = reads_of(request)
    id, position = ids
    await written(services_of(request), position or 0)

    def work(look: Look) -> Json:
        headers = read_headers(look.position) | dict(more or {})
        return Json(card_json(look, reads, id, None), 200, headers)

    return await look(request, caller, Freshness(), work)


def as_of_in(query: Query, zone: str) -> AsOf | None:
    """What the parameter `as_of` says: a position or a time; None where it does not stand."""
    text = query.text("as_of")
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= len(str(POSITION_MAX)):
        return AsOf(position=min(int(text), POSITION_MAX))
    return AsOf(recorded_at=query.as_time("as_of", text, zone))


def card_json(look: Look, reads: Reads, position: int, as_of: AsOf | None) -> bytes:
    """The card as JSON. Raises NotFound."""
    ref = timeline_pages.one(look.reading, position)
    if ref is None or not look.allowed([ref]):
        raise NotFound(f"There is no interaction {position}.")
    stored = look.services.log.page(position - 1, 1)[0]
    entries = events_of(look, look.services.log.open_page([stored])[0])
    if as_of is not None:
        entries = [entry for entry in entries if as_of.counts(entry)]
    proof = Proof(
        leaf=b64encode(reads.leaf(stored)).decode(),
        checkpoint_size=look.services.proofs.covering(position),
        receipt=f"/v1/interactions/{position}/receipt",
    )
    rest = {"history": chronicle(entries, look.names, _twins(look, entries)), "proof": proof}
    view = _view(look, ref, entries if as_of is not None else None)
    if as_of is None:
        view.twins = likely.of_record(look, ref)
    shown = msgspec.json.encode(view)
    return masked([shown], look.visible)[0][:-1] + b"," + msgspec.json.encode(rest)[1:]


def _twins(look: Look, entries: list[Entry]) -> dict[UUID, int]:
    """The ids of the records that the events of one link it with, by stream."""
    found = [getattr(entry.event, "other", None) for entry in entries]
    streams = {one.bytes for one in found if isinstance(one, UUID)}
    refs = timeline_pages.by_originator(look.reading, streams)
    return {UUID(bytes=stream): ref.position for stream, ref in refs.items()}


def _view(look: Look, ref: Ref, known: list[Entry] | None) -> CardView:
    """The card's own fields, now, or as only these events were known."""
    if known is None:
        return look.renderer.card(look.reading, ref)
    made = history.row_of(known)
    if made is None:
        raise NotFound("This interaction was not recorded yet, then.")
    return look.renderer.card_of(look.reading, *made)


def events_of(look: Look, recorded: Entry) -> list[Entry]:
    """Every event about an interaction, its record among them, by position."""
    event = recorded.event
    abouts = [event.originator_id.bytes]
    if isinstance(event, InteractionRecorded) and event.message_id is not None:
        abouts.append(event.message_id.bytes)
    found = [look.services.log.entry(one) for one in history.positions(look.reading, abouts)]
    entries = [recorded, *(entry for entry in found if entry is not None)]
    return sorted(entries, key=lambda entry: entry.position)
