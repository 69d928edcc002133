"""The ground that all pages stand on: how a page is opened, and what its frame says.

Who is not signed in meets the door, a refusal is a page too, and all that a page shows comes
from one look at the views. What is sent by forms: acting.py. The docstring of api/web/__init__.py
says how a page is added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from api.parameters import Freshness
from api.reads import Look, look
from api.web.doors import door
from api.web.making import SECURITY, Shown, is_script, maker_of
from domain.errors import HiloError, NotAllowed, NotSignedIn
from projections.dictionary import USER

if TYPE_CHECKING:
    from api.auth import Caller, Doorkeeper

Work = Callable[[Look], Shown | Response]
"""What a page does with its look at the views."""

Prepare = Callable[[Request, "Caller"], Work]
"""What a page reads from its request, before it looks."""


async def open_page(
    request: Request,
    prepare: Prepare,
    *,
    scope: str | None = "read",
    fresh: Freshness | None = None,
) -> Response:
    """A page from what it reads and shows; a refusal is a page too.

    Without a scope, whoever is signed in may.
    """
    maker = maker_of(request)
    keeper: Doorkeeper = request.app.state.doorkeeper
    try:
        caller = await (keeper.caller(request) if scope is None else keeper.admit(request, scope))
        work = prepare(request, caller)

        def framed(look: Look) -> Shown | Response:
            shown = work(look)
            if isinstance(shown, Response) or shown.piece:
                return shown
            return Shown(
                shown.template,
                {**frame_of(look), **shown.values},
                shown.tab,
                shown.status,
            )

        shown = await look(request, caller, fresh or Freshness(), framed)
    except NotSignedIn:
        return closed(request)
    except NotAllowed as error:
        if request.url.path == "/" and request.state.caller.may("audit"):
            return redirect("/audit", 302)  # the first page of whoever may see no content
        return maker.refusal(request, error)
    except HiloError as error:
        return maker.refusal(request, error)
    return shown if isinstance(shown, Response) else maker.page(request, shown)


def closed(request: Request) -> Response:
    """The door; a script is sent to it with the whole page."""
    if not is_script(request):
        return door(request)
    return Response(status_code=401, headers={**SECURITY, "HX-Redirect": "/sign-in"})


def frame_of(look: Look) -> dict[str, Any]:
    """What the frame says of the reader: who they are, and at which position the page stands."""
    caller = look.caller
    named = look.names.user(caller.user).name if caller.user else ""
    known = look.names.one(USER, str(caller.user)) if caller.user else None
    shortcuts = known is None or known.extra.shortcuts is not False
    ward = look.services.channels.ward
    return {
        "me": named,
        "shortcuts": shortcuts,
        "position": look.position,
        "quarantined": ward.waiting() if caller.may("manage") else 0,
    }


def redirect(path: str, status: int = 303) -> Response:
    """Go on to another page of ours."""
    return RedirectResponse(path, status, headers=SECURITY)
