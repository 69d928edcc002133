"""Routes are found by the first words of an address, and are the ones that the framework finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import httpx
from fastapi import FastAPI

from api.signposts import Signposts

ROUTES: Final = (
    ("GET", "/"),
    ("GET", "/contacts"),
    ("GET", "/contacts/new"),
    ("GET", "/contacts/{id}"),
    ("POST", "/contacts/{id}"),
    ("GET", "/contacts/{id}/edit"),
    ("GET", "/contacts/new/all"),
    ("GET", "/v1/cars"),
    ("GET", "/v1/{kind}/{id}"),
    ("GET", "/v1/cars/{id}"),
    ("GET", "/{word}/all"),
)


def _shop() -> FastAPI:
    made = FastAPI(openapi_url=None)
    for method, path in ROUTES:
        made.add_api_route(path, _saying(f"{method} {path}"), methods=[method])
    return made


def _saying(text: str) -> Callable[[], str]:
    return lambda: text


def test_requests_come_to_the_route_that_the_router_would_choose() -> None:
    """The first that fits; other methods, other words and nothing are answered as without it."""
    plain, led = _shop(), _shop()
    led.router.middleware_stack = Signposts(led.router)

    async def answers(application: FastAPI) -> list[tuple[int, str]]:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            paths = [path.replace("{id}", "7").replace("{word}", "x") for _, path in ROUTES]
            asked = [*paths, "/v1/bikes/7", "/v1", "/contacts/7/8", "/contacts/", "/y", "/v1/z"]
            found = [
                await client.request(method, path)
                for method in ("GET", "POST", "DELETE")
                for path in asked
            ]
        return [(one.status_code, one.text) for one in found]

    without = asyncio.run(answers(plain))
    assert asyncio.run(answers(led)) == without
    assert {(200, '"GET /v1/{kind}/{id}"'), (200, '"GET /{word}/all"')} < set(without)
