"""Finding contacts: what matches, in which order, by whichever way, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from projections import contact_pages, finding_pages
from projections.access import EVERYTHING
from projections.contact_pages import ContactQuery
from projections.core import core_projections
from projections.directory_rows import CONTACTS
from projections.finding import HAYSTACKS, PARTS, parts_of, ranges_of
from projections.finding_pages import terms_of
from tests.backends import Backend
from tests.projections import kin
from tests.projections.desk import Desk, desk
from tests.projections.story import Story, subject_of

ANA: Final = "tel:+525512345678"
LUIS: Final = "tel:+525587654321"
MAIL: Final = "mailto:Zoe.Pena77@taller-norte.example"
BSUID: Final = "whatsapp:106540352242922/MX.1001"


def found(at: Desk, text: str | None, limit: int = 50) -> list[str]:
    """The names of all contacts that match, page by page, there and back."""
    names, cursor = list[str](), None
    with at.views.reading() as reading:
        while True:
            asked = ContactQuery(text=text, country="MX", limit=limit, cursor=cursor)
            page = contact_pages.page(reading, asked, EVERYTHING)
            names += [row.name or row.folded for row in page.rows]
            if page.next is None:
                break
            cursor = page.next
        while page.prev is not None and len(names) > limit:
            asked = ContactQuery(text=text, country="MX", limit=limit, cursor=page.prev)
            page = contact_pages.page(reading, asked, EVERYTHING)
            if not page.rows:
                break
            back = [row.name or row.folded for row in page.rows]
            assert back == names[names.index(back[0]) :][: len(back)]
    return names


def people() -> Story:
    """Some contacts that are found in different ways."""
    story = Story()
    story.inbound(ANA, at=1, contact_name="Ana Núñez", external_id="a")
    story.inbound(LUIS, at=2, contact_name="Luis O'Donnell 100%")
    story.named(subject_of(LUIS), company="Transportes del Río")
    story.inbound(MAIL, at=3, contact_name="Zoé Peña")
    story.inbound(BSUID, at=4, contact_name="王小明")
    story.named(subject_of("contact:00000000-0000-4000-8000-000000000001"), name="Sin Dirección")
    return story


@contextmanager
def told(backend: Backend, story: Story) -> Iterator[Desk]:
    """The core views of a story."""
    with desk(backend.views_url, core_projections()) as at:
        at.feed(story.entries)
        yield at


ASKED: Final = {
    "nunez": ["Ana Núñez"],
    "NÚÑ": ["Ana Núñez"],
    "uñe": ["Ana Núñez"],
    "núñez ana": ["Ana Núñez"],
    "ana lopez": [],
    "o'don": ["Luis O'Donnell 100%"],
    "100%": ["Luis O'Donnell 100%"],
    "rio trans": ["Luis O'Donnell 100%"],
    "sportes": ["Luis O'Donnell 100%"],
    "1234 5678": ["Ana Núñez"],
    "(55) 1234-56": ["Ana Núñez"],
    "+52 1 55 1234 5678": ["Ana Núñez"],
    "55 1234 5678": ["Ana Núñez"],
    "tel:+525512345678": ["Ana Núñez"],
    "525": ["Luis O'Donnell 100%", "Ana Núñez"],
    "ana 5678": ["Ana Núñez"],
    "5678": ["Ana Núñez"],
    "78": [],
    "zoe.pena": ["Zoé Peña"],
    "ZOE.PENA77@TALLER-NORTE.EXAMPLE": ["Zoé Peña"],
    "mailto:zoe.pena77@taller-norte.example": ["Zoé Peña"],
    "pena77@taller": ["Zoé Peña"],
    "@taller-norte": ["Zoé Peña"],
    "taller-norte.ex": ["Zoé Peña"],
    "norte.ex": [],
    "mx.1001": ["王小明"],
    "whatsapp:106540352242922/MX.1001": ["王小明"],
    "王小": ["王小明"],
    "a": ["Ana Núñez"],
    "an": ["Ana Núñez"],
    "ña": [],
    "sin dir": ["Sin Dirección"],
    "#1": ["Ana Núñez"],
    "#999": [],
    "#": [],
    "_": [],
    "nobody": [],
    "´": [],
}


def test_a_contact_is_found_by_any_part_of_what_it_is_called(backend: Backend) -> None:
    """Accents, case, order of words and the writing of numbers make no difference."""
    with told(backend, people()) as at:
        assert {text: found(at, text) for text in ASKED} == ASKED


def test_the_ways_to_look_find_the_same(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the few are looked at, or the list is walked: the same contacts, in one order."""
    dice = random.Random(5)
    first, last = ["Ana", "Eva", "Mariana", "Juan"], ["Cruz", "Santana", "Núñez", "Ruiz"]
    story = Story()
    for number in range(80):
        name = f"{dice.choice(first)} {dice.choice(last)} {number:02d}x"
        story.inbound(f"tel:+52551000{number:04d}", at=dice.randrange(60), contact_name=name)
    texts = ["ana", "ana cruz", "5510", "10 nunez", "c", "anan", "00", "00 xx", "eva santana"]
    ways = {"few": (10**6, 1, 1), "walk": (0, 10**6, 2), "both": (0, 1, 2), "count": (0, 0, 3)}
    answers = []
    with told(backend, story) as at:
        for few, many, stride in ways.values():
            monkeypatch.setattr(finding_pages, "FEW", few)
            monkeypatch.setattr(finding_pages, "MANY", many)
            monkeypatch.setattr(finding_pages, "STRIDE_FIRST", stride)
            answers.append([found(at, text, limit=7) for text in texts])
        everybody = found(at, None)
    assert all(answer == answers[0] for answer in answers[1:])
    for text, names in zip(texts[:2], answers[0], strict=False):
        words = text.split()
        assert names == [n for n in everybody if all(word in n.lower() for word in words)]
        assert names


