"""Who may be one person: pairs of contacts, compared, or dismissed until something new is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from msgspec import Struct

from api.contact_suggestions import DismissalRequest, doubted
from api.parameters import Query, uuid_in_path, uuid_of
from api.web.acting import carry_out
from api.web.addresses import Pages
from api.web.contact_directory import views_of
from api.web.ground import open_page, redirect
from api.web.making import Shown
from domain.errors import NotFound
from projections import suggestions
from projections.shapes import ContactView, SuggestionView

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.ground import Work

router = Pages()

PAIRS: Final = 30
"""Suggestions of a page: each is looked into."""

DONE: Final = ("", "dismissed", "restored")
"""What was just done, as the page confirms it."""


class Pair(Struct, frozen=True):
    """Two contacts that may be one person, and why."""

    one: ContactView
    other: ContactView
    reasons: list[SuggestionView]


@router.get("/contacts/suggestions")
async def suggested(request: Request) -> Response:
    """Contacts that may be one person, in pairs; nobody but a person joins them."""
    return await open_page(request, _suggested)


def _suggested(request: Request, _caller: Caller) -> Work:
    query = Query(request)
    cursor, dismissed = query.text("cursor"), query.flag("dismissed") is True
    done = query.choice("done", DONE, "")
    both = [query.text(name) or "" for name in ("one", "other")]
    query.close()
    kept = {"dismissed": "true"} if dismissed else {}

    def work(look: Look) -> Shown:
        page = suggestions.page(look.reading, limit=PAIRS, cursor=cursor, dismissed=dismissed)
        found = suggestions.views(look.reading, page.rows, look.visible.may_see_one)
        more = urlencode({**kept, "cursor": page.next}) if page.next else None
        values: dict[str, Any] = {
            "pairs": _pairs(look, found),
            "pager": {"newer": None, "older": f"/contacts/suggestions?{more}" if more else None},
            "dismissed": dismissed,
            "done": done,
            "both": both_of(look, both) if done else [],
        }
        return Shown("contacts_alike.html", values, "contacts")

    return work


def both_of(look: Look, ids: list[str]) -> list[ContactView]:
    """Contacts that a form was about, where they are there for its reader to see."""
    named = [id for id in map(uuid_of, ids) if id is not None]
    shown: list[ContactView] = []
    for id in named:
        try:
            found = look.contact(id)
        except NotFound:
            continue
        shown += views_of(look, [str(found.id)]).values()
    return shown


def _pairs(look: Look, found: list[SuggestionView]) -> list[Pair]:
    """Each pair of contacts once, with all that speaks for it on this page."""
    reasons: dict[tuple[str, ...], list[SuggestionView]] = {}
    for one in found:
        ids = tuple(sorted(ref.id or "" for ref in one.contacts))
        reasons.setdefault(ids, []).append(one)
    known = views_of(look, [id for ids in reasons for id in ids])
    pairs: list[Pair] = []
    for listed in reasons.values():
        mine, theirs = (known.get(ref.id or "") for ref in listed[0].contacts)
        if mine is not None and theirs is not None:
            pairs.append(Pair(mine, theirs, listed))
    return pairs


@router.post("/contacts/{id}/suggestions")
async def doubt(request: Request, id: str) -> Response:
    """Two contacts are not the same; or they may be after all."""
    wanted = uuid_in_path(id)

    async def act(caller: Caller, sent: Sent) -> Response:
        other, dismissed = uuid_of(sent.one("other")), sent.one("do") == "dismiss"
        if other is None:
            raise NotFound("There is no such contact.")
        what = (wanted, DismissalRequest(other=other), dismissed)
        await doubted(request, caller, what, caller.by())
        done = "dismissed" if dismissed else "restored"
        if sent.one("at") == "edit":
            return redirect(f"/contacts/{wanted}/edit?done={done}&other={other}#alike")
        kept = "" if dismissed else "&dismissed=true" if sent.one("at") == "dismissed" else ""
        return redirect(f"/contacts/suggestions?done={done}&one={wanted}&other={other}{kept}")

    return await carry_out(request, act)
