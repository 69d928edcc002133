"""The FastAPI application: routers, the frame around them, and what starts and ends with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from api import (
    attachments,
    batch,
    channels,
    corrections,
    ingest,
    quarantine,
    reading_side,
    signing_in,
    tokens,
    twins,
    webhooks,
)
from api.auth import Doorkeeper
from api.frame import Frame, problem_answer, request_ids
from api.frameworks import translated
from api.gate import Gate
from api.ingest import StatusByKeyRequest, StatusRequest
from api.openapi import describe_structs
from api.shapes import AppendRequest
from api.signposts import Signposts
from domain.errors import HiloError, MethodNotAllowed

if TYPE_CHECKING:
    from starlette.responses import Response

    from api.reads import Reads
    from api.services import Services

Hook = Callable[[FastAPI], AbstractAsyncContextManager[None]]
"""Something that lives as long as the application: it starts before the first request."""

ROUTERS: Final[tuple[APIRouter, ...]] = (
    ingest.router,
    batch.router,
    attachments.router,
    corrections.router,
    twins.router,
    tokens.router,
    signing_in.router,
    webhooks.router,
    channels.router,
    quarantine.router,
)
"""Everything that answers, each room of the API with its own router; the first match answers."""

BODIES: Final[tuple[type[Struct], ...]] = (
    AppendRequest,
    StatusRequest,
    StatusByKeyRequest,
    attachments.AttachmentAnswer,
    tokens.TokenRequest,
    tokens.TokenRow,
    tokens.TokenPage,
    corrections.CorrectionRequest,
    corrections.RetractionRequest,
    *twins.STRUCTS,
    *channels.STRUCTS,
    *quarantine.STRUCTS,
)
"""The Structs that operations name in the document of the API."""


def build(
    services: Services,
    *,
    hooks: Sequence[Hook] = (),
    routers: Sequence[APIRouter] = (),
    reads: Reads | None = None,
) -> FastAPI:
    """The application over its services.

    `hooks` are entered before the first request and left after the last one. `routers` come
    after those of the API: webhooks. Without `reads` it only takes in, and answers no question.
    """

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for hook in hooks:
                await stack.enter_async_context(hook(application))
            yield

    application = FastAPI(
        title="Hilo",
        version=services.version,
        summary="Every interaction between a company and its contacts.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # FastAPI's own load scripts from elsewhere: see api/web/reference.py
        redoc_url=None,
    )
    application.state.services = services
    application.state.doorkeeper = Doorkeeper(services)
    application.state.gate = Gate(services)
    # As routes of the application itself: an included router is searched anew for each request.
    # They stand before FastAPI's own (the documents), for routes are tried in their order.
    rooms = (*ROUTERS, *(reading_side.ROUTERS if reads else ()), *routers)
    ours = [route for router in rooms for route in router.routes]
    application.router.routes[:0] = ours
    describe_structs(application, (*BODIES, *(reading_side.BODIES if reads else ())))
    application.router.middleware_stack = Signposts(application.router)
    _refuse_in_one_shape(application)
    if reads is not None:
        reading_side.furnish(application, services, reads)
    application.add_middleware(
        Frame,
        new_id=request_ids(services.clock, services.entropy),
        answered=reads.metrics.answered if reads else None,
    )
    return application


def _refuse_in_one_shape(application: FastAPI) -> None:
    """Have every refusal answered as a problem, whoever raised it."""

    async def ours(request: Request, error: Exception) -> Response:
        return problem_answer(translated(error), request.scope)

    async def frameworks(request: Request, error: Exception) -> Response:
        headers = error.headers if isinstance(error, HTTPException) else None
        refused = translated(error)
        if isinstance(refused, MethodNotAllowed):
            headers = {"Allow": _allowed(application, request)}
        return problem_answer(refused, request.scope, headers)

    application.add_exception_handler(HiloError, ours)
    application.add_exception_handler(HTTPException, frameworks)
    application.add_exception_handler(RequestValidationError, ours)


def _allowed(application: FastAPI, request: Request) -> str:
    """Every method of the address: the framework names those of one of its routes alone."""
    found: set[str] = set()
    for route in application.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return ", ".join(sorted(found))
