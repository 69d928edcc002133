"""What the Audit page shows: how far runs are, how places stand, what there is to prove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from msgspec import Struct

from api.log_proofs import RECORDED
from api.parameters import POSITION_MAX
from audit.room import SIGNER, TREE
from domain.errors import NotYetSigned
from domain.times import format_utc, parse_rfc3339
from projections import timeline_pages
from storage.runs import RUNNING

if TYPE_CHECKING:
    from api.audit_views import AuditState, ExportView, PlaceView, RunView
    from api.auth import Caller
    from api.reads import Look
    from api.services import Services

ERASURES_SHOWN: Final = 10
"""The latest erasures of the page; there are few of them in a year."""

NUMBER_MAX_DIGITS: Final = 19
"""Digits of the largest position; what is longer is no number of ours."""

US_A_S: Final = 1_000_000

PERCENT: Final = 100


class Pace(Struct, frozen=True):
    """How far something is that takes its time: in percent, events a second, seconds left."""

    percent: int
    rate: int
    left_s: int | None


class Standing(Struct, frozen=True):
    """How a place is that keeps checkpoints: its kind and name, and how many events it lacks."""

    kind: str
    name: str
    size: int | None
    at: str | None
    behind: int
    error: str | None


class Proof(Struct, frozen=True):
    """An interaction whose receipt is asked for; `covered`: the events of the checkpoint on it."""

    id: int
    recorded_at: str
    channel: str
    direction: str
    covered: int | None


def checked(services: Services, found: AuditState, caller: Caller) -> dict[str, Any]:
    """What is known of the log: the newest verification, the last good one, and in a word."""
    latest = found.verifications[0] if found.verifications else None
    good = next((one for one in found.verifications if one.state == "done"), None)
    bad = next((one for one in found.verifications if one.state in {"bad", "done"}), None)
    return {
        "found": found,
        "latest": latest,
        "good": good,
        "bad": bad,
        "pace": pace_of(latest) if latest else None,
        "verdict": _verdict(found, bad),
        "is_admin": caller.may("admin"),
        "keys": [str(one) for one in services.proofs.verifiers()],
        "oob": False,
    }


def _verdict(found: AuditState, last: RunView | None) -> str:
    """What the page says first: bad, trouble, unchecked or good."""
    if last is not None and last.state == "bad":
        return "bad"
    if any(place.error for place in found.places):
        return "trouble"
    return "good" if last is not None else "unchecked"


def pace_of(run: RunView | ExportView) -> Pace | None:
    """How fast a run goes; None for one that is over."""
    if run.state != RUNNING:
        return None
    spent_us = parse_rfc3339(run.updated_at)[0] - parse_rfc3339(run.created_at)[0]
    rate = run.done * US_A_S // spent_us if spent_us > 0 else 0
    left_s = (run.total - run.done) // rate if rate else None
    return Pace(PERCENT * run.done // run.total if run.total else 0, rate, left_s)


def standing(found: AuditState) -> list[Standing]:
    """How each place is against the newest checkpoint, the signer first."""
    size = found.checkpoint.size if found.checkpoint else 0
    order = {SIGNER: 0, TREE: 1}
    rows = sorted(found.places, key=lambda row: (order.get(row.kind, len(order)), row.place))
    return [_standing(row, size) for row in rows]


def _standing(row: PlaceView, size: int) -> Standing:
    # The tree is among the places only for its failures: how far it is, the state itself says.
    behind = 0 if row.kind == TREE else max(size - (row.size or 0), 0)
    return Standing(row.kind, row.place.partition(" ")[2], row.size, row.at, behind, row.error)


def exported(look: Look, found: AuditState) -> dict[str, Any]:
    """The exports, how fast they go, and whom they are about."""
    folder = look.services.proofs.exports

    def is_there(one: ExportView) -> bool:
        """Whether its archive is still kept here: a week, and until the next erasure."""
        return one.state == "done" and (folder / f"{one.id}.tar").is_file()

    named = {one.contact for one in found.exports if one.contact}
    return {
        "exports": [(one, pace_of(one), is_there(one)) for one in found.exports],
        "exporting": any(one.state == RUNNING for one in found.exports),
        "labels": {contact: label_of(look, UUID(contact)) for contact in sorted(named)},
    }


def label_of(look: Look, contact: UUID | None) -> dict[str, str] | None:
    """A contact by its name, where the reader may see it."""
    if contact is None or not look.caller.may("read"):
        return None
    shown = look.renderer.contact(look.reading, contact.bytes)
    if shown is None or not look.visible.may_see_one([UUID(shown.id).bytes]):
        return None
    return {"id": shown.id, "label": shown.label}


def erasures_of(services: Services) -> list[dict[str, Any]]:
    """The latest erasures: which event, when, how many keys; nothing of who it was."""
    every = services.eraser.erasures.all()[::-1][:ERASURES_SHOWN]
    return [
        {
            "erasure": str(one.erasure),
            "position": one.position,
            "at": format_utc(one.requested_at),
            "count": len(one.keys),
            "done": one.done,
            "outstanding": len(services.eraser.outstanding(one)),
        }
        for one in every
    ]


def covered(services: Services) -> int:
    """How many events the newest checkpoint has."""
    try:
        return services.proofs.last().size
    except NotYetSigned:
        return 0


def number_in(text: str) -> int | None:
    """The position that somebody typed, with or without `#`; None for anything else."""
    digits = text.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > NUMBER_MAX_DIGITS:
        return None
    return int(digits) if 0 < int(digits) <= POSITION_MAX else None


def proved(look: Look, text: str) -> dict[str, Any]:
    """What there is to prove of the interaction whose number was typed; `fault` where nothing."""
    number = number_in(text)
    if not text or number is None:
        return {"asked_id": text, "proof": None, "fault": "number" if text else ""}
    found = _recorded(look, number)
    return {"asked_id": text, "proof": found, "fault": "" if found else "nothing"}


def _recorded(look: Look, id: int) -> Proof | None:
    """An interaction by its number, from what of it stands in clear; None out of sight."""
    services = look.services
    if look.caller.may("read"):
        ref = timeline_pages.one(look.reading, id)
        if ref is None or not look.allowed([ref]):
            return None
    rows = services.log.page(id - 1, 1, 1) if id <= services.log.head() else []
    if not rows or rows[0].topic != RECORDED:
        return None
    clear = services.codec.clear_of(rows[0])
    size = covered(services)
    return Proof(
        id=id,
        recorded_at=format_utc(rows[0].recorded_at),
        channel=str(clear.get("channel", "other")),
        direction=str(clear.get("direction", "")),
        covered=size if id <= size else None,
    )
