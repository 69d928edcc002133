"""The log for auditors, page by page: every event's clear fields, and the hash of its leaf."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import Request, Response

from api.log_pages import page_of
from api.parameters import Query
from api.reads import reads_of
from api.web.addresses import Pages
from api.web.audit_parts import covered, label_of, number_in
from api.web.ground import open_page
from api.web.making import Shown
from projections import contact_pages

if TYPE_CHECKING:
    from api.auth import Caller
    from api.log_pages import LogItem
    from api.reads import Look
    from api.web.ground import Work

router = Pages()

EVENTS: Final = 50
"""Events of a page, each a line until it is opened."""

HELD_MAX: Final = 200
"""Contacts under a hold that one page lists: lawyers place them one by one."""


@router.get("/audit/log")
async def log(request: Request) -> Response:
    """The events up to a position, the latest first; without one, the end of the log."""
    return await open_page(request, _log, scope="audit")


def _log(request: Request, caller: Caller) -> Work:  # noqa: ARG001 - what is in clear is for all
    query = Query(request)
    asked = (query.text("upto") or "").strip()
    query.close()
    reads = reads_of(request)

    def work(look: Look) -> Shown:
        services = look.services
        head = services.log.head()
        upto = min(number_in(asked) or head, head)
        after = max(upto - EVENTS, 0)
        page = page_of(services, reads.leaf, after, upto - after) if upto else None
        items = page.items if page else []
        # Large events come fewer at a time: what is missing of the page is read behind them.
        while page is not None and items and items[-1].position < upto:
            at = items[-1].position
            page = page_of(services, reads.leaf, at, upto - at)
            items = [*items, *page.items]
        values = {
            "items": [(one, _told(one)) for one in reversed(items)],
            "head": head,
            "upto": upto,
            "asked": asked if asked and number_in(asked) is None else "",
            "covered": covered(services),
            "newer": min(upto + EVENTS, head) if upto < head else None,
            "older": after or None,
        }
        return Shown("audit_log.html", values, "audit")

    return work


def _told(item: LogItem) -> list[tuple[str, str]]:
    """The clear fields of an event, as texts."""
    return [(name, _text(value)) for name, value in sorted(item.clear.items())]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


@router.get("/audit/holds")
async def holds(request: Request) -> Response:
    """Every legal hold that stands."""
    return await open_page(request, _holds, scope="audit")


def _holds(request: Request, caller: Caller) -> Work:
    Query(request).close()

    def work(look: Look) -> Shown:
        rows, count = contact_pages.held(look.reading, HELD_MAX)
        shown = look.renderer.contacts(look.reading, rows)
        values: dict[str, Any] = {
            "contacts": [(one, label_of(look, UUID(one.id))) for one in shown],
            "count": count,
            "more": max(count - HELD_MAX, 0),
            "is_admin": caller.may("admin"),
        }
        return Shown("audit_holds.html", values, "audit")

    return work
