"""A contact's profile: who they are, and everything that happened with them, in one timeline.

The list is a row of stretches. A page shows the first one, or the one around a row or a date;
scripts ask for those beside it by its cursors, and for whatever is new by its number.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from msgspec import Struct, structs
from starlette.responses import RedirectResponse

from api.parameters import Query, position_in_path, uuid_in_path
from api.web.addresses import Pages
from api.web.ground import open_page, redirect
from api.web.making import SECURITY, Shown
from api.web.pages import row_of, shown
from api.web.profile_lines import FRESH, lines
from api.web.profile_months import AT_ONCE_MAX, months
from api.web.profile_query import asked_for, tidied
from domain.errors import NotFound
from projections import timeline_pages
from projections.dictionary import CAMPAIGN, DEPARTMENT, SOURCE, USER
from projections.paging import LIMIT_MAX, Page, read_page
from projections.timeline import KIND_NOTE
from projections.timeline_pages import Ranges, ask_for, key_of

if TYPE_CHECKING:
    from uuid import UUID

    from api.auth import Caller
    from api.reads import Found, Look
    from api.web.ground import Work
    from api.web.profile_query import Asked
    from projections.paging import SortKey
    from projections.shapes import ContactView
    from projections.timeline_pages import Ref

router = Pages()

MORE_ROWS: Final = 100
"""Rows of a further stretch: some screens, so that whoever scrolls on seldom waits."""


class Wanted(Struct, frozen=True):
    """What a request asks of a contact's profile."""

    id: UUID
    asked: Asked


def _wanted(request: Request, caller: Caller, *, rows: int | None = None) -> Wanted:
    """The contact in the path, and the query, which may name nothing else. Raises InvalidInput."""
    id = uuid_in_path(request.path_params["id"])
    query = Query(request)
    asked = asked_for(request, query, caller, id)
    query.close()
    if rows is not None:
        asked = structs.replace(asked, query=structs.replace(asked.query, limit=rows))
    return Wanted(id, asked)


# --------------------------------------------------------------------------------- page


