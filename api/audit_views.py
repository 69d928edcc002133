"""What is shown of the proofs: places, the newest checkpoint, verifications, exports."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from api.parameters import POSITION_MAX
from audit.room import SIGNER, TREE, cosigners
from domain.times import format_utc

if TYPE_CHECKING:
    from api.auth import Caller
    from audit.room import State
    from storage.runs import Run
    from storage.tree_store import KeptCheckpoint, PlaceRow

VERIFICATION: Final = "verification"
EXPORT: Final = "export"
"""The kinds of runs."""


class SignedView(Struct, frozen=True):
    """The newest checkpoint: its size, root (base64), when, note, who cosigned, what it lacks."""

    size: int
    root: str
    at: str
    note: str
    cosigned_by: list[str]
    unsigned: int


class SignerView(Struct, frozen=True):
    """A key that signs or signed, since which size and when."""

    key: str
    since_size: int
    since: str


class PlaceView(Struct, frozen=True):
    """How a place is: `kind` `tree`, `signer`, `witness` or `folder`; `error` while it lasts."""

    place: str
    kind: str
    size: int | None
    at: str | None
    error: str | None
    failed_at: str | None
    failures: int


class RunView(Struct, frozen=True):
    """A verification: `state` running, done, bad, failed or lost; how far; what came out.

    `code` and `what` say what is wrong at `position`, in a word (see Bad in audit/blocks.py) and
    in an English sentence; of one that failed, `code` is the problem's name and `error` a sentence.
    """

    id: str
    state: str
    done: int
    total: int
    created_at: str
    updated_at: str
    ok: bool | None = None
    events: int | None = None
    root: str | None = None
    checkpoints: int | None = None
    position: int | None = None
    code: str | None = None
    what: str | None = None
    error: str | None = None


class ExportView(Struct, frozen=True, rename={"first": "from"}):
    """An export: what was asked, how far it is, and where it can be fetched (null until then).

    Of one that failed, `code` is the problem's name and `error` an English sentence.
    """

    id: str
    state: str
    done: int
    total: int
    created_at: str
    updated_at: str
    contact: str | None
    first: int
    with_keys: bool
    events: int | None = None
    bytes: int | None = None
    code: str | None = None
    error: str | None = None
    url: str | None = None


class ErasuresView(Struct, frozen=True):
    """How many erasures destroyed keys, and the position of the last one."""

    count: int
    last_position: int | None


class AuditState(Struct, frozen=True):
    """How all of it is; `healthy`: nothing here needs anybody's attention."""

    origin: str
    head: int
    tree: int
    checkpoint: SignedView | None
    checkpoints: int
    signers: list[SignerView]
    places: list[PlaceView]
    healthy: bool
    verifications: list[RunView]
    exports: list[ExportView]
    erasures: ErasuresView
    receipt: str


class RunPage(Struct, frozen=True):
    """Verifications, the newest first."""

    items: list[RunView]
    next: str | None = None
    prev: str | None = None


class ExportPage(Struct, frozen=True):
    """Exports, the newest first."""

    items: list[ExportView]
    next: str | None = None
    prev: str | None = None


class VerificationRequest(
    Struct, forbid_unknown_fields=True, kw_only=True, rename={"first": "from"}
):
    """What is verified: all from a position on; with `open`, what is sealed is opened too."""

    first: Annotated[int, Meta(ge=1, le=POSITION_MAX)] = 1
    open: bool = False


class ExportRequest(Struct, forbid_unknown_fields=True, kw_only=True, rename={"first": "from"}):
    """What is exported: all from a position on, or everything about one contact."""

    contact: UUID | None = None
    first: Annotated[int, Meta(ge=1, le=POSITION_MAX)] = 1
    with_keys: bool = False
    reason: Annotated[str, Meta(min_length=1, max_length=500)] | None = None


def is_healthy(found: State) -> bool:
    """Whether no place, nor the tree, nor the signer, needs attention."""
    return not any(row.error for row in found.places)


def signed_view(last: KeptCheckpoint | None, head: int) -> SignedView | None:
    """The newest checkpoint; None where there is none."""
    if last is None:
        return None
    root, at = b64encode(last.root).decode(), format_utc(last.at)
    unsigned = max(head - last.size, 0)
    return SignedView(last.size, root, at, last.note, cosigners(last.note), unsigned)


def place_view(row: PlaceRow) -> PlaceView:
    """How a place is."""
    kind = row.place if row.place in {TREE, SIGNER} else row.place.partition(" ")[0]
    return PlaceView(
        row.place, kind, row.size, _time(row.at), row.error, _time(row.failed_at), row.failures
    )


def _time(at: int | None) -> str | None:
    return None if at is None else format_utc(at)


def run_view(run: Run) -> RunView:
    """A verification, with its answer once it is over."""
    view = RunView(
        str(run.id),
        run.state,
        run.done,
        run.total,
        format_utc(run.created_at),
        format_utc(run.updated_at),
    )
    if run.result is None:
        return view
    return msgspec.structs.replace(view, **msgspec.json.decode(run.result))


def export_view(run: Run, caller: Caller) -> ExportView:
    """An export, with its address where this caller may fetch it."""
    asked = msgspec.json.decode(run.asked, type=ExportRequest)
    readable = asked.contact is not None or asked.with_keys
    view = ExportView(
        id=str(run.id),
        state=run.state,
        done=run.done,
        total=run.total,
        created_at=format_utc(run.created_at),
        updated_at=format_utc(run.updated_at),
        contact=str(asked.contact) if asked.contact else None,
        first=asked.first,
        with_keys=asked.with_keys,
    )
    if run.result is None:
        return view
    made = msgspec.structs.replace(view, **msgspec.json.decode(run.result))
    if run.state != "done" or (readable and not caller.may("admin")):
        return made
    return msgspec.structs.replace(made, url=f"/v1/exports/{run.id}/download")


STRUCTS: Final = (
    AuditState,
    RunView,
    RunPage,
    ExportView,
    ExportPage,
    VerificationRequest,
    ExportRequest,
)
"""What these operations take and answer with."""
