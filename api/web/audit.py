"""The Audit page: how the log and its proofs are, verification, receipts, exports, erasures.

Whoever may audit opens it: auditors, managers, administrators. It shows no content; what can be
read, or names anybody, is shown to those who may see it anywhere else as well.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from fastapi import Request, Response
from msgspec import Struct

from api.audit import state_of
from api.audit_views import VERIFICATION, ExportRequest, VerificationRequest
from api.auth import services_of
from api.exports import begin_export
from api.parameters import Freshness, Query, uuid_of
from api.reads import look
from api.runs import begin_run
from api.web.acting import carry_out, onward
from api.web.addresses import Pages
from api.web.audit_parts import (
    checked,
    erasures_of,
    exported,
    label_of,
    number_in,
    proved,
    standing,
)
from api.web.ground import frame_of, open_page
from api.web.making import Shown, maker_of
from domain.errors import InvalidInput
from domain.times import format_utc
from storage.runs import RUNNING

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.ground import Work

router = Pages()

CHECKPOINTS_SHOWN: Final = 6
"""Checkpoints of the line: as many as fit beside each other."""

REASON_MAX_CHARS: Final = 500
"""As of the API: a reason is a sentence or two."""

BAD_FORM: Final = 422


class Form(Struct, frozen=True):
    """What was typed for an export, and what was wrong with it, by field."""

    first: str = "1"
    contact: UUID | None = None
    with_keys: bool = False
    reason: str = ""
    errors: dict[str, str] = {}


@router.get("/audit")
async def audit(request: Request) -> Response:
    """The page; `receipt` asks for an interaction's, `contact` is whom an export is to be of."""
    return await open_page(request, _audit, scope="audit")


def _audit(request: Request, caller: Caller) -> Work:
    query = Query(request)
    receipt = (query.text("receipt") or "").strip()
    form = Form(contact=uuid_of(query.text("contact") or ""))
    query.close()
    return lambda look: _page(look, caller, receipt, form)


def _page(look: Look, caller: Caller, receipt: str, form: Form) -> Shown:
    services = look.services
    found = state_of(services.proofs, caller)
    values = {
        **checked(services, found, caller),
        **exported(look, found),
        **proved(look, receipt),
        "line": services.proofs.store.latest_checkpoints(CHECKPOINTS_SHOWN),
        "standing": standing(found),
        "erasures": erasures_of(services),
        "form": form,
        "whom": label_of(look, form.contact) if caller.may("admin") else None,
        "utc": format_utc,
    }
    return Shown("audit.html", values, "audit", BAD_FORM if form.errors else 200)


@router.get("/audit/verification")
async def verification(request: Request) -> Response:
    """How far the verification is: the piece of the page that a script fetches meanwhile."""
    return await open_page(request, partial(_piece, template="audit_check.html"), scope="audit")


@router.get("/audit/exports")
async def exports(request: Request) -> Response:
    """How far the exports are: the piece of the page that a script fetches meanwhile."""
    return await open_page(request, partial(_piece, template="audit_exports.html"), scope="audit")


def _piece(request: Request, caller: Caller, *, template: str) -> Work:
    Query(request).close()

    def work(look: Look) -> Shown:
        found = state_of(look.services.proofs, caller)
        values = {**checked(look.services, found, caller), **exported(look, found), "oob": True}
        return Shown(template, values, piece=True)

    return work


@router.post("/audit/verification")
async def verify(request: Request) -> Response:
    """Begin to verify the log, unless that is under way."""

    async def act(caller: Caller, sent: Sent) -> Response:
        runs = services_of(request).proofs.runs
        if not any(one.state == RUNNING for one in runs.latest(VERIFICATION, 1)):
            asked = msgspec.json.encode(VerificationRequest())
            await begin_run(request, caller, (VERIFICATION, asked, b""))
        return onward(sent, "/audit#verification")

    return await carry_out(request, act, scope="audit")


@router.post("/audit/exports")
async def export(request: Request) -> Response:
    """Begin an export: of the log from a position on, or of one contact."""

    async def act(caller: Caller, sent: Sent) -> Response:
        form = _form(sent)
        if not form.errors:
            try:
                asked = _wish(form)
                await begin_export(request, caller, asked, msgspec.json.encode(asked))
                return onward(sent, "/audit#exports")
            except InvalidInput as error:
                wrong = {one.field: one.code for one in error.errors}
                form = msgspec.structs.replace(form, errors=wrong)

        def again(look: Look) -> Shown:
            shown = _page(look, caller, "", form)
            return Shown(shown.template, {**frame_of(look), **shown.values}, "audit", BAD_FORM)

        page = await look(request, caller, Freshness(), again)
        return maker_of(request).page(request, page)

    return await carry_out(request, act, scope="audit")


def _form(sent: Sent) -> Form:
    """What was typed, and what of it cannot be."""
    first = sent.one("from").strip() or "1"
    return Form(
        first=first,
        contact=uuid_of(sent.one("contact")),
        with_keys=sent.one("with_keys") == "true",
        reason=sent.one("reason").strip()[:REASON_MAX_CHARS],
        errors={} if number_in(first) else {"from": "out_of_range"},
    )


def _wish(form: Form) -> ExportRequest:
    return ExportRequest(
        contact=form.contact,
        first=number_in(form.first) or 1,
        with_keys=form.with_keys,
        reason=form.reason or None,
    )
