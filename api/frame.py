"""What stands around every request: its id, its answer's headers, and the unexpected.

An error that nobody expected is answered without a word about its cause. The log gets the
request's id, the kind of error and the places that it passed, never its message: that may hold
what somebody wrote.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api import problems
from api.unexpected import log_unexpected
from domain.errors import HiloError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from domain.ports import Clock, Entropy

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_US_PER_MS: Final = 1_000
_COUNTED: Final = 0xFFFFFF
"""Requests that one process numbers before it begins again: 24 bits, far above a millisecond's."""

_SERVER_ERROR: Final = 500

_REFUSED: Final = 400
"""The least status of an answer that refuses. It does not say how long that took: what is not
there and what its reader may not see are alike, and whoever tries passwords learns nothing."""


_LENGTH: Final = b"content-length"
"""What an answer says that is ready when it begins; a stream goes on, and has taken no time."""


def request_ids(clock: Clock, entropy: Entropy) -> Callable[[], str]:
    """A maker of request ids: 26 characters of a ULID, sortable by time.

    The first 10 are the millisecond; of the other 80 bits, 56 are the process's own random
    ones and 24 count its requests, so that an id costs no randomness.
    """
    own = base32(int.from_bytes(entropy(7), "big") >> 6, 10)
    numbers = itertools.count(1)
    last_ms = -1
    prefix = ""

    def new_id() -> str:
        nonlocal last_ms, prefix
        now_ms = clock() // _US_PER_MS
        if now_ms != last_ms:
            last_ms, prefix = now_ms, f"{base32(now_ms, 10)}{own}"
        return f"{prefix}{next(numbers) & _COUNTED:06X}"

    return new_id


def base32(number: int, digits: int) -> str:
    """A number in Crockford's base 32, with that many digits; what does not fit is cut off."""
    text = ""
    for _ in range(digits):
        number, last = divmod(number, 32)
        text = _CROCKFORD[last] + text
    return text


class Frame:
    """The outermost middleware of ours: `Request-Id` on every answer, a problem for the rest.

    What succeeds says in `Server-Timing` how long it took.

    `answered` hears of each request: its method, route and status, and its seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        new_id: Callable[[], str],
        answered: Callable[[tuple[str, str, int], float], None] | None = None,
    ) -> None:
        self.app = app
        self.new_id = new_id
        self.answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope["hilo.request_id"] = self.new_id()
        mark = (b"request-id", request_id.encode())
        started = 0
        began = time.perf_counter()

        async def marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = message["status"]
                headers = [*message.get("headers", ()), mark]
                if started < _REFUSED and any(name == _LENGTH for name, _ in headers):
                    headers.append(_timing(time.perf_counter() - began))
                message["headers"] = headers
            await send(message)

        try:
            await self.app(scope, receive, marked)
        except ClientDisconnect:  # nobody is there to be answered
            return
        except Exception as error:  # noqa: BLE001 - the outermost place: nothing may pass it
            log_unexpected(error, request_id)
            if not started:
                await problem_answer(HiloError(), scope)(scope, receive, marked)
        finally:
            if self.answered is not None:
                route = getattr(scope.get("route"), "path", "-")
                self.answered((scope["method"], route, started), time.perf_counter() - began)


def _timing(seconds: float) -> tuple[bytes, bytes]:
    """The header of W3C Server Timing: how long the application took until its answer began.

    Tenths of a millisecond: what is finer tells people nothing, and guessers the most.
    """
    return b"server-timing", b"app;dur=%.1f" % (seconds * 1_000)


def problem_answer(
    error: HiloError, scope: Scope, more: Mapping[str, str] | None = None
) -> Response:
    """An error as a response; `more` are further headers."""
    status = problems.problem_of(error).status
    request_id = scope.get("hilo.request_id", "")
    if status == _SERVER_ERROR and type(error) is not HiloError:
        log_unexpected(error, request_id)
    return Response(
        problems.document(error, scope["path"], request_id),
        status_code=status,
        headers={**problems.headers_of(error), **(more or {})},
        media_type=problems.MEDIA_TYPE,
    )
