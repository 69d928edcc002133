"""Edit a contact: who it is, which addresses are its own, notes, and what may be the same.

Suggestions are shown and lead somewhere; nothing is joined or linked by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from fastapi import Request, Response
from msgspec import Struct

from api import contact_addresses, twins
from api.auth import services_of
from api.contact_addresses import AddressRequest, wanted_of
from api.desk import thorough
from api.notes import NOTE_MAX_CHARS
from api.parameters import POSITION_MAX, Query, uuid_in_path
from api.read_contacts import ContactRequest, as_it_is, fields_of, seen_by_views
from api.reads import settled, written
from api.twins import TwinRequest
from api.web.addresses import Pages
from api.web.contact_alike import both_of
from api.web.contact_directory import owner_of, require_short, views_of
from api.web.contact_forms import (
    Form,
    author,
    fresh,
    id_of,
    of_contact,
    send,
    staff,
    typed_address,
    version_in,
    view_of,
)
from api.web.ground import open_page
from api.web.making import Shown
from api.web.offering import tongue_code
from api.web.pages import shown
from domain.errors import ChangedMeanwhile, InvalidInput
from domain.times import zone_of
from projections import suggestions, timeline_pages
from projections import twins as twin_views
from projections.shapes import ContactView, Likeness, NoteView, RowView
from projections.timeline import KIND_NOTE
from projections.timeline_pages import Filters, PageQuery
from projections.twins import TwinsQuery

if TYPE_CHECKING:
    from api.auth import Caller
    from api.reads import Found, Look
    from api.web.acting import Sent
    from api.web.ground import Work

router = Pages()

NOTES_SHOWN: Final = 5
"""Notes shown beside the form: the timeline has all of them."""

ALIKE_SHOWN: Final = 10
"""Contacts suggested on the page: more are no help to anybody."""

TWINS_SHOWN: Final = 5
"""Records by hand that are shown with what may be their twins."""

DONE: Final = (
    *("", "saved", "linked", "moved", "given", "unlinked", "noted", "twin", "untwin"),
    *("dismissed", "restored"),
)
"""What was just done, as the page confirms it."""

_US_PER_S: Final = 1_000_000


class Alike(Struct, frozen=True):
    """A contact that may be this one: why, each reason once, and the addresses behind it."""

    contact: ContactView
    why: tuple[str, ...]
    addresses: tuple[Likeness, ...]


class Twins(Struct, frozen=True):
    """A record by hand, and what may be its twins, the nearest in time first."""

    row: RowView | NoteView
    others: list[RowView | NoteView]


class Told(Struct, frozen=True):
    """What was just done: the word, the record that was linked, the contact that was dismissed."""

    done: str = ""
    twin: int = 0
    other: str = ""


NOTHING_DONE: Final = Told()


@router.get("/contacts/{id}/edit")
async def edit(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """All that can be put right about a contact."""
    return await open_page(request, _edit, scope="manage")


def _edit(request: Request, _caller: Caller) -> Work:
    query, id = Query(request), id_of(request)
    done = query.choice("done", DONE, "")
    told = Told(done, query.number("twin", 0, 1, POSITION_MAX), query.text("other") or "")
    query.close()

    def show(look: Look, found: Found) -> Shown:
        return page_of(look, found.id, fresh(look), told)

    return of_contact(request, id, "edit", show)


def page_of(look: Look, id: UUID, form: Form, told: Told = NOTHING_DONE) -> Shown:
    """The page, with one of its forms as it was sent."""
    found = look.contact(id)
    notes = PageQuery(scope="notes", filters=Filters(kind=(KIND_NOTE,)), limit=NOTES_SHOWN)
    taken = form.taken
    if "how" in form.fields and taken is None:  # it was said how that came, but not well
        taken = owner_of(look, form.value("address"))
    values: dict[str, Any] = {
        "contact": view_of(look, id),
        "part": "edit",
        "form": form,
        "people": staff(look),
        "notes": shown(look, timeline_pages.page(look.reading, found.members, notes).rows),
        "note_max": NOTE_MAX_CHARS,
        "alike": alike_of(look, found),
        "twins": _twins(look, found),
        "taken": views_of(look, [taken]).get(taken) if taken else None,
        "done": told.done,
        "twin": told.twin,
        "doubted": both_of(look, [told.other])[:1] if told.done == "dismissed" else [],
    }
    return Shown("contact_edit.html", values, "contacts", form.status)


def alike_of(look: Look, found: Found) -> list[Alike]:
    """Contacts that may be this one, each once."""
    near = suggestions.of_contact(look.reading, found.members)
    reasons: dict[str, list[str]] = {}
    likenesses: dict[str, list[Likeness]] = {}
    for one in suggestions.views(look.reading, near, look.visible.may_see_one):
        [other, *_] = [ref.id for ref in one.contacts if ref.id != str(found.id)] or [""]
        if other:
            reasons.setdefault(other, []).append(one.why)
            likenesses.setdefault(other, []).extend(one.addresses)
    known = views_of(look, list(reasons)[:ALIKE_SHOWN])
    return [
        Alike(known[id], tuple(dict.fromkeys(why)), tuple(likenesses[id]))
        for id, why in reasons.items()
        if id in known
    ]


def _twins(look: Look, found: Found) -> list[Twins]:
    """Records that may be of one event, logged by hand and reported by the channel."""
    window_us = look.services.twin_window_us
    asked = TwinsQuery(scope="pages:twins", window_us=window_us, limit=TWINS_SHOWN)
    refs = look.allowed(twin_views.page(look.reading, found.members, asked).rows)
    near = twin_views.of_records(look.reading, found.members, refs, window_us)
    return [
        Twins(shown(look, [ref])[0], shown(look, [one.ref for one in near[ref.position]]))
        for ref in refs
        if near[ref.position]
    ]


# --------------------------------------------------------------------------- who it is


@router.post("/contacts/{id}/edit")
async def save(request: Request, id: str) -> Response:
    """Write down who it is, unless somebody else did since the page was opened."""
    wanted = uuid_in_path(id)

    async def do(caller: Caller, sent: Sent) -> str:
        services = services_of(request)
        require_short(sent, "name", "company")
        now = await settled(request, caller, lambda look: view_of(look, wanted))
        fields, owner = fields_of(services, _asked(sent, now)), UUID(now.id)
        try:
            receipt = await services.ledger.contacts.describe(
                owner, fields, caller.by(), expected=version_in(sent)
            )
        except ChangedMeanwhile:
            raise await as_it_is(request, caller, wanted) from None
        await seen_by_views(services, receipt)
        return f"/contacts/{owner}/edit?done=saved"

    return await send(request, do, lambda look, form: page_of(look, wanted, form))


def _asked(sent: Sent, now: ContactView) -> ContactRequest:
    """What the form says otherwise than the contact is: what messages called them stays open."""
    shown = {
        "name": now.name,
        "company": now.company,
        "owner": now.owner.id if now.owner else None,
        "language": now.language,
    }
    typed = {name: sent.one(name).strip() or None for name in shown if name in sent.fields}
    if typed.get("language"):
        typed["language"] = tongue_code(sent.one("language"))
    return ContactRequest(
        **{name: value for name, value in typed.items() if value != shown[name]}  # type: ignore[arg-type]  # names of its fields
    )


# --------------------------------------------------------------------------- addresses


@router.post("/contacts/{id}/addresses")
async def link(request: Request, id: str) -> Response:
    """Give it an address; one that is somebody's only where it is said how that came."""
    wanted = uuid_in_path(id)

    async def do(caller: Caller, sent: Sent) -> str:
        services, how = services_of(request), sent.one("how")
        if not sent.one("address").strip():
            raise InvalidInput.one("address", "nothing", "write an address")
        since = _moment(request, caller, sent) if how == "anew" else None
        asked = AddressRequest(
            address=typed_address(sent.one("address")), move=how in {"move", "anew"}, since=since
        )
        what = (wanted, wanted_of(services, asked))
        receipt = await contact_addresses.give(request, caller, what, (caller.by(), None))
        await seen_by_views(services, receipt)
        return f"/contacts/{wanted}/edit?done={'moved' if asked.move else 'linked'}#addresses"

    return await send(request, do, lambda look, form: page_of(look, wanted, form))


