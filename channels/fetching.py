"""Fetching what a provider's request points to: small things, from hosts that are the provider's.

Which URL may be fetched is for the channel's module to say; nothing here follows a request to a
place that it names itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from domain.errors import Unavailable

FETCHED_MAX_BYTES: Final = 64 * 1024
"""Size of what is fetched: a certificate has some 2 KB."""

FETCH_S_MAX: Final = 5.0
"""How long each step of it may take; providers wait 15 s for an answer and come again."""

Fetch = Callable[[str], Awaitable[bytes]]
"""The bytes behind a URL. Raises Unavailable: the provider is told to come again."""


async def fetched(url: str) -> bytes:
    """The bytes behind an HTTPS URL; redirects are not followed. Raises Unavailable."""
    import httpx  # noqa: PLC0415 - it takes its time to load, and few need it

    found = bytearray()
    try:
        async with (
            httpx.AsyncClient(timeout=FETCH_S_MAX, trust_env=True) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                found += chunk
                if len(found) > FETCHED_MAX_BYTES:
                    raise Unavailable("What the provider's request points to is too large.")
    except httpx.HTTPError as error:
        raise Unavailable("What the provider's request points to cannot be fetched.") from error
    return bytes(found)
