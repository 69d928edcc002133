"""A server over a replay: it shows what was, and changes nothing but who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.frame import problem_answer
from app.replay_folders import why
from domain.errors import WrongState

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
DOORS: Final = ("/sign-in", "/sign-out")
"""What may be sent all the same: a session is no event."""


class ReadingOnly:
    """Around an application: refuses whatever would change something."""

    def __init__(self, app: ASGIApp, position: int) -> None:
        self._app = app
        self._why = why(position)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        refused = scope["type"] == "http" and (
            scope["path"].startswith("/channels/")
            or (scope["method"] not in READING and scope["path"] not in DOORS)
        )
        if refused:
            await problem_answer(WrongState(self._why), scope)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
