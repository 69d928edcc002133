"""Searching interactions by their words: what matches, by whichever way, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, cast
from uuid import UUID

import pytest
from msgspec import structs

from domain.events import (
    Attachment,
    Event,
    InteractionCorrected,
    InteractionEdited,
    InteractionRecorded,
)
from domain.ports import Entry
from domain.values import Channel, Role
from projections import search_pages
from projections.access import EVERYTHING, Access, Reader, Visible
from projections.contact_pages import members_of
from projections.core import core_group
from projections.fulltext import Piece, Span, Wanted, ordered
from projections.rebuild import check
from projections.search import DOCUMENTS, position_in, search_group, stretch_of
from projections.search_pages import SearchQuery
from projections.timeline_pages import Filters
from projections.views import SEARCH, Views
from projections.words import terms_of, words_of
from storage.source import Page
from tests.backends import Backend
from tests.projections import kin, working
from tests.projections.shelf import Shelf
from tests.projections.story import Story, derived, moment, party, subject_of, user_of

ANA: Final = "tel:+525511111111"
BETO: Final = "tel:+525522222222"
EVA: Final = "mailto:eva@example.mx"


class Desk:
    """Core and search over one story."""

    def __init__(self, backend: Backend) -> None:
        self.views = Views(backend.views_url)
        self.groups = (core_group(self.views), search_group(self.views))

    def tell(self, entries: Sequence[Entry], page: int = 7) -> None:
        """Apply entries as followers would, in pages."""
        source = Shelf(entries).source()
        for group in self.groups:
            mark = group.mark()
            if mark is None:
                group.rebuild(Shelf(()).source())
                mark = group.mark()
            assert mark is not None
            position = mark.position
            while (taken := source.read(position, page)) is not None:
                assert group.apply(Page(taken.entries, taken.mark))
                position = taken.mark.position

    def find(self, text: str, visible: Visible | None = None, **more: object) -> list[int]:
        """The ids of all that match, page by page; the way back gives the same."""
        query = SearchQuery(scope="test", text=text, terms=tuple(terms_of(text)), **more)  # type: ignore[arg-type]  # its fields
        with self.views.reading() as reading:
            beside = reading.beside(SEARCH)
            found: list[list[int]] = []
            cursor = None
            while True:
                asked = _at(query, cursor)
                page = search_pages.page(reading, beside, asked, visible or EVERYTHING)
                found.append([ref.position for ref in page.rows])
                if page.next is None:
                    break
                cursor = page.next
            for before in found[-2::-1]:
                asked = _at(query, page.prev)
                page = search_pages.page(reading, beside, asked, visible or EVERYTHING)
                assert [ref.position for ref in page.rows] == before
        return [id for some in found for id in some]

    def proposed(self, *pieces: Piece) -> list[int]:
        """What the index of words proposes."""
        with self.views.reading() as reading:
            beside = reading.beside(SEARCH)
            stretches = tuple(range(stretch_of(moment(0)), stretch_of(moment(70_000_000)) + 1))
            span = Span(0, (1 << 63) - 1, 10_000, descending=False, stretches=stretches)
            wanted = Wanted(tuple((piece,) for piece in pieces))
            found = ordered(beside, DOCUMENTS, wanted, span)
            assert found == sorted(found)
            return sorted(map(position_in, found))


def _at(query: SearchQuery, cursor: str | None) -> SearchQuery:
    return structs.replace(query, cursor=cursor)


@contextmanager
def told(backend: Backend, story: Story) -> Iterator[Desk]:
    """Both groups of a story, closed at the end."""
    at = Desk(backend)
    try:
        at.tell(story.entries)
        yield at
    finally:
        at.views.close()


# ------------------------------------------------------------------------ what matches


def shop() -> Story:
    """Some interactions in which there is something to find."""
    story = Story()
    story.inbound(ANA, "Hola, ¿sigue disponible el coche rojo?", at=100)  # 1
    story.outbound(ANA, "Sí, señora: el precio es de $250,000", at=200)  # 2
    story.inbound(BETO, "Los PRECIOS de la lista, por favor", at=50)  # 3
    files = (Attachment(derived("file"), "Presupuesto_final-2026.PDF", "application/pdf"),)
    mail = {"channel": Channel.EMAIL, "subject_line": "Cotización de llantas", "attachments": files}
    story.inbound(EVA, "Va adjunto.", at=300, **mail)  # 4
    story.inbound(BETO, None, at=400, channel=Channel.CALL)  # 5
    story.outbound(BETO, "Rojo, coche: no hay", at=500)  # 6
    return story


ASKED: Final = {
    "disponible": [1],
    "DISPON": [1],
    "coche rojo": [6, 1],
    '"coche rojo"': [1],
    '"rojo coche"': [6],
    '"coche roj"': [],
    "senor": [2],
    "SEÑORA": [2],
    "precio": [2, 3],
    '"precio"': [2],
    "250,000": [2],
    '"$250,000"': [2],
    "cotizacion llantas": [4],
    "presupuesto": [4],
    "final-2026.pdf": [4],
    "adjunto presupuesto": [4],
    '"adjunto cotizacion"': [],
    "l": [4, 3],
    "de": [4, 2, 3],
    "nada": [],
    "!!": [],
    "¤s": [2, 1],
    "¤1f": [],
}


def test_what_is_typed_finds_what_was_said(backend: Backend) -> None:
    """Beginnings, accents, phrases, subjects and names of files, the newest first."""
    with told(backend, shop()) as at:
        assert {typed: at.find(typed) for typed in ASKED} == ASKED


def test_what_is_shown_no_more_is_found_no_more(backend: Backend) -> None:
    """Edits, corrections, revocations and retractions reach the words, before or after them."""
    story, late = Story(), Story()
    first = story.inbound(ANA, "verde", at=1).event.originator_id
    second = story.inbound(ANA, "blanco", at=2).event.originator_id
    third = story.inbound(ANA, "negro", at=3).event.originator_id
    hand = story.inbound(ANA, "gris", at=4, source="manual").event.originator_id
    story.edited(first, ANA, "azul", at=10)
    story.revoked(second, ANA, at=11)
    story.retracted(third, ANA)
    story.corrected(hand, ANA, text="pardo", occurred_at=moment(0))
    for entry in reversed(story.entries):
        late.add(cast("Event", entry.event), entry.recorded_at)
    with told(backend, story) as at:
        colours = ("verde", "blanco", "negro", "gris", "azul", "pardo")
        assert {one: at.find(one) for one in colours if at.find(one)} == {"azul": [1], "pardo": [4]}
        for gone in ("verde", "blanco", "negro", "gris"):
            assert at.proposed(Piece(gone)) == []
        for group in at.groups:
            group.rebuild(Shelf(late.entries).source())
        assert [at.find(one) for one in ("azul", "pardo", "verde")] == [[8], [5], []]


def test_the_weightiest_come_first_where_asked_for(backend: Backend) -> None:
    """Whole words, and often, in short texts; pages give the whole list."""
    story = Story()
    story.inbound(ANA, "precio", at=1)
    story.inbound(ANA, "precios y más precios, y otras cosas de las que nadie habla", at=2)
    story.inbound(ANA, "el precio, ¿qué precio? ese precio", at=3)
    with told(backend, story) as at:
        assert at.find("precio", weigh=True, limit=1) == [3, 1, 2]
        assert at.find("precio") == [3, 2, 1]


# --------------------------------------------------------------------- whose, and for whom


def test_it_holds_for_whom_the_core_says(backend: Backend) -> None:
    """Contacts, merges, twins, filters and access are those of the core, at the moment."""
    story = Story()
    story.inbound(ANA, "hola uno", at=1, campaign="suv")
    story.inbound(BETO, "hola dos", at=2, department="ventas", attended_by=user_of("Rosa"))
    group = [party(BETO, Role.CC, asserted=False)]
    story.inbound(EVA, "hola tres", at=3, channel=Channel.EMAIL, with_parties=group)
    kin.merged(story, ANA, EVA)
    working.restricted(story, BETO, "Rosa")
    with told(backend, story) as at:
        with at.views.reading() as reading:
            visible = Access().visible(Reader(user_of("Luis")), reading)
            members = {
                name: tuple(members_of(reading, subject_of(name).bytes)) for name in (ANA, BETO)
            }
        assert at.find("hola") == [3, 2, 1]
        assert at.find("hola", subjects=members[ANA]) == [3, 1]
        assert at.find("hola", subjects=members[BETO]) == [3, 2]
        assert at.find("hola", subjects=()) == []
        assert at.find("hola", filters=Filters(campaign=("suv",))) == [1]
        assert at.find("hola", filters=Filters(department=(None,))) == [3, 1]
        assert at.find("hola", filters=Filters(since=moment(2), until=moment(3))) == [2]
        filters = Filters(attended_by=(user_of("Rosa").bytes,), channel=("whatsapp",))
        assert at.find("hola", filters=filters) == [2]
        with at.views.reading() as reading:
            seen = Access().visible(Reader(user_of("Luis")), reading)
            query = SearchQuery(scope="", text="hola", terms=tuple(terms_of("hola")))
            page = search_pages.page(reading, reading.beside(SEARCH), query, seen)
            assert [ref.position for ref in page.rows] == [3, 1]
        assert not visible.everything


# ------------------------------------------------------------------------- by every way

VOCABULARY: Final = (
    *("hola", "holanda", "hora", "ola", "precio", "precios", "auto"),
    *("casa", "casas", "de", "del", "la", "señal"),
)


FAR_S: Final = 5_000_000_000
"""Some 158 years: farther away than stretches of time are told from each other."""


def random_story(dice: random.Random) -> Story:
    """Messages over two years, many at one moment; some edited or corrected, some in two roles."""
    story = Story()
    known: list[tuple[UUID, str]] = []
    for _ in range(160):
        address = dice.choice((ANA, BETO, EVA))
        at = dice.choice((0, 1, 2, dice.randrange(60_000_000), dice.choice((-1, 1)) * FAR_S))
        if known and dice.random() < 0.3:
            stream, owner = dice.choice(known)
            if dice.random() < 0.5:
                story.edited(stream, owner, _said(dice), at=at)
            else:
                story.corrected(stream, owner, channel=dice.choice((Channel.SMS, Channel.EMAIL)))
            continue
        other = dice.choice((None, ANA, BETO))
        parties = [party(other, Role.CC, asserted=False)] if other not in (None, address) else []
        channel = dice.choice((Channel.WHATSAPP, Channel.EMAIL))
        entry = story.inbound(
            address,
            _said(dice),
            at=at,
            with_parties=parties,
            channel=channel,
            external_id=f"m{len(story.entries)}",
        )
        known.append((entry.event.originator_id, address))
    return story


def _said(dice: random.Random) -> str:
    return " ".join(dice.choices(VOCABULARY, k=dice.randint(0, 5)))


def expected(story: Story, typed: str, query: dict[str, object]) -> list[int]:
    """What a look at every message gives."""
    said: dict[UUID, InteractionRecorded] = {}
    edits: dict[UUID, InteractionEdited] = {}
    places: dict[UUID, int] = {}
    channels: dict[UUID, str | None] = {}
    for entry in story.entries:
        event = entry.event
        if isinstance(event, InteractionRecorded):
            said[event.originator_id], places[event.originator_id] = event, entry.position
        elif isinstance(event, InteractionEdited):
            held = edits.get(event.about)
            if held is None or (held.at, held.originator_id.bytes) < (
                event.at,
                event.originator_id.bytes,
            ):
                edits[event.about] = event
        elif isinstance(event, InteractionCorrected):
            channels[event.about] = event.channel
    found = []
    for stream, event in said.items():
        text = edits[stream].text if stream in edits else event.text
        words = f" {' '.join(words_of(text))} "
        subjects = {event.subject.bytes, *(party.subject.bytes for party in event.parties)}
        wanted = cast("tuple[bytes, ...] | None", query.get("subjects"))
        filters = cast("Filters", query.get("filters", Filters()))
        if (
            all(term.needle in words for term in terms_of(typed))
            and (wanted is None or subjects & set(wanted))
            and (not filters.channel or channels.get(stream, event.channel) in filters.channel)
            and (filters.since is None or event.occurred_at >= filters.since)
        ):
            found.append((event.occurred_at, places[stream]))
    return [position for _, position in sorted(found, reverse=True)]


SIZES: Final[dict[str, dict[str, object]]] = {
    "walking": {"WALKED_ROWS": 100, "WALKED_MAX": 1_000},
    "the index by stretches": {"WALKED_MAX": 0, "STRETCHES_ASKED": 3},
    "the index": {"WALKED_MAX": 0, "FEW": 1_000, "MANY": 1_000},
    "the index in parts": {"WALKED_ROWS": 2, "WALKED_MAX": 9, "FEW": 3, "MANY": 6},
    "first this, then all": {
        "WALKED_ROWS": 5,
        "WALKED_MAX": 5,
        "FEW": 3,
        "MANY": 6,
        "SELDOM": {"sqlite": 1, "postgresql": 1},
    },
    "the rarest word": {"WALKED_ROWS": 3, "WALKED_MAX": 3, "COMMON": 1, "COMMON_ROWS_MIN": 0},
    "a row at a time": {
        "WALKED_ROWS": 1,
        "WALKED_MAX": 3,
        "FEW": 1,
        "MANY": 1,
        "STRETCHES_ASKED": 1,
    },
}


def test_every_way_gives_the_same(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walked or by the index, at once or by and by: as if every message were looked at."""
    dice = random.Random(5)
    story = random_story(dice)
    with told(backend, story) as at:
        for way, sizes in SIZES.items():
            for name, size in sizes.items():
                monkeypatch.setattr(search_pages, name, size)
            for typed in ("hol", "precio auto", '"de la"', "de", '"casa"', "señ la", "x", "l a"):
                subjects = dice.choice((None, (subject_of(ANA).bytes, subject_of(EVA).bytes)))
                channel = dice.choice(((), ("email",), ("sms", "whatsapp")))
                since = dice.choice((None, moment(2), moment(30_000_000)))
                more: dict[str, object] = {
                    "subjects": subjects,
                    "filters": Filters(channel=channel, since=since),
                }
                found = at.find(typed, None, limit=dice.randint(1, 20), **more)
                assert found == expected(story, typed, more), (way, typed, more)
            monkeypatch.undo()


def test_rebuilt_is_as_followed(backend: Backend) -> None:
    """A replay gives the same rows, and the index made by it proposes the same."""
    story = random_story(random.Random(6))
    with told(backend, story) as at:
        group = at.groups[1]
        source = Shelf(story.entries).source()
        assert check(group, source) == []
        pieces = [Piece(word, prefix) for word in ("hola", "de") for prefix in (False, True)]
        before = [at.proposed(piece) for piece in pieces]
        group.rebuild(source)
        assert [at.proposed(piece) for piece in pieces] == before
        assert all(before)
        states = {state.group: state for state in at.views.state(len(story.entries))}
        assert states[SEARCH].serving
        assert states[SEARCH].lag == 0
