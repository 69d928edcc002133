"""For whoever runs it: does it live, can it serve, how far are its views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.answers import json_answer
from api.auth import services_of
from api.metrics import MEDIA_TYPE
from api.openapi import answers
from api.parameters import Query, freshness, reached, read_headers
from api.reads import reads_of
from domain.errors import NotAllowed, NotYet
from projections.views import GroupState

if TYPE_CHECKING:
    from api.auth import Doorkeeper
    from api.services import Services

router = APIRouter()

LAG_US_MAX: Final = 60_000_000
"""How far behind the log the views may be, in µs, before this node is no place to read."""

NOBODY: Final = "contact:00000000-0000-0000-0000-000000000000"
"""An address that nobody has; looking for it asks the key store whether it answers."""


class Health(Struct, frozen=True):
    """The process answers."""

    status: str
    version: str


class Ready(Struct, frozen=True):
    """The stores answer, and the views are not a minute behind."""

    status: str
    position: int
    head: int


class FollowerView(Struct, frozen=True):
    """What the follower of this process is doing; `error` says why it stopped, without content."""

    phase: str
    position: int
    error: str | None


class Viewed(Struct, frozen=True):
    """All groups of views, and the follower of this process."""

    items: list[GroupState]
    follower: FollowerView
    head: int


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", summary="The process lives", responses=answers("Health", 200))
async def healthz(request: Request) -> Response:
    """Answer, which says that the process lives; nothing is asked."""
    return json_answer(Health("ok", services_of(request).version))


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", summary="The node can serve", responses=answers("Ready", 200))
async def readyz(request: Request) -> Response:
    """200 where log, keys and views answer and the views are less than a minute behind."""
    return json_answer(await run_in_threadpool(_ready, services_of(request)))


def _ready(services: Services) -> Ready:
    """How ready it is. Raises NotYet, StoreUnavailable."""
    head = services.log.head()
    services.ledger.subjects.find(NOBODY, 0)
    position = services.views.position()
    waiting = services.log.page(position, 1) if position < head else []
    if waiting and services.clock() - waiting[0].recorded_at > LAG_US_MAX:
        raise NotYet(f"The views are {head - position} events and more than a minute behind.")
    return Ready("ok", position, head)


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """The metrics of this process."""
    text = await run_in_threadpool(reads_of(request).metrics.text)
    return Response(text, media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})


@router.get("/v1/views", summary="How far the views are", responses=answers("Viewed", 200))
async def views(request: Request) -> Response:
    """Position, lag, parked events and rebuild of each group of views."""
    services, reads = services_of(request), reads_of(request)
    keeper: Doorkeeper = request.app.state.doorkeeper
    caller = await keeper.caller(request)
    if not (caller.may("read") or caller.may("audit")):
        raise NotAllowed("This needs the scope `read` or `audit`.")
    query = Query(request)
    wanted = freshness(query)
    query.close()
    await reached(services, wanted)

    def state() -> Viewed:
        head = services.log.head()
        now = reads.follower()
        follower = FollowerView(str(now.phase), now.position, now.error)
        return Viewed(services.views.state(head), follower, head)

    found = await run_in_threadpool(state)
    positions = [group.position for group in found.items] or [0]
    return json_answer(found, 200, read_headers(min(positions)))