@router.get("/contacts/{id}")
async def contact(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """A contact's profile; `around` opens the timeline at an interaction, `at` at a date."""
    return await open_page(request, _contact)


def _contact(request: Request, caller: Caller) -> Work:
    clean = tidied(request)
    if clean is not None:
        return lambda _: redirect(clean, 302)
    wanted = _wanted(request, caller)

    def work(look: Look) -> Shown | Response:
        profile = Profile(look, wanted)
        if profile.found.moved:
            query = f"?{request.url.query}" if request.url.query else ""
            where = f"/contacts/{profile.found.id}{query}"
            return RedirectResponse(where, 302, headers=SECURITY)
        values = {**profile.head(), **profile.stretch(), **profile.choices()}
        if wanted.asked.months or profile.contact.interactions <= AT_ONCE_MAX:
            values |= profile.months()
        return Shown("profile.html", values, "contacts")

    return work


# ------------------------------------------------------------------------------- pieces


@router.get("/contacts/{id}/rows")
async def rows(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """A further stretch of the timeline."""
    return await open_page(request, _rows)


def _rows(request: Request, caller: Caller) -> Work:
    wanted = _wanted(request, caller, rows=MORE_ROWS)
    return lambda look: Shown("profile_rows.html", Profile(look, wanted).stretch(), piece=True)


@router.get("/contacts/{id}/rows/{number}")
async def one_row(request: Request, id: str, number: str) -> Response:  # noqa: ARG001 - as above
    """One row as it is now; nothing where it does not stand in the list, or not any more."""
    return await open_page(request, _one_row)


def _one_row(request: Request, caller: Caller) -> Work:
    number = position_in_path(request.path_params["number"])
    wanted = _wanted(request, caller)

    def work(look: Look) -> Shown:
        return Shown("profile_rows.html", Profile(look, wanted).between(number, number), piece=True)

    return work


@router.get("/contacts/{id}/rows/{first}/{last}")
async def run(request: Request, id: str, first: str, last: str) -> Response:  # noqa: ARG001 - as above
    """All from one row to another: what a folded run holds."""
    return await open_page(request, _run)


def _run(request: Request, caller: Caller) -> Work:
    first, last = (position_in_path(request.path_params[name]) for name in ("first", "last"))
    wanted = _wanted(request, caller)

    def work(look: Look) -> Shown:
        return Shown("profile_rows.html", Profile(look, wanted).between(first, last), piece=True)

    return work


@router.get("/contacts/{id}/head")
async def head(request: Request, id: str) -> Response:  # noqa: ARG001 - as above
    """The header as it is now."""
    return await open_page(request, partial(_piece, "profile_head.html"))


@router.get("/contacts/{id}/months")
async def months_of(request: Request, id: str) -> Response:  # noqa: ARG001 - as above
    """The months as they are now, and how many went which way."""
    return await open_page(request, partial(_piece, "profile_months.html"))


def _piece(template: str, request: Request, caller: Caller) -> Work:
    wanted = _wanted(request, caller)

    def work(look: Look) -> Shown:
        profile = Profile(look, wanted)
        more = profile.months() if template == "profile_months.html" else {}
        return Shown(template, {**profile.head(), **more}, piece=True)

    return work


# --------------------------------------------------------------------------- one profile


class Profile:
    """One contact's profile, by one look. Raises NotFound where the reader may not see it."""

    def __init__(self, look: Look, wanted: Wanted) -> None:
        self._look = look
        self._asked = wanted.asked
        self.found: Found = look.contact(wanted.id)

    @cached_property
    def contact(self) -> ContactView:
        """The contact. Raises NotFound."""
        found = self._look.renderer.contact(self._look.reading, self.found.id.bytes)
        if found is None:
            raise NotFound("There is no such contact.")
        return found

    def head(self) -> dict[str, Any]:
        """Who it is."""
        return {
            "contact": self.contact,
            "asked": self._asked,
            "can_act": self._look.caller.may("manage"),
            "months": None,
            "ways": {},
        }

    def months(self) -> dict[str, Any]:
        """The months of the history."""
        return months(self._look, self.found.members, self.contact, self._asked)

    def choices(self) -> dict[str, Any]:
        """What may be filtered by."""
        names = self._look.names
        kinds = {
            "attended_by": USER,
            "department": DEPARTMENT,
            "campaign": CAMPAIGN,
            "source": SOURCE,
        }
        return {
            "choices": {
                name: [(one.key, one.name) for one in names.all(kind)]
                for name, kind in kinds.items()
            }
        }

    def stretch(self) -> dict[str, Any]:
        """A stretch of the timeline: at its cursor, else at its place, else from the beginning."""
        look, asked = self._look, self._asked
        centre = None if asked.query.cursor else self._centre()
        ranges = Ranges(look.reading, tuple(self.found.members), asked.query.filters)
        page: Page[Ref] = read_page(ask_for(asked.query, centre), ranges, key_of)
        at_first = page.prev is None and asked.descending
        return {
            **self._lines(page.rows, FRESH if at_first else 0),
            "before": page.prev,
            "after": page.next,
            "landing": self._landing(page.rows, centre),
        }

    def between(self, first: int, last: int) -> dict[str, Any]:
        """The rows from one number to another, in the list's order, nothing folded."""
        look, asked = self._look, self._asked
        refs = [self._ref(number) for number in (first, last)]
        empty = {**self._lines([], 0), "before": "", "after": "", "landing": 0}
        if None in refs:
            return empty
        low, high = sorted(key_of(ref) for ref in refs if ref is not None)
        ranges = Ranges(look.reading, tuple(self.found.members), asked.query.filters)
        found = ranges(
            (low[0], low[1] - 1),
            (high[0], high[1] + 1),
            descending=asked.descending,
            count=LIMIT_MAX,
        )
        return {**empty, **self._lines(list(found), len(found))}

    def _lines(self, refs: list[Ref], fresh: int) -> dict[str, Any]:
        asked = self._asked
        led_to = [number for number in (asked.around, asked.place) if number]
        made = lines(shown(self._look, refs), asked.zone, shown=led_to, fresh=fresh)
        return {
            "lines": made,
            "asked": asked,
            "hit": asked.around,
            "contact_id": str(self.found.id),
        }

    def _centre(self) -> SortKey | None:
        """The key around which the list opens. Raises NotFound for an `around` not of theirs."""
        look, asked, members = self._look, self._asked, tuple(self.found.members)
        place = self._ref(asked.place) if asked.place else None
        if place is not None:
            return key_of(place)
        query = structs.replace(asked.query, around=asked.around)
        return timeline_pages.centre_of(look.reading, query, members)

    def _ref(self, number: int) -> Ref | None:
        """A row of theirs by its number, a note too; None where there is none."""
        look, members = self._look, tuple(self.found.members)
        note = timeline_pages.one(look.reading, number, KIND_NOTE)
        if note is not None:
            return note if note.subject in members else None
        try:
            query = structs.replace(self._asked.query, around=number)
            timeline_pages.centre_of(look.reading, query, members)
        except NotFound:
            return None
        return timeline_pages.one(look.reading, number)

    def _landing(self, refs: list[Ref], centre: SortKey | None) -> int:
        """The row that a page around a place begins to be read at; 0 for its first."""
        if centre is None or not refs:
            return 0
        behind = (
            ref
            for ref in refs
            if (key_of(ref) <= centre if self._asked.descending else key_of(ref) >= centre)
        )
        return next(behind, refs[-1]).position


# ------------------------------------------------------------------ the link to one row


@router.get("/interactions/{id}")
async def interaction(request: Request, id: str) -> Response:  # noqa: ARG001 - it is read from the path
    """The link that people quote: to the interaction, among those around it."""
    return await open_page(request, _interaction)


def _interaction(request: Request, _caller: Caller) -> Work:
    id = position_in_path(request.path_params["id"])

    def work(look: Look) -> Response:
        ref = timeline_pages.one(look.reading, id)
        if ref is None or not look.allowed([ref]):
            raise NotFound("There is no such interaction.")
        row = row_of.decode(look.renderer.rows(look.reading, [ref], look.visible)[0])
        # Where another record of the same event stands for it, that one is in the list.
        hit = row.twin.id if row.twin is not None and row.twin.role == "hidden" else id
        where = f"/contacts/{row.contacts[0]}?around={hit}#i{hit}"
        return RedirectResponse(where, 302, headers=SECURITY)

    return work