def test_what_changes_is_found_anew(backend: Backend) -> None:
    """A new name finds the contact and the old one does not; parts that are gone leave no row."""
    story = people()
    with told(backend, story) as at:
        story.named(subject_of(ANA), name="Ana Ruiz")
        story.named(subject_of(LUIS), company=None)
        at.feed(story.entries)
        assert (found(at, "nunez"), found(at, "ruiz")) == ([], ["Ana Ruiz"])
        assert found(at, "transportes") == []
        wanted = {(part, row.contact) for row in at.rows(HAYSTACKS) for part in parts_of(row)}
        assert {(row.part, row.contact) for row in at.rows(PARTS)} == wanted


def test_what_brings_no_news_is_not_looked_at(backend: Backend) -> None:
    """A further message of somebody known touches nothing that they are found by."""
    story = people()
    with told(backend, story) as at:
        before = at.checksums()
        story.inbound(ANA, at=90, contact_name="Ana Núñez")
        at.feed(story.entries)
        after = at.checksums()
    assert {name for name in before if before[name] != after[name]}.isdisjoint(
        {"haystacks", "parts", "bygones"}
    )


def test_a_merged_contact_is_found_as_the_one_it_became(backend: Backend) -> None:
    """By the old name, number and interaction comes the survivor; after undoing, both again."""
    story = people()
    with told(backend, story) as at:
        before = at.checksums()
        merge = kin.merged(story, ANA, LUIS)
        at.feed(story.entries)
        for text in ("nunez", "donnell", "8765 4321", "#2", "transportes"):
            assert found(at, text) == found(at, "#1"), text
        kin.undone(story, merge)
        at.feed(story.entries)
        assert (found(at, "nunez"), found(at, "#2")) == (["Ana Núñez"], ["Luis O'Donnell 100%"])
        assert {n: at.checksums()[n] for n in ("haystacks", "parts")} == {
            n: before[n] for n in ("haystacks", "parts")
        }


def test_an_address_finds_whoever_had_it(backend: Backend) -> None:
    """An address that was taken off a contact finds both that contact and who has it now."""
    story = people()
    story.linked(subject_of(ANA), LUIS)
    kin.unlinked(story, ANA, LUIS)
    with told(backend, story) as at:
        assert found(at, "87654321") == ["Luis O'Donnell 100%", "Ana Núñez"]
        assert found(at, "donnell") == ["Luis O'Donnell 100%"]
        story.linked(subject_of(MAIL), LUIS)
        at.feed(story.entries)
        names = found(at, "87654321")
        at.rebuild(story.entries)
        assert found(at, "87654321") == names == ["Zoé Peña", "Ana Núñez"]


def test_parts_lead_to_every_piece() -> None:
    """Wherever a piece stands in a word, a part begins with one of its ranges."""
    dice = random.Random(3)
    story = people()
    for _ in range(200):
        word = "".join(dice.choice("abc1") for _ in range(dice.randint(1, 20)))
        start = dice.randrange(len(word))
        piece = word[start : start + dice.randint(3, 16)]
        if len(piece) < 3:
            piece = word[:2]
        story.named(subject_of(ANA), name=word)
        row = HAYSTACKS.row_type(b"", f"\n{word}", "")
        starts = ranges_of(piece)
        assert any(part.startswith(one) for part in parts_of(row) for one in starts), piece


def test_few_words_of_a_long_text_count() -> None:
    """What nobody would type to find a person costs no more than what somebody would."""
    assert len(terms_of("a " * 400)) == finding_pages.WORDS_MAX


def test_every_contact_that_can_be_typed_has_a_haystack(backend: Backend) -> None:
    """Only contacts without name and address have none."""
    story = people()
    story.inbound(None, at=5, subject=subject_of("contact:00000000-0000-4000-8000-000000000009"))
    with told(backend, story) as at:
        everybody = {row.contact for row in at.rows(CONTACTS)}
        nameless = everybody - {row.contact for row in at.rows(HAYSTACKS)}
    assert len(nameless) == 1
