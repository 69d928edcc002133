"""Settings, Teams: who works together; made, named, joined, left, and taken out of forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response

from api.auth import services_of
from api.bodies import Faults, Shape
from api.parameters import uuid_of
from api.people import plain_name, user_named
from api.people_teams import MemberRequest, TeamPatch, TeamRequest, rows_of
from api.web.addresses import Pages
from api.web.ground import redirect
from api.web.settings import TEAMS, Room, body, keep, settle, show, users
from domain.errors import NotFound
from projections.dictionary import TEAM

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.parameters import Query
    from api.reads import Look
    from api.services import Services
    from api.web.acting import Sent
    from api.web.settings import Fill
    from domain.commands import FactReceipt

router = Pages()

_NEW: Final = Shape(TeamRequest)
_PATCH: Final = Shape(TeamPatch)
_MEMBER: Final = Shape(MemberRequest)


def _ready(query: Query) -> Fill:
    opened = query.text("open")

    def values(look: Look) -> dict[str, Any]:
        return {
            "teams": rows_of(look, look.names.all(TEAM)),
            "users": users(look),
            "opened": opened,
        }

    return values


ROOM: Final = Room(TEAMS, "settings_teams.html", _ready)


@router.get("/settings/teams")
async def teams(request: Request) -> Response:
    """The teams, each with its members."""
    return await show(request, ROOM)


@router.post("/settings/teams")
async def change(request: Request) -> Response:
    """Make a team, or change one; the form says what, `team` which."""

    async def carry(caller: Caller, sent: Sent) -> Response:
        services, do = services_of(request), sent.one("do")
        if do == "add":
            team, receipt = await _add(services, caller, sent)
        else:
            team, receipt = await _change(services, caller, sent)
        await settle(services, receipt)
        return redirect(f"{TEAMS.path}?done=saved&open={team}#t{team}")

    return await keep(request, ROOM, carry)


async def _add(services: Services, caller: Caller, sent: Sent) -> tuple[UUID, FactReceipt | None]:
    asked, faults = _NEW.read(body(name=sent.one("name"))), Faults()
    name = plain_name(asked.name, "name", faults)
    faults.finish()
    return await services.ledger.teams.add(name, caller.by())


async def _change(
    services: Services, caller: Caller, sent: Sent
) -> tuple[UUID, FactReceipt | None]:
    """Rename a team, put somebody in or out, or say whether forms offer it."""
    book, by, faults = services.ledger.teams, caller.by(), Faults()
    team = uuid_of(sent.one("team"))
    if team is None:
        raise NotFound("There is no such team.")
    match sent.one("do"):
        case "join":
            asked = _MEMBER.read(body(user=sent.one("user")))
            user = user_named(services, asked.user, "user", faults)
            faults.finish()
            return team, await book.join(team, user or team, by)
        case "leave":
            return team, await book.leave(team, uuid_of(sent.one("user")) or team, by)
        case "offer" | "hide":
            active = sent.one("do") == "offer"
            return team, await book.name(team, (None, active), by, expected=None)
        case _:
            named = _PATCH.read(body(name=sent.one("name")))
            name = plain_name(named.name, "name", faults) if isinstance(named.name, str) else None
            faults.finish()
            return team, await book.name(team, (name, None), by, expected=None)
