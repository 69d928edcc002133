"""Activity: all recent interactions of the company, by when they happened or were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, Request, Response
from msgspec import Struct, structs

from api.answers import Json
from api.auth import services_of
from api.filters import ids, is_quick, page_query
from api.openapi import answers
from api.parameters import Query
from api.reads import Look, Task, answer, page_answer
from domain.errors import NotFound
from projections import activity as views
from projections import contact_pages, timeline_pages
from projections.paging import Page
from projections.report_figures import Question, View
from projections.report_lists import FIGURES, Behind, Figure
from projections.timeline_pages import PageQuery, Ref
from projections.views import REPORTS

if TYPE_CHECKING:
    from api.auth import Caller
    from api.services import Services

router = APIRouter()


class Asked(Struct, frozen=True):
    """Which page of all interactions: of everybody, or of these contacts.

    `figure`: only those behind this figure of the reports.
    """

    page: PageQuery
    contacts: tuple[UUID, ...] = ()
    figure: Figure | None = None


@router.get("/v1/activity", summary="All interactions", responses=answers("InteractionPage", 200))
async def activity(request: Request) -> Response:
    """A page of all interactions, newest first; `sort=recorded` lists them as the log does.

    The filters of the timeline, `contact`, and `figure`: what a figure of the reports counted.
    """
    query = Query(request)
    services = services_of(request)

    def prepare(caller: Caller) -> Task:
        asked = asked_for(query, services, caller)

        def work(look: Look) -> Json:
            page = page_of(look, asked)
            return page_answer(look.renderer.page(look.reading, page, look.visible), look.position)

        of_all = asked.figure is None
        quick = is_quick(asked.page) and of_all and not asked.contacts
        return Task(work, quick=quick, kept=of_all, beside=None if of_all else REPORTS)

    return await answer(request, query, prepare)


def asked_for(query: Query, services: Services, caller: Caller) -> Asked:
    """The page that a query means, dates in the reader's zone where it names none."""
    contacts = tuple(ids(query, "contact"))
    sort = query.choice("sort", ("occurred", "recorded"), "occurred")
    named = query.choice("figure", ("", *FIGURES), "")
    if named and sort == "recorded":
        query.refuse("sort", "unknown_field", "what is behind a figure is listed by time alone")
    of = [named] if named else []
    scope = ":".join(["activity", *of, *sorted(str(contact) for contact in contacts)])
    page = page_query(query, services, scope, caller.zone)
    recorded = structs.replace(page, sort="recorded" if sort == "recorded" else "occurred")
    return Asked(recorded, contacts, next((one for one in FIGURES if one == named), None))


def page_of(look: Look, asked: Asked) -> Page[Ref]:
    """The page, of everybody or of some contacts; unknown contacts have no interactions.

    Raises BadCursor; NotFound where `around` is no interaction.
    """
    page = asked.page
    if page.around is not None and not page.cursor:
        ref = timeline_pages.one(look.reading, page.around)
        if ref is not None and not look.allowed([ref]):
            raise NotFound("There is no such interaction here.")  # as where there is none
    if asked.figure is not None:
        return timeline_pages.page_of(look.reading, behind(look, asked), page)
    if not asked.contacts:
        return views.page(look.reading, page, look.visible)
    members = look.members_of(asked.contacts)
    if page.sort == "recorded":
        return views.page(look.reading, page, look.visible, members)
    return timeline_pages.page(look.reading, members, page)


# --------------------------------------------------------------------- behind a figure


def behind(look: Look, asked: Asked) -> Behind:
    """The interactions behind the figure that is asked for, within the caller's sight."""
    if asked.figure is None:
        message = "no figure was asked for"
        raise ValueError(message)
    filters = structs.replace(asked.page.filters, kind=())
    question = Question(filters=filters, contacts=None, groups=(), tz="UTC")
    contacts = [contact.bytes for contact in asked.contacts]
    return Behind(view_of(look), narrowed(look, question, contacts), asked.figure)


def narrowed(look: Look, question: Question, contacts: list[bytes]) -> Question:
    """The question about those of the contacts that the caller may see, whatever id named them."""
    if not contacts:
        return question
    found = contact_pages.contacts_of(look.reading, contacts)
    roots = tuple(sorted(look.visible.may_see(found.values())))
    return structs.replace(question, contacts=roots)


def view_of(look: Look) -> View:
    """What figures are read from, as the caller of a look may."""
    beside = look.beside or look.join(REPORTS, 0)
    return View(look.reading, beside, look.decks, look.names, look.visible)
