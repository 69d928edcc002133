"""httpx without a network: requests to an application of this process, from code that waits."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp


class InProcess:
    """Stands for `httpx.Client` with an application behind it."""

    def __init__(
        self,
        application: ASGIApp,
        *,
        base_url: str = "http://localhost",
        headers: dict[str, str] | None = None,
    ) -> None:
        self._application = application
        self._base_url = base_url
        self._headers = headers or {}

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        """One request and its answer."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._application)
            async with httpx.AsyncClient(
                transport=transport, base_url=self._base_url, headers=self._headers
            ) as client:
                return await client.request(method, url, **more)

        return asyncio.run(asked())

    def get(self, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as above
        """GET."""
        return self.request("GET", url, **more)

    def post(self, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as above
        """POST."""
        return self.request("POST", url, **more)

    def close(self) -> None:
        """Nothing is open."""
