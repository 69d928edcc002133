"""Cursors, and how a page is cut from an ordered list."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadCursor
from projections import paging
from projections.paging import Ask, Mark, Page, SortKey, read_cursor, read_page, write_cursor

BOUND = paging.binding("timeline", "somebody", "desc")

keys = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 40)), unique_by=lambda key: key[1], max_size=25
)


class Shelf:
    """A list in memory, fetched from as a database would be."""

    def __init__(self, held: list[SortKey]) -> None:
        self.held = held

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[SortKey]:
        """Keys strictly between two others."""
        found = sorted((key for key in self.held if low < key < high), reverse=descending)
        return found[:count]


def _same(key: SortKey) -> SortKey:
    return key


def _page(held: list[SortKey], cursor: str | None = None, **ask: object) -> Page[SortKey]:
    base = Ask(binding=BOUND, mark=read_cursor(BOUND, cursor))
    return read_page(msgspec.structs.replace(base, **ask), Shelf(held), _same)


@given(held=keys, limit=st.integers(1, 7), descending=st.booleans())
def test_pages_one_after_another_give_the_whole_list(
    *, held: list[SortKey], limit: int, descending: bool
) -> None:
    """Following `next` gives every row once, in order, ties too."""
    found: list[SortKey] = []
    cursor = None
    while True:
        page = _page(held, cursor, limit=limit, descending=descending)
        found += page.rows
        cursor = page.next
        if cursor is None:
            break
    assert found == sorted(held, reverse=descending)


@given(
    held=keys,
    limit=st.integers(1, 7),
    descending=st.booleans(),
    centre=st.tuples(st.integers(0, 6), st.integers(0, 41)),
)
def test_from_the_middle_both_ways_give_the_whole_list(
    *, held: list[SortKey], limit: int, descending: bool, centre: SortKey
) -> None:
    """Around any place, `prev` and `next` together reach every row once."""
    page = _page(held, limit=limit, descending=descending, centre=centre)
    found, before, after = list(page.rows), page.prev, page.next
    while after is not None:
        page = _page(held, after, limit=limit, descending=descending)
        found, after = [*found, *page.rows], page.next
    while before is not None:
        page = _page(held, before, limit=limit, descending=descending)
        found, before = [*page.rows, *found], page.prev
    assert found == sorted(held, reverse=descending)


@pytest.mark.parametrize("descending", [True, False])
def test_a_page_stands_around_its_centre(*, descending: bool) -> None:
    """Half of the page lies before the centre; at an end of the list it is filled all the same."""
    held = [(number, number) for number in range(1, 21)]
    assert _page(held, limit=6, descending=descending, centre=(10, 10)).rows[3] == (10, 10)
    edge = _page(held, limit=6, descending=descending, centre=(20, 20))
    assert len(edge.rows) == 6
    assert (20, 20) in edge.rows
    assert (edge.prev if descending else edge.next) is None


def test_a_page_from_a_cursor_leads_back() -> None:
    """The second page has a `prev`, and it gives the first page again."""
    held = [(number, number) for number in range(1, 11)]
    first = _page(held, limit=4)
    second = _page(held, first.next, limit=4)
    assert first.prev is None
    assert second.prev is not None
    assert _page(held, second.prev, limit=4).rows == first.rows


def test_a_row_that_appears_is_found_by_going_back() -> None:
    """A page behind the last row is empty, and its `prev` finds what came meanwhile."""
    held = [(1, 1), (2, 2)]
    last = _page(held, write_cursor(BOUND, Mark(2, 2, back=False)), descending=False)
    assert last.rows == []
    assert last.prev is not None
    assert _page(held, last.prev, descending=False).rows == [(1, 1)]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "?",
        "ñ",
        "A" * 500,
        write_cursor(paging.binding("timeline", "somebody", "asc"), Mark(1, 2, back=False)),
        write_cursor(paging.binding("timeline", "else", "desc"), Mark(1, 2, back=False)),
        write_cursor(BOUND, Mark(1, 2, back=False))[:-2],
        write_cursor(BOUND, Mark(1, 2, back=False)) + "AA",
        write_cursor(BOUND, Mark(2**63 - 1, 2, back=False)),
        base64.urlsafe_b64encode(BOUND + msgspec.msgpack.encode({"a": 1})).decode().rstrip("="),
    ],
)
def test_another_lists_cursor_is_refused(cursor: str) -> None:
    """A cursor of other filters or order, cut, prolonged or made up, is BadCursor."""
    with pytest.raises(BadCursor):
        read_cursor(BOUND, cursor)


@given(
    time=st.integers(-(2**62), 2**62),
    position=st.integers(-(2**62), 2**62),
    back=st.booleans(),
)
def test_a_cursor_comes_back_as_it_was(*, time: int, position: int, back: bool) -> None:
    """What is written can be read, and is short and safe in a link."""
    mark = Mark(time, position, back=back)
    cursor = write_cursor(BOUND, mark)
    assert read_cursor(BOUND, cursor) == mark
    assert len(cursor) <= paging.CURSOR_MAX_CHARS
    assert cursor.replace("-", "").replace("_", "").isalnum()
