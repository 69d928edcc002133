"""The log itself, for auditors: every event's clear fields, and hashes of what is sealed."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer
from api.auth import admit, services_of
from api.openapi import answers
from api.parameters import POSITION_MAX, Query, freshness, read_headers
from api.reads import reads_of
from domain.errors import NotYet
from domain.ports import UNDER_COMPANY
from domain.times import format_utc
from domain.topics import layouts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from api.services import Services
    from domain.ports import Layout, StoredEntry

router = APIRouter()

PAGE_BYTES: Final = 4 << 20
"""Stored bytes behind one page: pages of long mails hold fewer events."""


class ActorView(Struct, frozen=True):
    """Who wrote an event down; names are sealed and not shown here."""

    kind: str
    id: str


class Blob(Struct, frozen=True):
    """A sealed section: under whose key, and the SHA-256 (hex) of its stored bytes."""

    subject: str | None
    sha256: str


class LogItem(Struct, frozen=True):
    """An event as it stands in the log (contract 2.11); `leaf` is base64."""

    position: int
    originator: str
    version: int
    topic: str
    recorded_at: str
    actor: ActorView
    on_behalf_of: str | None
    clear: dict[str, object]
    blobs: list[Blob]
    leaf: str


class LogPage(Struct, frozen=True):
    """A page by number: `next` goes into `after`; null where the log ends."""

    items: list[LogItem]
    next: int | None
    prev: int | None
    head: int


@router.get("/v1/log", summary="The log, for auditors", responses=answers("LogPage", 200))
async def log(request: Request) -> Response:
    """Events after a position, in order, without content; the one list that pages by number."""
    services, reads = services_of(request), reads_of(request)
    await admit(request, "audit")
    query = Query(request)
    after = query.number("after", 0, 0, POSITION_MAX)
    limit = query.limit()
    wanted = freshness(query)
    query.close()
    page = await run_in_threadpool(page_of, services, reads.leaf, after, limit)
    if page.head < wanted.min_position:
        # The views follow the log: where they come to a position, the log was there before.
        await services.wait_for(wanted.min_position, wanted.wait_ms / 1_000)
        page = await run_in_threadpool(page_of, services, reads.leaf, after, limit)
    if page.head < wanted.min_position:
        raise NotYet(f"The log has not come to position {wanted.min_position}.")
    return json_answer(page, 200, read_headers(page.head))


def page_of(
    services: Services, leaf: Callable[[StoredEntry], bytes], after: int, limit: int
) -> LogPage:
    """Events after a position, as auditors see them."""
    head = services.log.head()
    stored = services.log.page(after, limit, PAGE_BYTES) if after < head else []
    known = layouts()
    last = stored[-1].position if stored else after
    return LogPage(
        items=[_item(services, entry, known.get(entry.topic), leaf(entry)) for entry in stored],
        next=last if stored and last < head else None,
        prev=max(after - limit, 0) if after else None,
        head=head,
    )


def _item(services: Services, entry: StoredEntry, layout: Layout | None, leaf: bytes) -> LogItem:
    clear = services.codec.clear_of(entry)
    company = str(services.ledger.subjects.company)
    return LogItem(
        position=entry.position,
        originator=str(entry.originator_id),
        version=entry.originator_version,
        topic=entry.topic,
        recorded_at=format_utc(entry.recorded_at),
        actor=_actor(clear.pop("actor", None)),
        on_behalf_of=_text(clear.pop("on_behalf_of", None)),
        clear=clear,
        blobs=[
            Blob(_owner(clear, layout, number, company), digest.hex())
            for number, (_, digest) in enumerate(services.codec.sections_of(entry))
        ],
        leaf=b64encode(leaf).decode(),
    )


def _actor(stored: object) -> ActorView:
    kind, id = stored if isinstance(stored, list) and len(stored) == 2 else ("", "")  # noqa: PLR2004 - a pair
    return ActorView(str(kind), str(id))


def _owner(
    clear: Mapping[str, object], layout: Layout | None, number: int, company: str
) -> str | None:
    """Under whose key a section is sealed: the first as the layout says, then one by one."""
    if layout is None:
        return None
    if number == 0:
        return company if layout.under == UNDER_COMPANY else _text(clear.get(layout.under))
    owners = clear.get(layout.each[1]) if layout.each else None
    owner = owners[number - 1] if isinstance(owners, list) and number <= len(owners) else None
    return _text(owner.get("subject")) if isinstance(owner, dict) else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
