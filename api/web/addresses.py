"""The addresses of pages: plain routes, without what a framework does for operations of an API.

FastAPI reads the signature of each operation and makes a validator for each word of its path:
half a millisecond, a hundred times, at every start. A page's words are text as they came, it
stands in no document, and whoever reads its query does so by api/parameters.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

PageT = TypeVar("PageT", bound=Callable[..., Awaitable[Response]])
"""What answers: it takes the request, and each word of its path by its name."""


class PageRoute(Route):
    """A route that names itself to whoever counts requests, as the framework's own do."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As in Route, with the route."""
        match, found = super().matches(scope)
        if match is not Match.NONE:
            found["route"] = self
        return match, found


class Pages:
    """The pages of one module, listed as a router of the framework lists its own."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def get(self, path: str) -> Callable[[PageT], PageT]:
        """What is decorated shows something at this address."""
        return self._at(path, "GET")

    def post(self, path: str) -> Callable[[PageT], PageT]:
        """What is decorated takes a form at this address."""
        return self._at(path, "POST")

    def _at(self, path: str, method: str) -> Callable[[PageT], PageT]:
        def kept(page: PageT) -> PageT:
            async def answer(request: Request) -> Response:
                return await page(request, **request.path_params)

            name = getattr(page, "__name__", path)
            route = PageRoute(path, answer, methods=[method], name=name, include_in_schema=False)
            route.methods = {method}  # as in the API; Starlette adds HEAD of its own accord
            self.routes.append(route)
            return page

        return kept
