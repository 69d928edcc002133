"""One conversation as pages show it: the stretch of its thread, its state, the contact's card."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import RedirectResponse

from api.parameters import POSITION_MAX, Query
from api.read_conversations import conversation_of
from api.web.making import SECURITY
from api.web.pages import shown
from domain.errors import NotFound
from domain.times import zone_of
from projections import cards, timeline_pages, unread_pages
from projections.dictionary import DEPARTMENT, TEAM, USER
from projections.shapes import ContactRef, ContactView, ConversationView
from projections.timeline import KIND_NOTE
from projections.timeline_pages import PageQuery

if TYPE_CHECKING:
    from uuid import UUID

    from api.reads import Found, Look
    from projections.inbox_pages import Conversation
    from projections.paging import Page
    from projections.timeline_pages import Ref

ROWS: Final = 40
"""Rows of a stretch of the thread: some three screens, so that one reads before more is asked."""

MORNING_HOUR: Final = 9
"""When a day begins for whoever is to be reminded."""

SNOOZE_HOURS: Final = 3
"""What "later today" means."""

_US_PER_S: Final = 1_000_000
_MONDAY: Final = 7

_conversation: Final = msgspec.json.Decoder(ConversationView)


class Place(Struct, frozen=True):
    """Where a thread is to be opened: a cursor, at an interaction, else where one left off."""

    cursor: str | None = None
    around: int | None = None


def place_of(query: Query) -> Place:
    """The place that a query names."""
    around = query.number("around", 0, 1, POSITION_MAX)
    return Place(query.text("cursor"), around or None)


class Thread:
    """One conversation, by one look."""

    def __init__(self, look: Look, id: UUID) -> None:
        self._look = look
        self.found: Found
        self.seen: Conversation
        self.found, self.seen = conversation_of(look, id)

    def head(self) -> dict[str, Any]:
        """State, contact, and whom it could be given to."""
        look = self._look
        body = look.renderer.conversations(look.reading, [self.seen], look.visible)[0]
        people = [one for one in look.names.all(USER) if one.active and one.extra.sign_in]
        return {
            "talk": _conversation.decode(body),
            "contact": self.contact(),
            "people": people,
            "teams": [one for one in look.names.all(TEAM) if one.active],
            "departments": [one for one in look.names.all(DEPARTMENT) if one.active],
            "snoozes": self._snoozes(),
            "can_act": look.caller.may("manage"),
        }

    def contact(self) -> ContactView | None:
        """The contact."""
        return self._look.renderer.contact(self._look.reading, self.found.id.bytes)

    @property
    def label(self) -> ContactRef:
        """The contact as messages name it; all that a piece of the thread needs of it."""
        id = self.found.id.bytes
        return cards.of_contacts(self._look.reading, {id})[id].ref()

    def messages(self, place: Place) -> dict[str, Any]:
        """A stretch of the thread, oldest first: at a place, else where the reader left off."""
        look = self._look
        first = unread_pages.first_unread(look.reading, self.seen)
        opened = place.around or (None if place.cursor else first)
        asked = PageQuery(
            scope=f"thread:{self.found.id}", limit=ROWS, cursor=place.cursor, around=opened
        )
        page: Page[Ref] = timeline_pages.page(look.reading, self.found.members, asked)
        refs = list(reversed(page.rows))
        return {
            "rows_of_thread": shown(look, refs),
            "older": page.next,
            "newer": page.prev,
            "first": first,
            "unread_here": self.seen.unread,
            "hit": place.around,
            "through": look.position,
        }

    def one(self, position: int) -> dict[str, Any]:
        """One message or note of the thread, as it is now. Raises NotFound."""
        look = self._look
        ref = timeline_pages.one(look.reading, position) or timeline_pages.one(
            look.reading, position, KIND_NOTE
        )
        if ref is None:
            raise NotFound("There is no such interaction here.")
        query = PageQuery(scope="one", around=position, limit=2)
        if ref.kind != KIND_NOTE:
            timeline_pages.centre_of(look.reading, query, tuple(self.found.members))
        elif ref.subject not in self.found.members:
            raise NotFound("There is no such note here.")
        rows = shown(look, [ref])
        twin = getattr(rows[0], "twin", None)
        hidden = twin is not None and twin.role == "hidden"
        return {"rows_of_thread": [] if hidden else rows, "first": None, "hit": None}

    def _snoozes(self) -> dict[str, str]:
        """The times that one is likely to choose, RFC 3339 in the reader's zone."""
        look = self._look
        zone = look.caller.zone or look.services.locale.zone
        now = datetime.fromtimestamp(look.services.clock() / _US_PER_S, zone_of(zone))
        morning = now.replace(hour=MORNING_HOUR, minute=0, second=0, microsecond=0)
        monday = morning + timedelta(days=_MONDAY - now.weekday())
        later = now.replace(second=0, microsecond=0) + timedelta(hours=SNOOZE_HOURS)
        found = {"later": later, "tomorrow": morning + timedelta(days=1), "monday": monday}
        return {name: moment.isoformat() for name, moment in found.items()}


def moved(thread: Thread, path: str, query: str) -> RedirectResponse | None:
    """The way to where a merged contact's conversation stands now."""
    if not thread.found.moved:
        return None
    return RedirectResponse(f"{path.format(id=thread.found.id)}{query}", 302, headers=SECURITY)
