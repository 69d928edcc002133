"""The way from an address to its route: by its first words, where frameworks try every route.

There are some two hundred and fifty routes, and a page of the last one waited for a quarter of a
millisecond until the others had declined. Those that begin with other words cannot match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Match, Route

if TYPE_CHECKING:
    from fastapi import APIRouter
    from starlette.types import Receive, Scope, Send


class Signposts:
    """Leads requests to the routes of a router, in the router's own order.

    Those whose first word is a placeholder are tried last. Where none takes a request (it is
    nobody's address, or another method), the router itself says so. All routes are there before
    the first request.
    """

    def __init__(self, router: APIRouter) -> None:
        self._refuse = router.middleware_stack
        self._routes: dict[tuple[str, str], list[Route]] = {}
        self._open: dict[str, list[Route]] = {}
        grouped: dict[str, list[tuple[str, Route]]] = {}
        for route in router.routes:
            if isinstance(route, Route):
                first, second = _words(route.path)
                grouped.setdefault(first, []).append((second, route))
        for first, listed in grouped.items():
            self._open[first] = [route for second, route in listed if _is_open(second)]
            for word in {second for second, _ in listed}:
                self._routes[first, word] = [
                    route for second, route in listed if second == word or _is_open(second)
                ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered."""
        if scope["type"] == "http" and not scope.get("root_path"):
            words = _words(scope["path"])
            for route in self._routes.get(words) or self._open.get(words[0], []):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    await route.handle(scope, receive, send)
                    return
        await self._refuse(scope, receive, send)


def _words(path: str) -> tuple[str, str]:
    """The first two words of a path; the second is empty where there is one alone."""
    first, _, rest = path[1:].partition("/")
    return first, rest.partition("/")[0]


def _is_open(word: str) -> bool:
    """Whether any word may stand there."""
    return "{" in word
