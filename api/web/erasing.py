"""Erasing a contact on a page: the plan, the confirmation, the certificate; and legal holds.

For administrators, and by the same calls as the API. Nothing is erased by a click alone: whoever
confirms types the name that stands in the plan, and why.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import Request, Response
from msgspec import Struct, structs

from api.auth import services_of
from api.erasing_plans import sight_in
from api.erasures import erased, erasure_of, erasure_view, hold, sighted
from api.parameters import Freshness, Query, uuid_in_path
from api.problems import problem_of
from api.reads import look as look_at
from api.web.acting import carry_out
from api.web.addresses import Pages
from api.web.ground import frame_of, open_page, redirect
from api.web.making import Shown, maker_of
from domain.errors import Held, HiloError, InvalidInput, WrongState

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.ground import Work

router = Pages()

REASON_MAX_CHARS: Final = 500
"""As of the API: a reason is a sentence or two."""

STATE: Final = 409


class Typed(Struct, frozen=True):
    """What was typed, and what was wrong with it, by field; `problem` is a problem's type."""

    name: str = ""
    reason: str = ""
    hold: str = ""
    hold_reason: str = ""
    errors: dict[str, str] = {}
    problem: str = ""
    status: int = 200


@router.get("/contacts/{id}/erasure")
async def plan(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """What an erasure would take, and what stands in its way."""
    return await open_page(request, _plan, scope="admin")


def _plan(request: Request, caller: Caller) -> Work:  # noqa: ARG001 - the look knows the caller
    id = uuid_in_path(request.path_params["id"])
    Query(request).close()

    def work(look: Look) -> Shown | Response:
        found = look.contact(id)
        if found.moved:
            return redirect(f"/contacts/{found.id}/erasure", 302)
        return _page(look, id, Typed())

    return work


def _page(look: Look, id: UUID, typed: Typed) -> Shown:
    """The page as it stands. Raises NotFound."""
    services = look.services
    contact = look.renderer.contact(look.reading, look.contact(id).id.bytes)
    before = services.eraser.erasures.of_contact(id)
    plan = None
    if contact is not None and contact.erased_at is None:
        plan = services.eraser.plan(sight_in(look, UUID(contact.id)))
    values: dict[str, Any] = {
        "contact": contact,
        "plan": plan,
        "typed": typed,
        "before": str(before.erasure) if before else None,
    }
    return Shown("erasure.html", values, "inbox", typed.status)


@router.post("/contacts/{id}/erasure")
async def erase(request: Request, id: str) -> Response:
    """Erase, as the plan says that was confirmed; then its certificate."""
    wanted = uuid_in_path(id)

    async def act(caller: Caller, sent: Sent) -> Response:
        typed = Typed(name=sent.one("name")[:1_000], reason=sent.one("reason").strip())
        try:
            sight = await sighted(request, caller, wanted)
            _require(typed, sight.label)
            confirmed = (sent.one("plan"), typed.reason)
            done = await erased(request, sight, confirmed, caller.by())
        except (InvalidInput, Held, WrongState) as error:
            return await _again(request, caller, wanted, _said(typed, error))
        return redirect(f"/audit/erasures/{done.erasure}")

    return await carry_out(request, act, scope="admin")


def _require(typed: Typed, label: str) -> None:
    """Raise InvalidInput unless the name of the plan was typed, and a reason."""
    if _plain(typed.name) != _plain(label):
        raise InvalidInput.one("name", "differs", "type the name as it stands in the plan")
    _require_reason("reason", typed.reason)


def _require_reason(field: str, reason: str) -> None:
    if not 0 < len(reason) <= REASON_MAX_CHARS:
        code = "too_long" if reason else "too_short"
        raise InvalidInput.one(field, code, "say why in a few words")


def _plain(text: str) -> str:
    """A name without what no eye sees: its case, its composition, how many spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


# ------------------------------------------------------------------------------ legal holds


@router.post("/contacts/{id}/holds")
async def place_or_lift(request: Request, id: str) -> Response:
    """Place a legal hold, or lift the one that the form names; either with a reason."""
    wanted = uuid_in_path(id)

    async def act(caller: Caller, sent: Sent) -> Response:
        lifted = sent.one("hold")
        typed = Typed(hold=lifted, hold_reason=sent.one("reason").strip())
        try:
            _require_reason(f"hold-{lifted or 'new'}", typed.hold_reason)
            what = (wanted, uuid_in_path(lifted) if lifted else None)
            await hold(request, caller, what, typed.hold_reason, caller.by())
        except (InvalidInput, WrongState) as error:
            return await _again(request, caller, wanted, _said(typed, error))
        return redirect(f"/contacts/{wanted}/erasure#holds")

    return await carry_out(request, act, scope="admin")


def _said(typed: Typed, error: HiloError) -> Typed:
    """What was typed, with what was wrong."""
    if isinstance(error, InvalidInput):
        wrong = {one.field: one.code for one in error.errors}
        return structs.replace(typed, errors=wrong, status=problem_of(error).status)
    problem = problem_of(error)
    return structs.replace(typed, problem=problem.type, status=problem.status)


async def _again(request: Request, caller: Caller, id: UUID, typed: Typed) -> Response:
    """The page once more; nothing that was typed is lost."""

    def work(look: Look) -> Shown:
        shown = _page(look, id, typed)
        return Shown(shown.template, {**frame_of(look), **shown.values}, shown.tab, shown.status)

    page = await look_at(request, caller, Freshness(), work)
    return maker_of(request).page(request, page)


# ------------------------------------------------------------------------------ certificates


@router.get("/audit/erasures/{id}")
async def certificate(request: Request, id: str) -> Response:  # noqa: ARG001 - as above
    """An erasure with its certificate."""
    return await open_page(request, _certificate, scope="admin")


def _certificate(request: Request, caller: Caller) -> Work:  # noqa: ARG001 - as above
    id = uuid_in_path(request.path_params["id"])
    Query(request).close()

    def work(look: Look) -> Shown:
        found = erasure_view(erasure_of(services_of(request), id), services_of(request))
        contact = look.renderer.contact(look.reading, UUID(found.contact).bytes)
        by = (found.certificate or {}).get("by")
        values = {
            "erasure": found,
            "contact": contact,
            "by": look.names.user(UUID(by["id"])).name if by and by["kind"] == "user" else None,
        }
        return Shown("certificate.html", values, "audit")

    return work
