"""The core views of a story, built and read: what tests of pages and rows stand on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from domain.ports import Entry
from projections import activity, inbox_counts, inbox_pages, timeline_pages
from projections.access import EVERYTHING
from projections.core import core_group
from projections.dictionary import Dictionary
from projections.group import Group
from projections.inbox_pages import InboxQuery
from projections.rendering import Renderer
from projections.timeline_pages import PageQuery, Ref
from projections.views import Reading, Views
from storage.source import Mark, Page
from tests.backends import Backend
from tests.projections.shelf import LEDGER, Shelf
from tests.projections.story import Story, subject_of, user_of

PUBLIC_URL = "https://hilo.example.mx"


class Desk:
    """The core views beside a story; `tell` brings them to its end, page by page."""

    def __init__(self, views: Views, group: Group) -> None:
        self.views = views
        self.group = group
        self.renderer = Renderer(PUBLIC_URL, Dictionary(views))
        self.position = 0

    def tell(self, story: Story | Sequence[Entry], *, page: int = 1_000) -> None:
        """Follow what is new in the story, in pages of that size."""
        entries = story.entries if isinstance(story, Story) else list(story)
        shelf = Shelf(entries)
        if self.position == 0:
            self.group.rebuild(Shelf().source())
        while self.position < len(entries):
            some = entries[self.position : self.position + page]
            leaf = shelf.leaf(shelf.page(some[-1].position - 1, 1, 1_000)[0])
            assert self.group.apply(Page(some, Mark(LEDGER.bytes, some[-1].position, leaf)))
            self.position = some[-1].position

    def rebuild(self, story: Story) -> None:
        """Build a new generation from the whole story."""
        self.group.rebuild(Shelf(story.entries).source())
        self.position = len(story.entries)

    # ------------------------------------------------------------------ reading

    def timeline(self, *addresses: str, **query: Any) -> list[int]:  # noqa: ANN401 - query fields
        """The ids on a page of the timeline of these addresses."""
        return [ref.position for ref in self.timeline_page(*addresses, **query).rows]

    def timeline_page(self, *addresses: str, **query: Any) -> Any:  # noqa: ANN401 - query fields
        """A page of the timeline of these addresses."""
        subjects = [subject_of(address).bytes for address in addresses]
        with self.views.reading() as reading:
            return timeline_pages.page(reading, subjects, PageQuery(scope="t", **query))

    def activity(self, **query: Any) -> list[int]:  # noqa: ANN401 - query fields
        """The ids on a page of all interactions."""
        with self.views.reading() as reading:
            found = activity.page(reading, PageQuery(scope="a", **query), EVERYTHING)
        return [ref.position for ref in found.rows]

    def inbox(self, user: str | None = None, **query: Any) -> list[Any]:  # noqa: ANN401 - as above
        """The conversations on a page of the inbox, as that user sees them."""
        viewer = user_of(user).bytes if user else None
        with self.views.reading() as reading:
            return inbox_pages.page(reading, viewer, InboxQuery(**query), EVERYTHING).rows

    def conversation(self, address: str, user: str | None = None) -> Any:  # noqa: ANN401 - or None
        """The conversation of the contact named after an address."""
        viewer = user_of(user).bytes if user else None
        with self.views.reading() as reading:
            return inbox_pages.one(reading, subject_of(address).bytes, viewer)

    def counts(self, user: str | None = None, **filters: Any) -> Any:  # noqa: ANN401 - as above
        """The numbers on the tabs, as that user sees them."""
        viewer = user_of(user).bytes if user else None
        with self.views.reading() as reading:
            asked = inbox_pages.InboxQuery(filters=inbox_pages.InboxFilters(**filters))
            return inbox_counts.counts(reading, viewer, asked, EVERYTHING)

    def row(self, position: int) -> dict[str, Any]:
        """The rendered interaction row with that id."""
        return self.rows([position])[0]

    def rows(self, positions: Sequence[int]) -> list[dict[str, Any]]:
        """The rendered interaction rows with these ids."""
        with self.views.reading() as reading:
            refs = [_known(reading, position) for position in positions]
            return [json.loads(body) for body in self.renderer.rows(reading, refs, EVERYTHING)]


def _known(reading: Reading, position: int) -> Ref:
    ref = timeline_pages.one(reading, position)
    assert ref is not None, position
    return ref


@contextmanager
def desk_of(backend: Backend) -> Iterator[Desk]:
    """Core views on an empty database, closed at the end."""
    views = Views(backend.views_url)
    group = core_group(views)
    try:
        yield Desk(views, group)
    finally:
        group.close()
        views.close()
