"""How providers are asked over HTTPS: only where they say that their files lie.

Every address is looked at before it is asked, also those that a provider sends us on to: its
scheme, its port and its host, which has to be one of the provider's own. What a request shows to
prove itself stays with the host that it was for. No address and no header is ever logged.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from channels.media import NOT_ALLOWED, CannotFetch, Get, allowed

if TYPE_CHECKING:
    import httpx

REDIRECTS_MAX: Final = 5
"""How often we are sent on; Twilio does so once or twice."""

CONNECT_S: Final = 10.0
READ_S: Final = 30.0
"""How long a provider may be silent, before it answers and between two parts of a file."""

PART_BYTES: Final = 256 * 1024
"""What is read of a file at a time: what is sealed at a time."""

_REFUSED: Final = frozenset({401, 403})
_GONE: Final = frozenset({404, 410})
_FOUND: Final = 200
_SENT_ON: Final = frozenset({301, 302, 303, 307, 308})


class ProvidersWeb:
    """Asks providers; belongs to one event loop. With `mirror`, that is asked in their stead."""

    def __init__(self, mirror: str = "") -> None:
        self._mirror = mirror
        self._client: httpx.AsyncClient | None = None

    async def read(
        self, get: Get, hosts: Sequence[str], take: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """As in channels/media_fetching.py."""
        client = await self._opened()
        url, headers = get.url, dict(get.headers)
        for _ in range(REDIRECTS_MAX + 1):
            if not allowed(url, hosts):
                raise CannotFetch(NOT_ALLOWED)
            further = await self._asked(client, url, headers, take)
            if further is None:
                return
            further = urljoin(url, further)
            if urlsplit(further).hostname != urlsplit(url).hostname:
                headers = {}
            url = further
        raise CannotFetch("redirects")

    async def close(self) -> None:
        """Let go of its connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _asked(
        self,
        client: httpx.AsyncClient,
        url: str,
        headers: dict[str, str],
        take: Callable[[bytes], Awaitable[None]],
    ) -> str | None:
        """Ask one address: None once all of it was taken, else where we are sent on to."""
        httpx = await _library()
        try:
            async with client.stream("GET", self._mirrored(url), headers=headers) as answer:
                if answer.status_code in _SENT_ON:
                    return str(answer.headers.get("location", ""))
                _check(answer.status_code)
                async for part in answer.aiter_bytes(PART_BYTES):
                    await take(part)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise CannotFetch("unreachable") from None
        return None

    def _mirrored(self, url: str) -> str:
        if not self._mirror:
            return url
        return f"{self._mirror}/{url.removeprefix('https://')}"

    async def _opened(self) -> httpx.AsyncClient:
        httpx = await _library()
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
                headers={"User-Agent": "hilo", "Accept-Encoding": "identity"},
                follow_redirects=False,
            )
        return self._client


async def _library() -> Any:  # noqa: ANN401 - a module
    """httpx: half a second of reading, which no start should wait for."""
    return await asyncio.to_thread(importlib.import_module, "httpx")


def _check(status: int) -> None:
    """Raise CannotFetch for an answer that brings no file."""
    if status in _REFUSED:
        raise CannotFetch("refused")
    if status in _GONE:
        raise CannotFetch("gone")
    if status != _FOUND:
        raise CannotFetch("provider_error")