@router.post("/contacts/{id}/addresses/{subject}")
async def unlink(request: Request, id: str, subject: str) -> Response:
    """Take an address off; or say from when on the number is somebody else's."""
    wanted, which = uuid_in_path(id), uuid_in_path(subject)

    async def do(caller: Caller, sent: Sent) -> str:
        since = None
        if sent.one("do") == "give":
            moment = _moment(request, caller, sent)
            since = int(datetime.fromisoformat(moment).timestamp()) * _US_PER_S
        what, how = (wanted, which, since), (caller.by(), None)
        await contact_addresses.take_off(request, caller, what, how)
        return f"/contacts/{wanted}/edit?done={'unlinked' if since is None else 'given'}#addresses"

    return await send(request, do, lambda look, form: page_of(look, wanted, form))


def _moment(request: Request, caller: Caller, sent: Sent) -> str:
    """From when on, RFC 3339: the time typed, on the reader's clock. Raises InvalidInput."""
    zone = zone_of(caller.zone or services_of(request).locale.zone)
    try:
        moment = datetime.fromisoformat(sent.one("from"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()
    except (ValueError, OverflowError):
        raise InvalidInput.one("from", "bad_time", "choose a day and an hour") from None


# ------------------------------------------------------------------------------- notes


@router.post("/contacts/{id}/notes")
async def note(request: Request, id: str) -> Response:
    """Note something, for the team alone."""
    wanted = uuid_in_path(id)

    async def do(caller: Caller, sent: Sent) -> str:
        services, text = services_of(request), sent.one("text").strip()
        if not text:
            raise InvalidInput.one("text", "too_short", "write a few words")
        if len(text) > NOTE_MAX_CHARS:
            raise InvalidInput.one("text", "too_long", f"at most {NOTE_MAX_CHARS} characters")
        found = await thorough(request, caller, lambda look: look.contact(wanted))
        by = author(request, caller, sent)
        receipt = await services.ledger.conversations.note(found.id, text, by)
        await written(services, receipt.last)
        return f"/contacts/{found.id}/edit?done=noted#notes"

    return await send(request, do, lambda look, form: page_of(look, wanted, form))


# ------------------------------------------------------------------------------- twins


@router.post("/contacts/{id}/twins")
async def twin(request: Request, id: str) -> Response:
    """Link two records of one event, of which the automatic one is shown; or take that back."""
    wanted = uuid_in_path(id)

    async def do(caller: Caller, sent: Sent) -> str:
        services = services_of(request)
        mine = _number(sent, "record")
        if sent.one("do") == "untwin":
            await twins.untie(request, caller, mine, caller.by())
            return f"/contacts/{wanted}/edit?done=untwin#twins"
        other = _number(sent, "other")
        asked = TwinRequest(other=other, show=other)
        receipt = await twins.tie(request, caller, (mine, asked), caller.by())
        if receipt is not None:
            await written(services, receipt.last)
        return f"/contacts/{wanted}/edit?done=twin&twin={mine}#twins"

    return await send(request, do, lambda look, form: page_of(look, wanted, form))


def _number(sent: Sent, name: str) -> int:
    text = sent.one(name)
    if not (text.isascii() and text.isdigit() and len(text) < len(str(POSITION_MAX))):
        raise InvalidInput.one(name, "unknown", "the number of an interaction")
    return int(text)
