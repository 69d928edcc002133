"""Log activity: what happened outside of every channel is written down by hand, in one form.

Opened from a contact's profile and conversation, or for anybody. What a channel reported already
is shown before anything is written. Saved, it stands in the conversation, where the page goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response
from msgspec import Struct

from api import by_hand
from api.auth import services_of
from api.desk import thorough
from api.parameters import Freshness, Query, uuid_in_path
from api.problems import problem_of
from api.reads import look, reads_of, written
from api.web.acting import carry_out
from api.web.ground import frame_of, open_page, redirect
from api.web.log_form import (
    Entry,
    Unfit,
    choices_of,
    command_of,
    contact_named,
    entry_of,
    fresh,
    is_address,
    words_of,
)
from api.web.making import Shown, maker_of
from api.web.pages import shown
from domain.errors import HiloError, InvalidInput, ProbableTwins
from projections import contact_pages, timeline_pages
from projections.contact_pages import ContactQuery

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Look
    from api.web.acting import Sent
    from api.web.ground import Work
    from domain.commands import RecordInteraction
    from projections.shapes import ContactView, NoteView, RowView

router = APIRouter(include_in_schema=False)

MEANT_MAX: Final = 6
"""Contacts of a typed name to choose from: more are told apart by typing more."""


class Held(Struct, frozen=True):
    """A form that was not carried out: what it holds, why not, and what may be its twin."""

    entry: Entry
    problem: str = ""
    twins: tuple[int, ...] = ()
    status: int = 422


@router.get("/log")
async def log_anybody(request: Request) -> Response:
    """The form, for whoever is named in it."""
    return await open_page(request, _empty, scope="append")


@router.get("/contacts/{id}/log")
async def log_activity(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """The form, for one contact."""
    return await open_page(request, _empty, scope="append")


def _empty(request: Request, _caller: Caller) -> Work:
    id = _contact_of(request)
    Query(request).close()

    def work(look: Look) -> Shown | Response:
        if id is not None and look.contact(id).moved:
            return redirect(f"/contacts/{look.contact(id).id}/log", 302)
        return _form(look, id, Held(fresh(look), status=200))

    return work


@router.post("/log")
async def save_anybody(request: Request) -> Response:
    """Write down what the form says."""
    return await _save(request)


@router.post("/contacts/{id}/log")
async def save(request: Request, id: str) -> Response:  # noqa: ARG001 - as above
    """Write down what the form says, of one contact."""
    return await _save(request)


async def _save(request: Request) -> Response:
    """Record it, and go on to it in its conversation; else the form again, with what is wrong."""

    async def act(caller: Caller, sent: Sent) -> Response:
        id = _contact_of(request)
        entry = entry_of(sent, services_of(request))
        try:
            where = await _recorded(request, caller, id, _Wish(entry, sent.one("do")))
        except Unfit as unfit:
            held = Held(Entry(entry.fields, unfit.errors))
        except InvalidInput as error:
            held = Held(Entry(entry.fields, words_of(error)))
        except ProbableTwins as error:
            twins = tuple(one.id for one in error.twins if hasattr(one, "id"))
            held = Held(entry, twins=twins, status=problem_of(error).status)
        except HiloError as error:
            found = problem_of(error)
            held = Held(entry, problem=found.type, status=found.status)
        else:
            return redirect(where)
        again = await look(request, caller, Freshness(), lambda look: _framed(look, id, held))
        return maker_of(request).page(request, again)

    return await carry_out(request, act, scope="append")


class _Wish(Struct, frozen=True):
    """What was sent, and by which button: `link` with a twin, `apart` from all of them, or save."""

    entry: Entry
    do: str


async def _recorded(request: Request, caller: Caller, id: UUID | None, wish: _Wish) -> str:
    """Record it; where it is shown then. Raises Unfit, and what recording by hand raises."""
    services, entry = services_of(request), wish.entry
    asked = id or contact_named(entry)

    def prepared(look: Look) -> tuple[RecordInteraction, UUID | None]:
        contact = _contact(look, asked) if asked else None
        found = look.contact(asked).id if asked else None
        return command_of(entry, look, contact, linked=wish.do == "link"), found

    command, contact = await thorough(request, caller, prepared)
    room = by_hand.Room(services, reads_of(request))
    receipt, _ = await by_hand.record(room, caller, command, check=wish.do != "apart")
    await written(services, receipt.id)
    return f"/conversations/{contact or receipt.contact}?around={receipt.id}#i{receipt.id}"


# -------------------------------------------------------------------------------- page


def _framed(look: Look, id: UUID | None, held: Held) -> Shown:
    form = _form(look, id, held)
    return Shown(form.template, {**frame_of(look), **form.values}, form.tab, form.status)


def _form(look: Look, id: UUID | None, held: Held) -> Shown:
    """The form as it stands, with what it offers."""
    contact = _contact(look, id) if id else None
    meant = [] if contact else _meant(look, held.entry.fields["who"].strip())
    errors = dict(held.entry.errors)
    if meant and "who" in errors:
        errors["who"] = "which"
    values: dict[str, Any] = {
        "contact": contact,
        "form": held.entry.fields,
        "errors": errors,
        "problem": held.problem,
        "choices": choices_of(look),
        "meant": meant,
        "twins": _rows(look, held.twins),
        "back_to": _back_to(contact),
    }
    return Shown("log_activity.html", values, "inbox", held.status)


def _contact(look: Look, id: UUID) -> ContactView | None:
    """A contact that the reader may see. Raises NotFound."""
    return look.renderer.contact(look.reading, look.contact(id).id.bytes)


def _meant(look: Look, text: str) -> list[ContactView]:
    """Who may be meant by a name."""
    if not text or is_address(text):
        return []
    country = look.services.locale.country
    asked = ContactQuery(text=text, country=country, limit=MEANT_MAX, cursor=None)
    page = contact_pages.page(look.reading, asked, look.visible)
    return look.renderer.contacts(look.reading, page.rows)


def _rows(look: Look, ids: tuple[int, ...]) -> list[RowView | NoteView]:
    found = [timeline_pages.one(look.reading, id) for id in ids]
    return shown(look, look.allowed([ref for ref in found if ref is not None]))


def _back_to(contact: ContactView | None) -> str:
    """Where one goes without writing anything."""
    if contact is None:
        return "/"
    return f"/conversations/{contact.id}" if contact.interactions else f"/contacts/{contact.id}"


def _contact_of(request: Request) -> UUID | None:
    """The contact whose page it is. Raises NotFound."""
    id = request.path_params.get("id")
    return None if id is None else uuid_in_path(id)
