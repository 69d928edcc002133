"""The quarantine: what could not be recorded, looked at, delivered once more, or let go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from api.auth import services_of
from api.parameters import Freshness, Query, uuid_in_path
from api.quarantine import REASON_MAX_CHARS, item, page_of
from api.reads import look
from api.web.acting import carry_out
from api.web.addresses import Pages
from api.web.channel_forms import icon_of
from api.web.ground import frame_of, open_page, redirect
from api.web.making import Shown, maker_of
from domain.errors import InvalidInput
from projections.paging import Ask, binding, read_cursor
from storage.arrivals import Kindred

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.ground import Work
    from channels.quarantine import Raw

router = Pages()

ROWS: Final = 50
"""Atoms of a page."""

RETRIED_MAX: Final = 500
"""Atoms that one press of a button delivers again: a few seconds; the rest waits for the next."""

SHOWN_MAX_BYTES: Final = 64 * 1024
"""What a page shows of a body: more than a screen can be read of."""


@router.get("/quarantine")
async def quarantine(request: Request) -> Response:
    """What waits for a decision, the latest first; by connection and reason where asked."""
    return await open_page(request, _quarantine, scope="manage")


def _quarantine(request: Request, _caller: Caller) -> Work:
    query = Query(request)
    of = Kindred(query.text("connection") or None, query.text("reason") or None)
    cursor = query.text("cursor")
    counts = {name: query.text(name) or "" for name in ("done", "failed")}
    query.close()
    filters = _filters(of)
    bound = binding("quarantine", *map(str, filters.items()))
    ask = Ask(binding=bound, limit=ROWS, mark=read_cursor(bound, cursor))

    def work(look: Look) -> Shown:
        page = page_of(look.services, ask, of)
        kinds = look.services.channels.arrivals.quarantined_kinds()
        values: dict[str, Any] = {
            "rows": page.items,
            "kinds": [(one, _address(one), count) for one, count in kinds],
            "waiting": sum(count for _, count in kinds),
            "of": of,
            "pager": {"newer": _turned(of, page.prev), "older": _turned(of, page.next)},
            "counts": {name: int(n) for name, n in counts.items() if n.isdigit()},
            "icon_of": icon_of,
        }
        return Shown("quarantine.html", values, "channels")

    return work


def _filters(of: Kindred) -> dict[str, str]:
    found = {"connection": of.connection, "reason": of.reason}
    return {name: text for name, text in found.items() if text}


def _address(of: Kindred, **more: object) -> str:
    query = urlencode({**_filters(of), **more})
    return f"/quarantine?{query}" if query else "/quarantine"


def _turned(of: Kindred, cursor: str | None) -> str | None:
    return _address(of, cursor=cursor) if cursor else None


@router.post("/quarantine/-/retry")
async def retry_kind(request: Request) -> Response:
    """Deliver all of a kind once more, the oldest first."""

    async def act(_caller: Caller, sent: Sent) -> Response:
        of = Kindred(sent.one("connection") or None, sent.one("reason") or None)
        retrying = services_of(request).channels.retrying
        done, failed = await retrying.retry_all(of, RETRIED_MAX)
        return redirect(_address(of, done=done, failed=failed))

    return await carry_out(request, act, scope="admin")


# ------------------------------------------------------------------------- one atom


@router.get("/quarantine/{id}")
async def atom(request: Request, id: str) -> Response:
    """One atom; an administrator also sees what came."""

    def prepare(request: Request, _caller: Caller) -> Work:
        Query(request).close()
        wanted = uuid_in_path(id)
        return lambda look: _atom(look, wanted)

    return await open_page(request, prepare, scope="manage")


def _atom(look: Look, id: UUID, *, error: str = "", reason: str = "") -> Shown:
    found, raw = look.services.channels.ward.show(id)
    values: dict[str, Any] = {
        "one": item(found),
        "raw": _readable(raw) if raw is not None and look.caller.may("admin") else None,
        "headers": raw.headers if raw is not None and look.caller.may("admin") else {},
        "size": len(raw.body) if raw is not None else 0,
        "icon_of": icon_of,
        "error": error,
        "reason": reason,
    }
    return Shown("quarantined.html", values, "channels", 422 if error else 200)


def _readable(raw: Raw) -> str:
    """A body as it is best read: JSON on lines of its own, else its text."""
    body = raw.body[:SHOWN_MAX_BYTES]
    if len(raw.body) <= SHOWN_MAX_BYTES:
        try:
            body = msgspec.json.format(raw.body, indent=2)
        except msgspec.DecodeError:
            body = raw.body
    return body.decode("utf-8", "backslashreplace")


@router.post("/quarantine/{id}/retry")
async def retry(request: Request, id: str) -> Response:
    """Deliver an atom once more; its page says what became of it."""
    wanted = uuid_in_path(id)

    async def act(_caller: Caller, _sent: Sent) -> Response:
        await services_of(request).channels.retrying.retry(wanted)
        return redirect(f"/quarantine/{wanted}")

    return await carry_out(request, act, scope="admin")


@router.post("/quarantine/{id}/discard")
async def discard(request: Request, id: str) -> Response:
    """Let an atom go, for good; the reason is kept."""
    wanted = uuid_in_path(id)

    async def act(caller: Caller, sent: Sent) -> Response:
        reason = sent.one("reason").strip()
        try:
            if not 0 < len(reason) <= REASON_MAX_CHARS:
                code = "too_long" if reason else "missing"
                raise InvalidInput.one("reason", code, f"1 to {REASON_MAX_CHARS} characters")
            await run_in_threadpool(services_of(request).channels.ward.discard, wanted, reason)
        except InvalidInput as error:
            code = error.errors[0].code

            def framed(look: Look) -> Shown:
                page = _atom(look, wanted, error=code, reason=reason)
                return Shown(
                    page.template, {**frame_of(look), **page.values}, page.tab, page.status
                )

            again = await look(request, caller, Freshness(), framed)
            return maker_of(request).page(request, again)
        return redirect("/quarantine")

    return await carry_out(request, act, scope="admin")
