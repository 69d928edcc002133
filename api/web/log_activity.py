"""Log activity: what happened outside of every channel is written down by hand, in one form.

Opened from a contact's profile and conversation, or for anybody. What a channel reported already
is shown before anything is written. Saved, it stands in the conversation, where the page goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import Request, Response
from msgspec import Struct

from api import by_hand, likely
from api.answers import Json
from api.auth import services_of
from api.desk import thorough
from api.parameters import Freshness, Query, uuid_in_path
from api.problems import problem_of
from api.reads import look, reads_of, written
from api.web.acting import carry_out
from api.web.addresses import Pages
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
from api.web.making import Shown, is_script, maker_of
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

router = Pages()

MEANT_MAX: Final = 6
"""Contacts of a typed name to choose from: more are told apart by typing more."""


class Held(Struct, frozen=True):
    """A form that was not carried out: what it holds, why not, and what may be its twin.

    A `piece` is the form alone, for the dialog that a script opened.
    """

    entry: Entry
    problem: str = ""
    twins: tuple[int, ...] = ()
    status: int = 422
    piece: bool = False


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
    query = Query(request)
    piece = query.flag("piece") is True
    query.close()

    def work(look: Look) -> Shown | Response:
        if id is not None and look.contact(id).moved:
            return redirect(f"/contacts/{look.contact(id).id}/log", 302)
        return _form(look, id, Held(fresh(look), status=200, piece=piece))

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
    """Record it, and go on to it in its conversation; else the form again, with what is wrong.

    With `do` = `twins` nothing is written: the answer is what may be its twin, as it is typed.
    """

    async def act(caller: Caller, sent: Sent) -> Response:
        id = _contact_of(request)
        entry = entry_of(sent, services_of(request))
        if sent.one("do") == "twins":
            found = await look(request, caller, Freshness(), lambda look: _likely(look, id, entry))
            return maker_of(request).page(request, found)
        held = await _held(request, caller, id, _Wish(entry, sent.one("do")))
        if isinstance(held, Response):
            return held
        again = await look(request, caller, Freshness(), lambda look: _framed(look, id, held))
        return maker_of(request).page(request, again)

    return await carry_out(request, act, scope="append")


async def _held(request: Request, caller: Caller, id: UUID | None, wish: _Wish) -> Held | Response:
    """Record it; the form again where that cannot be."""
    entry, piece = wish.entry, is_script(request)
    try:
        return _done(request, await _recorded(request, caller, id, wish))
    except Unfit as unfit:
        return Held(Entry(entry.fields, unfit.errors), piece=piece)
    except InvalidInput as error:
        return Held(Entry(entry.fields, words_of(error)), piece=piece)
    except ProbableTwins as error:
        twins = tuple(one.id for one in error.twins if hasattr(one, "id"))
        return Held(entry, twins=twins, status=problem_of(error).status, piece=piece)
    except HiloError as error:
        found = problem_of(error)
        return Held(entry, problem=found.type, status=found.status, piece=piece)


def _done(request: Request, done: _Done) -> Response:
    """On to where it is shown; a script hears its id, and sees it come by the stream."""
    if is_script(request):
        return Json(msgspec.json.encode(done), 201)
    return redirect(done.where)


def _likely(look: Look, id: UUID | None, entry: Entry) -> Shown:
    """What may be the twin of what is being typed; nothing while that cannot be read yet."""
    asked = id or contact_named(entry)
    typed = Entry({**entry.fields, "text": entry.fields["text"].strip() or "…"})
    try:
        contact = _contact(look, asked) if asked else None
        command = command_of(typed, look, contact, linked=False)
    except Unfit:
        twins: tuple[int, ...] = ()
    else:
        twins = tuple(one.id for one in likely.of_command(look, command))
    values = {"form": entry.fields, "twins": _rows(look, twins)}
    return Shown("log_likely.html", values, piece=True)


class _Done(Struct, frozen=True):
    """What was recorded: its id, where it is shown, and whether behind another record."""

    id: int
    where: str
    linked: bool


class _Wish(Struct, frozen=True):
    """What was sent, and by which button: `link` with a twin, `apart` from all of them, or save."""

    entry: Entry
    do: str


async def _recorded(request: Request, caller: Caller, id: UUID | None, wish: _Wish) -> _Done:
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
    shown_as = command.twin_of or receipt.id  # of two records of one event lists show the other
    where = f"/conversations/{contact or receipt.contact}?around={shown_as}#i{shown_as}"
    return _Done(receipt.id, where, linked=command.twin_of is not None)


# -------------------------------------------------------------------------------- page


def _framed(look: Look, id: UUID | None, held: Held) -> Shown:
    form = _form(look, id, held)
    if form.piece:
        return form
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
    template = "log_form.html" if held.piece else "log_activity.html"
    return Shown(template, values, "inbox", held.status, piece=held.piece)


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
