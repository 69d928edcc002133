"""The HTTP door of a witness: one call, and its key for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.parameters import read_body
from audit.places import SIZE_TYPE
from audit.witness import REQUEST_BYTES_MAX
from domain.errors import TooLarge

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from audit.witness import Witness


def door(witness: Witness) -> Starlette:
    """The application of a witness."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            body = (await read_body(request, REQUEST_BYTES_MAX)).decode()
        except TooLarge:
            return PlainTextResponse("Too large.\n", 413)
        except UnicodeDecodeError:
            return PlainTextResponse("Not UTF-8.\n", 400)
        verdict = await run_in_threadpool(witness.add_checkpoint, body)
        kind = SIZE_TYPE if verdict.is_size else "text/plain; charset=utf-8"
        return PlainTextResponse(verdict.body, verdict.status, media_type=kind)

    async def key(_: Request) -> Response:
        return PlainTextResponse(f"{witness.verifier}\n")

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/key", key, methods=["GET"]),
        ]
    )
