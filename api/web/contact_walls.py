"""Who may see a contact: everybody, or the teams and people who are named; and how it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import Request, Response

from api import contact_access
from api.contact_access import NAMED_MAX, AccessRequest, access_then
from api.parameters import Freshness, Query, uuid_in_path
from api.reads import look
from api.web.addresses import Pages
from api.web.contact_forms import Form, fresh, id_of, of_contact, send, staff, version_in, view_of
from api.web.contact_merge import REASON_MAX_CHARS
from api.web.ground import open_page
from api.web.making import Shown
from domain.errors import InvalidInput, NotFound
from projections import teams
from projections.dictionary import TEAM

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Found, Look
    from api.web.acting import Sent
    from api.web.ground import Work

router = Pages()

DONE: Final = ("", "saved")
"""What was just done, as the page confirms it."""


@router.get("/contacts/{id}/access")
async def access(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """Who may see it, and every decision about that."""
    return await open_page(request, _access, scope="manage")


def _access(request: Request, _caller: Caller) -> Work:
    query, id = Query(request), id_of(request)
    done = query.choice("done", DONE, "")
    query.close()

    def show(look: Look, found: Found) -> Shown:
        return _page(look, found, fresh(look), done)

    return of_contact(request, id, "access", show)


def _page(look: Look, found: Found, form: Form, done: str = "") -> Shown:
    shown = view_of(look, found.id)
    then = access_then(look, found, look.position)
    named = {*(one.id for one in shown.access.users), *(one.id for one in shown.access.teams)}
    ticked = {*form.many("users"), *form.many("teams")} if form.was_sent else named
    values: dict[str, Any] = {
        "contact": shown,
        "part": "access",
        "form": form,
        "mode": form.value("mode", shown.access.mode),
        "ticked": ticked,
        "people": staff(look),
        "teams": [one for one in look.names.all(TEAM) if one.active],
        "history": list(reversed(then.history)),
        "reason_max": REASON_MAX_CHARS,
        "done": done,
    }
    return Shown("contact_access.html", values, "contacts", form.status)


@router.post("/contacts/{id}/access")
async def decide(request: Request, id: str) -> Response:
    """Restrict it to those who are ticked, or open it; nobody shuts themselves out unawares."""
    wanted = uuid_in_path(id)

    async def do(caller: Caller, sent: Sent) -> str:
        asked = _asked(sent)
        if asked.mode == "restricted" and sent.one("anyway") != "true":
            await look(request, caller, Freshness(), lambda look: _refuse_blind(look, asked))
        how = (caller.by(), version_in(sent))
        await contact_access.decide(request, caller, (wanted, asked), how)
        if await look(request, caller, Freshness(), lambda look: _is_seen(look, wanted)):
            return f"/contacts/{wanted}/access?done=saved"
        return "/contacts"

    return await send(request, do, lambda look, form: _page(look, look.contact(wanted), form))


def _asked(sent: Sent) -> AccessRequest:
    """What the form says. Raises InvalidInput."""
    reason = sent.one("reason").strip()
    if len(reason) > REASON_MAX_CHARS:
        raise InvalidInput.one("reason", "too_long", f"at most {REASON_MAX_CHARS} characters")
    if sent.one("mode") != "restricted":
        return AccessRequest(mode="open", reason=reason)
    users, named = tuple(sent.many("users")), tuple(sent.many("teams"))
    if len(users) > NAMED_MAX or len(named) > NAMED_MAX:
        raise InvalidInput.one("users", "too_many", f"at most {NAMED_MAX}; make a team of them")
    return AccessRequest(mode="restricted", users=users, teams=named, reason=reason)


def _refuse_blind(look: Look, asked: AccessRequest) -> None:
    """Raise InvalidInput where who decides would not see the contact any more."""
    if look.caller.reader.everything or not (asked.users or asked.teams):
        return
    me = look.caller.user
    mine = (
        {str(UUID(bytes=team)) for team in teams.teams_of(look.reading, me.bytes)} if me else set()
    )
    if str(me) not in asked.users and not mine & set(asked.teams):
        raise InvalidInput.one("anyway", "blind", "you would not see it yourself any more")


def _is_seen(look: Look, id: UUID) -> bool:
    try:
        look.contact(id)
    except NotFound:
        return False
    return True
