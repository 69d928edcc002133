"""Merge two contacts: the other one is looked for, both stand side by side, and it can be undone.

What will be left is made by the rule that makes every contact, so that the preview is the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import Request, Response
from msgspec import Struct, structs

from api import contact_merges
from api.auth import services_of
from api.contact_merges import MergeRequest
from api.parameters import Freshness, Query, uuid_in_path, uuid_of
from api.read_search import QUERY_MAX_CHARS
from api.reads import look
from api.web.addresses import Pages
from api.web.contact_edit import ALIKE_SHOWN, alike_of
from api.web.contact_forms import Form, fresh, id_of, of_contact, send, version_in, view_of
from api.web.ground import open_page
from api.web.making import Shown
from domain.errors import ChangedMeanwhile, InvalidInput, NotFound
from projections import contact_pages, inbox_pages, joining, merges, suggestions
from projections.contact_pages import ContactQuery
from projections.shapes import ContactView, MergeView

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Found, Look
    from api.web.acting import Sent
    from api.web.ground import Work

router = Pages()

FOUND_MAX: Final = 8
"""Contacts to choose from: who is not among them is found by typing more."""

MERGES_SHOWN: Final = 50
"""Merges listed with what undoes them: a contact has 64 addresses at most."""

REASON_MAX_CHARS: Final = 500
"""Length of a reason, as the API takes it."""

DONE: Final = ("", "merged", "undone")
"""What was just done, as the page confirms it."""


class Side(Struct, frozen=True):
    """One of two contacts, and the state of its conversation: None where there is none."""

    contact: ContactView
    status: str | None
    assignee: str | None


class Past(Struct, frozen=True):
    """A merge, and what the contact that was merged was called by itself."""

    merge: MergeView
    called: str


class Asked(Struct, frozen=True):
    """What the page was asked: a name to look for, the other contact, what was just done."""

    text: str = ""
    other: UUID | None = None
    done: str = ""
    now: UUID | None = None


@router.get("/contacts/{id}/merge")
async def merge(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """Choose the other contact, or see both side by side; for a script those who are found."""
    return await open_page(request, _merge, scope="manage")


def _merge(request: Request, _caller: Caller) -> Work:
    query, id = Query(request), id_of(request)
    asked = Asked(
        text=(query.text("q") or "").strip()[:QUERY_MAX_CHARS],
        other=uuid_of(query.text("other") or ""),
        done=query.choice("done", DONE, ""),
        now=uuid_of(query.text("now") or ""),
    )
    piece = query.flag("piece") is True
    query.close()

    def show(look: Look, found: Found) -> Shown:
        if piece:
            values = {"contact": view_of(look, found.id), **_choice(look, found, asked.text)}
            return Shown("contact_merge_found.html", values, piece=True)
        return _page(look, found, asked, fresh(look))

    return of_contact(request, id, "merge", show)


def _page(look: Look, found: Found, asked: Asked, form: Form) -> Shown:
    """The page: with another contact both of them and what will be left, else whom to choose."""
    past = merges.page(look.reading, found.members, scope="pages:merges", limit=MERGES_SHOWN)
    names = joining.called(look.reading, [row.absorbed for row in past.rows])
    values: dict[str, Any] = {
        "contact": view_of(look, found.id),
        "part": "merge",
        "form": form,
        "merges": [
            Past(merges.view(look.names, row), names.get(row.absorbed, "")) for row in past.rows
        ],
        "reason_max": REASON_MAX_CHARS,
        "done": asked.done,
        "apart": _seen(look, asked.now),
        "sides": None,
        "joined": None,
        "why": [],
        **_choice(look, found, asked.text),
    }
    if asked.other is not None:
        values |= _compared(look, found, asked.other, form)
    return Shown("contact_merge.html", values, "contacts", values["form"].status)


def _choice(look: Look, found: Found, text: str) -> dict[str, Any]:
    """Whom one could choose: those who are found; else those alike, and those called the same."""
    row = contact_pages.row_of(look.reading, found.id.bytes)
    wanted = text or (row.name if row else None)
    asked = ContactQuery(
        text=wanted, country=look.services.locale.country, limit=FOUND_MAX + ALIKE_SHOWN
    )
    rows = contact_pages.page(look.reading, asked, look.visible).rows if wanted else []
    alike = [] if text else alike_of(look, found)
    known = {str(found.id), *(one.contact.id for one in alike)}
    others = [row for row in rows if str(UUID(bytes=row.contact)) not in known][:FOUND_MAX]
    return {
        "text": text,
        "people": look.renderer.contacts(look.reading, others),
        "alike": alike,
    }


def _compared(look: Look, found: Found, other: UUID, form: Form) -> dict[str, Any]:
    """Both contacts, and what is left of them; or why they cannot be merged."""
    theirs = _seen(look, other)
    problem = form.problem
    if theirs is None:
        problem = "other.unknown"
    elif theirs.id == str(found.id):
        problem = "self" if other == found.id else "one_already"
    if theirs is None or theirs.id == str(found.id):
        failed = Form(form.key, form.fields, form.errors, problem, None, max(form.status, 200))
        return {"form": failed}
    absorbed = UUID(theirs.id)
    joined = joining.preview(look.reading, look.names, found.id.bytes, absorbed.bytes)
    mine = view_of(look, found.id)
    spoken = suggestions.of_contact(look.reading, found.members, other=absorbed.bytes)
    return {
        "sides": (_side(look, mine), _side(look, theirs)),
        "joined": joined,
        "why": list(dict.fromkeys(one.why for one in spoken)),
    }


def _side(look: Look, shown: ContactView) -> Side:
    talk = inbox_pages.one(look.reading, UUID(shown.id).bytes, look.viewer)
    if talk is None:
        return Side(shown, None, None)
    assignee = look.names.user(talk.row.assignee).name if talk.row.assignee else None
    return Side(shown, talk.row.status, assignee)


def _seen(look: Look, id: UUID | None) -> ContactView | None:
    """A contact, or None where there is none that the reader may see."""
    if id is None:
        return None
    try:
        return view_of(look, id)
    except NotFound:
        return None


@router.post("/contacts/{id}/merge")
async def join(request: Request, id: str) -> Response:
    """Merge, unless one of both was changed since they were compared."""
    wanted = uuid_in_path(id)

    async def do(caller: Caller, sent: Sent) -> str:
        other = uuid_of(sent.one("other"))
        if other is None:
            raise InvalidInput.one("other", "unknown", "there is no such contact")
        reason = _reason(sent)
        await look(request, caller, Freshness(), lambda look: _refuse_changed(look, other, sent))
        what = (wanted, MergeRequest(other=other, reason=reason))
        await contact_merges.join(request, caller, what, (caller.by(), version_in(sent)))
        return f"/contacts/{wanted}/merge?done=merged"

    def show(look: Look, form: Form) -> Shown:
        other = uuid_of(form.value("other"))
        return _page(look, look.contact(wanted), Asked(other=other), _told(form))

    return await send(request, do, show)


def _refuse_changed(look: Look, other: UUID, sent: Sent) -> None:
    """Raise ChangedMeanwhile where the other contact is not as it was when it was compared."""
    theirs, expected = _seen(look, other), version_in(sent, "other_version")
    if theirs is not None and expected is not None and theirs.version != expected:
        raise ChangedMeanwhile(None)


@router.post("/contacts/{id}/merges/{merge}/undo")
async def undo(request: Request, id: str, merge: str) -> Response:
    """Take exactly this merge back, whatever came after it."""
    wanted, which = uuid_in_path(id), uuid_in_path(merge)

    async def do(caller: Caller, sent: Sent) -> str:
        what = (wanted, which, _reason(sent))
        try:
            row, _ = await contact_merges.part(request, caller, what, (caller.by(), None))
        except NotFound:
            raise InvalidInput.one("merge", "unknown", "there is no such merge") from None
        services_of(request).ledger.identity.look_again()
        apart = UUID(bytes=row.absorbed)
        return f"/contacts/{UUID(bytes=row.survivor)}/merge?done=undone&now={apart}"

    def show(look: Look, form: Form) -> Shown:
        return _page(look, look.contact(wanted), Asked(), _told(form))

    return await send(request, do, show)


def _told(form: Form) -> Form:
    """What is wrong with which contact or merge: there is no field for it, so it is said above."""
    found = form.errors.get("other") or form.errors.get("merge") or form.problem
    return structs.replace(form, problem=found)


def _reason(sent: Sent) -> str | None:
    text = sent.one("reason").strip()
    if len(text) > REASON_MAX_CHARS:
        raise InvalidInput.one("reason", "too_long", f"at most {REASON_MAX_CHARS} characters")
    return text or None
