"""Answers as bytes: JSON that msgspec wrote, and the few headers that all of them carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

JSON: Final = "application/json"

_JSON_HEADERS: Final = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))


class Json(Response):
    """A JSON answer from bytes that are ready; what a hot path can afford.

    Starlette's own response encodes its headers anew each time; this one has them as bytes.
    `more` are further headers, names in small letters.
    """

    def __init__(
        self, body: bytes, status_code: int = 200, more: Mapping[str, str] | None = None
    ) -> None:
        self.body = body
        self.status_code = status_code
        self.background = None
        self.raw_headers = [*_JSON_HEADERS, (b"content-length", str(len(body)).encode())]
        if more:
            self.raw_headers += [(k.encode(), v.encode("latin-1")) for k, v in more.items()]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        await send({"type": "http.response.body", "body": self.body})


def json_answer(
    value: object, status_code: int = 200, more: Mapping[str, str] | None = None
) -> Json:
    """Anything that msgspec can write as JSON, as an answer."""
    return Json(msgspec.json.encode(value), status_code, more)


def nothing() -> Response:
    """204, for what was deleted."""
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
